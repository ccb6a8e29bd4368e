"""The verbs `index` and `publish`.

Rules: an index's private keys never lie in its folder; keys that crpack makes for it stand in the
user's key store, and the user is told to take the root keys off this machine. What others put into
the folder is shown, and a person or `--yes` agrees, before a key of root or targets signs it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.cli.console import plain
from crpack.cli.progress import reporter
from crpack.cli.secrets import passphrase
from crpack.cli.sessions import session_of
from crpack.errors import CheckFailed, UsageError
from crpack.index import head
from crpack.model.quantity import counted
from crpack.ops import founding, host, publishing, remote
from crpack.ops.edits import KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser
    from crpack.index.difference import Difference
    from crpack.index.publishers import Rule
    from crpack.ops.edits import Change
    from crpack.session import Session
    from crpack.trust.keys import PrivateKey, PublicKey

_ACTIONS = """\
actions:
  new DIR                        make an index in a folder
  add DIR FILE…                  list archives, and copy them there
  yank DIR NAME==VERSION         tell that a version should not be chosen (--reason)
  refresh DIR                    sign the timestamp again, and what else ends soon
  check DIR                      read all of it and tell every fault
  allow DIR PATTERN KEY…         let these keys publish names (NAME, SCOPE/*, *)
  revoke DIR KEY…                let these keys publish nothing any more (id, label or name)
  keys DIR                       change who signs the index (--root-key, …)
  sign DIR root|targets          show what waits, and once you agree sign it (--yes, --key)"""


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `index` or `publish` and return its handler."""
    return {"index": _configure_index, "publish": _configure_publish}[verb](parser)


def _configure_index(parser: VerbParser) -> Callable[[Call], int]:
    parser.epilog = _ACTIONS
    add = parser.add_argument
    add("action", choices=tuple(_HANDLERS), metavar="ACTION", help="see below")
    add("folder", metavar="DIR", help="the index's folder")
    add("words", nargs="*", metavar="ARGUMENT", help="see below")
    add("--root-key", action="append", default=[], metavar="KEY",
        help="new, keys: one of the root's; a key's name, or a file")  # fmt: skip
    add("--threshold", type=int, metavar="N",
        help="new, keys: how many root keys must sign (new: 2)")  # fmt: skip
    add("--targets-key", default="", metavar="KEY", help="new, keys: signs who may publish")
    add("--online-key", default="", metavar="KEY", help="new, keys: signs each change of the list")
    add("--publisher", action="append", default=[], metavar="PATTERN=KEY",
        help="new: may publish these names")  # fmt: skip
    add("--may-build", action="store_true", help="allow: what they sign builds in a weaker sandbox")
    add("--reason", help='yank: why; an empty one ("") takes it back')
    _add_key_options(parser)
    add("--no-passphrase", action="store_true", help="new: keys without encryption (for CI)")
    add("--yes", action="store_true", help="sign: agree to what is shown without being asked")
    add("--dry-run", action="store_true", help="show what would be written")
    return lambda call: _HANDLERS[call.args.action](call)


def _configure_publish(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="archives")
    add("--to", required=True, metavar="PLACE", help="folder of an index, here or at HOST:PATH")
    _add_key_options(parser)
    add("--dry-run", action="store_true", help="show what would be written")
    return _publish


def _add_key_options(parser: VerbParser) -> None:
    parser.add_argument("--key", action="append", default=[], metavar="NAME",
        help="sign with these keys, and with no other root or targets key")  # fmt: skip
    parser.add_argument("--passphrase-fd", type=int, metavar="N", help="read the passphrase there")


def _publish(call: Call) -> int:
    place = remote.place(session_of(call), call.args.to)
    with reporter(call) as tell:
        change = host.add(
            session_of(call), place, call.args.files, _ring(call),
            dry_run=call.args.dry_run, tell=tell,
        )  # fmt: skip
    return _answer(call, change)


def _new(call: Call) -> int:
    _no_words(call)
    session, args = session_of(call), call.args
    rules = [founding.rule(session, *_publisher(text)) for text in args.publisher]
    rules = rules or _own_rule(session)
    ring, founders = _ring(call), _founders(call, session)
    host.check_new(args.folder)
    if not (founders.root or founders.targets or founders.online):
        names = founding.key_names(args.folder)
        if args.dry_run:
            call.console.plan({"keys": names}, [f"would make the key `{name}`" for name in names])
            return 0
        ring, founders = _made_keys(call, session, names)
    if not (founders.root and founders.targets and founders.online):
        hint = "add the missing ones of `--root-key`, `--targets-key` and `--online-key`, or none"
        raise UsageError("an index has keys for its root, its targets and its list", hint=hint)
    change = host.new(session, args.folder, founders, rules, ring, dry_run=args.dry_run)
    if not rules:
        hint = f"crpack index allow {args.folder} PATTERN KEY"
        call.console.warn(f"nobody may publish there yet; `{hint}` lets a key")
    return _answer(call, change)


def _add(call: Call) -> int:
    with reporter(call) as tell:
        change = host.add(
            session_of(call), _folder(call), _words(call, "archive files"), _ring(call),
            dry_run=call.args.dry_run, tell=tell,
        )  # fmt: skip
    return _answer(call, change)


def _yank(call: Call) -> int:
    words = _words(call, "one NAME==VERSION", most=1)
    if call.args.reason is None:
        raise UsageError(
            f"nobody would learn why `{words[0]}` is yanked",
            hint='add `--reason TEXT`; `--reason ""` takes it back',
        )
    change = host.yank(
        session_of(call), _folder(call), words[0], call.args.reason, _ring(call),
        dry_run=call.args.dry_run,
    )  # fmt: skip
    return _answer(call, change)


def _refresh(call: Call) -> int:
    _no_words(call)
    dry_run = call.args.dry_run
    return _answer(
        call, host.refresh(session_of(call), _folder(call), _ring(call), dry_run=dry_run)
    )


def _check(call: Call) -> int:
    _no_words(call)
    audit = host.check(session_of(call), _folder(call))
    if audit.faults:
        raise CheckFailed(
            f"the index in `{call.args.folder}` has {counted(len(audit.faults), 'fault')}",
            why=audit.faults[:20],
            data={"faults": list(audit.faults), "notes": list(audit.notes)},
        )
    for note in audit.notes:
        call.console.warn(note)
    call.console.answer(
        audit,
        f"{counted(audit.names, 'name')}, {counted(audit.releases, 'release')}, "
        f"{counted(audit.archives, 'archive')}: whole",
    )
    return 0


def _allow(call: Call) -> int:
    pattern, *keys = _words(call, "a pattern and keys", least=2)
    session, args = session_of(call), call.args
    rule = founding.rule(session, pattern, tuple(keys), may_build=args.may_build)
    return _answer(
        call, host.let(session, _folder(call), rule, (), _ring(call), dry_run=args.dry_run)
    )


def _revoke(call: Call) -> int:
    session, place, dry_run = session_of(call), _folder(call), call.args.dry_run
    ids = founding.key_ids(session, place, _words(call, "keys"))
    return _answer(call, host.let(session, place, None, ids, _ring(call), dry_run=dry_run))


def _keys(call: Call) -> int:
    _no_words(call)
    session, dry_run = session_of(call), call.args.dry_run
    founders = _founders(call, session)
    if founders == founding.Founders():
        raise UsageError(
            "nothing is said that would change who signs the index",
            hint="add `--root-key`, `--threshold`, `--targets-key` or `--online-key`; "
            "`index refresh` renews what ends soon",
        )
    ring = replace(_ring(call), show=lambda one: call.console.say("\n".join(one.lines())))
    return _answer(call, host.rekey(session, _folder(call), founders, ring, dry_run=dry_run))


def _sign(call: Call) -> int:
    role = _words(call, "`root` or `targets`", most=1)[0]
    session, place = session_of(call), _folder(call)
    waiting = host.waiting(session, place, role)
    if call.args.dry_run:
        call.console.plan(waiting, ["would sign", *waiting.lines()])
        return 0
    _agree(call, waiting)
    return _answer(call, host.sign(session, place, waiting, _ring(call)))


def _agree(call: Call, waiting: Difference) -> None:
    """Show what waits; go on with `--yes` or when a person types it (SPEC PUB-20)."""
    args, lines = call.args, waiting.lines()
    if args.yes:
        call.console.say("\n".join(lines))
        return
    streams = (sys.stdin, sys.stderr)
    if args.json or not all(stream is not None and stream.isatty() for stream in streams):
        raise UsageError(
            f"nothing signs `{waiting.role}` before you agree to what it changes",
            why=lines,
            hint=f"add `--yes` if you want that; else remove `{head.draft_path(waiting.role)}`",
            data={"difference": plain(waiting)},
            rule="PUB-20",
        )
    call.console.warn("\n".join(("this waits for your signature:", *lines)), always=True)
    call.console.warn("sign it? Type `yes`:", always=True)
    try:
        answer = sys.stdin.readline().strip()
    except OSError:
        answer = ""
    if answer != "yes":
        raise UsageError("nothing was signed", hint="nothing was changed")


_HANDLERS: dict[str, Callable[[Call], int]] = {
    "new": _new,
    "add": _add,
    "yank": _yank,
    "refresh": _refresh,
    "check": _check,
    "allow": _allow,
    "revoke": _revoke,
    "keys": _keys,
    "sign": _sign,
}


def _answer(call: Call, change: Change) -> int:
    for one in change.ignored:
        call.console.warn(one)
    if call.args.dry_run:
        call.console.plan(change, [*(f"would have {one}" for one in change.done),
                                   *(f"  {path}" for path in change.files)])  # fmt: skip
        return 0
    lines = [*change.done, f"  {counted(len(change.files), 'file')} below {change.place}"]
    lines += [f"  root fingerprint {change.fingerprint}"] if change.fingerprint else []
    lines += [f"  as of {change.date}"] if change.date else []
    lines += [f"  waiting: {one}; see `crpack index sign`" for one in change.missing]
    call.console.answer(change, "\n".join(lines))
    return 0


def _folder(call: Call) -> publishing.Folder:
    return publishing.Folder(os.path.abspath(call.args.folder))


def _words(call: Call, what: str, *, least: int = 1, most: int = 10_000) -> tuple[str, ...]:
    words = tuple(call.args.words)
    if not least <= len(words) <= most:
        hint = "`crpack index --help` tells more"
        raise UsageError(f"`index {call.args.action}` takes {what} after the folder", hint=hint)
    return words


def _no_words(call: Call) -> None:
    if call.args.words:
        raise UsageError(f"`index {call.args.action}` takes a folder and nothing else")


def _publisher(text: str) -> tuple[str, tuple[str, ...]]:
    pattern, equals, key = text.partition("=")
    if not equals or not key:
        raise UsageError(f"`{text}` is not of the form `PATTERN=KEY`")
    return pattern, (key,)


def _founders(call: Call, session: Session) -> founding.Founders:
    def publics(*texts: str) -> tuple[PublicKey, ...]:
        return tuple(founding.public_key(session, text) for text in texts if text)

    args = call.args
    return founding.Founders(
        root=publics(*args.root_key),
        threshold=args.threshold,
        targets=publics(args.targets_key),
        online=publics(args.online_key),
    )


def _own_rule(session: Session) -> list[Rule]:
    """Let the user's own key publish everything, when there is one that is meant."""
    names = session.archive_keys()
    name = session.config.text("key") or (names[0] if len(names) == 1 else "")
    return [founding.rule(session, "*", (name,))] if name else []


def _made_keys(
    call: Call, session: Session, names: tuple[str, ...]
) -> tuple[KeyRing, founding.Founders]:
    """Make one set of keys for a new index, under one passphrase."""
    secret = None
    if not call.args.no_passphrase:
        prompt = "Passphrase for the keys of the index"
        secret = passphrase(prompt, fd=call.args.passphrase_fd, new=True)
    founders = founding.make_keys(session, names, secret, call.args.threshold)
    call.console.warn(
        f"made the keys {', '.join(names)}; whoever has two of the three root keys owns the "
        f"index, so move them from `{os.path.dirname(session.key_path(names[0]))}` to media that "
        "are kept offline"
    )
    return KeyRing(lambda name: session.private_key(name, secret)), founders


def _ring(call: Call) -> KeyRing:
    """Return the user's keys; a descriptor is read once, a passphrase asked for once a key."""
    session, fd = session_of(call), call.args.passphrase_fd
    secrets: dict[str, bytes] = {}

    def unlock(name: str) -> PrivateKey:
        if not session.is_encrypted(name):
            return session.private_key(name, None)
        which = "" if fd is not None else name
        if which not in secrets:
            secrets[which] = passphrase(f"Passphrase of key `{name}`", fd=fd)
        return session.private_key(name, secrets[which])

    return KeyRing(unlock, tuple(call.args.key))
