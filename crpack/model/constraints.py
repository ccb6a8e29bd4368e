"""Constraints: which values of options, inputs and params go together.

Rules (SPEC RCP-15):
- A constraint speaks where every name of its `match` has one of the values given there; then each
  name of its `only` that has a value at all has one of those.
- Values are compared as texts in the form of their parameter's type: `1` and `1.0` are one number.
Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.model import parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crpack.model.parameters import Parameter
    from crpack.model.recipe import Choices, Constraint


@dataclass(frozen=True, slots=True)
class Clash:
    """A value that does not go with others.

    Attributes:
        name: whose value it is, which is `text`.
        others: name and value of what it does not go with.
        allowed: values that would go with them.
    """

    name: str
    text: str
    others: tuple[tuple[str, str], ...]
    allowed: tuple[str, ...]


def clash(
    constraints: Iterable[Constraint], declared: Iterable[Parameter], values: Mapping[str, str]
) -> Clash | None:
    """Return the first value that a constraint refuses; None where all go together.

    Args:
        constraints: of a recipe.
        declared: the parameters that have values, or may have.
        values: name and text (SPEC PRM-03) of those that have one.
    """
    known = {one.name: one for one in declared}
    for one in constraints:
        match, only = _texts(one.match, known), _texts(one.only, known)
        if any(values.get(name) not in texts for name, texts in match):
            continue
        for name, texts in only:
            if name in values and values[name] not in texts:
                others = tuple((other, values[other]) for other, _ in match)
                return Clash(name, values[name], others, texts)
    return None


def _texts(choices: Choices, known: Mapping[str, Parameter]) -> Choices:
    """Return choices with values as texts of the declared types; of what is not declared none."""
    return tuple(
        (name, tuple(_text(known[name], text) for text in texts) if name in known else ())
        for name, texts in choices
    )


def _text(parameter: Parameter, text: str) -> str:
    return parameters.to_text(parameters.from_text(parameter, text))
