"""Hostile machines: what detection meets on PATH and in files, and what comes of it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from crpack.detect import asking
from crpack.detect.scan import Ground, Scan, scan
from crpack.process import sandbox
from tests.unit.detect.trees import Tree, recipe, whys

EXEC = """[[probe]]
kind = "exec"
names = ["thing", "thing-[0-9]*"]
args = ["--version"]
version = '^thing (?P<version>[0-9.]+)$'
"""
PASSIVE = """[[probe]]
kind = "header-macro"
paths = ["thing.h"]
macros = ["THING_VERSION"]
[[probe]]
kind = "pkg-config"
package = "thing"
[[probe]]
kind = "elf"
names = ["libthing.so*"]
[[probe]]
kind = "dist-info"
package = "thing"
[[probe]]
kind = "os-package"
dpkg = "thing"
rpm = "thing"
apk = "thing"
brew = "thing"
conda = "thing"
spack = "thing"
[[probe]]
kind = "file"
paths = ["version", "*/version"]
roots = ["/opt/thing*", "{env.THING}"]
version = '(?P<version>[0-9]+)'
[[probe]]
kind = "digest"
roots = ["/opt"]
markers = ["labels"]
"""


@pytest.fixture(autouse=True)
def usual_umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


class Trap:
    """Programs that would leave a trace if they were run, in a folder that all may write."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.trace = root / "trace"
        self.trace.mkdir()
        self.trace.chmod(0o1777)

    def tool(self, folder: str, name: str = "thing", script: str = "echo thing 1.0\n") -> Path:
        file = self.root / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n: > {self.trace}/$$\n{script}")
        file.chmod(0o755)
        return file

    def scan(self, *path: str) -> Scan:
        return scan([recipe(EXEC)], Ground({"PATH": ":".join(path)}), unconfined=True)

    def was_sprung(self) -> bool:
        return any(self.trace.iterdir())


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trap:
    """A trap that no wall keeps from springing."""
    monkeypatch.setattr(sandbox, "best", lambda _: sandbox.Reached("L0"))
    return Trap(tmp_path)


def test_the_trap_springs(trap: Trap) -> None:
    trap.tool("bin")
    assert trap.scan(f"{trap.root}/bin").found
    assert trap.was_sprung()


@pytest.mark.parametrize("path", ["", ".", "./", ":", "bin", "../bin", "./bin:."])
def test_a_program_planted_in_the_working_folder_is_not_even_seen(
    trap: Trap, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DET-01."""
    trap.tool("bin")
    trap.tool(".")
    monkeypatch.chdir(trap.root)
    done = trap.scan(path, "/no/such")
    assert (done.found, done.refused) == ((), ())
    assert not trap.was_sprung()


def test_a_program_in_a_folder_that_all_may_write_is_told_and_not_run(trap: Trap) -> None:
    """DET-02."""
    tool = trap.tool("open")
    tool.parent.chmod(0o777)
    done = trap.scan(str(tool.parent))
    assert whys(done) == [f"`{tool.parent}` can be changed by other users"]
    assert not trap.was_sprung()


def test_a_folder_that_all_may_write_farther_up_is_enough(trap: Trap) -> None:
    """DET-02."""
    tool = trap.tool("open/a/b/bin")
    (trap.root / "open").chmod(0o777)
    done = trap.scan(str(tool.parent))
    assert whys(done) == [f"`{trap.root}/open` can be changed by other users"]
    assert not trap.was_sprung()


def test_a_folder_of_the_name_is_nothing(trap: Trap) -> None:
    (trap.root / "bin" / "thing").mkdir(parents=True)
    done = trap.scan(f"{trap.root}/bin")
    assert (done.found, done.missing) == ((), ("thing",))
    assert whys(done) == ["it is a folder, and no program"]


def test_links_in_a_circle_are_nothing(trap: Trap) -> None:
    folder = trap.root / "bin"
    folder.mkdir()
    (folder / "thing").symlink_to("thing-2")
    (folder / "thing-2").symlink_to("thing")
    (trap.root / "around").symlink_to("around")
    done = trap.scan(str(folder), f"{trap.root}/around", f"{trap.root}/around/bin")
    assert (done.found, done.refused) == ((), ())


def test_a_path_of_many_folders_costs_little(trap: Trap) -> None:
    """DET-05: 500 folders, each with files; the program is in the last."""
    for number in range(500):
        folder = trap.root / f"f{number}"
        folder.mkdir()
        (folder / "other").touch()
    tool = trap.tool("f499")
    folders = [f"{trap.root}/f{number}" for number in range(500)]
    started = time.process_time()
    done = trap.scan(*folders, *folders)
    assert time.process_time() - started < 10
    assert [one.path for one in done.found] == [str(tool)]


def test_a_flood_is_cut(trap: Trap) -> None:
    """DET-06: what comes first counts, and it ends."""
    trap.tool("bin", script="echo thing 1.0\nexec /usr/bin/head -c 200000000 /dev/zero\n")
    started = time.monotonic()
    (found,) = trap.scan(f"{trap.root}/bin").found
    assert (found.version, found.raw) == ("1.0", "thing 1.0")
    assert time.monotonic() - started < 60


def test_a_hang_ends_and_leaves_nothing_behind(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    """DET-06, SBX-10: also what it started and let go."""
    limits = asking.LIMITS
    monkeypatch.setattr(asking, "LIMITS", type(limits)(wall_s=0.5, output_bytes=65536))
    mark = f"60.{os.getpid()}"
    trap.tool("bin", script=f"/bin/sleep {mark} &\ntrap '' TERM INT HUP\n/bin/sleep {mark}\n")
    (why,) = whys(trap.scan(f"{trap.root}/bin"))
    assert why.startswith("it did not answer within 0.5 seconds; ")
    running = subprocess.run(["/bin/ps", "-eo", "args"], capture_output=True, check=True).stdout
    assert f"sleep {mark}".encode() not in running


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo thing 3.12\nexit 127\n", "it ended with status 127: `thing 3.12`"),
        ("kill -SEGV $$\n", "it ended with status -11"),
        ("echo 'thing 1.0 (really)'\n", "its answer has no version: `thing 1.0 (really)`"),
        ("printf 'thing \\0331.0\\n'\n", "its answer has no version: `thing  1.0`"),
    ],
)
def test_an_answer_that_only_looks_like_one_is_refused(trap: Trap, script: str, why: str) -> None:
    """DET-04."""
    trap.tool("bin", script=script)
    done = trap.scan(f"{trap.root}/bin")
    assert not done.found
    assert whys(done) == [why]


def test_a_shim_of_rustup_is_never_run(trap: Trap) -> None:
    """DET-10."""
    tool = trap.tool(".cargo/bin", "rustup")
    (tool.parent / "thing").symlink_to("rustup")
    trap.tool(".rustup/toolchains/stable/bin", script="echo thing 7.0\n").chmod(0o777)
    done = trap.scan(str(tool.parent))
    assert [Path(one.path).parent.parent.name for one in done.refused] == ["stable"]
    assert not trap.was_sprung()


PLACES = (
    "usr/include/thing.h",
    "usr/lib/pkgconfig/thing.pc",
    "usr/lib/libthing.so.1",
    "usr/lib/python3/dist-packages/thing-1.0.dist-info",
    "var/lib/dpkg/status",
    "var/lib/rpm/rpmdb.sqlite",
    "lib/apk/db/installed",
    "opt/homebrew/Cellar/thing",
    "opt/miniconda3/conda-meta",
    "opt/spack/opt/spack/.spack-db/index.json",
    "opt/thing/version",
    "opt/labels",
)


def evil(tree: Tree, kind: str, place: str) -> None:
    """Put something at a place that is not what belongs there."""
    path = tree.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "circle":
        path.symlink_to(path.name)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "above":
        path.symlink_to(tree.root, target_is_directory=True)
    else:
        path.write_bytes({"nonsense": b"\xff\0" * 4000, "empty": b"", "elf": b"\x7fELF"}[kind])


@pytest.mark.parametrize(
    "kind", ["pipe", "folder", "circle", "device", "above", "nonsense", "empty", "elf"]
)
def test_what_does_not_belong_in_a_place_is_no_failure(tmp_path: Path, kind: str) -> None:
    """DET-16, DET-18, DET-22: nothing hangs, nothing is read without end."""
    tree = Tree(tmp_path)
    for place in PLACES:
        evil(tree, kind, place)
    started = time.process_time()
    done = tree.scan(PASSIVE)
    assert time.process_time() - started < 10
    assert all(one.version in (None, "1.0", "7") for one in done.found)
    assert all("\n" not in why for why in whys(done))


@pytest.mark.parametrize(
    "text",
    [
        "Package: thing\n",
        "Package: thing\nStatus: install ok installed\n",
        "Package thing\nStatus: install ok installed\nVersion: 1\n",
        "Status: install ok installed\nVersion: 1\n",
        "Package: thing\nStatus: installed\nVersion: 1\n",
        "\0" * 5000,
    ],
)
def test_a_broken_list_of_dpkg_is_one_sentence(tmp_path: Path, text: str) -> None:
    """DET-22."""
    tree = Tree(tmp_path)
    tree.put("/var/lib/dpkg/status", text)
    done = tree.scan(PASSIVE)
    assert done.found == ()
    assert whys(done) == ["dpkg's list is broken in the block at line 1"]


def test_names_with_terminal_codes_never_reach_a_terminal(tmp_path: Path) -> None:
    """DET-04."""
    tree = Tree(tmp_path)
    tree.put("/usr/include/thing.h", '#define THING_VERSION "1.0\x1b[31m\x07"\n')
    (found,) = tree.found(PASSIVE)
    assert found.raw.isprintable()
    assert found.version is None or found.version.isprintable()


def test_a_version_that_never_ends_is_none(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.put("/usr/include/thing.h", f'#define THING_VERSION "{"9" * 5000}"\n')
    assert [one.version for one in tree.found(PASSIVE)] == [None]
