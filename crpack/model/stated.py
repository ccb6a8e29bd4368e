"""Facts that a person states: a file written by hand, or single capabilities of a machine.

Rules (SPEC FCT-04, FCT-07):
- A file is any JSON text. Every key in it is known, each stands once; what is misspelt is refused
  with the nearest known word, for nobody would see that it counts for nothing.
- A floor of the platform and the capability that says the same agree; one gives the other.
- What is stated takes the place of what was detected, and takes the place of it wholly: stated
  levels of a processor bring no features but those that they name.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from crpack.errors import FormatError, UsageError
from crpack.model import canonical, capabilities, document, platforms
from crpack.model import facts as model
from crpack.model.facts import Cpu, Facts, Found
from crpack.model.limits import MAX_JSON_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.model.platforms import Platform

_WHAT = "the facts"
_RULE = "FCT-04"
_ENVELOPE = ("format", "critical")
_LIBRARIES = {"gnu": "@glibc", "musl": "@musl"}
_SAID = "you said that it is not there"


def by_hand(data: bytes) -> Facts:
    """Return the facts that a person wrote: any JSON text, without `format` (SPEC FCT-04).

    Raises:
        FormatError: not JSON, or not facts.
    """
    try:
        if len(data) > MAX_JSON_BYTES:
            raise FormatError(f"{_WHAT} are longer than {MAX_JSON_BYTES} bytes", rule=_RULE)
        value = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{_WHAT} are not JSON", why=[str(error)[:200]], rule=_RULE) from error
    if not isinstance(value, dict):
        raise FormatError(f"{_WHAT} are not an object", rule=_RULE)
    _check_keys(value)
    found = model.from_json(canonical.encode({"format": document.FORMAT, "critical": [], **value}))
    try:
        return _agreed(found)
    except UsageError as error:
        raise FormatError(
            f"{_WHAT}: {error.what}", why=error.why, hint=error.hint, rule=error.rule
        ) from error


def pairs(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the capabilities in texts such as `@glibc=2.28`; the last one of a name counts.

    Raises:
        UsageError: a text is none.
    """
    stated: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.strip().partition("=")
        if not equals or not name.startswith("@"):
            what = f"`{text[:64]}` states no capability"
            raise UsageError(what, hint="write `@NAME=VALUE`, such as `@glibc=2.28`", rule="FCT-07")
        capabilities.check(name, value)
        stated[name] = value
    return tuple(sorted(stated.items()))


def override(facts: Facts, stated: Iterable[tuple[str, str]]) -> Facts:
    """Return facts with capabilities as stated (SPEC FCT-07); an empty value: not there.

    Raises:
        UsageError: one means nothing for the platform of these facts.
    """
    stated = tuple(stated)
    if not stated:
        return facts
    platform = platforms.parse(facts.platform)
    known, absent, cpu = dict(facts.capabilities), dict(facts.absent), facts.cpu
    for name, value in stated:
        capabilities.check(name, value, arch=platform.arch)
        if name == _floor(platform):
            if not value:
                what = f"`{platform.base}` is not without `{name}`"
                raise UsageError(what, hint="state a version", rule="FCT-07")
            platform = _with_floor(platform, value)
        elif name in ("@glibc", "@musl", "@macos"):
            raise UsageError(f"`{name}` is nothing of `{platform.base}`", rule="FCT-07")
        if name == "@cpu":
            cpu = Cpu(cpu.model, tuple(sorted(set(value.split("+")[1:]))), cpu.cores)
        known.pop(name, None)
        absent.pop(name, None)
        (known if value else absent)[name] = value or _SAID
    return dataclasses.replace(
        facts,
        platform=str(platform),
        capabilities=tuple(sorted(known.items())),
        cpu=cpu,
        absent=tuple(sorted(absent.items())),
    )


def _agreed(facts: Facts) -> Facts:
    """Return facts whose platform and capabilities say the same."""
    platform = platforms.parse(facts.platform)
    for name, value in facts.capabilities:
        capabilities.check(name, value, arch=platform.arch)
    floor, known = _floor(platform), dict(facts.capabilities)
    for name in ("@glibc", "@musl", "@macos"):
        if name in known and name != floor:
            raise UsageError(f"`{name}` is nothing of `{platform.base}`", rule=_RULE)
    if platform.floor and known.get(floor, platform.floor) != platform.floor:
        raise UsageError(
            f"the platform is `{platform}`, and `{floor}` is `{known[floor]}`", rule=_RULE
        )
    if floor and platform.floor:
        known[floor] = platform.floor
    elif known.get(floor):
        platform = _with_floor(platform, known[floor])
    kept = tuple(sorted((name, value) for name, value in known.items() if value))
    return dataclasses.replace(facts, platform=str(platform), capabilities=kept)


def _floor(platform: Platform) -> str:
    """Return the capability that says what a platform's floor says; empty for none."""
    return "@macos" if platform.os == "macos" else _LIBRARIES.get(platform.abi, "")


def _with_floor(platform: Platform, value: str) -> Platform:
    return platform if platform.abi == "musl" else dataclasses.replace(platform, floor=value)


def _once(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) < len(items):
        names = [name for name, _ in items]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"`{twice[:64]}` stands twice in one object")
    return found


def _check_keys(value: dict[str, Any]) -> None:
    """Refuse keys that mean nothing (SPEC FCT-04)."""
    _known(value, (*Facts.__slots__, *_ENVELOPE), "")
    if isinstance(value.get("cpu"), dict):
        _known(value["cpu"], Cpu.__slots__, "cpu.")
    rows = value.get("found")
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict):
            _known(row, Found.__slots__, f"found[{number}].")


def _known(table: dict[str, Any], names: Iterable[str], place: str) -> None:
    names = tuple(names)
    for key in table:
        if key not in names:
            import difflib

            close = difflib.get_close_matches(key, names, 1)
            hint = f"did you mean `{close[0]}`?" if close else f"known are {', '.join(names)}"
            what = f"{_WHAT}: `{place}{key[:64]}` is not a known key"
            raise FormatError(what, hint=hint, rule=_RULE)
