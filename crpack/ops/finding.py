"""A finding of `doctor`: one thing that was looked at.

Rules (SPEC CLI-09): a finding is `ok`, `warn` (crpack works, less well) or `fail` (something that
crpack does will not work); the latter two say what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from crpack.errors import CrpackError

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what was looked at, one or two words.
        state: how it is.
        said: how it is, in one sentence.
        hint: what to do; empty for what is well.
    """

    name: str
    state: State
    said: str
    hint: str = ""


def of_error(name: str, error: CrpackError, state: State = "fail") -> Finding:
    """Return the finding that an error tells."""
    return Finding(name, state, "; ".join((error.what, *error.why)), error.hint)
