"""pkg-config files tell of their own place."""

from __future__ import annotations

import pytest

from crpack.make.pkgconfig import relocated

PLACE = "lib/pkgconfig/toy.pc"
OUT = "/b/out"
THERE = frozenset({"lib", "include", "include/toy"})
ROOT = "${pcfiledir}/../.."


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("prefix=\nlibdir=${prefix}/lib\n", f"prefix={ROOT}\nlibdir=${{prefix}}/lib\n"),
        ("prefix = /\nlibdir = /lib\n", f"prefix={ROOT}\nlibdir = ${{prefix}}/lib\n"),
        (
            "prefix=/usr/local\nlibdir=/usr/local/lib\nother=/usr/locally\n",
            f"prefix={ROOT}\nlibdir=${{prefix}}/lib\nother=/usr/locally\n",
        ),
        (
            "prefix=/b/out\nlibdir=/b/out/lib\nLibs: -L/b/out/lib -lt\n",
            f"prefix={ROOT}\nlibdir=${{prefix}}/lib\nLibs: -L${{prefix}}/lib -lt\n",
        ),
        (
            "libdir=/b/out/lib\nCflags: -I/b/out/include\n",
            f"libdir={ROOT}/lib\nCflags: -I{ROOT}/include\n",
        ),
        (
            "prefix=\nLibs: -L/lib -L/usr/lib\nCflags: -I/include\n",
            f"prefix={ROOT}\nLibs: -L${{prefix}}/lib -L/usr/lib\nCflags: -I${{prefix}}/include\n",
        ),
        (f"prefix={ROOT}\nlibdir=${{prefix}}/lib\n", f"prefix={ROOT}\nlibdir=${{prefix}}/lib\n"),
        ("Name: toy\nURL: https://toy/lib\n", "Name: toy\nURL: https://toy/lib\n"),
    ],
)
def test_a_prefix_becomes_relative_to_the_file(text: str, wanted: str) -> None:
    """BLD-27."""
    assert relocated(text, place=PLACE, out=OUT, there=THERE) == wanted


def test_the_way_up_is_as_long_as_the_place_is_deep() -> None:
    """BLD-27."""
    text = relocated("prefix=\n", place="share/x/pkgconfig/toy.pc", out=OUT, there=THERE)
    assert text == "prefix=${pcfiledir}/../../..\n"
