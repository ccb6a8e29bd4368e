"""Payloads for several platforms from one machine, and the audit of what was made."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from crpack.model import canonical, platforms
from crpack.ops import detection
from tests.flow.tool import Tool, component, head

if TYPE_CHECKING:
    from pathlib import Path

HERE = str(detection.platform().base)
FOREIGN = "linux-aarch64-gnu"

BUILD = """
[[source]]
kind = "local"
path = "src"
[build]
driver = "make"
"""

LIBRARY = (
    BUILD
    + """
[options.word]
type = "enum"
default = "one"
values = ["one", "two"]
[build.make]
vars = { WORD = "{option.word}" }
[outputs]
lib = ["lib/libtiny.so.1"]
header = ["include/tiny.h"]
[exports]
include = ["include"]
lib = ["lib"]
"""
)
LIBRARY_MAKE = """\
libtiny.so.1: tiny.c
\t$(CC) -O1 -shared -fPIC -DWORD='"$(WORD)"' -Wl,-soname,libtiny.so.1 -o $@ tiny.c
install: libtiny.so.1
\tmkdir -p $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include
\tcp libtiny.so.1 $(DESTDIR)$(PREFIX)/lib/
\tln -s libtiny.so.1 $(DESTDIR)$(PREFIX)/lib/libtiny.so
\tcp tiny.h $(DESTDIR)$(PREFIX)/include/
"""

PROGRAM = (
    BUILD
    + """
[requires]
target.tiny = { version = ">=1", options = { word = "two" } }
build.maker = ">=1"
[outputs]
exe = ["bin/greet"]
[exports]
bin = ["bin"]
[test]
steps = [["{self}/bin/greet"]]
expect = "^two made here$"
"""
)
PROGRAM_MAKE = """\
greet: greet.c
\tmaker > made.h
\t$(CC) -O1 -o $@ greet.c -ltiny
install: greet
\tmkdir -p $(DESTDIR)$(PREFIX)/bin
\tcp greet $(DESTDIR)$(PREFIX)/bin/
"""
GREET = """\
#include <stdio.h>
#include <tiny.h>
#include "made.h"
int main(void) { printf("%s %s\\n", tiny(), MADE); return 0; }
"""

# A tool of the build: compiled, so that it runs on no other machine.
TOOL = (
    BUILD
    + """
[outputs]
exe = ["bin/maker"]
[exports]
bin = ["bin"]
"""
)
TOOL_MAKE = """\
maker: maker.c
\t$(CC) -o $@ maker.c
install: maker
\tmkdir -p $(DESTDIR)$(PREFIX)/bin
\tcp maker $(DESTDIR)$(PREFIX)/bin/
"""
MAKER = r"""#include <stdio.h>
int main(void) { puts("#define MADE \"made here\""); return 0; }
"""

SOLUTION = """
[requires]
greet = ">=1"
[[source]]
kind = "local"
path = "main.py"
[build]
driver = "copy"
[action.run]
argv = ["{python}", "{self}/main.py", "{input}", "{output}", "{dep.greet}/bin/greet"]
[action.run.outputs]
said = { type = "string", required = true }
"""
MAIN = """\
import json, subprocess, sys
said = subprocess.run([sys.argv[3]], capture_output=True, text=True, check=True).stdout.strip()
json.dump({"said": said}, open(sys.argv[2], "w"))
"""

# It asks the library for a word of its own choice.
TALK = """
[options.word]
type = "string"
default = "two"
[requires]
tiny = { options = { word = "{option.word}" } }
[[source]]
kind = "inline"
path = "word"
text = "word"
[build]
driver = "copy"
"""


def parts(folder: Path) -> Path:
    """Write a library, a tool of the build, a program that needs both, and a solution."""
    component(
        folder / "tiny", head("tiny") + LIBRARY, src__Makefile=LIBRARY_MAKE,
        src__tiny_dot_h="const char *tiny(void);\n",
        src__tiny_dot_c='#include "tiny.h"\nconst char *tiny(void) { return WORD; }\n',
    )  # fmt: skip
    component(
        folder / "maker", head("maker") + TOOL, src__Makefile=TOOL_MAKE, src__maker_dot_c=MAKER
    )
    component(
        folder / "greet",
        head("greet") + PROGRAM,
        src__Makefile=PROGRAM_MAKE,
        src__greet_dot_c=GREET,
    )
    component(folder / "sample", head("sample", kind="solution") + SOLUTION, main_dot_py=MAIN)
    return folder


def compiler(platform: str = FOREIGN) -> None:
    """Skip a test where no compiler makes programs for another platform."""
    if platform == FOREIGN and shutil.which("aarch64-linux-gnu-gcc") is None:
        pytest.skip("`aarch64-linux-gnu-gcc` is not installed")


def emulated() -> bool:
    return any(shutil.which(name) for name in ("qemu-aarch64", "qemu-aarch64-static"))


@pytest.fixture
def closure(tool: Tool) -> Path:
    return parts(tool.folder / "parts")


def test_what_a_payload_links_and_runs_is_made_first(tool: Tool, closure: Path) -> None:
    """RCP-13: the closure's payloads are carried, work where they are put, and pass the audit.

    The library's is the one that was linked, whose option is not the default.
    """
    built = tool(
        "build", closure / "sample", "--with", closure, "--full", "--platform", HERE,
        "--out", "s.crpkg", "--json",
    ).json["data"]  # fmt: skip
    assert {(one["name"], one["status"]) for one in built["tests"]} >= {("greet", "passed")}
    audited = tool("verify", "s.crpkg", "--audit")
    assert "all as stated" in audited.out
    assert "bin/greet" in audited.out
    tool("install", "s.crpkg")
    told = tool("info", "sample").out
    assert "greet 1.0 (binary)" in told
    assert "tiny 1.0 (binary)" in told
    assert "two made here" in tool("run", "sample", "--json").out
    assert "all as stated" in tool("verify", "sample", "--audit").out


def test_payloads_have_the_options_that_are_asked_for(tool: Tool, closure: Path) -> None:
    """RCP-13, PRM-05: those of a solution's choice, so that no compiler is needed to install it."""
    compiler()
    component(closure / "talk", head("talk", kind="solution") + TALK)
    build = ("build", closure / "talk", "--with", closure, "--full", "--platform", FOREIGN)
    bare = {"PATH": str(tool.folder)}
    install = ("install", "t.crpkg", "--platform", f"{FOREIGN}2.99")
    tool(*build, "--option", "word=one", "--out", "t.crpkg")
    assert "build  tiny" in tool(*install, "--dry-run").out
    assert "unpack tiny" in tool(*install, "--option", "word=one", "--dry-run", env=bare).out
    tool(*build, "--out", "t.crpkg")
    tool(*install, env=bare)
    assert "tiny 1.0 (binary)" in tool("info", "talk").out
    assert "all as stated" in tool("verify", "talk", "--audit").out
    assert "no option `wrod`" in tool(*build, "--option", "wrod=one", "--dry-run", code=2).err


def test_one_archive_carries_payloads_for_several_platforms(tool: Tool, closure: Path) -> None:
    compiler()
    words = ("build", closure / "greet", "--with", closure, "--platform", FOREIGN)
    both = (*words, "--platform", HERE, "--out", "g.crpkg")
    planned = tool(*both, "--dry-run").out
    assert f"would make greet 1.0 for {FOREIGN} with gcc" in planned
    assert f"would make tiny 1.0 for {FOREIGN}" in planned
    assert f"would make maker 1.0 for {HERE}" in planned
    assert f"maker 1.0 for {FOREIGN}" not in planned
    assert not (tool.folder / "g.crpkg").exists()
    built = tool(*both, "--json").json["data"]
    bases = {one["platform"].partition("-gnu")[0] for one in built["payloads"]}
    assert bases == {name.removesuffix("-gnu") for name in (HERE, FOREIGN)}
    tests = {one["platform"]: one for one in built["tests"]}
    foreign = tests[FOREIGN]
    assert foreign["status"] == ("passed" if emulated() else "not run")
    assert bool(foreign["reason"]) is not emulated()
    for payload in built["payloads"]:
        assert [text.split()[0] for text in payload["requires"]] == ["tiny"]
        assert dict(payload["floors"])["glibc"] in payload["platform"]
    audited = tool("verify", "g.crpkg", "--audit", "--json").json["data"][0]
    assert {row["path"] for row in audited["rows"]} == {"bin/greet"}
    measured = {str(platforms.parse(row["platform"]).base) for row in audited["rows"]}
    assert measured == {HERE, FOREIGN}
    assert any("`tiny` may give" in text for text in audited["open"])


def test_what_was_made_once_is_not_made_again(tool: Tool, closure: Path) -> None:
    """KEY-06: until a byte of it is changed, or the user asks for two makings."""
    words = ("build", closure / "greet", "--with", closure, "--platform", HERE, "--out", "g.crpkg")
    first = tool(*words)
    assert first.err.count("Building") >= 3
    one = (tool.folder / "g.crpkg").read_bytes()
    again = tool(*words)
    assert "Building" not in again.err
    assert again.err.count("Reusing") == 3
    assert (tool.folder / "g.crpkg").read_bytes() == one
    assert "every byte is the same" in tool(*words, "--check").out
    (made,) = tool.home.glob("cache/author/store/*/files/bin/greet")
    made.chmod(0o755)
    made.write_bytes(b"damaged")
    mended = tool(*words)
    assert "Building" in mended.err
    assert (tool.folder / "g.crpkg").read_bytes() == one


def test_what_works_only_here_is_never_archived(tool: Tool, closure: Path) -> None:
    """AUD-04, AUD-05."""
    makefile = closure / "greet/src/Makefile"
    for flag, said in (
        ("-Wl,-rpath,/opt/somewhere", "`bin/greet` looks into `/opt/somewhere`"),
        ("'-DKEPT=\"$(CURDIR)\"'", "`bin/greet` names a folder of the build"),
    ):
        makefile.write_text(PROGRAM_MAKE.replace("-O1", f"-O1 {flag}"))
        source = closure / "greet/src/greet.c"
        source.write_text(GREET + ("const char *kept = KEPT;\n" if "KEPT" in flag else ""))
        done = tool(
            "build", closure / "greet", "--with", closure, "--platform", HERE,
            "--out", "g.crpkg", code=2,
        )  # fmt: skip
        assert "works only where it was built" in done.err
        assert said in done.err
        assert not (tool.folder / "g.crpkg").exists()


def test_the_first_failure_in_order_is_told(tool: Tool, closure: Path) -> None:
    """RCP-14: the library comes before the tool of the build, and both are wrong."""
    (closure / "tiny/src/tiny.c").write_text("#error no library\n")
    (closure / "maker/src/maker.c").write_text("#error no tool\n")
    words = ("build", closure / "greet", "--with", closure, "--platform", HERE)
    said = {tool(*words, code=6, env={"CRPACK_JOBS": jobs}).err.partition("error: ")[2][:60]
            for jobs in ("1", "4")}  # fmt: skip
    assert len(said) == 1
    assert "of `maker 1.0`" in said.pop()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--platform", "linux-z80-gnu"), 2, "is not a platform"),
        (("--platform", "any"), 2, "no machine is `any`"),
        (("--platform", "android-aarch64-21"), 6, "for `android-aarch64"),
    ],
)
def test_a_platform_that_cannot_be_made_is_told(
    tool: Tool, closure: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = tool(
        "build", closure / "tiny", *words, "--out", "t.crpkg", code=code,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert said in done.err
    assert not (tool.folder / "t.crpkg").exists()


def test_a_tool_that_does_not_run_is_told(tool: Tool, closure: Path) -> None:
    """BLD-02: what was found instead, and where to read why it does not serve."""
    bins = tool.folder / "bins"
    bins.mkdir()
    for name in ("gcc", "g++"):
        (bins / name).symlink_to(shutil.which(name) or pytest.skip(f"no `{name}` here"))
    (bins / "make").write_text("#!/bin/sh\necho broken\nexit 3\n")
    (bins / "make").chmod(0o755)
    words = ("build", closure / "tiny", "--platform", HERE, "--out", "t.crpkg")
    done = tool(*words, code=6, env={"PATH": str(bins)})
    assert "needs `make`, which is not on this machine" in done.err
    assert f"`{bins}/make` does not serve: `crpack why make` tells why" in done.err
    assert not (tool.folder / "t.crpkg").exists()


def test_what_is_not_as_its_build_was_recorded_fails_the_audit(tool: Tool, closure: Path) -> None:
    """AUD-07, CLI-05."""
    tool("build", closure / "sample", "--with", closure, "--full", "--out", "s.crpkg")
    tool("install", "s.crpkg")
    for path in (tool.prefix / "built").iterdir():
        record = json.loads(path.read_bytes())
        if record["component"] == "greet 1.0":
            path.write_bytes(canonical.encode({**record, "floors": {"glibc": "2.2.5"}}))
    tool("verify", "sample")
    done = tool("verify", "sample", "--audit", "--json", code=7).json
    (fault,) = done["error"]["data"]["audited"][0]["faults"]
    assert fault.startswith("greet: its floors are stated as glibc 2.2.5 and measured as glibc")


def test_what_is_required_must_be_in_a_named_folder(tool: Tool, closure: Path) -> None:
    done = tool("build", closure / "greet", "--platform", HERE, code=3)
    assert "`greet` requires `maker`, which was not found" in done.err
    assert "`--with FOLDER`" in done.err


def test_a_result_for_the_wrong_machine_is_refused(tool: Tool, closure: Path) -> None:
    """AUD-01: a makefile that names its own compiler."""
    compiler()
    makefile = closure / "tiny/src/Makefile"
    makefile.write_text(LIBRARY_MAKE.replace("$(CC)", "gcc"))
    done = tool("build", closure / "tiny", "--platform", FOREIGN, code=6)
    assert f"`lib/libtiny.so.1` is for `{HERE.removesuffix('-gnu')}`" in done.err
