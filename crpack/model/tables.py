"""Plain tables of a recipe's document: merging them, and making a recipe of one.

Rules:
- A block: arrays append, tables merge, ranges of one requirement both hold, any other value
  replaces (SPEC DOC-04). Another version: tables merge, any other value replaces (SPEC DOC-02).
- The decimals of TOML become texts, so that a document has one canonical form (SPEC DOC-02).
- `[requires]` holds names beside its two contexts `build` and `target`; the rest of a recipe is
  read by `schema` alone.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crpack.errors import UsageError
from crpack.model import capabilities, limits, names, schema, versions
from crpack.model.recipe import Recipe, Requires
from crpack.model.requirements import Requirement

if TYPE_CHECKING:
    from crpack.errors import Fault

Table = dict[str, Any]
_CONTEXTS = ("build", "target")
FIXED = frozenset({"package", "options", "when", "versions"})  # no block changes these
_NEED = schema.Spec(named=True, short=lambda text: {"version": text})


def recipe(table: Table, faults: list[Fault]) -> Recipe | None:
    """Return the recipe that a table describes, its `when` blocks aside, or None with faults."""
    rest = {key: value for key, value in table.items() if key not in ("requires", "when")}
    before = len(faults)
    value: Recipe | None = schema.decode(Recipe, rest, faults)
    requires = _requires(table.get("requires", {}), faults)
    if value is None or len(faults) > before:
        return None
    return dataclasses.replace(value, requires=requires)


def _requires(table: object, faults: list[Fault]) -> Requires:
    if not isinstance(table, dict):
        schema.fault(faults, ("requires",), "must be a table")
        return Requires()
    run = {key: value for key, value in table.items() if key not in _CONTEXTS}
    machine = {key: run.pop(key) for key in tuple(run) if key.startswith("@")}
    build, target = (_needs(table.get(k, {}), faults, ("requires", k)) for k in _CONTEXTS)
    needs = _needs(run, faults, ("requires",))
    return Requires(needs, build, target, _machine(machine, faults))


def _machine(table: Table, faults: list[Fault]) -> tuple[Requirement, ...]:
    """Return what is required of capabilities of the machine (SPEC REQ-08)."""
    found = []
    for name, value in sorted(table.items()):
        path = ("requires", name)
        both = isinstance(value, dict) and value.keys() == {"version"}  # two places state it
        wanted = value["version"] if both else value
        if not isinstance(wanted, str):
            schema.fault(faults, path, "must be a text: what is required of the capability")
            continue
        try:
            capabilities.check_wanted(name, wanted)
        except UsageError as error:
            schema.fault(faults, path, f"cannot be required: {error.what}", error.hint)
        found.append(Requirement(name, wanted))
    return tuple(found)


def _needs(table: object, faults: list[Fault], path: schema.Path) -> tuple[Requirement, ...]:
    for name in table if isinstance(table, dict) else ():
        try:
            names.check_name(name)
        except UsageError as error:
            hint = "a capability stands in `[requires]`" if name[:1] == "@" else error.hint
            schema.fault(faults, (*path, name), "is not a component's name", hint)
    return schema.named(Requirement, _NEED, table, faults, path) or ()


def merge(one: Table, two: Table) -> Table:
    """Return a recipe's table with a block's merged into it (SPEC DOC-04)."""
    merged = _merged(one, two)
    needs, more = one.get("requires"), two.get("requires")
    if isinstance(needs, dict) and isinstance(more, dict):
        merged["requires"] = _needs_of_both(needs, more, _CONTEXTS)
    return merged


def override(one: Table, two: Table) -> Table:
    """Return a recipe's table with that of another version put over it (SPEC DOC-02)."""
    merged = dict(one)
    for key, value in two.items():
        have = merged.get(key)
        tables = isinstance(have, dict) and isinstance(value, dict)
        merged[key] = override(merged[key], value) if tables else value
    return merged


def _merged(one: Table, two: Table) -> Table:
    merged = dict(one)
    for key, value in two.items():
        have = merged.get(key)
        if isinstance(have, dict) and isinstance(value, dict):
            merged[key] = _merged(have, value)
        elif isinstance(have, list) and isinstance(value, list):
            merged[key] = have + value
        else:
            merged[key] = value
    return merged


def _needs_of_both(one: Table, two: Table, contexts: tuple[str, ...]) -> Table:
    """Return the requirements of both tables; what both name must be as both say."""
    merged = dict(one)
    for key, value in two.items():
        have = one.get(key)
        if key in contexts and isinstance(have, dict) and isinstance(value, dict):
            merged[key] = _needs_of_both(have, value, ())
        else:
            merged[key] = _both(have, value) if key in one else value
    return merged


def _both(one: object, two: object) -> object:
    """Return a requirement as two places of a recipe state it."""
    one, two = ({"version": need} if isinstance(need, str) else need for need in (one, two))
    if not (isinstance(one, dict) and isinstance(two, dict)):
        return two
    merged = _merged(one, two)
    ranges = (one.get("version", ""), two.get("version", ""))
    if all(isinstance(text, str) for text in ranges):
        merged["version"] = versions.conjunction(*ranges)
    return merged


def plain(value: object) -> object:
    """Return a TOML value with its decimals as texts (SPEC DOC-02)."""
    if isinstance(value, Decimal):
        return schema.as_text(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def too_deep(value: object) -> bool:
    """Say whether tables and arrays are nested deeper than `MAX_TOML_DEPTH`."""
    level = [value]
    for _ in range(limits.MAX_TOML_DEPTH + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return False
        level = below
    return True


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a recipe's whole document (SPEC SCH-03)."""
    need = {"anyOf": [{"type": "string"}, schema.json_schema(Requirement)]}
    needs = {"type": "object", "additionalProperties": need}
    body = schema.json_schema(Recipe)
    keys = body["properties"]
    contexts = dict.fromkeys(_CONTEXTS, needs)
    keys["requires"] = {**needs, "properties": contexts}
    changeable = {key: _loose(value) for key, value in keys.items() if key not in FIXED}
    match = {"type": "object"}
    block = {"properties": {"match": match, **changeable}, "required": ["match"]}
    keys["when"] = {
        "type": "array",
        "items": {"type": "object", **block, "additionalProperties": False},
    }
    keys["versions"] = {"type": "object", "additionalProperties": {"type": "object"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:crpack:recipe:1",
        "title": "crpack.toml",
        **body,
    }


def _loose(value: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without required keys: a block says only what differs."""
    kept = {key: item for key, item in value.items() if key != "required"}
    for key in ("properties", "additionalProperties", "items"):
        inner = kept.get(key)
        if key == "properties" and isinstance(inner, dict):
            kept[key] = {name: _loose(item) for name, item in inner.items()}
        elif isinstance(inner, dict):
            kept[key] = _loose(inner)
    return kept
