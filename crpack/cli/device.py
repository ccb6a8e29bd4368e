"""The verbs `install`, `update` and `remove`.

Rules: a summary of a few lines says what is installed now and where each part came
from, who signed it, and what to do next; it always says what was or was not changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.cli.progress import reporter
from crpack.cli.sessions import session_of
from crpack.errors import UsageError
from crpack.install import plan as install_plan
from crpack.ops import device

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `install`, `update` or `remove` and return its handler."""
    makers = {
        "install": _configure_install,
        "update": _configure_update,
        "remove": _configure_remove,
    }
    return makers[verb](parser)


def _choices(parser: VerbParser) -> None:
    add = parser.add_argument
    add("--option", action="append", default=[], metavar="[NAME.]KEY=VALUE",
        help="value of a build option; without NAME of the solution itself")  # fmt: skip
    add("--allow-unsigned", action="store_true", help="take what nobody signed (loud, recorded)")
    add(
        "--no-detect", action="store_true", help="use nothing that the machine has, compilers aside"
    )
    add("--reinstall", action="store_true", help="hash what is there; make again what is damaged")
    add("--dry-run", action="store_true", help="show what would be done; change nothing")


def _configure_install(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("place", metavar="FILE|URL", help="an archive, such as demo-1.0.crpkg")
    _choices(parser)
    return _install


def _configure_update(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("place", metavar="FILE|URL|NAME", help="an archive; a name to roll back")
    parser.add_argument(
        "--rollback",
        nargs="?",
        type=int,
        const=0,
        metavar="N",
        help="make the state of generation N the current one; without N the one before",
    )
    _choices(parser)
    return _update


def _configure_remove(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("names", nargs="+", metavar="NAME", help="installed solutions")
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed")
    return _remove


def _order(call: Call) -> device.Order:
    return device.Order(
        place=call.args.place,
        options=tuple(_option(text) for text in call.args.option),
        allow_unsigned=call.args.allow_unsigned,
        detect=not call.args.no_detect,
        reinstall=call.args.reinstall,
    )


def _option(text: str) -> tuple[str, str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"`{text}` is not an option", hint="write `--option KEY=VALUE`")
    name, _, option = key.rpartition(".")
    return name, option, value


def _install(call: Call, *, update: bool = False) -> int:
    session = session_of(call)
    order = _order(call)
    with reporter(call) as tell:
        if call.args.dry_run:
            plan = device.plan(session, order, tell=tell)
            call.console.answer(install_plan.table(plan), "\n".join(install_plan.lines(plan)))
            call.console.say("nothing was changed")
            return 0
        done = device.install(session, order, update=update, tell=tell)
    for warning in done.warnings:
        call.console.warn(warning)
    if done.sandbox == "L0":
        call.console.warn("the setting `sandbox` let builds run unconfined")
    call.console.answer(done, "\n".join(_lines(call, done)))
    return 0


def _lines(call: Call, done: device.Installed) -> list[str]:
    paint = call.console.paint
    if not done.changed:
        return [f"{done.name} {done.version} is installed already; nothing was changed"]
    lines = [
        f"{paint('installed', 'green')} {done.name} {done.version} as generation {done.generation}"
    ]
    lines += [f" {paint('+', 'green')} {part}" for part in done.parts]
    if done.wheels:
        lines.append(f" {paint('+', 'green')} {done.wheels} Python distributions ({done.python})")
    lines.append(f"signed by {', '.join(done.signers) or 'nobody'}; freshness unknown")
    if done.sandbox:
        lines.append(f"builds ran in sandbox level {done.sandbox}, network: {done.network}")
    lines += [f"next: crpack {text}" for text in done.next]
    return lines


def _update(call: Call) -> int:
    if call.args.rollback is None:
        return _install(call, update=True)
    if call.args.option or call.args.allow_unsigned or call.args.no_detect or call.args.reinstall:
        raise UsageError(
            "`--rollback` brings back a generation as it was and takes no other choice"
        )
    session = session_of(call)
    if call.args.dry_run:
        number = device.rollback_target(session, call.args.place, call.args.rollback)
        text = f"would go back to the state of generation {number}"
        call.console.answer({"name": call.args.place, "to": number}, text)
        return 0
    back = device.rollback(session, call.args.place, call.args.rollback)
    call.console.answer(
        back, f"{back.name} is back at {back.version}, generation {back.restored}, "
        f"as generation {back.generation}",
    )  # fmt: skip
    return 0


def _remove(call: Call) -> int:
    session = session_of(call)
    names = tuple(call.args.names)
    if call.args.dry_run:
        device.require(session, names)
        call.console.answer({"names": names}, "\n".join(f"would remove {name}" for name in names))
        return 0
    gone = device.remove(session, names)
    lines = [f"- {item.name} {item.version}" for item in gone.solutions]
    lines.append(f"freed {gone.trees} trees and {gone.environments} Python environments")
    call.console.answer(gone, "\n".join(lines))
    return 0
