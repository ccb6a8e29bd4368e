"""The verb `bundle`: one file to carry to a machine without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.cli import solving
from crpack.cli.progress import reporter
from crpack.cli.secrets import private_key
from crpack.cli.sessions import session_of
from crpack.model.quantity import counted, size
from crpack.ops import bundling, change, locking

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `bundle` and return its handler."""
    return {"bundle": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add("specs", nargs="*", metavar="NAME[SPEC]",
        help="what to carry; default: what the lock says, as it is")  # fmt: skip
    add("--out", metavar="FILE", default="", help="the bundle (default: NAME.crbundle, here)")
    add("--option", action="append", default=[], metavar="[NAME.]KEY=VALUE",
        help="value of a build option; without NAME of the first that is asked for")  # fmt: skip
    solving.add_policy(parser)
    solving.add_fact(parser)
    add("--platform", action="append", default=[], metavar="P",
        help="for this platform; may be repeated (default: this machine)")  # fmt: skip
    add("--facts", action="append", default=[], metavar="FILE",
        help="for the machine of these facts; may be repeated")  # fmt: skip
    add("--lock", metavar="FILE", default=locking.FILE, help="the lock (default: crpack.lock)")
    add("--key", action="append", default=[], metavar="NAME",
        help="sign the lock with this key, and vouch for the wheels; may be repeated")  # fmt: skip
    solving.add_tree(parser)
    add("--dry-run", action="store_true", help="show what would be carried")
    return _bundle


def _bundle(call: Call) -> int:
    args = call.args
    order = locking.Order(
        specs=tuple(args.specs),
        options=solving.options(call),
        policy=solving.policy(call),
        platforms=tuple(args.platform),
        facts=tuple(args.facts),
        path=args.lock,
    )
    frozen = not args.specs
    session = session_of(call)
    with reporter(call) as tell, solving.AsTree(call):
        if args.dry_run:
            made = locking.frozen(session, order, as_it_is=frozen, tell=tell)
            carries = change.between(None, made.lock)
            lines = [f"would carry {str(one)[2:]}" for one in carries]
            call.console.plan({"carries": carries}, lines)
            return 0
        signers = tuple(private_key(call, name) for name in args.key)
        done = bundling.make(session, order, args.out, frozen=frozen, signers=signers, tell=tell)
    if done.wheels and not signers:
        call.console.warn("nobody signs for the wheels: `--key NAME` would; who installs is warned")
    archives, wheels = counted(done.archives, "archive"), counted(done.wheels, "wheel")
    lines = [
        f"wrote {done.path}",
        f"  {size(done.size)}: {archives}, {wheels}, for {', '.join(done.platforms)}",
        (
            f"  the index is as of {done.date}; it serves offline for "
            f"{session.config.number('max-offline-age')} days from then"
        ),
        *(f"  to be compiled where it is installed: {text}" for text in done.made_there),
        *(
            f"  where the C library is that of {one} or newer, payloads serve: `--platform {one}`"
            for one in done.spare
        ),
        f"  signed by {', '.join(args.key) or 'nobody'}",
        f"next: crpack install {done.path.rpartition('/')[2]}",
    ]
    call.console.answer(done, "\n".join(lines))
    return 0
