"""The extent of a recipe's document: how much it may hold, so that judging it costs little.

Rules (SPEC DOC-06):
- Counted are tables, arrays and single values: those of the base, and again for each `[[when]]`
  block those of the base and of the block, since each block is judged as merged into the base.
- Requirements, probes and regular expressions are dearer than other values; those of the base and
  of all blocks are counted together.
- What is no such table or array at all is left to the other rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crpack.model import limits

if TYPE_CHECKING:
    from crpack.model.tables import Table

_PATTERNS = ("version", "reject")  # the regular expressions of a probe


def excess(table: Table) -> str:
    """Return what a document has too much of, as the end of a sentence; empty for nothing."""
    blocks = _list(table.get("when"))
    if len(blocks) > limits.MAX_WHEN_BLOCKS:
        return f"has more than {limits.MAX_WHEN_BLOCKS} blocks `[[when]]`"
    base = _extent([{key: value for key, value in table.items() if key != "when"}])
    more = _extent(blocks)
    parts = [_table(part) for part in (table, *blocks)]
    for what, count, limit in (
        ("values", base[0] * (1 + len(blocks)) + more[0], limits.MAX_RECIPE_VALUES),
        ("characters in a key or text", max(base[1], more[1]), limits.MAX_TEXT_LENGTH),
        ("requirements", sum(map(_requirements, parts)), limits.MAX_REQUIREMENTS),
        ("probes", sum(len(_list(part.get("probe"))) for part in parts), limits.MAX_PROBES),
        ("characters in patterns", sum(map(_patterns, parts)), limits.MAX_PATTERN_LENGTH),
    ):
        if count > limit:
            return f"has more than {limit} {what}"
    return ""


def _extent(parts: list[Any]) -> tuple[int, int]:
    """Return how many values a base or blocks hold, and the length of the longest key or text."""
    count, longest = 0, 0
    level: list[object] = [_without_texts(part) for part in parts]
    while level:
        count += len(level)
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                longest = max(longest, *map(len, item), 0)
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str):
                longest = max(longest, len(item))
        level = below
    return count, longest


def _without_texts(part: object) -> object:
    """Return a base or block, the texts of its sources empty: they may be long."""
    table = _table(part)
    if not isinstance(table.get("source"), list):
        return part
    sources = [
        {**source, "text": ""} if isinstance(_table(source).get("text"), str) else source
        for source in table["source"]
    ]
    return {**table, "source": sources}


def _requirements(part: Table) -> int:
    """Count what a base or block requires of components and of Python, or says of them."""
    needs = _table(part.get("requires"))
    groups = [needs, needs.get("build"), needs.get("target")]
    groups += [part.get(key) for key in ("provides", "conflicts", "replaces")]
    python = _list(_table(part.get("python")).get("requires"))
    return len(python) + sum(len(_table(group)) for group in groups)


def _patterns(part: Table) -> int:
    """Count the characters of a base's or block's regular expressions."""
    texts = [_table(part.get("test")).get("expect")]
    texts += [_table(one).get(key) for one in _list(part.get("probe")) for key in _PATTERNS]
    return sum(len(text) for text in texts if isinstance(text, str))


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
