"""A hostile recipe that the real command builds, and a hostile program that it probes."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from crpack.process import landlock
from crpack.process.sandbox import Level
from tests.flow import walled
from tests.flow.tool import Tool, component, head

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = "/usr/bin/python3"

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's"),
    pytest.mark.skipif(not os.path.exists(PYTHON), reason="steps find Python in /usr/bin only"),
]

RECIPE = """
[[source]]
kind = "local"
path = "src"
[build]
driver = "script"
[build.script]
steps = [["python3", "-I", "hostile.py", "{out}"]]
[outputs]
data = ["said.json"]
"""
HOSTILE = """
import ctypes, json, os, socket, subprocess, sys, time

OUT, HOME, BEACON = sys.argv[1], HOME_, BEACON_
TCP, UDP, NAME = TCP_, UDP_, NAME_
libc = ctypes.CDLL(None, use_errno=True)
said = {}


def attempt(name, deed):
    try:
        found = deed()
        said[name] = "done" if found in (None, True) else str(found)
    except Exception as error:
        said[name] = f"refused: {type(error).__name__}"


def write(path, mode="w"):
    with open(path, mode) as file:
        file.write("hostile")


def connect(family, kind, address):
    with socket.socket(family, kind) as one:
        one.settimeout(5)
        one.connect(address)
        one.send(b"out")


def ring():
    if libc.syscall(425, 8, ctypes.create_string_buffer(256)) < 0:
        raise OSError(ctypes.get_errno())


outside = HOME + "/outside"
attempt("chmod", lambda: os.chmod(outside + "/file", 0o640))
attempt("utime", lambda: os.utime(outside + "/file", (1, 1)))
attempt("setxattr", lambda: os.setxattr(outside + "/file", "user.crpack", b"hostile"))
attempt("create", lambda: write(outside + "/new"))
attempt("overwrite", lambda: write(outside + "/file"))
attempt("append", lambda: write(outside + "/file", "a"))
attempt("truncate", lambda: os.truncate(outside + "/file", 0))
attempt("unlink", lambda: os.unlink(outside + "/file"))
attempt("rename", lambda: os.rename(outside + "/file", outside + "/other"))
attempt("move in", lambda: os.rename("hostile.py", outside + "/in"))
attempt("link", lambda: os.link(outside + "/file", outside + "/hard"))
attempt("mkdir", lambda: os.mkdir(outside + "/folder"))
attempt("tmp", lambda: write("/tmp/" + NAME) if os.path.exists("/tmp/.crpack") else write(
    "/var/tmp/" + NAME))
attempt("store", lambda: write(HOME + "/home/data/store/planted"))
attempt("config", lambda: write(HOME + "/home/config/trust.json"))
attempt("read home", lambda: open(HOME + "/secret").read() == "secret")
attempt("read keys", lambda: os.listdir(HOME + "/home/config/keys") != [])
attempt("list home", lambda: "secret" in os.listdir(HOME) or 1 / 0)
attempt("tcp", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", TCP)))
attempt("udp", lambda: connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", UDP)))
attempt("tcp6", lambda: connect(socket.AF_INET6, socket.SOCK_STREAM, ("::1", TCP)))
attempt("abstract", lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, "\\0" + NAME))
attempt("io_uring", ring)

if os.fork() == 0:  # twice, in a session of its own, deaf
    os.setsid()
    if os.fork() == 0:
        import signal
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(600)", BEACON],
                         start_new_session=True)
        time.sleep(600)
    os._exit(0)
time.sleep(0.2)
said["user"] = str(os.getuid())
with open(OUT + "/said.json", "w") as file:
    json.dump(said, file)
"""
WRITES = (
    *("create", "overwrite", "append", "truncate", "unlink", "rename", "move in", "link", "mkdir"),
    *("tmp", "store", "config"),
)
READS = ("read home", "read keys", "list home")
NETWORK = ("tcp", "udp", "tcp6", "io_uring")
METADATA = ("chmod", "utime", "setxattr")


@dataclass(frozen=True)
class Scene:
    """The home of a user who installs a hostile archive, and what listens beside it."""

    tool: Tool
    beacon: str
    tcp: int
    udp: int
    name: str

    @property
    def file(self) -> Path:
        """A file of the user's own that no build has business with."""
        return self.tool.folder / "outside/file"

    def archive(self) -> Path:
        """Build the archive, which runs nothing yet."""
        values = {"HOME_": str(self.tool.folder), "BEACON_": self.beacon, "NAME_": self.name}
        text = HOSTILE.replace("TCP_", str(self.tcp)).replace("UDP_", str(self.udp))
        for word, value in values.items():
            text = text.replace(word, repr(value))
        component(self.tool.folder / "hostile", head("hostile") + RECIPE, src__hostile_dot_py=text)
        self.tool("build", "hostile", "--full", "--out", "hostile.crpkg")
        return self.tool.folder / "hostile.crpkg"

    def give(self, user: int) -> None:
        """Make all of it somebody's, whom file permissions then refuse nothing."""
        for path in (self.tool.folder, *self.tool.folder.rglob("*")):
            os.chown(path, user, user)

    def said(self) -> dict[str, Any]:
        """Return what the recipe says that it did."""
        (path,) = (self.tool.prefix / "store").rglob("said.json")
        found: dict[str, Any] = json.loads(path.read_text())
        return found


@pytest.fixture
def scene() -> Iterator[Scene]:
    name = f"crpack-hostile-{os.getpid()}"
    with (
        tempfile.TemporaryDirectory() as home,  # all may pass what is above it
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as local,
    ):
        tool = Tool(Path(home)).with_key()
        (tool.folder / "outside").mkdir()
        (tool.folder / "outside/file").write_text("kept")
        (tool.folder / "secret").write_text("secret")
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        local.bind(f"\0{name}")
        local.listen()
        for one in (tcp, udp, local):
            one.setblocking(False)
        yield Scene(tool, f"beacon-{name}", tcp.getsockname()[1], udp.getsockname()[1], name)
        for one in (tcp, local):
            with pytest.raises(BlockingIOError):
                one.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(9)


def alive(mark: str) -> list[str]:
    """Return the processes whose command line has a word."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{number}/cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in words:
            found.append(number)
    return found


@pytest.mark.parametrize("user", [0, walled.NOBODY], ids=["self", "nobody"])
@pytest.mark.parametrize("level", get_args(Level)[2:])
def test_a_hostile_recipe_reaches_nothing(scene: Scene, level: Level, user: int) -> None:
    """BLD-15, SBX-04 to SBX-11: as root, whose steps run as nobody, and as an ordinary user.

    Modes, times and attributes of files that the user owns are the one thing that L2 cannot
    guard (SBX-11, SECURITY.md).
    """
    walled.interpreter(user)
    archive = scene.archive()
    (scene.tool.prefix / "store").mkdir(parents=True)
    before = (scene.tool.home / "config/trust.json").read_bytes()
    if os.geteuid() == 0:
        scene.give(walled.NOBODY)  # also where root installs: the steps are nobody's
    scene.file.chmod(0o644)
    try:
        done = walled.run(scene.tool, level, "install", archive, user=user)
        assert f"builds ran in sandbox level {level}, network: none" in done.out
        said = scene.said()
    finally:
        Path(f"/var/tmp/{scene.name}").unlink(missing_ok=True)  # noqa: S108
    if os.geteuid() == 0:
        assert said["user"] == str(walled.NOBODY)
    deeds = {name: said[name] for name in (*WRITES, *READS, *NETWORK)}
    assert {name: text for name, text in deeds.items() if not text.startswith("refused")} == {}
    assert scene.file.read_text() == "kept"
    assert os.listdir(scene.file.parent) == ["file"]
    assert (scene.tool.home / "config/trust.json").read_bytes() == before
    if level == "L3" or landlock.version() >= 6:
        assert said["abstract"].startswith("refused")
    _guarded(scene, said, level)
    end = time.monotonic() + 60
    while alive(scene.beacon) and time.monotonic() < end:
        time.sleep(0.05)
    assert alive(scene.beacon) == []


def _guarded(scene: Scene, said: dict[str, Any], level: Level) -> None:
    """See that modes, times and attributes are guarded at L3, and that they are not at L2."""
    done = [name for name in METADATA if said[name] == "done"]
    if level == "L3":
        assert done == []
        assert scene.file.stat().st_mode & 0o777 == 0o644
    else:
        assert {"chmod", "utime"} <= set(done)
        assert scene.file.stat().st_mode & 0o777 == 0o640
        assert scene.file.stat().st_mtime == 1


def test_without_walls_it_would_succeed(scene: Scene) -> None:
    """So that the test above can fail."""
    quiet = replace(scene, tcp=9, udp=9, name=f"other-{scene.name}")  # nobody listens there
    archive = quiet.archive()
    if os.geteuid() == 0:
        quiet.give(walled.NOBODY)
    try:
        walled.run(quiet.tool, "L3", "install", archive, "--sandbox=none")
        said = quiet.said()
    finally:
        Path(f"/var/tmp/{quiet.name}").unlink(missing_ok=True)  # noqa: S108
    done = {name for name, text in said.items() if text == "done"}
    assert {"create", "mkdir", "tmp", "read home", "list home", "chmod", "utime"} <= done
    assert alive(quiet.beacon) == []  # SBX-10 holds without walls, too


PROBED = """#!/bin/sh
echo x > OUTSIDE/new
cat HOME/secret >&2 && echo seen > OUTSIDE/seen
( setsid sleep 600 BEACON & ) 2>/dev/null
echo 1.11.1
"""


@pytest.mark.parametrize("level", get_args(Level)[2:])
def test_a_program_that_is_probed_reaches_nothing(scene: Scene, level: Level) -> None:
    """DET-06: probes run at L2 where it can be had."""
    home = scene.tool.folder
    file = home / "no-programs/ninja"  # what `walled` has on PATH
    file.parent.mkdir()
    text = PROBED.replace("OUTSIDE", f"{home}/outside").replace("HOME", str(home))
    file.write_text(text.replace("BEACON", scene.beacon))
    file.chmod(0o755)
    done = walled.run(scene.tool, level, "detect", "ninja", "--json")
    found = [one["version"] for one in done.json["data"]["found"] if one["name"] == "ninja"]
    assert found[:1] == ["1.11.1"]
    assert os.listdir(scene.file.parent) == ["file"]
    assert alive(scene.beacon) == []
