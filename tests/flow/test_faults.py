"""Every fault at every point: an installation is whole-old or whole-new (STO-10, GEN-04)."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import crpack
from crpack import disk
from crpack.errors import CrpackError, InstallError
from crpack.install import collect, generations
from crpack.install.rollback import rollback
from crpack.install.store import Store
from tests.flow.tool import component, head
from tests.unit.install.synthetic import DATE, NAME, V1, V2, V3, install, leftovers, observe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.flow.tool import Tool

FAULTS = ("exit", "ENOSPC", "EIO")
IN_TURN = (("exit", "ENOSPC"), ("exit", "EIO"))
DIED = 9
ROOT = Path(__file__).resolve().parents[2]


def _one(prefix: str) -> None:
    install(prefix, "1", V1)


def _two(prefix: str) -> None:
    install(prefix, "1", V1)
    install(prefix, "2", V2)


@dataclass(frozen=True)
class Case:
    """A change to make, from a state that is prepared; `again` repeats it after a fault."""

    prepare: Any
    change: Any
    again: bool


CASES = {
    "install": Case(os.makedirs, partial(install, version="1", trees=V1), again=True),
    "update": Case(_one, partial(install, version="2", trees=V2), again=True),
    "rollback": Case(_two, partial(rollback, name=NAME, date=DATE), again=False),
    "remove": Case(_two, partial(collect.remove, name=NAME, keep=5), again=False),
}

# Points of operations that an installation has no part in.
ELSEWHERE = ("atomic-write.", "give-tree.", "write-file.date")


class Hook:
    """Counts the fault points passed, and acts at one of them."""

    def __init__(self, at: int = -1, act: Callable[[], None] = lambda: None) -> None:
        self.names: list[str] = []
        self.at = at
        self.act = act

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) - 1 == self.at:
            self.act()


@pytest.fixture
def room() -> Iterator[str]:
    """Give a folder in memory where there is one: thousands of flushes follow."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"  # noqa: S108
    path = os.path.join(base, f"crpack-faults-{os.getpid()}-{os.urandom(4).hex()}")
    os.mkdir(path)
    yield path
    disk.arm(None)
    disk.remove_tree(path)


def _points(change: Callable[[str], object], prefix: str) -> list[str]:
    """Make a change and return the names of the fault points that it passes."""
    hook = Hook()
    disk.arm(hook)
    change(prefix)
    disk.arm(None)
    return hook.names


def _exit() -> None:
    os._exit(DIED)


def _fail(number: int) -> None:
    raise OSError(number, os.strerror(number))


def _suffer(change: Callable[[str], object], prefix: str, at: int, fault: str) -> bool:
    """Make a change with a fault at one point; return whether it said that it succeeded."""
    if fault == "exit":

        def die() -> None:
            disk.arm(Hook(at, _exit))
            change(prefix)

        assert _end(_start(die)) == DIED
        return False
    disk.arm(Hook(at, partial(_fail, getattr(errno, fault))))
    try:
        change(prefix)
    except InstallError:
        return False
    finally:
        disk.arm(None)
    return True


def _end(child: int) -> int:
    """Wait for a child process and return its exit status, -N for signal N."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _start(work: Callable[[], object]) -> int:
    """Run something in a child process, by a fork: an exec would cost a hundred times more."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    finally:
        os._exit(1)


def _apart(sweep: str, *words: object) -> None:
    """Run a sweep in a small process: a fork copies the tables of all memory of who forks."""
    code = f"from tests.flow import test_faults\ntest_faults.{sweep}{words!r}"
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("faults", [IN_TURN, pytest.param((FAULTS,), marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CASES)
def test_a_fault_at_any_point_leaves_the_old_or_the_new_state(
    name: str, faults: tuple[tuple[str, ...], ...], room: str
) -> None:
    """Each point's process ends, and each point fails; of two errors in turn, or with each."""
    _apart("fail_everywhere", name, faults, room)


def fail_everywhere(name: str, faults: tuple[tuple[str, ...], ...], room: str) -> None:
    case = CASES[name]
    base = f"{room}/base"
    case.prepare(base)
    shutil.copytree(base, f"{room}/new", symlinks=True)
    points = _points(case.change, f"{room}/new")
    old, new = observe(base), observe(f"{room}/new")
    assert old != new
    for at, point in enumerate(points):
        for fault in faults[at % len(faults)]:
            where = f"{fault} at {point}, point {at} of {len(points)}"
            prefix = f"{room}/{at}{fault}"
            shutil.copytree(base, prefix, symlinks=True)
            said_done = _suffer(case.change, prefix, at, fault)
            seen = observe(prefix)
            assert seen in ((new,) if said_done else (old, new)), where
            assert leftovers(prefix) == (), where
            if seen == old or case.again:
                case.change(prefix)
            assert observe(prefix) == new, where
            collect.collect(prefix, keep=5)
            assert disk.names(f"{prefix}/trash") == (), where
            disk.remove_tree(prefix)


COPIED = """
[[source]]
kind = "inline"
path = "share/text"
text = "{version}"
[build]
driver = "copy"
"""


def _archive(tool: Tool, version: str) -> Path:
    """Build a signed archive of a solution that is one file."""
    folder = tool.folder / version
    component(folder, head("demo", version, "solution") + COPIED.format(version=version))
    tool("build", folder, "--full", "--out", f"{version}.crpkg")
    return tool.folder / f"{version}.crpkg"


def _said_changed(change: Callable[[str], object], prefix: str) -> bool:
    """Make a change; return whether it says that it was made."""
    try:
        change(prefix)
    except CrpackError as error:
        return error.data["changed"] is True
    finally:
        disk.arm(None)
    return True


@pytest.mark.slow
def test_a_fault_at_any_point_of_an_install_from_an_archive_is_told_as_it_is(
    tool: Tool, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GEN-04: from opening the file to clearing up; what an error says is what happened."""
    first, second = (str(_archive(tool, version)) for version in ("1.0", "2.0"))
    monkeypatch.setenv("CRPACK_HOME", str(tool.home))
    base = f"{room}/base"
    crpack.install_file(first, prefix=base)
    change = partial(_install_file, second)
    shutil.copytree(base, f"{room}/new", symlinks=True)
    points = _points(change, f"{room}/new")
    old, new = observe(base, "demo"), observe(f"{room}/new", "demo")
    assert old != new
    for at, point in enumerate(points):
        for fault in ("exit", "ENOSPC"):
            where = f"{fault} at {point}, point {at} of {len(points)}"
            prefix = f"{room}/{at}{fault}"
            shutil.copytree(base, prefix, symlinks=True)
            if fault == "exit":
                _suffer(change, prefix, at, fault)
                assert observe(prefix, "demo") in (old, new), where
            else:
                disk.arm(Hook(at, partial(_fail, errno.ENOSPC)))
                said = new if _said_changed(change, prefix) else old
                assert observe(prefix, "demo") == said, where
            assert leftovers(prefix) == (), where
            disk.remove_tree(prefix)


def _install_file(place: str, prefix: str) -> None:
    crpack.install_file(place, prefix=prefix)


def test_the_sweep_passes_every_point_of_the_writer(room: str) -> None:
    passed: set[str] = set()
    for name, case in CASES.items():
        case.prepare(f"{room}/{name}")
        passed |= set(_points(case.change, f"{room}/{name}"))
    missed = set(disk.points()) - passed
    assert {point for point in missed if not point.startswith(ELSEWHERE)} == set()


def test_installers_at_once_in_one_store_do_not_harm_each_other(room: str) -> None:
    """STO-03, STO-13: four processes install the same and other solutions, one collects."""
    prefix = f"{room}/prefix"
    versions = (V1, V2, V3)

    enough = f"{room}/enough"

    def work(own: int) -> None:
        for turn in range(2000):
            at = (own + turn) % 3
            install(prefix, str(at), versions[at], name=NAME if own < 2 else f"lab/own{own}")
            if turn % 2:
                collect.collect(prefix, keep=1)
            if turn >= 20 and os.path.exists(enough):
                break

    install(prefix, "0", V1)
    children = [_start(partial(work, own)) for own in range(4)]
    try:
        for _ in range(50):
            generation, held = generations.hold(prefix, NAME)
            with held:
                trees = [part.node.tree for part in generation.record.parts]
                assert [Store(prefix).verify(tree) for tree in trees] == [(), ()]
    finally:
        Path(enough).touch()
    assert [_end(child) for child in children] == [0, 0, 0, 0]
    for name in (NAME, "lab/own2", "lab/own3"):
        assert observe(prefix, name) is not None
    assert leftovers(prefix) == ()


def test_kills_at_any_time_break_nothing(room: str) -> None:
    """STO-10, STO-15: SIGKILL at random times while versions come and go."""
    _apart("kill_often", room)


def kill_often(room: str) -> None:
    prefix = f"{room}/prefix"
    states = []
    for version, trees in (("1", V1), ("2", V2), ("3", V3)):
        install(f"{room}/{version}", version, trees)
        states.append(observe(f"{room}/{version}"))

    def work() -> None:
        for turn in range(1000):
            version, trees = (("1", V1), ("2", V2), ("3", V3))[turn % 3]
            install(prefix, version, trees)
            collect.collect(prefix, keep=2)

    install(prefix, "1", V1)
    dice = random.Random(7)  # noqa: S311 - times, not secrets
    for _ in range(20):
        child = _start(work)
        time.sleep(dice.uniform(0.002, 0.06))
        os.kill(child, signal.SIGKILL)
        assert _end(child) == -signal.SIGKILL
        assert observe(prefix) in states
        assert leftovers(prefix) == ()
    collect.collect(prefix, keep=1)
    assert len(disk.names(Store(prefix).root)) == 2
