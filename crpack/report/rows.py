"""A row of the dashboard: one result, whoever measured it, in the terms of the page.

Rules (SPEC DSH-03 to DSH-05):
- A number belongs to an axis. Two numbers share one exactly if they agree in metric, statistic,
  unit and direction, and, for a quality, in the data set that it was measured on.
- A row is of one series: results of crpack's users, or official ones.
- Attributes are short texts under keys; those of the page's own are in `LABELS`, in the order in
  which they are shown, and parameters come as `param.NAME`, build options as `option.NAME`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OWN, OFFICIAL = "measured", "official"

LABELS = {
    "solution": "Solution",
    "model": "Model",
    "dataset": "Data set",
    "scenario": "Scenario",
    "submitter": "Submitter",
    "system": "System",
    "processor": "Processor",
    "cores": "Cores",
    "memory": "Memory",
    "accelerator": "Accelerator",
    "platform": "Platform",
    "kernel": "Kernel",
    "virtual": "Virtualised",
    "framework": "Framework",
    "harness": "Measured by",
    "executor": "Ran through",
    "round": "Round",
    "division": "Division",
    "availability": "Availability",
    "load": "Load before, after",
    "governor": "Governor",
    "throttled": "Throttled before, after",
    "parts": "Parts",
    "settings": "Environment",
    "started": "Started",
    "crpack": "crpack",
    "notes": "Notes",
    "identity": "Archive",
    "lock": "Lock",
    "realisation": "Realisation",
    "replicates": "Repeats",
    "source": "Source",
}


@dataclass(frozen=True, slots=True, order=True)
class Axis:
    """What a number measures.

    Attributes:
        name: of the metric, such as `latency`.
        stat: `p50`, `p90`, `p99`; empty where there is one number only.
        unit: such as `ms`, `1/s`, `%` (UCUM).
        direction: what is better.
        kind: of `results.KINDS`.
        dataset: name and version of the data of a quality; empty for other kinds.
    """

    name: str
    stat: str
    unit: str
    direction: Literal["lower", "higher"]
    kind: str
    dataset: str = ""

    @property
    def key(self) -> str:
        """A text that only this axis has; it names the axis in addresses of the page."""
        parts = (self.name, self.stat, self.unit, self.direction, self.dataset)
        return "|".join(part.replace("|", "/") for part in parts)


@dataclass(frozen=True, slots=True)
class Value:
    """A number on an axis; `low` and `high` bound its 95 % confidence interval, if known."""

    axis: Axis
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One result.

    Attributes:
        id: sha256 of the record; the path in its source for an official one.
        series: `measured` or `official`.
        name: what was measured, such as `object-detection-shapes 1.0.0`.
        reasons: why it does not count; empty for a valid one.
        values: numbers, one an axis.
        attributes: key and text, see `LABELS`.
        signers: names of the pinned keys that signed it.
        twin: equal for results of the same lock, action, parameters and machine.
    """

    id: str
    series: str
    name: str
    reasons: tuple[str, ...]
    values: tuple[Value, ...]
    attributes: tuple[tuple[str, str], ...]
    signers: tuple[str, ...] = ()
    twin: str = ""

    @property
    def valid(self) -> bool:
        """Whether its numbers count."""
        return not self.reasons

    def attribute(self, key: str) -> str:
        """Return an attribute's text; empty where there is none."""
        return next((text for name, text in self.attributes if name == key), "")
