"""Machines other than this one: what is known of them, and prefixes that are for them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack import config
from crpack.config import Homes
from crpack.errors import UsageError
from crpack.model import platforms
from crpack.model.facts import Facts, Found
from crpack.model.recipe import Build
from crpack.ops import detection, elsewhere
from crpack.session import Session
from tests.unit.install import synthetic
from tests.unit.install.synthetic import V1
from tests.unit.ops.components import have, machine

if TYPE_CHECKING:
    from pathlib import Path

HERE = machine(have("cmake", "3.25"))
BOARD = "linux-riscv64-gnu2.36"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(detection, "facts", lambda _: (HERE, None))
    monkeypatch.setattr(detection, "platform", lambda: platforms.parse(HERE.platform))
    homes = Homes(*(str(tmp_path / name) for name in ("config", "data", "cache", "state")))
    return Session(config.merge([]), homes, str(tmp_path / "prefix"))


def test_this_machine_by_its_own_name_is_no_other(session: Session) -> None:
    """ELS-01."""
    assert elsewhere.machine(session, "", "") is None
    assert elsewhere.machine(session, HERE.platform, "") is None
    older = elsewhere.machine(session, "linux-x86_64-gnu2.28", "")
    assert older is not None
    assert (older.platform, older.capabilities) == ("linux-x86_64-gnu2.28", (("@glibc", "2.28"),))


def test_facts_tell_what_is_there_to_run_and_not_to_link(session: Session, tmp_path: Path) -> None:
    """ELS-01."""
    file = tmp_path / "board.json"
    file.write_text(json.dumps({"platform": BOARD, "found": [{"name": "zlib", "version": "1.3"}]}))
    there = elsewhere.machine(session, "linux-riscv64-gnu", str(file))
    assert there is not None
    assert there.platform == BOARD
    (zlib,) = there.found
    assert (zlib.version, zlib.path, zlib.linkable) == ("1.3", "", False)


@pytest.mark.parametrize(
    ("platform", "what"), [("board", "is not a platform"), ("any", "no machine is `any`")]
)
def test_a_word_that_is_no_machine_is_refused(session: Session, platform: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        elsewhere.machine(session, platform, "")


def test_facts_of_another_platform_than_asked_for_are_refused(
    session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "board.json"
    file.write_text(json.dumps({"platform": BOARD}))
    with pytest.raises(UsageError, match="not of `linux-armv7-gnu`"):
        elsewhere.machine(session, "linux-armv7-gnu", str(file))


def test_a_board_that_says_nothing_is_taken_to_have_the_tools_of_this_machine() -> None:
    """BUN-15."""
    bare = Facts(BOARD)
    assert elsewhere.builder(bare, HERE) == replace(bare, found=HERE.found)
    known = replace(bare, found=(Found("make", "4.3"),))
    assert elsewhere.builder(known, HERE) == known


@pytest.mark.parametrize(
    ("context", "platform", "compiled"),
    [
        ("target", "", BOARD),
        ("build", "", HERE.platform),
        ("target", "any", HERE.platform),
    ],
)
def test_what_runs_here_is_compiled_for_here(context: str, platform: str, compiled: str) -> None:
    """ELS-02: a tool, and what makes a result that is the same everywhere."""
    build = Build(driver="make", platform=platform)  # type: ignore[arg-type]
    there = Facts(BOARD)
    found = elsewhere.compiled_for(build, context, there, HERE)  # type: ignore[arg-type]
    assert str(found) == compiled
    assert str(elsewhere.compiled_for(build, "target", HERE, None)) == HERE.platform


def test_a_prefix_is_for_one_platform(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """ELS-04: a floor makes no other platform, and what cannot be read stops nobody."""
    record = synthetic.record

    def for_board(*words: object, **named: object) -> object:
        return replace(record(*words, **named), platform=BOARD)  # type: ignore[arg-type]

    elsewhere.check_prefix(session, None)
    monkeypatch.setattr(synthetic, "record", for_board)
    made = synthetic.install(session.prefix, "1", V1)
    elsewhere.check_prefix(session, Facts("linux-riscv64-gnu2.28"))
    for there in (None, Facts("linux-riscv64-musl")):
        with pytest.raises(UsageError, match=f"is for `{BOARD}`"):
            elsewhere.check_prefix(session, there)
    synthetic.damage(made)
    elsewhere.check_prefix(session, None)
    os.rename(session.prefix, f"{session.prefix}.old")


@pytest.mark.parametrize(
    ("platform", "here"),
    [("any", True), ("linux-x86_64-gnu2.99", True), ("linux-x86_64-musl", False), ("no", True)],
)
def test_what_runs_here_is_told_by_its_platform(
    session: Session, platform: str, *, here: bool
) -> None:
    """ELS-05."""
    assert session is not None
    assert elsewhere.is_here(platform) is here
