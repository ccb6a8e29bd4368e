"""The verb `doctor`.

Rules: a finding a line, in 80 columns, its state first; below it, what to do. Ends with 7 where one
failed.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from crpack.cli import figures
from crpack.cli.console import plain
from crpack.cli.progress import reporter
from crpack.cli.sessions import session_of
from crpack.errors import CheckFailed
from crpack.model.quantity import counted
from crpack.ops import doctor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.cli.console import Console
    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser
    from crpack.ops.finding import Finding

_GAP = 8  # columns of the state, and the space on both sides of a name
_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `doctor` and return its handler."""
    return {"doctor": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    parser.epilog = "It changes nothing and opens no network connection."
    return _doctor


def _doctor(call: Call) -> int:
    with reporter(call) as tell:
        found = doctor.examine(session_of(call), tell)
    failed = [one for one in found if one.state == "fail"]
    if failed and call.console.as_json:
        raise CheckFailed(
            f"{counted(len(failed), 'thing')} will not work",
            why=[f"{one.name}: {one.said}" for one in failed],
            hint=failed[0].hint,
            data={"findings": plain(found)},
        )
    call.console.answer(found, "\n".join(_lines(call.console, found)))
    return CheckFailed.exit_code if failed else 0


def _lines(console: Console, found: tuple[Finding, ...]) -> Iterator[str]:
    wide = max(len(one.name) for one in found)
    margin = " " * (wide + _GAP)
    for one in found:
        first, *more = _wrapped(one.said, wide)
        state = console.paint(f"{one.state:<4}", _COLORS[one.state])
        yield f"{state}  {one.name:<{wide}}  {first}"
        yield from (f"{margin}{line}" for line in more)
        if one.hint:
            first, *more = _wrapped(f"hint: {one.hint}", wide)
            yield f"{margin}{console.paint('hint:', 'cyan')}{first.removeprefix('hint:')}"
            yield from (f"{margin}{line}" for line in more)


def _wrapped(text: str, wide: int) -> list[str]:
    """Return the lines of a text; a path or a command is not broken within a word."""
    width = figures.WIDTH - wide - _GAP
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
