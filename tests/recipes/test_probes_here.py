"""The probes of the shipped recipes, against what this machine's own tools say of themselves.

Each kind of evidence has another witness than the file or the words that the probe read.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from crpack.detect.scan import Ground, Scan, scan
from tests.recipes.test_probes import NAMES, recipe
from tests.unit.detect.trees import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.model.facts import Found

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the witnesses are Linux's")

# Other questions than the probe's, whose answer is the version and nothing else.
WORDS = {
    "bash": ("-c", "echo ${BASH_VERSION%%(*}"),
    "cmake": ("-E", "capabilities"),
    "gawk": ('BEGIN { print PROCINFO["version"] }',),
    "node": ("-p", "process.versions.node"),
    "python": ("-V",),
    "perl": ("-e", "printf '%vd', $^V"),
    "ruby": ("-e", "print RUBY_VERSION"),
    "sqlite3": (":memory:", "select sqlite_version()"),
    "java": ("-Xmx32m", "-XshowSettings:properties", "-version"),
    "gcc": ("-dumpfullversion", "-dumpversion"),
    "g++": ("-dumpfullversion", "-dumpversion"),
    "gfortran": ("-dumpfullversion", "-dumpversion"),
}


@pytest.fixture(scope="module")
def here() -> Scan:
    """This machine, beside what the tests' own environment has installed."""
    environ = {**os.environ, "VIRTUAL_ENV": sys.prefix}
    return scan([recipe(name) for name in NAMES], Ground(environ), unconfined=True)


def of(done: Scan, evidence: str) -> Iterator[Found]:
    """What runs here and was recognised by one kind of evidence; programs by none."""
    found = [one for one in done.found if one.runnable and note(one, "evidence") == evidence]
    if not found:
        pytest.skip(f"nothing here is recognised by {evidence or 'asking it'}")
    yield from found


def says(*argv: str) -> str:
    """What a program prints on both streams, whatever its exit status is."""
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
    )
    return (done.stdout + done.stderr).decode("utf-8", "replace").strip()


def is_told(version: str, text: str) -> bool:
    """Say whether a version stands in a text, and is not the beginning of a longer number."""
    return re.search(rf"(?<!\d)(?<!\d\.){re.escape(version)}(?!\.?\d)", text) is not None


def test_programs_have_the_version_that_they_tell_otherwise(here: Scan) -> None:
    for found in of(here, ""):
        probe = next(
            p for name in NAMES for p in recipe(name).probe if p.names[:1] == (found.name,)
        )
        argv = WORDS.get(found.name, probe.args)
        text = says(found.path, *argv)
        assert found.version
        if found.name == "java":
            text = "\n".join(re.findall(r"java\.version = (.*)", text))
        assert is_told(found.version, text), (found, text)


def test_the_first_program_of_a_name_is_the_one_that_a_shell_would_run(here: Scan) -> None:
    first: dict[str, Found] = {}
    for found in of(here, ""):
        first.setdefault(found.name, found)
    others = {one.path for one in here.refused} | {
        one.path for one in here.found if not one.runnable
    }
    for name, found in first.items():
        path = shutil.which(os.path.basename(found.path))
        assert path, name
        stand_ins = "/shims/" in path or "/.cargo/bin/" in path or path in others
        assert found.path == path or stand_ins, (name, path)


def test_prefixes_hold_the_program(here: Scan) -> None:
    for found in of(here, ""):
        prefix = note(found, "prefix")
        if prefix:
            names = {os.path.basename(path) for path in (found.path, found.realpath)}
            places = [f"{prefix}/{at}/{n}" for at in ("bin", "sbin", "jre/bin") for n in names]
            assert any(map(os.path.exists, places)), found


def test_headers_say_the_same_to_the_preprocessor(here: Scan) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    for found in of(here, "header-macro"):
        macros = found.how.partition("`")[2].partition("`")[0].split(", ")
        source = f'#include "{found.path}"\n' + "".join(f"TOLD {name}\n" for name in macros)
        above = os.path.dirname(os.path.dirname(found.path))
        done = subprocess.run(
            [compiler, f"-I{above}", "-E", "-P", "-x", "c", "-"],
            input=source.encode(),
            capture_output=True,
            check=False,
        )
        told = re.findall(r"^TOLD (.*)$", done.stdout.decode(), re.MULTILINE)
        assert ".".join(told).strip('"') == found.raw, (found, done.stderr)
        assert found.version
        assert found.version in found.raw


def test_modules_say_the_same_to_pkg_config(here: Scan) -> None:
    program = shutil.which("pkg-config")
    if program is None:
        pytest.skip("needs pkg-config")
    for found in here.found:
        if found.runnable and found.path.endswith(".pc"):
            module = os.path.basename(found.path)[:-3]
            assert says(program, "--modversion", module) == found.version, found


def test_packages_say_the_same_to_dpkg(here: Scan) -> None:
    program = shutil.which("dpkg-query")
    if program is None:
        pytest.skip("needs dpkg")
    for found in of(here, "os-package"):
        if found.how.startswith("os-package dpkg"):
            package = found.raw.partition(" ")[0]
            arch = found.path.rpartition(":")[2].partition(".")[0] if ":" in found.path else ""
            named = f"{package}:{arch}" if arch else package
            told = says(program, "--show", "--showformat=${Package} ${Version}", named)
            assert told == found.raw, found
            assert found.version
            assert found.version.removesuffix(".dev0") in told  # `0.0~git…` (DET-22)


def test_distributions_say_the_same_to_their_interpreter(here: Scan) -> None:
    for found in of(here, "dist-info"):
        site = note(found, "site")
        name = re.match(r"dist-info `([^-]+)-", found.how)
        python = f"{note(found, 'prefix')}/bin/{os.path.basename(os.path.dirname(site))}"
        if name is None or not os.path.exists(python):
            continue
        ask = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
        assert says(python, "-I", "-c", ask, name[1]) == found.version, found


def test_libraries_have_the_name_that_the_linker_sees(here: Scan) -> None:
    program = shutil.which("readelf")
    if program is None:
        pytest.skip("needs readelf")
    for found in of(here, "elf"):
        told = re.search(r"Library soname: \[(.*)\]", says(program, "-d", found.realpath))
        assert told, found
        assert note(found, "soname") == told[1]
        assert found.version is None or found.version in os.path.basename(found.realpath)
