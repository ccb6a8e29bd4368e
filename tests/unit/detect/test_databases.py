"""What package managers have installed, from databases as they write them (DET-22)."""

from __future__ import annotations

import json
import shutil
import sqlite3
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from crpack.binary.image import Image
from crpack.detect import passive, places
from crpack.detect.cache import Cache
from crpack.detect.databases import apk, conda, dpkg, rpm, spack
from crpack.detect.evidence import Subject
from crpack.detect.eyes import Eyes
from crpack.detect.packages import Databases
from crpack.model.facts import Found
from tests.unit.detect.trees import ARCH, OTHER, Tree, note, recipe, whys

if TYPE_CHECKING:
    from pathlib import Path

DEBIAN = {"x86_64": "amd64", "aarch64": "arm64", "riscv64": "riscv64"}
PROBE = '[[probe]]\nkind = "os-package"\n'

STATUS = """Package: thing-dev
Status: install ok installed
Priority: optional
Architecture: {own}
Multi-Arch: same
Version: 1:1.2.13.dfsg-1
Description: a thing
 Version: 9 is not its version

Package: thing-dev
Status: install ok installed
Architecture: {other}
Version: 1:1.2.13.dfsg-1

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 3

Package: tool
Status: hold ok installed
Architecture: all
Version: 4.3-4.1
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def status(tree: Tree, more: str = "") -> None:
    text = STATUS.format(own=DEBIAN.get(ARCH, ARCH), other=DEBIAN[OTHER])
    tree.put("/var/lib/dpkg/status", text + more)


def test_dpkg_tells_what_is_installed_and_for_which_machine(tree: Tree) -> None:
    """DET-22, DET-18: the whole version is kept."""
    status(tree)
    tree.put(f"/var/lib/dpkg/info/thing-dev:{DEBIAN.get(ARCH, ARCH)}.list", "/.\n")
    own, other = tree.found(PROBE + 'dpkg = "thing-dev"\n')
    assert (own.version, own.raw, own.runnable) == ("1.2.13", "thing-dev 1:1.2.13.dfsg-1", True)
    assert own.how == "os-package dpkg `thing-dev` 1:1.2.13.dfsg-1"
    assert tree.at(own) == f"var/lib/dpkg/info/thing-dev:{DEBIAN.get(ARCH, ARCH)}.list"
    assert note(own, "prefix") == f"{tree.root}/usr"
    assert (other.runnable, other.platform) == (False, f"linux-{OTHER}")


def test_dpkg_tells_nothing_of_what_was_removed(tree: Tree) -> None:
    """DET-22."""
    status(tree)
    assert tree.found(PROBE + 'dpkg = "gone"\n') == ()
    assert tree.one(PROBE + 'dpkg = "to?l"\n').version == "4.3"


def test_a_broken_block_is_told_and_the_rest_counts(tree: Tree) -> None:
    """DET-22."""
    status(tree, "\nPackage: half\nStatus: install ok\n\nPackage: late\n"
                 "Status: install ok installed\nVersion: 5\n")  # fmt: skip
    done = tree.scan(PROBE + 'dpkg = "late"\n')
    assert [one.version for one in done.found] == ["5"]
    assert whys(done) == ["dpkg's list is broken in the block at line 25"]


@pytest.mark.parametrize("data", [b"\0\xff" * 500, b"nonsense", b":\n:\n", b"\n\n\n", b""])
def test_nonsense_in_place_of_a_list_is_no_failure(data: bytes) -> None:
    """DET-22."""
    assert dpkg.parse(data)[0] == apk.parse(data)[0] == spack.parse(data)[0] == ()
    if data.strip():
        assert dpkg.parse(data)[1]
        assert apk.parse(data)[1]


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no dpkg here")
def test_this_machines_packages_are_those_that_dpkg_lists() -> None:
    """DET-22."""
    form = "${db:Status-Status} ${Package} ${Version}\n"
    told = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, check=True)
    lines = told.stdout.decode().splitlines()
    wanted = sorted(line.removeprefix("installed ") for line in lines if line[:10] == "installed ")
    with open(dpkg.STATUS, "rb") as file:
        packages, fault = dpkg.parse(file.read())
    assert sorted(f"{one.name} {one.raw}" for one in packages) == wanted
    assert fault == ""


def header(**tags: str | int) -> bytes:
    """Return an RPM header: index of tags, then data."""
    numbers = {"name": 1000, "version": 1001, "release": 1002, "epoch": 1003, "arch": 1022}
    index, data = b"", b""
    for tag, value in tags.items():
        if isinstance(value, int):
            data += b"\0" * (-len(data) % 4)
            entry, kind = struct.pack(">I", value), 4
        else:
            entry, kind = value.encode() + b"\0", 6
        index += struct.pack(">IIII", numbers[tag], kind, len(data), 1)
        data += entry
    return struct.pack(">II", len(tags), len(data)) + index + data


def rpmdb(path: Path, *headers: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", [(one,) for one in headers])
    database.close()


def test_rpms_database_is_read_without_rpm(tree: Tree) -> None:
    """DET-22: and nothing beside it is written."""
    own = header(name="thing-devel", version="1.2.13", release="4.fc40", epoch=1, arch=ARCH)
    other = header(name="thing-devel", version="1.2.11", release="1.el9", arch=OTHER)
    path = tree.root / "usr/lib/sysimage/rpm/rpmdb.sqlite"
    rpmdb(path, other, own)
    before = sorted(path.parent.iterdir())
    first, second = tree.found(PROBE + 'rpm = "thing-devel"\n')
    assert (first.version, first.raw) == ("1.2.13", "thing-devel 1:1.2.13-4.fc40")
    assert (second.version, second.runnable) == ("1.2.11", False)
    assert sorted(path.parent.iterdir()) == before


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\0" * 7,
        struct.pack(">II", 2**31, 2**31),
        struct.pack(">II", 1, 4) + struct.pack(">IIII", 1000, 6, 2**31, 1) + b"abc\0",
        struct.pack(">II", 1, 3) + struct.pack(">IIII", 1000, 6, 0, 1) + b"abc",
        header(name="a"),
    ],
)
def test_a_broken_header_is_no_package(blob: bytes, tree: Tree) -> None:
    """DET-22."""
    assert rpm.header(blob) is None
    path = tree.root / "var/lib/rpm/rpmdb.sqlite"
    rpmdb(path, blob, header(name="a", version="1", release="1", arch="noarch"))
    packages, fault = rpm.read(str(path))
    assert [one.name for one in packages] == ["a"]
    assert fault == "a header of rpm's database is broken"


def test_a_file_that_is_no_database_is_told(tree: Tree) -> None:
    """DET-22."""
    tree.put("/var/lib/rpm/rpmdb.sqlite", b"nonsense" * 500)
    (why,) = whys(tree.scan(PROBE + 'rpm = "a"\n'))
    assert why.startswith("rpm's database cannot be read: ")


def test_apk_tells_what_is_installed(tree: Tree) -> None:
    """DET-22."""
    text = f"C:Q1\nP:thing-dev\nV:1.2.13-r0\nA:{ARCH}\nT:a thing\n\nP:other\nV:2\nA:noarch\n"
    tree.put("/lib/apk/db/installed", text)
    found = tree.one(PROBE + 'apk = "thing-dev"\n')
    assert (found.version, found.raw) == ("1.2.13", "thing-dev 1.2.13-r0")


def test_homebrew_keeps_its_kegs_in_the_cellar(tree: Tree) -> None:
    """DET-22: the version in use comes first."""
    for version in ("1.2.13_1", "1.3"):
        tree.put(f"/opt/homebrew/Cellar/thing/{version}/INSTALL_RECEIPT.json", "{}")
    tree.link("/opt/homebrew/opt/thing", "../Cellar/thing/1.2.13_1")
    used, other = tree.found(PROBE + 'brew = "thing"\n')
    assert (used.version, other.version) == ("1.2.13", "1.3")
    assert note(used, "prefix") == f"{tree.root}/opt/homebrew/Cellar/thing/1.2.13_1"


def test_condas_environment_lists_its_packages(tree: Tree) -> None:
    """DET-22."""
    tree.put("/env/conda-meta/thing-more-1.2.13-h4ab18f5_6.json", "{}")
    tree.put("/env/conda-meta/history", "")
    tree.environ["CONDA_PREFIX"] = f"{tree.root}/env"
    found = tree.one(PROBE + 'conda = "thing-more"\n')
    assert (found.version, found.raw) == ("1.2.13", "thing-more 1.2.13-h4ab18f5_6")
    assert note(found, "prefix") == f"{tree.root}/env"
    for name in ("history", "a.json", "a-1.json", "-1-2.json", "a-1-2.txt"):
        assert conda.package("/env", name) is None, name


def test_spacks_index_lists_what_is_still_there(tree: Tree) -> None:
    """DET-22."""
    there, gone = f"{tree.root}/opt/spack/thing-1", f"{tree.root}/opt/spack/thing-2"
    tree.put("/opt/spack/thing-1/.spack/spec.json", "{}")
    installs = {
        "a": {"spec": {"name": "thing", "version": "1"}, "path": there, "installed": True},
        "b": {"spec": {"name": "thing", "version": "2"}, "path": gone, "installed": True},
        "c": {"spec": {"name": "thing", "version": "3"}, "path": there, "installed": False},
        "d": {"spec": {"name": "thing", "version": 4}, "path": there, "installed": True},
    }
    index = json.dumps({"database": {"version": "7", "installs": installs}})
    tree.put("/spack/opt/spack/.spack-db/index.json", index)
    tree.environ["SPACK_ROOT"] = f"{tree.root}/spack"
    done = tree.scan(PROBE + 'spack = "thing"\n')
    assert [(one.version, note(one, "prefix")) for one in done.found] == [("1", there)]
    assert whys(done) == ["a part of Spack's list cannot be read"]


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b'{"database": []}', b'{"database":{"installs":1}}']
)
def test_a_broken_index_of_spack_is_told(data: bytes) -> None:
    """DET-22."""
    assert spack.parse(data) == ((), "Spack's list cannot be read")


def test_a_probe_may_name_packages_of_several_managers(tree: Tree) -> None:
    """PRB-08."""
    status(tree)
    tree.put("/lib/apk/db/installed", "P:thing\nV:9-r0\n")
    found = tree.found(PROBE + 'apk = "thing"\ndpkg = "tool"\n')
    assert [one.version for one in found] == ["4.3", "9"]


@pytest.mark.parametrize(
    ("own", "bits", "debian", "runs"),
    [
        ("armv7", 32, "armhf", True),
        ("armv7", 32, "arm64", False),
        ("armv7", 32, "armel", True),
        ("arm", 32, "armhf", True),
        ("aarch64", 64, "arm64", True),
        ("aarch64", 64, "armhf", False),
        ("x86", 32, "i386", True),
        ("x86", 32, "amd64", False),
        ("x86_64", 64, "i386", False),
        ("x86_64", 64, "all", True),
    ],
)
def test_a_package_is_for_the_processs_machine_not_for_the_kernels(
    tree: Tree,
    own: str,
    bits: int,
    debian: str,
    runs: bool,  # noqa: FBT001
) -> None:
    """DET-11, DET-18: a 32-bit userland on a 64-bit kernel."""
    text = f"Package: a\nStatus: install ok installed\nArchitecture: {debian}\nVersion: 1\n"
    tree.put("/var/lib/dpkg/status", text)
    image = Image(format="elf", kind="exe", os="linux", arch=own, abi="gnu", bits=bits)
    eyes = Eyes({}, Cache(b"", 0))
    where = places.of(eyes, image, root=str(tree.root))
    probe = recipe(PROBE + 'dpkg = "a"\n').probe[0]
    (found,) = passive.look(Subject("a", "", probe), eyes, where, Databases(eyes, where))
    assert isinstance(found, Found)
    assert found.runnable is runs
