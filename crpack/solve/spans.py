"""Versions as people read them: what stands together is told by its first and its last.

Rules (SPEC SOL-10):
- Versions stand together when there is no other one between them, and no bound of what is asked.
  Of `1.0 to 1.5` whatever exists between the two is meant, and a reader sees where a range cuts.
- Of many pieces the first ones are told, how many versions more there are, and the last one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import UsageError
from crpack.model import versions
from crpack.solve.wording import series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crpack.model.versions import Version

    Cut = Callable[[Version], bool]

MOST = 5  # texts
MAX_CUT = 3  # pieces that ranges may make of them
MAX_CUTS = 16  # sides of ranges that are looked at


def ordered(texts: Iterable[str | None]) -> tuple[str, ...]:
    """Return versions, each once, oldest first; what is none is left out."""
    known: dict[str, Version] = {}
    for text in texts:
        try:
            known[text or ""] = versions.parse(text or "")
        except UsageError:
            continue
    return tuple(sorted(known, key=lambda text: (known[text], text)))


def span(texts: tuple[str, ...], known: tuple[str, ...], ranges: Iterable[str] = ()) -> str:
    """Return versions as people read them.

    Args:
        texts: oldest first.
        known: all that there are, oldest first.
        ranges: that cut them.
    """
    cuts = [cut for text in ranges for cut in _cuts(text)]
    pieces = _pieces(texts, known, cuts) if len(cuts) <= MAX_CUTS else []
    if not 0 < len(pieces) <= MAX_CUT:
        pieces = _pieces(texts, known, [])
    told: list[str] = []
    left = len(texts)
    for piece in pieces:
        if left > len(piece) and len(told) + len(_told(piece)) >= MOST:
            return series([*told, f"{left} more up to {texts[-1]}"])
        told += _told(piece)
        left -= len(piece)
    return series(told) if told else ""


def _pieces(texts: tuple[str, ...], known: tuple[str, ...], cuts: list[Cut]) -> list[list[str]]:
    """Return what stands together."""
    places = {text: place for place, text in enumerate(known)}
    pieces: list[list[str]] = []
    last: tuple[int, list[bool]] = (-2, [])
    for text in texts:
        version = versions.parse(text)
        side = [cut(version) for cut in cuts]
        if (places.get(text, -1), side) == (last[0] + 1, last[1]) and last[0] >= 0:
            pieces[-1].append(text)
        else:
            pieces.append([text])
        last = (places.get(text, -2), side)
    return pieces


def _told(piece: list[str]) -> list[str]:
    return [f"{piece[0]} to {piece[-1]}"] if len(piece) > 2 else piece


def _cuts(text: str) -> Iterator[Cut]:
    """Yield what tells the sides of a range apart: whether it admits, and whether it lies below."""
    for clauses in versions.parse_range(text).lists:
        for clause in clauses:
            yield clause.admits
            if clause.operator in ("==", "!=", "~="):
                bound = versions.parse(clause.text.removesuffix(".*"))
                yield bound.__lt__
