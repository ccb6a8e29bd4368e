"""Real builds with this machine's compiler, from source to result."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from crpack import disk
from crpack.errors import BuildFailed
from crpack.make import equipment, runner
from crpack.make.dependencies import DepRoot
from crpack.model import recipe, tree
from crpack.model.recipe import (
    Build,
    CMakeTable,
    CopyRule,
    CopyTable,
    HeadersTable,
    MakeTable,
    Outputs,
    ScriptTable,
)
from crpack.process.run import Limits
from crpack.process.sandbox import LEVELS, Level
from tests.unit.make.room import (
    MAIN,
    MAKEFILE,
    WALLS,
    execute,
    facts,
    made,
    native,
    needs,
    planned,
    tar,
)

MAKE = Build("make", make=MakeTable((("CXXFLAGS", "-O1 {target.cpu_flags}"),)))
FILES = {"Makefile": MAKEFILE, "main.cpp": MAIN}
PROG = Outputs(exe=("bin/prog",))
CMAKELISTS = """\
cmake_minimum_required(VERSION 3.16)
project(toy CXX)
include(GNUInstallDirs)
add_library(toy SHARED lib.cpp)
add_executable(prog main.cpp)
target_link_libraries(prog toy)
install(TARGETS prog toy)
"""


def shell(text: str, *more: str) -> Build:
    """A script build of one step; the shell is the recipe's own program here."""
    return Build("script", script=ScriptTable((("/bin/sh", "-c", text, "sh", *more),)))


def test_a_makefile_builds_in_a_path_with_a_space_and_other_letters(tmp_path: Path) -> None:
    """BLD-07, BLD-12, BLD-15, BLD-17."""
    needs("gcc", "g++", "make")
    checks = recipe.Test((("{self}/bin/prog",),), expect="^ok")
    built = made(tmp_path / "ein Ordner größer", MAKE, FILES, outputs=PROG, test=checks)
    assert [(entry.path, entry.executable) for entry in built.entries] == [("bin/prog", True)]
    assert built.tree == tree.digest(built.entries)
    assert built.test == runner.Tested("passed")
    assert built.audit.relocatable
    assert built.audit.portable
    assert dict(built.audit.floors)["glibc"]
    assert built.sandbox == WALLS.level
    assert built.network == ("open" if WALLS.level == "L0" else "none")


def test_the_same_source_gives_the_same_bytes_in_any_folder(tmp_path: Path) -> None:
    """BLD-08."""
    needs("gcc", "g++", "make")
    first = made(tmp_path / "one", MAKE, FILES)
    second = made(tmp_path / "another longer folder", MAKE, FILES)
    assert first.tree == second.tree
    assert first.key == second.key


BUILD_CMAKE = Build("cmake", cmake=CMakeTable((("CMAKE_CXX_FLAGS", "-Wall"),)))
CMAKE_FILES = {
    "CMakeLists.txt": CMAKELISTS,
    "lib.cpp": 'const char* word() { return "ok"; }\n',
    "main.cpp": "#include <cstdio>\nconst char* word();\nint main() { puts(word()); }\n",
}


@pytest.mark.parametrize("generator", ["ninja", "make"])
def test_a_cmake_project_finds_its_library_wherever_it_stands(
    tmp_path: Path, generator: str
) -> None:
    """BLD-08, BLD-10."""
    needs("gcc", "g++", "cmake", generator)
    box = equipment.equip(BUILD_CMAKE, facts(), native())
    tools = tuple(tool for tool in box.tools if tool[0] in ("cmake", generator))
    outputs = Outputs(exe=("bin/prog",), lib=("lib/libtoy.so",))
    checks = recipe.Test((("{self}/bin/prog",),), expect="ok")
    data = tar(CMAKE_FILES)
    trees = []
    for root in (tmp_path / "größer a", tmp_path / "b"):
        steps = planned(
            root,
            BUILD_CMAKE,
            data,
            outputs=outputs,
            test=checks,
            toolbox=replace(box, tools=tools),
        )
        built = execute(steps, root, data)
        assert built.test.status == "passed"
        assert built.audit.relocatable
        trees.append(built.tree)
    assert trees[0] == trees[1]
    moved = tmp_path / "moved"
    os.rename(built.folder, moved)
    assert subprocess.run([moved / "bin/prog"], check=True, capture_output=True).stdout == b"ok\n"


def test_copy_takes_files_by_glob_and_keeps_their_paths(tmp_path: Path) -> None:
    """BLD-09."""
    rules = (CopyRule("data/**/*.txt", "share"), CopyRule("tool.sh", "bin"))
    files = {"data/a.txt": "a", "data/deep/b.txt": "b", "data/c.bin": "c", "tool.sh*": "#!/bin/sh"}
    built = made(tmp_path, Build("copy", copy=CopyTable(rules)), files)
    found = {entry.path: entry.executable for entry in built.entries}
    assert found == {"share/a.txt": False, "share/deep/b.txt": False, "bin/tool.sh": True}
    assert built.sandbox == built.network == ""


def test_copy_without_rules_takes_everything(tmp_path: Path) -> None:
    """BLD-09."""
    built = made(tmp_path, Build("copy", subdir="in"), {"in/x/a": "a", "in/b": "b", "other": "c"})
    assert [entry.path for entry in built.entries] == ["b", "x/a"]


def test_headers_become_include(tmp_path: Path) -> None:
    """BLD-09."""
    build = Build("headers", headers=HeadersTable("src/inc"))
    built = made(tmp_path, build, {"src/inc/a/b.h": "//", "src/a.c": ""})
    assert [entry.path for entry in built.entries] == ["include/a/b.h"]


def test_copy_that_takes_nothing_says_what_there_is(tmp_path: Path) -> None:
    """BLD-09."""
    with pytest.raises(BuildFailed, match=r"`\*\.txt` takes no file") as failure:
        made(tmp_path, Build("copy", copy=CopyTable((CopyRule("*.txt"),))), {"a.md": ""})
    assert failure.value.why[0] == "there is `a.md`"


def test_copy_refuses_two_files_for_one_path(tmp_path: Path) -> None:
    """BLD-09."""
    build = Build("copy", copy=CopyTable((CopyRule("a/x", "to"), CopyRule("b/x", "to"))))
    with pytest.raises(BuildFailed) as failure:
        made(tmp_path, build, {"a/x": "1", "b/x": "2"})
    assert "`to/x`" in failure.value.why[0]


def test_a_script_compiles_and_runs_its_own_generator(tmp_path: Path) -> None:
    """BLD-11."""
    needs("gcc", "g++")
    steps = (
        ("{tool.cxx}", "-O1", "-o", "{build}/gen", "{source}/gen.cpp"),
        ("{build}/gen", "{out}/a b"),
    )
    text = "#include <fstream>\nint main(int, char** v) { std::ofstream(v[1]) << 7; }\n"
    built = made(tmp_path, Build("script", "any", script=ScriptTable(steps)), {"gen.cpp": text})
    assert [(entry.path, entry.size) for entry in built.entries] == [("a b", 1)]


def test_a_compile_error_shows_the_first_error_and_the_log(tmp_path: Path) -> None:
    """BLD-16."""
    needs("gcc", "g++", "make")
    with pytest.raises(BuildFailed) as failure:
        made(tmp_path, MAKE, {"Makefile": MAKEFILE, "main.cpp": "int main() { return nothing; }"})
    error = failure.value
    assert error.exit_code == 6
    assert error.what == "the step `compile` of `toy 1.0` failed with exit status 2"
    (cause,) = error.why
    assert cause.startswith("main.cpp:1:")
    assert "error:" in cause
    assert "nothing" in cause
    assert error.hint == f"read the whole log: `{tmp_path}/log`"
    assert "nothing" in (tmp_path / "log").read_text("utf-8")


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("a: warning: x\nb.c:1: error: one\nb.c:2: error: two\nmake: *** 1", "b.c:1: error: one"),
        ("b.o: undefined reference to `f'\ncc: error: ld", "b.o: undefined reference to `f'"),
        ("m4: No space left on device\nleaked: 1", "m4: No space left on device"),
        ("CMake Error at x:3 (y):\n\n  Not found\nmore", "CMake Error at x:3 (y): Not found"),
        ("one\n\033[31mtwo\a\n\n", "[31mtwo"),
        ("error: " + "x" * 300, "error: " + "x" * 192 + "…"),
        ("", "it printed nothing"),
    ],
    ids=["compiler", "linker", "space", "cmake", "other", "long", "nothing"],
)  # fmt: skip
def test_one_cause_is_shown_the_first_error(tmp_path: Path, said: str, cause: str) -> None:
    """BLD-16."""
    with pytest.raises(BuildFailed) as failure:
        made(tmp_path, shell("cat noise; exit 1"), {"noise": said + "\n"})
    assert failure.value.why == (cause,)
    assert str(tmp_path / "log") in failure.value.hint


def test_an_error_of_an_earlier_step_is_not_the_cause(tmp_path: Path) -> None:
    """BLD-16."""
    steps = (("/bin/echo", "x: error: harmless"), ("/bin/sh", "-c", "echo real; exit 1"))
    with pytest.raises(BuildFailed) as failure:
        made(tmp_path, Build("script", script=ScriptTable(steps)), {})
    assert failure.value.why == ("real",)


def test_every_line_of_the_log_is_told_as_it_is_written(tmp_path: Path) -> None:
    """BLD-16."""
    told: list[str] = []
    checks = recipe.Test((("/bin/echo", "tested"),))
    made(tmp_path, shell("echo one; echo two >&2; printf 'th\033ree\\n'"), {}, test=checks,
         tell=told.append)  # fmt: skip
    assert told[0].startswith("# script 1: /bin/sh -c ")
    assert told[1:] == ["one", "two", "three", "# test 1: /bin/echo tested", "tested"]


def test_a_step_that_is_killed_names_the_signal(tmp_path: Path) -> None:
    """BLD-16."""
    with pytest.raises(BuildFailed, match=r"was ended by signal 6 \(SIGABRT\)"):
        made(tmp_path, shell("kill -ABRT $$"), {})


def test_a_step_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """BLD-15, BLD-16."""
    with pytest.raises(BuildFailed, match="did not end within"):
        made(tmp_path, shell("sleep 60"), {}, limits=Limits(wall_s=0.3))


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    """BLD-16."""
    build = Build("script", script=ScriptTable((("no-such-program",),)))
    with pytest.raises(BuildFailed, match="cannot be started") as failure:
        made(tmp_path, build, {})
    assert any("no-such-program" in line for line in failure.value.why)


def test_a_missing_output_names_role_glob_and_what_is_there(tmp_path: Path) -> None:
    """BLD-13, BLD-29."""
    with pytest.raises(BuildFailed, match="did not make what its recipe declares") as failure:
        made(tmp_path, shell("echo > $1/prog", "{out}"), {}, outputs=PROG)
    assert failure.value.exit_code == 6
    assert failure.value.hint.startswith("correct `[outputs]` in the recipe")
    assert failure.value.why == (
        "no file matches `bin/prog` of the role `exe`",
        "there is `prog`",
        f"the log of the build is `{tmp_path}/log`",
    )


def test_an_empty_result_is_said_to_be_empty(tmp_path: Path) -> None:
    """BLD-13."""
    with pytest.raises(BuildFailed) as failure:
        made(tmp_path, shell("true"), {}, outputs=Outputs(data=("*",)))
    assert failure.value.why[1] == "there is no file at all"


def test_a_line_of_windows_ends_as_others_do(tmp_path: Path) -> None:
    """BLD-17."""
    checks = recipe.Test((("/usr/bin/printf", "ok\\r\\nmore"),), expect="^ok$")
    assert made(tmp_path, shell("true"), {}, test=checks).test.status == "passed"


def test_a_test_that_prints_something_else_fails_the_build(tmp_path: Path) -> None:
    """BLD-17."""
    checks = recipe.Test((("/bin/echo", "bad"),), expect="^good")
    with pytest.raises(BuildFailed, match="did not print what it must") as failure:
        made(tmp_path, shell("true"), {}, test=checks)
    assert failure.value.why[1] == "it ends: bad"


def test_a_test_that_fails_fails_the_build(tmp_path: Path) -> None:
    """BLD-17."""
    checks = recipe.Test((("/bin/sh", "-c", "echo why; exit 3"),))
    with pytest.raises(BuildFailed, match=r"`test 1` .*exit status 3") as failure:
        made(tmp_path, shell("true"), {}, test=checks)
    assert "why" in failure.value.why


def test_a_pattern_that_never_ends_fails_the_build(tmp_path: Path) -> None:
    """BLD-17, SBX-13."""
    checks = recipe.Test((("/bin/echo", "a" * 60 + "b"),), expect="(a+)+$")
    with pytest.raises(BuildFailed, match="did not print what it must") as failure:
        made(tmp_path, shell("true"), {}, test=checks)
    assert "cannot be matched" in failure.value.why[0]


@pytest.mark.skipif(WALLS.level not in ("L2", "L3"), reason="no wall hides files here")
@pytest.mark.parametrize("level", ["L2", "L3"])
def test_a_tool_in_a_hidden_home_is_shown_to_the_steps(tmp_path: Path, level: Level) -> None:
    """SBX-14."""
    needs("gcc", "g++", "make")
    if LEVELS.index(level) > LEVELS.index(WALLS.level):
        pytest.skip(f"this machine does not build {level}")
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "key").write_text("secret")
    box = equipment.equip(MAKE, facts(), native())
    shutil.copy2(box.path("make"), home / "bin/make")
    box = replace(box, tools=(("make", str(home / "bin/make")),))
    spy = MAKEFILE.replace("install: prog\n", f"install: prog\n\t! cat {home}/key\n")
    data = tar({"Makefile": spy, "main.cpp": MAIN})
    steps = planned(tmp_path / "room", MAKE, data, outputs=PROG, toolbox=box)
    walls = replace(WALLS, level=level, hidden=(str(home),))
    built = execute(steps, tmp_path / "room", data, walls=walls)
    assert built.sandbox == level
    assert [entry.path for entry in built.entries] == ["bin/prog"]


@pytest.mark.skipif(WALLS.level not in ("L2", "L3"), reason="no wall hides files here")
def test_a_dependency_shows_nothing_beside_itself(tmp_path: Path) -> None:
    """SBX-12: a root that is the user's home, or holds it, is no reason to read it."""
    home = tmp_path / "home"
    (home / "dep").mkdir(parents=True)
    (home / "dep/file").write_text("shown")
    (home / "key").write_text("secret")
    deps = {
        name: DepRoot(str(path), context="build")
        for name, path in (("a", home / "dep"), ("b", home), ("c", tmp_path), ("d", "/"))
    }
    text = "cat $1/dep/file > $2/it; cat $1/key >> $2/it; true"
    walls = replace(WALLS, hidden=(str(home),))
    made(tmp_path / "room", shell(text, str(home), "{out}"), {}, walls=walls, deps=deps)
    assert (tmp_path / "room/out/it").read_text() == "shown"


@pytest.mark.parametrize(
    ("checks", "reason"),
    [
        (None, "the recipe has no test"),
        (recipe.Test((("x",),), needs="device"), "the test needs the device"),
        (recipe.Test((("{python}",),)), "interpreter of an installed solution"),
    ],
)
def test_a_test_that_is_not_run_says_why(
    tmp_path: Path, checks: recipe.Test | None, reason: str
) -> None:
    """BLD-17."""
    built = made(tmp_path, shell("true"), {}, test=checks)
    assert built.test.status == "not run"
    assert reason in built.test.reason


def test_a_source_that_changed_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """BLD-14."""
    data = tar({"a": "a"})
    steps = planned(tmp_path, Build("copy"), data)
    with pytest.raises(BuildFailed, match="`src` is not what was fetched"):
        execute(steps, tmp_path, data[:-1] + b"x")
    assert not os.path.exists(steps.folders.source)


def test_the_user_s_environment_does_not_reach_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BLD-08."""
    monkeypatch.setenv("CFLAGS", "-DHOSTILE")
    monkeypatch.setenv("SECRET_TOKEN", "hostile")
    made(tmp_path, shell("env; umask"), {})
    log = (tmp_path / "log").read_text("utf-8")
    assert "hostile" not in log.lower()
    for line in ("LC_ALL=C", "TZ=UTC", "ZERO_AR_DATE=1", "SOURCE_DATE_EPOCH=315532800", "0022"):
        assert line in log.splitlines()


def test_set_id_bits_and_hard_links_do_not_survive(tmp_path: Path) -> None:
    """BLD-12."""
    text = "cd $1; echo a > a; ln a b; chmod 6755 a; chmod 6755 b; ln -s a c; mkdir d"
    built = made(tmp_path, shell(text, "{out}"), {})
    assert [(entry.path, entry.kind, entry.executable) for entry in built.entries] == [
        ("a", "file", True),
        ("b", "file", True),
        ("c", "link", False),
        ("d", "dir", False),
    ]


def test_a_text_with_a_path_of_the_build_is_not_relocatable(tmp_path: Path) -> None:
    """AUD-05."""
    built = made(tmp_path, shell("echo prefix=$1 > $1/toy.pc; echo x > $1/x", "{out}"), {})
    assert built.audit.leaks == ("toy.pc",)
    assert not built.audit.relocatable


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_root_runs_the_steps_as_another_user() -> None:
    """BLD-15, BLD-18."""
    walls = replace(WALLS, user=(65534, 65534))
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # noqa: S103 - that user must be able to enter
        root = Path(folder)
        made(root, shell("id -u > $1/who", "{out}"), {"a": "a"}, walls=walls)
        assert (root / "out/who").read_text("utf-8") == "65534\n"
        assert (root / "source/a").stat().st_uid == 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_giving_a_folder_away_follows_no_link(tmp_path: Path) -> None:
    """BLD-18."""
    (tmp_path / "given").mkdir()
    (tmp_path / "kept").write_text("mine")
    (tmp_path / "given/link").symlink_to("../kept")
    disk.give_tree(str(tmp_path / "given"), 65534, 65534)
    assert (tmp_path / "given").stat().st_uid == 65534
    assert (tmp_path / "given/link").lstat().st_uid == 65534
    assert (tmp_path / "kept").stat().st_uid == 0


def test_a_folder_that_is_not_fresh_is_refused(tmp_path: Path) -> None:
    """BLD-14."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/stale").write_text("old")
    with pytest.raises(BuildFailed, match="is not empty"):
        made(tmp_path, shell("true"), {})


def test_the_result_for_this_platform_says_so(tmp_path: Path) -> None:
    """BLD-06."""
    assert planned(tmp_path, shell("true")).target == native()
