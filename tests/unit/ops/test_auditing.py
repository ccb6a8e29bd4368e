"""The audit of archives: what is stated of a payload against what its files are."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from crpack import config
from crpack.install import listing
from crpack.make.audit import audit
from crpack.make.record import Record
from crpack.model import platforms, tree
from crpack.ops import auditing, detection, drafts, making
from crpack.ops.makings import Result
from crpack.ops.packing import Bench
from crpack.ops.payloads import Wanted
from crpack.ops.progress import silent
from crpack.ops.stock import Stocked
from crpack.ops.units import Unit
from crpack.session import Session
from tests.unit.model.written_recipes import HEAD

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.ops.auditing import Audited

HERE = detection.platform()
FLOORS = (("glibc", "2.0"),)  # no program has it
OTHER = "b" * 64  # a tree that no test has
FOREIGN = platforms.Platform("plan9", "x86_64")  # of an archive that a later crpack made


def archive(folder: Path, files: Path, *, platform: str = "", requires: str = "") -> Audited:
    """Audit an archive whose payload is a folder, stated with its measured floors."""
    homes = config.homes({"CRPACK_HOME": str(folder / "home")}, "/")
    session = Session(config.merge([]), homes, f"{folder}/prefix")
    (folder / "component").mkdir()
    toml = HEAD + "[build]\ndriver = 'make'\n" + requires
    (folder / "component/crpack.toml").write_text(toml)
    draft = drafts.read(str(folder / "component"))
    entries = tuple(place.entry for place in listing.walk(str(files)))
    unknown = platform == str(FOREIGN)
    target = FOREIGN if unknown else platforms.parse(platform or str(HERE.base))
    floors = audit(str(files), entries, target).floors if not platform else FLOORS
    record = Record(
        "a" * 64, "a" * 64, "x 1", tree.digest(entries), str(target), floors=floors
    )  # fmt: skip
    wanted = Wanted(draft.name, target, Unit(draft.name, target, ()))
    bench = Bench(session, (), f"{folder}/bench", 1, silent)
    results = ((wanted, Result(str(files), entries, record)),)
    packed = bench.pack(draft, Stocked((), draft.document), results, full=True)
    return auditing.audit_archive(session, packed.path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def compiled(files: Path, *flags: str, code: str = "int main(void) { return 0; }") -> None:
    if shutil.which("gcc") is None:
        pytest.skip("`gcc` is not installed")
    words = ["gcc", "-x", "c", "-", "-o", str(files / "program"), *flags]
    subprocess.run(words, input=code, text=True, check=True)


def test_a_payload_that_is_as_stated_has_no_fault(tmp_path: Path, files: Path) -> None:
    compiled(files)
    found = archive(tmp_path, files)
    assert (found.faults, found.open, found.results) == ((), (), 1)
    (row,) = found.rows
    assert (row.component, row.path, row.kind) == ("lab/sample", "program", "exe")
    assert "libc.so.6" in row.needed


def test_a_payload_for_an_unknown_platform_is_left_open(tmp_path: Path, files: Path) -> None:
    """AUD-07. An archive may carry one (MAN-05)."""
    (files / "text").write_text("x")
    found = archive(tmp_path, files, platform=str(FOREIGN))
    assert (found.faults, found.results) == ((), 0)
    (left,) = found.open
    assert left == "lab/sample: its payload for `plan9-x86_64`, a platform unknown here"


def test_floors_are_measured_again(tmp_path: Path, files: Path) -> None:
    """AUD-07: stated are 2.0, and a platform with that floor."""
    compiled(files)
    found = archive(tmp_path, files, platform=str(HERE.base))
    assert len(found.faults) == 2
    assert "its floors are stated as glibc 2.0 and measured as glibc 2." in found.faults[0]
    assert f"it is stated for `{HERE.base}2.0` and asks for" in found.faults[1]


def test_a_binary_for_another_machine_is_a_fault(tmp_path: Path, files: Path) -> None:
    compiled(files)
    other = "linux-riscv64-gnu" if HERE.arch != "riscv64" else "linux-aarch64-gnu"
    (fault,) = archive(tmp_path, files, platform=other).faults
    assert "`program` is for" in fault


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/opt/x", "`program` looks into `/opt/x`"),
        (f"$ORIGIN/../../{OTHER}/files/lib", f"looks into the tree `{OTHER}`"),
    ],
)
def test_a_run_path_out_of_the_closure_is_a_fault(
    tmp_path: Path, files: Path, place: str, said: str
) -> None:
    compiled(files, f"-Wl,-rpath,{place}")
    (fault,) = archive(tmp_path, files).faults
    assert said in fault


def test_a_library_that_nothing_gives_is_a_fault_or_left_open(tmp_path: Path, files: Path) -> None:
    """It is open where a component that is required and not carried may give it."""
    away = tmp_path / "away"
    away.mkdir()
    library = ["gcc", "-shared", "-Wl,-soname,liblent.so.1", "-o", str(away / "liblent.so")]
    compiled(files)
    subprocess.run([*library, "-x", "c", "-"], input="int lent;\n", text=True, check=True)
    use = "extern int lent; int main(void) { return lent; }"
    compiled(files, f"-L{away}", "-llent", code=use)
    for name, requires in (("one", ""), ("two", "[requires]\ntarget.lent = '>=1'\n")):
        (tmp_path / name).mkdir()
        found = archive(tmp_path / name, files, requires=requires)
        (text,) = found.open if requires else found.faults
        assert "`liblent.so.1`" in text
        assert not (found.faults if requires else found.open)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (f"/home/a/{making.ROOM}/out/lib", 1),
        (f"/home/a/{making.ROOM}/output", 0),
        (f"x/store/{OTHER}/files/include", 1),
        ("/store/abc/files", 0),
    ],
)
def test_a_path_of_a_build_or_a_store_in_any_file_is_a_fault(
    tmp_path: Path, files: Path, text: str, faults: int
) -> None:
    """AUD-07: also where it lies across the borders of what is read at once."""
    (files / "notes.txt").write_text("." * (2**20 - 20) + text)
    found = archive(tmp_path, files).faults
    assert len(found) == faults
    assert all("`notes.txt` names a folder of a build or of a store" in one for one in found)
