"""The author's road: new, build, info, verify; the same input gives the same bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from crpack.model.manifest import KINDS
from tests.flow.tool import PROGRAM, Tool, component, head, program, solution

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_component_builds_and_installs_as_it_is(tool: Tool, kind: str) -> None:
    tool("new", "thing", "--kind", kind)
    tool("build", "thing", "--check")
    tool("verify", "thing-0.1.0.crpkg", "--strict")
    tool("install", "thing-0.1.0.crpkg")
    assert "thing 0.1.0" in tool("info", "thing").out


def test_new_overwrites_nothing(tool: Tool) -> None:
    tool("new", "thing", "--dry-run")
    assert not (tool.folder / "thing").exists()
    tool("new", "thing")
    assert "holds a component already" in tool("new", "thing", code=2).err
    assert "not a component's name" in tool("new", "Thing!", code=2).err


def test_the_same_input_gives_the_same_bytes(tool: Tool) -> None:
    """Another folder, umask, locale, number of threads, order of creation, and used folders."""
    program(tool.folder / "one/greet")
    solution(tool.folder / "one/sample")
    solution(tool.folder / "zwei ü/b/sample")
    program(tool.folder / "zwei ü/a/greet")
    junk = tool.folder / "zwei ü/a/greet/src/__pycache__"
    junk.mkdir()
    (junk / "x.pyc").write_bytes(b"junk")
    for platform in ((), ("--platform", "linux-x86_64-gnu")):
        tool("build", "one/sample", "--with", "one", "--full", "--out", "one.crpkg", *platform,
             umask=0o022)  # fmt: skip
        tool(
            "build", "zwei ü/b/sample", "--with", "zwei ü", "--full", "--out", "two.crpkg",
            *platform, umask=0o077, cwd=tool.folder, code=0,
            env={"LC_ALL": "C", "CRPACK_JOBS": "1", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"},
        )  # fmt: skip
        one, two = (tool.folder / f"{name}.crpkg" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_a_thin_and_a_full_copy_are_one_archive(tool: Tool) -> None:
    program(tool.folder / "parts/greet")
    solution(tool.folder / "parts/sample")
    cards = []
    for flag in ((), ("--full",)):
        tool("build", "parts/sample", "--with", "parts", "--out", "s.crpkg", *flag)
        cards.append(tool("info", "s.crpkg", "--json").json["data"])
    assert cards[0]["identity"] == cards[1]["identity"]
    assert cards[0]["size"] < cards[1]["size"]
    assert cards[0]["components"] == cards[1]["components"]


def test_standard_tools_open_an_archive(tool: Tool, sample: Path) -> None:
    for program_name in ("unzip", "tar", "zstd"):
        if shutil.which(program_name) is None:
            pytest.skip(f"`{program_name}` is not installed")
    subprocess.run(["unzip", "-q", sample, "-d", tool.folder / "zip"], check=True)
    (payload,) = (tool.folder / "zip/payload").iterdir()
    (tool.folder / "tar").mkdir()
    subprocess.run(["tar", "--zstd", "-xf", payload, "-C", tool.folder / "tar"], check=True)
    made = (tool.folder / "tar/main.py").read_bytes()
    assert made == (tool.folder / "parts/sample/main.py").read_bytes()
    assert json.loads((tool.folder / "zip/manifest.json").read_bytes())["name"] == "sample"


def test_a_payload_for_this_machine_needs_no_compiler_there(tool: Tool) -> None:
    program(tool.folder / "greet")
    here = tool("detect", "gcc", "--json").json["data"]["platform"]
    tool("build", "greet", "--platform", here)
    card = tool("info", "greet-1.0.crpkg", "--json", "--files").json["data"]
    assert card["files"] == [f"{card['payloads'][0]['platform']}: bin/greet"]
    plan = tool("install", "greet-1.0.crpkg", "--dry-run")
    assert "unpack greet 1.0" in plan.out


@pytest.mark.slow
def test_a_full_archive_for_a_platform_needs_no_compiler_there(tool: Tool) -> None:
    """What a solution requires is made for the platform, too."""
    program(tool.folder / "parts/greet")
    solution(tool.folder / "parts/sample")
    here = tool("detect", "gcc", "--json").json["data"]["platform"]
    build = ("build", "parts/sample", "--with", "parts", "--platform", here)
    tool(*build, "--full", "--out", "full.crpkg")
    tool(*build, "--out", "thin.crpkg")
    (tool.folder / "bin").mkdir()
    plan = tool("install", "full.crpkg", "--dry-run", env={"PATH": str(tool.folder / "bin")})
    assert "unpack greet 1.0" in plan.out
    full, thin = (tool("info", f"{name}.crpkg", "--json").json["data"] for name in ("full", "thin"))
    assert full["identity"] == thin["identity"]


def test_verbose_tells_every_step_and_what_it_prints(tool: Tool) -> None:
    makefile = "all:\n\t@echo 'from the \x1b[31mmakefile'\ninstall:\n\t@mkdir -p $(DESTDIR)/bin\n"
    makefile += "\t@echo > $(DESTDIR)/bin/greet\n"
    component(tool.folder / "greet", head("greet") + PROGRAM, src__Makefile=makefile)
    here = tool("detect", "gcc", "--json").json["data"]["platform"]
    loud = tool("build", "greet", "--platform", here, "-v").err
    assert "# compile: " in loud
    assert "# install: " in loud
    assert "from the [31mmakefile\n" in loud
    plain = tool("build", "greet", "--platform", here).err
    assert "makefile" not in plain
    assert "# compile" not in plain


@pytest.mark.slow
def test_a_flipped_byte_anywhere_is_refused(tool: Tool, sample: Path) -> None:
    """A sample over the whole file; every single byte is tried in tests/attack."""
    data = sample.read_bytes()
    for place in range(0, len(data), max(1, len(data) // 25)):
        bad = bytearray(data)
        bad[place] ^= 0x20
        (tool.folder / "bad.crpkg").write_bytes(bad)
        done = tool("verify", "bad.crpkg", code=(4, 7))
        assert "error:" in done.err, f"byte {place}"


def test_the_author_is_told_what_is_missing(tool: Tool) -> None:
    solution(tool.folder / "parts/sample")
    done = tool("build", "parts/sample", code=3)
    assert "`greet`" in done.err
    assert "--with" in done.err
    tool("build", "parts/sample", "--with", "parts", code=3)
    tool("build", "parts/sample", "--with", "nowhere", code=2)
    tool("build", "nowhere", code=2)
    component(tool.folder / "odd", head("odd") + PROGRAM)
    assert "no source `src`" in tool("build", "odd", code=2).err


def test_a_recipe_of_another_version_travels_alone(tool: Tool) -> None:
    toml = head("lib", kind="dataset") + (
        '[[source]]\nkind = "inline"\npath = "a.txt"\ntext = "one"\n[build]\ndriver = "copy"\n'
        '[versions."0.9"]\n[versions."0.9".package]\nsummary = "older"\n'
    )
    component(tool.folder / "lib", toml)
    tool("build", "lib", "--at", "0.9")
    card = tool("info", "lib-0.9.crpkg", "--json").json["data"]
    assert (card["version"], card["summary"]) == ("0.9", "older")
    assert "no version `0.8`" in tool("build", "lib", "--at", "0.8", code=2).err


def test_a_dry_run_makes_nothing(tool: Tool) -> None:
    program(tool.folder / "parts/greet")
    solution(tool.folder / "parts/sample")
    done = tool("build", "parts/sample", "--with", "parts", "--dry-run")
    assert "sample-1.0.crpkg" in done.out
    assert "greet 1.0 (thin)" in done.out
    assert not list(tool.folder.glob("*.crpkg"))


@pytest.mark.slow
def test_the_flagship_is_built_the_same_twice(tool: Tool) -> None:
    data_set = ROOT / "recipes/dataset/shapes-dataset"
    tool("build", data_set, "--check", "--out", "shapes.crpkg")
    files = tool("info", "shapes.crpkg", "--files", "--json").json["data"]["files"]
    assert sum(path.endswith(".png") for path in files) == 50
