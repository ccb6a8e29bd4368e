"""The verb `lock`: the same versions tomorrow, and on other machines.

Rules: what changed is told in lines of `+`, `-` and `~`; a lock that is right is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.cli import solving
from crpack.cli.progress import reporter
from crpack.cli.sessions import session_of
from crpack.ops import detection, locking

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `lock` and return its handler."""
    return {"lock": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add("specs", nargs="*", metavar="NAME[SPEC]",
        help="what to lock; default: what the lock that is there was made for")  # fmt: skip
    add("--lock", metavar="FILE", default=locking.FILE, help="the lock (default: crpack.lock)")
    add("--option", action="append", default=[], metavar="[NAME.]KEY=VALUE",
        help="value of a build option; without NAME of the first that is asked for")  # fmt: skip
    solving.add_policy(parser)
    solving.add_fact(parser)
    add("--platform", action="append", default=[], metavar="P",
        help="lock for this platform; may be repeated (default: those of the lock that is "
             "there, and this machine)")  # fmt: skip
    add("--facts", action="append", default=[], metavar="FILE",
        help="lock for the machine of these facts; may be repeated")  # fmt: skip
    add("--upgrade", action="append", default=[], metavar="NAME",
        help="choose this name anew; '*' for all")  # fmt: skip
    add("--check", action="store_true", help="only see whether the lock is right (exit 3 if not)")
    add("--dry-run", action="store_true", help="show what would change")
    solving.add_tree(parser)
    return _lock


def _lock(call: Call) -> int:
    args = call.args
    order = locking.Order(
        specs=tuple(args.specs),
        options=solving.options(call),
        policy=solving.policy(call),
        platforms=tuple(args.platform),
        facts=tuple(args.facts),
        upgrade=tuple(args.upgrade),
        path=args.lock,
    )
    session = session_of(call)
    with reporter(call) as tell, solving.AsTree(call):
        if args.check:
            locking.check(session, order, tell=tell)
            call.console.answer({"path": args.lock, "changes": []}, f"{args.lock} is right")
            return 0
        made = locking.lock(session, order, dry_run=args.dry_run, tell=tell)
    data = {"path": made.path, "changed": made.changed, "changes": made.changes}
    data |= {"selected": made.selected, "detected": made.detected}
    data |= {"stated": detection.said(session)}
    for text in detection.said(session):
        call.console.say(text)
    if args.dry_run:
        call.console.plan(data, [str(one) for one in made.changes])
        return 0
    said = f"wrote {made.path}" if made.changed else f"{made.path} is right as it is"
    call.console.answer(data, "\n".join([*map(str, made.changes), said]))
    return 0
