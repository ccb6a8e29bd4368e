"""Capabilities: what a machine can do, by name, and what of it is enough.

Rules (SPEC FCT-05, FCT-06, REQ-08):
- `@glibc`, `@glibcxx`, `@musl`, `@macos`, `@cuda` are versions, `@memory` is bytes: more is enough.
- `@cpu` is a level, with features after it: `armv8.2-a+asimddp`. A higher level of the same ladder
  is enough; features are a set that must be there whole.
- `@gpu` is a vendor: the same one is enough.
- What is required of one is a range where it is a version or bytes; else floors with commas
  between them, and `||` between alternatives. An empty text: it is there at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crpack.errors import UsageError
from crpack.model import parameters, versions
from crpack.model.limits import MAX_VERSION_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable

# Each level runs what is made for those before it, and for nothing of another ladder.
LADDERS = (
    ("x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4"),
    ("armv8-a", "armv8.1-a", "armv8.2-a", "armv8.3-a", "armv8.4-a"),
    ("armv6", "armv7"),
    ("rv64", "rv64gc"),
)
_OF = {
    "x86_64": LADDERS[0],
    "aarch64": LADDERS[1],
    "arm64": LADDERS[1],
    "armv7": LADDERS[2],
    "armv6": LADDERS[2],
    "riscv64": LADDERS[3],
}
_DOTTED = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,9}){0,3}", re.ASCII)
_BYTES = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_WORD = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
_KINDS = {
    "@cpu": (_WORD, "a level such as `x86-64-v3`, features after it with `+`"),
    "@cuda": (_DOTTED, "a version such as `12.4`"),
    "@glibc": (_DOTTED, "a version such as `2.28`"),
    "@glibcxx": (_DOTTED, "a version such as `3.4.30`, of the C++ library"),
    "@gpu": (_WORD, "a vendor such as `nvidia`"),
    "@macos": (_DOTTED, "a version such as `11.0`"),
    "@memory": (_BYTES, "bytes, such as `8589934592`"),
    "@musl": (_DOTTED, "a version such as `1.2.5`"),
}
_NAMED = {"@cpu": ">=", "@gpu": "=="}  # the sign that may stand before a floor that is no number
_LOWER = re.compile(r"(?:>=|==|~=|>)\s*([0-9]+(?:\.[0-9]+)*)", re.ASCII)


def is_capability(name: str) -> bool:
    """Say whether a name is that of a capability."""
    return name in _KINDS


def check(name: str, value: str, *, arch: str = "") -> None:
    """See that a person's word for a capability means something (SPEC FCT-05).

    Args:
        name: such as `@glibc`.
        value: empty: it is not there.
        arch: of the platform, for `@cpu`; empty: any.

    Raises:
        UsageError: no such capability, or no such value; with the nearest known word.
    """
    if name not in _KINDS:
        what = f"there is no capability `{name[:64]}`"
        error = parameters.unknown(name, tuple(_KINDS), what)
        raise UsageError(what, hint=error.hint, rule="FCT-05")
    pattern, wanted = _KINDS[name]
    words = value.split("+") if name == "@cpu" and value else [value]
    if value and not all(pattern.fullmatch(word) for word in words):
        what = f"`{value[:64]}` is no value of `{name}`"
        raise UsageError(what, why=[f"it is {wanted}"], rule="FCT-05")
    if value and name == "@cpu":
        _check_level(words[0], arch)


def _check_level(level: str, arch: str) -> None:
    levels = _OF.get(arch, ()) if arch else tuple(one for row in LADDERS for one in row)
    if level not in levels:
        what = f"`{level}` is no level of `@cpu`" + (f" for `{arch}`" if arch else "")
        error = parameters.unknown(level, levels, what)
        raise UsageError(what, hint=error.hint, rule="FCT-05")


def check_wanted(name: str, wanted: str) -> None:
    """See that what a recipe requires of a capability means something (SPEC REQ-08).

    Raises:
        UsageError: no such capability, or nothing that can be required of it.
    """
    check(name, "")
    if name not in _NAMED:
        versions.parse_range(wanted)
        return
    short = len(wanted) <= MAX_VERSION_LENGTH
    for floor in (one for floors in _floors(name, wanted) for one in floors):
        if not floor or not short:
            what = f"`{wanted[:64]}` is nothing that can be required of `{name}`"
            raise UsageError(what, why=[f"it is {_KINDS[name][1]}"], rule="REQ-08")
        check(name, floor)


def admits(name: str, wanted: str, have: str, features: Iterable[str] = ()) -> bool:
    """Say whether a capability is what is required of it (SPEC REQ-08).

    Args:
        name: such as `@cpu`.
        wanted: checked by `check_wanted`; empty: it must be there.
        have: the machine's value; empty where it is absent.
        features: of the machine's processor, beside those that `have` names.
    """
    if not have or not wanted.strip():
        return bool(have)
    if name not in _NAMED:
        known = _KINDS[name][0].fullmatch(have) is not None
        return known and versions.parse_range(wanted).admits(have)
    own = tuple(features)
    return any(all(reaches(name, have, one, own) for one in row) for row in _floors(name, wanted))


def least(name: str, wanted: str) -> str:
    """Return the floor that a requirement sets for certain; empty where it sets none."""
    if "||" in wanted:
        return ""
    found = _floors(name, wanted)[0] if name in _NAMED else _LOWER.findall(wanted)
    floor = ""
    for one in found:
        floor = higher(name, floor, one) if floor else one
    return floor


def _floors(name: str, wanted: str) -> list[list[str]]:
    """Return the alternatives of what is required of a level or vendor, each a list of floors."""
    if not wanted.strip():
        return [[]]
    sign = _NAMED[name]
    lists = [[one.strip() for one in text.split(",")] for text in wanted.split("||")]
    return [[one.removeprefix(sign).strip() for one in row] for row in lists]


def reaches(name: str, have: str, wanted: str, features: Iterable[str] = ()) -> bool:
    """Say whether a capability is enough for a floor (SPEC FCT-06).

    Args:
        name: such as `@cpu`.
        have: the machine's value; empty where it is absent.
        wanted: the floor.
        features: of the machine's processor, beside those that `have` names.
    """
    if not have or not wanted:
        return False
    if name == "@cpu":
        return _runs(have, wanted, features)
    if name == "@gpu":
        return have == wanted
    try:
        return versions.parse_range(f">={wanted}").admits(have)
    except UsageError:
        return False


def higher(name: str, one: str, two: str) -> str:
    """Return the floor that asks for what two floors ask; the first where they exclude each other.

    Two levels of one ladder give the higher one, with the features of both.
    """
    if name == "@cpu":
        (first, *some), (second, *more) = one.split("+"), two.split("+")
        level = second if _below(first, second) else first
        return "+".join([level, *sorted({*some, *more})])
    return two if reaches(name, two, one) else one


def _runs(have: str, wanted: str, features: Iterable[str]) -> bool:
    level, *own = have.split("+")
    floor, *asked = wanted.split("+")
    return _below(floor, level) and {*own, *features} >= set(asked)


def _below(floor: str, level: str) -> bool:
    """Say whether a level is that floor, or above it."""
    for ladder in LADDERS:
        if floor in ladder and level in ladder:
            return ladder.index(floor) <= ladder.index(level)
    return floor == level
