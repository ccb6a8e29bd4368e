"""Recognition: names, and what answers mean (DET-03, DET-04)."""

from __future__ import annotations

import time

import pytest

from crpack.detect import probes
from crpack.model.probe import Probe

GCC = Probe(kind="exec", names=("gcc", "gcc-[0-9]*", "*-*-gcc", "*-*-gcc-[0-9]*"))
TOOL = Probe(
    kind="exec",
    names=("tool",),
    version=r"^tool (?P<version>\d+(?:\.\d+)*)",
    reject="(?i)not found",
)


def test_a_name_belongs_to_a_probe_by_its_patterns() -> None:
    """DET-03."""
    names = ["gcc-9", "x86_64-linux-gnu-gcc", "gcc", "gcc-13", "gcc-ar", "c99-gcc", "gccgo", "GCC"]
    wanted = [name for name in names if probes.rank(GCC, name)]
    assert sorted(wanted, key=lambda name: probes.rank(GCC, name) or ()) == [
        "gcc", "gcc-13", "gcc-9", "x86_64-linux-gnu-gcc",
    ]  # fmt: skip
    test = probes.any_of([GCC, TOOL])
    assert [name for name in [*names, "tool", "tools"] if test(name)] == [
        "gcc-9", "x86_64-linux-gnu-gcc", "gcc", "gcc-13", "tool",
    ]  # fmt: skip
    assert not probes.any_of([])("anything")


def test_a_prefix_is_what_a_cross_compiler_has() -> None:
    assert probes.prefix(GCC, "aarch64-linux-gnu-gcc-12") == "aarch64-linux-gnu-"
    assert probes.prefix(GCC, "gcc-12") == ""


def test_an_answer_has_version_line_and_notes() -> None:
    """DET-04."""
    probe = Probe(
        kind="exec", names=("x",), version=r"^x (?P<version>\S+) in (?P<install_prefix>/.*)$"
    )
    answer = probes.judge(probe, 0, b"hello\nx 1.2 in /opt/x y\n", b"")
    assert (answer.version, answer.raw) == ("1.2", "x 1.2 in /opt/x y")
    assert answer.notes == (("install-prefix", "/opt/x y"),)


@pytest.mark.parametrize(
    ("code", "stdout", "reason"),
    [
        (127, b"tool 3.12\n", "it ended with status 127: `tool 3.12`"),
        (0, b"my tool 3.12\n", "its answer has no version: `my tool 3.12`"),
        (0, b"tool 3.12\ntool: Not Found\n", "it is something else: `tool: Not Found`"),
        (0, b"", "its answer has no version"),
        (0, b"tool " + b"9" * 200, "its version is too long"),
        (-11, b"", "it ended with status -11"),
    ],
)
def test_what_is_no_answer_is_refused_with_the_reason(
    code: int, stdout: bytes, reason: str
) -> None:
    """DET-04."""
    answer = probes.judge(TOOL, code, stdout, b"")
    assert (answer.version, answer.refused) == (None, reason)


def test_the_stream_and_the_exit_codes_are_those_of_the_probe() -> None:
    """DET-04."""
    odd = Probe(
        kind="exec", names=("x",), version=r"(?P<version>\d)", stream="stderr", exit_codes=(1,)
    )
    assert probes.judge(odd, 1, b"9", b"8").version == "8"
    assert probes.judge(odd, 0, b"9", b"8").version is None
    both = Probe(kind="exec", names=("x",), version=r"v(?P<version>\d)", stream="both")
    assert probes.judge(both, 0, b"none", b"v7").version == "7"


def test_control_characters_of_an_answer_never_reach_a_terminal() -> None:
    """DET-04."""
    answer = probes.judge(TOOL, 0, b"tool 1.0 \x1b[31m\x07 red\xff\n", b"")
    assert answer.version == "1.0"
    assert answer.raw.isprintable()
    refused = probes.judge(TOOL, 1, b"", b"\x1b]0;title\x07\n")
    assert refused.refused.isprintable()


def test_long_answers_are_searched_in_part() -> None:
    """DET-04."""
    started = time.process_time()
    assert probes.judge(TOOL, 0, b"\n" * 4096 + b"tool 1\n", b"").version is None
    assert probes.judge(TOOL, 0, b"x" * 5_000_000, b"").version is None
    assert probes.judge(TOOL, 0, b"x\n" * 2000 + b"tool 1\n", b"").version == "1"
    assert time.process_time() - started < 5


def test_a_broken_pattern_is_a_refusal() -> None:
    broken = Probe(kind="exec", names=("x",), version="(?P<version>")
    assert "pattern is broken" in probes.judge(broken, 0, b"1", b"").refused
    without = Probe(kind="exec", names=("x",), version=r"\d")
    assert probes.judge(without, 0, b"1", b"").version is None


@pytest.mark.parametrize(
    ("printed", "triple"),
    [
        (b"x86_64-linux-gnu\n", "x86_64-linux-gnu"),
        (b"arm-none-eabi", "arm-none-eabi"),
        (b"x86_64-apple-darwin23.1.0\n", "x86_64-apple-darwin23.1.0"),
        (b"error: no input files\n", ""),
        (b"", ""),
        (b"native\n", ""),
        (b"Apple clang version 15.0.0\nTarget: arm64-apple-darwin23\n", "arm64-apple-darwin23"),
        (b"clang version 14.0.6\nTarget: the usual one\nTarget: x86_64-linux-gnu\n", ""),
        (b"clang version 14.0.6\n", ""),
    ],
)
def test_target_triples(printed: bytes, triple: str) -> None:
    """DET-14, PRB-02: alone, or in a line that says so."""
    assert probes.triple(printed) == triple


def test_a_digest_changes_with_the_probe() -> None:
    """DET-07."""
    assert probes.digest(TOOL) != probes.digest(GCC)
    assert probes.digest(TOOL) == probes.digest(
        Probe(**{n: getattr(TOOL, n) for n in Probe.__slots__})
    )
