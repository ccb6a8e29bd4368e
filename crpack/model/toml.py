r"""Canonical TOML: the one byte form of a table of texts, whole numbers, booleans and tables.

Rules (SPEC LCK-02):
- UTF-8, `\n`, one `key = value` a line; values first, then arrays of tables, each table of them
  under its own `[[header]]` after an empty line.
- A text is a basic string with the shortest escapes; a key is bare where TOML allows.
- An array of up to one item stands on one line, a longer one has an item a line, indented by
  four blanks, with a comma after each. A table that is a value is an inline table.
- Keys stand in the order of the given mapping: order is the caller's.

Reading is `tomllib`'s; this module only writes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from crpack.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def encode(table: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of a table (SPEC LCK-02).

    Raises:
        FormatError: a value is neither text, whole number, boolean, array nor table.
    """
    try:
        return "".join(f"{line}\n" for line in _table(table, ())).encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError("a text holds half of a surrogate pair", rule="LCK-02") from error


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for key, value in table.items():
        if not _is_rows(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        if _is_rows(value):
            for row in value:
                yield ""
                yield "[[" + ".".join(_key(part) for part in (*path, key)) + "]]"
                yield from _table(row, (*path, key))


def _is_rows(value: object) -> bool:
    """Say whether a value is written as an array of tables; an empty array is not."""
    return isinstance(value, list) and value != [] and all(isinstance(v, dict) for v in value)


def _value(value: object, indent: str = "") -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        if len(value) < 2:
            return "[" + "".join(_value(item, indent) for item in value) + "]"
        inner = indent + "    "
        items = "".join(f"{inner}{_value(item, inner)},\n" for item in value)
        return f"[\n{items}{indent}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{_key(key)} = {_flat(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    raise FormatError(f"a {type(value).__name__} has no canonical form", rule="LCK-02")


def _flat(value: object) -> str:
    """Return a value inside an inline table, which TOML 1.0 keeps on one line."""
    if isinstance(value, list):
        return "[" + ", ".join(_flat(item) for item in value) + "]"
    return _value(value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    return '"' + _ESCAPED.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04X}", text) + '"'
