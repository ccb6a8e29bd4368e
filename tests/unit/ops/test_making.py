"""Who runs the steps of a build, and where, when root builds."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crpack import config
from crpack.make.dependencies import DepRoot
from crpack.model import recipe_document
from crpack.ops import detection, making, policy
from crpack.ops.making import Job
from crpack.ops.progress import News
from crpack.process import sandbox
from crpack.process.sandbox import LEVELS, Level, Reached
from crpack.session import Session
from tests.unit.model.written_recipes import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

WHO = """
[build]
driver = "script"
platform = "any"
[build.script]
steps = [["/bin/sh", "-c", "id -u > $1/who; cat $2 >> $1/who; true", "sh", "{out}", "DEP"]]
"""
NOBODY = "65534"

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@dataclass
class Made:
    """What a build left, and what was told."""

    said: list[str]
    level: str
    news: list[str]
    log: str


@pytest.fixture
def place(detected: Path) -> Iterator[Path]:
    """A folder that all users may pass, as folders for temporary files are."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103
        shutil.copytree(detected, Path(folder, "home/cache"))
        yield Path(folder)


@pytest.fixture(params=["L1", "L2", "L3"])
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Level:
    """Build no higher wall than this one."""
    highest: Level = request.param
    real = sandbox.best
    if LEVELS.index(real().level) < LEVELS.index(highest):
        pytest.skip(f"this machine does not build {highest}")

    def best(_: Level = "L3", user: tuple[int, int] | None = None) -> Reached:
        return real(highest, user)

    monkeypatch.setattr(sandbox, "best", best)
    return highest


def session(place: Path) -> Session:
    homes = config.homes({"CRPACK_HOME": str(place / "home")}, "/")
    return Session(config.merge([]), homes, f"{place}/prefix")


def make(place: Path, dep: Path | None = None) -> Made:
    """Make a component that tells who made it, and reads a file of a dependency."""
    file = dep / "file" if dep else "/dev/null"
    document = recipe_document.read(HEAD + WHO.replace("DEP", str(file)), file="crpack.toml")
    job = Job(
        document=document,
        sha256=hashlib.sha256(document).hexdigest(),
        options=(),
        target=detection.platform(),
        materials=(),
        deps=(("dep", DepRoot(str(dep))),) if dep else (),
        trusted=True,
    )
    own, news = session(place), list[News]()
    stage = place / "prefix/stage"
    stage.mkdir(mode=0o700, parents=True, exist_ok=True)
    with making.room(str(stage), own) as folder:
        _, built = making.make(
            job, detection.facts(own)[0], folder=folder, session=own, tell=news.append
        )
        said = Path(built.folder, "who").read_text().split()
    log = Path(built.log).read_text()
    return Made(said, built.sandbox, [one.subject for one in news if not one.detail], log)


@root_only
def test_root_s_steps_run_as_nobody(place: Path, level: Level) -> None:
    """BLD-18, SBX-07: also below a stage that only root can enter."""
    made = make(place)
    assert (made.said, made.level) == ([NOBODY], level), made.news
    assert f"# all steps run as user {NOBODY}\n" in made.log


@root_only
def test_root_s_steps_run_as_the_owner_of_the_prefix(place: Path, level: Level) -> None:
    """BLD-18."""
    (place / "prefix").mkdir()
    os.chown(place / "prefix", 12345, 12345)
    made = make(place)
    assert (made.said, made.level) == (["12345"], level)


@root_only
def test_a_dependency_that_only_root_can_reach_serves(place: Path, level: Level) -> None:
    """BLD-18: L3 gives it to the other user; below, the steps run as root, which is told."""
    (place / "own").mkdir(mode=0o700)
    (place / "own/dep").mkdir()
    (place / "own/dep/file").write_text("shown")
    made = make(place, place / "own/dep")
    user = NOBODY if level == "L3" else "0"
    assert (made.said, made.level) == ([user, "shown"], level)
    told = [line for line in made.news if "as root" in line]
    assert bool(told) is (level != "L3")
    assert all(str(place / "own") in line for line in told)


def test_an_ordinary_user_s_steps_run_as_that_user(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BLD-18."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert policy.builder(session(place)) is None
