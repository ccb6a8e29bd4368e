"""What a scan finds: every trap of real machines, with files that stand for the tools."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crpack.binary.reader import read
from crpack.detect import asking
from crpack.detect import scan as scanning
from crpack.detect.cache import Cache
from crpack.detect.eyes import Eyes
from crpack.detect.path import File, read_image
from crpack.detect.plan import plan
from crpack.detect.scan import Ground, Scan, scan
from crpack.model import recipe_document
from crpack.process import sandbox
from crpack.process.run import Outcome, run
from tests.unit.binary.samples import Elf, reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.detect.plan import Candidate
    from crpack.model.facts import Found
    from crpack.model.recipe import Recipe

SOFTWARE = Path(__file__).parents[3] / "recipes" / "software"

GCC = """
case "$1" in
  --version) echo "{name} (Debian 12.2.0-14+deb12u1) {version}"; echo "Copyright (C) FSF" ;;
  -dumpmachine) echo {target} ;;
  *) exit 1 ;;
esac
"""
CLANG = """
case "$1" in
  --version) echo "{vendor}clang version {version} (https://example.invalid 1a2b)"
             echo "Target: {target}" ;;
  -dumpmachine) echo {target} ;;
  *) exit 1 ;;
esac
"""


def recipe(name: str) -> Recipe:
    file = SOFTWARE / name / "crpack.toml"
    return recipe_document.open_json(
        recipe_document.read(file.read_text(encoding="utf-8"), file=str(file))
    )


class Machine:
    """A machine whose PATH has folders of one test only."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path: list[str] = []
        self.cache = b""

    def folder(self, name: str) -> Path:
        """Make a folder and add it to PATH."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        if str(folder) not in self.path:
            self.path.append(str(folder))
        return folder

    def tool(self, name: str, script: str, folder: str = "bin") -> Path:
        """Make a script on PATH."""
        file = self.folder(folder) / name
        file.write_text(f"#!/bin/sh\n{script}")
        file.chmod(0o755)
        return file

    def gcc(
        self, name: str = "gcc", version: str = "12.2.0", target: str = "x86_64-linux-gnu"
    ) -> Path:
        return self.tool(name, GCC.format(name=name, version=version, target=target))

    def scan(
        self,
        *names: str,
        refresh: bool = False,
        execute: bool = True,
        hidden: tuple[str, ...] = (),
        unconfined: bool = True,
    ) -> Scan:
        environ = {"PATH": ":".join([*self.path, "/usr/sbin"]), "HOME": str(self.root)}
        recipes = [recipe(name) for name in names]
        done = scan(
            recipes,
            Ground(environ),
            cache=self.cache,
            refresh=refresh,
            execute=execute,
            hidden=hidden,
            unconfined=unconfined,
        )
        self.cache = done.cache or self.cache
        return done

    def found(self, *names: str) -> tuple[Found, ...]:
        return self.scan(*names).found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def refusals(done: Scan) -> dict[str, str]:
    return {os.path.basename(one.path): one.why for one in done.refused}


def test_a_compiler_has_name_version_and_target(machine: Machine) -> None:
    """DET-14."""
    path = machine.gcc()
    (found,) = machine.found("gcc")
    assert (found.name, found.version, found.target) == ("gcc", "12.2.0", "x86_64-linux-gnu")
    assert (found.path, found.realpath) == (str(path), os.path.realpath(path))
    assert found.how == "exec `gcc --version`"
    assert found.raw == "gcc (Debian 12.2.0-14+deb12u1) 12.2.0"
    assert (found.size, found.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert found.runnable


def test_cross_compilers_beside_the_native_one_are_listed_with_their_target(
    machine: Machine,
) -> None:
    """DET-14: a peer took them for the native ones, which share folder and version."""
    machine.gcc("aarch64-linux-gnu-gcc-12", target="aarch64-linux-gnu")
    machine.gcc("gcc")
    machine.gcc("arm-none-eabi-gcc", version="13.2.1", target="arm-none-eabi")
    found = machine.found("gcc")
    assert [(Path(one.path).name, one.target) for one in found] == [
        ("gcc", "x86_64-linux-gnu"),
        ("arm-none-eabi-gcc", "arm-none-eabi"),
        ("aarch64-linux-gnu-gcc-12", "aarch64-linux-gnu"),
    ]
    assert {one.name for one in found} == {"gcc"}


def test_a_compiler_for_this_machine_by_name_may_be_for_another_by_target(
    machine: Machine,
) -> None:
    """DET-14: what it prints counts, not what it is called."""
    machine.gcc("x86_64-linux-gnu-gcc", target="aarch64-linux-gnu")
    assert [one.target for one in machine.found("gcc")] == ["aarch64-linux-gnu"]


def test_mingw_prints_a_version_with_its_kind_of_threads(machine: Machine) -> None:
    """Trap 2."""
    text = GCC.replace("(Debian 12.2.0-14+deb12u1)", "(GCC)")
    name = "x86_64-w64-mingw32-gcc"
    machine.tool(name, text.format(name=name, version="12-posix", target="x86_64-w64-mingw32"))
    (found,) = machine.found("gcc")
    assert (found.version, found.target) == ("12", "x86_64-w64-mingw32")


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("gcc (GCC) 14.2.1 20240912 (Red Hat 14.2.1-3)", "14.2.1"),
        ("gcc (Ubuntu/Linaro 7.5.0-3ubuntu1~18.04) 7.5.0", "7.5.0"),
        ("gcc-13 (Homebrew GCC 13.2.0) 13.2.0", "13.2.0"),
        (
            "gcc (GNU Toolchain for the A-profile Architecture 10.2-2020.11 (arm-10.16)) 10.2.1",
            "10.2.1",
        ),
        ("x86_64-conda-linux-gnu-gcc (conda-forge gcc 13.2.0-5) 13.2.0", "13.2.0"),
        ("gcc (SUSE Linux) 7.5.0", "7.5.0"),
    ],
)
def test_the_compilers_version_is_not_that_of_its_package(
    machine: Machine, line: str, version: str
) -> None:
    machine.tool("gcc", f'[ "$1" = --version ] && echo "{line}" || echo x86_64-linux-gnu\n')
    assert [one.version for one in machine.found("gcc")] == [version]


@pytest.mark.parametrize("vendor", ["Apple ", "Debian ", ""])
def test_a_clang_that_is_called_gcc_is_no_gcc(machine: Machine, vendor: str) -> None:
    """DET-14, trap 8."""
    machine.tool(
        "gcc", CLANG.format(vendor=vendor, version="15.0.0", target="arm64-apple-darwin23")
    )
    done = machine.scan("gcc", "clang")
    assert not done.found
    assert "clang version 15.0.0" in refusals(done)["gcc"]


def test_one_answer_may_tell_version_and_target(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PRB-02: what was asked is not asked again."""
    runs: list[tuple[str, ...]] = []

    def counting(argv: tuple[str, ...], **rest: Any) -> Outcome:
        runs.append(argv)
        return run(argv, **rest)

    monkeypatch.setattr(asking, "run", counting)
    path = machine.tool("clang", "echo clang version 14.0.6; echo Target: a-b-c\n")
    assert [one.target for one in machine.found("clang")] == ["a-b-c"]
    assert runs == [(str(path), "--version")]


def test_clang_tells_the_vendor_that_counts_its_versions(machine: Machine) -> None:
    """Trap 8: Apple's numbers are not LLVM's."""
    target = "arm64-apple-darwin23.1.0"
    machine.tool("clang", CLANG.format(vendor="Apple ", version="15.0.0", target=target))
    machine.tool("clang-14", CLANG.format(vendor="", version="14.0.6", target=target))
    apple, plain = machine.found("clang")
    prefix = ("prefix", str(machine.root))
    assert (apple.version, apple.notes) == ("15.0.0", (prefix, ("vendor", "Apple")))
    assert (plain.version, plain.notes, plain.target) == ("14.0.6", (prefix,), target)


def test_one_file_of_several_names_is_one_finding(machine: Machine) -> None:
    """DET-08: gcc, gcc-12 and x86_64-linux-gnu-gcc."""
    real = machine.gcc("x86_64-linux-gnu-gcc-12")
    for name in ("gcc-12", "gcc", "x86_64-linux-gnu-gcc"):
        (real.parent / name).symlink_to(real.name)
    (found,) = machine.found("gcc")
    assert Path(found.path).name == "gcc"
    assert Path(found.realpath).name == "x86_64-linux-gnu-gcc-12"


def test_a_folder_of_two_names_is_searched_once(machine: Machine) -> None:
    """DET-01, trap 9: /bin is /usr/bin."""
    machine.gcc()
    alias = machine.root / "alias"
    alias.symlink_to(machine.path[0])
    machine.path.append(str(alias))
    environ = {"PATH": ":".join(machine.path)}
    planned = plan([recipe("gcc")], Eyes(environ, Cache(b"", 0)), Cache(b"", 0))
    assert planned.path == (machine.path[0],)
    assert len(planned.candidates) == 1


def test_a_relative_or_empty_folder_of_path_is_not_searched(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DET-01."""
    machine.gcc()
    monkeypatch.chdir(machine.root)
    machine.path = ["bin", "", "."]
    done = machine.scan("gcc")
    assert (done.found, done.refused) == ((), ())


def test_the_first_on_path_comes_first(machine: Machine) -> None:
    machine.tool("make", "echo GNU Make 4.4.1\n", "first")
    machine.tool("make", "echo GNU Make 4.3\n", "second")
    machine.tool("gmake", "echo GNU Make 4.2\n", "first")
    found = machine.found("make")
    assert [(one.version, one.name) for one in found] == [
        ("4.4.1", "make"), ("4.2", "make"), ("4.3", "make"),
    ]  # fmt: skip


def test_a_dispatcher_is_asked_by_the_name_that_was_found(machine: Machine) -> None:
    """DET-08, trap 3: ccache, busybox, rustup decide by their name."""
    text = """
case "${0##*/}" in
  gcc) n=gcc; t=x86_64-linux-gnu ;;
  g++) n=g++; t=x86_64-linux-gnu ;;
  aarch64-linux-gnu-gcc) n=aarch64-linux-gnu-gcc; t=aarch64-linux-gnu ;;
  *) echo "${0##*/}: applet not found" >&2; exit 127 ;;
esac
[ "$1" = --version ] && echo "$n (GCC) 12.2.0" || echo $t
"""
    real = machine.tool("ccache", text)
    for name in ("gcc", "g++", "gcc-12", "aarch64-linux-gnu-gcc"):
        (real.parent / name).symlink_to("ccache")
    done = machine.scan("gcc")
    assert [(one.name, one.target) for one in done.found] == [
        ("gcc", "x86_64-linux-gnu"), ("gcc", "aarch64-linux-gnu"), ("g++", "x86_64-linux-gnu"),
    ]  # fmt: skip
    assert refusals(done) == {"gcc-12": "it ended with status 127: `gcc-12: applet not found`"}


def test_clang_and_its_cpp_twin_are_one_file_and_two_tools(machine: Machine) -> None:
    """DET-08, DET-25: and both are installed where that file lies."""
    target = "x86_64-pc-linux-gnu"
    real = machine.tool("clang-14", CLANG.format(vendor="", version="14.0.6", target=target))
    for name in ("clang", "clang++", "clang++-14"):
        (real.parent / name).symlink_to("clang-14")
    found = machine.found("clang")
    assert [(one.name, Path(one.path).name) for one in found] == [
        ("clang", "clang"), ("clang++", "clang++"),
    ]  # fmt: skip
    assert [dict(one.notes)["prefix"] for one in found] == [str(machine.root)] * 2


def test_a_clang_reads_its_target_off_its_name(machine: Machine) -> None:
    """DET-08: one file, one kind of name, two compilers."""
    text = """
case "${0##*/}" in aarch64-*) t=aarch64-linux-gnu ;; *) t=x86_64-pc-linux-gnu ;; esac
[ "$1" = --version ] && echo "clang version 14.0.6" && echo Target: $t
"""
    real = machine.tool("clang-14", text)
    for name in ("clang", "aarch64-linux-gnu-clang", "x86_64-pc-linux-clang"):
        (real.parent / name).symlink_to("clang-14")
    assert [(Path(one.path).name, one.target) for one in machine.found("clang")] == [
        ("clang", "x86_64-pc-linux-gnu"),
        ("aarch64-linux-gnu-clang", "aarch64-linux-gnu"),
    ]


def test_a_shim_that_fails_is_no_finding_whatever_it_prints(machine: Machine) -> None:
    """DET-04, trap 1: the version in the message is not the tool's."""
    text = "echo 'pyenv: python3.12: command not found' >&2\necho '  3.12.1'\nexit 127\n"
    machine.tool("python3.12", text)
    machine.tool("ninja", "echo '1.11.1'; exit 127\n")
    done = machine.scan("python", "ninja")
    assert not done.found
    assert refusals(done)["python3.12"].startswith("it ended with status 127")


PYTHON = "echo python {version} cpython {kind} ensurepip {prefix}\n"


def test_pyenv_shims_are_resolved_and_never_run(machine: Machine) -> None:
    """DET-10, trap 1: a peer took the folder of the shims for an installation."""
    root = machine.root / "pyenv"
    shims = machine.folder("pyenv/shims")
    for version in ("3.9.18", "3.12.1", "3.11.7"):
        prefix = f"{root}/versions/{version}"
        folder = Path(prefix) / "bin"
        folder.mkdir(parents=True)
        text = "#!/bin/sh\n" + PYTHON.format(version=version, kind="own", prefix=prefix)
        (folder / "python3").write_text(text)
        (folder / "python3").chmod(0o755)
    (root / "version").write_text("3.11.7\n")
    shim = shims / "python3"
    shim.write_text(f'#!/bin/sh\nexec "{root}/libexec/pyenv" exec python3\n')
    shim.chmod(0o755)
    done = machine.scan("python")
    assert [one.version for one in done.found] == ["3.11.7", "3.12.1", "3.9.18"]
    assert done.found[0].path == f"{root}/versions/3.11.7/bin/python3"
    assert ("prefix", f"{root}/versions/3.11.7") in done.found[0].notes
    assert not done.refused


def test_a_shim_of_a_version_that_is_gone_is_told_and_not_run(
    machine: Machine, asked: list[str]
) -> None:
    """DET-10, trap 1: pyenv keeps shims until it makes them anew."""
    shim = machine.folder("pyenv/shims") / "python3.13"
    shim.write_text('#!/bin/sh\nexec "/pyenv/libexec/pyenv" exec python3.13 "$@"\n')
    shim.chmod(0o755)
    for done in (machine.scan("python", execute=False), machine.scan("python")):
        assert not done.found
        assert refusals(done) == {
            "python3.13": "it is a shim, and no program of its name stands behind it"
        }


def test_python_tells_prefix_and_who_manages_it(machine: Machine) -> None:
    """Trap 8: PEP 668."""
    machine.tool("python3", PYTHON.format(version="3.11.2", kind="managed", prefix="/usr"))
    (found,) = machine.found("python")
    assert found.name == "python"
    assert found.version == "3.11.2"
    assert found.notes == (
        ("implementation", "cpython"),
        ("installation", "managed"),
        ("prefix", "/usr"),
        ("venv", "ensurepip"),
    )


def test_an_environment_and_its_base_are_two_interpreters(machine: Machine) -> None:
    """DET-08, trap 8: they are one file, and have two prefixes."""
    base = machine.tool(
        "python3",
        'd="${0%/bin/*}"; [ -e "$d/pyvenv.cfg" ] || d=/base; '
        "echo python 3.11.2 cpython own ensurepip $d\n",
        "base/bin",
    )
    folder = machine.folder("venv/bin")
    (folder / "python3").symlink_to(base)
    (machine.root / "venv" / "pyvenv.cfg").write_text("home = /base\n")
    machine.path.reverse()
    found = machine.found("python")
    assert [dict(one.notes)["prefix"] for one in found] == [str(machine.root / "venv"), "/base"]


def test_tools_without_a_version_option_are_refused(machine: Machine) -> None:
    """Trap 8: BSD's make."""
    machine.tool("make", 'echo "usage: make [-BeikNnqrstWwX]" >&2; exit 2\n')
    done = machine.scan("make")
    assert not done.found
    assert "usage: make" in refusals(done)["make"]


@pytest.mark.parametrize(
    ("name", "prints", "version"),
    [
        ("cmake", "cmake version 3.30.0-rc1\n\nCMake suite maintained by Kitware\n", "3.30.0-rc1"),
        ("cmake", "cmake3 version 3.17.5\n", "3.17.5"),
        ("ninja", "1.11.1.git.kitware.jobserver-1\n", "1.11.1"),
        ("git", "git version 2.39.5 (Apple Git-154)\n", "2.39.5"),
        ("git", "git version 2.45.1.windows.1\n", "2.45.1"),
        ("pkg-config", "0.29.2\n", "0.29.2"),
        ("make", "GNU Make 3.81\nCopyright (C) 2006\n", "3.81"),
    ],
)
def test_versions_are_read_from_every_form_in_use(
    machine: Machine, name: str, prints: str, version: str
) -> None:
    machine.tool(name, f"/bin/cat <<'END'\n{prints}END\n")
    assert [one.version for one in machine.found(name)] == [version]


def test_a_file_for_another_machine_is_found_and_not_run(machine: Machine) -> None:
    """DET-09, trap 5."""
    file = machine.folder("bin") / "gcc"
    file.write_bytes(Elf(machine=22, order=">", interpreter="/lib/ld64.so.1").build())
    file.chmod(0o755)
    (found,) = machine.found("gcc")
    assert (found.runnable, found.version) == (False, None)
    assert found.platform == "linux-s390x"
    assert "is for `linux-s390x`" in found.how


def test_a_file_whose_loader_is_not_there_is_not_run(machine: Machine) -> None:
    """DET-09: a musl program on a glibc machine."""
    own = read_image("/proc/self/exe")
    assert own is not None
    numbers = {"x86_64": 62, "aarch64": 183, "riscv64": 243}
    if own.arch not in numbers:
        pytest.skip("no sample for this processor")
    loader = "/lib/ld-musl-none-such.so.1"
    file = machine.folder("bin") / "make"
    file.write_bytes(Elf(machine=numbers[own.arch], flags=5, interpreter=loader).build())
    file.chmod(0o755)
    (found,) = machine.found("make")
    assert not found.runnable


@pytest.mark.parametrize(
    ("own", "other", "runs"),
    [
        (Elf(bits=32, machine=40), Elf(bits=32, machine=40), True),
        (Elf(machine=183), Elf(bits=32, machine=40), False),
        (Elf(machine=62), Elf(machine=62), True),
        (Elf(machine=62), Elf(machine=62, bits=32), False),
        (Elf(machine=62), Elf(machine=62, osabi=9), False),
    ],
)
def test_only_a_file_of_this_processs_kind_runs(own: Elf, other: Elf, runs: bool) -> None:  # noqa: FBT001
    """DET-09."""
    one, two = read(reading(own.build())), read(reading(other.build()))
    assert one
    assert two
    assert asking.runs(two, one) is runs


def test_what_is_neither_program_nor_script_is_refused(machine: Machine) -> None:
    for name, text in {"make": "echo GNU Make 4.3\n", "git": "#!/no/such/shell\n"}.items():
        file = machine.folder("bin") / name
        file.write_text(text)
        file.chmod(0o755)
    done = machine.scan("make", "git")
    assert not done.found
    assert refusals(done) == {
        "make": "it is neither a program of a known format nor a script",
        "git": "its interpreter `/no/such/shell` is not there",
    }


def beacon_tool(machine: Machine) -> tuple[Path, Path]:
    """Make a tool that would leave a trace when it is run, in a place that all may write."""
    beacon = machine.root / "beacon"
    beacon.mkdir(mode=0o777)
    beacon.chmod(0o1777)
    tool = machine.tool("make", f"echo x > {beacon}/ran\necho GNU Make 4.3\n")
    subprocess.run([str(tool)], check=True, capture_output=True)
    (beacon / "ran").unlink()  # it does leave one
    return tool, beacon / "ran"


def test_a_file_that_others_may_change_is_told_and_not_run(machine: Machine) -> None:
    """DET-02, DET-16."""
    tool, trace = beacon_tool(machine)
    tool.chmod(0o777)
    done = machine.scan("make")
    assert not done.found
    assert refusals(done) == {"make": f"`{tool}` can be changed by other users"}
    assert not trace.exists()


def test_a_script_whose_interpreter_others_may_change_is_not_run(machine: Machine) -> None:
    """DET-02."""
    shell = machine.root / "shell"
    shell.write_bytes(Path("/bin/sh").read_bytes())
    shell.chmod(0o777)
    file = machine.folder("bin") / "make"
    file.write_text(f"#!{shell}\necho GNU Make 4.3\n")
    file.chmod(0o755)
    done = machine.scan("make")
    assert not done.found
    assert "can be changed by other users" in refusals(done)["make"]


def test_a_folder_that_others_may_change_is_in_no_probes_path(machine: Machine) -> None:
    """DET-02, DET-06."""
    machine.tool("make", 'echo "GNU Make 4.3 $PATH"\n', "good")
    machine.folder("bad").chmod(0o777)
    (found,) = machine.found("make")
    assert "/good" in found.raw
    assert "/bad" not in found.raw


def test_a_probe_writes_nothing_and_sees_nothing_of_the_user(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DET-06, trap 10: commands with side effects on their first run."""
    monkeypatch.setenv("SECRET_TOKEN", "leak")
    _, trace = beacon_tool(machine)
    leaks = "$(/usr/bin/env | /bin/grep -c SECRET_TOKEN)"
    machine.tool("git", f'echo "git version 2.1 home $HOME in $PWD leaks {leaks}"\n')
    done = machine.scan("git", "make")
    assert done.sandbox in ("L0", "L1", "L2")
    git = done.found[0]
    assert git.raw == "git version 2.1 home /nonexistent in / leaks 0"
    if done.sandbox == "L2":
        assert not trace.exists()


def test_where_nothing_confines_a_probe_nothing_is_run(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    """DET-06: but where the user allows it; the refusal is not kept."""
    monkeypatch.setattr(sandbox, "best", lambda _: sandbox.Reached("L0"))
    machine.gcc()
    done = machine.scan("gcc", unconfined=False)
    assert refusals(done) == {"gcc": scanning.UNCONFINED}
    assert (done.found, done.sandbox, asked) == ((), "", [])
    done = machine.scan("gcc")
    assert (done.found[0].version, done.sandbox) == ("12.2.0", "L0")


def test_a_program_sees_what_it_is_installed_with_and_nothing_else_of_a_hidden_folder(
    machine: Machine,
) -> None:
    """DET-06, SBX-12."""
    if sandbox.best("L2").level != "L2":
        pytest.skip("no wall hides files here")
    (machine.root / "key").write_text(".9")
    (machine.root / "opt" / "lib").mkdir(parents=True)
    (machine.root / "opt" / "lib" / "version").write_text("2.1")
    files = f"{machine.root}/opt/lib/version {machine.root}/key"
    machine.tool("git", f"echo git version $(/bin/cat {files})\n", folder="opt/bin")
    assert machine.found("git")[0].raw == "git version 2.1.9"
    done = machine.scan("git", refresh=True, hidden=(str(machine.root),))
    assert done.found[0].raw == "git version 2.1"


@pytest.mark.skipif(not os.path.exists("/usr/bin/python3"), reason="scripts of pip name it")
def test_a_script_that_pip_installed_for_the_user_finds_its_packages(machine: Machine) -> None:
    """SBX-15: though HOME is not the user's, and the home is hidden."""
    version = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; print('python%d.%d' % sys.version_info[:2])"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    packages = machine.root / ".local/lib" / version / "site-packages"
    packages.mkdir(parents=True)
    (packages / "own_ninja.py").write_text("print('1.77')\n")
    script = machine.folder(".local/bin") / "ninja"
    script.write_text("#!/usr/bin/python3\nimport own_ninja\n")
    script.chmod(0o755)
    done = machine.scan("ninja", hidden=(str(machine.root),))
    assert [(one.path, one.version) for one in done.found[:1]] == [(str(script), "1.77")]


@pytest.mark.skipif(sandbox.best("L2").level == "L0", reason="this kernel confines nothing")
def test_a_probe_cannot_talk_to_a_local_service(machine: Machine) -> None:
    """DET-06: not even over a socket that file permissions would open."""
    call = (
        f'{sys.executable} -I -S -c "import socket, sys; socket.socket(socket.AF_UNIX)'
        '.connect(sys.argv[1])" '
    )
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(f"{machine.root}/s")
        service.listen()
        service.settimeout(0)
        machine.tool("git", f"{call} {machine.root}/s 2>/dev/null && echo git version 2.9\n"
                     "echo git version 2.1\n")  # fmt: skip
        (git,) = machine.found("git")
        assert git.version == "2.1"
        with pytest.raises(BlockingIOError):
            service.accept()


def test_a_program_beside_the_hidden_things_shows_itself_only(machine: Machine) -> None:
    """SBX-12: the home as a folder of PATH."""
    if sandbox.best("L2").level != "L2":
        pytest.skip("no wall hides files here")
    home = machine.folder("home")
    (home / "key").write_text(".9")
    machine.tool("git", f"echo git version 2.1$(/bin/cat {home}/key)\n", folder="home")
    done = machine.scan("git", hidden=(str(home),))
    assert [one.raw for one in done.found] == ["git version 2.1"]


def test_a_program_has_two_gigabytes_at_most(machine: Machine) -> None:
    """DET-06."""
    machine.tool("git", "echo git version $(ulimit -v)\n")
    assert machine.found("git")[0].version == str(2 * 2**20)  # KiB


def test_a_program_that_does_not_answer_is_left_alone(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DET-06."""
    limits = asking.LIMITS
    assert (limits.wall_s, limits.output_bytes) == (5.0, 65536)
    quick = type(limits)(wall_s=0.5, output_bytes=65536)
    monkeypatch.setattr(asking, "LIMITS", quick)
    machine.tool("make", "/bin/sleep 100\n")
    machine.tool("git", "/usr/bin/yes 'git version 1.0' & wait\n")
    done = machine.scan("make", "git")
    assert not done.found
    said = "it did not answer within 0.5 seconds; `crpack detect --refresh` asks again"
    assert set(refusals(done).values()) == {said}


def test_a_program_that_reads_its_input_gets_none(machine: Machine) -> None:
    """DET-06."""
    machine.tool("make", "/bin/cat; echo GNU Make 4.3\n")
    assert machine.found("make")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the files of the test be old enough to be remembered."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 60 * 10**9)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the names of the programs that are run."""
    names: list[str] = []
    real: Callable[..., list[Found | str]] = asking.ask_all

    def counting(candidates: list[Candidate], *rest: object) -> list[Found | str]:
        names.extend(os.path.basename(one.file.path) for one in candidates)
        return real(candidates, *rest)

    monkeypatch.setattr(scanning, "ask_all", counting)
    return names


@pytest.mark.usefixtures("later")
def test_a_second_scan_runs_nothing_and_answers_the_same(
    machine: Machine, asked: list[str]
) -> None:
    """DET-07."""
    machine.gcc()
    machine.tool("make", "exit 3\n")
    first = machine.scan("gcc", "make")
    assert asked == ["gcc", "make"]
    assert first.cache
    second = machine.scan("gcc", "make")
    assert asked == ["gcc", "make"]
    assert (second.found, second.refused) == (first.found, first.refused)
    assert (second.cache, second.sandbox) == (b"", "")


@pytest.mark.usefixtures("later")
def test_what_changed_is_asked_again(machine: Machine, asked: list[str]) -> None:
    """DET-07."""
    machine.gcc()
    tool = machine.tool("make", "echo GNU Make 4.3\n")
    machine.scan("gcc", "make")
    asked.clear()
    tool.write_text("#!/bin/sh\necho GNU Make 4.4\n")
    assert [one.version for one in machine.found("gcc", "make")] == ["12.2.0", "4.4"]
    assert asked == ["make"]


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("ending", ["exit 127", "exit 126", "kill -9 $$"])
def test_what_did_not_get_to_answer_is_asked_again(machine: Machine, ending: str) -> None:
    """DET-07: nothing of the program changes when a library of it comes back."""
    library = machine.folder("lib") / "one"
    machine.tool("make", f"[ -e {library} ] || {ending}\necho GNU Make 4.3\n")
    assert not machine.found("make")
    library.write_text("")
    assert [one.version for one in machine.found("make")] == ["4.3"]


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(("load", "seconds"), [(7.9, 86_400), (8.1, 60)])
def test_what_took_too_long_is_believed_for_a_day(
    machine: Machine,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    load: float,
    seconds: int,
) -> None:
    """DET-07, DET-15: a minute where the machine was swamped, and not after a refresh."""
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(asking, "LIMITS", type(asking.LIMITS)(wall_s=0.1))
    machine.tool("make", "/bin/sleep 100\n")
    first = machine.scan("make")
    again = machine.scan("make")
    assert (len(asked), again.refused) == (1, first.refused)
    assert first.until == again.until > 0
    machine.scan("make", refresh=True)
    assert len(asked) == 2
    now, passed = time.time_ns, (seconds - 30) * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: now() + passed)
    machine.scan("make")
    assert len(asked) == 2
    monkeypatch.setattr(time, "time_ns", lambda: now() + passed + 31 * 10**9)
    machine.scan("make")
    assert len(asked) == 3


def test_a_folder_of_a_tools_name_is_told(machine: Machine) -> None:
    """DET-16: a shell passes it over, and so does the scan."""
    (machine.folder("first") / "make").mkdir()
    tool = machine.tool("make", "echo GNU Make 4.3\n", "second")
    done = machine.scan("make")
    assert [one.path for one in done.found] == [str(tool)]
    (told,) = done.refused
    assert (told.path, told.why) == (
        f"{machine.root}/first/make",
        "it is a folder, and no program",
    )
    assert told.program


@pytest.mark.usefixtures("later")
def test_a_new_and_a_lost_tool_are_seen(machine: Machine) -> None:
    """DET-07."""
    tool = machine.gcc()
    machine.scan("gcc", "make")
    machine.tool("make", "echo GNU Make 4.3\n")
    assert [one.name for one in machine.found("gcc", "make")] == ["gcc", "make"]
    tool.unlink()
    assert [one.name for one in machine.found("gcc", "make")] == ["make"]


@pytest.mark.usefixtures("later")
def test_a_dispatcher_is_asked_again_when_what_it_hands_on_to_changed(machine: Machine) -> None:
    """DET-07, trap 3: ccache runs the next program of the name on PATH."""
    hand_on = f'exec "{machine.root}/bin/${{0##*/}}" "$@"\n'
    ccache = machine.tool("ccache", hand_on, "tools")
    (machine.folder("masks") / "gcc").symlink_to(ccache)
    real = machine.gcc()
    assert [one.version for one in machine.found("gcc")] == ["12.2.0", "12.2.0"]
    real.write_text(real.read_text().replace("12.2.0", "13.1.0"))
    assert [one.version for one in machine.found("gcc")] == ["13.1.0", "13.1.0"]


@pytest.mark.usefixtures("later")
def test_a_wrapper_is_asked_again_when_what_it_hands_on_to_changed(machine: Machine) -> None:
    """DET-07, DET-25."""
    real = machine.root / "cuda" / "bin" / "nvcc"
    real.parent.mkdir(parents=True)
    real.write_text("#!/bin/sh\necho Cuda compilation tools, release 12.4, V12.4.99\n")
    real.chmod(0o755)
    machine.tool("nvcc", f'CUDA={machine.root}/cuda\nexec "$CUDA/bin/nvcc" "$@"\n')
    (found,) = machine.found("cuda-toolkit")
    assert (found.version, dict(found.notes)["prefix"]) == ("12.4", f"{machine.root}/cuda")
    real.write_text(real.read_text().replace("12.4", "12.5"))
    assert [one.version for one in machine.found("cuda-toolkit")] == ["12.5"]


@pytest.mark.usefixtures("later")
def test_a_link_that_leads_elsewhere_now_is_asked_again(machine: Machine) -> None:
    """DET-07: as update-alternatives does, in a folder that is not on PATH."""
    elsewhere = machine.root / "alternatives"
    elsewhere.mkdir()
    for version in ("4.3", "4.4"):
        file = machine.root / f"make-{version}"
        file.write_text(f"#!/bin/sh\necho GNU Make {version}\n")
        file.chmod(0o755)
    (elsewhere / "make").symlink_to(machine.root / "make-4.3")
    (machine.folder("bin") / "make").symlink_to(elsewhere / "make")
    assert [one.version for one in machine.found("make")] == ["4.3"]
    (elsewhere / "make").unlink()
    (elsewhere / "make").symlink_to(machine.root / "make-4.4")
    assert [one.version for one in machine.found("make")] == ["4.4"]


@pytest.mark.usefixtures("later")
def test_a_script_whose_interpreter_changed_is_asked_again(
    machine: Machine, asked: list[str]
) -> None:
    """DET-07."""
    shell = machine.root / "shell"
    shell.write_bytes(Path("/bin/sh").read_bytes())
    shell.chmod(0o755)
    file = machine.folder("bin") / "make"
    file.write_text(f"#!{shell}\necho GNU Make 4.3\n")
    file.chmod(0o755)
    machine.scan("make")
    machine.scan("make")
    assert asked == ["make"]
    with open(shell, "ab") as end:
        end.write(b"\0")
    machine.scan("make")
    assert asked == ["make", "make"]


@pytest.mark.usefixtures("later")
def test_a_file_that_moved_behind_its_link_is_found_where_it_is_now(machine: Machine) -> None:
    """DET-07."""
    real = machine.root / "old"
    real.write_text("#!/bin/sh\necho GNU Make 4.3\n")
    real.chmod(0o755)
    link = machine.folder("bin") / "make"
    link.symlink_to(real)
    machine.scan("make")
    real.rename(machine.root / "new")
    link.unlink()
    link.symlink_to(machine.root / "new")
    assert [one.realpath for one in machine.found("make")] == [
        os.path.realpath(machine.root / "new")
    ]


def test_what_changed_just_now_is_not_remembered(machine: Machine, asked: list[str]) -> None:
    """DET-07: it may change again within one tick of the clock."""
    machine.gcc()
    machine.scan("gcc")
    machine.scan("gcc")
    assert asked == ["gcc", "gcc"]


@pytest.mark.usefixtures("later")
def test_a_refresh_asks_everything_again(machine: Machine, asked: list[str]) -> None:
    """DET-15."""
    machine.gcc()
    machine.scan("gcc")
    machine.scan("gcc", refresh=True)
    assert asked == ["gcc", "gcc"]


@pytest.mark.usefixtures("later")
def test_without_execution_there_is_no_version(machine: Machine, asked: list[str]) -> None:
    """DET-05, DET-15."""
    machine.gcc()
    done = machine.scan("gcc", execute=False)
    assert [(one.name, one.version, one.runnable) for one in done.found] == [("gcc", None, True)]
    assert not asked
    machine.scan("gcc")
    assert machine.scan("gcc", execute=False).found[0].version == "12.2.0"


def test_without_execution_nothing_is_found_that_must_not_be_run(machine: Machine) -> None:
    """DET-02, DET-09, DET-15: what needs no execution to be refused is refused."""
    machine.tool("make", "echo GNU Make 4.3\n", "open").parent.chmod(0o777)
    foreign = machine.folder("bin") / "cmake"
    foreign.write_bytes(Elf(machine=22).build())
    foreign.chmod(0o755)
    done = machine.scan("make", "cmake", execute=False)
    assert refusals(done) == {"make": f"`{machine.root}/open` can be changed by other users"}
    assert [(one.name, one.runnable) for one in done.found] == [("cmake", False)]


def test_a_machine_without_anything_gives_nothing() -> None:
    done = scan([recipe("gcc")], Ground({"PATH": "/no/such/folder"}))
    assert (done.found, done.refused, done.sandbox) == ((), (), "")


def test_names_that_are_not_utf_8_are_passed_over(machine: Machine) -> None:
    """FCT-01: they have no place in a document."""
    tool = machine.gcc()
    try:
        os.link(tool, os.fsencode(tool.parent) + b"/gcc-1\xff")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    machine.path.append(str(machine.root) + "/\udcff")
    done = machine.scan("gcc")
    assert [one.path for one in done.found] == [str(tool)]


def test_macos_stand_ins_are_not_run_without_the_developer_tools() -> None:
    """Trap 10: they open a dialog."""
    file = File("/usr/bin/gcc", "/usr/bin/gcc", (0, 0, 0, 0, 0), "")
    own = File("/opt/bin/gcc", "/opt/bin/gcc", (0, 0, 0, 0, 0), "")
    assert "xcode-select" in asking.stand_in(file, "darwin", lambda _: False)
    assert not asking.stand_in(file, "darwin", lambda _: True)
    assert not asking.stand_in(own, "darwin", lambda _: False)
    assert not asking.stand_in(file, "linux", lambda _: False)


def test_a_stand_in_is_refused_before_it_is_run(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, trace = beacon_tool(machine)
    monkeypatch.setattr(asking, "stand_in", lambda *_: "it stands for another")
    monkeypatch.setattr(sandbox, "best", lambda _: sandbox.Reached("L0"))
    assert refusals(machine.scan("make")) == {"make": "it stands for another"}
    assert not trace.exists()
