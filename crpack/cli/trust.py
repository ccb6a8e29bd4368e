"""The verb `trust`: whose archives and which indexes are believed.

Rules: a key is trusted for names only; an index by the fingerprint of its root. A key file is known
by its content. Without a fingerprint a person is asked, on a terminal only.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from crpack.cli import subverbs
from crpack.cli.console import table
from crpack.cli.sessions import session_of
from crpack.errors import UsageError
from crpack.ops import keep, trusting

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser
    from crpack.cli.subverbs import Action


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `trust` and return its handler."""
    return {"trust": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add("action", metavar="ACTION", choices=tuple(_ACTIONS), help=", ".join(_ACTIONS))
    add("word", nargs="?", metavar="KEYFILE|URL|DIR|NAME|KEYID",
        help="add: a public key or an index; remove, rotate: what is trusted now")  # fmt: skip
    add("--names", action="append", default=[], metavar="PATTERN",
        help="add KEYFILE: names it may sign: NAME, SCOPE/* or *; may be repeated")  # fmt: skip
    add("--label", metavar="TEXT", default="", help="add KEYFILE: your word for its owner")
    add("--may-build", action="store_true",
        help="add KEYFILE: what it signs may build in a weaker sandbox than L2")  # fmt: skip
    add("--root-fingerprint", metavar="sha256:HEX", default="",
        help="add, rotate: what the owner of the index says its root is")  # fmt: skip
    add("--name", metavar="NAME", default="", help="add: your word for an index")
    add("--by", metavar="KEYFILE", default="", help="rotate KEYID: the key that follows it")
    add("--dry-run", action="store_true", help="show what would be written")
    return subverbs.handler(_ACTIONS)


def _list(call: Call) -> None:
    session = session_of(call)
    pinned, indexes = keep.trust_list(session), trusting.cards(session)
    rows = [("key", c.keyid, c.label, ", ".join(c.names) + _building(c)) for c in pinned]
    rows += [
        ("index", f"sha256:{c.fingerprint}", c.name, c.url or f"came with crpack, as of {c.date}")
        for c in indexes
    ]
    call.console.answer({"keys": pinned, "indexes": indexes}, table(rows))
    if not pinned:
        call.console.say(
            "no keys are trusted yet; pin one with `crpack trust add KEYFILE --names PATTERN`"
        )


def _add(call: Call, word: str) -> None:
    if trusting.is_index(word):
        _add_index(call, word)
        return
    args = call.args
    keep.public_key(word)
    if args.root_fingerprint or args.name:
        raise UsageError(
            f"`{word}` is a key file, and no index",
            hint="a key file takes `--names PATTERN`; an index `--root-fingerprint sha256:…`",
        )
    if not args.names:
        raise UsageError(
            "a key is trusted for names, and none was given",
            hint="add `--names PATTERN`: a name, `scope/*`, or `'*'` for every name",
        )
    session = session_of(call)
    card = keep.trust_add(
        session, word, tuple(args.names), args.label, may_build=args.may_build,
        dry_run=args.dry_run,
    )  # fmt: skip
    text = f"trusted {card.keyid} ({card.label}) for {', '.join(card.names)}"
    _changed(call, card, text + _building(card))


def _building(card: keep.PinCard) -> str:
    return "; may build in any sandbox" if card.may_build else ""


def _add_index(call: Call, word: str) -> None:
    args = call.args
    if args.names or args.label or args.may_build:
        raise UsageError(
            "`--names`, `--label`, `--may-build` are for keys; an index says itself who publishes",
            hint="give the index a name of yours with `--name NAME`",
        )
    session = session_of(call)
    sight = trusting.look(session, word)
    fingerprint = args.root_fingerprint or _asked(call, sight)
    card = trusting.add(
        session, sight, name=args.name, fingerprint=fingerprint, dry_run=args.dry_run
    )
    _changed(call, card, f"trusted the index `{card.name}` in {card.url}, {_seen(card.date)}")


def _seen(date: str) -> str:
    return f"as of {date}" if date else "which was not looked at"


def _asked(call: Call, sight: trusting.Sight) -> str:
    """Ask a person whether the fingerprint that was found is the right one (SPEC TRU-02)."""
    shown = f"sha256:{sight.fingerprint}"
    streams = (sys.stdin, sys.stderr)
    asks = all(stream is not None and stream.isatty() for stream in streams)
    if call.args.json or not asks or not sight.fingerprint:
        why = "there is no terminal to ask on" if sight.fingerprint else "it was not looked at"
        raise UsageError(
            "an index is trusted by the fingerprint of its root, and none was given",
            why=[why],
            hint="ask its owner, then add `--root-fingerprint sha256:…`",
            rule="TRU-02",
        )
    call.console.say(
        f"The index in {sight.url} says that its root has the fingerprint\n  {shown}\n"
        "Compare it with what its owner told you on another way."
    )
    call.console.say("Trust it? Type `yes`:")
    try:
        answer = sys.stdin.readline().strip()
    except OSError:
        answer = ""
    if answer != "yes":
        raise UsageError("the index is not trusted", hint="nothing was changed")
    return shown


def _remove(call: Call, word: str) -> None:
    session, dry_run = session_of(call), call.args.dry_run
    pin = trusting.find(session, word)
    if pin is not None:
        gone = trusting.remove(session, pin, dry_run=dry_run)
        _changed(call, gone, f"no longer trusted: the index `{gone.name}` in {gone.url}")
        return
    card = keep.trust_remove(session, word, dry_run=dry_run)
    _changed(call, card, f"no longer trusted: {card.keyid} ({card.label})")


def _rotate(call: Call, word: str) -> None:
    session, args = session_of(call), call.args
    pin = trusting.find(session, word)
    if pin is not None:
        if not args.root_fingerprint:
            raise UsageError(
                "another root is trusted by its fingerprint, and none was given",
                hint="ask the owner of the index, then add `--root-fingerprint sha256:…`",
            )
        new = trusting.rotate(session, pin, args.root_fingerprint, dry_run=args.dry_run)
        _changed(call, new, f"trusted the root sha256:{new.fingerprint} for `{new.name}`")
        return
    if not args.by:
        raise UsageError(
            "a key is followed by another one, and none was given", hint="add `--by KEYFILE`"
        )
    card = keep.trust_rotate(session, word, args.by, dry_run=args.dry_run)
    _changed(call, card, f"trusted {card.keyid} ({card.label}) in its place")


def _changed(call: Call, card: object, text: str) -> None:
    if call.args.dry_run:
        call.console.plan(card, [f"would be {text}"])
    else:
        call.console.answer(card, text)


_ACTIONS: dict[str, Action] = {
    "add": ("one public key file, or the address of an index", _add),
    "list": ("", _list),
    "remove": ("a key's id, or an index", _remove),
    "rotate": ("a key's id, or an index", _rotate),
}
