"""Hostile programs inside the sandbox: what they try, and what comes of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from crpack.errors import RunFailed
from crpack.process import landlock
from crpack.process.environment import clean
from crpack.process.run import Limits, Outcome, run
from crpack.process.sandbox import LEVELS, Level, Sandbox, best

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# An interpreter that no wall hides, wherever the tests lie.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
COVERED = ("/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108 - what L3 shows empty
NOBODY = (65534, 65534)
_KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


def need(level: Level) -> None:
    """Skip a test where this kernel does not build a level, with the reason it gives."""
    reached = best()
    if LEVELS.index(reached.level) < LEVELS.index(level):
        pytest.skip(f"{level}: {dict(reached.refused).get(level, 'refused')}")


@pytest.fixture(params=get_args(Level)[1:])
def level(request: pytest.FixtureRequest) -> Level:
    need(request.param)
    found: Level = request.param
    return found


@pytest.fixture(params=["L2", "L3"])
def walled(request: pytest.FixtureRequest) -> Level:
    need(request.param)
    found: Level = request.param
    return found


@pytest.fixture(params=[None, NOBODY], ids=["self", "nobody"])
def user(request: pytest.FixtureRequest) -> tuple[int, int] | None:
    if request.param and os.geteuid() != 0:
        pytest.skip("only root can become nobody")
    found: tuple[int, int] | None = request.param
    return found


class Place:
    """Folders of one test: one that the program may write, one that it must not touch."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inside, self.outside, self.hidden = root / "in", root / "out", root / "hidden"
        for folder in (self.inside, self.outside, self.hidden):
            folder.mkdir()
            (folder / "file").write_text("kept\n")
            (folder / "file").chmod(0o666)
            folder.chmod(0o777)  # only the sandbox stands between

    def give(self, user: tuple[int, int] | None) -> None:
        """Make all of it belong to a user, so that file permissions refuse nothing."""
        if user:
            for folder in self.root.parents:  # pytest's folders are private to their owner
                if folder.name.startswith(("pytest-", "popen-")):
                    folder.chmod(0o755)
            self.root.chmod(0o755)
            for path in (*self.root.glob("*"), *self.root.glob("*/*")):
                os.chown(path, *user)

    def sandbox(self, level: Level, user: tuple[int, int] | None = None) -> Sandbox:
        return Sandbox(
            level=level, writable=(str(self.inside),), hidden=(str(self.hidden),), user=user
        )

    def untouched(self) -> bool:
        """Say whether the folder outside is as it was made."""
        names = sorted(os.listdir(self.outside))
        return names == ["file"] and (self.outside / "file").read_text() == "kept\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def elsewhere(pytestconfig: pytest.Config) -> Iterator[Place]:
    """Give a place that L3 does not cover, as it does /tmp."""
    assert pytestconfig.cache
    root = str(pytestconfig.cache.mkdir("sandbox"))
    if root.startswith(COVERED):
        root = os.path.expanduser("~")
    if f"{root}/".startswith(COVERED) or not os.access(root, os.W_OK):
        pytest.skip("there is no folder to write in but where L3 shows nothing")
    with tempfile.TemporaryDirectory(dir=root) as folder:
        yield Place(Path(folder))


def program(place: Place, sandbox: Sandbox, text: str, *arguments: str) -> Outcome:
    """Run a Python program in a sandbox."""
    return run(
        (PYTHON, "-I", "-c", textwrap.dedent(text), *arguments),
        cwd=str(place.inside),
        env=clean({}, home=str(place.inside), tmp=str(place.inside)),
        limits=Limits(wall_s=120),
        sandbox=sandbox,
    )


def said(outcome: Outcome) -> list[str]:
    assert outcome.code == 0, outcome.stderr.decode()
    return outcome.stdout.decode().split()


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """Listen on loopback for TCP and UDP; give the port, and what arrives."""
    heard: list[bytes] = []
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", port))
        tcp.listen()
        tcp.settimeout(0.3)
        udp.settimeout(0.3)

        def listen(take: Callable[[], object]) -> None:
            try:
                heard.append(str(take()).encode())
            except OSError:
                return

        threads = [
            threading.Thread(target=listen, args=(take,))
            for take in (tcp.accept, lambda: udp.recv(9))
        ]
        yield port, heard
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not heard


CALL_OUT = """
    import socket, sys
    port = int(sys.argv[1])
    for family, kind in ((2, 1), (2, 2), (10, 1), (10, 2), (16, 3), (17, 3), (2, 3)):
        try:
            one = socket.socket(family, kind)
            one.settimeout(5)
            one.connect(("127.0.0.1" if family == 2 else "::1", port))
            one.send(b"out")
            print("out")
        except OSError as error:
            print(error.errno)
"""


def test_no_program_reaches_the_network(
    place: Place,
    level: Level,
    user: tuple[int, int] | None,
    listener: tuple[int, list[bytes]],
) -> None:
    """SBX-04."""
    place.give(user)
    outcome = program(place, place.sandbox(level, user), CALL_OUT, str(listener[0]))
    assert said(outcome) == ["13"] * 7
    assert (outcome.sandbox, outcome.network) == (level, "none")


def test_an_open_network_is_told(place: Place, level: Level) -> None:
    """SBX-02."""
    sandbox = Sandbox(level=level, writable=(str(place.inside),), network=True)
    outcome = program(place, sandbox, "import socket; socket.socket(); print('open')")
    assert said(outcome) == ["open"]
    assert outcome.network == "open"


def test_unix_sockets_of_the_steps_own_still_work(place: Place, level: Level) -> None:
    text = """
        import socket
        one, two = socket.socketpair()
        one.send(b"x")
        server = socket.socket(socket.AF_UNIX)
        server.bind("own.sock")
        server.listen()
        client = socket.socket(socket.AF_UNIX)
        client.connect("own.sock")
        print(two.recv(1).decode())
    """
    assert said(program(place, place.sandbox(level), text)) == ["x"]


def test_back_doors_of_the_system_call_table_are_shut(place: Place, level: Level) -> None:
    """SBX-04: io_uring opens sockets by itself; x32 and 32-bit calls have other numbers."""
    text = """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.syscall(425, 8, ctypes.create_string_buffer(256)), ctypes.get_errno())
        if os.uname().machine == "x86_64":
            print(libc.syscall(0x40000000 + 41, 2, 1, 0), ctypes.get_errno())
    """
    answers = said(program(place, place.sandbox(level), text))
    assert set(zip(answers[::2], answers[1::2], strict=True)) == {("-1", "1")}


@pytest.mark.skipif(os.uname().machine not in _KEYCTL, reason="the number is not in the test")
def test_the_keys_of_the_users_session_cannot_be_reached(place: Place, level: Level) -> None:
    """SBX-04: a namespace of its own has the session's keyring too."""
    text = f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.syscall({_KEYCTL[os.uname().machine]}, 0, -3, 0), ctypes.get_errno())
    """
    assert said(program(place, place.sandbox(level), text)) == ["-1", "1"]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="a 32-bit call of x86")
def test_a_call_of_the_32_bit_table_ends_the_program(place: Place, level: Level) -> None:
    """SBX-04."""
    text = """
        import ctypes, mmap
        code = bytes.fromhex("b814000000cd80c3")  # mov eax, 20; int 0x80; ret
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        print("survived")
    """
    outcome = program(place, place.sandbox(level), text)
    assert outcome.code == -signal.SIGSYS
    assert not outcome.stdout


MARK = f"crpack-vandal-{os.getpid()}"
VANDAL = """
    import os, shutil, sys
    out, mark = sys.argv[1:]
    deeds = {
        "create": lambda: open(out + "/new", "w"),
        "append": lambda: open(out + "/file", "a").write("more"),
        "overwrite": lambda: open(out + "/file", "w"),
        "truncate": lambda: os.truncate(out + "/file", 0),
        "unlink": lambda: os.unlink(out + "/file"),
        "mkdir": lambda: os.mkdir(out + "/folder"),
        "symlink": lambda: os.symlink("/", out + "/link"),
        "hardlink": lambda: os.link(out + "/file", out + "/hard"),
        "fifo": lambda: os.mkfifo(out + "/fifo"),
        "rename": lambda: os.rename(out + "/file", out + "/other"),
        "move in": lambda: os.rename("mine", out + "/mine"),
        "move out": lambda: os.rename(out + "/file", "stolen"),
        "rmdir": lambda: shutil.rmtree(out),
        "by link": lambda: open("link/new", "w"),
        "by fd": lambda: os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=os.open(out, os.O_PATH)),
        "tmp": lambda: open("/tmp/" + mark, "w"),
        "shm": lambda: open("/dev/shm/" + mark, "w"),
        "proc": lambda: os.close(os.open("/proc/sys/kernel/hostname", os.O_WRONLY)),
    }
    open("mine", "w").write("mine")
    os.symlink(out, "link")
    for name, deed in deeds.items():
        try:
            deed()
            print(name.replace(" ", "-"))
        except OSError:
            pass
    open("mine", "w").write("still mine")
    os.mkdir("folder")
    os.rename("mine", "folder/mine")
    open("/dev/null", "w").write("x")
    print("end")
"""


def test_no_program_writes_outside_its_folder(
    place: Place, walled: Level, user: tuple[int, int] | None
) -> None:
    """SBX-05, SBX-06."""
    place.give(user)
    outcome = program(place, place.sandbox(walled, user), VANDAL, str(place.outside), MARK)
    assert said(outcome) == ["end"]
    assert place.untouched()
    assert (place.inside / "folder" / "mine").read_text() == "still mine"


def test_the_vandal_would_succeed_without_walls(place: Place) -> None:
    """So that the test above can fail."""
    outcome = program(place, Sandbox(), VANDAL, str(place.outside), MARK)
    for folder in ("tmp", "dev/shm"):
        if os.path.exists(f"/{folder}/{MARK}"):
            os.unlink(f"/{folder}/{MARK}")
    assert {"create", "unlink", "mkdir", "tmp"} <= set(said(outcome))


def test_hidden_folders_cannot_be_read_but_for_what_is_shown(
    place: Place, walled: Level, user: tuple[int, int] | None
) -> None:
    """SBX-05, SBX-06."""
    place.give(user)
    shown = place.hidden / "tools"
    shown.mkdir()
    (shown / "file").write_text("shown")
    for path in (shown, shown / "file"):
        path.chmod(0o755)
    sandbox = Sandbox(
        level=walled,
        writable=(str(place.inside),),
        hidden=(str(place.hidden),),
        readable=(str(shown),),
        user=user,
    )
    text = """
        import os, sys
        hidden = sys.argv[1]
        deeds = (lambda: open(hidden + "/file").read(), lambda: os.listdir(hidden)[0] == "file")
        for deed in deeds:
            try:
                print(deed())
            except OSError:
                print("refused")
        print(open(hidden + "/tools/file").read())
        try:
            open(hidden + "/tools/new", "w")
            print("written")
        except OSError:
            print("refused")
    """
    answers = said(program(place, sandbox, text, str(place.hidden)))
    assert answers[0] == "refused"
    assert answers[1] in ("refused", "False")  # an empty folder, but for what is shown
    assert answers[2:] == ["shown", "refused"]


def test_folders_may_lie_in_one_another_and_behind_links(elsewhere: Place, walled: Level) -> None:
    """SBX-05, SBX-06: a build below the user's home, with tools of the user's own."""
    work, tools, secret = (elsewhere.hidden / name for name in ("work", "tools", "secret"))
    for folder in (work, work / "deep", tools, tools / "own", secret):
        folder.mkdir()
    (secret / "key").write_text("secret")
    (tools / "tool").write_text("tool")
    link = elsewhere.root / "link"
    link.symlink_to(work)
    sandbox = Sandbox(
        level=walled,
        writable=(str(link), str(tools / "own"), str(elsewhere.inside)),
        hidden=(str(secret), str(elsewhere.hidden)),
        readable=(str(tools), str(work / "deep")),
    )
    text = """
        import sys
        link, hidden = sys.argv[1:]
        open(link + "/new", "w").write("x")
        open(hidden + "/tools/own/new", "w").write("x")
        print(open(hidden + "/tools/tool").read())
        for deed in (
            lambda: open(hidden + "/tools/new", "w"),
            lambda: open(hidden + "/secret/key").read(),
        ):
            try:
                deed()
                print("done")
            except OSError:
                print("refused")
    """
    answers = said(program(elsewhere, sandbox, text, str(link), str(elsewhere.hidden)))
    assert answers == ["tool", "refused", "refused"]
    assert (work / "new").read_text() == (tools / "own" / "new").read_text() == "x"


def test_a_folder_outside_the_hidden_ones_can_be_read(elsewhere: Place, walled: Level) -> None:
    """SBX-05, SBX-06."""
    text = (
        "import sys; print(open(sys.argv[1] + '/file').read()); open('/usr/bin/env', 'rb').read(9)"
    )
    outcome = program(elsewhere, elsewhere.sandbox(walled), text, str(elsewhere.outside))
    assert said(outcome) == ["kept"]


def test_root_keeps_no_power(place: Place, level: Level, user: tuple[int, int] | None) -> None:
    """SBX-04."""
    place.give(user)
    text = """
        import os
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        print(*(int(status[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")))
        print(status["NoNewPrivs"].strip())
        for deed in (
            lambda: os.mknod("disk", 0o60666, os.makedev(8, 0)),
            lambda: os.chown("file", 12345, 12345),
            lambda: os.setuid(12345),
            lambda: os.chroot("."),
            lambda: os.nice(-5),
        ):
            try:
                deed()
                print("done")
            except OSError:
                print("refused")
    """
    answers = said(program(place, place.sandbox(level, user), text))
    assert answers == ["0"] * 4 + ["1"] + ["refused"] * 5


def test_a_step_runs_as_the_other_user(place: Place, level: Level) -> None:
    """SBX-07."""
    if os.geteuid() != 0:
        pytest.skip("only root can become nobody")
    place.give(NOBODY)
    sandbox = Sandbox(level=level, writable=(str(place.inside),), user=NOBODY)
    text = "import os; print(*os.getresuid(), *os.getresgid()); print(len(os.getgroups()))"
    groups = os.getgroups()
    os.setgroups([*groups, 12345])
    try:
        answers = said(program(place, sandbox, text))
    finally:
        os.setgroups(groups)
    assert answers == ["65534"] * 6 + ["0"]


def test_no_disk_can_be_opened(place: Place, walled: Level) -> None:
    """SBX-05."""
    pattern = re.compile(r"(loop|sd|vd|nvme|kmsg|kvm)\w*")  # opening them changes nothing
    disks = [f"/dev/{name}" for name in os.listdir("/dev") if pattern.fullmatch(name)]
    if not disks:
        pytest.skip("there is no device to try")
    text = """
        import os, sys
        for path in sys.argv[1:]:
            try:
                os.open(path, os.O_RDONLY)
                print(path)
            except OSError:
                pass
    """
    assert said(program(place, place.sandbox(walled), text, *disks)) == []


@pytest.mark.parametrize("level", ["L1", "L2"])
def test_the_supervisor_cannot_be_signalled(
    place: Place, level: Level, user: tuple[int, int] | None
) -> None:
    """SBX-04, SBX-10: nor can everybody at once. Signal 0 asks for the right and does nothing."""
    need(level)
    place.give(user)
    text = """
        import os
        parent = os.getppid()
        for target in (parent, -parent, -os.getpgid(parent), -1):
            try:
                os.kill(target, 0)
                print("reached")
            except PermissionError:
                print("refused")
    """
    assert said(program(place, place.sandbox(level, user), text)) == ["refused"] * 4


@pytest.mark.parametrize("level", ["L1", "L2"])
@pytest.mark.parametrize(
    "way", ["files", "seconds", "idle", "nice", "nice all", "owner", "owner ex"]
)
def test_the_supervisor_cannot_be_lamed(place: Place, level: Level, way: str) -> None:
    """SBX-04, SBX-10: without files, time or its turn it could not end the run; nor by SIGIO."""
    need(level)
    text = """
        import fcntl, os, resource, struct, sys, time
        way, beacon, boss = *sys.argv[1:], os.getppid()
        pipe = os.pipe()[0]
        deeds = {
            "files": lambda: resource.prlimit(boss, resource.RLIMIT_NOFILE, (0, 0)),
            "seconds": lambda: resource.prlimit(boss, resource.RLIMIT_CPU, (0, 0)),
            "idle": lambda: os.sched_setscheduler(boss, os.SCHED_IDLE, os.sched_param(0)),
            "nice": lambda: os.setpriority(os.PRIO_PROCESS, boss, 19),
            "nice all": lambda: os.setpriority(os.PRIO_USER, 0, 19),
            "owner": lambda: fcntl.fcntl(pipe, fcntl.F_SETOWN, boss),
            "owner ex": lambda: fcntl.fcntl(pipe, 15, struct.pack("ii", 1, boss)),
        }
        if os.fork() == 0:
            os.setsid()
            for _ in range(1000):
                open(beacon, "a").write(".")
                time.sleep(0.01)
        while not os.path.exists(beacon):
            time.sleep(0.01)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))  # its own are its own
        os.sched_setaffinity(0, os.sched_getaffinity(0))
        try:
            deeds[way]()
            print("done")
        except PermissionError:
            print("refused")
    """
    beacon = place.inside / "beacon"
    assert said(program(place, place.sandbox(level), text, way, str(beacon))) == ["refused"]
    size = beacon.stat().st_size
    threading.Event().wait(0.1)
    assert beacon.stat().st_size == size


def test_no_process_outside_can_be_reached(place: Place, walled: Level) -> None:
    """SBX-05, SBX-06."""
    if walled == "L2" and landlock.version() < 6:
        pytest.skip("this kernel's Landlock knows no scope for signals")
    secret = {"SECRET": "visible", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(["/bin/sleep", "60"], env=secret) as other:
        text = """
            import ctypes, os, sys
            other = int(sys.argv[1])
            libc = ctypes.CDLL(None, use_errno=True)
            for deed in (
                lambda: os.kill(other, 9),
                lambda: open(f"/proc/{other}/environ").read().index("visible"),
                lambda: open(f"/proc/{other}/mem", "rb+"),
                lambda: libc.ptrace(16, other, None, None) and os.kill(-12345678, 0),
            ):
                try:
                    deed()
                    print("reached")
                except (OSError, ValueError):
                    print("refused")
        """
        answers = said(program(place, place.sandbox(walled), text, str(other.pid)))
        assert other.poll() is None
        other.kill()
    assert answers == ["refused"] * 4


def test_other_processes_cannot_be_traced_where_no_other_wall_stands(place: Place) -> None:
    """SBX-04."""
    need("L1")
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        text = """
            import ctypes, sys
            libc = ctypes.CDLL(None, use_errno=True)
            print(libc.ptrace(16, int(sys.argv[1]), None, None), ctypes.get_errno())
        """
        answers = said(program(place, place.sandbox("L1"), text, str(other.pid)))
        other.kill()
    assert answers == ["-1", "1"]


def test_abstract_sockets_outside_cannot_be_reached(place: Place, walled: Level) -> None:
    """SBX-05, SBX-06."""
    if walled == "L2" and landlock.version() < 6:
        pytest.skip("this kernel's Landlock knows no scope for abstract sockets")
    name = f"\0crpack-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        text = """
            import socket, sys
            try:
                socket.socket(socket.AF_UNIX).connect("\\0" + sys.argv[1])
                print("reached")
            except OSError:
                print("refused")
        """
        assert said(program(place, place.sandbox(walled), text, name[1:])) == ["refused"]


@pytest.mark.parametrize(
    ("escape", "other"),
    [("setsid", None), ("daemon", NOBODY), ("stopped", None), ("comet", NOBODY)],
    ids=["setsid", "daemon", "stopped", "comet"],
)
def test_nothing_outlives_the_run(
    place: Place, level: Level, escape: str, other: tuple[int, int] | None
) -> None:
    """SBX-10."""
    user = other if os.geteuid() == 0 else None
    place.give(user)
    text = """
        import os, signal, sys, time
        way, beacon = sys.argv[1:]
        if os.fork() == 0:
            os.setsid()
            if way == "daemon" and os.fork():
                os._exit(0)
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            open(beacon, "w").write("alive")
            if way == "stopped":
                os.kill(os.getpid(), signal.SIGSTOP)
            while True:
                if way == "comet":  # nobody lives long enough to be caught
                    if os.fork():
                        os._exit(0)
                    os.setsid()
                else:
                    time.sleep(0.01)
                open(beacon, "a").write(".")
        while not os.path.exists(beacon) or not os.path.getsize(beacon):
            time.sleep(0.01)
        print("left")
    """
    beacon = place.inside / "beacon"
    outcome = program(place, place.sandbox(level, user), text, escape, str(beacon))
    assert said(outcome) == ["left"]
    size = beacon.stat().st_size
    threading.Event().wait(0.2)
    assert beacon.stat().st_size == size


def test_a_fork_bomb_is_over_when_the_time_is(place: Place, level: Level) -> None:
    """SBX-09, SBX-10."""
    user = NOBODY if os.geteuid() == 0 else None  # the kernel counts no processes of root
    place.give(user)
    mark = f"bomb{os.getpid()}"
    outcome = run(
        (PYTHON, "-I", "-c", "import os\nwhile os.fork() >= 0: pass", mark),
        cwd=str(place.inside),
        env=clean({}, home="/", tmp="/"),
        limits=Limits(wall_s=1.0, processes=100),
        sandbox=place.sandbox(level, user),
    )
    assert outcome.timed_out or b"BlockingIOError" in outcome.stderr
    assert not alive(mark)


def alive(mark: str) -> list[str]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if mark.encode() in file.read():
                    found.append(name)
        except OSError:
            continue
    return found


def test_a_namespace_shows_no_process_of_the_machine(place: Place) -> None:
    """SBX-06."""
    need("L3")
    text = "import os; print(*sorted(filter(str.isdigit, os.listdir('/proc')), key=int))"
    assert said(program(place, place.sandbox("L3"), text)) == ["1", "2"]


def test_the_known_holes_are_those_that_are_written_down(elsewhere: Place, walled: Level) -> None:
    """SBX-11: modes of own files at L2, sockets with a path; L3 closes the first."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(elsewhere.outside / "sock"))
        server.listen()
        text = """
            import os, socket, sys
            for deed in (
                lambda: os.chmod(sys.argv[1] + "/file", 0o600),
                lambda: socket.socket(socket.AF_UNIX).connect(sys.argv[1] + "/sock"),
            ):
                try:
                    deed()
                    print("done")
                except OSError:
                    print("refused")
        """
        outcome = program(elsewhere, elsewhere.sandbox(walled), text, str(elsewhere.outside))
    assert said(outcome) == (["done", "done"] if walled == "L2" else ["refused", "done"])


@pytest.mark.parametrize("folder", ["/tmp", "/var/tmp", "/dev/shm", "TMPDIR"])  # noqa: S108
def test_no_service_of_the_user_is_reached_where_sockets_usually_lie(
    elsewhere: Place, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SBX-06, SBX-11: tmux, ssh-agent and X11 take commands from whoever connects."""
    need("L3")
    if folder == "TMPDIR":
        folder = str(elsewhere.outside)
        monkeypatch.setenv("TMPDIR", folder)
    elif not os.access(folder, os.W_OK):
        pytest.skip(f"{folder} is not there, or not for this user")
    text = """
        import os, socket, sys
        for name in sys.argv[1:]:
            try:
                socket.socket(socket.AF_UNIX).connect(name)
                print("reached")
            except FileNotFoundError:
                print("nothing")
        open("own", "w").write("a build below such a folder works")
    """
    with (
        tempfile.TemporaryDirectory(dir=folder) as root,
        socket.socket(socket.AF_UNIX) as server,
    ):
        place = Place(Path(root))
        server.bind(str(place.outside / "sock"))
        server.listen()
        walls = place.sandbox("L3").reading(folder, os.path.dirname(folder))
        outcome = program(place, walls, text, str(place.outside / "sock"))
        assert said(outcome) == ["nothing"]
        assert (place.inside / "own").exists()


def test_a_wall_that_cannot_be_built_stops_the_run(place: Place, walled: Level) -> None:
    """SBX-02."""
    with pytest.raises(RunFailed) as caught:
        program(place, Sandbox(level=walled, writable=("/no/such/folder",)), "print('ran')")
    assert "/no/such/folder" in caught.value.why[0]


OLDER_KERNEL = """
    import ctypes, os, struct, sys
    sys.path.insert(0, sys.argv[1])
    refused = [int(word) for word in sys.argv[2:]]
    code = [(0x20, 0, 0, 0)]
    for number in refused:
        code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | 38)]
    code += [(0x06, 0, 0, 0x7FFF0000)]
    data = b"".join(struct.pack("=HBBI", *one) for one in code)
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.byref(Program(len(code), data)), 0, 0) == 0
"""
FALLBACK = """
    from crpack.process.sandbox import best
    reached = best()
    print(reached.level)
    for level, reason in reached.refused:
        print(level, reason)
"""
DEVICES = """
    from crpack.process import landlock
    from crpack.process.run import Limits, run
    from crpack.process.sandbox import Sandbox
    assert not landlock.version()
    text = (
        "import os, stat\\n"
        "for folder, _, names in os.walk('/dev'):\\n"
        "    for name in names:\\n"
        "        path = os.path.join(folder, name)\\n"
        "        if stat.S_IFMT(os.lstat(path).st_mode) in (stat.S_IFBLK, stat.S_IFCHR):\\n"
        "            try:\\n"
        "                os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)\\n"
        "                print(path)\\n"
        "            except OSError:\\n"
        "                pass\\n"
    )
    argv = ("PYTHON", "-I", "-S", "-c", text)
    done = run(argv, cwd="/", env={}, limits=Limits(wall_s=120), sandbox=Sandbox("L3"))
    print(done.stdout.decode() or done.stderr.decode(), end="")
"""
UNSHARE = {"x86_64": "272", "aarch64": "97", "riscv64": "97"}
SECCOMP_CALLS = {"x86_64": "157", "aarch64": "167", "riscv64": "167"}  # prctl
LANDLOCK = "444"


def on_older_kernel(pytestconfig: pytest.Config, text: str, *refused: str) -> list[str]:
    """Return what a program prints on a kernel that knows some system calls no more."""
    text = textwrap.dedent(OLDER_KERNEL) + textwrap.dedent(text)
    argv = [sys.executable, "-c", text, str(pytestconfig.rootpath), *refused]
    done = subprocess.run(argv, capture_output=True, check=True, timeout=60)
    return done.stdout.decode().splitlines()


def fallback(pytestconfig: pytest.Config, *refused: str) -> list[str]:
    """Return what `best` says on such a kernel."""
    return on_older_kernel(pytestconfig, FALLBACK, *refused)


def test_no_device_can_be_opened_without_landlock_either(pytestconfig: pytest.Config) -> None:
    """SBX-06: but for those that hold nothing."""
    need("L3")
    opened = set(on_older_kernel(pytestconfig, DEVICES.replace("PYTHON", PYTHON), LANDLOCK))
    assert {"/dev/null", "/dev/zero"} <= opened
    assert opened <= {f"/dev/{name}" for name in landlock.DEVICES}


def test_the_next_level_is_taken_and_the_reason_told(pytestconfig: pytest.Config) -> None:
    """SBX-03."""
    need("L3")
    machine = os.uname().machine
    if machine not in UNSHARE:
        pytest.skip("the numbers of this architecture are not in the test")
    level, refused = fallback(pytestconfig, UNSHARE[machine])
    assert level == "L2"
    assert refused.startswith("L3 unshare: ")
    level, *reasons = fallback(pytestconfig, UNSHARE[machine], LANDLOCK)
    assert level == "L1"
    assert reasons[1] == "L2 Landlock: not in this kernel, or switched off"
    assert fallback(pytestconfig, LANDLOCK)[0] == "L3"  # namespaces without Landlock
    assert fallback(pytestconfig, SECCOMP_CALLS[machine])[0] == "L0"


def test_a_level_is_tried_as_the_user_that_will_run(user: tuple[int, int] | None) -> None:
    """SBX-03, SBX-07."""
    assert best("L3", user).level in LEVELS


@pytest.mark.parametrize("hidden", [("/",), ("/no/such/folder",), ("/", "/home")])
def test_hiding_the_root_or_nothing_breaks_nothing(
    place: Place, walled: Level, hidden: tuple[str, ...]
) -> None:
    """SBX-05, SBX-06: a service's home may be `/`."""
    sandbox = Sandbox(level=walled, writable=(str(place.inside),), hidden=hidden)
    assert said(program(place, sandbox, "print('runs')")) == ["runs"]


def test_what_the_kernel_offers_is_used() -> None:
    """SBX-03: so that a wall that no longer builds does not just skip the tests above."""
    with open("/proc/self/status", encoding="ascii") as file:
        seccomp = "Seccomp:" in file.read()
    levels = [LEVELS.index("L1") if seccomp else 0, LEVELS.index("L2") if landlock.version() else 0]
    alone = ["unshare", "--user", "--mount", "--pid", "--net", "--ipc", "--fork", "--mount-proc"]
    if (
        shutil.which("unshare")
        and subprocess.run([*alone, "true"], check=False, capture_output=True).returncode == 0
    ):
        levels.append(LEVELS.index("L3"))
    assert LEVELS.index(best().level) >= max(levels)


def test_no_level_above_the_highest_asked_for_is_tried() -> None:
    """SBX-03."""
    assert LEVELS.index(best("L1").level) <= 1
    assert all(level in ("L0", "L1") for level, _ in best("L1").refused)
    assert best("L0").level == "L0"
