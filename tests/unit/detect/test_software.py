"""The recipes of the tools, against the tools of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crpack.detect.scan import Ground, Scan, scan
from crpack.model import recipe_document

if TYPE_CHECKING:
    from crpack.model.facts import Found

SOFTWARE = Path(__file__).parents[3] / "recipes" / "software"
NAMES = (
    "gcc", "clang", "make", "cmake", "ninja", "pkg-config", "git", "python", "rustc", "java",
    "cuda-toolkit", "node", "perl", "openssl", "zlib", "libpng", "libssl", "numpy",
)  # fmt: skip

# What a tool says of where it is installed: arguments, and where the answer has it.
PREFIXES = {
    "gcc": (("-print-search-dirs",), r"^install: (/.*?)/lib/gcc/"),
    "g++": (("-print-search-dirs",), r"^install: (/.*?)/lib/gcc/"),
    "clang": (("-print-resource-dir",), r"^(/.*?)/lib/clang/"),
    "cmake": (("--system-information",), r'^CMAKE_ROOT "(/.*?)/share/cmake'),
    "perl": (("-MConfig", "-e", "print $Config{prefix}"), r"^(.*)$"),
    "rustc": (("--print", "sysroot"), r"^(.*)$"),
    "java": (("-XshowSettings:properties", "-version"), r"java\.home = (.*)$"),
    "cuda-toolkit": (("--dryrun", "x.cu"), r"^#\$ TOP=(.*?)(?:/bin/\.\.)?$"),
    "node": (("-p", "process.execPath"), r"^(.*)/bin/node$"),
    "git": (("--exec-path",), r"^(/.*?)/lib(?:exec)?/git-core$"),
}


@pytest.fixture(scope="module")
def done() -> Scan:
    recipes = [
        recipe_document.open_json(
            recipe_document.read((SOFTWARE / name / "crpack.toml").read_text(), file=name)
        )
        for name in NAMES
    ]
    return scan(recipes, Ground(os.environ))


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


@pytest.mark.parametrize("name", sorted(PREFIXES))
def test_a_prefix_is_where_the_tool_says_that_it_is(done: Scan, name: str) -> None:
    """DET-19, DET-25."""
    found = [one for one in done.found if one.name == name and "evidence" not in dict(one.notes)]
    if not found:
        pytest.skip(f"{name} is not on this machine")
    args, pattern = PREFIXES[name]
    asked = subprocess.run([found[0].path, *args], capture_output=True, check=False)
    told = re.search(pattern, (asked.stdout + asked.stderr).decode(), re.MULTILINE)
    assert told, (asked.stdout + asked.stderr)[:500]
    assert os.path.realpath(told[1]) == dict(found[0].notes)["prefix"]


@pytest.mark.parametrize("name", ["rustc", "java", "node", "perl", "openssl"])
def test_a_version_is_what_the_tool_says_it_is(done: Scan, name: str) -> None:
    """DET-04: an interpreter is asked in its own language, not by the probe's words."""
    ask = {
        "rustc": ("-vV",),
        "java": ("-XshowSettings:properties", "-version"),
        "node": ("-p", "process.versions.node"),
        "perl": ("-e", 'printf "%vd", $^V'),
        "openssl": ("version", "-v"),
    }
    found = [one for one in done.found if one.name == name and "evidence" not in dict(one.notes)]
    if not found:
        pytest.skip(f"{name} is not on this machine")
    for one in found:
        asked = subprocess.run([one.path, *ask[name]], capture_output=True, check=False)
        words = re.split(r"[\s\"']", (asked.stdout + asked.stderr).decode())
        assert one.version in words


@pytest.mark.parametrize("name", ["zlib", "libpng", "libssl"])
def test_a_library_is_what_pkg_config_says_it_is(done: Scan, name: str) -> None:
    """DET-19: headers, `.pc` file, package and file name tell one version."""
    there = subprocess.run(["pkg-config", "--modversion", name], capture_output=True, check=False)
    if there.returncode:
        pytest.skip(f"{name} cannot be built against on this machine")
    found = next(one for one in done.found if one.name == name)
    assert found.version == there.stdout.decode().strip()
    assert dict(found.notes)["provides"] == "dev"
    assert not any("disagrees" in dict(one.notes) for one in done.found if one.name == name)


def test_a_distribution_is_what_its_interpreter_says_it_is(done: Scan) -> None:
    """DET-23."""
    found = [one for one in done.found if one.name == "numpy"]
    if not found:
        pytest.skip("numpy is not on this machine")
    notes = dict(found[0].notes)
    python = os.path.join(notes["prefix"], "bin", "python3")
    ask = "import importlib.metadata as m; print(m.version('numpy'))"
    assert says(python, "-c", ask) == found[0].version


@pytest.mark.skipif(sys.platform != "linux", reason="ELF is Linux's")
def test_programs_carry_the_platform_of_their_file(done: Scan) -> None:
    for found in done.found:
        if dict(found.notes).get("evidence"):
            continue
        with open(found.realpath, "rb") as file:
            script = file.read(2) == b"#!"
        assert bool(found.platform) != script, found
