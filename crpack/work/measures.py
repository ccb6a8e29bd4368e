"""What a benchmark measured: its program's own samples, and what was seen from outside.

Rules (SPEC BEN-01, BEN-03, BEN-04):
- An action is a benchmark when one of its outputs is `latencies_ns`.
- Latency percentiles are those of the samples of all repeats together. The interval of one is that
  of order statistics, widened to hold that percentile of every repeat: samples of one repeat are
  alike, and what changes from start to start shows between repeats only.
- Other numbers are the median of the repeats; peak memory is the largest.
- In `SingleStream` a query is one item, and queries follow one another: no throughput is beyond
  what the latencies leave room for, but for what two clocks may be apart.
- What could not be measured has a reason.
Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from crpack.errors import CheckFailed
from crpack.model.limits import MAX_JSON_INTEGER, MAX_SAMPLES
from crpack.model.results import Metric, Samples
from crpack.work import statistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from crpack.model.recipe import Action

LATENCIES = "latencies_ns"
SINGLE = "SingleStream"  # one item a query, the next when it is answered
OFFLINE = "Offline"  # the scenario of which latencies tell nothing: all queries come at once
_FASTEST = 1000  # items in a nanosecond
PERCENTS = (50, 90, 99)
_TOLD = ("engine", "timed")  # outputs that say what was measured
_CLOCKS = Fraction(101, 100)  # how far two clocks may be apart
_MILLI = 6  # digits that make milliseconds of nanoseconds


@dataclass(frozen=True, slots=True)
class Repeat:
    """One repeat of a benchmark: what its program answered, and what it used.

    Attributes:
        latencies: nanoseconds, one for each query, in order.
        images: items processed in the timed part; `wall_ns` is its time; 0 where not told.
        load_ns: from the program's start to its being ready; 0 where not told.
        peak_bytes: most memory of the engine's process; 0 where not known.
        model_bytes: size of the model's file; 0 where not told.
        cpu_s: CPU seconds of all processes, user and system.
        joules: energy of the machine's processors meanwhile; None where it was not measured.
        harness: what measured; empty for crpack's own programs.
        valid: False where the harness itself calls its run invalid; `reason` says why.
        files: folder with the harness's own logs; empty for none.
        times: further times of the program by name, nanoseconds.
        told: what it tells of itself: its engine, and what the timed part is.
        others: processors that other programs kept busy meanwhile.
    """

    latencies: tuple[int, ...]
    images: int = 0
    wall_ns: int = 0
    load_ns: int = 0
    peak_bytes: int = 0
    model_bytes: int = 0
    cpu_s: float = 0.0
    joules: Decimal | None = None
    harness: str = ""
    valid: bool = True
    reason: str = ""
    files: str = ""
    times: tuple[tuple[str, int], ...] = ()
    told: tuple[str, ...] = ()
    others: float = 0.0


def is_benchmark(action: Action) -> bool:
    """Say whether an action is a benchmark (SPEC BEN-01)."""
    return any(output.name == LATENCIES for output in action.outputs)


def repeat(
    outputs: Mapping[str, object], *, cpu_s: float, peak_bytes: int, joules: Decimal | None
) -> Repeat:
    """Return one repeat from a checked answer (SPEC BEN-01).

    Raises:
        CheckFailed: its numbers cannot be what they say.
    """
    latencies = outputs.get(LATENCIES)
    if not isinstance(latencies, list) or not latencies:
        raise _nonsense(f"`{LATENCIES}` holds no sample")
    if not all(type(one) is int and 0 < one <= MAX_JSON_INTEGER for one in latencies):
        raise _nonsense(f"`{LATENCIES}` holds what is no number of nanoseconds above 0")
    images, wall = _count(outputs, "images"), _count(outputs, "wall_ns")
    if wall and images > wall * _FASTEST:
        raise _nonsense(f"{images} items in {wall} ns are more than can be")
    reason = str(outputs.get("reason", ""))
    valid = outputs.get("valid", True) is True
    return Repeat(
        latencies=tuple(latencies),
        images=images,
        wall_ns=wall,
        load_ns=_count(outputs, "load_ns"),
        peak_bytes=_count(outputs, "peak_bytes") or peak_bytes,
        model_bytes=_count(outputs, "model_bytes"),
        cpu_s=cpu_s,
        joules=joules,
        harness=str(outputs.get("harness", "")),
        valid=valid,
        reason=reason if valid or reason else "it does not say why",
        files=str(outputs.get("files", "")),
        times=tuple((name, _count(outputs, f"{name}_ns")) for name in _times(outputs)),
        told=tuple(f"{name}: {outputs[name]}" for name in _TOLD if outputs.get(name)),
    )


def _times(outputs: Mapping[str, object]) -> list[str]:
    known = {LATENCIES, "wall_ns", "load_ns"}
    found = {name.removesuffix("_ns") for name in outputs if name.endswith("_ns")}
    return sorted(found - {name.removesuffix("_ns") for name in known})


def _count(outputs: Mapping[str, object], name: str) -> int:
    value = outputs.get(name, 0)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= MAX_JSON_INTEGER:
        raise _nonsense(f"`{name}` is no whole number from 0 on")
    return value


def _nonsense(why: str) -> CheckFailed:
    return CheckFailed("the benchmark answered no measurement", why=[why], rule="BEN-01")


def metrics(repeats: Sequence[Repeat], *, scenario: str) -> tuple[Metric, ...]:
    """Return what some repeats of one benchmark measured, sorted by name (SPEC BEN-04).

    Args:
        repeats: at least one.
        scenario: how the benchmark was driven; in `Offline` there are no latencies.
    """
    rates = [Fraction(one.images * 10**9, one.wall_ns) for one in repeats if one.wall_ns]
    loads = [Fraction(one.load_ns, 10**6) for one in repeats if one.load_ns]
    spent = [Fraction(one.cpu_s) for one in repeats if one.cpu_s]
    joules = [Fraction(one.joules) for one in repeats if one.joules is not None]
    peak = max(one.peak_bytes for one in repeats)
    model = max(one.model_bytes for one in repeats)
    found = [] if scenario == OFFLINE else [latency([one.latencies for one in repeats])]
    if rates and all(rates):
        found.append(_median("throughput", "throughput", "1/s", "higher", rates))
    if loads:
        found.append(_median("load_time", "time", "ms", "lower", loads))
    if spent:
        found.append(_median("cpu_time", "time", "s", "lower", spent))
    for name in {name: None for one in repeats for name, _ in one.times}:
        own = [Fraction(dict(one.times).get(name, 0), 10**_MILLI) for one in repeats]
        found.append(_median(f"{name}_time", "time", "ms", "lower", own))
    if joules:
        found.append(_median("energy", "energy", "J", "lower", joules))
    if peak:
        found.append(Metric("memory", "memory", "By", "lower", str(peak), len(repeats)))
    if model:
        found.append(Metric("model_size", "size", "By", "lower", str(model)))
    return tuple(sorted(found, key=lambda one: one.name))


def latency(repeats: Sequence[Sequence[int]]) -> Metric:
    """Return the latency that samples give: nanoseconds, those of each repeat (SPEC BEN-04)."""
    ordered = sorted(value for one in repeats for value in one)
    own = [sorted(one) for one in repeats]
    quantiles = {"min": _ms(ordered[0]), "max": _ms(ordered[-1])}
    quantiles["mean"] = statistics.text(statistics.mean(ordered) / 10**_MILLI, _MILLI)
    quantiles["sd"] = statistics.text(statistics.deviation(ordered).scaleb(-_MILLI), _MILLI)
    bounds = {}
    for percent in PERCENTS:
        quantiles[f"p{percent}"] = _ms(statistics.percentile(ordered, percent))
        bounds[percent] = _bounds(own, ordered, percent)
    for percent in PERCENTS[1:]:
        pairs = zip(("low", "high"), bounds[percent], strict=True)
        quantiles |= {f"p{percent}_{side}": text for side, text in pairs if text}
    return Metric(
        name="latency",
        kind="latency",
        unit="ms",
        direction="lower",
        value=quantiles["p50"],
        n=len(ordered),
        low=bounds[50][0],
        high=bounds[50][1],
        quantiles=tuple(sorted(quantiles.items())),
    )


def _bounds(
    repeats: Sequence[Sequence[int]], ordered: Sequence[int], percent: int
) -> tuple[str, str]:
    """Return the interval of a percentile; empty texts where the samples are too few."""
    found = statistics.interval(ordered, percent)
    own = [statistics.percentile(one, percent) for one in repeats]
    return (_ms(min(found[0], *own)), _ms(max(found[1], *own))) if found else ("", "")


def _ms(nanoseconds: int) -> str:
    return statistics.text(Fraction(nanoseconds, 10**_MILLI), _MILLI)


def _median(
    name: str, kind: str, unit: str, direction: Literal["lower", "higher"], values: list[Fraction]
) -> Metric:
    ordered = sorted(values)
    bounds = statistics.interval(ordered, 50)
    texts = [statistics.text(value, _MILLI) for value in (ordered[0], ordered[-1])]
    return Metric(
        name=name,
        kind=kind,
        unit=unit,
        direction=direction,
        value=statistics.text(statistics.percentile(ordered, 50), _MILLI),
        n=len(ordered),
        low=statistics.text(bounds[0], _MILLI) if bounds else "",
        high=statistics.text(bounds[1], _MILLI) if bounds else "",
        quantiles=(("max", texts[1]), ("min", texts[0])) if len(ordered) > 1 else (),
    )


def samples(repeats: Sequence[Repeat]) -> tuple[Samples, ...]:
    """Return what the latencies were made of: themselves, or their histogram (SPEC RES-04)."""
    values = tuple(value for one in repeats for value in one.latencies)
    each = tuple(len(one.latencies) for one in repeats)
    if len(values) <= MAX_SAMPLES:
        return (Samples("latency", "ns", values, repeats=each),)
    first, counts = statistics.histogram(values)
    return (Samples("latency", "ns", first=first, counts=counts, repeats=each),)


def rate_allowed(queries: int, spent_ns: int) -> Fraction:
    """Return the items a second that no repeat of `SINGLE` is beyond (SPEC BEN-01).

    Args:
        queries: of the repeat, one item each.
        spent_ns: the sum of their latencies.
    """
    return Fraction(queries * 10**9, spent_ns) * _CLOCKS


def implausible(one: Repeat, scenario: str) -> str:
    """Say why the parts of an answer do not fit together; empty where they do (SPEC BEN-01)."""
    spent = sum(one.latencies)
    if scenario != SINGLE or not one.wall_ns:
        return ""
    if Fraction(one.images * 10**9, one.wall_ns) <= rate_allowed(len(one.latencies), spent):
        return ""
    queries = f"{len(one.latencies)} queries of {spent} ns, one after another"
    return f"{one.images} items in {one.wall_ns} ns do not go with {queries}"


def absent(repeats: Sequence[Repeat], *, scenario: str, energy: str) -> tuple[tuple[str, str], ...]:
    """Return what was not measured, each with the reason, sorted (SPEC BEN-03).

    Args:
        repeats: at least one.
        scenario: how the benchmark was driven.
        energy: why there are no energy counters; empty where there are.
    """
    measured = {one.name for one in metrics(repeats, scenario=scenario)}
    reasons = {
        "latency": f"the scenario `{OFFLINE}` measures throughput alone",
        "throughput": "the benchmark does not tell `images` and `wall_ns`",
        "load_time": "the benchmark does not tell `load_ns`",
        "cpu_time": "the executor does not tell it",
        "energy": energy or "the energy counters cannot be read",
        "memory": "it is not told, or below what the process that starts the program holds",
    }
    return tuple(sorted((name, why) for name, why in reasons.items() if name not in measured))
