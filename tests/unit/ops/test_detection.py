"""What is said of findings (SPEC SOL-11)."""

from __future__ import annotations

import pytest

from crpack.model.facts import Facts, Found
from crpack.ops import detection

FACTS = Facts("linux-x86_64-gnu2.36")
FITS = "it would fit; 12.2.0 of this machine is preferred"


@pytest.mark.parametrize(
    ("target", "said", "verdict"),
    [
        ("", FITS, FITS),
        ("x86_64-linux-gnu", FITS, FITS),
        ("x86_64-pc-linux-gnu", "", ""),
        (
            "arm-linux-gnueabihf",
            FITS,
            "it makes programs for `arm-linux-gnueabihf`; 12.2.0 of this machine is preferred",
        ),
        ("x86_64-w64-mingw32", "", "it makes programs for `x86_64-w64-mingw32`"),
        ("z80-unknown-elf", "it is old", "it makes programs for `z80-unknown-elf`; it is old"),
    ],
)
def test_a_compiler_for_other_machines_is_told_as_such(
    target: str, said: str, verdict: str
) -> None:
    """SOL-11, DET-14: that its version fits says nothing."""
    found = Found("gcc", "12.2.0", target=target)
    assert detection.verdict(found, FACTS, said) == verdict
