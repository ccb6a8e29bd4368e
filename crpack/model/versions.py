"""Versions and ranges.

Rules (SPEC VER-01…):
- Published versions are PEP 440, in ASCII, at most `MAX_VERSION_LENGTH` characters.
- Order is the version, then the revision; ranges see the version only.
- A range is a comma list of `== != >= <= > < ~= ==X.*`, and `||` between lists, of at most
  `MAX_RANGE_LENGTH` characters. `>` and `<` are plainly greater and less: `>1.2` admits
  `1.2.post1`, unlike PEP 440. Empty admits all.
- A pre-release is admitted by a list that names a pre-release, else not.
- A version that could not be determined satisfies no range.
"""

from __future__ import annotations

import functools
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crpack.errors import UsageError
from crpack.model.limits import MAX_RANGE_LENGTH, MAX_VERSION_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.specifiers import Specifier
    from packaging.version import Version as Version  # noqa: PLC0414 - the type, for others too

_NUMBERS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,9}", re.ASCII)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, ">=": operator.ge,
    "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_CLAUSE = re.compile(r"(==|!=|>=|<=|~=|>|<)\s*([0-9A-Za-z.!+*_-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Clause:
    """One operator with its text; see the rules above."""

    operator: str
    text: str

    def admits(self, version: Version) -> bool:
        """Say whether a version satisfies it, be it a pre-release or not."""
        if self.operator in "<>" or (not version.local and self.is_plain):
            bound = _version(self.text)
            return bound is not None and _COMPARISONS[self.operator](version, bound)
        specifier = _specifier(self.operator + self.text)
        return specifier is not None and specifier.contains(version, prereleases=True)

    @property
    def is_plain(self) -> bool:
        """It compares with numbers alone, and is known to hold together."""
        return self.operator in _COMPARISONS and _NUMBERS.fullmatch(self.text) is not None

    @property
    def names_prerelease(self) -> bool:
        """Its text is a pre-release."""
        version = _version(self.text)
        return version is not None and version.is_prerelease


@dataclass(frozen=True, slots=True)
class Range:
    """A set of versions: any of several lists, each of which all its clauses admit."""

    text: str
    lists: tuple[tuple[Clause, ...], ...]

    def admits(self, version: str | None, *, early: bool = False) -> bool:
        """Say whether a version lies in the range; None, an unknown version, never does.

        With `early`, pre-releases count as other versions do (SPEC SOL-05).
        """
        if version is None:
            return False
        parsed = _version(version)
        if parsed is None:
            return False
        return any(_all_admit(clauses, parsed, early=early) for clauses in self.lists)


def parse(text: str) -> Version:
    """Read a published version (SPEC VER-01).

    Raises:
        UsageError: the text is too long, not ASCII, has blanks around it, or is not PEP 440.
    """
    version = _version(text) if text.isascii() and text == text.strip() else None
    if version is not None:
        return version
    raise UsageError(
        f"`{text[:MAX_VERSION_LENGTH]}` is not a version",
        hint="versions follow PEP 440, as in `1.2.0`, `2.0rc1` or `1.0.post1`",
        rule="VER-01",
    )


def check_provided(text: str) -> None:
    """See that a text is a version under which a name is provided; it may be empty (SPEC REQ-05).

    Raises:
        UsageError: it is neither.
    """
    if text:
        parse(text)


@functools.lru_cache(maxsize=16384)
def parse_range(text: str) -> Range:
    """Read a range such as `>=1.2,<2 || ==3.*` (SPEC VER-03).

    Raises:
        UsageError: the text is too long or a clause is not understood.
    """
    if len(text) > MAX_RANGE_LENGTH or not text.isascii():
        raise _bad_range(text, "it is too long or not ASCII")
    lists = tuple(_parse_list(part, text) for part in text.split("||"))
    return Range(text, lists)


def is_version(text: str) -> bool:
    """Say whether a text is a published version (SPEC VER-01)."""
    try:
        parse(text)
    except UsageError:
        return False
    return True


@functools.lru_cache(maxsize=16384)
def is_range(text: str) -> bool:
    """Say whether a text is a range (SPEC VER-03)."""
    try:
        parse_range(text)
    except UsageError:
        return False
    return True


def conjunction(one: str, two: str) -> str:
    """Return a range that admits what both ranges admit (SPEC VER-03).

    Either text may be none; then the result is none.
    """
    one, two = one.strip(), two.strip()
    if not one or not two or one == two:
        return one or two
    if len(one) + len(two) > MAX_RANGE_LENGTH:
        return f"{one},{two}"  # too long for a range, and not to be multiplied
    return "||".join(
        f"{first.strip()},{second.strip()}"
        for first in one.split("||")
        for second in two.split("||")
    )


def _parse_list(part: str, whole: str) -> tuple[Clause, ...]:
    clauses = []
    for item in part.split(","):
        if not item.strip() and not part.strip() and "||" not in whole:
            continue
        match = _CLAUSE.fullmatch(item.strip())
        if match is None:
            raise _bad_range(whole, f"`{item.strip()}` is not a clause")
        clause = Clause(match[1], match[2])
        _check_clause(clause, whole)
        clauses.append(clause)
    return tuple(clauses)


def _check_clause(clause: Clause, whole: str) -> None:
    if clause.is_plain:
        return
    plain = clause.operator in "<>"
    found = _version(clause.text) if plain else _specifier(clause.operator + clause.text)
    if found is None:
        raise _bad_range(whole, f"`{clause.operator}{clause.text}` is not a clause")


def _all_admit(clauses: tuple[Clause, ...], version: Version, *, early: bool) -> bool:
    wary = bool(clauses) and version.is_prerelease and not early
    if wary and not any(clause.names_prerelease for clause in clauses):
        return False
    return all(clause.admits(version) for clause in clauses)


@functools.lru_cache(maxsize=16384)
def _version(text: str) -> Version | None:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text) if len(text) <= MAX_VERSION_LENGTH else None
    except InvalidVersion:
        return None


def _specifier(text: str) -> Specifier | None:
    from packaging.specifiers import InvalidSpecifier, Specifier

    try:
        return Specifier(text)
    except InvalidSpecifier:
        return None


def _bad_range(text: str, why: str) -> UsageError:
    return UsageError(
        f"`{text[:MAX_VERSION_LENGTH]}` is not a range of versions",
        why=[why],
        hint="write clauses such as `>=1.2,<2`, and `||` between alternatives",
        rule="VER-03",
    )
