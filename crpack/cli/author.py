"""The verbs `new` and `build`.

Rules: an archive is signed by the key that is named, else by the configured one, else
by the only one there is; without any, the author must say `--unsigned`, and is warned.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from crpack.cli.progress import reporter
from crpack.cli.secrets import private_key
from crpack.cli.sessions import session_of
from crpack.cli.solving import options
from crpack.errors import UsageError
from crpack.model.manifest import KINDS
from crpack.model.quantity import counted, size
from crpack.ops import author

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `new` or `build` and return its handler."""
    return {"new": _configure_new, "build": _configure_build}[verb](parser)


def _configure_new(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("folder", metavar="FOLDER",
        help="folder to make; its last part is the component's name")  # fmt: skip
    parser.add_argument("--kind", choices=KINDS, default="solution", help="default: solution")
    parser.add_argument(
        "--name", metavar="NAME", help="the component's name, where it is not the folder's"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be written")
    return _new


def _configure_build(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add(
        "folder",
        metavar="FOLDER",
        nargs="?",
        default=".",
        help="the component's folder (default: here)",
    )
    add("--key", action="append", default=[], metavar="NAME", help="sign with this key")
    add("--passphrase-fd", type=int, metavar="N", help="read the key's passphrase there")
    add("--unsigned", action="store_true", help="make an archive that nobody vouches for")
    add("--with", action="append", default=[], dest="with_", metavar="PATH",
        help="folder in which required components are looked for")  # fmt: skip
    add("--full", action="store_true", help="carry payloads and sources of the whole closure")
    add("--platform", action="append", default=[], metavar="P",
        help="also carry payloads for this platform, as linux-aarch64-gnu")  # fmt: skip
    add("--option", action="append", default=[], metavar="[NAME.]KEY=VALUE",
        help="value of a build option in payloads; without NAME of this component")  # fmt: skip
    add("--release", action="store_true", help="compress as small as possible (slow)")
    add("--at", default="", metavar="VERSION", help="make this one of the recipe's [versions]")
    add("--out", default="", metavar="PATH", help="file or folder to write to (default: here)")
    add("--check", action="store_true", help="make it twice and compare every byte")
    add("--dry-run", action="store_true", help="show what would be made")
    return _build


def _new(call: Call) -> int:
    args = call.args
    name = args.name or os.path.basename(os.path.abspath(args.folder))
    made = author.new(args.folder, name, args.kind, dry_run=args.dry_run)
    if args.dry_run:
        call.console.plan(made, [f"would write {path}" for path in made.files])
        return 0
    call.console.answer(made, "\n".join(f"wrote {path}" for path in made.files))
    call.console.say(f"\nnext: crpack build {shlex.quote(args.folder)}")
    return 0


def _build(call: Call) -> int:
    args = call.args
    session = session_of(call)
    order = author.Order(
        folder=args.folder,
        with_=tuple(args.with_),
        full=args.full,
        platforms=tuple(args.platform),
        options=options(call),
        level=author.RELEASE_LEVEL if args.release else author.LEVEL,
        version=args.at,
        out=args.out,
    )
    if args.dry_run:
        plan = author.plan(session, order)
        call.console.plan(plan, plan.lines())
        return 0
    names = _signers(call)
    keys = tuple(private_key(call, name) for name in names)
    with reporter(call) as tell:
        built = author.build(session, order, keys, check=args.check, tell=tell)
    lines = [
        f"wrote {built.path}",
        f"  {built.name} {built.version}, {size(built.size)}, sha256 {built.sha256}",
        f"  identity {built.identity}",
        "  signed by " + ", ".join(names) if names else "  NOT signed",
    ]
    lines += [
        f"  payload {p.platform}: {counted(p.files, 'file')}, {size(p.unpacked)}"
        for p in built.payloads
    ]
    lines += [f"  test of {_tested(test)}" for test in built.tests if test.status]
    lines += [f"  carries {text}" for text in built.components]
    if built.sandbox:
        lines.append(f"  steps ran in sandbox level {built.sandbox}, network: {built.network}")
    if built.sandbox == "L0":
        call.console.warn("the setting `sandbox` let the build run unconfined")
    if built.checked:
        lines.append("  made twice: every byte is the same")
    call.console.answer(built, "\n".join(lines))
    return 0


def _tested(test: author.Tested) -> str:
    reason = f": {test.reason}" if test.reason else ""
    return f"{test.name} for {test.platform}: {test.status}{reason}"


def _signers(call: Call) -> tuple[str, ...]:
    """Return the names of the keys to sign with: asked for, configured, or the only one."""
    args = call.args
    if args.unsigned:
        if args.key:
            raise UsageError("`--unsigned` and `--key` exclude each other", hint="use one of them")
        call.console.warn("the archive is not signed; others can install it only by force")
        return ()
    configured = call.settings.text("key")
    names = tuple(args.key) or ((configured,) if configured else session_of(call).archive_keys())
    if len(names) == 1 or args.key:
        return names
    if not names:
        raise UsageError(
            "there is no key to sign the archive with",
            hint="make one with `crpack key new NAME`, or build with `--unsigned`",
        )
    known = ", ".join(f"`{name}`" for name in names)
    raise UsageError(
        "there are several keys and none was chosen",
        why=[f"known are {known}"],
        hint="add `--key NAME`, or set `key` in the configuration",
    )
