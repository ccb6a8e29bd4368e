"""The verb `detect`: this machine's facts, and the software that it has."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from crpack.cli.console import table
from crpack.cli.sessions import session_of
from crpack.model.quantity import counted
from crpack.ops import probing

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser

_TOLD = 3  # programs that do not count, each in a line of its own


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `detect` and return its handler."""
    return {"detect": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; default: all known")
    parser.add_argument("--save", metavar="FILE", help="write the facts as JSON")
    parser.add_argument("--refresh", action="store_true", help="forget remembered answers")
    parser.add_argument("--no-exec", action="store_true", help="start no program")
    parser.add_argument("--dry-run", action="store_true", help="show what would be run")
    return _detect


def _detect(call: Call) -> int:
    args = call.args
    session = session_of(call)
    names = tuple(args.names)
    if args.dry_run:
        planned = probing.detect_plan(session, names)
        call.console.plan(planned, planned)
        return 0
    seen = probing.detect(session, names, refresh=args.refresh, execute=not args.no_exec)
    if args.save:
        probing.save_facts(seen.facts, args.save)
        call.console.say(f"wrote {args.save}")
    _warn(call, seen)
    facts = seen.facts
    lines = []
    if not names:
        rows = [("platform", facts.platform), ("processor", (f"{facts.cpu.model or 'unknown'}, "
                f"{facts.cpu.cores} cores"))]  # fmt: skip
        rows += list(facts.capabilities)
        rows += [(name, f"absent: {why}") for name, why in facts.absent]
        lines += [table(rows), ""]
    lines.append(
        table([(f.name, f.version or "unknown", f.target, f.path, f.how) for f in facts.found])
    )
    data = {**asdict(facts), "missing": seen.missing, "refused": seen.refused}
    call.console.answer(data, "\n".join(lines).rstrip())
    for one in facts.found:
        for name, text in one.notes:
            if name == "disagrees":
                call.console.say(f"`{one.name}` {one.version}, {one.how}: {text}")
    for text in seen.missing:
        call.console.say(f"not found: {text}")
    return 0


def _warn(call: Call, seen: probing.Seen) -> None:
    """Tell what was looked at and is no finding; with `-v` all of it (SPEC DET-16)."""
    if seen.unasked:
        programs = counted(seen.unasked, "program")
        call.console.warn(
            f"{programs} not asked, for this machine cannot confine a probe; `--sandbox none` asks"
        )
    for one in seen.unfit[:_TOLD]:
        call.console.warn(f"`{one.path}` does not count as `{one.name}`: {one.why}")
    if len(seen.unfit) > _TOLD:
        more = counted(len(seen.unfit) - _TOLD, "more program")
        call.console.warn(f"nor do {more}, as `crpack detect -v` and `crpack why` tell")
    for one in (one for one in seen.refused if one not in seen.unfit[:_TOLD]):
        call.console.detail(f"{one.path}: {one.why}")
