"""Answers of earlier scans, as bytes that somebody else keeps.

Rules (SPEC DET-07):
- A key is the digest of everything that an answer depends on: the probe, the name and path, the
  real file with its times, its interpreter. A changed file has another key; nothing is expired.
- Refusals are kept like findings, but that a program took too long is kept for a day at most: the
  machine may have been too busy, and nothing of the file would tell.
- Bytes that cannot be read are an empty cache, never an error.
- What changed within the last two seconds is not kept: it may change again within one clock tick.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from crpack.errors import FormatError
from crpack.model import canonical, document
from crpack.model.facts import found_from_table, found_to_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.model.facts import Found

MAX_KEPT = 4096  # kept from earlier scans; beyond, only what this scan used
RACY_NS = 2_000_000_000  # nanoseconds
DAY = 24 * 60 * 60  # seconds

_WHAT = "the detection cache"
_KNOWN = frozenset({"answers", "folders"})


def key(*parts: object) -> str:
    """Return the digest of what an answer depends on; parts are texts and integers."""
    texts = [str(part) for part in parts]
    return hashlib.sha256(canonical.encode(texts)).hexdigest()


class Cache:
    """Answers by key: a finding, or the reason why there is none; and names by folder.

    Args:
        data: what `to_bytes` gave earlier; anything else counts as empty.
        now_ns: the time, nanoseconds since 1970.
    """

    __slots__ = ("_answers", "_folders", "_now", "_until", "_used", "changed")

    def __init__(self, data: bytes, now_ns: int) -> None:
        self._answers, self._folders, until = _decode(data)
        self._used: set[str] = set()
        self._now = now_ns
        now = now_ns // 10**9
        self._until = {name: end for name, end in until.items() if now < end <= now + DAY}
        for name in until.keys() - self._until.keys():
            del self._answers[name]
        self.changed = False

    def answer(self, name: str) -> Found | str | None:
        """Return the answer kept under a key; None when there is none."""
        self._used.add(name)
        return self._answers.get(name)

    def keep(self, name: str, answer: Found | str, *times_ns: int) -> None:
        """Keep an answer, unless one of the times is too near (SPEC DET-07)."""
        if self.settled(times_ns):
            self._answers[name] = answer
            self.changed = True

    def keep_for(self, seconds: int, name: str, why: str, *times_ns: int) -> None:
        """Keep a refusal for up to a day, unless one of the times is too near (SPEC DET-07)."""
        self.keep(name, why, *times_ns)
        if name in self._answers:
            self._until[name] = self._now // 10**9 + seconds

    def until(self, names: Iterable[str]) -> int:
        """Return when the first of some answers ends, seconds since 1970; 0: none of them does."""
        return min((self._until[name] for name in names if name in self._until), default=0)

    def holds(self, names: Iterable[str]) -> bool:
        """Say whether there is an answer under every key."""
        return all(name in self._answers for name in names)

    def names(self, name: str) -> tuple[str, ...] | None:
        """Return the names kept for a folder; None when there are none."""
        self._used.add(name)
        return self._folders.get(name)

    def keep_names(self, name: str, names: tuple[str, ...], *times_ns: int) -> None:
        """Keep the names of a folder, unless it changed just now."""
        if self.settled(times_ns):
            self._folders[name] = names
            self.changed = True

    def to_bytes(self) -> bytes:
        """Return the cache for the next time."""
        full = len(self._answers) + len(self._folders) > MAX_KEPT
        answers = {
            name: one for name, one in self._answers.items() if not full or name in self._used
        }
        folders = {
            name: one for name, one in self._folders.items() if not full or name in self._used
        }
        tables: dict[str, dict[str, object]] = {
            name: {"refused": one} if isinstance(one, str) else found_to_table(one)
            for name, one in answers.items()
        }
        for name in self._until.keys() & tables.keys():
            tables[name]["until"] = self._until[name]
        lists = {name: list(one) for name, one in folders.items()}
        return document.encode({"answers": tables, "folders": lists})

    def settled(self, times_ns: Iterable[int]) -> bool:
        """Say whether none of the times is too near (SPEC DET-07)."""
        return all(self._now - time > RACY_NS for time in times_ns)


def _decode(
    data: bytes,
) -> tuple[dict[str, Found | str], dict[str, tuple[str, ...]], dict[str, int]]:
    """Return the answers, the names by folder, and when an answer ends that does."""
    if not data:
        return {}, {}, {}
    try:
        top = document.decode(data, what=_WHAT, rule="DET-07", known=_KNOWN)
        tables = _objects(top, "answers")
        answers = {name: _answer(one) for name, one in tables}
        until = {name: one.integer("until") for name, one in tables if one.has("until")}
        folders = _object(top, "folders")
        return answers, {name: folders.texts(name) for name in folders.value}, until
    except FormatError:
        return {}, {}, {}


def _answer(fields: document.Fields) -> Found | str:
    return fields.text("refused") if fields.has("refused") else found_from_table(fields)


def _object(fields: document.Fields, name: str) -> document.Fields:
    value = fields.value.get(name)
    if not isinstance(value, dict):
        raise fields.refuse(name, "is not an object")
    return document.Fields(fields.what, fields.rule, value, f"{name}.")


def _objects(top: document.Fields, name: str) -> list[tuple[str, document.Fields]]:
    fields = _object(top, name)
    return [(key, _object(fields, key)) for key in fields.value]
