"""Rows of the dashboard, of measured and official results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import crpack.report
from crpack.model.results import Part
from crpack.report import official, own
from tests.tools.sample_results import digest, invalid, latency, number, sample, with_metrics

if TYPE_CHECKING:
    from crpack.report.rows import Row

OFFICIAL = Path(crpack.report.__file__).parent / "data/mlperf.json"


def rows_of_mlperf() -> tuple[Row, ...]:
    """Return the official rows that come with crpack."""
    return official.rows(OFFICIAL.read_bytes())


def axes(row: Row) -> dict[str, float]:
    """Return the numbers of a row by the keys of their axes."""
    return {value.axis.key: value.value for value in row.values}


def test_a_latency_has_an_axis_for_its_median_and_one_for_each_tail() -> None:
    """DSH-03."""
    row = own.row(with_metrics(sample(), latency(10.0, 0.05)), digest("a"))
    found = axes(row)
    assert found["latency|p50|ms|lower|"] == 10
    assert found["latency|p90|ms|lower|"] == 12
    assert found["latency|p99|ms|lower|"] == 16
    median = next(value for value in row.values if value.axis.stat == "p50")
    assert (median.low, median.high) == (9.5, 10.5)


def test_a_tail_has_the_interval_that_the_record_states() -> None:
    """DSH-03, BEN-04."""
    plain = latency(10.0)
    ends = (("p90_high", "13"), ("p90_low", "11"))
    bounded = replace(plain, quantiles=tuple(sorted((*plain.quantiles, *ends))))
    row = own.row(with_metrics(sample(), bounded), digest("a"))
    tails = {value.axis.stat: (value.low, value.high) for value in row.values if value.axis.stat}
    assert tails["p90"] == (11, 13)
    assert tails["p99"] == (None, None)


def test_accuracies_on_two_data_sets_never_share_an_axis() -> None:
    """DSH-03: name, version and content tell data sets apart."""
    result = sample()
    others = [
        replace(part, version="2.0.0") if part.kind == "dataset" else part for part in result.parts
    ]
    edited = [
        replace(part, tree=digest("other")) if part.kind == "dataset" else part
        for part in result.parts
    ]
    found = {
        next(value.axis for value in own.row(one, digest("a")).values if value.axis.name == "map")
        for one in (
            result,
            replace(result, parts=tuple(others)),
            replace(result, parts=tuple(edited)),
        )
    }
    assert len(found) == 3
    assert not found & {value.axis for row in rows_of_mlperf() for value in row.values}


def test_a_latency_shares_its_axis_with_the_official_ones() -> None:
    """DSH-04: the same statistic in the same unit; that of MultiStream is another metric."""
    mine = set(axes(own.row(sample(), digest("a"))))
    single = [row for row in rows_of_mlperf() if row.attribute("scenario") == "SingleStream"]
    multi = [row for row in rows_of_mlperf() if row.attribute("scenario") == "MultiStream"]
    assert all("latency|p90|ms|lower|" in mine for row in single if axes(row))
    assert not any(mine & set(axes(row)) for row in multi)


def test_all_official_rows_are_there_with_their_sources() -> None:
    """DSH-04."""
    rows = rows_of_mlperf()
    assert len(rows) == len({row.id for row in rows}) == 459
    assert all(row.attribute("source").startswith("https://github.com/mlcommons/") for row in rows)
    demo = next(
        row
        for row in rows
        if row.attribute("model") == "ssd-mobilenet-v1-non-quantized-mlperf"
        and "cpu" in row.id
        and row.attribute("scenario") == "SingleStream"
    )
    found = axes(demo)
    assert round(found["latency|p90|ms|lower|"], 2) == 22.73
    assert round(found["latency|p50|ms|lower|"], 2) == 20.67
    assert found["map||%|higher|COCO 2017 val"] == 23.173


def test_the_accuracy_of_later_rounds_is_on_their_own_data_set() -> None:
    """DSH-04: RetinaNet is scored on another data set than the SSDs."""
    for row in rows_of_mlperf():
        expected = "OpenImages, MLPerf subset" if row.attribute("model") == "retinanet" else "COCO"
        assert row.attribute("dataset").startswith(expected)


def test_a_row_says_what_was_measured_and_on_what() -> None:
    """DSH-02: lock, machine, parameters and state are attributes."""
    row = own.row(sample(), digest("a"), ("alice",))
    for key, text in {
        "solution": "object-detection-shapes 1.0.0",
        "model": f"ssd-mobilenet-shapes 1.0.0 #{digest('model')[:8]}",
        "processor": "Made-up CPU 9000",
        "memory": "8.0 GiB",
        "load": "0.21, 0.93",
        "harness": "loadgen 6.0.17",
        "param.backend": "native",
        "option.images": "50",
    }.items():
        assert row.attribute(key) == text
    assert not row.attribute("accelerator")


def test_many_parts_are_counted() -> None:
    """DSH-10: one row stays readable."""
    parts = tuple(Part(f"p{n:02}", "1", "software", "binary") for n in range(40))
    text = own.row(replace(sample(), parts=parts), digest("a")).attribute("parts")
    assert text.endswith("and 16 more")


def test_an_invalid_result_says_why() -> None:
    """DSH-05."""
    row = own.row(invalid(sample(), "map is too low"), digest("a"))
    assert not row.valid
    assert row.reasons == ("map is too low",)


def test_a_metric_of_another_direction_has_another_axis() -> None:
    """DSH-03: a record cannot turn the axis of others round."""
    turned = number("throughput", "throughput", "1/s", 5, higher=False)
    mine = {v.axis for v in own.row(sample(), digest("a")).values}
    theirs = {v.axis for v in own.row(with_metrics(sample(), turned), digest("b")).values}
    assert len({axis for axis in mine | theirs if axis.name == "throughput"}) == 2
