"""The verb `benchmark`: speed that counts only with the accuracy that was declared.

Rules (SPEC BEN-01 to BEN-06):
- A benchmark holds its generation, whose files must be as they were installed.
- The machine's state is read before anything starts and when all has ended.
- Repeats of several points take turns, so that what changes meanwhile touches all alike.
- The results are validated with the values that were measured with.
- The result is written whatever came out of it; one that does not count says why.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import __version__, disk
from crpack.errors import CheckFailed, RunFailed, UsageError
from crpack.install import documents, generations
from crpack.install.generations import Generation
from crpack.model import parameters, privacy
from crpack.model.dates import utc
from crpack.model.recipe import Action, Recipe
from crpack.model.results import Provenance, Result, State
from crpack.ops import acting, describing, executors, results, validating
from crpack.ops.acting import Request
from crpack.ops.progress import News, Tell, silent
from crpack.ops.validating import Judged
from crpack.session import Session
from crpack.trust.keys import PrivateKey
from crpack.work import action as actions
from crpack.work import conditions, measures
from crpack.work.executors.errand import Executor
from crpack.work.explore import Point
from crpack.work.measures import Repeat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crpack.ops.acting import RunPlan

NAME = "benchmark"  # of the action that is meant where a solution has several


@dataclass(frozen=True, slots=True)
class Order:
    """What to measure.

    Attributes:
        request: the solution and its settings; `action` empty for its own benchmark.
        repeats: how often the program is started and measured.
        out: folder of results; empty for the prefix's.
        signers: keys that sign the results.
        replicates: id of the result that is repeated; empty for none.
    """

    request: Request
    repeats: int = 3
    out: str = ""
    signers: tuple[PrivateKey, ...] = ()
    replicates: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A point that was validated and measured."""

    point: Point
    judged: Judged
    repeats: tuple[Repeat, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """A benchmark that was made: the result, its id and file, run folders, and warnings.

    `busy` says that the machine had other things to do.
    """

    id: str
    path: str
    signatures: str
    folder: str
    logs: tuple[str, ...]
    result: Result
    warnings: tuple[str, ...]
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """A generation that is held and measured.

    Attributes:
        order: what was asked; its request names the action.
        action: the benchmark; `recipe` is its solution's.
        executor: where its programs run.
        folder: that of all its runs.
        before: state of the machine before anything started.
        begun: seconds since 1970; `clock` is the same moment by the clock that never jumps.
        words: what a result must not say.
        changed: warnings about detected software.
    """

    session: Session
    order: Order
    generation: Generation
    recipe: Recipe
    action: Action
    executor: Executor
    tell: Tell
    folder: str
    before: State
    begun: float
    clock: float
    words: tuple[str, ...]
    changed: tuple[str, ...]


def plan(session: Session, order: Order) -> tuple[RunPlan, ...]:
    """Return what a benchmark would start: itself, and the validation."""
    generation, held = generations.hold(session.prefix, order.request.name)
    with held:
        action = chosen(acting.recipe_of(generation), order.request)
        executor = executors.choose(session, generation, order.request, CheckFailed)
        own = acting.plan(generation, replace(order.request, action=action.name), executor)
    return own, *validating.validation(session, replace(order.request, settings=()))


def benchmark(session: Session, order: Order, *, tell: Tell = silent) -> Done:
    """Measure an installed solution and validate its results.

    Raises:
        InstallError: it is not installed.
        UsageError: it has no benchmark, or an input does not fit.
        CheckFailed: its files are not as installed, or the program fails or answers nonsense.
    """
    with opened(session, order, tell) as bench:
        (repeats,) = measured(bench, [()], order.repeats)
        if isinstance(repeats, CheckFailed):
            raise repeats
        return written(bench, Measured((), validated(bench, ()), repeats))


@contextmanager
def opened(
    session: Session, order: Order, tell: Tell, points: Sequence[Point] = ((),)
) -> Iterator[Bench]:
    """Hold a solution for measuring, once its files are seen to be as installed.

    Before anything starts, what fits none of the points is refused.
    """
    before, begun, clock = conditions.state(), time.time(), time.monotonic()
    generation, held = generations.hold(session.prefix, order.request.name)
    with held:
        recipe = acting.recipe_of(generation)
        action = chosen(recipe, order.request)
        request = replace(order.request, action=action.name, listen=True)
        refusals = [_refusal(generation, request, point) for point in points]
        if refusals[0] and all(refusals):
            raise refusals[0]
        executor = executors.choose(session, generation, request, CheckFailed)
        results.prepare(session, order.out)  # else all that is measured would be lost
        tell(News("Checking", f"the files of {request.name}"))
        _, faults, changed = validating.intact(session, generation)
        if faults:
            hint = f"repair it: `crpack install --reinstall {generation.record.request}`"
            what = f"`{request.name}` is not as it was installed, so its speed tells nothing"
            raise CheckFailed(what, why=faults, hint=hint)
        yield Bench(
            session=session,
            order=replace(order, request=request),
            generation=generation,
            recipe=recipe,
            action=action,
            executor=executor,
            tell=tell,
            folder=acting.fresh_folder(session, replace(request, folder="")),
            before=before if executor.here else State(),
            begun=begun,
            clock=clock,
            words=describing.names(session),
            changed=changed,
        )


def refusal(bench: Bench, point: Point) -> UsageError | None:
    """Return why the action does not take the values of a point (SPEC RCP-15); None: it does."""
    return _refusal(bench.generation, bench.order.request, point)


def _refusal(generation: Generation, request: Request, point: Point) -> UsageError | None:
    settings = tuple({**dict(request.settings), **dict(point)}.items())
    try:
        acting.bind(generation, replace(request, settings=settings))
    except UsageError as error:
        return error
    return None


def chosen(recipe: Recipe, request: Request) -> Action:
    """Return the benchmark of a solution (SPEC BEN-01).

    Raises:
        UsageError: it has none, or several and none is named.
    """
    found = [one.name for one in recipe.action if measures.is_benchmark(one)]
    name = request.action or (NAME if NAME in found else "".join(found[:1]))
    if name in found:
        return actions.find(recipe, name)
    known = ", ".join(f"`{one}`" for one in found)
    raise UsageError(
        f"`{recipe.package.name}` has no benchmark" + (f" `{name}`" if name else ""),
        why=[f"it has {known}" if found else f"no action of it answers `{measures.LATENCIES}`"],
        hint="`crpack info NAME` tells its actions",
        rule="BEN-01",
    )


def measured(
    bench: Bench, points: Sequence[Point], repeats: int, more: Point = ()
) -> tuple[tuple[Repeat, ...] | CheckFailed, ...]:
    """Return the repeats of several points, measured in turns (SPEC BEN-02).

    A point whose program fails, or answers nonsense, has that error in its place, and is not
    started again.

    Args:
        bench: what is measured.
        points: values of params, beside those of the order.
        repeats: of each point.
        more: values of params for this time alone.
    """
    found: list[list[Repeat]] = [[] for _ in points]
    failed: dict[int, CheckFailed] = {}
    warm = "warmup" in {one.name for one in bench.action.params}
    for turn in range(1 if warm else 0, repeats + 1):
        for place, point in enumerate(points):
            if place in failed:
                continue
            what = f"repeat {turn} of {repeats}" if turn else "once to warm up"
            try:
                one = _once(bench, (*point, *more), what + _shown(point))
            except CheckFailed as error:
                failed[place] = error
            else:
                found[place] += [one] if turn else []
    return tuple(failed.get(place) or tuple(mine) for place, mine in enumerate(found))


def _shown(point: Point) -> str:
    return ": " + " ".join(f"{name}={value}" for name, value in point) if point else ""


def _once(bench: Bench, point: Point, what: str) -> Repeat:
    """Run the benchmark once."""
    bench.tell(News("Measuring", what))
    asked = _request(bench, point)
    before, begun = conditions.energy(), (conditions.used(), time.monotonic(), time.process_time())
    try:
        ran = acting.act(bench.session, asked, bench.generation, bench.executor)
    except RunFailed as error:
        raise CheckFailed(error.what, why=error.why, hint=error.hint, data=error.data) from error
    used = conditions.joules(before, conditions.energy()) if bench.executor.here else None
    if ran.code != 0:
        told = acting.failure(ran)
        raise CheckFailed(told.what, why=told.why, hint=told.hint, data=told.data)
    one = measures.repeat(ran.outputs, cpu_s=ran.cpu_s, peak_bytes=ran.peak_bytes, joules=used)
    if why := measures.implausible(one, scenario(bench, point)):
        raise CheckFailed("the benchmark answered no measurement", why=[why], rule="BEN-01")
    return replace(one, others=_others(begun, ran.cpu_s)) if bench.executor.here else one


def _others(begun: tuple[float, float, float], own: float) -> float:
    """Return how many processors other programs kept busy since a moment.

    Args:
        begun: CPU seconds of the machine, the time, and CPU seconds of this process, then.
        own: CPU seconds of the program that was measured.
    """
    every, wall = conditions.used() - begun[0], time.monotonic() - begun[1]
    return max(0.0, every - own - (time.process_time() - begun[2])) / wall


def _request(bench: Bench, point: Point) -> Request:
    base = bench.order.request
    settings = tuple({**dict(base.settings), **dict(point)}.items())
    number = len(disk.names(bench.folder)) + 1
    return replace(base, settings=settings, folder=f"{bench.folder}/{number:03}")


def validated(bench: Bench, point: Point) -> Judged:
    """Return the results with the values that a point is measured with (SPEC BEN-06)."""
    texts = validated_with(bench, point)
    request = replace(bench.order.request, settings=texts, document="{}", folder="")
    return validating.results(
        bench.session, request, bench.generation, bench.executor, bench.tell, lenient=True
    )


def validated_with(bench: Bench, point: Point) -> Point:
    """Return the values that a point is validated with, as texts."""
    values = _values(bench, point)
    texts = tuple((name, parameters.to_text(value)) for name, value in values.items())
    return validating.heeded(bench.recipe, texts)


def scenario(bench: Bench, point: Point) -> str:
    """Return how a point is driven, such as `SingleStream`; empty where no param says it."""
    return privacy.clean(str(_values(bench, point).get("scenario", "")), bench.words)


def _values(bench: Bench, point: Point) -> dict[str, object]:
    settings = tuple({**dict(bench.order.request.settings), **dict(point)}.items())
    return acting.bind(bench.generation, replace(bench.order.request, settings=settings)).values


def written(bench: Bench, one: Measured) -> Done:
    """Make the result of a point, write it, and return it (SPEC RES-02)."""
    after = conditions.state() if bench.executor.here else State()
    shared = _busy(bench, one.repeats)
    notes = (*_notes(bench, one.repeats, after), *shared)
    made = _result(bench, one, after, notes)
    where = results.folder(bench.session, bench.order.out)
    saved = results.save(where, made, documents.lock(bench.generation), bench.order.signers)
    logs = tuple(dict.fromkeys(each.files for each in one.repeats if each.files))
    return Done(
        id=saved.id,
        path=saved.path,
        signatures=saved.signatures,
        folder=bench.folder,
        logs=logs,
        result=made,
        warnings=notes,
        busy=bool(shared),
    )


def _result(bench: Bench, one: Measured, after: State, notes: Sequence[str]) -> Result:
    here, values = bench.executor.here, _values(bench, one.point)
    driven, repeats, judged = scenario(bench, one.point), one.repeats, one.judged
    found = measures.metrics(repeats, scenario=driven)
    size = describing.size(bench.session, bench.generation)
    taken = frozenset(each.name for each in (*found, size))
    quality = describing.quality(judged.verdicts, taken)
    machine = describing.machine(bench.session, bench.generation, bench.executor, bench.words)
    energy = conditions.energy().reason if here else "it runs on another machine"
    harness = " and ".join(sorted({each.harness or "crpack" for each in repeats}))
    return Result(
        software=describing.software(bench.generation, acting.own(bench.generation).options),
        action=bench.action.name,
        scenario=driven,
        params=describing.params(bench.action, values, bench.words),
        parts=describing.parts(bench.generation),
        machine=machine,
        before=bench.before,
        after=after,
        metrics=tuple(sorted((*found, *quality, size), key=lambda each: each.name)),
        validity=describing.validity(judged, repeats, notes, bench.words),
        provenance=Provenance(
            started=utc(bench.begun),
            milliseconds=round(1000 * (time.monotonic() - bench.clock)),
            crpack=__version__,
            harness=privacy.clean(harness, bench.words),
            executor=bench.executor.name,
            replicates=bench.order.replicates,
            repeats=len(repeats),
        ),
        settings=describing.settings(bench.words) if here else (),
        samples=measures.samples(repeats) if driven != measures.OFFLINE else (),
        absent=measures.absent(repeats, scenario=driven, energy=energy),
    )


def _busy(bench: Bench, repeats: Sequence[Repeat]) -> tuple[str, ...]:
    """Return what else the machine did, as sentences; none of another machine."""
    others = sum(one.others for one in repeats) / len(repeats)
    return conditions.busy(bench.before, others) if bench.executor.here else ()


def _notes(bench: Bench, repeats: Sequence[Repeat], after: State) -> Iterator[str]:
    """Yield what makes the numbers doubtful."""
    yield from bench.changed
    if bench.executor.here:
        yield from conditions.notes(bench.before, after)
    else:
        yield "it ran on another machine, whose state was not read"
    if bench.executor.name == "emulator":
        yield "it ran under an emulator: its speed is not that of such a machine"
    if sum(len(one.latencies) for one in repeats) < 6:
        yield "there are too few samples for a confidence interval"
