"""The verb `benchmark`: measure a solution, explore its params, or repeat a result.

Rules (SPEC BEN-06, BEN-11): standard output holds the summary alone; a result that does not count
is shown as INVALID and ends with exit code 7.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.cli import figures
from crpack.cli.console import plain
from crpack.cli.progress import reporter
from crpack.cli.secrets import private_key
from crpack.cli.sessions import session_of
from crpack.cli.work import request_of
from crpack.errors import CheckFailed, UsageError
from crpack.model.quantity import counted
from crpack.ops import benchmarks, exploring, replaying, results
from crpack.ops.results import LOCKS
from crpack.work import explore

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser

_REPEATS, _MAX_REPEATS = 3, 1000
_STATES = ("best", "beaten", "left out", "INVALID", "failed", "refused")


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `benchmark` and return its handler."""
    return {"benchmark": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add("name", metavar="NAME", nargs="?", default="",
        help="an installed solution; with --replay that of the result")  # fmt: skip
    add("action", metavar="ACTION", nargs="?", default="",
        help="one of its benchmarks (default: benchmark)")  # fmt: skip
    add("--input", metavar="FILE|-", help="JSON object with inputs and params; - reads it here")
    add("--set", action="append", default=[], dest="set_", metavar="KEY=VALUE",
        help="one input or param; wins over --input")  # fmt: skip
    add("--repeats", metavar="N", type=int,
        help="how often the program is started and measured (default: 3)")  # fmt: skip
    add("--explore", metavar="SPACE", help="try all of 'backend=*,threads=1,2', show the best")
    add("--limit", metavar="N", type=int, default=24,
        help="of a larger space so many points, drawn by --seed (default: 24)")  # fmt: skip
    add("--seed", metavar="N", type=int, default=0, help="draws the points (default: 0)")
    add("--replay", metavar="RESULT", help="measure as this result did, and compare")
    add("--out", metavar="DIR", default="", help="folder of results (default: below the prefix)")
    add("--sign", action="append", default=[], metavar="KEY",
        help="sign the result with this key; may be repeated")  # fmt: skip
    add("--executor", metavar="WHERE", default="",
        help="local, emulator, ssh:HOST or adb (default: here, emulated if need be)")  # fmt: skip
    add("--dry-run", action="store_true", help="show the commands; run nothing")
    return _benchmark


def _order(call: Call) -> benchmarks.Order:
    args = call.args
    repeats = _REPEATS if args.repeats is None else args.repeats
    if not 1 <= repeats <= _MAX_REPEATS:
        raise UsageError(f"`{repeats}` repeats cannot be made", hint="ask for 1 to 1000")
    if not args.name and args.replay is None:
        raise UsageError(
            "`crpack benchmark` needs a NAME", hint="`crpack list` tells what there is"
        )
    return benchmarks.Order(
        request=replace(request_of(call, args.action), folder=""),
        repeats=repeats,
        out=args.out,
        signers=tuple(private_key(call, name) for name in args.sign),
    )


def _benchmark(call: Call) -> int:
    if call.args.explore is not None:
        return _explore(call)
    if call.args.replay is not None:
        return _replay(call)
    session, order = session_of(call), _order(call)
    if call.args.dry_run:
        plans = benchmarks.plan(session, order)
        lines = [shlex.join(argv) for planned in plans for argv in planned.argvs]
        call.console.plan(plans, lines)
        return 0
    with reporter(call) as tell:
        done = benchmarks.benchmark(session, order, tell=tell)
    for warning in done.warnings:
        call.console.warn(warning)
    lines = figures.summary(done.result, call.console.paint)
    _tell(call, done, [*lines, *_files(done)])
    return 0


def _tell(call: Call, done: benchmarks.Done, lines: list[str]) -> None:
    """Show a result; one that does not count is a failure too (SPEC BEN-06)."""
    validity = done.result.validity
    if validity.valid or not call.console.as_json:
        call.console.answer(done, "\n".join(lines))
    if not validity.valid:
        raise CheckFailed(
            f"the result of `{done.result.software.name}` is INVALID",
            why=validity.reasons,
            hint="its speed counts for nothing before this is mended",
            data={"result": plain(done)},
            rule="BEN-06",
        )


def _files(done: benchmarks.Done) -> list[str]:
    signed = [f"  signed {done.signatures}"] if done.signatures else []
    logs = [f"  logs   {done.folder}"] if done.logs else []
    return [*logs, *signed, f"  result {done.id}", f"  in     {os.path.dirname(done.path)}"]


def _replay(call: Call) -> int:
    session = session_of(call)
    recorded = results.load(session, call.args.replay)
    if call.args.repeats is None:
        call.args.repeats = max(1, recorded.result.provenance.repeats)
    _warn(call, recorded)
    if call.args.dry_run:
        order = replaying.order(session, recorded, _order(call))
        plans = benchmarks.plan(session, order)
        call.console.plan(plans, [shlex.join(argv) for one in plans for argv in one.argvs])
        return 0
    with reporter(call) as tell:
        replay = replaying.run(session, recorded, _order(call), tell=tell)
    for warning in replay.done.warnings:
        call.console.warn(warning)
    if replay.agrees or not call.console.as_json:
        call.console.answer(replay, "\n".join(_replayed(call, replay)))
    if not replay.agrees:
        raise replaying.failure(replay)
    return 0


def _warn(call: Call, recorded: results.Recorded) -> None:
    """Tell what a result that is to be repeated lacks."""
    if recorded.strangers:
        signed = counted(recorded.strangers, "signature")
        call.console.warn(f"it has {signed} by keys that are not pinned, which proves nothing")
    if not recorded.lock:
        name = f"`{LOCKS}/{recorded.result.software.lock[:12]}….lock`"
        call.console.warn(
            f"its lock {name} is not beside it, so that nobody else can install what it "
            "measured: get the folder `locks` from where the result is from"
        )


def _replayed(call: Call, replay: replaying.Replay) -> list[str]:
    """Return both results side by side, and what differs."""
    made = replay.done.result
    verdicts = {True: "agrees", False: "DIFFERS", None: ""}
    refuted = bool(replay.why) or not replay.undecided
    rows = [("", "recorded", "now", "", "")]
    rows += [
        (
            one.name,
            figures.amount(one.recorded, one.unit) if one.recorded else "-",
            figures.amount(one.now, one.unit) if one.now else "-",
            one.change,
            "not decided" if one.open else verdicts[one.agrees],
        )
        for one in replay.metrics
    ]
    lines = [f"{made.software.name} {made.software.version} · {made.action} · replay", ""]
    lines += [*figures.columns(rows, numbers=(1, 2, 3)), ""]
    for text in replay.differences:
        lines += figures.wrapped(f"differs: {text}", 2)
    if replay.signers:
        lines += figures.wrapped(f"signed by {', '.join(replay.signers)}", 2)
    paint = call.console.paint
    word = paint("NOT CONFIRMED", "red") if refuted else paint("NOT DECIDED", "yellow")
    if replay.agrees:
        word = paint("confirmed", "green")
    told = "" if replay.same_machine else " (accuracy alone: this is another machine)"
    return [*lines, f"  {word}: {replay.recorded[:12]}{told}", *_files(replay.done)]


def _explore(call: Call) -> int:
    session, order = session_of(call), _order(call)
    space = exploring.Space(call.args.explore, call.args.limit, call.args.seed)
    if call.args.replay is not None:
        raise UsageError("a replay explores nothing", hint="leave out `--explore` or `--replay`")
    if not 1 <= space.limit <= explore.MOST or space.seed < 0:
        hint = f"ask for a limit of 1 to {explore.MOST}, and a seed from 0 on"
        raise UsageError("so many points cannot be tried", hint=hint, rule="BEN-07")
    if call.args.dry_run:
        points = exploring.plan(session, order, space)
        lines = [" ".join(f"{name}={text}" for name, text in point) for point in points]
        call.console.plan(points, lines)
        return 0
    with reporter(call) as tell:
        found = exploring.run(session, order, space, tell=tell)
    for text in dict.fromkeys(
        text for one in found.tried if one.done for text in one.done.warnings
    ):
        call.console.warn(text)
    call.console.answer(found, "\n".join(_explored(found)))
    return 0


def _explored(found: exploring.Explored) -> list[str]:
    """Return what came of exploring: the best first, then what was beaten, then what failed."""
    shown = [*found.objectives, *(("throughput",) if "latency" in found.objectives else ())]
    ordered = sorted(found.tried, key=lambda one: _STATES.index(one.state))
    rows = _rows(ordered, shown)
    while len(shown) > 1 and max(map(len, rows)) > figures.WIDTH:
        shown.pop()
        rows = _rows(ordered, shown)
    lines = [f"{found.name}: {counted(len(found.tried), 'point')} of {found.size}", "", *rows, ""]
    for one in ordered:
        name = " ".join(text for _, text in one.point)
        lines += [line for why in one.why[:3] for line in figures.wrapped(f"{name}: {why}", 2)]
    objectives = ", ".join(found.objectives)
    lines += figures.wrapped(f"* no other is better: {objectives} (5 %, accuracy 0.003)", 2)
    images = sorted({one.images for one in found.tried if one.images})
    if images:
        rounds = " and ".join(map(str, images))
        lines += figures.wrapped(f"left out: beaten on {rounds} images, no result written", 2)
    written = [one.done for one in ordered if one.done]
    lines.append(f"  {counted(len(written), 'result')} in {os.path.dirname(written[0].path)}")
    return lines


def _rows(tried: list[exploring.Tried], shown: list[str]) -> list[str]:
    rows = [("", *(name for name, _ in tried[0].point), *shown, "")]
    for one in tried:
        metrics = {each.name: each for each in one.metrics}
        numbers = [
            figures.amount(metrics[name].value, metrics[name].unit) if name in metrics else "-"
            for name in shown
        ]
        mark = "*" if one.state == "best" else ""
        rows.append((mark, *(text for _, text in one.point), *numbers, one.state))
    axes = len(tried[0].point)
    return figures.columns(rows, numbers=range(1 + axes, 1 + axes + len(shown)))
