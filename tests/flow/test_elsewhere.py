"""A prefix for another machine, made here; and prefixes that are moved."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.flow.index_room import Room, empty, error_of, generation
from tests.flow.tool import Tool, component, head

BOARD = "linux-aarch64-gnu2.36"
SYSROOT = "/usr/aarch64-linux-gnu"
_LACKING = [one for one in ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++")
            if not shutil.which(one)]  # fmt: skip

cross = pytest.mark.skipif(
    bool(_LACKING) or platform.machine() == "aarch64",
    reason=f"no compiler for another machine: {', '.join(_LACKING) or 'this is one'}",
)

WORD = """
[[source]]
kind = "local"
path = "src"
[build]
driver = "make"
[outputs]
lib = ["lib/libword.so.1"]
header = ["include/word.h"]
[exports]
lib = ["lib"]
include = ["include"]
"""
WORD_MAKE = """\
libword.so.1: word.c
\t$(CC) -shared -fPIC -Wl,-soname,libword.so.1 -o $@ word.c
install: libword.so.1
\tmkdir -p $(DESTDIR)/lib $(DESTDIR)/include
\tcp libword.so.1 $(DESTDIR)/lib/
\tln -s libword.so.1 $(DESTDIR)/lib/libword.so
\tcp word.h $(DESTDIR)/include/
"""
WORD_C = 'const char *word(void) { return "spoken"; }\n'

# A generator that runs where results are made, and what is made with it for elsewhere.
STAMP = """
[[source]]
kind = "local"
path = "src"
[build]
driver = "make"
[outputs]
exe = ["bin/stamp"]
[exports]
bin = ["bin"]
"""
STAMP_MAKE = """\
stamp: stamp.c
\t$(CC) -O1 -o $@ stamp.c
install: stamp
\tmkdir -p $(DESTDIR)/bin
\tcp stamp $(DESTDIR)/bin/
"""
STAMP_C = '#include <stdio.h>\nint main(void) { puts("#define MARK \\"!\\""); return 0; }\n'

SPEAK = """
[requires.target]
word = ">=1"
[requires.build]
stamp = ">=1"
[[source]]
kind = "local"
path = "src"
[build]
driver = "make"
[outputs]
exe = ["bin/speak"]
[exports]
bin = ["bin"]
"""
SPEAK_MAKE = """\
speak: speak.c
\tstamp > mark.h
\t$(CC) -O1 -o $@ speak.c -lword
install: speak
\tmkdir -p $(DESTDIR)/bin
\tcp speak $(DESTDIR)/bin/
"""
SPEAK_C = """\
#include <stdio.h>
#include "mark.h"
#include "word.h"
int main(int count, char **words) {
    FILE *file = count > 1 ? fopen(words[1], "w") : stdout;
    return fprintf(file, "{\\"said\\": \\"%s%s\\"}\\n", word(), MARK) < 0;
}
"""

TALK = """
[requires]
speak = ">=1"
[[source]]
kind = "inline"
path = "readme"
text = "talk"
[build]
driver = "copy"
[action.run]
argv = ["{dep.speak}/bin/speak", "{output}"]
[action.run.outputs]
said = { type = "string", required = true }
score = { type = "float" }
[action.validate]
argv = ["{dep.speak}/bin/speak", "{output}"]
[action.validate.outputs]
score = { type = "float" }
[metrics.score]
reference = 0.5
tolerance = 0.01
"""

SNAKE = """
[python]
requires = ["numpy"]
[[source]]
kind = "inline"
path = "main.py"
text = "import numpy"
[build]
driver = "copy"
[action.run]
argv = ["{python}", "{self}/main.py"]
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """An index of sources: a library, a generator, a program that needs both, a solution."""
    room = empty(tmp_path_factory.mktemp("elsewhere") / "owner")
    parts = room.owner.folder / "parts"
    component(parts / "word", head("word", kind="software") + WORD, src__Makefile=WORD_MAKE,
              src__word_dot_c=WORD_C, src__word_dot_h="const char *word(void);\n")  # fmt: skip
    component(parts / "stamp", head("stamp") + STAMP, src__Makefile=STAMP_MAKE,
              src__stamp_dot_c=STAMP_C)  # fmt: skip
    component(parts / "speak", head("speak") + SPEAK, src__Makefile=SPEAK_MAKE,
              src__speak_dot_c=SPEAK_C)  # fmt: skip
    component(parts / "talk", head("talk", kind="solution") + TALK)
    component(parts / "snake", head("snake", kind="solution") + SNAKE)
    names = ("word", "stamp", "speak", "talk", "snake")
    for name in names:
        room.owner("build", f"parts/{name}", "--with", "parts", "--full",
                   "--out", f"{name}.crpkg", "--key", "test")  # fmt: skip
    room.add(*(room.owner.folder / f"{name}.crpkg" for name in names))
    return room


@pytest.fixture
def user(room: Room, tmp_path: Path) -> Tool:
    return room.user(tmp_path / "user")


@pytest.fixture(scope="module")
def board(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """Somebody who made a prefix for a board; nobody changes it."""
    user = room.user(tmp_path_factory.mktemp("board") / "user")
    user("install", "talk", "--platform", BOARD)
    return user


def machine(path: Path) -> int:
    """Return the machine in the header of an ELF file (ELF specification, e_machine)."""
    found: tuple[int] = struct.unpack("<H", path.read_bytes()[18:20])
    return found[0]


def speaker(prefix: Path) -> Path:
    return prefix / "solutions/talk/current/root/speak/bin/speak"


def said(argv: list[str]) -> str:
    """Return what a program says that is started with no help from crpack."""
    done = subprocess.run(argv, capture_output=True, text=True, env={}, check=True)
    answer: str = json.loads(done.stdout)["said"]
    return answer


def dynamic(path: Path) -> str:
    """Return what the loader is told in a file, as binutils shows it."""
    return subprocess.run(
        ["readelf", "-d", path], capture_output=True, text=True, check=True
    ).stdout


def logs(user: Tool) -> int:
    """Return how many builds there were."""
    return len(list(user.home.rglob("*.log")))


def test_a_moved_prefix_still_works(user: Tool, tmp_path: Path) -> None:
    """GEN-11, BLD-21: a program finds its library in another tree, wherever the prefix lies."""
    first = tmp_path / "a place"
    user("install", "talk", "--prefix", first)
    assert user("run", "talk", "--json", "--prefix", first).json["data"]["outputs"] == {
        "said": "spoken!"
    }
    moved = tmp_path / "another place" / "of mine"
    moved.parent.mkdir()
    first.rename(moved)
    assert said([str(speaker(moved))]) == "spoken!"
    user("run", "talk", "--prefix", moved)
    user("verify", "talk", "--prefix", moved)
    paths = [line for line in dynamic(speaker(moved)).splitlines() if "RUNPATH" in line]
    assert len(paths) == 1
    assert str(tmp_path) not in dynamic(speaker(moved))
    places = paths[0].partition("[")[2].rstrip("]").split(":")
    assert all(place.startswith("$ORIGIN/../") for place in places)
    user("install", "--reinstall", "talk", "--prefix", moved)
    assert said([str(speaker(moved))]) == "spoken!"


def test_what_was_built_is_not_built_again(user: Tool) -> None:
    """KEY-06: not even its sources are fetched; all of it comes from the store."""
    user("install", "talk")
    before = logs(user)
    assert before == 3
    user("remove", "talk")
    user("install", "speak")
    again = logs(user)
    user("install", "talk", "speak", "--reinstall")
    assert logs(user) == again


@cross
def test_a_prefix_for_a_board_holds_what_runs_there(board: Tool) -> None:
    """ELS-02, ELS-04: programs for the board, made with a tool that ran here."""
    record = generation(board, "talk")
    assert record["platform"] == BOARD
    assert [part["name"] for part in record["parts"]] == ["speak", "talk", "word"]
    (stamp,) = record["tools"]
    here = machine(Path(os.path.realpath("/proc/self/exe")))
    assert machine(board.prefix / "store" / stamp / "files/bin/stamp") == here
    assert machine(speaker(board.prefix)) == 183  # EM_AARCH64
    emulator = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if emulator and os.path.isdir(SYSROOT):
        moved = board.folder / "a copy"
        shutil.copytree(board.prefix, moved, symlinks=True)
        assert said([emulator, "-L", SYSROOT, str(speaker(moved))]) == "spoken!"


@cross
def test_what_is_for_a_board_says_so_here(board: Tool) -> None:
    """ELS-04, ELS-05: nothing of it is run, and nothing for this machine gets among it."""
    assert BOARD in board("list").out
    assert board("list", "--json").json["data"][0]["platform"] == BOARD
    assert BOARD in board("info", "talk").out
    board("verify", "talk")
    here = ("--executor", "local", "--json")
    error = error_of(board("run", "talk", *here, code=125).out)
    assert error["what"].startswith(f"`talk` is installed for `{BOARD}`")
    assert error_of(board("validate", "talk", *here, code=7).out)["what"] == error["what"]
    for words in (("install", "talk"), ("install", "word"), ("update", "talk")):
        error = error_of(board(*words, "--json", code=2).out)
        assert f"is for `{BOARD}`" in error["what"]
        assert f"--platform {BOARD}" in error["hint"]
    there = ("--platform", BOARD)
    assert "already" in board("install", "talk", *there).out
    before = logs(board)
    board("install", "speak", *there)
    assert logs(board) == before
    board("remove", "speak")


@cross
@pytest.mark.skipif(
    not (shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static"))
    or not os.path.isdir(SYSROOT),
    reason="no qemu-aarch64 or no C library for it here",
)
def test_a_solution_for_a_board_runs_here_under_an_emulator(board: Tool) -> None:
    """EXE-03, ELS-05: without being asked; the record names it."""
    done = board("run", "talk", "--json")
    assert done.json["data"]["outputs"] == {"said": "spoken!"}
    record = json.loads(Path(done.json["data"]["folder"], "run.json").read_text())
    assert record["executor"] == "emulator"
    board("run", "talk", "--executor", "emulator")
    error = board("run", "talk", "--executor", "local", "--json", code=125).json["error"]
    assert error["what"].startswith(f"`talk` is installed for `{BOARD}`")


@cross
@pytest.mark.slow
def test_a_lone_archive_is_made_for_a_board(room: Room, tmp_path: Path) -> None:
    """ELS-02: as by name; nothing below the prefix is changed by a dry run."""
    user = Tool(tmp_path)
    user("trust", "add", room.owner.home / "config/keys/test.pub", "--names", "*")
    archive = room.owner.folder / "talk.crpkg"
    there = ("--platform", BOARD, "--sandbox", "best-effort")
    plan = user("install", archive, *there, "--dry-run", "--json").json["data"][0]
    assert plan["platform"] == BOARD
    assert [step["name"] for step in plan["steps"]] == ["word", "stamp", "speak", "talk"]
    assert not (user.prefix / "store").exists()
    user("install", archive, *there)
    assert machine(speaker(user.prefix)) == 183
    assert "already" in user("install", archive, *there).out


@cross
@pytest.mark.slow
def test_a_bundle_for_a_board_tells_what_the_board_builds(user: Tool, tmp_path: Path) -> None:
    """BUN-15: sources travel; here it can be made into a prefix for the board."""
    done = user("bundle", "talk", "--platform", BOARD, "--json").json["data"]
    assert done["made_there"] == [f"{BOARD}: speak, stamp, word"]
    user("install", "talk.crbundle", "--offline", code=3)
    user("install", "talk.crbundle", "--offline", "--platform", BOARD)
    assert machine(speaker(user.prefix)) == 183
    user("lock", "talk", "--platform", BOARD)
    other = tmp_path / "other"
    user("install", "--locked", "--platform", BOARD, "--prefix", other)
    assert machine(speaker(other)) == 183


def test_what_cannot_be_made_for_a_machine_is_told_and_leaves_nothing(user: Tool) -> None:
    """ELS-01, ELS-03: one sentence, the right code, an empty prefix."""

    def refused(*words: str, code: int, env: dict[str, str] | None = None) -> str:
        error = error_of(user("install", *words, "--json", code=code, env=env).out)
        assert error["hint"], error
        return f"{error['what']} {error['why']}"

    assert "is not a platform" in refused("talk", "--platform", "raspberry", code=2)
    assert "no machine is `any`" in refused("talk", "--platform", "any", code=2)
    facts = user.folder / "board.json"
    facts.write_text(json.dumps({"platform": BOARD}))
    both = ("--facts", str(facts), "--platform", "linux-riscv64-gnu")
    assert "are of" in refused("talk", *both, code=2)
    assert "there is no file" in refused("talk", "--facts", "nowhere", code=2)
    assert "needs a Python environment" in refused("snake", "--platform", BOARD, code=3)
    bare = {"PATH": str(user.folder)}  # not even an NDK
    assert "compiler" in refused("talk", "--platform", "android-aarch64-24", code=6, env=bare)
    assert not (user.prefix / "solutions").exists()
    assert not list((user.prefix / "stage").glob("*")) if user.prefix.exists() else True


FAR = """
[[source]]
kind = "url"
urls = ["https://far.invalid/stamp.tar"]
sha256 = "{sha256}"
size = {size}
strip = 1
[build]
driver = "make"
[outputs]
exe = ["bin/stamp"]
"""


@pytest.mark.slow
def test_a_bundle_carries_the_sources_that_an_archive_only_names(tmp_path: Path) -> None:
    """BUN-16: who makes it has them in a mirror; where it is installed there is neither."""
    room = empty(tmp_path / "owner")
    material = component(tmp_path / "stamp", "", Makefile=STAMP_MAKE, stamp_dot_c=STAMP_C)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    packed = tmp_path / "stamp.tar"
    with tarfile.open(packed, "w") as tar:
        tar.add(material, "stamp-1.0")
    data = packed.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    packed.rename(mirror / sha256)
    far = head("far") + FAR.format(sha256=sha256, size=len(data))
    component(room.owner.folder / "far", far)
    env = {"CRPACK_SOURCE_MIRROR": str(mirror)}
    room.owner("build", "far", "--out", "far.crpkg", "--key", "test", env=env)
    room.add(room.owner.folder / "far.crpkg")
    maker, user = room.user(tmp_path / "maker"), room.user(tmp_path / "user")
    error = error_of(maker("bundle", "far", "--json", code=5).out)
    assert "`far`" in error["what"]
    maker("bundle", "far", env=env)
    with zipfile.ZipFile(maker.folder / "far.crbundle") as bundle:
        assert f"source/{sha256}" in bundle.namelist()
    user("install", maker.folder / "far.crbundle", "--offline")
    assert generation(user, "far")["parts"][0]["origin"] == "source"


@cross
@pytest.mark.slow
def test_payloads_for_a_board_travel_in_a_bundle(room: Room, tmp_path: Path) -> None:
    """BUN-11, BUN-15: where the author made them, nothing is compiled, neither here nor there."""
    new = Room(room.copy(tmp_path / "owner").owner)
    for name in ("word", "speak"):
        recipe = new.owner.folder / "parts" / name / "crpack.toml"
        recipe.write_text(recipe.read_text().replace('version = "1.0"', 'version = "1.1"'))
        new.owner("build", f"parts/{name}", "--with", "parts", "--full", "--key", "test",
                  "--platform", "linux-aarch64-gnu", "--out", f"{name}-1.1.crpkg")  # fmt: skip
        new.add(new.owner.folder / f"{name}-1.1.crpkg")
    user = new.user(tmp_path / "user")
    vague = user("bundle", "talk", "--platform", "linux-aarch64-gnu").out
    assert re.search(r"compiled where it is installed: linux-aarch64-gnu: speak", vague)
    assert re.search(r"payloads serve: `--platform linux-aarch64-gnu2\.\d+`", vague)
    made = user("bundle", "talk", "--platform", BOARD, "--json").json["data"]
    assert made["made_there"] == []
    assert made["spare"] == []
    bare = {"PATH": str(tmp_path)}
    user("install", "talk.crbundle", "--offline", "--platform", BOARD, env=bare)
    record = generation(user, "talk")
    assert {part["origin"] for part in record["parts"]} == {"binary"}
    assert "tools" not in record
    assert machine(speaker(user.prefix)) == 183


@pytest.mark.slow
def test_a_payload_finds_a_library_that_was_released_after_it(room: Room, tmp_path: Path) -> None:
    """GEN-11: its run path leads to the tree that it was made with, and a run to the one there."""
    owner = room.copy(tmp_path / "owner").owner
    here = owner("detect", "gcc", "--json").json["data"]["platform"].partition("gnu")[0] + "gnu"
    parts, with_ = owner.folder / "parts", ("--with", "parts", "--full", "--key", "test")
    new = Room(owner)
    for name, version in (("word", "1.1"), ("speak", "1.1"), ("word", "1.2")):
        text = (parts / name / "crpack.toml").read_text()
        (parts / name / "crpack.toml").write_text(
            re.sub('version = ".*"', f'version = "{version}"', text)
        )
        source = WORD_C.replace("spoken", f"spoken by {version}")
        (parts / "word/src/word.c").write_text(source)
        owner(
            "build", f"parts/{name}", *with_, "--platform", here, "--out", f"{name}-{version}.crpkg"
        )
        new.add(owner.folder / f"{name}-{version}.crpkg")
    user = new.user(tmp_path / "user")
    user("install", "talk")
    parts_ = {part["name"]: part for part in generation(user, "talk")["parts"]}
    assert [parts_[name]["origin"] for name in ("speak", "word")] == ["binary", "binary"]
    assert (parts_["word"]["version"], parts_["word"]["lib"]) == ("1.2", ["lib"])
    assert user("run", "talk", "--json").json["data"]["outputs"]["said"] == "spoken by 1.2!"
