"""The session of a call: made by the verbs that need one, so that the others import nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.session import Session

if TYPE_CHECKING:
    from crpack.cli.dispatch import Call


def session_of(call: Call) -> Session:
    """Return the session of a verb's call."""
    return Session(call.settings, call.homes, call.prefix)
