"""A row of a result that crpack measured.

Rules (SPEC DSH-03, DSH-05):
- A latency is its median with the confidence interval of that, and its 90th and 99th percentile
  as axes of their own; other metrics are one number.
- A quality belongs to the data sets that took part, each by name, version and content.
- Only what the record says is shown; nothing of this machine is added.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from crpack.model import canonical
from crpack.report.rows import OWN, Axis, Row, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crpack.model.results import Metric, Part, Result

_PARTS = 24  # parts that are told of by name
_TAILS = ("p90", "p99")


def row(result: Result, identity: str, signers: tuple[str, ...] = ()) -> Row:
    """Return the row of a result.

    Args:
        result: what its record says.
        identity: the sha256 of the record.
        signers: names of the pinned keys that signed it.
    """
    dataset = _named(result.parts, "dataset")
    return Row(
        id=identity,
        series=OWN,
        name=f"{result.software.name} {result.software.version}",
        reasons=result.validity.reasons,
        values=tuple(value for one in result.metrics for value in _values(one, dataset)),
        attributes=tuple((key, text) for key, text in _attributes(result, dataset) if text),
        signers=signers,
        twin=_twin(result),
    )


def _values(metric: Metric, dataset: str) -> Iterator[Value]:
    quantiles = dict(metric.quantiles)
    tailed = metric.kind == "latency" and any(name in quantiles for name in _TAILS)
    of = dataset if metric.kind == "quality" else ""

    def axis(stat: str) -> Axis:
        return Axis(metric.name, stat, metric.unit, metric.direction, metric.kind, of)

    low, high = _number(metric.low), _number(metric.high)
    yield Value(axis("p50" if tailed else ""), float(metric.value), low, high)
    for name in _TAILS:
        if tailed and name in quantiles:
            ends = (_number(quantiles.get(f"{name}_{end}", "")) for end in ("low", "high"))
            yield Value(axis(name), float(quantiles[name]), *ends)


def _number(text: str) -> float | None:
    return float(text) if text else None


def _attributes(result: Result, dataset: str) -> Iterator[tuple[str, str]]:
    software, machine, made = result.software, result.machine, result.provenance
    yield "solution", f"{software.name} {software.version}"
    yield "model", _named(result.parts, "model")
    yield "dataset", dataset
    yield "scenario", result.scenario
    yield "processor", machine.cpu
    yield "cores", str(machine.cores or "")
    yield "memory", f"{machine.memory / 2**30:.1f} GiB" if machine.memory else ""
    yield "accelerator", ", ".join(machine.accelerators)
    yield "platform", machine.platform
    yield "kernel", machine.kernel
    yield "virtual", machine.virtual
    yield "harness", made.harness
    yield "executor", made.executor
    yield "load", _both(result.before.load, result.after.load)
    yield "governor", result.before.governor
    yield "throttled", _both(result.before.throttled, result.after.throttled)
    yield "parts", _list(f"{part.name} {part.version} ({part.origin})" for part in result.parts)
    yield "settings", _list(f"{name}={text}" for name, text in result.settings)
    yield "started", made.started
    yield "crpack", made.crpack
    yield "notes", _list(result.validity.notes)
    yield "identity", software.identity
    yield "lock", software.lock
    yield "realisation", software.realisation
    yield "replicates", made.replicates
    yield "source", "" if made.source == "self" else made.source
    said = ("scenario", result.scenario)  # once is enough
    yield from ((f"param.{name}", text) for name, text in result.params if (name, text) != said)
    yield from ((f"option.{name}", text) for name, text in software.options)


def _named(parts: Iterable[Part], kind: str) -> str:
    """Return the parts of a kind; their content is told where it is known."""
    found = (part for part in parts if part.kind == kind)
    return _list(" ".join((one.name, one.version, *_content(one))) for one in found)


def _content(part: Part) -> tuple[str, ...]:
    return (f"#{part.tree[:8]}",) if part.tree else ()


def _list(texts: Iterable[str]) -> str:
    every = list(texts)
    more = [f"and {len(every) - _PARTS} more"] if len(every) > _PARTS else []
    return ", ".join(every[:_PARTS] + more)


def _both(before: str, after: str) -> str:
    return f"{before or '?'}, {after or '?'}" if before or after else ""


def _twin(result: Result) -> str:
    """Return what equal experiments have in common (SPEC DSH-08)."""
    same = [result.software.lock, result.action, result.scenario, result.machine.digest]
    return hashlib.sha256(canonical.encode([same, list(map(list, result.params))])).hexdigest()
