from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from crpack.errors import FormatError
from crpack.model import canonical, results
from crpack.model.limits import MAX_SAMPLES
from crpack.model.results import (
    Check,
    Machine,
    Metric,
    Part,
    Provenance,
    Result,
    Samples,
    Software,
    State,
    Validity,
)

SCHEMA = json.loads((Path(__file__).parents[3] / "spec" / "result.schema.json").read_text())

WHOLE = Result(
    software=Software("lab/shapes", "1.2", 1, "a" * 64, "b" * 64, "c" * 64, (("images", "50"),)),
    action="benchmark",
    scenario="SingleStream",
    params=(("backend", "native"), ("threads", "1")),
    parts=(Part("lab/shapes", "1.2", "solution", "binary", "d" * 64),
           Part("onnxruntime", "1.20", "software", "detected")),
    machine=Machine("linux-x86_64-gnu2.36", "Linux 6.1", "A processor", "x86-64-v3", 2, 2**33,
                    ("nvidia",), "container"),
    before=State("0.10", "performance", "3000", "0", "1000", "0-1"),
    after=State("1.10", "performance", "2900", "0", "1000", "0-1"),
    metrics=(
        Metric("latency", "latency", "ms", "lower", "1.25", 300, "1.2", "1.3", (("p50", "1.25"),)),
        Metric("map", "quality", "1", "higher", "0.9"),
    ),
    validity=Validity(valid=True, checks=(Check("map", "0.9", "0.9", "0.01", "higher", True),)),
    provenance=Provenance("2026-01-31T12:00:00Z", 12_000, "1.0", "loadgen 6.0", repeats=3),
    settings=(("OMP_NUM_THREADS", "1"),),
    samples=(Samples("latency", "ns", (1_250_000, 1_300_000)),),
    absent=(("energy", "this machine shows no energy counter"),),
)  # fmt: skip


def table() -> Any:
    return json.loads(results.encode(WHOLE))


def put(place: str, value: object) -> bytes:
    """Return the bytes of a result with another value at a place such as `machine.cores`."""
    whole = one = table()
    *path, last = place.split(".")
    for key in path:
        one = one[int(key)] if isinstance(one, list) else one[key]
    if value is None:
        del one[last]
    else:
        one[last] = value
    return canonical.encode(whole)


def test_what_was_written_is_read_again() -> None:
    """RES-01, RES-02: as one canonical document that its name proves."""
    data = results.encode(WHOLE)
    assert results.decode(data, name=results.identity(data)) == WHOLE
    assert results.encode(results.decode(data)) == data


def test_an_edited_result_is_refused() -> None:
    """RES-01: whatever is changed, be it one digit."""
    data = results.encode(WHOLE)
    edited = data.replace(b'"1.25"', b'"1.15"')
    assert results.decode(edited).metrics[0].value == "1.15"
    with pytest.raises(FormatError, match="was edited"):
        results.decode(edited, name=results.identity(data))


def test_equal_machines_have_equal_digests() -> None:
    """RES-03."""
    one = WHOLE.machine
    assert replace(one).digest == one.digest
    for field, value in (("cores", 3), ("cpu", "Another"), ("kernel", "Linux 6.2")):
        assert replace(one, **{field: value}).digest != one.digest  # type: ignore[arg-type]
    with pytest.raises(FormatError) as caught:
        results.decode(put("machine.cores", 64))
    assert caught.value.rule == "RES-03"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("schema", "crpack-result/2"),
        ("software", None),
        ("software.lock", "b" * 63),
        ("software.name", "<script>"),
        ("params", {"a": "b\nc"}),
        ("params", {"a": 1}),
        ("action", ""),
        ("parts.0.tree", "x"),
        ("metrics.0.value", "1e5"),
        ("metrics.0.value", "NaN"),
        ("metrics.0.value", "01"),
        ("metrics.0.value", 1),
        ("metrics.0.n", 0),
        ("metrics.0.kind", "speed"),
        ("metrics.0.direction", "up"),
        ("metrics.0.quantiles", {"p50": "fast"}),
        ("before.load", "a\u2028b"),
        ("before", {}),
        ("validity.checks.0.passed", 1),
        ("provenance.started", "yesterday"),
        ("provenance.replicates", "me"),
        ("samples.0.values", [-1]),
        ("samples.0.values", [1.5]),
        ("samples.0.values", [1] * (MAX_SAMPLES + 1)),
        ("samples.0.first", 10**6),
        ("settings", []),
        ("absent", {"energy": "x" * 301}),
    ],
)
def test_the_code_and_the_schema_refuse_the_same(place: str, value: object) -> None:
    """RES-02, RES-04."""
    whole = table()
    jsonschema.validate(whole, SCHEMA)
    if isinstance(value, list) and value == [1.5]:
        data = b'{"not":"canonical"}'
    else:
        data = put(place, value)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(data), SCHEMA)
    with pytest.raises(FormatError):
        results.decode(data)


def test_the_schema_names_every_field() -> None:
    """RES-02."""
    whole = table()
    assert set(SCHEMA["properties"]) == set(whole)
    for name in ("software", "machine", "validity", "provenance"):
        assert set(SCHEMA["properties"][name]["properties"]) == set(whole[name])
    for name in ("metrics", "parts", "samples"):
        assert set(SCHEMA["properties"][name]["items"]["properties"]) == set(whole[name][0])
    assert set(SCHEMA["$defs"]["state"]["required"]) == set(whole["before"])


def test_metrics_are_sorted_and_each_once() -> None:
    """RES-04."""
    with pytest.raises(FormatError, match="sorted"):
        results.decode(results.encode(replace(WHOLE, metrics=WHOLE.metrics[::-1])))
    with pytest.raises(FormatError, match="sorted"):
        results.decode(results.encode(replace(WHOLE, metrics=WHOLE.metrics[:1] * 2)))


@pytest.mark.parametrize(
    "validity",
    [
        Validity(valid=True),
        Validity(True, ("slow",), (), WHOLE.validity.checks),
        Validity(True, (), (), (replace(WHOLE.validity.checks[0], passed=False),)),
        Validity(valid=False),
    ],
)
def test_validity_is_not_claimed_for_nothing(validity: Validity) -> None:
    """RES-06."""
    with pytest.raises(FormatError) as caught:
        results.decode(results.encode(replace(WHOLE, validity=validity)))
    assert caught.value.rule == "RES-06"


def test_a_metric_is_found_by_its_name() -> None:
    assert WHOLE.metric("map") == WHOLE.metrics[1]
    assert WHOLE.metric("nothing") is None
