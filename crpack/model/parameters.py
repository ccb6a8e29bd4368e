"""Parameters: typed values that people set — options, inputs, params, outputs.

Rules (SPEC PRM-01…):
- One description serves a component's options, an action's inputs, params and outputs.
- A value comes as JSON or as text (`--set k=v`, `--option k=v`); both end in the same value.
- In build keys, manifests and locks an option's value is a text: `true`, `50`, `0.3`.
- A value that does not fit its type, its values or its range is refused with what is allowed.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Literal

from crpack.errors import UsageError
from crpack.model.schema import hidden, spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN = 50  # values that a message names
_MAX_EXPONENT = 300  # of ten, in a number given as text; a float holds no more than 308
_UNFIT = re.compile(r"[\0\ud800-\udfff]")

Type = Literal["bool", "enum", "string", "int", "float", "path", "array", "object"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One named, typed value.

    Attributes:
        name: the key under which it stands.
        type: how its value is read.
        values: what an `enum` allows.
        range: lowest and highest allowed number, as texts; empty for no bounds.
        default: the value as text where none is given.
        help: one sentence for people.
        scope: of an option: `build` enters the build key, `run` does not.
        required: of an input: there is no default.
    """

    type: Type
    values: tuple[str, ...] = spec((), scalar=True)
    range: tuple[str, ...] = spec((), scalar=True)
    default: str | None = spec(None, scalar=True)
    help: str = spec("", pattern=r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*")
    scope: Literal["build", "run"] = "build"
    required: bool = False
    name: str = hidden()


def from_text(parameter: Parameter, text: str) -> object:
    """Return the JSON value that a text means for a parameter (SPEC PRM-02).

    Raises:
        UsageError: the text does not fit.
    """
    if parameter.type == "bool":
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return check(parameter, words.get(text.lower(), text))
    if parameter.type in ("int", "float"):
        return check(parameter, _number(parameter, text))
    if parameter.type in ("array", "object"):
        try:
            return check(parameter, json.loads(text))
        except (ValueError, RecursionError):
            return check(parameter, text)
    return check(parameter, text)


def check(parameter: Parameter, value: object) -> object:
    """Return a JSON value unchanged if it fits the parameter (SPEC PRM-04).

    Raises:
        UsageError: wrong type, not among the values, or out of range.
    """
    classes: dict[str, tuple[type, ...]] = {
        "bool": (bool,),
        "int": (int,),
        "float": (int, float),
        "array": (list,),
        "object": (dict,),
    }
    allowed = classes.get(parameter.type, (str,))
    stray = isinstance(value, bool) and parameter.type != "bool"
    if not isinstance(value, allowed) or stray:
        raise _refuse(parameter, value, f"it must be of type `{parameter.type}`")
    if not is_plain(value):
        raise _refuse(parameter, value, "its numbers must be finite, its texts Unicode without NUL")
    if parameter.type == "enum" and value not in parameter.values:
        words = ", ".join(f"`{word[:80]}`" for word in parameter.values[:_SHOWN])
        raise _refuse(parameter, value, f"it must be one of {words}")
    if parameter.range and isinstance(value, (int, float)):
        low, high = (float(bound) for bound in parameter.range)
        if not low <= value <= high:
            raise _refuse(parameter, value, f"it must lie within {low:g} and {high:g}")
    return value


def is_plain(value: object) -> bool:
    """Say whether a JSON value can be written to a file and passed to a program (SPEC PRM-04).

    Python's reader also takes `NaN`, numbers too large to be finite, and halves of surrogate
    pairs; the words of a command line may hold bytes that are no Unicode.
    """
    fit, below = True, [value]
    while below:
        item = below.pop()
        if isinstance(item, dict):
            below += [*item, *item.values()]
        elif isinstance(item, list):
            below += item
        elif isinstance(item, float):
            fit = fit and math.isfinite(item)
        elif isinstance(item, str):
            fit = fit and not _UNFIT.search(item)
    return fit


def to_text(value: object) -> str:
    """Return a value as the text used in keys, manifests and locks (SPEC PRM-03)."""
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def settle(
    parameters: Iterable[Parameter], given: Mapping[str, str], *, owner: str
) -> tuple[tuple[str, str], ...]:
    """Return every parameter's value as text, sorted by name: given, else the default.

    Args:
        parameters: what the owner declares.
        given: name and text of what was asked.
        owner: whose parameters they are, for messages.

    Raises:
        UsageError: an unknown name, a value that does not fit, or none at all.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            raise unknown(name, tuple(known), f"`{owner}` has no option `{name}`")
    settled = []
    for name, parameter in sorted(known.items()):
        text = given.get(name, parameter.default)
        if text is None:
            raise UsageError(
                f"`{owner}` needs a value for its option `{name}`",
                hint=f"set it: `--option {owner}.{name}=VALUE`",
            )
        settled.append((name, to_text(from_text(parameter, text))))
    return tuple(settled)


def unknown(name: str, known: tuple[str, ...], what: str) -> UsageError:
    """Return the error for an unknown word, with the nearest known one as a hint."""
    import difflib

    close = difflib.get_close_matches(name, known, 1)
    if close:
        return UsageError(what, hint=f"did you mean `{close[0]}`?")
    words = ", ".join(f"`{word}`" for word in sorted(known)) or "none"
    return UsageError(what, hint=f"known are {words}")


def _number(parameter: Parameter, text: str) -> object:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite() or number.adjusted() > _MAX_EXPONENT:
        return text
    if parameter.type == "int":
        return int(number) if number == number.to_integral_value() else text
    return float(number)


def _refuse(parameter: Parameter, value: object, why: str) -> UsageError:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return UsageError(f"`{shown[:80]}` is no value for `{parameter.name}`", why=[why])
