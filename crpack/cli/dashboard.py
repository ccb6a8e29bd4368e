"""The verb `dashboard`: results as a static page.

Rules: a file that is left out is a warning; after `_TOLD` of them the rest is counted, and JSON
has them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.cli.progress import reporter
from crpack.cli.sessions import session_of
from crpack.model.quantity import counted
from crpack.ops import dashboard

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser

_TOLD = 20  # files that are left out, told one by one


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `dashboard` and return its handler."""
    return {"dashboard": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add("places", nargs="*", metavar="RESULT|DIR",
        help="records, or folders of them (default: the results of this prefix)")  # fmt: skip
    add("--out", metavar="DIR", default="dashboard",
        help="folder to write, new or of an earlier page (default: dashboard)")  # fmt: skip
    add("--dry-run", action="store_true", help="read the results; write nothing")
    return _dashboard


def _dashboard(call: Call) -> int:
    order = dashboard.Order(tuple(call.args.places), call.args.out)
    with reporter(call) as tell:
        planned = dashboard.plan(session_of(call), order, tell=tell)
    found = planned.summary
    _warn(call, found)
    if call.args.dry_run:
        call.console.plan(found, [f"would write {found.page}", _line(found)])
        return 0
    dashboard.write(planned)
    if not found.results:
        call.console.say("no results yet; `crpack benchmark NAME` makes one")
    call.console.answer(found, f"{found.page}\n{_line(found)}")
    return 0


def _line(found: dashboard.Summary) -> str:
    invalid = f" ({found.invalid} INVALID)" if found.invalid else ""
    locks = counted(found.locks, "lock")
    return f"{counted(found.results, 'result')}{invalid}, {found.official} official ones, {locks}"


def _warn(call: Call, found: dashboard.Summary) -> None:
    for sentence in found.refused[:_TOLD]:
        call.console.warn(sentence)
    if len(found.refused) > _TOLD:
        call.console.warn(f"{len(found.refused) - _TOLD} more files are left out")
    if found.omitted:
        more = counted(found.omitted, "result")
        call.console.warn(f"{more} more than one page shows: the oldest are left out")
