"""A dashboard that is written while the disk fails, or the program ends."""

from __future__ import annotations

import errno
import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from crpack import disk, settings
from crpack.errors import InstallError
from crpack.ops import dashboard
from crpack.session import Session
from tests.tools.sample_results import sample, store, store_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session with nothing in it."""
    monkeypatch.setenv("CRPACK_HOME", str(tmp_path / "home"))
    settled, homes = settings.settle({}, named="")
    return Session(settled, homes, str(tmp_path / "prefix"))


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    """No fault outlives its test."""
    yield
    disk.arm(None)


class _Fail:
    """Fails at the fault point of a number, for good or as if the program ended there."""

    def __init__(self, at: int, ending: BaseException) -> None:
        self.left = at
        self.ending = ending

    def __call__(self, _: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise self.ending


class _Ended(BaseException):
    """Stands for the end of the program: nothing tidies up after it."""


def plan(session: Session, folder: Path, out: Path) -> dashboard.Plan:
    return dashboard.plan(session, dashboard.Order((str(folder),), str(out)))


def shown(out: Path) -> list[str]:
    """Return the ids that a page shows, each with its record there and whole."""
    document = json.loads((out / "data.js").read_text()[len("crpackData(") : -3])
    ids = [one for one in document["ids"] if "/" not in one]
    for one in ids:
        assert hashlib.sha256((out / f"results/{one}.json").read_bytes()).hexdigest() == one
    for one in document["locks"]:
        assert (out / f"results/locks/{one}.lock").is_file()
    return ids


@pytest.mark.parametrize("ending", [OSError(errno.ENOSPC, "full"), _Ended()], ids=["full", "end"])
def test_a_page_that_is_replaced_is_old_or_new_at_every_instant(
    session: Session, tmp_path: Path, ending: BaseException
) -> None:
    """DSH-02: and what was left half written is mended by the next."""
    before, after, out = tmp_path / "a", tmp_path / "b", tmp_path / "page"
    store(before, sample(0), sample(1))
    store_lock(before)
    store(after, sample(1), sample(2), sample(3))
    old = sorted(path.stem for path in before.glob("*.json"))
    new = sorted(path.stem for path in after.glob("*.json"))
    seen = set()
    at = 0
    while True:
        dashboard.write(plan(session, before, out))
        planned = plan(session, after, out)
        disk.arm(_Fail(at, ending))
        try:
            dashboard.write(planned)
        except (InstallError, _Ended):
            disk.arm(None)
            found = sorted(shown(out))
            assert found in (old, new)
            seen.add(tuple(found))
            at += 3
        else:
            break
    disk.arm(None)
    assert seen == {tuple(old), tuple(new)}
    assert sorted(shown(out)) == new
    assert {path.name for path in out.rglob("*.json")} == {f"{one}.json" for one in new}
    assert not list(out.rglob(".*"))


def test_no_file_that_was_read_is_removed(session: Session, tmp_path: Path) -> None:
    """DSH-02: not even a damaged one that lies in the page that is written."""
    out = tmp_path / "page"
    store(tmp_path / "r", sample(0), sample(1))
    dashboard.write(plan(session, tmp_path / "r", out))
    damaged = min((out / "results").glob("*.json"))
    damaged.write_bytes(b"{}")
    dashboard.write(plan(session, out / "results", out))
    assert damaged.read_bytes() == b"{}"
    assert len(shown(out)) == 1
