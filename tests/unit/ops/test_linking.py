"""What builds are given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.make.dependencies import DepRoot
from crpack.model import platforms, recipe_document
from crpack.model.facts import Found
from crpack.model.platforms import ANY
from crpack.model.recipe import Exports
from crpack.model.recipe_document import Context
from crpack.ops import detection, linking
from crpack.solve.problem import Slot

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.model.recipe import Recipe

HEAD = '[package]\nname = "{}"\nversion = "1"\nkind = "software"\nsummary = ""\nlicense = ""\n'


def recipe(name: str, *links: str, tools: tuple[str, ...] = ()) -> Recipe:
    """Return a recipe that links some components and is made with some tools."""
    text = HEAD.format(name)
    for table, names in (("target", links), ("build", tools)):
        text += f"[requires.{table}]\n" + "".join(f'{one} = ""\n' for one in names)
    document = recipe_document.read(text, file="crpack.toml")
    return recipe_document.resolve(document, Context(ANY, ()))


def test_a_build_is_given_what_its_libraries_link() -> None:
    """ELS-06: nearest first, each once; a detected one knows its own."""
    made = {
        Slot("png"): recipe("png", "zlib", "math"),
        Slot("zlib"): recipe("zlib"),
        Slot("jpeg"): recipe("jpeg", "math", "found"),
    }
    root = recipe("root", "png", "jpeg", tools=("nasm",))
    names = [slot.name for slot in linking.linked(root, Slot("root"), made)]
    assert names == ["jpeg", "png", "found", "math", "zlib"]


def test_tools_have_a_context_of_their_own_only_where_machines_differ() -> None:
    """ELS-02: what makes a tool runs where the tool runs."""
    root = recipe("root", "flat", tools=("flat",))
    assert linking.tools(root, Slot("root"), crossing=False) == (Slot("flat"),)
    assert linking.tools(root, Slot("root"), crossing=True) == (Slot("flat", "build"),)
    tool = Slot("flat", "build")
    assert linking.linked(recipe("flat", "low"), tool, {}) == (Slot("low", "build"),)


def test_one_name_is_given_as_a_tool_and_as_a_library() -> None:
    """ELS-06: natively it is the same tree twice."""
    here, there = DepRoot("/here", "a" * 64), DepRoot("/there", "b" * 64)
    roots = {Slot("flat", "build"): here, Slot("flat"): there}
    given = linking.given([Slot("flat", "build")], [Slot("flat"), Slot("absent")], roots)
    assert [(name, one.path, one.context) for name, one in given] == [
        ("flat", "/here", "build"), ("flat", "/there", "target")
    ]  # fmt: skip
    given = linking.given([Slot("flat")], [Slot("flat")], roots)
    assert [(one.path, one.context) for _, one in given] == [
        ("/there", "build"), ("/there", "target")
    ]  # fmt: skip


def test_nothing_is_given_of_what_another_machine_has() -> None:
    """ELS-01."""
    assert linking.detected(Found("it", "1.0")) == linking.Detected(DepRoot(""))


def test_what_is_enough_for_linking_offers_its_usual_folders(tmp_path: Path) -> None:
    """DET-27: a library alone offers nothing."""
    triple = platforms.spelling(detection.platform(), "gnu")
    for folder in ("include", f"lib/{triple}/pkgconfig", "lib/cmake"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "include/it.h").touch()
    notes = (("evidence", "header-macro"), ("prefix", str(tmp_path)), ("provides", "dev"))
    path = f"{tmp_path}/include/it.h"
    found = Found("it", "1.0", path=path, realpath=path, notes=notes)
    assert linking.detected(found).given.exports == Exports(
        include=("include",),
        lib=(f"lib/{triple}", "lib"),
        cmake=("lib/cmake",),
        pkgconfig=(f"lib/{triple}/pkgconfig",),
    )
    alone = replace(found, notes=(*notes[:2], ("provides", "runtime")))
    assert linking.detected(alone).given.exports == Exports()


@pytest.mark.parametrize(
    ("path", "notes", "root"),
    [
        ("/usr/bin/it", (), "/usr"),
        ("/usr/bin/it", (("prefix", "/usr"),), "/usr"),
        ("/opt/it/bin/it", (("prefix", "/opt/it"),), "/opt/it"),
        ("/home/me/bin/it", (("prefix", "/home/me"),), "/home/me/bin"),
        ("/var/lib/dpkg/info/it.list", (("evidence", "os-package"), ("prefix", "/usr")), "/usr"),
        ("/lib/a-b/libit.so", (("evidence", "elf"), ("prefix", "/usr")), "/usr"),
        ("/home/me/env/conda-meta/it.json",
         (("evidence", "os-package"), ("prefix", "/home/me/env")), "/home/me/env"),
    ],
)  # fmt: skip
def test_the_root_is_the_prefix_and_no_more_of_a_home_than_the_tool(
    path: str, notes: tuple[tuple[str, str], ...], root: str
) -> None:
    """DET-19."""
    assert linking._root(Found("it", "1", path=path, notes=notes)) == root
