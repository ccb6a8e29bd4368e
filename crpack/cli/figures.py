"""Results as people read them on a terminal: aligned, in 80 columns.

Rules (SPEC BEN-11):
- The median stands first, its interval beside it; what was not measured says why.
- What does not count says INVALID in words, not by colour alone.
Pure.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from crpack.model.quantity import size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from crpack.model.results import Check, Metric, Result

    Paint = Callable[[str, str], str]

WIDTH = 80
_NAME = 12  # columns of a metric's name, at least
_TITLES = {"load_time": "load", "cpu_time": "CPU time", "model_size": "model"}
_ORDER = ("latency", "throughput", "load_time", "cpu_time", "memory", "energy")


def summary(result: Result, paint: Paint) -> list[str]:
    """Return what a result says, in lines."""
    software, made = result.software, result.provenance
    head = [f"{software.name} {software.version}", result.action, result.scenario]
    lines = [" · ".join(text for text in head if text)]
    lines += wrapped(" ".join(f"{name}={text}" for name, text in result.params if text))
    lines.append("")
    checks = {one.name: one for one in result.validity.checks}
    names = [one.name for one in result.metrics] + [name for name, _ in result.absent]
    width = max(_NAME, *(len(_title(name)) + 2 for name in names))
    for metric in sorted(result.metrics, key=_place):
        lines += _rows(metric, checks.get(metric.name), width)
    for name, why in result.absent:
        lines += wrapped(f"{_title(name):<{width}}not measured: {why}", hang=width)
    lines += ["", *wrapped(_surroundings(result), hang=2)]
    word = paint("valid", "green") if result.validity.valid else paint("INVALID", "red")
    lines.append(f"  {word} · {made.harness} · {made.executor}")
    for reason in result.validity.reasons:
        lines += wrapped(f"because {reason}", hang=2)
    for note in result.validity.notes:
        lines += wrapped(f"note: {note}", hang=2)
    return lines


def wrapped(text: str, hang: int = 0) -> list[str]:
    """Return a text in lines that are indented by 2, later ones by `hang` more.

    Names and options, which are to be copied, are not broken at their hyphens.
    """
    first, later = "  ", " " * (2 + hang)
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False
    )


def _surroundings(result: Result) -> str:
    """Return what it ran on, and the state of that before and after."""
    machine, before, after = result.machine, result.before, result.after
    cores = f"{machine.cores} cores" if machine.cores else ""
    found = [machine.cpu, cores, machine.platform, machine.virtual]
    told = (
        ("load", before.load, after.load),
        ("governor", before.governor, after.governor),
        ("MHz", before.mhz, after.mhz),
        ("throttled", before.throttled, after.throttled),
        ("processors", before.affinity, after.affinity),
    )
    for name, first, second in told:
        if first or second:
            found.append(f"{name} {first}" if first == second else f"{name} {first} to {second}")
    return "on " + ", ".join(text for text in found if text)


def _place(metric: Metric) -> tuple[int, str]:
    """Return where a metric stands: speed first, then accuracy, sizes last."""
    if metric.name in _ORDER:
        return _ORDER.index(metric.name), metric.name
    return (len(_ORDER) + (metric.kind != "quality")), metric.name


def _rows(metric: Metric, check: Check | None, width: int) -> list[str]:
    if metric.name == "latency":
        return _latency(metric, width)
    text = f"{_title(metric.name):<{width}}{amount(metric.value, metric.unit)}"
    if metric.low:
        text += f"   {short(metric.low)} to {short(metric.high)}"
    if check:
        bound = f"{short(check.reference)} ± {short(check.tolerance)}"
        text += f"   reference {bound}: {'ok' if check.passed else 'FAIL'}"
    return [f"  {text}"]


def _latency(metric: Metric, wide: int) -> list[str]:
    quantiles = dict(metric.quantiles)
    rows = []
    for name in ("p50", "p90", "p99"):
        low = metric.low if name == "p50" else quantiles.get(f"{name}_low", "")
        high = metric.high if name == "p50" else quantiles.get(f"{name}_high", "")
        bounds = f"   {short(low)} to {short(high)}" if low else "   too few samples for bounds"
        title = _title(metric.name) if name == "p50" else ""
        count = f"   n = {metric.n}" if name == "p50" else ""
        value = f"{short(quantiles.get(name, metric.value))} {metric.unit}"
        rows.append(f"  {title:<{wide}}{name} {value:<12}{bounds}{count}")
    return rows


def _title(name: str) -> str:
    return _TITLES.get(name, name)


def amount(value: str, unit: str) -> str:
    """Return a number with its unit: `12.3 ms`, `4.0 MiB`, `81.2 /s`."""
    if unit == "By":
        return size(int(value.partition(".")[0]))
    return short(value) + {"1": "", "1/s": " /s"}.get(unit, f" {unit}")


def short(value: str) -> str:
    """Return a decimal text with at most four digits that count: `12.35`, `0.9017`."""
    number = float(value)
    if number and abs(number) < 0.001:
        return f"{number:.2e}"
    digits = max(0, 3 - len(str(int(abs(number)))) + (1 if abs(number) >= 1 else 2))
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def columns(rows: Sequence[Sequence[str]], *, numbers: Iterable[int] = ()) -> list[str]:
    """Return rows as aligned columns; those of `numbers` are aligned to the right."""
    if not rows:
        return []
    right = set(numbers)
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines
