"""Running programs: outcomes, limits, and nothing left behind."""

from __future__ import annotations

import io
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from crpack.errors import RunFailed
from crpack.process.environment import clean
from crpack.process.launcher import Launcher
from crpack.process.run import Limits, Outcome, run

if TYPE_CHECKING:
    from pathlib import Path

ENV = clean({}, home="/nonexistent", tmp="/nonexistent")


def sh(script: str, limits: Limits | None = None, stdin: bytes | None = None) -> Outcome:
    """Run a shell script, which is a program like any other here."""
    limits = limits or Limits(wall_s=120)
    return run(("/bin/sh", "-c", script), cwd="/", env=ENV, limits=limits, stdin=stdin)


def alive(mark: str) -> list[str]:
    """Return the processes whose command line holds a mark."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if mark.encode() in file.read() and int(name) != os.getpid():
                    found.append(name)
        except OSError:
            continue
    return found


def gone(mark: str) -> bool:
    """Say whether all processes with a mark have ended; those just killed may need a moment."""
    end = time.monotonic() + 60
    while alive(mark) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(mark)


def test_streams_and_status_are_the_programs_own() -> None:
    outcome = sh("cat; echo problem >&2; exit 3", stdin=b"given")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (3, b"given", b"problem\n")
    assert not outcome.timed_out
    assert (outcome.sandbox, outcome.network) == ("L0", "open")


def test_standard_input_is_empty_unless_given() -> None:
    """SBX-08."""
    assert sh("cat; echo end").stdout == b"end\n"


def test_much_input_and_output_do_not_wait_for_each_other() -> None:
    data = os.urandom(1 << 20)
    assert sh("cat", stdin=data).stdout == data


def test_input_that_is_not_read_is_no_failure() -> None:
    assert sh("exit 4", stdin=b"x" * (1 << 20)).code == 4


def test_a_log_takes_both_streams_in_their_order() -> None:
    log = io.BytesIO()
    outcome = run(
        ("/bin/sh", "-c", "echo 1; echo 2 >&2; echo 3"),
        cwd="/",
        env=ENV,
        limits=Limits(wall_s=120),
        log=log,
    )
    assert log.getvalue() == b"1\n2\n3\n"
    assert outcome.stdout == outcome.stderr == b""


def test_output_beyond_the_cap_is_dropped_and_told() -> None:
    """SBX-09."""
    outcome = sh("yes | head -c 1000000; exit 5", Limits(wall_s=120, output_bytes=10))
    assert outcome.stdout == b"y\ny\ny\ny\ny\n"
    assert outcome.truncated
    assert outcome.code == 5
    assert not sh("echo short", Limits(wall_s=120, output_bytes=10)).truncated


def test_time_over_ends_the_run() -> None:
    """SBX-09."""
    outcome = sh("sleep 100", Limits(wall_s=0.3))
    assert outcome.timed_out
    assert outcome.code == -signal.SIGKILL
    assert outcome.wall_s < 60


def test_cpu_time_and_file_size_are_limited(tmp_path: Path) -> None:
    """SBX-09."""
    assert sh("while :; do :; done", Limits(wall_s=30, cpu_s=1)).code == -signal.SIGXCPU
    script = f"head -c 100000 /dev/zero > '{tmp_path}/big'"
    assert sh(script, Limits(wall_s=120, file_bytes=4096)).code != 0
    assert (tmp_path / "big").stat().st_size == 4096


def test_memory_is_limited() -> None:
    """SBX-09."""
    ask = (sys.executable, "-I", "-S", "-c", "b'x' * (1 << 31)")
    limits = Limits(wall_s=120, memory_bytes=1 << 30)
    outcome = run(ask, cwd="/", env=ENV, limits=limits)
    assert outcome.code == 1
    assert b"MemoryError" in outcome.stderr


def test_the_end_by_a_signal_is_told() -> None:
    assert sh("kill -TERM $$").code == -signal.SIGTERM


def test_cpu_seconds_count_orphans_too(tmp_path: Path) -> None:
    done = shlex.quote(str(tmp_path / "done"))
    burn = "import sys, time\nwhile time.process_time() < 0.4: pass\nopen(sys.argv[1], 'w')"
    work = f"{shlex.quote(sys.executable)} -I -S -c {shlex.quote(burn)} {done}"
    outcome = sh(f"({work} &) ; until [ -e {done} ]; do sleep 0.05; done")
    assert outcome.cpu_s >= 0.4


@pytest.mark.parametrize(
    ("argv", "cwd", "why"),
    [
        (("no-such-program",), "/", "`no-such-program` is in no folder of PATH"),
        (("/no/such/program",), "/", "No such file or directory"),
        (("/etc/passwd",), "/", "Permission denied"),
        (("/bin/true",), "/no/such/folder", "`/no/such/folder`"),
    ],
)
def test_what_cannot_be_started_is_an_error_with_the_reason(
    argv: tuple[str, ...], cwd: str, why: str
) -> None:
    with pytest.raises(RunFailed) as caught:
        run(argv, cwd=cwd, env=ENV, limits=Limits(wall_s=120))
    assert why in caught.value.why[0]


def test_a_relative_folder_of_path_is_never_looked_into(tmp_path: Path) -> None:
    """DET-01, SBX-01: not even where the step starts."""
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\nexit 0\n")
    tool.chmod(0o755)
    with pytest.raises(RunFailed):
        run(("tool",), cwd=str(tmp_path), env={"PATH": ".:"}, limits=Limits(wall_s=120))


LOOK = """
import os
print(len(os.listdir("/proc/self/fd")), oct(os.umask(0)))
print(*(line.split()[1] for line in open("/proc/self/status") if line[:6] in ("SigBlk", "SigIgn")))
"""


def test_a_step_inherits_no_descriptor_signal_mask_or_umask(tmp_path: Path) -> None:
    """SBX-08."""
    leak = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(leak, True)
    umask = os.umask(0o077)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    usual = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        argv = (sys.executable, "-I", "-S", "-c", LOOK)
        outcome = run(argv, cwd="/", env=ENV, limits=Limits(wall_s=120))
    finally:
        signal.signal(signal.SIGUSR2, usual)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        os.umask(umask)
        os.close(leak)
    count, mask, blocked, ignored = outcome.stdout.split()
    assert count == b"4"  # three streams, and the folder that is listed
    assert mask == b"0o22"
    assert int(blocked, 16) == 0
    python = {signal.SIGPIPE, signal.SIGXFSZ}  # which Python itself ignores
    ordinary = 0x7FFF_FFFF  # signals 1 to 31; the C library uses some of the others itself
    assert int(ignored, 16) & ordinary & ~sum(1 << number - 1 for number in python) == 0


def test_a_step_has_a_session_of_its_own() -> None:
    """SBX-08."""
    outcome = sh(
        f"{shlex.quote(sys.executable)} -I -S -c "
        "'import os; print(os.getsid(0), os.getppid())'; echo $$"
    )
    session, parent, shell = map(int, outcome.stdout.split())
    assert session == parent == shell
    assert session != os.getsid(0)


@pytest.mark.parametrize(
    "script",
    [
        "sleep {mark} &",
        "setsid sleep {mark} &",
        "(setsid setsid sleep {mark} &) ; exit 7",
        "nohup sh -c 'trap \"\" TERM INT HUP; sleep {mark}; sleep {mark}' >/dev/null 2>&1 &",
        "for i in 1 2 3; do (setsid sh -c 'while :; do sleep {mark} & sleep 0.01; done' &) ; done",
    ],
    ids=["background", "session", "daemon", "stubborn", "forking"],
)
def test_nothing_outlives_the_run(script: str) -> None:
    """SBX-10."""
    mark = f"98765{os.getpid()}"
    sh(script.replace("{mark}", mark))
    assert not alive(mark)


def test_nothing_outlives_a_run_that_timed_out() -> None:
    """SBX-10."""
    mark = f"98764{os.getpid()}"
    assert sh(f"(setsid sleep {mark} &) ; sleep {mark}", Limits(wall_s=0.5)).timed_out
    assert not alive(mark)


def test_a_descriptor_kept_open_elsewhere_delays_nothing() -> None:
    outcome = sh("sleep 900 & echo started")
    assert (outcome.stdout, outcome.timed_out) == (b"started\n", False)


CALLER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from crpack.process.run import Limits, run
print("ready", flush=True)
env = {"PATH": "/usr/bin:/bin"}
try:
    run(("/bin/sh", "-c", "(setsid sleep MARK &) ; echo $$; sleep MARK"), cwd="/", env=env,
        limits=Limits(wall_s=60))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill -9"])
def test_the_end_of_the_caller_is_the_end_of_the_run(
    number: signal.Signals, pytestconfig: pytest.Config
) -> None:
    """SBX-10."""
    mark = f"9876{number}{os.getpid()}"
    program = CALLER.replace("MARK", mark)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(pytestconfig.rootpath)], stdout=subprocess.PIPE
    ) as caller:
        assert caller.stdout
        assert caller.stdout.readline() == b"ready\n"
        end = time.monotonic() + 50
        while len(alive(f"sleep\0{mark}")) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        caller.send_signal(number)
        said = caller.stdout.read()
    assert gone(f"sleep\0{mark}")
    assert said == (b"interrupted\n" if number == signal.SIGINT else b"")


def test_no_descriptor_and_no_child_is_left_in_the_caller() -> None:
    """SBX-10."""

    def children() -> bytes:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            return file.read()

    sh("true")
    before, others = sorted(os.listdir("/proc/self/fd")), children()
    for script in ("echo x", "exit 1", "sleep 9 &"):
        sh(script)
    with pytest.raises(RunFailed):
        run(("/no/such",), cwd="/", env=ENV, limits=Limits(wall_s=120))
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert children() == others


def test_other_children_of_the_caller_are_left_alone() -> None:
    """SBX-10."""
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        sh("(setsid sleep 50 &)")
        assert other.poll() is None
        other.kill()


def test_many_threads_share_one_launcher() -> None:
    outcomes: dict[int, bytes] = {}
    with Launcher() as launcher:

        def one(number: int) -> None:
            argv = ("/bin/echo", str(number))
            done = run(argv, cwd="/", env=ENV, limits=Limits(wall_s=120), launcher=launcher)
            outcomes[number] = done.stdout

        threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes == {number: f"{number}\n".encode() for number in range(12)}


def test_a_supervisor_that_dies_is_an_error_not_a_hang() -> None:
    with pytest.raises(RunFailed) as caught:
        sh("kill -9 $PPID; sleep 0.2")
    assert "supervisor" in caught.value.what
