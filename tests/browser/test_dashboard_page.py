"""The dashboard's page in a real browser, opened from its file."""

from __future__ import annotations

import csv
import importlib.util
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from crpack.model.pareto import front
from tests.browser.conftest import Page
from tests.tools.sample_results import MARKUP

if TYPE_CHECKING:
    from collections.abc import Iterator

COCO = "map||%|higher|COCO 2017 val"
P90, P50 = "latency|p90|ms|lower|", "latency|p50|ms|lower|"
OFFICIAL = "#" + urlencode({"x": P90, "y": COCO})
STATE = "crpack.address.read(location.hash)"
VIEW = f"crpack.model.view({STATE})"
BOTH = "#" + urlencode({"x": P90, "y": P50, "color": "series"})


@pytest.fixture
def small(chromium: Any, site: Path) -> Iterator[Page]:
    """The page on a phone, dark."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True
    )
    one = Page(context.new_page(), site)
    yield one
    said = one.said
    context.close()
    assert said == []


def drawn(page: Page) -> list[str]:
    """Return the ids of the results that a state draws."""
    found: list[str] = page.js(f"{VIEW}.points.map((row) => crpack.data.ids[row])")
    return found


def click_point(page: Page, row: int) -> None:
    """Click where a row is drawn."""
    x, y = page.js(
        """(row) => {
          const canvas = document.getElementById("canvas");
          const state = crpack.address.read(location.hash);
          const box = canvas.getBoundingClientRect();
          const other = document.createElement("canvas").getContext("2d");
          const placed = crpack.plot.draw(other, box.width, box.height, state,
            crpack.model.view(state));
          const [, x, y] = placed.find((one) => one[0] === row);
          return [x + box.left, y + box.top];
        }""".replace("(row) => {", f"(() => {{ const row = {row};", 1)
        + ")()"
    )
    page.tab.mouse.click(x, y)


def test_it_opens_from_a_file_and_asks_for_nothing_else(page: Page) -> None:
    """DSH-02, DSH-09: no error in the console, and nothing but files of its folder."""
    page.open()
    assert "39 measured · 459 official" in page.text("header")
    assert page.asked
    inside = f"file://{page.site}/"
    assert all(url.startswith((inside, "data:", "about:")) for url in page.asked)
    assert page.js("document.querySelectorAll('[style]').length") == 0
    policy = page.tab.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_policy_holds_against_what_gets_in(page: Page) -> None:
    """DSH-09: a second line of defence: a script that is written into the page does not run."""
    page.open()
    page.js(
        """(() => {
          const script = document.createElement("script");
          script.textContent = "window.pwned = 1";
          document.body.append(script);
          const holder = document.createElement("div");
          holder.innerHTML = "<img src=x onerror='window.pwned=1'>";
          document.body.append(holder);
        })()"""
    )
    page.tab.wait_for_timeout(100)
    assert page.js("window.pwned === undefined")
    assert len(page.said) >= 2
    page.said.clear()


def test_markup_of_a_record_is_shown_as_text(page: Page) -> None:
    """DSH-09: in the table, the details, the menus, the legend, the tip and the title."""
    page.open("#" + urlencode({"color": "processor"}))
    is_it = f"crpack.data.text(row, 'scenario') === {json.dumps(MARKUP)}"
    row = page.js(f"crpack.data.ids.findIndex((_, row) => {is_it})")
    axis = page.js(f"crpack.data.axes.find((one) => one.unit === {json.dumps(MARKUP)}).key")
    page.open("#" + urlencode({"x": axis, "y": axis, "color": "processor"}))
    click_point(page, row)
    page.tab.mouse.move(10, 10)
    assert MARKUP in page.text("#details")
    page.tab.locator("#details a").first.wait_for()
    page.tab.fill("#search", "<script>")
    for selector in ("#table", "#details", "#legend", "#x"):
        assert "<img src=x" in page.tab.locator(selector).text_content(), selector
    assert page.js("document.images.length") == 0
    assert page.js("window.pwned === undefined")


def test_the_official_rows_are_a_series_of_their_own(page: Page) -> None:
    """DSH-04: in the list, the drawing and the legend; never on the axis of another data set."""
    page.open(OFFICIAL)
    ids = drawn(page)
    assert len(ids) == 48
    assert all(one.startswith(("v0.5/", "v2.0/", "v3.0/")) for one in ids)
    assert "official MLPerf result" in page.text("#legend")
    assert page.texts("#table tbody td.badge")[:25] == ["official"] * 25
    page.open()
    assert "460 have no number on both axes" in page.text("#shown")


def test_both_series_have_a_line_of_their_own(page: Page) -> None:
    """DSH-06."""
    page.open(BOTH)
    assert "Pareto line\n" in page.text("#legend") + "\n"
    assert "Pareto line of official results" in page.text("#legend")
    assert all(page.js(f"{VIEW}.lines.map((line) => line.length)"))


def test_an_invalid_result_is_never_on_the_line(page: Page) -> None:
    """DSH-05."""
    page.open("#" + urlencode({"f.status": "INVALID"}))
    assert len(drawn(page)) == 2
    assert page.js(f"{VIEW}.onLine.size") == 0
    assert "INVALID" in page.text("#legend")
    page.tab.click("#table tbody tr >> nth=0")
    assert "INVALID" in page.text("#details")
    assert "map 0.31 is below 0.85" in page.text("#details")
    page.tab.check("#pareto")
    assert drawn(page) == []
    assert "No result" not in page.text("#table")


def test_the_front_of_the_page_is_that_of_the_library(page: Page) -> None:
    """DSH-06: for all four pairs of directions, with ties."""
    page.open()
    chance = random.Random(7)  # noqa: S311 - no secret
    for directions in (
        ("lower", "higher"),
        ("lower", "lower"),
        ("higher", "lower"),
        ("higher",) * 2,
    ):
        points = [(chance.randint(0, 9), chance.randint(0, 9)) for _ in range(60)]
        axes = [
            {"direction": one, "values": [point[place] for point in points]}
            for place, one in enumerate(directions)
        ]
        found = page.js(f"crpack.model.front([...Array(60).keys()], ...{json.dumps(axes)})")
        assert sorted(found) == sorted(front(points, directions))


def test_choosing_axes_changes_drawing_table_and_address(page: Page) -> None:
    """DSH-11."""
    page.open()
    before = drawn(page)
    page.tab.select_option("#y", COCO)
    page.tab.select_option("#x", P90)
    assert drawn(page) != before
    assert page.texts("#table th button")[1:3] == ["latency p90 ms", "map of COCO 2017 val %"]
    again = page.fragment
    rows = page.texts("#table tbody tr")
    page.open(again)
    assert page.texts("#table tbody tr") == rows
    assert page.fragment == again


def test_the_whole_state_is_in_the_address(page: Page) -> None:
    """DSH-11: axes, scales, filters, order, page, bars, colour and the chosen result."""
    page.open()
    page.tab.select_option("#x", P90)
    page.tab.uncheck("#xlog")
    page.tab.check("#ylog")
    page.tab.select_option("#color", "param.precision")
    page.tab.select_option("#bars", "tail")
    page.tab.fill("#search", "made-up")
    page.tab.click("#facets summary:has-text('backend')")
    page.tab.click("#facets label:has-text('tflite')")
    page.tab.check("#pareto")
    page.tab.click("#table th:nth-child(3) button")
    page.tab.click("#table tbody tr >> nth=0")
    state = f"JSON.stringify([{STATE}, [...{STATE}.filters.keys()]])"
    kept = page.js(state)
    shown = (page.texts("#table tbody tr"), page.text("#details"), page.text("#legend"))
    assert shown[0]
    page.open(page.fragment)
    assert page.js(state) == kept
    assert (page.texts("#table tbody tr"), page.text("#details"), page.text("#legend")) == shown
    assert page.tab.is_checked("#pareto")
    assert page.tab.input_value("#search") == "made-up"


def test_an_address_of_another_page_does_no_harm(page: Page) -> None:
    """DSH-11."""
    page.open("#x=nothing&y=%3Cscript%3E&page=-4&color=q&bars=1&sort=zz&point=12&f.none=1")
    assert len(drawn(page)) > 30


def test_filters_and_free_text_narrow_what_is_shown(page: Page) -> None:
    """DSH-11."""
    page.open()
    page.tab.click("#facets summary:has-text('backend')")
    page.tab.click("#facets label:has-text('native')")
    assert len(drawn(page)) == 12
    page.tab.fill("#search", "int8 a72")
    assert len(drawn(page)) == 3
    page.tab.click("#clear")
    assert len(drawn(page)) == 38


def test_the_table_sorts_and_turns_its_pages(page: Page) -> None:
    """DSH-11: best first; those without a number come last either way."""
    page.open()
    assert "1 to 25 of 498" in page.text("#pages")
    cell = "#table tbody tr:first-child td:nth-child(2)"
    best = float(page.text(cell))
    page.tab.click("#table th:nth-child(2) button")
    assert page.tab.get_attribute("#table th:nth-child(2)", "aria-sort") == "descending"
    assert float(page.text(cell)) > best
    page.tab.click("#pages button:has-text('Next')")
    assert "26 to 50 of 498" in page.text("#pages")
    assert "page=2" in page.fragment


def test_a_point_leads_to_its_record_lock_and_command(page: Page) -> None:
    """DSH-02, DSH-05."""
    page.open()
    row = page.js(f"{VIEW}.lines[0][1]")
    click_point(page, row)
    identity = page.js(f"crpack.data.ids[{row}]")
    assert f"point={identity}" in page.fragment
    assert page.tab.locator("#table tr[aria-selected=true]").count() == 1
    said = page.text("#details")
    assert "unverified, not an official MLPerf result" in said
    assert "unsigned" in said
    record, lock = (
        page.tab.locator(f"#details a:has-text('{word}')").get_attribute("href")
        for word in ("Record", "Lock")
    )
    assert (page.site / record).is_file()
    assert (page.site / lock).is_file()
    command = page.text("#details pre").splitlines()
    assert command == [
        f"crpack install --frozen --lock {lock}",
        f"crpack benchmark object-detection-shapes --replay {record}",
    ]


def test_points_can_be_stepped_through_with_the_keyboard(page: Page) -> None:
    """DSH-11: along either axis; what is chosen is said."""
    page.open()
    page.tab.focus("#canvas")
    numbers = []
    for key in ("Home", "ArrowRight", "ArrowRight", "End", "ArrowLeft"):
        page.tab.keyboard.press(key)
        numbers.append(float(page.text("#details .numbers dd >> nth=0").split()[0]))
    assert numbers[0] < numbers[1] < numbers[2] < numbers[4] < numbers[3]
    assert "latency p50" in page.tab.locator("#said").text_content()
    page.tab.keyboard.press("ArrowUp")
    page.tab.keyboard.press("Enter")
    assert page.js("document.activeElement.id") == "details"
    page.tab.focus("#canvas")
    page.tab.keyboard.press("Escape")
    assert "point=" not in page.fragment


def test_bars_span_the_interval_or_the_tail(page: Page) -> None:
    """DSH-03."""
    page.open()
    axis = f"crpack.data.axis.get({json.dumps(P50)})"
    for kind, low, high in (("ci", 0.96, 1.04), ("tail", 1, 1.6)):
        ends = page.js(f"crpack.plot.ends({axis}, 0, '{kind}')")
        median = page.js(f"{axis}.values[0]")
        assert [end / median for end in ends] == pytest.approx([low, high], abs=1e-3)


def test_an_axis_has_marks_that_people_can_read(page: Page) -> None:
    """DSH-11: three or more, on round numbers, inside, each with a text of its own."""
    page.open()
    for low, high, scale, most, texts in (
        (0.5, 60, "log", 6, "1 3 10 30"),
        (1, 1e9, "log", 6, ""),
        (20, 30, "log", 6, ""),
        (7.1, 7.3, "log", 6, ""),
        (0.88, 0.905, "even", 6, "0.880 0.885 0.890 0.895 0.900 0.905"),
        (0, 3e8, "even", 4, ""),
        (5, 5.0001, "even", 6, ""),
    ):
        log = json.dumps(scale == "log")
        marks = page.js(f"crpack.numbers.ticks([{low}, {high}], {log}, {most})")
        shown = page.js(f"crpack.numbers.labels({marks}, 'ms', {log})")
        assert 3 <= len(marks) <= most + 1, (low, high)
        assert all(low <= mark <= high for mark in marks), (low, high)
        assert len(set(shown)) == len(shown), (low, high)
        assert not texts or shown == texts.split()
    bytes_of = (
        "crpack.numbers.labels([10, 20, 40].map((one) => one * crpack.numbers.step(5e7, 'By')),"
    )
    assert page.js(f"{bytes_of} 'By', false)") == ["10 MiB", "20 MiB", "40 MiB"]


def test_the_table_can_be_taken_along(page: Page, tmp_path: Path) -> None:
    """DSH-09: as CSV of what is shown; a text that computes is none any more."""
    page.open("#" + urlencode({"q": "calc"}))
    with page.tab.expect_download() as waited:
        page.tab.click("#csv")
    waited.value.save_as(tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert len(rows) == 2
    assert "'=cmd|' /C calc'!A1" in rows[1]
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


@pytest.mark.slow
def test_the_drawing_can_be_taken_along(page: Page, tmp_path: Path) -> None:
    """DSH-05: as PNG."""
    page.open()
    with page.tab.expect_download() as waited:
        page.tab.click("#png")
    waited.value.save_as(tmp_path / "results.png")
    data = (tmp_path / "results.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") == 2400


def test_it_fits_a_phone(small: Page) -> None:
    """DSH-11: nothing but the table is wider than the screen; dark is dark."""
    for fragment in ("", OFFICIAL, BOTH):
        small.open(fragment)
        assert small.js("document.documentElement.scrollWidth") == 390
    assert small.js("getComputedStyle(document.body).backgroundColor") == "rgb(20, 21, 25)"
    small.tab.tap("#table tbody tr >> nth=1")
    assert small.texts("#details h2") != []


@pytest.mark.parametrize("screen", ["page", "small"])
def test_no_fault_of_access_is_known(
    page: Page, small: Page, screen: str, request: pytest.FixtureRequest
) -> None:
    """The rules of axe-core, light and dark, with a result chosen."""
    axe = importlib.util.find_spec("axe_playwright_python")
    if axe is None or axe.origin is None:
        pytest.skip("axe-playwright-python, which carries axe-core, is not installed")
    one = {"page": page, "small": small}[screen].open(OFFICIAL)
    one.tab.click("#table tbody tr >> nth=0")
    one.js(Path(axe.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
    violations = one.js(
        "axe.run({preload: false}).then((all) => all.violations.map((v) => [v.id, v.help]))"
    )
    assert violations == []
