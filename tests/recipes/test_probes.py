"""The probes of the shipped recipes, against what tools say and trees of files: without the tools.

Each file in `fixtures` is named after a component. A `[[program]]` is a file on PATH that answers
the probe's arguments with `stdout`, `stderr` and `code`, and what follows from that. A `[[tree]]`
is a machine's files, looked at by the probes of one kind.
"""

from __future__ import annotations

import fnmatch
import functools
import os
import re
import shlex
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crpack.detect.scan import Ground, Scan, scan
from crpack.model import recipe_document, versions
from tests.unit.detect.trees import ARCH, OTHER, TRIPLE, Tree, library, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.model.facts import Found
    from crpack.model.probe import Probe
    from crpack.model.recipe import Recipe

SOFTWARE = Path(__file__).parents[2] / "recipes" / "software"
FIXTURES = Path(__file__).parent / "fixtures"
NAMES = tuple(sorted(path.name for path in SOFTWARE.iterdir()))
KINDS = ("file", "header-macro", "elf")  # that need files of their own to be recognised by


@functools.cache
def recipe(name: str) -> Recipe:
    text = (SOFTWARE / name / "crpack.toml").read_text()
    return recipe_document.open_json(recipe_document.read(text, file=name))


@functools.cache
def fixture(name: str) -> dict[str, Any]:
    path = FIXTURES / f"{name}.toml"
    return tomllib.loads(path.read_text()) if path.exists() else {}


def only(name: str, kind: str) -> Recipe:
    """A component with its probes of one kind."""
    whole = recipe(name)
    return replace(whole, probe=tuple(probe for probe in whole.probe if probe.kind == kind))


def probes(kind: str) -> list[tuple[str, Probe]]:
    return [(name, probe) for name in NAMES for probe in only(name, kind).probe]


@dataclass(frozen=True)
class Case:
    """One case of a fixture; `number` is its place in the file."""

    component: str
    number: int
    values: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.component}-{self.number}"


def cases(kind: str) -> list[Case]:
    return [
        Case(name, number, values)
        for name in NAMES
        for number, values in enumerate(fixture(name).get(kind, ()))
    ]


def asked(case: Case) -> Probe:
    """The probe that looks for the program of a case."""
    file = case.values["name"]
    every = only(case.component, "exec").probe
    return next(p for p in every if any(fnmatch.fnmatchcase(file, glob) for glob in p.names))


def script(case: Case) -> str:
    """A program that answers as a case says, and nothing else that it is asked."""
    more = "".join(
        f'if [ "$*" = {shlex.quote(args)} ]; then echo {shlex.quote(text)}; exit 0; fi\n'
        for args, text in case.values.get("more", {}).items()
    )
    said = "".join(
        f"printf '%s\\n' {shlex.quote(case.values[stream].strip())}{where}\n"
        for stream, where in (("stdout", ""), ("stderr", " >&2"))
        if stream in case.values
    )
    args = shlex.quote(" ".join(asked(case).args))
    wanted = f'[ "$*" = {args} ] || exit 99\n'
    return f"#!/bin/sh\n{more}{wanted}{said}exit {case.values.get('code', 0)}\n"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scan]:
    """Every program of every fixture, each in a folder of its own, asked in one scan."""
    root = tmp_path_factory.mktemp("programs")
    folders = []
    before = os.umask(0o022)
    for case in cases("program"):
        folder = root / str(case) / "bin"
        folder.mkdir(parents=True)
        (folder / case.values["name"]).write_text(script(case))
        (folder / case.values["name"]).chmod(0o755)
        folders.append(str(folder))
    os.umask(before)
    every = [only(name, "exec") for name in NAMES]
    return root, scan(every, Ground({"PATH": os.pathsep.join(folders)}), unconfined=True)


@pytest.mark.parametrize("case", cases("program"), ids=str)
def test_what_a_program_says_is_understood(case: Case, answers: tuple[Path, Scan]) -> None:
    root, done = answers
    path = str(root / str(case) / "bin" / case.values["name"])
    found = [one for one in done.found if one.path == path]
    refused = [one.why for one in done.refused if one.path == path]
    if "refused" in case.values:
        assert not found
        assert any(case.values["refused"] in why for why in refused), refused
        return
    assert len(found) == 1, refused
    assert found[0].name == asked(case).names[0]
    assert found[0].version == case.values["version"]
    assert found[0].target == case.values.get("target", "")
    assert note(found[0], "prefix") == case.values.get("prefix", str(root / str(case)))
    assert case.values.get("notes", {}).items() <= dict(found[0].notes).items()


def _put(text: str) -> str:
    return text.replace("{triple}", TRIPLE).replace("{foreign}", f"{OTHER}-linux-gnu")


def _plant(tree: Tree, values: dict[str, Any]) -> None:
    for path, text in values.get("files", {}).items():
        tree.put(_put(path), text.lstrip("\n"))
    for path, whose in values.get("libraries", {}).items():
        tree.put(_put(path), library(ARCH if whose == "own" else OTHER))
    for path, target in values.get("links", {}).items():
        tree.link(_put(path), target)
    for name, folder in {"HOME": "home/me", **values.get("env", {})}.items():
        tree.environ[name] = str(tree.root / folder)


def _told(tree: Tree, found: tuple[Found, ...], *, runnable: bool) -> list[list[str]]:
    """Version, path and prefix of findings, as fixtures write them."""
    return [
        [one.version or "", tree.at(one), os.path.relpath(note(one, "prefix"), tree.root)]
        for one in found
        if one.runnable == runnable
    ]


@pytest.mark.skipif(not ARCH, reason="trees are of Linux")
@pytest.mark.parametrize("case", cases("tree"), ids=str)
def test_what_files_say_is_understood(case: Case, tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    _plant(tree, case.values)
    done = scan([only(case.component, case.values["probe"])], Ground(tree.environ, str(tree.root)))
    expected = [[_put(text) for text in one] for one in case.values.get("found", ())]
    foreign = [[_put(text) for text in one] for one in case.values.get("foreign", ())]
    assert _told(tree, done.found, runnable=True) == expected
    assert _told(tree, done.found, runnable=False) == foreign
    assert {one.name for one in done.found} <= {case.component}
    told = {os.path.relpath(one.path, tree.root): one.why for one in done.refused}
    for path, why in case.values.get("refused", {}).items():
        assert re.search(why, told.get(_put(path), "it was not looked at")), told


def test_every_probe_has_a_right_and_a_wrong_answer() -> None:
    for name in NAMES:
        programs, trees = fixture(name).get("program", ()), fixture(name).get("tree", ())
        for probe in only(name, "exec").probe:
            files = [one["name"] for one in programs if "version" in one]
            globs = probe.names
            assert any(fnmatch.fnmatchcase(f, g) for f in files for g in globs), (name, globs)
        if only(name, "exec").probe:
            assert any("refused" in one for one in programs), name
        for kind in KINDS:
            of_kind = [one for one in trees if one["probe"] == kind]
            if only(name, kind).probe:
                assert any(one.get("found") for one in of_kind), (name, kind)
                assert kind == "elf" or any(one.get("refused") for one in of_kind), (name, kind)
    assert {path.stem for path in FIXTURES.iterdir()} <= set(NAMES)


def _instance(glob: str) -> str:
    """A name that a glob matches."""
    text = re.sub(r"\[(\d)[^]]*\]", r"\1", glob).replace("*", "")
    assert fnmatch.fnmatchcase(text, glob)
    return text


def _databases() -> Iterator[tuple[str, Probe, str, str]]:
    for name, probe in probes("os-package"):
        yield from ((name, probe, manager, glob) for manager, glob in probe.packages())


def _record(tree: Tree, manager: str, name: str) -> str:
    """Put a package, version 1.2.3, into a manager's database; return the installation's prefix."""
    if manager == "dpkg":
        tree.put(
            "var/lib/dpkg/status",
            f"Package: {name}\nStatus: install ok installed\nVersion: 2:1.2.3+dfsg-4~deb12u1\n\n",
        )
    elif manager == "apk":
        tree.put("lib/apk/db/installed", f"P:{name}\nV:1.2.3-r0\nA:{ARCH}\n\n")
    elif manager == "brew":
        tree.put(f"usr/local/Cellar/{name}/1.2.3_1/INSTALL_RECEIPT.json", "{}")
        tree.link(f"usr/local/opt/{name}", f"../Cellar/{name}/1.2.3_1")
        return f"usr/local/Cellar/{name}/1.2.3_1|usr/local/opt/{name}|usr/local"
    else:
        tree.environ["CONDA_PREFIX"] = str(tree.root / "home/me/conda")
        tree.put(f"home/me/conda/conda-meta/{name}-1.2.3-h0_1.json", "{}")
        return "home/me/conda"
    return "usr"


@pytest.mark.skipif(not ARCH, reason="trees are of Linux")
def test_installed_packages_are_recognised(tmp_path: Path) -> None:
    """DET-22: each name of a package that a probe states, in that manager's database."""
    tried = 0
    for name, probe, manager, glob in _databases():
        if manager in ("rpm", "spack"):  # binary, and one index: their readers have tests
            continue
        tree = Tree(tmp_path / str(tried))
        tried += 1
        prefix = _record(tree, manager, _instance(glob))
        done = scan([replace(recipe(name), probe=(probe,))], Ground(tree.environ, str(tree.root)))
        told = [(f.name, f.version, note(f, "provides"), f.runnable) for f in done.found]
        assert told == [(name, "1.2.3", probe.provides, True)], (name, manager, done.refused)
        assert os.path.relpath(note(done.found[0], "prefix"), tree.root) in prefix.split("|")
    assert tried > 100


@pytest.mark.skipif(not ARCH, reason="trees are of Linux")
@pytest.mark.parametrize(("name", "probe"), probes("dist-info"), ids=lambda one: str(one)[:40])
def test_python_distributions_are_recognised(name: str, probe: Probe, tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    site = "usr/lib/python3.12/site-packages"
    stem = probe.package.replace("-", "_")
    tree.put(f"{site}/{stem}-1.2.3.dist-info/METADATA")
    tree.put(f"{site}/{stem}_extra-9.dist-info/METADATA")
    done = scan([replace(recipe(name), probe=(probe,))], Ground(tree.environ, str(tree.root)))
    assert [(one.name, one.version) for one in done.found] == [(name, "1.2.3")]
    assert note(done.found[0], "site") == str(tree.root / site)


@pytest.mark.skipif(not ARCH, reason="trees are of Linux")
@pytest.mark.parametrize(("name", "probe"), probes("pkg-config"), ids=lambda one: str(one)[:40])
def test_modules_are_recognised(name: str, probe: Probe, tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    text = "prefix=/opt/it\nmajor=1\nName: it\nVersion: ${major}.2.3\n"
    tree.put(f"usr/lib/{TRIPLE}/pkgconfig/{probe.package}.pc", text)
    tree.put(f"usr/lib/{OTHER}-linux-gnu/pkgconfig/{probe.package}.pc", text.replace("3", "4"))
    tree.put(f"usr/share/pkgconfig/{probe.package}.pc", "Name: it\n")
    done = scan([replace(recipe(name), probe=(probe,))], Ground(tree.environ, str(tree.root)))
    told = [(f.name, f.version, note(f, "prefix"), note(f, "provides")) for f in done.found]
    assert told == [(name, "1.2.3", "/opt/it", "dev")]
    assert [one.why for one in done.refused] == ["it has no version"]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_of_probes_is_whole(name: str) -> None:
    known = recipe(name)
    assert known.package.name == name
    assert known.package.kind == "software"
    assert known.probe
    assert known.package.homepage.startswith(("https://", "http://"))
    versions.parse(known.package.version)
    for probe in known.probe:
        if probe.kind == "exec":  # an answer is read from its beginning, or to its end
            assert re.match(r"\^", probe.version), probe.names
            assert probe.args


def test_every_kind_for_software_is_used() -> None:
    kinds = {probe.kind for name in NAMES for probe in recipe(name).probe}
    assert kinds >= {*KINDS, "exec", "pkg-config", "dist-info", "os-package"}
    assert len(NAMES) >= 90


def test_the_toolkit_behind_a_wrapper_is_where_it_lies(tmp_path: Path) -> None:
    """DET-25: nvcc on PATH is a script that hands over to the one of the toolkit."""
    before = os.umask(0o022)
    real = tmp_path / "opt" / "cuda-13.0" / "bin" / "nvcc"
    real.parent.mkdir(parents=True)
    real.write_text("#!/bin/sh\necho Cuda compilation tools, release 13.0, V13.0.88\n")
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "nvcc"
    wrapper.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    for file in (real, wrapper):
        file.chmod(0o755)
    os.umask(before)
    done = scan(
        [only("cuda-toolkit", "exec")], Ground({"PATH": str(wrapper.parent)}), unconfined=True
    )
    assert [(f.name, f.version, f.path) for f in done.found] == [
        ("cuda-toolkit", "13.0", str(wrapper))
    ]
    assert note(done.found[0], "prefix") == str(tmp_path / "opt" / "cuda-13.0")
