"""The audit: real binaries of this machine's compiler, and headers of others."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from crpack.binary.image import Image
from crpack.errors import BuildFailed
from crpack.make import result
from crpack.make.audit import Audit, _refuse_wrong, audit, mismatch, refuse_newer
from crpack.model import platforms
from tests.unit.binary import samples
from tests.unit.binary.test_coff import coff
from tests.unit.make.room import native, needs

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = 18  # offset of an ELF file's machine, two bytes
MIPS = b"\x08\0"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program, the library that it needs, and a static library."""
    needs("gcc", "g++")
    root = tmp_path_factory.mktemp("built")
    (root / "lib.c").write_text("int seven(void) { return 7; }\n")
    (root / "main.cpp").write_text(
        '#include <string>\nextern "C" int seven();\n'
        "int main(int n, char**) { return std::to_string(seven() + n).size(); }\n"
    )
    for argv in (
        "gcc -shared -fPIC -o libseven.so lib.c -Wl,-soname,libseven.so",
        "gcc -c -o lib.o lib.c",
        "ar rc libseven.a lib.o",
        "g++ -o prog main.cpp -L. -lseven -Wl,-rpath,$ORIGIN/../lib",
        "g++ -o fixed main.cpp -L. -lseven -Wl,-rpath,/opt/lib",
    ):
        subprocess.run(argv.split(), cwd=root, check=True)
    return root


def audited(
    root: Path,
    *files: tuple[Path, str],
    target: platforms.Platform | None = None,
    provided: frozenset[str] = frozenset(),
) -> Audit:
    for source, place in files:
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / place)
    entries = result.read(str(root)).entries
    return audit(str(root), entries, target or native(), provided=provided)


def test_floors_and_needs_are_measured(tmp_path: Path, built: Path) -> None:
    """AUD-03."""
    found = audited(tmp_path, (built / "prog", "bin/prog"), (built / "libseven.so", "lib/x.so"))
    program = next(binary for binary in found.binaries if binary.path == "bin/prog")
    assert "libseven.so" in program.needed
    assert program.runpath == ("$ORIGIN/../lib",)
    assert program.platform.startswith(str(native().base))
    assert set(dict(found.floors)) == {"glibc", "glibcxx"}
    assert dict(found.floors)["glibcxx"].startswith("3.4")
    assert found.portable
    assert found.relocatable


def test_a_library_of_this_machine_makes_it_not_portable(tmp_path: Path, built: Path) -> None:
    """AUD-04."""
    found = audited(tmp_path, (built / "prog", "prog"))
    assert found.externals == ("libseven.so",)
    assert not found.portable


def test_a_library_of_a_dependency_leaves_it_portable(tmp_path: Path, built: Path) -> None:
    """AUD-04."""
    given = frozenset({"libseven.so"})
    assert audited(tmp_path, (built / "prog", "prog"), provided=given).portable


def test_the_dlls_of_windows_are_floors_and_those_of_mingw_are_not(tmp_path: Path) -> None:
    """AUD-04."""
    asked = ("KERNEL32.dll", "USERENV.dll", "winspool.drv", "libwinpthread-1.dll")
    (tmp_path / "x.exe").write_bytes(samples.pe(0x8664, imports=asked))
    found = audited(tmp_path, target=platforms.parse("windows-x86_64-mingw"))
    assert found.externals == ("libwinpthread-1.dll",)


def test_an_absolute_run_path_makes_it_not_relocatable(tmp_path: Path, built: Path) -> None:
    """AUD-05."""
    found = audited(tmp_path, (built / "fixed", "fixed"))
    assert found.absolute == (("fixed", "/opt/lib"),)
    assert not found.relocatable


@pytest.mark.parametrize("name", ["prog", "libseven.so", "lib.o", "libseven.a"])
def test_a_binary_for_another_machine_fails_the_build(
    tmp_path: Path, built: Path, name: str
) -> None:
    """AUD-01."""
    data = (built / name).read_bytes()
    at = data.index(b"\x7fELF") + MACHINE
    (tmp_path / name).write_bytes(data[:at] + MIPS + data[at + 2 :])
    with pytest.raises(BuildFailed, match="not for `linux-") as failure:
        audited(tmp_path, (built / "prog", "good"))
    error = failure.value
    assert error.exit_code == 6
    assert error.rule == "AUD-01"
    assert len(error.why) == 1
    assert f"`{name}` is for `linux-mips" in error.why[0]
    assert native().arch in error.why[0]


def test_one_wrong_member_of_a_static_library_fails_the_build(tmp_path: Path, built: Path) -> None:
    """AUD-01."""
    data = (built / "lib.o").read_bytes()
    (tmp_path / "other.o").write_bytes(data[:MACHINE] + MIPS + data[MACHINE + 2 :])
    library = tmp_path / "libmixed.a"
    subprocess.run(["ar", "rc", library, built / "lib.o", tmp_path / "other.o"], check=True)
    (tmp_path / "other.o").unlink()
    with pytest.raises(BuildFailed) as failure:
        audited(tmp_path)
    assert "`libmixed.a` is for `linux-mips" in failure.value.why[0]


def test_a_file_for_several_machines_needs_one_right_part() -> None:
    """AUD-02."""
    parts = (Image("macho", "exe", "macos", "x86_64"), Image("macho", "exe", "macos", "arm64"))
    _refuse_wrong([("x", parts)], platforms.parse("macos-arm64-11.0"))
    with pytest.raises(BuildFailed):
        _refuse_wrong([("x", parts)], native())


def test_a_result_for_any_platform_holds_no_binary(tmp_path: Path, built: Path) -> None:
    """AUD-01."""
    with pytest.raises(BuildFailed) as failure:
        audited(tmp_path, (built / "prog", "prog"), target=platforms.ANY)
    assert "the same on `any` platform" in failure.value.why[0]


def test_texts_data_and_broken_files_are_no_binaries(tmp_path: Path) -> None:
    """AUD-06."""
    (tmp_path / "a.txt").write_text("MZ is a book")
    (tmp_path / "b.so").write_text("/* linker script */ INPUT(-lm)")
    (tmp_path / "c").write_bytes(b"\x7fELF\x02\x01\x01")
    (tmp_path / "d.wasm").write_bytes(b"\0asm\1\0\0\0")
    (tmp_path / "e").write_bytes(b"")
    (tmp_path / "f.obj").write_bytes(b"d\x86 in a text")
    assert audited(tmp_path) == Audit()


WASM_OBJECT = samples.wasm((0, b"\x07linking\x02"))


@pytest.mark.parametrize(
    ("name", "data", "fits"),
    [
        ("lib.o", WASM_OBJECT, "wasi-wasm32"),
        ("lib.a", samples.ar(("l.o", WASM_OBJECT)), "wasi-wasm32"),
        ("prog", samples.wasm((2, b"\x01\x16wasi_snapshot_preview1")), "wasi-wasm32"),
        ("lib.obj", coff(0x8664), "windows-x86_64-mingw"),
        ("lib.dll.a", samples.ar(("l.o", coff(0x8664))), "windows-x86_64-mingw"),
        ("prog.so", samples.Elf(needed=("libc.so",)).build(), "linux-x86_64-musl"),
        ("prog", samples.Elf(kind=2).build(), "linux-x86_64-musl"),
    ],
)
def test_what_is_for_one_system_fits_no_other(
    tmp_path: Path, name: str, data: bytes, fits: str
) -> None:
    """AUD-01, AUD-02, AUD-06."""
    (tmp_path / name).write_bytes(data)
    (tmp_path / name).chmod(0o755)
    audited(tmp_path, target=platforms.parse(fits))
    for other in ("linux-aarch64-gnu", "linux-armv7-gnu", "macos-arm64"):
        with pytest.raises(BuildFailed, match="not for"):
            audited(tmp_path, target=platforms.parse(other))


def test_a_module_for_webassembly_is_data_to_another_system(tmp_path: Path) -> None:
    """AUD-06."""
    (tmp_path / "plugin.wasm").write_bytes(samples.wasm())
    assert audited(tmp_path).binaries == ()
    assert audited(tmp_path, target=platforms.ANY).binaries == ()
    (binary,) = audited(tmp_path, target=platforms.parse("wasi-wasm32")).binaries
    assert binary.platform == "wasm32"


def test_a_result_newer_than_its_target_fails_the_build() -> None:
    """AUD-08."""
    found = Audit(floors=(("glibc", "2.34"), ("glibcxx", "3.4.29")))
    refuse_newer(found, platforms.parse("linux-aarch64-gnu2.34"))
    refuse_newer(found, platforms.parse("linux-aarch64-gnu"))
    refuse_newer(found, platforms.ANY)
    with pytest.raises(BuildFailed, match="too new") as failure:
        refuse_newer(found, platforms.parse("linux-aarch64-gnu2.28"))
    assert failure.value.why == ("they ask for glibc 2.34",)
    with pytest.raises(BuildFailed, match="too new"):
        refuse_newer(Audit(floors=(("macos", "13.0"),)), platforms.parse("macos-arm64-11.0"))


ELF = Image("elf", "exe", "linux", "x86_64", "gnu")
ARM = Image("elf", "exe", "linux", "armv7", "gnu", bits=32, float_abi="hard")


@pytest.mark.parametrize(
    ("image", "target", "reason"),
    [
        (ELF, "linux-x86_64-gnu2.36", ""),
        (ELF, "linux-x86_64-musl", "another C library"),
        (Image("elf", "exe", "linux", "x86_64", ""), "linux-x86_64-musl", ""),
        (ELF, "linux-aarch64-gnu", "another machine"),
        (ELF, "macos-x86_64", "another system"),
        (Image("pe", "exe", "windows", "x86_64"), "windows-x86_64-mingw", ""),
        (Image("pe", "exe", "windows", "x86_64"), "linux-x86_64-gnu", "another system"),
        (Image("macho", "exe", "macos", "arm64"), "macos-arm64-11.0", ""),
        (ARM, "linux-armv7-gnu", ""),
        (ARM, "linux-armv6-gnu", "another machine"),
        (Image("elf", "exe", "linux", "armv6", "gnu", float_abi="hard"), "linux-armv7-gnu", ""),
        (Image("elf", "exe", "linux", "armv7", "gnu", float_abi="soft"), "linux-armv7-gnu",
         "floating-point"),
        (Image("elf", "object", "linux", "armv7", float_abi="soft"), "linux-armv7-gnu", ""),
        (Image("elf", "shared", "linux", "riscv64", float_abi="soft"), "linux-riscv64-gnu",
         "floating-point"),
        (Image("elf", "object", "linux", "aarch64"), "android-aarch64-24", ""),
        (Image("elf", "exe", "linux", "x32", "gnu"), "linux-x86_64-gnu", "another machine"),
    ],
)  # fmt: skip
def test_machine_system_float_abi_and_libc_must_fit(image: Image, target: str, reason: str) -> None:
    """AUD-02."""
    told = mismatch(image, platforms.parse(target))
    assert reason in told if reason else told == ""
