"""The verb `key`.

Rules: private keys are encrypted unless their owner says otherwise; a passphrase never
stands on the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.cli import subverbs
from crpack.cli.console import table
from crpack.cli.secrets import passphrase
from crpack.cli.sessions import session_of
from crpack.ops import keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser
    from crpack.cli.subverbs import Action


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `key` and return its handler."""
    return {"key": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add("action", metavar="ACTION", choices=tuple(_KEY), help=", ".join(_KEY))
    add("word", nargs="?", metavar="NAME|FILE", help="the key, or the file to import")
    add("--name", metavar="NAME", help="import: name of the key; default: the file's")
    add("--out", metavar="FILE", help="export: write to this file, not to standard output")
    add("--private", action="store_true", help="export: the private file as kept")
    add("--no-passphrase", action="store_true", help="new: no encryption (for CI)")
    add("--passphrase-fd", type=int, metavar="N", help="read the passphrase there")
    add("--dry-run", action="store_true", help="show what would be written")
    return subverbs.handler(_KEY)


def _key_list(call: Call) -> None:
    cards = keep.key_list(session_of(call))
    rows = [(c.name, c.keyid, "encrypted" if c.encrypted else "NOT encrypted") for c in cards]
    call.console.answer(cards, table(rows))
    if not cards:
        call.console.say("no keys yet; make one with `crpack key new NAME`")


def _key_new(call: Call, name: str) -> None:
    session = session_of(call)
    if call.args.dry_run:
        _plan(call, keep.key_files(session, name))
        return
    keep.key_files(session, name)  # before the passphrase is asked for
    secret = None
    if call.args.no_passphrase:
        call.console.warn("the private key is not encrypted; use such a key for CI only")
    else:
        secret = passphrase(f"Passphrase for `{name}`", fd=call.args.passphrase_fd, new=True)
    card = keep.key_new(session, name, secret)
    call.console.answer(
        card, f"made key `{name}` {card.keyid}\nprivate: {card.path}\npublic:  {card.public_path}"
    )


def _key_export(call: Call, name: str) -> None:
    args = call.args
    data = keep.key_export(session_of(call), name, private=args.private)
    if args.out and args.dry_run:
        _plan(call, (args.out,))
    elif args.out:
        keep.write_key(args.out, data, private=args.private)
        call.console.answer({"path": args.out}, f"wrote {args.out}")
    else:
        call.console.answer({"pem": data.decode()}, data.decode().rstrip("\n"))


def _key_import(call: Call, path: str) -> None:
    session = session_of(call)
    name = call.args.name or path.rpartition("/")[2].removesuffix(".pem")
    files = keep.key_files(session, name)
    secret = None
    if keep.is_encrypted(path):
        secret = passphrase(f"Passphrase of `{path}`", fd=call.args.passphrase_fd)
    if call.args.dry_run:
        _plan(call, files)
        return
    card = keep.key_import(session, path, name, secret)
    call.console.answer(card, f"imported key `{card.name}` {card.keyid}")


def _plan(call: Call, files: tuple[str, ...]) -> None:
    call.console.plan({"files": files}, [f"would write {path}" for path in files])


_KEY: dict[str, Action] = {
    "new": ("a name for the key", _key_new),
    "list": ("", _key_list),
    "export": ("the name of one key", _key_export),
    "import": ("one private key file", _key_import),
}
