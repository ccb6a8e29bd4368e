"""The verbs `key` and `trust`.

Rules: private keys are encrypted unless their owner says otherwise; a passphrase never
stands on the command line; nothing is trusted without the names that it is trusted for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack import disk
from crpack.cli.console import table
from crpack.cli.secrets import passphrase
from crpack.cli.sessions import session_of
from crpack.errors import UsageError
from crpack.ops import keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `key` or `trust` and return its handler."""
    return {"key": _configure_key, "trust": _configure_trust}[verb](parser)


def _configure_key(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("action", choices=("new", "list", "export", "import"))
    parser.add_argument("words", nargs="*", metavar="NAME|FILE", help="the key, or file to import")
    parser.add_argument("--name", help="name of an imported key; default: the file's")
    parser.add_argument("--out", metavar="FILE", help="export: write to this file")
    parser.add_argument("--private", action="store_true", help="export: the private file as kept")
    parser.add_argument("--no-passphrase", action="store_true", help="new: no encryption (for CI)")
    parser.add_argument("--passphrase-fd", type=int, metavar="N", help="read the passphrase there")
    return _key


def _configure_trust(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("action", choices=("add", "list", "remove"))
    parser.add_argument("words", nargs="*", metavar="KEYFILE|KEYID", help="the key")
    parser.add_argument(
        "--names",
        action="append",
        default=[],
        metavar="PATTERN",
        help="add: names it may sign: NAME, SCOPE/* or *; may be repeated",
    )
    parser.add_argument("--label", default="", help="add: your word for its owner")
    return _trust


def _word(call: Call, what: str) -> str:
    words = call.args.words
    if len(words) != 1:
        raise UsageError(f"`{call.args.action}` takes {what}", hint="`--help` tells more")
    return str(words[0])


def _key(call: Call) -> int:
    action = call.args.action
    session = session_of(call)
    if action == "list":
        cards = keep.key_list(session)
        rows = [(c.name, c.keyid, "encrypted" if c.encrypted else "NOT encrypted") for c in cards]
        call.console.answer(cards, table(rows))
        if not cards:
            call.console.say("no keys yet; make one with `crpack key new NAME`")
    elif action == "export":
        _export(call, _word(call, "the name of one key"))
    elif action == "import":
        path = _word(call, "one private key file")
        name = call.args.name or path.rpartition("/")[2].removesuffix(".pem")
        secret = None
        if keep.is_encrypted(path):
            secret = passphrase(f"Passphrase of `{path}`", fd=call.args.passphrase_fd)
        card = keep.key_import(session, path, name, secret)
        call.console.answer(card, f"imported key `{card.name}` {card.keyid}")
    else:
        _new(call, _word(call, "a name for the key"))
    return 0


def _new(call: Call, name: str) -> None:
    session = session_of(call)
    session.key_path(name)
    secret = None
    if call.args.no_passphrase:
        call.console.warn("the private key is not encrypted; use such a key for CI only")
    else:
        secret = passphrase(f"Passphrase for `{name}`", fd=call.args.passphrase_fd, new=True)
    card = keep.key_new(session, name, secret)
    call.console.answer(
        card, f"made key `{name}` {card.keyid}\nprivate: {card.path}\npublic:  {card.public_path}"
    )


def _export(call: Call, name: str) -> None:
    data = keep.key_export(session_of(call), name, private=call.args.private)
    if call.args.out:
        disk.write_file(call.args.out, [data], 0o600 if call.args.private else 0o644)
        call.console.answer({"path": call.args.out}, f"wrote {call.args.out}")
    elif call.console.as_json:
        call.console.answer({"pem": data.decode()}, "")
    else:
        call.console.answer({}, data.decode().rstrip("\n"))


def _trust(call: Call) -> int:
    action = call.args.action
    session = session_of(call)
    if action == "list":
        cards = keep.trust_list(session)
        call.console.answer(cards, table([(c.keyid, c.label, ", ".join(c.names)) for c in cards]))
        if not cards:
            call.console.say("no keys are trusted yet; pin one with `crpack trust add KEYFILE`")
    elif action == "add":
        path = _word(call, "one public key file")
        if not call.args.names:
            raise UsageError(
                "a key is trusted for names, and none was given",
                hint="add `--names PATTERN`: a name, `scope/*`, or `*` for every name",
            )
        card = keep.trust_add(session, path, tuple(call.args.names), call.args.label)
        names = ", ".join(card.names)
        call.console.answer(card, f"trusted {card.keyid} ({card.label}) for {names}")
    else:
        card = keep.trust_remove(session, _word(call, "the id of one key"))
        call.console.answer(card, f"no longer trusted: {card.keyid} ({card.label})")
    return 0
