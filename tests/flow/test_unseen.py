"""Choosing without having looked at the machine, where that makes no difference (SOL-13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flow.test_metadata_index import TABLE, made
from tests.flow.tool import Tool

if TYPE_CHECKING:
    from pathlib import Path


def test_no_program_is_asked_where_no_probe_knows_a_name(tmp_path: Path) -> None:
    """SOL-13: and the lock is the one that is made when everything was looked at."""
    user = Tool(tmp_path)
    made(user, TABLE)
    cache = user.home / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    words = ("lock", "--offline", "--index", user.folder / "ix", "--lock")
    user(*words, "blind.lock", "b")
    assert "`b` and `c>=2`" in user(*words, "none.lock", "b", "c>=2", code=3).err
    assert not (cache / "detected.json").exists()
    user(*words, "seen.lock", "b", "zlib")
    assert (cache / "detected.json").exists()
    user(*words, "again.lock", "b")
    blind, again = ((tmp_path / name).read_bytes() for name in ("blind.lock", "again.lock"))
    assert blind == again
