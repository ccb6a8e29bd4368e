"""Hostile results: refused in one sentence, or made harmless."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crpack.errors import CrpackError, FormatError
from crpack.model import canonical, results
from crpack.work import recount, statistics
from tests.flow.tool import Tool
from tests.unit.model.test_results import WHOLE
from tests.unit.work.test_recount import made

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.model.results import Result


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the place of every value below a JSON value."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else items:
        found += places(item, (*path, key))
    return found


def with_value(path: tuple[Any, ...], value: object, result: Result = WHOLE) -> bytes:
    whole = one = json.loads(results.encode(result))
    for key in path[:-1]:
        one = one[key]
    one[path[-1]] = value
    return canonical.encode(whole)


def test_no_value_at_any_place_breaks_the_reader() -> None:
    """RES-01, RES-02: it refuses, or reads what is no longer the same."""
    draw = random.Random(11)  # noqa: S311 - the same cases each time
    values: list[Any] = [None, True, -1, 2**53 - 1, "", "\0", "x" * 5000, [], {}, [[]], {"a": {}}]
    for path in places(json.loads(results.encode(WHOLE))):
        for value in draw.sample(values, 5):
            data = with_value(path, value)
            try:
                found = results.decode(data)
            except FormatError:
                continue
            assert results.decode(results.encode(found)) == found


def histogram(result: Result) -> Result:
    """Return a result whose samples are counted in bins."""
    (one,) = result.samples
    first, counts = statistics.histogram(one.values)
    return replace(result, samples=(replace(one, values=(), first=first, counts=counts),))


@pytest.mark.parametrize("result", [made(3, 2), histogram(made(3, 2))])
def test_no_value_at_any_place_breaks_the_recount(result: Result) -> None:
    """RES-09: what can be read is judged, whatever it says."""
    recount.check(result)
    values: list[Any] = [0, 1, -99_999, 2**53 - 1, "", "0", "-1", "9" * 18, "0.00000001", "latency",
                         "other", "Offline", [], [0], [1, 1], [2**53 - 1] * 2, {}]  # fmt: skip
    told = 0
    draw = random.Random(5)  # noqa: S311 - the same cases each time
    judged = ("metrics", "samples", "scenario", "validity", "provenance")
    for path in places(json.loads(results.encode(result))):
        for value in draw.sample(values, 5) if path[0] in judged else ():
            try:
                recount.check(results.decode(with_value(path, value, result)))
            except FormatError as error:
                told += error.rule == "RES-09"
    assert told > 20


def test_markup_in_every_text_is_kept_as_text_or_refused() -> None:
    """RES-02: no reader can take it for more than a text; control characters never pass."""
    for path in places(json.loads(results.encode(WHOLE))):
        for text in (
            "<script>alert(1)</script>",
            "\x1b[2J",
            "\x9b2J",
            "a\u202eb",
            "\u2066",
            "\u2028",
        ):
            try:
                found = results.decode(with_value(path, text))
            except FormatError:
                continue
            shown = json.dumps(json.loads(results.encode(found)))
            assert "\x1b" not in shown
            assert "\\u001b" not in shown
            assert not any(f"\\u{code}" in shown for code in ("009b", "202e", "2066", "2028"))


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 10**6, b'{"a":' * 100, b"\xff", b"null"])
def test_what_is_no_result_is_refused(data: bytes) -> None:
    """RES-01."""
    with pytest.raises(CrpackError):
        results.decode(data)


def test_a_record_that_is_no_file_is_refused(tmp_path: Path) -> None:
    """RES-01: nor is a link or a folder followed."""
    tool = Tool(tmp_path)
    name = f"{'a' * 64}.json"
    (tmp_path / name).mkdir()
    tool("benchmark", "--replay", tmp_path / name, code=1)
    link = tmp_path / f"{'b' * 64}.json"
    link.symlink_to("/etc/passwd")
    assert "passwd" not in tool("benchmark", "--replay", link, code=1).out
    (tmp_path / f"{'c' * 64}.json").write_bytes(b"\xff" * 100)
    tool("benchmark", "--replay", tmp_path / f"{'c' * 64}.json", code=4)
