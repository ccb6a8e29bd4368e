"""Dates as documents write them.

Rules: a date is UTC, to the second, and a day that there is: `2026-01-31T12:00:00Z`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\dZ", re.ASCII)
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def moment(text: str) -> datetime:
    """Return the instant of a date.

    Raises:
        ValueError: not a date.
    """
    if not _SHAPE.fullmatch(text):
        raise ValueError("not a date such as `2026-01-31T12:00:00Z`")
    return datetime.fromisoformat(text)


def dated(instant: datetime) -> str:
    """Return the date of an instant; parts of a second are left out."""
    return instant.astimezone(UTC).strftime(_FORM)


def utc(seconds: float) -> str:
    """Return the date of a time in seconds since 1970; parts of a second are left out."""
    return dated(datetime.fromtimestamp(int(seconds), UTC))
