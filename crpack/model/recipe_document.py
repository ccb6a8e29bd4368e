"""The recipe's document: from `crpack.toml` to canonical JSON, to a `Recipe` for one machine.

Rules (SPEC DOC-01…):
- `read` takes the text that a person wrote and finds every fault, each with its place.
  `open_json` reads what travels in an archive by the same rules.
- A document is bytes (canonical JSON, decimals as texts), so it can be hashed, signed, stored.
- `resolve` merges the `[[when]]` blocks that match a context, in file order. Blocks cannot
  change `package`, `options` or `when`.
- `[versions."X"]` is merged only when that version is asked for, and never travels.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from crpack.errors import Fault, FormatError, ManifestError
from crpack.model import canonical, faults, limits, locate, parameters, schema, tables, toml
from crpack.model.platforms import Platform

if TYPE_CHECKING:
    from crpack.model.parameters import Parameter
    from crpack.model.recipe import Recipe, Requires
    from crpack.model.requirements import Requirement
    from crpack.model.tables import Table


@dataclass(frozen=True, slots=True)
class Context:
    """For whom a document is resolved: the target platform and the build options, as texts.

    What judges the results of a run gives the options of runs too (SPEC DOC-07).
    """

    platform: Platform
    options: tuple[tuple[str, str], ...] = ()


def read(text: str, *, file: str, version: str = "") -> bytes:
    """Return the document of a `crpack.toml` text (SPEC DOC-01).

    Args:
        text: the file's content.
        file: its name, for messages.
        version: a version of `[versions]` to take instead of the file's own.

    Raises:
        ManifestError: with every fault found and its place.
    """
    text = text.removeprefix("\ufeff")  # some editors begin a file with a mark
    whole = _parse(text, file)
    table = _at_version(whole, version, file)
    found = [*faults.find(table), *faults.of_sources(table)] or _faults_of_versions(whole, file)
    if found:
        where, lines = locate.places(text), _lines(text)
        placed = [_placed(fault, where, lines) for fault in found]
        placed.sort(key=lambda fault: (fault.line, fault.column))
        raise ManifestError(f"`{file}` {_headline(len(found))}", file=file, faults=placed)
    return canonical.encode(tables.plain(table))


def open_json(document: bytes, *, what: str = "recipe.json") -> Recipe:
    """Return the base recipe of a document from an archive, checked as strictly as a file.

    Raises:
        FormatError: not canonical JSON, or any fault in it (SPEC DOC-03).
    """
    table = canonical.decode(document, what=what)
    found = faults.find(table) if isinstance(table, dict) else [Fault("", "is not a table")]
    if found:
        raise FormatError(
            f"{what} {_headline(len(found))}",
            why=_causes(found),
            rule="DOC-03",
        )
    return _recipe(table)


def resolve(document: bytes, context: Context) -> Recipe:
    """Return the recipe for one platform and one choice of options (SPEC DOC-04).

    `{option.NAME}` in the options of requirements is replaced by the chosen value.

    Raises:
        FormatError: two blocks that match do not fit together.
    """
    table = canonical.decode(document, what="recipe.json")
    recipe, blocks = _recipe(table), table.get("when", [])
    matching = [block for block in blocks if matches(block["match"], context, recipe.options)]
    for block in matching:
        extra = {key: value for key, value in block.items() if key != "match"}
        table = tables.merge(table, extra)
    recipe = _recipe(table) if matching else recipe
    return dataclasses.replace(recipe, requires=_filled(recipe.requires, dict(context.options)))


def with_digests(document: bytes, sources: dict[int, tuple[str, int]]) -> bytes:
    """Return the document with the digest and size of packed sources (SPEC RCP-07).

    Args:
        document: what `read` gave.
        sources: sha256 and bytes of local sources, by their place in `[[source]]`.
    """
    table = canonical.decode(document, what="recipe.json")
    for index, (sha256, size) in sources.items():
        table["source"][index] |= {"sha256": sha256, "size": size}
    return canonical.encode(table)


def every_requirement(document: bytes) -> tuple[Requirement, ...]:
    """Return what a document may require on some machine, in any context, each thing once.

    The base and every `[[when]]` block are looked at, whatever it matches on.
    """
    table = canonical.decode(document, what="recipe.json")
    found: dict[Requirement, None] = {}
    for block in [{}, *table.get("when", [])]:
        extra = {key: value for key, value in block.items() if key != "match"}
        requires = _recipe(tables.merge(table, extra)).requires
        found |= dict.fromkeys((*requires.run, *requires.build, *requires.target))
    return tuple(sorted(found, key=lambda need: need.name))


def matches(match: Table, context: Context, declared: tuple[Parameter, ...]) -> bool:
    """Say whether a match table admits a context (SPEC DOC-05)."""
    platform, options = context.platform, dict(context.options)
    for key, wanted in match.items():
        if key == "option":
            of_name = {option.name: option for option in declared}
            if not all(options.get(n) in _values(of_name[n], v) for n, v in wanted.items()):
                return False
        elif key == "libc":
            if not any(_libc(str(text), platform) for text in faults.texts(wanted)):
                return False
        elif getattr(platform, key) not in faults.texts(wanted):
            return False
    return True


def _values(option: Parameter, wanted: object) -> list[str]:
    """Return the values that a match names, written as an option's value is: `1` as `1.0`."""
    texts = [str(text) for text in faults.texts(wanted)]
    return [parameters.to_text(parameters.from_text(option, text)) for text in texts]


def _libc(text: str, platform: Platform) -> bool:
    match = faults.LIBC.fullmatch(text)
    if match is None or match[1] != platform.abi:
        return False
    return platform.accepts(dataclasses.replace(platform, floor=match[2] or ""))


def _parse(text: str, file: str) -> Table:
    if len(text.encode(errors="replace")) > limits.MAX_TOML_BYTES:
        raise ManifestError(f"`{file}` is longer than {limits.MAX_TOML_BYTES} bytes", file=file)
    try:
        return toml.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        fault = _syntax(str(error), _lines(text))
        raise ManifestError(f"`{file}` is not TOML", file=file, faults=[fault]) from error
    except RecursionError as error:
        raise ManifestError(f"`{file}` is nested too deep", file=file) from error
    except (ValueError, ArithmeticError) as error:  # more digits or a larger exponent than fit
        raise ManifestError(f"`{file}` holds a number that is too long", file=file) from error


def _lines(text: str) -> list[str]:
    """Return the lines as TOML counts them; other marks of a line's end are ordinary there."""
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _syntax(message: str, lines: list[str]) -> Fault:
    """Return the fault that a message of the TOML reader tells."""
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    line, column = len(lines), len(lines[-1]) + 1
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
    sentence = message[: place.start()] if place else message
    text = lines[line - 1] if line <= len(lines) else ""
    return Fault("", sentence[:1].lower() + sentence[1:], line=line, column=column, text=text)


def _at_version(table: Table, version: str, file: str) -> Table:
    others = table.get("versions")
    others = others if isinstance(others, dict) else {}
    table = {key: value for key, value in table.items() if key != "versions"}
    package = table.get("package")
    own = package.get("version") if isinstance(package, dict) else None
    if not version or version == own:
        return table
    if not isinstance(others.get(version), dict):
        known = ", ".join(f"`{name}`" for name in [own, *others])
        raise ManifestError(f"`{file}` has no version `{version}`; it has {known}", file=file)
    merged = tables.override(table, others[version])
    return tables.override(merged, {"package": {"version": version}})


def _faults_of_versions(whole: Table, file: str) -> list[Fault]:
    """Return the faults of every version in the file, whichever is asked for (SPEC SCH-01)."""
    others = whole.get("versions", {})
    found: list[Fault] = []
    if not isinstance(others, dict) or not all(isinstance(v, dict) for v in others.values()):
        schema.fault(found, ("versions",), "must be a table of tables")
        return found
    for version in others:
        table = _at_version(whole, version, file)
        for fault in (*faults.find(table), *faults.of_sources(table)):
            schema.fault(found, ("versions", version, *fault.keys), fault.message, fault.hint)
    return found


def _recipe(table: Table) -> Recipe:
    found: list[Fault] = []
    recipe = tables.recipe(table, found)
    if recipe is None:
        what = "recipe.json does not hold together"
        raise FormatError(what, why=_causes(found), rule="DOC-03")
    return recipe


def _filled(requires: Requires, options: dict[str, str]) -> Requires:
    def fill(group: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
        return tuple(
            dataclasses.replace(
                need,
                options=tuple(
                    (key, faults.OPTION.sub(lambda m: options.get(m[1], m[0]), value))
                    for key, value in need.options
                ),
            )
            for need in group
        )

    return dataclasses.replace(
        requires,
        run=fill(requires.run), build=fill(requires.build), target=fill(requires.target),
    )  # fmt: skip


def _placed(fault: Fault, where: dict[tuple[str, ...], locate.Place], lines: list[str]) -> Fault:
    fault.line, fault.column = locate.nearest(where, fault.keys)
    fault.text = lines[fault.line - 1] if 0 < fault.line <= len(lines) else ""
    return fault


def _causes(found: list[Fault]) -> list[str]:
    """Return the first faults of a document as sentences."""
    return [f"`{fault.path or 'recipe.json'}` {fault.message}" for fault in found[:5]]


def _headline(count: int) -> str:
    return "has a fault" if count == 1 else f"has {count} faults"
