"""Placeholders of argv and variables: `{out}`, `{tool.cxx}`, `{dep.NAME}`.

Rules (SPEC BLD-03):
- A placeholder is `{word}` or `{word.rest}`. Its value is put in as it is: there is no shell, so
  nothing is quoted and nothing splits an argument.
- A name that has no value here is a fault that names it.
- `{{word}}` gives `{word}`. Braces around anything else are ordinary characters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crpack.errors import Fault, ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAME = r"[a-z]+(?:\.[A-Za-z0-9][A-Za-z0-9._+@/-]*)?"
_PLACE = re.compile(rf"\{{\{{({_NAME})\}}\}}|\{{({_NAME})\}}", re.ASCII)


def names(texts: Iterable[str]) -> frozenset[str]:
    """Return the names of all placeholders in some texts (SPEC BLD-03)."""
    return frozenset(
        match[2] for text in texts for match in _PLACE.finditer(text) if match[2] is not None
    )


def render(text: str, values: Mapping[str, str], *, where: str) -> str:
    """Return a text with its placeholders replaced (SPEC BLD-03).

    Args:
        text: one argument or one variable's value.
        values: placeholder name to value.
        where: dotted key of the recipe that the text stands in.

    Raises:
        ManifestError: a placeholder has no value here.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] is not None:
            return "{" + match[1] + "}"
        if match[2] not in values:
            raise _unknown(match[2], values, where)
        return values[match[2]]

    return _PLACE.sub(value, text)


def render_all(texts: Iterable[str], values: Mapping[str, str], *, where: str) -> tuple[str, ...]:
    """Return every text rendered, such as one argv (SPEC BLD-03)."""
    return tuple(render(text, values, where=where) for text in texts)


def _unknown(name: str, values: Mapping[str, str], where: str) -> ManifestError:
    import difflib

    close = difflib.get_close_matches(name, values, 1)
    hint = f"did you mean `{{{close[0]}}}`?" if close else ""
    known = ", ".join(f"`{{{key}}}`" for key in sorted(values))
    message = f"`{{{name}}}` has no value here; known are {known}"
    return ManifestError(
        f"`{where}` asks for the unknown placeholder `{{{name}}}`",
        faults=[Fault(where, message, hint=hint)],
    )
