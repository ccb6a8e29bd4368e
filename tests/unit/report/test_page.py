"""The data of the page."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crpack.model.limits import MAX_AXES
from crpack.report import own, page
from crpack.report.rows import OFFICIAL, Axis, Row, Value
from tests.tools.sample_results import digest, invalid, sample

if TYPE_CHECKING:
    import pytest


def rows(count: int) -> list[Row]:
    """Return rows of made-up results."""
    return [own.row(sample(place), digest(str(place))) for place in range(count)]


def read(data: bytes) -> Any:
    """Return the object that the script hands over."""
    text = data.decode("ascii")
    assert text.startswith("crpackData({")
    assert text.endswith("});\n")
    return json.loads(text[len("crpackData(") : -3])


def made(some: list[Row]) -> Any:
    """Return the object of the data of some rows."""
    return read(page.data(page.shown(some)[0], (), "1.0", ()))


def column(document: Any, key: str) -> list[str]:
    """Return the texts of an attribute, one a row."""
    one = next(one for one in document["attributes"] if one["key"] == key)
    return [one["texts"][code] for code in one["codes"]]


def test_the_same_results_make_the_same_bytes_in_any_order() -> None:
    """DSH-02."""
    some = rows(20)
    mixed = sorted(some, key=lambda row: row.id[::-1])
    assert page.data(page.shown(some)[0], (("b", True), ("a", False)), "1", ()) == page.data(
        page.shown(mixed)[0], (("a", False), ("b", True)), "1", ()
    )


def test_columns_hold_what_the_rows_say() -> None:
    """DSH-02."""
    some = rows(12)
    document = made(some)
    order = [row.id for row in page.shown(some)[0]]
    assert document["ids"] == order
    for axis in document["axes"]:
        for at, value in zip(axis["at"], axis["values"], strict=True):
            row = next(row for row in some if row.id == order[at])
            assert value in [one.value for one in row.values if one.axis.key == axis["key"]]
    by_id = {row.id: row for row in some}
    backends = [by_id[one].attribute("param.backend") for one in order]
    assert column(document, "param.backend") == backends


def test_a_title_names_what_differs() -> None:
    """DSH-02: parameters that all have in common would only be noise."""
    titles = column(made(rows(7)), "title")
    assert "native · fp32 · threads 1" in titles
    assert column(made(rows(1)), "title") == ["object-detection-shapes 1.0.0"]


def test_what_a_script_could_stumble_over_is_escaped() -> None:
    """DSH-09."""
    texts = "</script><!--\u2028\u2029'\"\\ é \U0001f600"
    data = page.data([replace(rows(1)[0], name=texts, reasons=(texts,))], (), "1", (texts,))
    assert b"<" not in data
    document = read(data)
    assert document["notes"] == [texts]
    assert column(document, "reasons") == [texts]


def test_beyond_the_limit_the_oldest_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """DSH-10: after those that are not valid; official ones stay."""
    monkeypatch.setattr(page, "MAX_RESULTS", 2)
    old, new = rows(2)
    bad = own.row(invalid(sample(5)), digest("bad"))
    official = replace(old, id="v0.5/x", series=OFFICIAL)
    shown, omitted = page.shown([bad, old, official, new])
    assert [row.id for row in shown] == [new.id, old.id, "v0.5/x"]
    assert omitted == 1


def test_a_record_with_thousands_of_metrics_does_not_widen_the_page() -> None:
    """DSH-10: the commonest axes and attributes stay, and the rest is told of."""
    good = rows(3)
    axes = [Axis(f"m{n}", "", "1", "higher", "other") for n in range(3000)]
    wide = Row(
        id=digest("wide"),
        series="measured",
        name="wide 1",
        reasons=(),
        values=tuple(Value(axis, 1.0) for axis in axes),
        attributes=tuple((f"param.p{n}", "x" * 300) for n in range(3000)),
    )
    document = made([wide, *good])
    assert len(document["axes"]) == MAX_AXES
    assert {axis.key for row in good for axis in (one.axis for one in row.values)} <= {
        axis["key"] for axis in document["axes"]
    }
    assert "not shown" in document["notes"][0]
    assert len(page.data(page.shown([wide, *good])[0], (), "1", ())) < 100_000
