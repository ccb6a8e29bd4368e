"""The recipes of the tools, against the tools of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crpack.detect.scan import Scan, scan
from crpack.model import recipe_document

if TYPE_CHECKING:
    from crpack.model.facts import Found

SOFTWARE = Path(__file__).parents[3] / "recipes" / "software"
NAMES = ("gcc", "clang", "make", "cmake", "ninja", "pkg-config", "git", "python")


@pytest.fixture(scope="module")
def done() -> Scan:
    recipes = [
        recipe_document.open_json(
            recipe_document.read((SOFTWARE / name / "crpack.toml").read_text(), file=name)
        )
        for name in NAMES
    ]
    return scan(recipes, os.environ)


def first(done: Scan, name: str) -> Found:
    if not shutil.which(name):
        pytest.skip(f"{name} is not on this machine")
    return next(one for one in done.found if one.name == name)


def says(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, check=True).stdout.decode().strip()


@pytest.mark.parametrize("name", ["gcc", "g++"])
def test_gcc_is_what_it_says_it_is(done: Scan, name: str) -> None:
    """DET-14: the version of --version is that of -dumpfullversion."""
    found = first(done, name)
    assert found.version == says(found.path, "-dumpfullversion", "-dumpversion")
    assert found.target == says(found.path, "-dumpmachine")
    assert found.realpath == os.path.realpath(shutil.which(name) or "")


@pytest.mark.parametrize("name", ["make", "cmake", "ninja", "pkg-config", "git"])
def test_tools_are_what_they_say_they_are(done: Scan, name: str) -> None:
    found = first(done, name)
    assert found.version
    assert found.version in says(found.path, "--version").splitlines()[0]
    assert found.path == os.path.join(os.path.dirname(found.path), name)


def test_every_python_is_what_it_says_it_is(done: Scan) -> None:
    pythons = [one for one in done.found if one.name == "python"]
    if not pythons:
        pytest.skip("no Python on PATH")
    ask = "import sys, sysconfig; print(sysconfig.get_config_var('py_version'), sys.prefix)"
    for found in pythons[:3]:
        assert f"{found.version} {dict(found.notes)['prefix']}" == says(found.path, "-I", "-c", ask)
        managed = os.path.join(
            says(found.path, "-I", "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"),
            "EXTERNALLY-MANAGED",
        )
        assert (dict(found.notes)["installation"] == "managed") == os.path.exists(managed)


@pytest.mark.skipif(sys.platform != "linux", reason="ELF is Linux's")
def test_programs_carry_the_platform_of_their_file(done: Scan) -> None:
    for found in done.found:
        with open(found.realpath, "rb") as file:
            script = file.read(2) == b"#!"
        assert bool(found.platform) != script, found
