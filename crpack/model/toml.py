r"""TOML: read within bounds, and written in one byte form.

Rules (SPEC LCK-02):
- UTF-8, `\n`, one `key = value` a line; values first, then arrays of tables, each table of them
  under its own `[[header]]` after an empty line.
- A text is a basic string with the shortest escapes; a key is bare where TOML allows.
- An array of up to one item stands on one line, a longer one has an item a line, indented by
  four blanks, with a comma after each. A table that is a value is an inline table.
- Keys stand in the order of the given mapping: order is the caller's.

Reading is `tomllib`'s, which keeps every prefix of a dotted key: so the parts of keys are counted
before it is asked (SPEC LCK-03).
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from crpack.errors import FormatError
from crpack.model.limits import MAX_TOML_DEPTH, MAX_TOML_DOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}

# Texts and comments, also unfinished ones, so that no text is scanned twice.
_ASIDE = re.compile(
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*(?:"{3,5}|\\?\Z)'
    r"|'''.*?(?:'{3,5}|\Z)"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*",
    re.DOTALL,
)
_RUN = re.compile(r"[^=\[\]{},\n]+")


def loads(text: str, *, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Return the table that a TOML text describes.

    Raises:
        tomllib.TOMLDecodeError: it is not TOML, or its keys have more parts than `MAX_TOML_DEPTH`,
            or more dots in all than `MAX_TOML_DOTS` (SPEC LCK-03).
        RecursionError: its values are nested too deep.
    """
    _check_keys(text)
    return tomllib.loads(text, parse_float=parse_float)


def _check_keys(text: str) -> None:
    """Count dots outside of texts and comments; numbers and dates have at most one each."""
    bare = _ASIDE.sub(_blank, text).replace(" ", "").replace("\t", "")
    total = 0
    for run in _RUN.finditer(bare):
        dots = run[0].count(".")
        total += dots
        if dots >= MAX_TOML_DEPTH or total > MAX_TOML_DOTS:
            line = bare.count("\n", 0, run.start()) + 1
            what = f"A key has more than {MAX_TOML_DEPTH} parts"
            if dots < MAX_TOML_DEPTH:
                what = f"The keys have more than {MAX_TOML_DOTS} dots"
            raise tomllib.TOMLDecodeError(f"{what} (at line {line}, column 1)")


def _blank(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


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
