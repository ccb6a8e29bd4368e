"""Capabilities: what a machine can do, by name, and what of it is enough.

Rules (SPEC FCT-05, FCT-06):
- `@glibc`, `@musl`, `@macos`, `@cuda` are versions, `@memory` is bytes: more is enough.
- `@cpu` is a level, with features after it: `armv8.2-a+asimddp`. A higher level of the same ladder
  is enough; features are a set that must be there whole.
- `@gpu` is a vendor: the same one is enough.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crpack.errors import UsageError
from crpack.model import parameters, versions

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
    "@gpu": (_WORD, "a vendor such as `nvidia`"),
    "@macos": (_DOTTED, "a version such as `11.0`"),
    "@memory": (_BYTES, "bytes, such as `8589934592`"),
    "@musl": (_DOTTED, "a version such as `1.2.5`"),
}


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
    levels = _OF.get(arch, ()) if arch else tuple(one for row in LADDERS for one in row)
    if name == "@cpu" and value and words[0] not in levels:
        what = f"`{words[0]}` is no level of `@cpu`" + (f" for `{arch}`" if arch else "")
        error = parameters.unknown(words[0], levels, what)
        raise UsageError(what, hint=error.hint, rule="FCT-05")


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
