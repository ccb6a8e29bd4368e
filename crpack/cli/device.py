"""The verbs `update` and `remove`, and the work of `install`.

Rules: a summary of a few lines says what is installed now and where each part came
from, who signed it, and what to do next; it always says what was or was not changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.cli import solving
from crpack.cli.progress import reporter
from crpack.cli.sessions import session_of
from crpack.errors import UsageError
from crpack.install import plan as install_plan
from crpack.model.quantity import counted
from crpack.ops import device, elsewhere, locking, undoing

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser
    from crpack.install.plan import InstallPlan
    from crpack.model.facts import Facts
    from crpack.ops.progress import Tell
    from crpack.session import Session


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `update` or `remove` and return its handler."""
    return {"update": _configure_update, "remove": _configure_remove}[verb](parser)


def _configure_update(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("places", nargs="*", metavar="NAME[SPEC]|FILE|URL",
        help="what to replace by its newest; default: all that came from an index")  # fmt: skip
    parser.add_argument(
        "--rollback",
        nargs="?",
        type=int,
        const=0,
        metavar="N",
        help="make the state of generation N the current one; without N the one before",
    )
    solving.add_choices(parser)
    solving.add_elsewhere(parser)
    return _update


def _configure_remove(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("names", nargs="+", metavar="NAME", help="installed solutions")
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed")
    return _remove


def _order(call: Call, place: str, there: Facts | None) -> device.Order:
    return device.Order(
        place=place,
        options=solving.options(call),
        allow_unsigned=call.args.allow_unsigned,
        detect=not call.args.no_detect,
        reinstall=call.args.reinstall,
        there=there,
    )


def _named(
    call: Call, specs: tuple[str, ...], there: Facts | None, *, update: bool
) -> device.NameOrder:
    lock = None
    if not update and call.args.frozen and _chooses(call):
        what = "`--only-detected` and `--prefer` say how to choose, and `--frozen` chooses nothing"
        raise UsageError(what, hint="leave them out, or lock so: `crpack lock`")
    if not update and (call.args.locked or call.args.frozen):
        order = locking.Order(
            specs=specs, options=solving.options(call), policy=solving.policy(call),
            path=call.args.lock,
        )  # fmt: skip
        lock, specs = locking.ready(order, frozen=call.args.frozen)
    return device.NameOrder(
        specs=specs,
        options=solving.options(call),
        policy=solving.policy(call),
        reinstall=call.args.reinstall,
        update=update,
        lock=lock,
        there=there,
    )


def _chooses(call: Call) -> bool:
    """Say whether a command line has a word on how to choose among what there is."""
    return bool(call.args.only_detected) or call.args.prefer != solving.PREFER[0]


def install(call: Call) -> int:
    """Install what a command line asks for (see `cli/install`)."""
    if not call.args.places and not (call.args.locked or call.args.frozen):
        raise UsageError(
            "nothing is asked for",
            hint="name a solution or an archive: `crpack install NAME`; "
            "`--frozen` installs what `crpack.lock` says",
        )
    return _all(call, update=False)


def _all(call: Call, *, update: bool) -> int:
    """Install archives, bundles and names, in this order, and say what was done."""
    session = session_of(call)
    files = [place for place in call.args.places if device.is_place(place)]
    specs = tuple(place for place in call.args.places if place not in files)
    if files and not update and (call.args.locked or call.args.frozen):
        raise UsageError("a lock decides on names, not on archive files")
    if files and _chooses(call):
        raise UsageError(
            "`--only-detected` and `--prefer` choose among versions, and an archive has one",
            hint="leave them out, or install by name",
        )
    by_name = bool(specs) or not files
    there = elsewhere.machine(session, call.args.platform, call.args.facts)
    with reporter(call) as tell, solving.AsTree(call):
        if call.args.dry_run:
            plans = [plan for place in files for plan in _plans(call, session, place, there, tell)]
            if by_name:
                order = _named(call, specs, there, update=update)
                plans += device.plan_named(session, order, tell=tell)
            lines = [line for plan in plans for line in _plan_lines(plan)]
            call.console.plan([install_plan.table(plan) for plan in plans], lines)
            return 0
        done: list[device.Installed] = []
        for place in files:
            if device.is_bundle(place):
                again = call.args.reinstall
                done += device.install_bundle(
                    session, place, reinstall=again, there=there, tell=tell
                )
            else:
                one = _order(call, place, there)
                done.append(device.install(session, one, update=update, tell=tell))
        if by_name:
            named = _named(call, specs, there, update=update)
            done += device.install_named(session, named, tell=tell)
    for made in done:
        for warning in made.warnings:
            call.console.warn(warning, always=True)
        if made.sandbox == "L0":
            call.console.warn("the setting `sandbox` let builds run unconfined", always=True)
    call.console.answer(done, "\n".join(line for made in done for line in _lines(call, made)))
    return 0


def _plan_lines(plan: InstallPlan) -> tuple[str, ...]:
    if plan.unchanged:
        return (f"{plan.name} {plan.version} is installed already",)
    return install_plan.lines(plan)


def _plans(
    call: Call, session: Session, place: str, there: Facts | None, tell: Tell
) -> tuple[InstallPlan, ...]:
    if device.is_bundle(place):
        return device.plan_bundle(session, place, there=there, tell=tell)
    return (device.plan(session, _order(call, place, there), tell=tell),)


def _lines(call: Call, done: device.Installed) -> list[str]:
    paint = call.console.paint
    if not done.changed:
        return [f"{done.name} {done.version} is installed already; nothing was changed"]
    lines = [
        f"{paint('installed', 'green')} {done.name} {done.version} as generation {done.generation}"
    ]
    lines += [f" {paint('+', 'green')} {part}" for part in done.parts]
    if done.wheels:
        wheels = counted(done.wheels, "Python distribution")
        lines.append(f" {paint('+', 'green')} {wheels} ({done.python})")
    lines.append(f"signed by {', '.join(done.signers) or 'nobody'}; {done.freshness}")
    if done.sandbox:
        lines.append(f"builds ran in sandbox level {done.sandbox}, network: {done.network}")
    if done.platform:
        lines.append(
            f"it is for {done.platform}: run it here under an emulator, or there "
            "(`crpack help executors`)"
        )
    lines += [f"next: crpack {text}" for text in done.next]
    return lines


def _update(call: Call) -> int:
    if call.args.rollback is not None:
        return _rollback(call)
    if not call.args.places:
        call.args.places = list(device.updatable(session_of(call)))
        if not call.args.places:
            call.console.answer([], "")
            call.console.say("nothing that is installed came from an index")
            return 0
    return _all(call, update=True)


def _rollback(call: Call) -> int:
    args = call.args
    choices = (args.option, args.allow_unsigned, args.no_detect, args.reinstall, args.platform)
    if any(choices) or args.facts:
        raise UsageError(
            "`--rollback` brings back a generation as it was and takes no other choice"
        )
    if len(call.args.places) != 1:
        raise UsageError(
            "`--rollback` needs the name of one solution",
            hint="`crpack update NAME --rollback`; `crpack list` shows the names",
        )
    session, name = session_of(call), call.args.places[0]
    if call.args.dry_run:
        number = undoing.rollback_target(session, name, call.args.rollback)
        text = f"would go back to the state of generation {number}"
        call.console.plan({"name": name, "to": number}, [text])
        return 0
    back = undoing.rollback(session, name, call.args.rollback)
    call.console.answer(
        back, f"{back.name} is back at {back.version}, generation {back.restored}, "
        f"as generation {back.generation}",
    )  # fmt: skip
    return 0


def _remove(call: Call) -> int:
    session = session_of(call)
    names = tuple(call.args.names)
    if call.args.dry_run:
        undoing.require(session, names)
        call.console.plan({"names": names}, [f"would remove {name}" for name in names])
        return 0
    gone = undoing.remove(session, names)
    lines = [f"- {item.name} {item.version}" for item in gone.solutions]
    environments = counted(gone.environments, "Python environment")
    lines.append(f"freed {counted(gone.trees, 'tree')} and {environments}")
    call.console.answer(gone, "\n".join(lines))
    return 0
