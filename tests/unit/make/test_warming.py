"""What zig makes once for each target: made by crpack, kept, copied, never touched by a recipe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.make import warming
from crpack.make.toolchains.chain import Toolchain, Wrapper
from crpack.model import platforms
from crpack.process import sandbox

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
#!/bin/sh
echo once >> {calls}
mkdir -p "$XDG_CACHE_HOME/zig/o"
echo library > "$XDG_CACHE_HOME/zig/o/libc.a"
exit {code}
"""


def chain(tmp_path: Path, *, code: int = 0) -> Toolchain:
    text = TEXT.format(calls=tmp_path / "calls", code=code)
    target = platforms.parse("linux-aarch64-gnu2.28")
    wrappers = tuple(Wrapper(f"crpack-{name}", text) for name in ("cc", "cxx"))
    return Toolchain(
        "zig", "0.17.1", target, "aarch64-linux-gnu", "crpack-cc", "crpack-cxx", wrappers=wrappers
    )


def warm(tmp_path: Path, of: Toolchain, told: list[str]) -> str:
    return warming.warm(
        of,
        kept=str(tmp_path / "kept"),
        room=str(tmp_path / "room"),
        walls=sandbox.NONE,
        tell=lambda: told.append("made"),
    )


def test_it_is_made_once_and_then_kept(tmp_path: Path) -> None:
    """BLD-32."""
    told: list[str] = []
    place = warm(tmp_path, chain(tmp_path), told)
    assert (tmp_path / "kept" / place / "o" / "libc.a").read_text() == "library\n"
    assert warm(tmp_path, chain(tmp_path), told) == place
    assert told == ["made"]
    assert (tmp_path / "calls").read_text() == "once\n" * 4  # C and C++, program and library
    assert not (tmp_path / "room").exists()


def test_another_version_of_zig_makes_its_own(tmp_path: Path) -> None:
    """BLD-32."""
    own = chain(tmp_path)
    places = {warm(tmp_path, one, []) for one in (own, replace(own, version="0.18.0"))}
    assert len(places) == 2


def test_what_zig_cannot_make_is_not_kept(tmp_path: Path) -> None:
    """BLD-32. The build itself then says why."""
    assert warm(tmp_path, chain(tmp_path, code=1), []) == ""
    assert not (tmp_path / "room").exists()
    assert [one.suffix for one in (tmp_path / "kept").iterdir() if one.name != "stages"] == [
        ".lock"
    ]


def test_what_was_stopped_halfway_is_not_kept(tmp_path: Path) -> None:
    """BLD-32. Else every later build would make the rest again."""
    own = chain(tmp_path)
    cc, cxx = own.wrappers
    stopped = replace(own, wrappers=(cc, replace(cxx, text="#!/bin/sh\nkill -KILL $$\n")))
    assert warm(tmp_path, stopped, []) == ""
    assert warm(tmp_path, own, []) != ""


def test_a_compiler_that_cannot_be_started_is_left_to_the_build(tmp_path: Path) -> None:
    """BLD-32."""
    own = chain(tmp_path)
    wrappers = tuple(replace(one, executable=False) for one in own.wrappers)
    assert warm(tmp_path, replace(own, wrappers=wrappers), []) == ""
