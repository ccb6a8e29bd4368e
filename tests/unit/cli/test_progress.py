from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from crpack import config
from crpack.cli.console import Console
from crpack.cli.dispatch import Call
from crpack.cli.progress import reporter
from crpack.config import Layer
from crpack.ops.progress import News, silent

Streams = pytest.CaptureFixture[str]
BIG = 64 * 2**20
STEPS = (News("Fetching", "x"), News("Building", "y"))


def call(how: str = "auto", loudness: int = 0) -> Call:
    console = Console()
    console.settle(as_json=False, loudness=loudness, color="never")
    settings = config.merge([Layer("x", (("progress", how),))])
    return Call("list", argparse.Namespace(), console, settings, config.homes({}, "/"))


class Terminal(io.StringIO):
    """A terminal that keeps what is drawn."""

    def isatty(self) -> bool:
        return True


def transfer(made: Call) -> None:
    with reporter(made) as tell:
        for done in range(0, BIG + 1, BIG // 4):
            tell(News("Fetching", "x", done, BIG))


def test_off_a_terminal_each_step_is_one_plain_line(capsys: Streams) -> None:
    """CLI-01."""
    with reporter(call()) as tell:
        for news in STEPS:
            tell(news)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "  Fetching x\n  Building y\n"


def test_off_a_terminal_a_transfer_is_one_line_and_no_bar(capsys: Streams) -> None:
    transfer(call())
    assert capsys.readouterr().err == "  Fetching x\n"


def test_on_a_terminal_a_large_transfer_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    transfer(call())
    drawn = terminal.getvalue()
    assert "Fetching x" in drawn
    assert "67.1M" in drawn
    assert drawn.endswith("\r")  # taken away again


def test_a_new_step_ends_the_bar_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with reporter(call()) as tell:
        tell(News("Fetching", "x", 0, BIG))
        tell(News("Building", "y"))
    assert terminal.getvalue().endswith("  Building y\n")


def break_off(made: Call) -> None:
    with reporter(made) as tell:
        tell(News("Fetching", "x", 1, BIG))
        raise RuntimeError


def test_a_failure_ends_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with pytest.raises(RuntimeError):
        break_off(call())
    assert terminal.getvalue().endswith("\r")


@pytest.mark.parametrize(("how", "loudness"), [("off", 0), ("off", 2), ("auto", -1)])
def test_off_and_quiet_are_silent(how: str, loudness: int, capsys: Streams) -> None:
    transfer(call(how, loudness))
    assert capsys.readouterr() == ("", "")


def test_on_request_each_piece_of_news_is_one_object(capsys: Streams) -> None:
    with reporter(call("json")) as tell:
        tell(News("Fetching", "é\udcff\x1b[2J", 3, 10))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.isascii()
    assert [json.loads(line) for line in captured.err.splitlines()] == [
        {"verb": "Fetching", "subject": "é\udcff\x1b[2J", "done": 3, "total": 10}
    ]


def test_a_closed_standard_error_is_no_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    for how in ("json", "auto"):
        monkeypatch.setattr(sys, "stderr", None)
        with reporter(call(how)) as tell:
            tell(STEPS[0])


def test_the_bar_is_imported_only_when_one_is_drawn() -> None:
    code = (
        "import sys\n"
        "from tests.unit.cli.test_progress import call, reporter, STEPS\n"
        "with reporter(call()) as tell:\n"
        "    tell(STEPS[0])\n"
        "sys.exit('tqdm' in sys.modules)\n"
    )
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_news_may_be_ignored() -> None:
    silent(STEPS[0])
