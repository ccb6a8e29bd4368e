"""Programs on the caller's own terminal."""

from __future__ import annotations

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
from crpack.process.run import Streamed, stream
from tests.unit.process.test_run import alive

if TYPE_CHECKING:
    from pathlib import Path

ENV = clean({}, home="/nonexistent", tmp="/nonexistent")


def sh(script: str, stdout: int | None = None, timeout_s: float = 120) -> int:
    return stream(
        ("/bin/sh", "-c", script), cwd="/", env=ENV, timeout_s=timeout_s, stdout=stdout, stderr=None
    ).code


def test_the_status_is_the_programs_and_128_more_for_a_signal() -> None:
    assert sh("exit 7") == 7
    assert sh("kill -SEGV $$") == 128 + signal.SIGSEGV


def test_output_goes_where_the_caller_says(tmp_path: Path) -> None:
    with open(tmp_path / "out", "wb") as file:
        assert sh("echo here", stdout=file.fileno()) == 0
    assert (tmp_path / "out").read_bytes() == b"here\n"


def used(code: str) -> Streamed:
    argv = (sys.executable, "-I", "-S", "-c", code)
    return stream(argv, cwd="/", env=ENV, timeout_s=120, stdout=None, stderr=None)


def test_what_a_program_and_its_children_use_is_measured() -> None:
    """BEN-03: the peak is that of the largest process, the CPU time that of all."""
    kept = used("x = b'1' * 200_000_000")
    assert 200_000_000 < kept.peak_bytes < 300_000_000
    child = "subprocess.run([sys.executable, '-c', \"x = b'1' * 200_000_000\"])"
    assert 200_000_000 < used(f"import subprocess, sys; {child}").peak_bytes < 300_000_000
    slept = used("import time; time.sleep(0.3)")
    assert slept.wall_s >= 0.3
    assert slept.cpu_s < slept.wall_s
    busy = used("import time\nwhile time.process_time() < 0.3: pass")
    assert 0.3 <= busy.cpu_s < 2


def test_a_peak_below_that_of_the_starting_process_is_not_known() -> None:
    """BEN-03: the kernel counts the memory from before the exec too (getrusage(2))."""
    argv = ("/bin/true",)
    done = stream(argv, cwd="/", env=ENV, timeout_s=120, stdout=None, stderr=None)
    assert done.peak_bytes == 0


def test_the_program_stays_in_the_callers_group(tmp_path: Path) -> None:
    """So that Ctrl-C of the terminal reaches it, and it may read from the terminal."""
    with open(tmp_path / "out", "wb") as file:
        sh(
            f"{shlex.quote(sys.executable)} -I -S -c 'import os; print(os.getpgrp())'",
            stdout=file.fileno(),
        )
    assert int((tmp_path / "out").read_text()) == os.getpgrp()


def test_nothing_outlives_a_program_of_the_callers_group() -> None:
    """SBX-10."""
    mark = f"98761{os.getpid()}"
    assert sh(f"sleep {mark} & (setsid sleep {mark} &) ; exit 3") == 3
    assert not alive(mark)


def test_time_over_is_an_error() -> None:
    with pytest.raises(RunFailed) as caught:
        sh("sleep 100", timeout_s=0.3)
    assert caught.value.data == {"timed_out": True}


def test_sigterm_is_passed_on_to_the_program(tmp_path: Path) -> None:
    ready = tmp_path / "ready"

    def soon() -> None:
        while not ready.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=soon, daemon=True).start()
    wait = "i=0; while [ $i -lt 200 ]; do sleep 0.1; i=$((i+1)); done"
    script = f"trap 'exit 9' TERM; touch {shlex.quote(str(ready))}; {wait}"
    assert sh(script, timeout_s=60) == 9


CALLER = """
import sys
sys.path.insert(0, sys.argv[1])
from crpack.process.run import stream
from tests.unit.process.test_run import alive
try:
    stream(("/bin/sh", "-c", "trap 'echo cleaned; exit 0' INT; echo ready; i=0; "
            "while [ $i -lt 1000 ]; do sleep 0.1; i=$((i+1)); done"),
           cwd="/", env={"PATH": "/usr/bin:/bin"}, timeout_s=200, stdout=None, stderr=None)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_lets_the_program_end_first(pytestconfig: pytest.Config) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CALLER, str(pytestconfig.rootpath)],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as caller:
        assert caller.stdout
        assert caller.stdout.readline() == b"ready\n"
        os.killpg(caller.pid, signal.SIGINT)  # what a terminal does
        assert caller.stdout.read() == b"cleaned\ninterrupted\n"


@pytest.mark.parametrize(
    ("trap", "said"),
    [("trap 'echo cleaned; exit 0' INT", b"cleaned\ninterrupted\n"),
     ("trap '' INT; trap 'echo asked; exit 0' TERM", b"asked\ninterrupted\n"),
     ("trap '' INT TERM", b"interrupted\n")],
)  # fmt: skip
def test_a_sigint_for_the_caller_alone_ends_the_program_too(
    trap: str, said: bytes, pytestconfig: pytest.Config
) -> None:
    """SBX-10: it did not come from a terminal, so the program has not got it."""
    text = CALLER.replace("trap 'echo cleaned; exit 0' INT", trap)
    text = text.replace("try:", "from crpack.process import run\nrun.GRACE = 0.5\ntry:", 1)
    with subprocess.Popen(
        [sys.executable, "-c", text, str(pytestconfig.rootpath)],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as caller:
        assert caller.stdout
        assert caller.stdout.readline() == b"ready\n"
        started = time.monotonic()
        os.kill(caller.pid, signal.SIGINT)
        assert caller.stdout.read() == said
        assert time.monotonic() - started < 60
