from __future__ import annotations

import functools
import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from crpack import errors
from crpack.cli import console
from crpack.cli.console import Console
from crpack.errors import CrpackError, Fault, ManifestError, TrustError, UsageError

SCHEMA = Path(__file__).resolve().parents[3] / "spec/cli-output.schema.json"
COLORS = ("NO_COLOR", "CLICOLOR_FORCE", "TERM")
Streams = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in COLORS:
        monkeypatch.delenv(name, raising=False)


@functools.cache
def validator() -> Any:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def answered(capsys: Streams) -> Any:
    """Return the one object on standard output, which fits the published schema."""
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    validator().validate(document)
    return document


def loud(loudness: int, *, as_json: bool = False, color: str = "never") -> Console:
    made = Console()
    made.settle(as_json=as_json, loudness=loudness, color=color)
    return made


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    path: Path
    more: tuple[Any, ...] = ()


def test_standard_output_holds_the_answer_only(capsys: Streams) -> None:
    """CLI-01."""
    made = loud(1)
    made.say("working")
    made.detail("more")
    made.warn("careful")
    made.answer({"x": 1}, "the answer")
    captured = capsys.readouterr()
    assert captured.out == "the answer\n"
    assert captured.err == "working\nmore\nwarning: careful\n"


def test_an_empty_answer_prints_nothing(capsys: Streams) -> None:
    """CLI-01."""
    Console().answer([], "")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("loudness", "said"),
    [(-1, ""), (0, "say\nwarning: warn\n"), (1, "say\ndetail\nwarning: warn\n")],
)
def test_quiet_means_errors_only_and_verbose_means_more(
    loudness: int, said: str, capsys: Streams
) -> None:
    """CLI-01."""
    made = loud(loudness)
    made.say("say")
    made.detail("detail")
    made.warn("warn")
    assert capsys.readouterr().err == said
    made.fail(UsageError("no"))
    assert capsys.readouterr().err == "error: no\n"


def test_with_json_the_answer_is_one_object(capsys: Streams) -> None:
    """CLI-02: warnings are in it, and not on standard error."""
    made = loud(0, as_json=True)
    made.warn("careful")
    made.answer(Point(1, Path("/x"), ({"k": Point(2, Path("y"))}, None, 0.5)), "text")
    assert answered(capsys) == {
        "schema": "crpack-cli/1",
        "ok": True,
        "data": {
            "x": 1,
            "path": "/x",
            "more": [{"k": {"x": 2, "path": "y", "more": []}}, None, 0.5],
        },
        "warnings": ["careful"],
    }


def test_with_json_a_failure_is_one_object_too(capsys: Streams) -> None:
    """CLI-02."""
    error = TrustError(
        "nobody vouches", why=["a", "b"], hint="pin a key", rule="SIG-10", data={"names": ["x"]}
    )
    loud(0, as_json=True).fail(error)
    document = answered(capsys)
    assert (document["ok"], document["data"]) == (False, None)
    assert document["error"] == {
        "code": "trust",
        "what": "nobody vouches",
        "why": ["a", "b"],
        "hint": "pin a key",
        "data": {"names": ["x"], "rule": "SIG-10"},
    }


@pytest.mark.parametrize(
    "cls", [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, CrpackError)]
)
def test_every_kind_of_failure_fits_the_schema(cls: type[CrpackError], capsys: Streams) -> None:
    """CLI-02."""
    loud(0, as_json=True).fail(cls("it failed"))
    assert answered(capsys)["error"]["code"] == cls.code


@pytest.mark.parametrize(
    "text",
    ["é", "\u2028", "\udcff", "\x1b[2J", "\x7f", "\u202e", "😀", 'quote "', "\\", "\t", "\0"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
def test_json_is_json_whatever_the_text_and_the_encoding(
    text: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLI-02."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    loud(0, as_json=True).answer({"text": text}, "")
    assert json.loads(raw.getvalue().decode("ascii"))["data"] == {"text": text}


def test_a_failure_reads_error_cause_hint(capsys: Streams) -> None:
    """CLI-03."""
    Console().fail(CrpackError("it broke", why=["first", "second"], hint="mend it"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: it broke\n  cause: first\n  cause: second\n\nhint: mend it\n"


def shown(fault: Fault, capsys: Streams) -> list[str]:
    Console().fail(ManifestError("`f` has a fault", file="f", faults=[fault]))
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "error: `f` has a fault"
    return lines


def test_a_fault_of_a_file_is_shown_with_its_line_and_a_caret(capsys: Streams) -> None:
    """CLI-03, SCH-01."""
    fault = Fault("a.b", "is wrong", line=12, column=5, text="x = y", hint="did you mean `c`?")
    assert shown(fault, capsys) == [
        "  --> f:12:5",
        "  12 | x = y",
        "     |     ^",
        "      `a.b` is wrong (did you mean `c`?)",
    ]


@pytest.mark.parametrize(
    ("text", "column", "before"),
    [
        ("x = 1", 1, ""),
        ("x = 1", 6, "x = 1"),
        ("\tx = 1", 2, " "),
        ("a\tx = 1", 3, "a "),
        ("é = 1", 2, "é"),
        ("e\u0301 = 1", 3, "é"),
        ("世界 = 1", 3, "xxxx"),
        ("ｗ = 1", 2, "xx"),  # noqa: RUF001 - a wide letter
        ("😀 = 1", 2, "xx"),
    ],
)
def test_the_caret_stands_below_its_letter(
    text: str, column: int, before: str, capsys: Streams
) -> None:
    """CLI-03: also behind tabs, wide letters and marks that take no column."""
    lines = shown(Fault("", "no", line=1, column=column, text=text), capsys)
    assert lines[2] == "    | " + " " * len(before) + "^"


@pytest.mark.parametrize(
    ("length", "column", "shown_length"), [(120, 60, 120), (121, 1, 121), (9999, 5000, 122),
                                           (9999, 9999, 121), (9999, 10_000, 121)],
)  # fmt: skip
def test_a_long_line_is_cut_around_its_caret(
    length: int, column: int, shown_length: int, capsys: Streams
) -> None:
    """CLI-03."""
    text = "x" * (column - 1) + "!" + "y" * (length - column)
    fault = Fault("", "no", line=7, column=column, text=text[:length])
    line, caret = (one.removeprefix("  7 | ") for one in shown(fault, capsys)[1:3])
    assert len(line) == shown_length
    assert line.startswith("…") is (length > 120 and column > 60)
    at = len(caret.removeprefix("    | ")) - 1
    assert at == len(line) if column > length else line[at] == "!"


def test_what_would_be_done_is_the_answer_and_that_nothing_was_is_told(capsys: Streams) -> None:
    """CLI-01."""
    loud(0).plan({}, ["would do a", "would do b"])
    assert capsys.readouterr() == ("would do a\nwould do b\n", "nothing was changed\n")


def test_a_fault_without_a_place_names_the_file_alone(capsys: Streams) -> None:
    """CLI-03."""
    lines = shown(Fault("package", "is missing"), capsys)
    assert lines == ["  --> f", "      `package` is missing"]


def test_every_fault_is_shown(capsys: Streams) -> None:
    """CLI-03, SCH-01."""
    faults = [Fault(str(number), "is wrong") for number in range(30)]
    Console().fail(ManifestError("`f` has 30 faults", file="f", faults=faults))
    assert capsys.readouterr().err.count("is wrong") == 30


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\rb", "a\\rb"),
        ("a\bb", "a\\x08b"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eabc", "\\u202eabc"),
        ("\udcff", "\\udcff"),
        ("\0", "\\x00"),
        ("é 世界 😀", "é 世界 😀"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_what_an_archive_says_cannot_steer_the_terminal(
    text: str, seen: str, capsys: Streams
) -> None:
    """CLI-01."""
    Console().answer(None, text)
    Console().say(text)
    Console().fail(UsageError(text))
    captured = capsys.readouterr()
    assert captured.out == f"{seen}\n"
    assert captured.err == f"{seen}\nerror: {seen}\n"


def test_letters_that_the_terminal_lacks_are_shown_by_their_codes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    Console().answer(None, "é → x")
    assert raw.getvalue() == b"\\xe9 \\u2192 x\n"


@pytest.mark.parametrize(
    ("when", "environ", "terminal", "colored"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": "xterm"}, True, True),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "0"}, False, False),
        ("auto", {"CLICOLOR_FORCE": ""}, False, False),
        ("auto", {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"CLICOLOR_FORCE": "1"}, True, False),
    ],
)
def test_colours_follow_the_flag_the_environment_and_the_terminal(
    when: str,
    environ: dict[str, str],
    *,
    terminal: bool,
    colored: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Streams,
) -> None:
    """CLI-03."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    loud(0, color=when).fail(UsageError("no"))
    error = "\x1b[31merror:\x1b[0m" if colored else "error:"
    assert capsys.readouterr().err == f"{error} no\n"


def test_each_stream_has_colours_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    made = Console()
    assert made.paint("x", "red") == "x"
    assert made.paint("x", "red", error=True) == "\x1b[31mx\x1b[0m"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_reader_that_went_away_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, *, as_json: bool
) -> None:
    """CLI-03: as with `crpack list | head -1`."""
    read, write = os.pipe()
    os.close(read)
    with open(write, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        loud(0, as_json=as_json).answer("x" * 100_000, "x" * 100_000)
        loud(0, as_json=as_json).answer("again", "again")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
@pytest.mark.parametrize("as_json", [False, True])
def test_an_answer_that_cannot_be_written_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, *, as_json: bool
) -> None:
    """CLI-03."""
    with open("/dev/full", "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(CrpackError) as caught:
            loud(0, as_json=as_json).answer("x", "x")
        assert caught.value.why == ("No space left on device",)
        loud(0, as_json=as_json).fail(UsageError("told without a further accident"))


def test_a_message_that_cannot_be_written_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    with open("/dev/full" if os.path.exists("/dev/full") else os.devnull, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        made = Console()
        made.say("x")
        made.fail(UsageError("no"))
        made.answer(None, "answer")
    assert capsys.readouterr().out == "answer\n"


def test_closed_streams_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `crpack list >&- 2>&-`."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    made = Console()
    made.warn("x")
    made.answer({}, "x")
    made.fail(UsageError("x"))


def test_columns_are_aligned_and_the_last_is_not_padded() -> None:
    assert console.table([]) == ""
    assert console.table([("a", "bb", "c"), ("aaa", "b", "")]) == "a    bb  c\naaa  b"
