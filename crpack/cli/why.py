"""The verb `why`: which candidates of a name there are, which one serves, and why not the others.

Rules: one line a candidate, `*` before the one that serves; the evidence stands beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.cli import solving
from crpack.cli.progress import reporter
from crpack.cli.sessions import session_of
from crpack.model.quantity import counted
from crpack.ops import why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser

_SHOWN = 20  # releases of a name that are told one by one
_CONTEXTS = {"target": "", "build": ", to build"}


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `why` and return its handler."""
    return {"why": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add("name", metavar="NAME", help="a component, such as `gcc`")
    add("--in", dest="solution", metavar="NAME[SPEC]", default="",
        help="as this solution needs it, installed or not")  # fmt: skip
    add("--option", action="append", default=[], metavar="[NAME.]KEY=VALUE",
        help="value of a build option; without NAME of the solution")  # fmt: skip
    solving.add_policy(parser)
    solving.add_fact(parser)
    return _why


def _why(call: Call) -> int:
    asked = why.Order(
        call.args.name,
        call.args.solution,
        solving.options(call),
        solving.policy(call),
    )
    with reporter(call) as tell:
        found = why.why(session_of(call), asked, tell=tell)
    call.console.answer(found, "\n".join(_lines(found)))
    return 0


def _lines(found: why.Why) -> Iterator[str]:
    for text in found.stated:
        yield f"take {text}"
    for case in found.cases:
        where = f" in {found.solution}" if found.solution else ""
        chosen = case.chosen
        said = f"{chosen.version or 'it'} ({chosen.kind})" if chosen else "nothing"
        if found.solution and not case.needed:
            said = "nothing of it asks for it"
        yield f"{found.name}{where}{_CONTEXTS[case.context]}: {said}"
        for one in case.needed:
            yield f"  needed by {one.by}: {one.wants}"
        yield from _candidates(case)
    if found.failure:
        what, *reasons = found.failure
        yield f"nothing was chosen: {what}"
        yield from (f"  {text}" for text in reasons)


def _candidates(case: why.Case) -> Iterator[str]:
    listed = [one for one in case.candidates if one.kind == "listed"]
    hidden = {id(one) for one in listed[_SHOWN:] if not one.chosen}
    shown = [one for one in case.candidates if id(one) not in hidden]
    kinds = max((len(one.kind) for one in shown), default=0)
    wide = max((len(_version(one)) for one in shown), default=0)
    for one in shown:
        place = f"{one.place} ({one.evidence})" if one.evidence else one.place
        verdict = "chosen" + (f"; {one.why}" if one.why else "") if one.chosen else one.why
        mark = "*" if one.chosen else "-"
        yield f"  {mark} {one.kind:<{kinds}}  {_version(one):<{wide}}  {place}: {verdict}"
    if hidden:
        yield f"  and {counted(len(hidden), 'older release')}"
    if not case.candidates:
        yield "  no candidate: it was not found on this machine, and no index has it"


def _version(one: why.Told) -> str:
    version = one.version or ("" if one.kind == "refused" else "unknown")
    return f"{version}-{one.revision}" if one.revision else version
