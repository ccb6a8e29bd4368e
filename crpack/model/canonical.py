"""Canonical JSON: one value, one byte form.

Rules (SPEC JSN-01 to JSN-06):
- UTF-8, keys sorted by code point, no white space, the shortest escapes.
- Objects, arrays, strings, true, false, null, and integers within ±(2^53 - 1).
  No floating point: decimals travel as strings. No lone surrogates.
- At most `MAX_JSON_DEPTH` levels and `MAX_JSON_BYTES` bytes, checked before parsing.
- A reader re-encodes and compares: duplicate keys, other escapes, other numbers and
  other white space are refused with one comparison.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from crpack.errors import FormatError
from crpack.model.limits import MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_JSON_INTEGER

# An unclosed string matches to its end, so that one pass is linear whatever the bytes.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_CURLY = bytes.maketrans(b"[]", b"{}")
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")
_PLAIN = bytes(byte for byte in _NO_BRACKET if byte not in b'"\\')
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_LONGEST_INTEGER = len(f"-{MAX_JSON_INTEGER}")


def encode(value: object) -> bytes:
    """Return the one byte form of a JSON value (SPEC JSN-01).

    Raises:
        FormatError: the value holds a float, a large integer, a lone surrogate or another type,
            or is nested too deep.
    """
    _check(value, MAX_JSON_DEPTH)
    return again(value)


def decode(data: bytes, *, what: str, limit: int = MAX_JSON_BYTES) -> Any:
    """Return the value of canonical JSON bytes (SPEC JSN-05).

    Args:
        data: the bytes of the whole document.
        what: the document's name for messages.
        limit: refuse more bytes than this before parsing.

    Raises:
        FormatError: too long, too deep, not JSON, or not in the canonical form.
    """
    if len(data) > limit:
        raise FormatError(f"{what} is longer than {limit} bytes", rule="JSN-06")
    if _depth(data) > MAX_JSON_DEPTH:
        raise FormatError(f"{what} is nested deeper than {MAX_JSON_DEPTH} levels", rule="JSN-06")
    try:
        value = json.loads(
            data.decode("utf-8"), parse_int=_integer, parse_float=_refuse, parse_constant=_refuse
        )
        same = again(value)
    except FormatError as error:
        raise FormatError(f"{what}: {error.what}", rule=error.rule) from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{what} is not JSON", why=[str(error)], rule="JSN-01") from error
    if same != data:
        raise FormatError(f"{what} is not canonical JSON", rule="JSN-05")
    return value


def again(value: object) -> bytes:
    """Return the one byte form of a value that `decode` gave, or a part of one."""
    text = _ENCODER.encode(value)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError("a text holds half of a surrogate pair", rule="JSN-04") from error


def _depth(data: bytes) -> int:
    """Return the nesting, counting brackets outside of strings; at most one more than allowed."""
    if b"\\" not in data:  # nearly always: strings without a bracket go at once
        data = data.translate(None, _PLAIN).replace(b'""', b"")
    brackets = _STRING.sub(b"", data).translate(_CURLY, _NO_BRACKET)
    left = brackets
    for depth in range(MAX_JSON_DEPTH + 1):
        if not left:
            return depth
        left, before = left.replace(b"{}", b""), left
        if left == before:  # some are never closed, or were never opened
            return _deepest(brackets)
    return MAX_JSON_DEPTH + 1


def _deepest(brackets: bytes) -> int:
    depth = deepest = 0
    for bracket in brackets:
        depth += 1 if bracket == _CURLY[ord("[")] else -1
        deepest = max(deepest, depth)
    return deepest


def _integer(text: str) -> int:
    # The length is looked at first: turning a million digits into a number takes minutes.
    if len(text) > _LONGEST_INTEGER or abs(int(text)) > MAX_JSON_INTEGER:
        raise FormatError("a number is beyond ±(2^53 - 1)", rule="JSN-03")
    return int(text)


def _refuse(text: str) -> NoReturn:
    raise FormatError(f"`{text[:40]}` is not an integer", rule="JSN-03")


def _check(value: object, levels: int) -> None:
    """Refuse what has no canonical form; `levels` more arrays or objects may be opened."""
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int):
        if abs(value) > MAX_JSON_INTEGER:
            raise FormatError("a number is beyond ±(2^53 - 1)", rule="JSN-03")
    elif isinstance(value, (list, tuple, dict)):
        if not levels:
            what = f"a value is nested deeper than {MAX_JSON_DEPTH} levels"
            raise FormatError(what, rule="JSN-06")
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise FormatError("an object has a key that is not a text", rule="JSN-01")
            value = tuple(value.values())
        for item in value:
            _check(item, levels - 1)
    else:
        raise FormatError(f"a {type(value).__name__} has no canonical form", rule="JSN-03")
