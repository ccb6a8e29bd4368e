"""From plain tables to dataclasses, and to JSON Schema, by one description.

Rules (SPEC SCH-01…):
- A dataclass describes a table: its fields are the keys (`_` is written `-`, a trailing `_` is
  dropped), their annotations the types, `spec(...)` the further conditions.
- Unknown keys, missing keys and wrong values are faults; all are collected, each with its path.
- The same description gives the JSON Schema (2020-12) that `spec/` publishes, so that code and
  schema cannot drift.
- Mappings become sorted tuples of pairs: no dict leaves this module. Decimals are texts.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from crpack.errors import Fault, UsageError
from crpack.model.limits import MAX_JSON_INTEGER

Path = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Spec:
    """Conditions of one key beyond its type.

    Attributes:
        pattern: a text, or each key of a named table, must match this regular expression as a
            whole.
        minimum: a number must not be less; `maximum`: nor more.
        named: the value is a table of tables; each becomes an item whose `name` is its key.
        scalar: a text, a boolean or a number is taken and kept as text.
        check: called with a text; raises `UsageError` to refuse it.
        short: turns a text into the table it is short for.
        doc: one sentence for the schema.
    """

    pattern: str = ""
    minimum: int | None = None
    maximum: int = MAX_JSON_INTEGER
    named: bool = False
    scalar: bool = False
    check: Callable[[str], object] | None = None
    short: Callable[[str], Mapping[str, object]] | None = None
    doc: str = ""


_PLAIN = Spec()
_TEXTS = tuple[str, str]
_LISTS = tuple[str, tuple[str, ...]]
_HINTED = 50  # faults that get the nearest known word as a hint
_SHOWN = 50  # known words that a hint names
_DIGITS = 32  # before or after the point, up to which a decimal is written without an exponent


def spec(default: Any = dataclasses.MISSING, /, **conditions: Any) -> Any:
    """Return a dataclass field with conditions; arguments are those of `Spec`."""
    return dataclasses.field(default=default, metadata={"spec": Spec(**conditions)})


class _Key(typing.NamedTuple):
    """What is known of one key of a table."""

    field: str
    required: bool
    hint: Any
    condition: Spec


@functools.cache
def _keys(cls: type) -> dict[str, _Key]:
    """Return the keys of the table that a dataclass describes."""
    hints = typing.get_type_hints(cls)
    return {
        key_of(f): _Key(
            f.name,
            f.default is dataclasses.MISSING,
            _present(hints[f.name]),
            f.metadata.get("spec", _PLAIN),
        )
        for f in dataclasses.fields(cls)
        if not f.metadata.get("hidden")
    }


def _present(hint: Any) -> Any:
    """Return the type of a value that is there, of one that may be missing."""
    if typing.get_origin(hint) is not types.UnionType:
        return hint
    return next(part for part in typing.get_args(hint) if part is not types.NoneType)


def key_of(field: dataclasses.Field[Any]) -> str:
    """Return the key that a field stands for (SPEC SCH-01)."""
    return field.name.rstrip("_").replace("_", "-")


def decode(cls: type[Any], table: object, faults: list[Fault], path: Path = ()) -> Any:
    """Return an instance of `cls` made from a table, or None where faults were added.

    Args:
        cls: a dataclass described by its annotations and `spec`.
        table: what a TOML or JSON reader gave.
        faults: collects every fault found, with dotted paths.
        path: where the table stands in the document.
    """
    if not isinstance(table, dict):
        return fault(faults, path, f"must be a table, not {_kind(table)}")
    keys = _keys(typing.cast("Any", cls))
    before = len(faults)
    for key in table:
        if key not in keys:
            unknown(faults, (*path, key), tuple(keys))
    values: dict[str, object] = {}
    for key, one in keys.items():
        if key in table:
            where = (*path, key)
            values[one.field] = _value(one.hint, one.condition, table[key], faults, where)
        elif one.required:
            fault(faults, (*path, key), "is missing")
    return cls(**values) if len(faults) == before else None


def _value(hint: Any, condition: Spec, value: object, faults: list[Fault], path: Path) -> Any:
    if hint in _NAMES:
        return _scalar(hint, condition, value, faults, path)
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return _choice(typing.get_args(hint), value, faults, path)
    if origin is tuple:
        return _items(typing.get_args(hint)[0], condition, value, faults, path)
    if condition.short and isinstance(value, str):
        value = dict(condition.short(value))
    return decode(typing.cast("type[Any]", hint), value, faults, path)


def _items(hint: Any, condition: Spec, value: object, faults: list[Fault], path: Path) -> Any:
    if hint == _TEXTS:
        return _pairs(condition, value, faults, path)
    if hint == _LISTS:
        return _lists(value, faults, path)
    if condition.named:
        return named(hint, condition, value, faults, path)
    if not isinstance(value, (list, tuple)):
        return fault(faults, path, f"must be an array, not {_kind(value)}")
    return tuple(
        _value(hint, condition, item, faults, (*path, str(index)))
        for index, item in enumerate(value)
    )


def _pairs(condition: Spec, value: object, faults: list[Fault], path: Path) -> Any:
    if not isinstance(value, dict):
        return fault(faults, path, f"must be a table, not {_kind(value)}")
    texts = dataclasses.replace(condition, scalar=True)
    for name in value:
        if "\0" in name:
            fault(faults, (*path, name), "must not hold a NUL character")
    pairs = [(k, _scalar(str, texts, v, faults, (*path, k))) for k, v in value.items()]
    return tuple(sorted((k, v) for k, v in pairs if v is not None))


def _lists(value: object, faults: list[Fault], path: Path) -> Any:
    """Return names with their values; a single value stands for an array of one."""
    if not isinstance(value, dict):
        return fault(faults, path, f"must be a table, not {_kind(value)}")
    texts = Spec(scalar=True)
    arrays = {name: one if isinstance(one, list) else [one] for name, one in value.items()}
    return tuple(
        (name, _items(str, texts, arrays[name], faults, (*path, name))) for name in sorted(arrays)
    )


def named(hint: Any, condition: Spec, value: object, faults: list[Fault], path: Path) -> Any:
    """Return the items of a table of tables, sorted; each takes its key as its `name`."""
    if not isinstance(value, dict):
        return fault(faults, path, f"must be a table of tables, not {_kind(value)}")
    items = []
    for name in sorted(value):
        if condition.pattern and not re.fullmatch(condition.pattern, name, re.ASCII):
            fault(faults, (*path, name), f"does not have the form `{condition.pattern}`")
        item = _value(hint, condition, value[name], faults, (*path, name))
        if item is not None:
            object.__setattr__(item, "name", name)  # it was made here, and nobody saw it yet
            items.append(item)
    return tuple(items)


def _choice(choices: tuple[Any, ...], value: object, faults: list[Fault], path: Path) -> Any:
    if value in choices and isinstance(value, str):
        return value
    hint = _nearest(value, choices, faults) if isinstance(value, str) else ""
    return fault(faults, path, "must be one of " + ", ".join(f"`{c}`" for c in choices), hint)


def _scalar(hint: Any, condition: Spec, value: object, faults: list[Fault], path: Path) -> Any:
    if isinstance(value, int) and abs(value) > MAX_JSON_INTEGER:
        return fault(faults, path, "is a number beyond ±(2^53 - 1)")
    if condition.scalar:
        value = as_text(value)
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        if condition.minimum is not None and value < condition.minimum:
            return fault(faults, path, f"must be at least {condition.minimum}")
        if value > condition.maximum:
            return fault(faults, path, f"must be at most {condition.maximum}")
        return value
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        return _text(condition, value, faults, path)
    return fault(faults, path, f"must be {_NAMES[hint]}, not {_kind(value)}")


def _text(condition: Spec, value: str, faults: list[Fault], path: Path) -> str | None:
    if "\0" in value:
        fault(faults, path, "must not hold a NUL character")
        return None
    if condition.pattern and not re.fullmatch(condition.pattern, value, re.ASCII):
        fault(faults, path, f"`{value[:80]}` does not have the form `{condition.pattern}`")
        return None
    if condition.check:
        try:
            condition.check(value)
        except UsageError as error:
            fault(faults, path, "; ".join((error.what, *error.why)), error.hint)
            return None
    return value


def as_text(value: object) -> object:
    """Return a boolean or number as text; any other value as it is (SPEC SCH-02)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _DIGITS:
        return f"{value:f}"
    if isinstance(value, Decimal) or (isinstance(value, int) and abs(value) <= MAX_JSON_INTEGER):
        return str(value)
    return value


def _nearest(word: str, known: tuple[str, ...], faults: list[Fault]) -> str:
    """Return what may have been meant; nothing once there are many faults, for it costs time."""
    import difflib

    close = difflib.get_close_matches(word, known, 1) if len(faults) < _HINTED else []
    return f"did you mean `{close[0]}`?" if close else ""


def unknown(faults: list[Fault], path: Path, keys: tuple[str, ...]) -> None:
    """Note that the last key of a path is not one of the known keys."""
    hint = _nearest(path[-1], keys, faults) or "known are " + ", ".join(sorted(keys)[:_SHOWN])
    fault(faults, path, "is not a known key", hint)


def fault(faults: list[Fault], path: Path, message: str, hint: str = "") -> None:
    """Note a fault at a path."""
    faults.append(Fault(dotted(path), message, hint=hint, keys=path))


def dotted(path: Path) -> str:
    """Return a path as people write it: `source[0].urls`, names with dots in quotes."""
    text = ""
    for part in path:
        if part.isdigit():
            text += f"[{part}]"
        else:
            word = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
            text += f".{word}" if text else word
    return text


_NAMES = {str: "a text", int: "a whole number", bool: "true or false"}


def _kind(value: object) -> str:
    for cls, word in (
        (bool, "a boolean"),
        (str, "a text"),
        (int, "a whole number"),
        (Decimal, "a number"),
        ((list, tuple), "an array"),
        (dict, "a table"),
    ):
        if isinstance(value, cls):
            return word
    return f"a {type(value).__name__}"


def json_schema(cls: type[Any]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a dataclass's table (SPEC SCH-03)."""
    keys = _keys(typing.cast("Any", cls))
    properties = {key: _schema(one.hint, one.condition) for key, one in keys.items()}
    required = [key for key, one in keys.items() if one.required]
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return {**schema, "additionalProperties": False}


def _schema(hint: Any, condition: Spec) -> dict[str, Any]:
    doc = {"description": condition.doc} if condition.doc else {}
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return {"enum": list(typing.get_args(hint)), **doc}
    if origin is tuple:
        return {**_schema_of_items(typing.get_args(hint)[0], condition), **doc}
    if dataclasses.is_dataclass(hint):
        table = json_schema(typing.cast("type[Any]", hint))
        return {**({"anyOf": [{"type": "string"}, table]} if condition.short else table), **doc}
    if condition.scalar:
        return {"type": ["string", "boolean", "number"], **doc}
    names = {str: "string", int: "integer", bool: "boolean"}
    schema: dict[str, Any] = {"type": names[hint], **doc}
    if condition.pattern:
        schema["pattern"] = f"^(?:{condition.pattern})$"
    if condition.minimum is not None:
        schema["minimum"] = condition.minimum
    if condition.maximum < MAX_JSON_INTEGER:
        schema["maximum"] = condition.maximum
    return schema


def _schema_of_items(hint: Any, condition: Spec) -> dict[str, Any]:
    item = dataclasses.replace(condition, doc="")
    scalar = {"type": ["string", "boolean", "number"]}
    if hint == _TEXTS:
        return {"type": "object", "additionalProperties": scalar}
    if hint == _LISTS:
        either = {"anyOf": [scalar, {"type": "array", "items": scalar}]}
        return {"type": "object", "additionalProperties": either}
    if condition.named:
        keys = {"propertyNames": {"pattern": f"^(?:{item.pattern})$"}} if item.pattern else {}
        return {"type": "object", **keys, "additionalProperties": _schema(hint, item)}
    return {"type": "array", "items": _schema(hint, item)}


def hidden(default: Any = "") -> Any:
    """Return a dataclass field that is no key, such as the name of a named table."""
    return dataclasses.field(default=default, metadata={"hidden": True})
