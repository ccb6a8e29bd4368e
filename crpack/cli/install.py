"""The verb `install`: what is there already is seen at once; `device` does the rest.

Rules (SPEC ASK-07): a bare name that is installed, asked for without further choices, is left
alone. That is read from small state files; nothing heavy is imported and no index is asked.
"""

from __future__ import annotations

import os

from crpack.cli import solving
from crpack.install import state
from crpack.model import names

TYPE_CHECKING = False  # `typing` costs as much as `json`, and this path needs neither
if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `install` and return its handler."""
    return {"install": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add("places", nargs="*", metavar="NAME[SPEC]|FILE|URL",
        help="from an index, such as 'demo>=1'; or an archive or bundle")  # fmt: skip
    solving.add_choices(parser)
    solving.add_elsewhere(parser)
    add("--locked", action="store_true",
        help="install what the lock says; it must be of these requests and choices")  # fmt: skip
    add("--frozen", action="store_true", help="install what the lock says, as it is")
    add("--lock", metavar="FILE", default=solving.LOCK, help="the lock (default: crpack.lock)")
    return _install


def _install(call: Call) -> int:
    found = _standing(call)
    if not found:
        from crpack.cli import device

        return device.install(call)
    lines = [f"{one.name} {one.version} is installed already; nothing was changed" for one in found]
    call.console.answer([_row(one) for one in found], "\n".join(lines))
    return 0


def _standing(call: Call) -> list[state.Installed]:
    """Return what is installed under all the names that are asked for; empty if one is not."""
    args = call.args
    chosen = [args.option, args.reinstall, args.locked, args.frozen, args.no_detect]
    chosen += [args.only_detected, args.prefer != solving.PREFER[0], args.dry_run]
    chosen += [args.fact, args.platform, args.facts]
    if any(chosen) or not args.places:
        return []
    bare = all(names.is_name(place) and not os.path.isfile(place) for place in args.places)
    if not bare or not os.path.isdir(call.prefix):
        return []
    sound = [item for item in state.installed(call.prefix) if not item.damage]
    there = {item.name: item for item in sound if not state.is_foreign(item.platform)}
    return [there[name] for name in args.places] if there.keys() >= set(args.places) else []


def _row(item: state.Installed) -> dict[str, object]:
    """Return what `install` answers of one solution, with nothing done to it."""
    row: dict[str, object] = {"name": item.name, "version": item.version}
    row |= {"generation": item.number, "changed": False, "wheels": 0}
    row |= dict.fromkeys(("parts", "signers", "next", "warnings"), ())
    row |= dict.fromkeys(("python", "freshness", "sandbox", "network", "platform"), "")
    return {**row, "unsigned": item.unsigned}
