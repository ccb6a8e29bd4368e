"""News of a running operation, as values; the command line decides how they look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class News:
    """One step that begins, or that moved on.

    Attributes:
        verb: what is done: `Fetching`, `Unpacking`, `Building`…
        subject: to what.
        done: bytes done; 0 when bytes are not counted.
        total: bytes in all; 0 when not known.
        detail: for who wants to know more, such as a line that a build's step prints.
    """

    verb: str
    subject: str
    done: int = 0
    total: int = 0
    detail: bool = False


Tell = Callable[[News], None]


def silent(_: News) -> None:
    """Take no notice."""


def in_turn(tell: Tell) -> Tell:
    """Return a function for news from several threads: they are told one at a time."""
    import threading

    turn = threading.Lock()

    def told(news: News) -> None:
        with turn:
            tell(news)

    return told
