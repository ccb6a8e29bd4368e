"""Software recognised by its files, each kind in a tree that stands for a machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.detect.trees import ARCH, MACHINES, OTHER, TRIPLE, Tree, library, note, whys

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or ARCH not in MACHINES, reason="no samples for this machine"
)

HEADER = '[[probe]]\nkind = "header-macro"\npaths = ["thing.h"]\nmacros = ["THING_VERSION"]\n'
MODULE = '[[probe]]\nkind = "pkg-config"\npackage = "thing"\n'
LIBRARY = """[[probe]]
kind = "elf"
names = ["libthing.so.1", "libthing.so"]
version = 'libthing\\.so\\.(?P<version>[0-9.]+)$'
"""
DISTRIBUTION = '[[probe]]\nkind = "dist-info"\npackage = "Thing_Py"\n'
TOOLKIT = """[[probe]]
kind = "file"
paths = ["version.json"]
roots = ["{env.THING_HOME}", "/usr/local/thing*"]
version = '"thing": \\{[^}]*"version": "(?P<version>[0-9.]+)"'
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_header_tells_version_and_prefix(tree: Tree) -> None:
    """DET-18, DET-20."""
    tree.put("/usr/include/thing.h", '#define THING_VERSION "1.2.13"\n')
    found = tree.one(HEADER)
    assert (found.name, found.version, tree.at(found)) == ("thing", "1.2.13", "usr/include/thing.h")
    assert found.how == "header-macro `THING_VERSION` in `thing.h`"
    assert note(found, "prefix") == f"{tree.root}/usr"
    assert (note(found, "provides"), note(found, "evidence")) == ("dev", "header-macro")


def test_headers_of_other_targets_are_not_this_machines(tree: Tree) -> None:
    """DET-18, trap 5."""
    tree.put(f"/usr/include/{OTHER}-linux-gnu/thing.h", '#define THING_VERSION "9.9"\n')
    assert tree.found(HEADER) == ()
    tree.put(f"/usr/include/{TRIPLE}/thing.h", '#define THING_VERSION "1.2"\n')
    assert note(tree.one(HEADER), "prefix") == f"{tree.root}/usr"


def test_a_header_without_the_macro_is_told(tree: Tree) -> None:
    """DET-16."""
    tree.put("/usr/include/thing.h", "#define OTHER 1\n")
    done = tree.scan(HEADER)
    assert (done.found, whys(done)) == ((), ["it does not define `THING_VERSION`"])
    assert done.missing == ("thing",)


def test_a_pattern_is_searched_in_the_macros(tree: Tree) -> None:
    """PRB-04."""
    tree.put("/usr/include/thing.h", '#define THING_VERSION "Thing 1.4.2w of May"\n')
    pattern = "version = '^Thing (?P<version>[0-9.]+[a-z]?)'\n"
    assert tree.one(HEADER + pattern).version == "1.4.2w"


def test_a_pc_file_is_read_and_pkg_config_not_run(tree: Tree) -> None:
    """DET-21."""
    text = "prefix=/usr\nlibdir=${prefix}/lib\n\nName: thing\nVersion: 1.2.13\n"
    tree.put(f"/usr/lib/{TRIPLE}/pkgconfig/thing.pc", text)
    found = tree.one(MODULE)
    assert (found.version, note(found, "prefix")) == ("1.2.13", "/usr")
    assert found.how == "pkg-config `thing.pc`"


def test_pkg_config_path_comes_first_and_libdir_replaces_the_usual(tree: Tree) -> None:
    """DET-21."""
    tree.put("/usr/share/pkgconfig/thing.pc", "Version: 1\n")
    tree.put("/mine/thing.pc", "Version: 2\n")
    tree.put("/only/thing.pc", "Version: 3\n")
    tree.environ["PKG_CONFIG_PATH"] = f"{tree.root}/mine"
    assert [one.version for one in tree.found(MODULE)] == ["2", "1"]
    tree.environ["PKG_CONFIG_LIBDIR"] = f"{tree.root}/only"
    assert [one.version for one in tree.found(MODULE)] == ["2", "3"]


def test_what_lies_beside_a_folder_of_pkg_config_path_is_found_with_it(tree: Tree) -> None:
    """DET-18, DET-19: the library of the same prefix is what runs with the result."""
    tree.put("/mine/lib/pkgconfig/thing.pc", f"prefix={tree.root}/mine\nVersion: 1.5\n")
    tree.put("/mine/lib/libthing.so.1", library(ARCH))
    tree.environ["PKG_CONFIG_PATH"] = f"{tree.root}/mine/lib/pkgconfig"
    found = tree.found(MODULE + LIBRARY)[0]
    assert note(found, "library") == f"{tree.root}/mine/lib/libthing.so.1"


def test_a_pc_file_without_a_version_is_told(tree: Tree) -> None:
    tree.put("/usr/share/pkgconfig/thing.pc", "Name: thing\n")
    assert whys(tree.scan(MODULE)) == ["it has no version"]


def test_libraries_of_other_machines_are_findings_that_do_not_run(tree: Tree) -> None:
    """DET-18, trap 5: one soname, several machines."""
    for arch in (OTHER, ARCH):
        folder = f"/usr/lib/{arch}-linux-gnu"
        tree.put(f"{folder}/libthing.so.1.2.13", library(arch, "libthing.so.1"))
        tree.link(f"{folder}/libthing.so.1", "libthing.so.1.2.13")
    own, other = tree.found(LIBRARY)
    assert (own.version, own.runnable, ARCH in own.platform) == ("1.2.13", True, True)
    assert (other.version, other.runnable, OTHER in other.platform) == ("1.2.13", False, True)
    assert (note(own, "soname"), note(own, "provides")) == ("libthing.so.1", "runtime")


def test_a_cross_compilers_libraries_are_for_another_machine(tree: Tree) -> None:
    """Trap 5."""
    tree.put(f"/usr/{OTHER}-linux-gnu/lib/libthing.so.1", library(OTHER))
    found = tree.one(LIBRARY)
    assert (found.runnable, note(found, "prefix")) == (False, f"{tree.root}/usr")


def test_a_linker_script_is_a_text_and_no_broken_library(tree: Tree) -> None:
    """DET-18, trap 6."""
    tree.put("/usr/lib/libthing.so", "/* GNU ld script */\nGROUP ( /lib/libthing.so.1 )\n")
    done = tree.scan(LIBRARY)
    assert done.found == ()
    assert whys(done) == ["it is not a library but a text, such as a linker script"]


def test_a_library_without_a_version_in_its_name_has_none(tree: Tree) -> None:
    """PRB-06."""
    tree.put("/usr/lib64/libthing.so", library(ARCH))
    assert tree.one(LIBRARY).version is None


def test_one_library_of_several_names_is_one_finding(tree: Tree) -> None:
    """DET-08."""
    tree.put("/usr/lib/libthing.so.1.5", library(ARCH))
    tree.link("/usr/lib/libthing.so.1", "libthing.so.1.5")
    tree.link("/usr/lib/libthing.so", "libthing.so.1")
    tree.link("/lib", "usr/lib")
    assert tree.one(LIBRARY).version == "1.5"


def test_folders_that_the_loader_knows_are_looked_through(tree: Tree) -> None:
    tree.put("/etc/ld.so.conf.d/thing.conf", "# its own\n/opt/thing/lib\n\nrelative\n")
    tree.put("/opt/thing/lib/libthing.so.1", library(ARCH))
    assert note(tree.one(LIBRARY), "prefix") == f"{tree.root}/opt/thing"


def test_folders_of_the_loader_come_in_its_order(tree: Tree) -> None:
    """ld.so reads its lists by name: libc.conf, with /usr/local/lib, before the system's."""
    for file, folder in (("x86_64-linux-gnu", "/usr/lib/one"), ("libc", "/opt/two")):
        tree.put(f"/etc/ld.so.conf.d/{file}.conf", f"{folder}\n")
        tree.put(f"{folder}/libthing.so.1", library(ARCH))
    assert note(tree.found(LIBRARY)[0], "prefix") == f"{tree.root}/opt/two"


def test_a_python_distribution_is_told_by_its_folder(tree: Tree) -> None:
    """DET-23."""
    site = "/usr/local/lib/python3.11/site-packages"
    tree.put(f"{site}/thing_py-2.4.6.dist-info/METADATA", "Version: 9\n")
    tree.put(f"{site}/thing_py_more-1.0.dist-info/METADATA")
    tree.put("/usr/lib/python3/dist-packages/Thing.Py-1.0.egg-info/PKG-INFO")
    newer, older = tree.found(DISTRIBUTION)
    assert (newer.version, note(newer, "site")) == ("2.4.6", f"{tree.root}{site}")
    assert note(newer, "prefix") == f"{tree.root}/usr/local"
    assert (older.version, note(older, "prefix")) == ("1.0", f"{tree.root}/usr")


def test_distributions_of_every_interpreter_behind_shims_are_found(tree: Tree) -> None:
    """DET-10, DET-23: pyenv's versions are each an installation."""
    for version in ("3.9.18", "3.12.1"):
        minor = version.rpartition(".")[0]
        tree.put(f"/pyenv/versions/{version}/lib/python{minor}/site-packages"
                 f"/thing_py-{version}.dist-info/METADATA")  # fmt: skip
    tree.put("/pyenv/shims/python")
    tree.environ["PATH"] = f"{tree.root}/pyenv/shims"
    assert [one.version for one in tree.found(DISTRIBUTION)] == ["3.12.1", "3.9.18"]


def test_an_environment_that_sees_its_base_has_the_distributions_of_both(tree: Tree) -> None:
    """DET-23, trap 8: `--system-site-packages`; without it the base is another's."""
    base, name = tree.root / "opt" / "python", "site-packages/thing_py-2.0.dist-info/METADATA"
    tree.put(f"/opt/python/lib/python3.11/{name}")
    settings = f"home = {base}/bin\ninclude-system-site-packages = "
    tree.environ["VIRTUAL_ENV"] = f"{tree.root}/venv"
    tree.put("/venv/pyvenv.cfg", f"{settings}false\n")
    assert not tree.found(DISTRIBUTION)
    tree.put("/venv/pyvenv.cfg", f"{settings}true\n")
    (found,) = tree.found(DISTRIBUTION)
    assert (found.version, note(found, "prefix")) == ("2.0", str(base))


def test_a_toolkit_is_where_its_version_file_lies(tree: Tree) -> None:
    """Trap 4: /usr/local/thing is a link to the one in use."""
    tree.put("/usr/local/thing-13.0/version.json", '{"thing": {"a": 1, "version": "13.0.1"}}')
    tree.put("/usr/local/thing-12.4/version.json", '{"thing": {"version": "12.4.0"}}')
    tree.link("/usr/local/thing", "thing-13.0")
    first, second = tree.found(TOOLKIT)
    assert [first.version, second.version] == ["13.0.1", "12.4.0"]
    assert note(first, "prefix") == f"{tree.root}/usr/local/thing-13.0"


def test_a_variable_names_the_first_root(tree: Tree) -> None:
    """PRB-11: a relative value names no folder."""
    tree.put("/usr/local/thing/version.json", '{"thing": {"version": "1"}}')
    tree.put("/mine/version.json", '{"thing": {"version": "2"}}')
    tree.environ["THING_HOME"] = f"{tree.root}/mine"
    assert [one.version for one in tree.found(TOOLKIT)] == ["2", "1"]
    tree.environ["THING_HOME"] = "mine"
    assert [one.version for one in tree.found(TOOLKIT)] == ["1"]


def test_a_version_file_that_says_nothing_is_told(tree: Tree) -> None:
    tree.put("/usr/local/thing/version.json", "{}")
    assert whys(tree.scan(TOOLKIT)) == ["it has no version"]


def test_a_variable_may_be_the_evidence(tree: Tree) -> None:
    """PRB-09."""
    probe = '[[probe]]\nkind = "env"\nenv = "THING_ROOT"\n'
    files = "paths = [\"source.properties\"]\nversion = '^Revision = (?P<version>[0-9.]+)$'\n"
    assert tree.found(probe) == ()
    tree.put("/sdk/source.properties", "Desc = A\nRevision = 26.1.10909125\n")
    tree.environ["THING_ROOT"] = f"{tree.root}/sdk"
    assert tree.one(probe).version is None
    found = tree.one(probe + files)
    assert (found.version, note(found, "prefix")) == ("26.1.10909125", f"{tree.root}/sdk")


def test_further_groups_of_a_pattern_are_notes(tree: Tree) -> None:
    tree.put("/usr/local/thing/version.json", "thing 1.2 for_arm")
    probe = '[[probe]]\nkind = "file"\npaths = ["version.json"]\nroots = ["/usr/local/thing"]\n'
    pattern = "version = 'thing (?P<version>\\S+) for_(?P<made_for>\\w+)'\n"
    assert note(tree.one(probe + pattern), "made-for") == "arm"


def test_a_file_for_another_machine_does_not_run_here(tree: Tree) -> None:
    """DET-18."""
    tree.put("/opt/thing/lib/plugin.so", library(OTHER))
    found = tree.one('[[probe]]\nkind = "file"\npaths = ["/opt/thing/lib/plugin.so"]\n')
    assert (found.runnable, found.version) == (False, None)
    assert note(found, "prefix") == f"{tree.root}/opt/thing"


def test_prefixes_are_above_bin_folders_of_path_that_nobody_else_may_change(tree: Tree) -> None:
    """DET-18."""
    tree.put("/good/include/thing.h", '#define THING_VERSION "1"\n')
    tree.put("/bad/include/thing.h", '#define THING_VERSION "2"\n')
    for name in ("good", "bad"):
        (tree.root / name / "bin").mkdir()
    (tree.root / "bad" / "bin").chmod(0o777)
    tree.environ["PATH"] = f"{tree.root}/bad/bin:{tree.root}/good/bin"
    assert [one.version for one in tree.found(HEADER)] == ["1"]


def test_what_agrees_is_one_finding(tree: Tree) -> None:
    """DET-19."""
    tree.put("/usr/include/thing.h", '#define THING_VERSION "1.2.13"\n')
    tree.put("/usr/lib/pkgconfig/thing.pc", f"prefix={tree.root}/usr\nVersion: 1.2.13\n")
    tree.put("/usr/lib/libthing.so.1.2.13", library(ARCH))
    tree.link("/usr/lib/libthing.so.1", "libthing.so.1.2.13")
    found = tree.one(HEADER + MODULE + LIBRARY)
    assert note(found, "also") == "pkg-config, elf"
    assert note(found, "library") == f"{tree.root}/usr/lib/libthing.so.1"


def test_what_disagrees_is_told_twice(tree: Tree) -> None:
    """DET-19, trap 7: never averaged."""
    tree.put("/usr/include/thing.h", '#define THING_VERSION "1.2.11"\n')
    tree.put("/usr/lib/pkgconfig/thing.pc", f"prefix={tree.root}/usr\nVersion: 1.2.13\n")
    header, module = tree.found(HEADER + MODULE)
    assert (header.version, module.version) == ("1.2.11", "1.2.13")
    assert note(header, "disagrees") == "pkg-config `thing.pc` says 1.2.13"
    assert note(module, "disagrees").endswith("in `thing.h` says 1.2.11")


def test_a_runtime_library_alone_is_not_enough_to_build_against(tree: Tree) -> None:
    """DET-19, trap 7."""
    tree.put("/usr/lib/libthing.so.1.2.13", library(ARCH))
    tree.link("/usr/lib/libthing.so.1", "libthing.so.1.2.13")
    assert note(tree.one(HEADER + MODULE + LIBRARY), "provides") == "runtime"
