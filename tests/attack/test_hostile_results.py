"""Results that mean harm: left out with a sentence, or shown as inert text."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.model import canonical, results
from tests.flow.test_dashboard import data
from tests.flow.tool import Tool
from tests.tools.sample_results import hostile, sample, store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """The command in a home of its own."""
    return Tool(tmp_path)


def edited(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"7.5', b'"0.5'))


def renamed(path: Path) -> None:
    path.rename(path.with_name("0" * 64 + ".json"))


def nonsense(path: Path) -> None:
    path.write_bytes(b"\x00\xff<html>")


def endless(path: Path) -> None:
    path.write_bytes(b"[" * (5 << 20))


def deep(path: Path) -> None:
    path.write_bytes(b"[" * 100_000 + b"]" * 100_000)


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def not_a_number(path: Path) -> None:
    table = json.loads(path.read_bytes())
    table["metrics"][0]["value"] = "1e999"
    _put(path, table)


def claimed(path: Path) -> None:
    table = json.loads(path.read_bytes())
    table["validity"]["checks"][0]["passed"] = False
    _put(path, table)


def faster_than_its_samples(path: Path) -> None:
    table = json.loads(path.read_bytes())
    table["metrics"][0]["value"] = table["metrics"][0]["quantiles"]["p50"] = "0.5"
    _put(path, table)


def other_machine(path: Path) -> None:
    table = json.loads(path.read_bytes())
    table["machine"]["cores"] = 128
    _put(path, table)


def _put(path: Path, table: object) -> None:
    """Write a table under the name of its digest, as its maker would."""
    payload = canonical.encode(table)
    path.unlink()
    path.with_name(f"{results.identity(payload)}.json").write_bytes(payload)


def under_another_name(path: Path) -> None:
    path.rename(path.with_name("result.json"))


def signed_with_nonsense(path: Path) -> None:
    path.with_suffix(".sig.json").write_text("{}")


HARM: list[Callable[[Path], None]] = [
    edited, renamed, nonsense, endless, deep, fifo, link, folder, not_a_number, claimed,
    other_machine, faster_than_its_samples, under_another_name, signed_with_nonsense,
]  # fmt: skip


def test_bad_files_are_left_out_with_a_sentence_each_and_hide_nothing(tool: Tool) -> None:
    """DSH-01, RES-01, RES-03, RES-04, RES-06, RES-07, RES-09."""
    for place, harm in enumerate(HARM):
        harm(store(tool.folder / "r", sample(0 if harm is edited else 100 + place))[0])
    good = store(tool.folder / "r", sample(1), sample(2))
    answer = tool("dashboard", "r", "--json").json
    assert answer["data"]["results"] == len(good)
    assert len(answer["warnings"]) == len(set(answer["warnings"])) == len(HARM)
    assert all("left out" in text for text in answer["warnings"])
    assert {path.name for path in (tool.folder / "dashboard/results").glob("*.json")} == {
        path.name for path in good
    }


def test_nothing_is_written_where_no_file_is_a_result(tool: Tool) -> None:
    """DSH-01, CLI-05."""
    nonsense(store(tool.folder / "r", sample())[0])
    done = tool("dashboard", "r", code=4)
    assert "is left out" in done.err
    assert not (tool.folder / "dashboard").exists()


def test_the_same_result_twice_counts_once(tool: Tool) -> None:
    """DSH-01."""
    store(tool.folder / "r", sample())
    store(tool.folder / "copy", sample())
    answer = tool("dashboard", "r", "copy", "--json").json
    assert answer["data"]["results"] == 1
    assert "the same as" in answer["warnings"][0]


def test_a_flood_of_bad_files_is_counted(tool: Tool) -> None:
    """DSH-01: JSON has them all."""
    store(tool.folder / "r", sample())
    for number in range(30):
        (tool.folder / f"r/x{number}.json").write_text("{}")
    assert "10 more files are left out" in tool("dashboard", "r").err
    assert len(tool("dashboard", "r", "--json").json["data"]["refused"]) == 30


def test_a_link_in_the_place_of_the_page_is_not_followed(tool: Tool) -> None:
    """DSH-02: a file of the page that is a link is replaced, not what it names."""
    store(tool.folder / "r", sample())
    (tool.folder / "precious").write_text("keep")
    tool("dashboard", "r", "--out", "page")
    (tool.folder / "page/data.js").unlink()
    (tool.folder / "page/data.js").symlink_to(tool.folder / "precious")
    tool("dashboard", "r", "--out", "page")
    assert (tool.folder / "precious").read_text() == "keep"


def test_markup_in_every_text_stays_text(tool: Tool) -> None:
    """DSH-09: in the data; that the page shows it as text is tried in a browser."""
    store(tool.folder / "r", hostile())
    tool("dashboard", "r")
    assert b"<" not in (tool.folder / "dashboard/data.js").read_bytes()
    texts = {text for one in data(tool.folder / "dashboard")["attributes"] for text in one["texts"]}
    assert any("<img src=x onerror=" in text for text in texts)


def test_texts_that_turn_around_do_not_reach_the_terminal(tool: Tool) -> None:
    """CLI-01: names of files are hostile as well."""
    store(tool.folder / "r", replace(sample(), scenario="SingleStream"))
    (tool.folder / "r/\x1b[31m\u202ex.json").write_text("{}")
    done = tool("dashboard", "r")
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err
