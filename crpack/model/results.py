"""A result: one benchmark as a document that others can check, repeat and refute.

Rules (SPEC RES-01 to RES-06):
- It is canonical JSON and is named by the sha256 of its bytes.
- It names the software by digests (archive, lock, realisation, models, data sets) and the machine
  by what it is, never by whose it is: no host, no user, no path, no address.
- Every metric has a unit and a direction. Numbers that are no integers are decimal texts.
- What could not be measured is left out, and the reason stands in its place.
- A result is valid only when its validation passed; one that is not says why.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from crpack.errors import FormatError
from crpack.model import canonical, document
from crpack.model.document import SHA256
from crpack.model.limits import MAX_JSON_BYTES, MAX_SAMPLES

if TYPE_CHECKING:
    from crpack.model.document import Fields

SCHEMA = "crpack-result/1"
KINDS = ("latency", "throughput", "quality", "energy", "memory", "time", "size", "other")

_WHAT = "the result"
_RULE = "RES-01"
_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{0,300}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@/-]{0,159}", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?", re.ASCII)
_DIGEST = re.compile(r"([0-9a-f]{64})?", re.ASCII)
_DIRECTION = re.compile("lower|higher")
_KIND = re.compile("|".join(KINDS))


@dataclass(frozen=True, slots=True)
class Software:
    """What was measured: `identity` is of its archive; options are those of its build."""

    name: str
    version: str
    revision: int
    identity: str
    lock: str
    realisation: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A component that took part; `tree` is its content, empty for what the machine had."""

    name: str
    version: str
    kind: str
    origin: str
    tree: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it ran.

    `kernel` is its name and release, `cpu` a model, `level` is `@cpu`, `cores` are those that the
    run could use, `memory` is in bytes, `accelerators` are GPUs and their like, `virtual` is the
    kind of virtual machine or container, empty where none is known.
    """

    platform: str
    kernel: str = ""
    cpu: str = ""
    level: str = ""
    cores: int = 0
    memory: int = 0
    accelerators: tuple[str, ...] = ()
    virtual: str = ""

    @property
    def digest(self) -> str:
        """The same for equal machines: 64 hex digits (SPEC RES-03)."""
        return hashlib.sha256(canonical.encode(asdict(self))).hexdigest()


@dataclass(frozen=True, slots=True)
class State:
    """The machine just before or after: decimal texts; empty what cannot be read.

    Attributes:
        load: of the last minute, a number of running programs.
        governor: of the processor's frequency.
        mhz: that frequency, mean of the cores.
        throttled: how often the processor slowed down for heat since the machine started.
        free: bytes of memory that are available.
        affinity: processors that programs may use, such as `0-3,8`.
    """

    load: str = ""
    governor: str = ""
    mhz: str = ""
    throttled: str = ""
    free: str = ""
    affinity: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number that was measured.

    Attributes:
        name: such as `latency`.
        kind: see `KINDS`.
        unit: such as `ms`, `1/s`, `By`, `J`, `1` (UCUM).
        direction: what is better.
        value: decimal text; for many samples their median.
        n: number of samples; 1 for one measurement.
        low, high: bounds of the 95 % confidence interval of `value`; empty where n is too small.
        quantiles: `p50`, `p90`, `p99`, `min`, `max`, `mean`, `sd`, as decimal texts; `p90_low`
            and the like bound the interval of a percentile.
    """

    name: str
    kind: str
    unit: str
    direction: Literal["lower", "higher"]
    value: str
    n: int = 1
    low: str = ""
    high: str = ""
    quantiles: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Samples:
    """What a metric was made of: integers, one each, at most `MAX_SAMPLES`; or a histogram.

    `unit` is theirs, such as `ns`; `repeats` is how many came from each repeat, in order. In a
    histogram `counts[i]` samples were at least `1.01 ** (first + i)` and below the next such bound.
    """

    metric: str
    unit: str
    values: tuple[int, ...] = ()
    first: int = 0
    counts: tuple[int, ...] = ()
    repeats: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One bound of the validation: decimal texts; `value` is empty where there was none."""

    name: str
    value: str
    reference: str
    tolerance: str
    direction: Literal["lower", "higher"]
    passed: bool


@dataclass(frozen=True, slots=True)
class Validity:
    """Whether the numbers count: `reasons` say why not; `notes` what to know all the same."""

    valid: bool
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """When and how.

    Attributes:
        started: UTC, to the second; `milliseconds` are of the whole benchmark, of `repeats` starts.
        crpack: its version.
        harness: what measured: `crpack`, or `loadgen 4.1`.
        executor: where the program ran: `local`, `emulator`, `ssh`, `adb`.
        source: `self`, or where a foreign result is from.
        replicates: id of the result that this one repeats; empty for none.
    """

    started: str
    milliseconds: int
    crpack: str
    harness: str = "crpack"
    executor: str = "local"
    source: str = "self"
    replicates: str = ""
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """One benchmark (SPEC RES-02).

    Attributes:
        action: of the solution; `scenario` is how it was driven, such as `SingleStream`.
        params: name and value as text, all of them.
        parts: components that took part, metrics: both sorted by name.
        settings: environment variables of an allow list.
        absent: metrics that could not be measured, and why.
    """

    software: Software
    action: str
    scenario: str
    params: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    machine: Machine
    before: State
    after: State
    metrics: tuple[Metric, ...]
    validity: Validity
    provenance: Provenance
    settings: tuple[tuple[str, str], ...] = ()
    samples: tuple[Samples, ...] = ()
    absent: tuple[tuple[str, str], ...] = ()

    def metric(self, name: str) -> Metric | None:
        """Return a metric by its name; None where it was not measured."""
        return next((one for one in self.metrics if one.name == name), None)


_PAIRS = ("params", "settings", "absent")
_KNOWN = frozenset({*Result.__slots__, "schema"})


def encode(result: Result) -> bytes:
    """Return the bytes of a result (SPEC RES-01)."""
    table = asdict(result)
    for name in _PAIRS:
        table[name] = dict(table[name])
    table["software"]["options"] = dict(table["software"]["options"])
    for metric in table["metrics"]:
        metric["quantiles"] = dict(metric["quantiles"])
    table["machine"]["digest"] = result.machine.digest
    return document.encode({**table, "schema": SCHEMA})


def identity(data: bytes) -> str:
    """Return the id of a result: the sha256 of its bytes (SPEC RES-01)."""
    return hashlib.sha256(data).hexdigest()


def decode(data: bytes, *, name: str = "") -> Result:
    """Return what a result says (SPEC RES-01 to RES-05).

    Args:
        data: its bytes.
        name: the id that its file is named by; empty to leave that alone.

    Raises:
        FormatError: not exactly a result, or not the one that its name says.
    """
    if name and identity(data) != name:
        raise FormatError(f"{_WHAT} is not the one that its name says: it was edited", rule=_RULE)
    top = document.decode(data, what=_WHAT, rule=_RULE, known=_KNOWN, limit=MAX_JSON_BYTES)
    if top.text("schema") != SCHEMA:
        raise top.refuse("schema", f"is not `{SCHEMA}`")
    machine = _machine(top.inner("machine"))
    if top.inner("machine").text("digest", SHA256) != machine.digest:
        raise top.refuse("machine.digest", "is not that of the machine", rule="RES-03")
    metrics = tuple(_metric(one) for one in top.each("metrics"))
    names = [one.name for one in metrics]
    if names != sorted(set(names)):
        raise top.refuse("metrics", "are not sorted by name, each once", rule="RES-04")
    return Result(
        software=_software(top.inner("software")),
        action=top.text("action", _WORD),
        scenario=top.text("scenario", _LINE),
        params=_pairs(top, "params"),
        parts=tuple(_part(one) for one in top.each("parts")),
        machine=machine,
        before=_state(top.inner("before")),
        after=_state(top.inner("after")),
        metrics=metrics,
        validity=_validity(top.inner("validity")),
        provenance=_provenance(top.inner("provenance")),
        settings=_pairs(top, "settings"),
        samples=tuple(_samples(one) for one in top.each("samples")),
        absent=_pairs(top, "absent"),
    )


def _pairs(fields: Fields, name: str) -> tuple[tuple[str, str], ...]:
    found = fields.pairs(name, _LINE)
    if any(not _LINE.fullmatch(value) for _, value in found):
        raise fields.refuse(name, "holds a value of more than one line")
    return found


def _software(of: Fields) -> Software:
    return Software(
        name=of.text("name", _WORD),
        version=of.text("version", _LINE),
        revision=of.integer("revision"),
        **{name: of.text(name, SHA256) for name in ("identity", "lock", "realisation")},
        options=_pairs(of, "options"),
    )


def _part(of: Fields) -> Part:
    words = {name: of.text(name, _WORD) for name in ("name", "kind", "origin")}
    return Part(**words, version=of.text("version", _LINE), tree=of.text("tree", _DIGEST))


def _machine(of: Fields) -> Machine:
    lines = ("platform", "kernel", "cpu", "level", "virtual")
    return Machine(
        **{name: of.text(name, _LINE) for name in lines},
        cores=of.integer("cores"),
        memory=of.integer("memory"),
        accelerators=of.texts("accelerators", _LINE),
    )


def _state(of: Fields) -> State:
    return State(**{name: of.text(name, _LINE) for name in State.__slots__})


def _decimal(of: Fields, name: str, *, empty: bool = False) -> str:
    text = of.text(name)
    if not (empty and not text) and not _DECIMAL.fullmatch(text):
        raise of.refuse(name, "is no decimal number", rule="RES-04")
    return text


def _direction(of: Fields) -> Literal["lower", "higher"]:
    return "lower" if of.text("direction", _DIRECTION) == "lower" else "higher"


def _metric(of: Fields) -> Metric:
    quantiles = of.pairs("quantiles", _LINE)
    if any(not _DECIMAL.fullmatch(value) for _, value in quantiles):
        raise of.refuse("quantiles", "holds what is no decimal number", rule="RES-04")
    return Metric(
        name=of.text("name", _WORD),
        kind=of.text("kind", _KIND),
        unit=of.text("unit", _LINE),
        direction=_direction(of),
        value=_decimal(of, "value"),
        n=of.integer("n", 1),
        low=_decimal(of, "low", empty=True),
        high=_decimal(of, "high", empty=True),
        quantiles=quantiles,
    )


def _samples(of: Fields) -> Samples:
    return Samples(
        metric=of.text("metric", _WORD),
        unit=of.text("unit", _LINE),
        values=of.integers("values", most=MAX_SAMPLES),
        first=of.integer("first", -100_000, 100_000),
        counts=of.integers("counts", most=10_000),
        repeats=of.integers("repeats", most=10_000),
    )


def _check(of: Fields) -> Check:
    return Check(
        name=of.text("name", _WORD),
        value=_decimal(of, "value", empty=True),
        **{name: _decimal(of, name) for name in ("reference", "tolerance")},
        direction=_direction(of),
        passed=of.flag("passed"),
    )


def _validity(of: Fields) -> Validity:
    found = Validity(
        valid=of.flag("valid"),
        reasons=of.texts("reasons", _LINE),
        notes=of.texts("notes", _LINE),
        checks=tuple(_check(one) for one in of.each("checks")),
    )
    failed = any(not one.passed for one in found.checks)
    if found.valid and (found.reasons or failed or not found.checks):
        raise of.refuse("valid", "is claimed without a validation that passed", rule="RES-06")
    if not found.valid and not found.reasons:
        raise of.refuse("reasons", "are missing", rule="RES-06")
    return found


def _provenance(of: Fields) -> Provenance:
    return Provenance(
        started=of.date("started"),
        milliseconds=of.integer("milliseconds"),
        crpack=of.text("crpack", _LINE),
        harness=of.text("harness", _LINE),
        executor=of.text("executor", _WORD),
        source=of.text("source", _LINE),
        replicates=of.text("replicates", _DIGEST),
        repeats=of.integer("repeats"),
    )
