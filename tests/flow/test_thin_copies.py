"""Thin copies: what they lack is had elsewhere, or they are not enough."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crpack.archive import reader, writer
from tests.flow.index_room import Room, installed
from tests.flow.tool import component, head

if TYPE_CHECKING:
    from pathlib import Path

MADE = """
[[source]]
{source}
[build]
driver = "script"
[build.script]
steps = [["/bin/cp", "{{source}}/a.txt", "{{out}}/a.txt"]]
[outputs]
data = ["a.txt"]
"""
INLINE = 'kind = "inline"\npath = "a.txt"\ntext = "one"'
LOCAL = 'kind = "local"\npath = "src"'


def listed_thin(room: Room, name: str, source: str) -> None:
    """List a component that is made from its source, with a thin copy alone."""
    toml = head(f"lab/{name}", kind="dataset") + MADE.format(source=source)
    component(room.owner.folder / name, toml, src__a_dot_txt="one")
    whole, thin = (room.owner.folder / f"{name}{end}.crpkg" for end in ("", "-thin"))
    room.owner("build", name, "--out", whole, "--key", "test")
    with whole.open("rb") as stream, thin.open("xb") as out:
        found = reader.Archive.open(stream, size=os.fstat(stream.fileno()).st_size)
        writer.write(writer.copy(found, thin=True), out)
    room.add(thin)


def test_the_text_of_an_inline_source_is_in_the_recipe(lab: Room, tmp_path: Path) -> None:
    """IDX-07, SOL-03."""
    room = lab.copy(tmp_path / "owner")
    listed_thin(room, "noted", INLINE)
    user = room.user(tmp_path / "user")
    user("install", "lab/noted")
    assert "lab/noted" in installed(user)


def test_the_files_of_a_local_source_are_missing(lab: Room, tmp_path: Path) -> None:
    """SOL-03."""
    room = lab.copy(tmp_path / "owner")
    listed_thin(room, "filed", LOCAL)
    user = room.user(tmp_path / "user")
    assert "only a thin copy" in user("install", "lab/filed", code=3).err
