"""Versions in C headers: the values of macros, read and never computed. Pure.

Rules (SPEC DET-20):
- A macro's value is what stands behind its name: a text without its quotes, or a number without
  its suffix. Of a macro that is defined twice with different values the value is not known.
- Several macros are joined by dots.
"""

from __future__ import annotations

import re

MAX_BYTES = 256 * 1024  # bytes of a header that are looked at

_COMMENT = re.compile(r"/\*.*?(?:\*/|$)|//.*$")
_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)*)[uUlL]*", re.ASCII)
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(\S.*)$", re.ASCII | re.MULTILINE)


def version(header: bytes, macros: tuple[str, ...]) -> tuple[str | None, str]:
    """Return (version, ``""``), or (None, reason) where a macro does not tell.

    Args:
        header: the beginning of a header.
        macros: whose values make up the version.
    """
    values: dict[str, set[str]] = {name: set() for name in macros}
    for name, text in _DEFINE.findall(header.decode("utf-8", "replace")):
        if name in values:
            values[name].add(value(text))
    for name, seen in values.items():
        if not seen:
            return None, f"it does not define `{name}`"
        if len(seen) > 1 or "" in seen:
            return None, f"`{name}` has no value that can be read"
    return ".".join(values[name].pop() for name in macros), ""


def value(text: str) -> str:
    """Return the plain value of a macro; empty for an expression."""
    text = _COMMENT.sub("", text).strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    if len(text) >= 2 and text[0] == text[-1] == '"' and '"' not in text[1:-1]:
        return text[1:-1].strip()
    number = _NUMBER.fullmatch(text)
    return number[1] if number else ""
