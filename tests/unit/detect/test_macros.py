"""Versions in headers and `.pc` files (DET-20, DET-21)."""

from __future__ import annotations

import pytest

from crpack.detect import macros, pkgconfig


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('#define V "1.2.13"', "1.2.13"),
        ("#define V 3", "3"),
        ("  #  define\tV\t(30019L) /* hex is below */", "30019"),
        ("#define V 13000UL // CUDA", "13000"),
        ('#define V "1_74"', "1_74"),
        ("#define V (2)", "2"),
    ],
)
def test_plain_values_are_read(line: str, value: str) -> None:
    """DET-20."""
    assert macros.version(f"{line}\n".encode(), ("V",)) == (value, "")


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("", "it does not define `V`"),
        ("#define VV 3\n// #define V 3\n", "it does not define `V`"),
        ("#define V A + B\n", "`V` has no value that can be read"),
        ("#define V 0x30000130L\n", "`V` has no value that can be read"),
        ("#if A\n#define V 1\n#else\n#define V 2\n#endif\n", "`V` has no value that can be read"),
    ],
)
def test_what_cannot_be_read_is_no_value(header: str, why: str) -> None:
    """DET-20: never guessed."""
    assert macros.version(header.encode(), ("V",)) == (None, why)


def test_several_macros_are_joined_in_their_order() -> None:
    """DET-20."""
    header = b"#define A_MINOR 4\n#define A_PATCH 2\n#define A_MAJOR 1\n#define A_MAJOR 1\n"
    assert macros.version(header, ("A_MAJOR", "A_MINOR", "A_PATCH")) == ("1.4.2", "")


def test_variables_of_a_pc_file_are_put_in() -> None:
    """DET-21."""
    text = b"""# a comment
major=1
full=${major}.2 # the rest
prefix=${pcfiledir}/../..
Name: thing
Version: ${full}.3${nothing}
"""
    module = pkgconfig.parse(text, "/opt/thing/lib/pkgconfig/thing.pc")
    assert (module.version, module.prefix) == ("1.2.3", "/opt/thing")


def test_variables_that_name_each_other_end() -> None:
    """DET-21."""
    bomb = b"a=xxxxxxxx\n" + b"a=${a}${a}${a}${a}\n" * 500 + b"Version: ${a}\n"
    assert len(pkgconfig.parse(bomb, "/x.pc").version) <= pkgconfig.MAX_VALUE
    assert pkgconfig.parse(b"a=${b}\nb=${a}\nVersion: ${a}${b}\n", "/x.pc").version == ""
    assert pkgconfig.parse(b"\xff\xfe\0:=\n", "/x.pc").version == ""
