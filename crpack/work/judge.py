"""Judging: a metric against its reference.

Rules (SPEC MET-01…):
- Numbers are compared as decimals. A value passes when it differs from the reference by no more
  than the tolerance, or is better in the metric's direction.
- A value that is missing, or no finite number, fails; so does one that no float can hold.
Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crpack.model.recipe import Metric


_MAX_EXPONENT = 307  # of ten; a float holds little more


@dataclass(frozen=True, slots=True)
class Verdict:
    """One metric, judged; `value` is None when there is none."""

    name: str
    unit: str
    direction: str
    value: float | None
    reference: float
    tolerance: float
    passed: bool

    def sentence(self) -> str:
        """Return the verdict as people read it."""
        bound = f"reference {_text(self.reference)} ± {_text(self.tolerance)}"
        value = "missing" if self.value is None else _text(self.value)
        what = f"{self.name} = {value} ({bound}, {self.direction} is better)"
        return f"{'ok  ' if self.passed else 'FAIL'} {what}"


def judge(metrics: Iterable[Metric], answers: Mapping[str, object]) -> tuple[Verdict, ...]:
    """Return a verdict for every metric (SPEC MET-02)."""
    return tuple(_judge(metric, answers.get(metric.name)) for metric in metrics)


def _judge(metric: Metric, answer: object) -> Verdict:
    value = _number(answer)
    reference, tolerance = Decimal(metric.reference), Decimal(metric.tolerance)
    passed = False
    if value is not None:
        lead = value - reference if metric.direction == "higher" else reference - value
        passed = lead >= -tolerance
    return Verdict(
        metric.name,
        metric.unit,
        metric.direction,
        None if value is None else float(value),
        float(reference),
        float(tolerance),
        passed,
    )


def _text(number: float) -> str:
    return f"{Decimal(repr(number)).normalize():f}"


def _number(answer: object) -> Decimal | None:
    if isinstance(answer, bool) or not isinstance(answer, (int, float, str)):
        return None
    try:
        value = Decimal(str(answer))
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value.adjusted()) <= _MAX_EXPONENT else None
