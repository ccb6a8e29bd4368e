"""`benchmark --explore`: many points of a solution's params, and the best of them.

Rules (SPEC BEN-07 to BEN-09):
- Every point is validated before it is measured; one whose validation fails is told and measured
  no further, for its speed would not count.
- Where there are many points and the benchmark has a param `images`, they are halved on fewer
  images before the last round; what goes on is decided by all objectives.
- The last round measures what remains in turns and writes a result of each.
- The best are those of the ε-Pareto front: latency (throughput, where there is none), every
  metric of the validation, memory and size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.errors import CheckFailed
from crpack.install import generations
from crpack.model import parameters
from crpack.model.results import Metric
from crpack.ops import acting, benchmarks, describing
from crpack.ops.benchmarks import Done, Measured
from crpack.ops.progress import News, Tell, silent
from crpack.work import explore, measures
from crpack.work.explore import Margin, Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.ops.benchmarks import Bench, Order
    from crpack.ops.validating import Judged
    from crpack.session import Session

IMAGES = "images"  # the param that halving cuts down

_SHARE = Margin(share=0.05)
_OBJECTIVES = ("latency", "throughput", "memory", "model_size")
_QUALITY = Margin(amount=0.003)
_FIRST_REPEATS = 1  # of a round before the last


@dataclass(frozen=True, slots=True)
class Space:
    """What to explore: the text of `--explore`, most points, and the seed that draws them."""

    text: str
    limit: int = 24
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """One point that was tried.

    Attributes:
        point: values of params as texts.
        state: `best`, `beaten`, `left out` (before the last round), `INVALID`, `failed`, or
            `refused` (its values do not go together).
        why: reasons, where it is invalid, failed or refused.
        images: of the round that it was left out after; 0 for others.
        metrics: what was measured last.
        done: its result, where one was written.
    """

    point: Point
    state: str
    why: tuple[str, ...] = ()
    images: int = 0
    metrics: tuple[Metric, ...] = ()
    done: Done | None = None


@dataclass(frozen=True, slots=True)
class Explored:
    """What came of it: points in the order in which they were tried; how many the space has."""

    name: str
    tried: tuple[Tried, ...]
    size: int
    objectives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Runner:
    """A point that is still in the race, and its place among all."""

    place: int
    found: Measured


def plan(session: Session, order: Order, space: Space) -> tuple[Point, ...]:
    """Return the points that would be tried.

    Raises:
        UsageError: the text describes no space of this benchmark.
    """
    generation, held = generations.hold(session.prefix, order.request.name)
    with held:
        action = benchmarks.chosen(acting.recipe_of(generation), order.request)
        axes = explore.axes(space.text, (*action.inputs, *action.params))
        return explore.points(axes, space.limit, space.seed)


def run(session: Session, order: Order, space: Space, *, tell: Tell = silent) -> Explored:
    """Try the points of a space and return the best of them (SPEC BEN-07).

    Raises:
        UsageError: the text describes no space of this benchmark.
        CheckFailed: the installation is not as it was made, or no point counts.
    """
    points = plan(session, order, space)
    with benchmarks.opened(session, order, tell, points) as bench:
        tried: dict[int, Tried] = {}
        runners = _validated(bench, points, tried)
        runners = _halved(bench, runners, tried)
        runners = _measured(bench, runners, order.repeats, (), tried)
        if not runners:
            why = [f"{_text(one.point)}: {reason}" for one in tried.values() for reason in one.why]
            what = f"no point of `{space.text}` counts"
            raise CheckFailed(what, why=why[:20], rule="BEN-07")
        objectives = _finished(bench, runners, tried)
    axes = explore.axes(space.text, (*bench.action.inputs, *bench.action.params))
    return Explored(
        name=bench.generation.record.name,
        tried=tuple(tried[place] for place in range(len(points))),
        size=explore.volume(axes),
        objectives=objectives,
    )


def _text(point: Point) -> str:
    return " ".join(f"{name}={value}" for name, value in point)


def _validated(bench: Bench, points: Sequence[Point], tried: dict[int, Tried]) -> list[_Runner]:
    """Return the points whose validation passes; equal validations are made once."""
    known: dict[Point, Judged] = {}
    found = []
    for place, point in enumerate(points):
        if refused := benchmarks.refusal(bench, point):
            tried[place] = Tried(point, "refused", (refused.what,))
            continue
        key = benchmarks.validated_with(bench, point)
        if key not in known:
            bench.tell(News("Validating", _text(point)))
            known[key] = benchmarks.validated(bench, point)
        judged = known[key]
        if judged.faults:
            tried[place] = Tried(point, "INVALID", judged.faults)
        else:
            found.append(_Runner(place, Measured(point, judged)))
    return found


def _halved(bench: Bench, runners: list[_Runner], tried: dict[int, Tried]) -> list[_Runner]:
    """Return what is left after rounds on few images (SPEC BEN-08)."""
    asked = IMAGES in dict(runners[0].found.point) if runners else False
    for images in explore.rounds(len(runners), 0 if asked else _images(bench)):
        more = ((IMAGES, str(images)),)
        runners = _measured(bench, runners, _FIRST_REPEATS, more, tried)
        if not runners:
            break
        names, scores = _scores(bench, runners)
        kept = set(explore.survivors(scores, [direction for _, direction, _ in names]))
        for at, one in enumerate(runners):
            if at not in kept:
                metrics = _metrics(bench, one.found)
                tried[one.place] = Tried(one.found.point, "left out", (), images, metrics)
        runners = [one for at, one in enumerate(runners) if at in kept]
    return runners


def _images(bench: Bench) -> int:
    """Return on how many images the last round is; 0 where no param says so."""
    params = {one.name: one for one in bench.action.params}
    texts = dict(bench.order.request.settings)
    if IMAGES not in params or params[IMAGES].type != "int":
        return 0
    text = texts.get(IMAGES, params[IMAGES].default)
    value = parameters.from_text(params[IMAGES], text) if text else 0
    return value if isinstance(value, int) else 0


def _measured(
    bench: Bench, runners: list[_Runner], repeats: int, more: Point, tried: dict[int, Tried]
) -> list[_Runner]:
    """Measure points in turns; one whose program fails is told and left out."""
    found = benchmarks.measured(bench, [one.found.point for one in runners], repeats, more)
    left = []
    for one, done in zip(runners, found, strict=True):
        if isinstance(done, CheckFailed):
            tried[one.place] = Tried(one.found.point, "failed", (done.what, *done.why))
        else:
            left.append(_Runner(one.place, replace(one.found, repeats=done)))
    return left


def _metrics(bench: Bench, one: Measured) -> tuple[Metric, ...]:
    found = measures.metrics(one.repeats, scenario=benchmarks.scenario(bench, one.point))
    quality = describing.quality(one.judged.verdicts, frozenset(each.name for each in found))
    return (*found, *quality)


def _scores(
    bench: Bench, runners: Sequence[_Runner]
) -> tuple[list[tuple[str, str, Margin]], list[list[float]]]:
    """Return the objectives that all points have, and the numbers of each point."""
    measured = [{one.name: one for one in _metrics(bench, each.found)} for each in runners]
    shared = [name for name in measured[0] if all(name in one for one in measured)]
    first = [name for name in _OBJECTIVES if name in shared]
    if "latency" in first and "throughput" in first:
        first.remove("throughput")  # of one query at a time it says the same
    quality = [name for name in shared if measured[0][name].kind == "quality"]
    names: list[tuple[str, str, Margin]] = [
        (name, measured[0][name].direction, _QUALITY if name in quality else _SHARE)
        for name in (*first[:1], *quality, *first[1:])
    ]
    return names, [[float(one[name].value) for name, _, _ in names] for one in measured]


def _finished(bench: Bench, runners: Sequence[_Runner], tried: dict[int, Tried]) -> tuple[str, ...]:
    """Write the result of every point that was measured to the end, and mark the best."""
    names, scores = _scores(bench, runners)
    directions, margins = [one[1] for one in names], [one[2] for one in names]
    counted = [at for at, one in enumerate(runners) if all(r.valid for r in one.found.repeats)]
    front = explore.best([scores[at] for at in counted], directions, margins) if counted else ()
    best = {counted[at] for at in front}
    for at, one in enumerate(runners):
        done = benchmarks.written(bench, one.found)
        state = "best" if at in best else "beaten"
        if not done.result.validity.valid:
            state = "INVALID"
        why = done.result.validity.reasons
        tried[one.place] = Tried(one.found.point, state, why, 0, done.result.metrics, done)
    return tuple(name for name, _, _ in names)
