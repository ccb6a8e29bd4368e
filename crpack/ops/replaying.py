"""`benchmark --replay`: a result made again, and what is not as it was.

Rules (SPEC BEN-10):
- The same software: the solution is installed with the lock and the realisation of the result.
  What is not is refused, with the way to install it.
- The same params, repeats and action. A value that was removed from the result must be given, as
  must a path: which file is read is never the word of a result.
- What is judged, and how strictly, is told by what is measured now: a result that was made up
  cannot call a number unimportant, nor widen its tolerance.
- Accuracy agrees when every check passes again with a value no further off than its tolerance.
- Speed and memory are compared on an equal machine alone. A number agrees when its interval is
  within `TOLERANCE` of the recorded one, and both are within `FACTOR`. What follows from latencies,
  the throughput of one query at a time, is told and not judged again.
- A machine with other things to do is slower. What is slower on such a one, and not at its best,
  is not decided: neither confirmed nor refuted.
- A number that would be judged, and is not measured now or is of another unit, does not agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from crpack.errors import CheckFailed, InstallError, UsageError
from crpack.install import generations
from crpack.model import privacy
from crpack.model.results import Metric, Result
from crpack.ops import acting, benchmarks, describing
from crpack.ops.benchmarks import Done
from crpack.ops.progress import Tell, silent
from crpack.work import conditions, measures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.install.generations import Generation
    from crpack.ops.benchmarks import Order
    from crpack.ops.results import Recorded
    from crpack.session import Session

TOLERANCE = Decimal("0.10")  # of a number of speed or memory, on an equal machine
FACTOR = 2  # between two such numbers, beyond which no interval helps
_FILE = "sha256:"  # begins the value of a param that was a file


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric of both results; `agrees` is None where it is told and not judged.

    `open` says that it was judged and is not decided, for a machine was busy.
    """

    name: str
    unit: str
    recorded: str
    now: str
    change: str
    agrees: bool | None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """A result made again: what was recorded, what came now, and what differs beside it.

    `same_machine` says whether it is one that is equal, so that speed and memory were judged; `why`
    is what does not agree, `undecided` what a busy machine left open.
    """

    recorded: str
    signers: tuple[str, ...]
    done: Done
    same_machine: bool
    metrics: tuple[Compared, ...]
    differences: tuple[str, ...]
    agrees: bool
    why: tuple[str, ...]
    undecided: tuple[str, ...] = ()


def order(session: Session, recorded: Recorded, asked: Order) -> Order:
    """Return what to measure, so that it is what the result says.

    Args:
        session: for what is installed.
        recorded: the result.
        asked: with what the user sets beside it.

    Raises:
        InstallError: the solution is not installed, or not as recorded.
        UsageError: a param's value is not in the result and not given.
    """
    made = recorded.result
    if asked.request.name not in ("", made.software.name):
        what = f"the result is of `{made.software.name}`, not of `{asked.request.name}`"
        raise UsageError(what, hint="leave the name out", rule="BEN-10")
    generation = _installed(session, recorded)
    given = dict(asked.request.settings)
    paths = _paths(generation, made.action)
    for name, text in made.params:
        hidden = name in paths or text.startswith(_FILE) or privacy.MARK in text
        if hidden and name not in given:
            what = f"the result does not say what `{name}` was"
            hint = f"give it with `--set {name}=VALUE`"
            raise UsageError(what, why=[f"it says `{text[:80]}`"], hint=hint, rule="BEN-10")
    settings = {name: text for name, text in made.params if name not in given} | given
    request = replace(
        asked.request,
        name=generation.record.name,
        action=made.action,
        settings=tuple(settings.items()),
        executor=asked.request.executor or _word(made.provenance.executor),
    )
    return replace(asked, request=request, replicates=recorded.id)


def _paths(generation: Generation, action: str) -> set[str]:
    """Return the inputs and params that name files, of an action that may not be there."""
    found = (one for one in acting.recipe_of(generation).action if one.name == action)
    return {each.name for one in found for each in (*one.inputs, *one.params)
            if each.type == "path"}  # fmt: skip


def _word(executor: str) -> str:
    return executor if executor in ("local", "emulator") else ""


def _installed(session: Session, recorded: Recorded) -> Generation:
    """Return the installed generation, which is the software of the result."""
    software = recorded.result.software
    where = recorded.lock or "LOCK"
    hint = f"install it: `crpack install --frozen --lock {where}`"
    if not recorded.lock:
        hint += f", where LOCK is the file of sha256 {software.lock}"
    try:
        generation = generations.current(session.prefix, software.name)
    except InstallError as error:
        raise InstallError(error.what, why=error.why, hint=hint, rule="BEN-10") from error
    record = generation.record
    if record.lock != software.lock:
        why = [f"the result is of lock {software.lock}", f"installed is lock {record.lock}"]
        why += _parts(recorded.result, generation)
        what = f"`{software.name}` is not installed from the lock of the result"
        raise InstallError(what, why=why, hint=hint, rule="BEN-10")
    if record.realisation != software.realisation:
        why = _parts(recorded.result, generation) or [
            f"the result is of realisation {software.realisation}",
            f"installed is realisation {record.realisation}: other wheels or detected files",
        ]
        what = f"`{software.name}` is installed from the same lock, but not of the same parts"
        raise InstallError(what, why=why, hint=hint, rule="BEN-10")
    return generation


def _parts(made: Result, generation: Generation) -> list[str]:
    """Return which components differ, as sentences."""
    here = {part.name: part for part in describing.parts(generation)}
    found = []
    for part in made.parts:
        other = here.pop(part.name, None)
        if other is None:
            found.append(f"`{part.name}` {part.version} is not there")
        elif other != part:
            was, now = f"{part.version} {part.origin}", f"{other.version} {other.origin}"
            found.append(f"`{part.name}` was {was} and is {now}" if was != now
                         else f"`{part.name}` {part.version} has other files")  # fmt: skip
    return found + [f"`{name}` was not there" for name in sorted(here)]


def run(session: Session, recorded: Recorded, asked: Order, *, tell: Tell = silent) -> Replay:
    """Make a result again and compare (SPEC BEN-10).

    Raises:
        InstallError: the solution is not installed as recorded.
        UsageError, CheckFailed: as `benchmarks.benchmark`.
    """
    wanted = order(session, recorded, asked)
    done = benchmarks.benchmark(session, wanted, tell=tell)
    was, now = recorded.result, done.result
    compared = tuple(_compared(was, now, busy=done.busy))
    why = [_told(one) for one in compared if one.agrees is False]
    undecided = [f"{_told(one)}, and the machine was busy" for one in compared if one.open]
    if was.validity.valid and not now.validity.valid:
        why += now.validity.reasons
    return Replay(
        recorded=recorded.id,
        signers=recorded.signers,
        done=done,
        same_machine=_equal(was, now),
        metrics=compared,
        differences=tuple(_differences(was, now)),
        agrees=not why and not undecided,
        why=tuple(why),
        undecided=tuple(undecided),
    )


def _told(one: Compared) -> str:
    was, now = one.recorded or "of another unit", one.now or "not measured"
    return f"{one.name} was {was} and is {now} ({one.unit})"


def _compared(was: Result, now: Result, *, busy: bool) -> Iterator[Compared]:
    """Yield every metric of either result; `busy` says that of the machine now."""
    names = sorted({one.name for one in (*was.metrics, *now.metrics)})
    tolerances = {one.name: Decimal(one.tolerance) for one in now.validity.checks}
    for name in names:
        one, two = was.metric(name), now.metric(name)
        shown = two or one or _NONE
        judged = shown.kind == "quality" or (_equal(was, now) and shown.kind in _judged(now))
        alike = one and two and (one.unit, one.direction) == (two.unit, two.direction)
        if one is None or two is None or not alike:
            lost = False if judged and one else None
            recorded = one.value if one and not two else ""
            yield Compared(name, shown.unit, recorded, two.value if two else "", "", lost)
            continue
        agrees, undecided = None, False
        if judged and two.kind == "quality":
            away = abs(Decimal(two.value) - Decimal(one.value))
            agrees = away <= tolerances.get(name, Decimal(0))
        elif judged:
            agrees = _near(one, two)
            was_busy = bool(conditions.busy(was.before, 0.0))
            if (
                not agrees
                and two.kind != "memory"
                and _excused(one, two, was_busy=was_busy, busy=busy)
            ):
                agrees, undecided = None, True
        yield Compared(name, two.unit, one.value, two.value, _change(one, two), agrees, undecided)


def _equal(was: Result, now: Result) -> bool:
    return was.machine.digest == now.machine.digest


def _judged(now: Result) -> tuple[str, ...]:
    """Return the kinds of numbers that are judged on an equal machine; the others vary more."""
    follows = now.scenario == measures.SINGLE  # from the latencies (SPEC RES-09)
    return ("latency", "memory") if follows else ("latency", "memory", "throughput")


_NONE = Metric("", "other", "", "lower", "0")


def _near(one: Metric, two: Metric) -> bool:
    first, second = Decimal(one.value), Decimal(two.value)
    (low, high), (lower, higher) = _bounds(one), _bounds(two)
    room = TOLERANCE * abs(first)
    meet = low - room <= higher and lower <= high + room
    return meet and max(first, second) <= FACTOR * min(first, second)


def _bounds(metric: Metric) -> tuple[Decimal, Decimal]:
    """Return the interval of a metric; without one, the lowest and highest of its repeats."""
    if metric.low or metric.kind == "latency":
        return Decimal(metric.low or metric.value), Decimal(metric.high or metric.value)
    found = dict(metric.quantiles)
    return Decimal(found.get("min", metric.value)), Decimal(found.get("max", metric.value))


def _excused(one: Metric, two: Metric, *, was_busy: bool, busy: bool) -> bool:
    """Say whether the worse of two numbers is of a busy machine that has shown the better, too.

    What was never as good as the better number is no fault of the machine's other programs.
    """
    lower = two.direction == "lower"
    is_worse = (Decimal(two.value) > Decimal(one.value)) == lower
    worse, better, excuse = (two, one, busy) if is_worse else (one, two, was_busy)
    best = Decimal(dict(worse.quantiles).get("min" if lower else "max", worse.value))
    wanted = Decimal(better.value)
    near = best <= wanted * (1 + TOLERANCE) if lower else best >= wanted * (1 - TOLERANCE)
    return excuse and near


def _change(one: Metric, two: Metric) -> str:
    first = Decimal(one.value)
    return f"{(Decimal(two.value) - first) / first:+.1%}" if first else ""


def _differences(was: Result, now: Result) -> Iterator[str]:
    """Yield what is not as it was beside the numbers, as sentences."""
    pairs = [
        *((name, getattr(was.machine, name), getattr(now.machine, name))
          for name in type(was.machine).__slots__),
        *((f"{name} before", getattr(was.before, name), getattr(now.before, name))
          for name in ("load", "governor", "affinity")),
        *((name, getattr(was.provenance, name), getattr(now.provenance, name))
          for name in ("crpack", "harness", "executor")),
        *_named(was.params, now.params),
        *_named(was.settings, now.settings),
    ]  # fmt: skip
    for name, one, two in pairs:
        if one != two:
            yield f"{name}: {_shown(one)}, now {_shown(two)}"


def _named(
    one: tuple[tuple[str, str], ...], two: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str, str]]:
    first, second = dict(one), dict(two)
    for name in sorted({*first, *second}):
        yield name, first.get(name, ""), second.get(name, "")


def _shown(value: object) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return text or "not known"


def failure(replay: Replay) -> CheckFailed:
    """Return the error of a replay that does not agree, or is not decided."""
    name = replay.recorded[:12]
    refuted = f"the result `{name}` is not confirmed"
    undecided = f"the result `{name}` is neither confirmed nor refuted"
    again = "measure again when the machine has nothing else to do"
    return CheckFailed(
        refuted if replay.why else undecided,
        why=(*replay.why, *replay.undecided),
        hint="look at what differs" if replay.why else again,
        data={"replay": replay.recorded, "result": replay.done.id},
        rule="BEN-10",
    )
