"""Wheels for another platform: locked and bundled here, an environment there."""

from __future__ import annotations

import re
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.flow.index_room import Room, empty, error_of
from tests.flow.tool import component, head
from tests.unit.install.python import room as wheels

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.tool import Tool

pytestmark = pytest.mark.slow  # `make sweep`

APP = """
[python]
requires = ["{asks}"]
[[source]]
kind = "inline"
path = "main.py"
text = '''
import json, sys, native
json.dump({{"said": native.VERSION}}, open(sys.argv[1], "w"))
'''
[build]
driver = "copy"
[action.run]
argv = ["{{python}}", "{{self}}/main.py", "{{output}}"]
[action.run.outputs]
said = {{ type = "string" }}
"""
ABI = "cp{}{}".format(*sys.version_info[:2])
BOARD = "linux-aarch64-gnu2.36"
FACTS = '{"platform": "linux-aarch64-gnu2.36", "found": [{"name": "python", "version": "3.42.1"}]}'
REAL = "markupsafe>=3"  # small, and made for every platform


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """An index with two solutions that need wheels: ours, and real ones."""
    room = empty(tmp_path_factory.mktemp("wheels") / "owner")
    folder = room.owner.folder
    for name, asks in (("app", "native>=1"), ("real", REAL)):
        component(folder / name, head(name, kind="solution") + APP.format(asks=asks))
        room.owner("build", name, "--full", "--out", f"{name}.crpkg", "--key", "test")
        room.add(folder / f"{name}.crpkg")
    return room


@pytest.fixture
def user(room: Room, tmp_path: Path) -> Tool:
    return room.user(tmp_path / "user")


def python_index(folder: Path) -> dict[str, str]:
    """Make an index of wheels in a folder; return the variables that name it."""
    for abi in (ABI, "cp342"):
        for machine in ("aarch64", "x86_64"):
            wheels.write_wheel(folder, "native", "1.0", tag=f"{abi}-{abi}-manylinux_2_17_{machine}")
    known = wheels.environ(folder)
    return {name: known[name] for name in known if name.startswith(("PIP_", "UV_"))}


def chosen(text: str) -> list[str]:
    """Return the file names of the wheels in a lock."""
    return re.findall(r'^filename = "(.*)"$', text, re.MULTILINE)


def test_a_lock_for_a_board_has_the_wheels_of_the_board(user: Tool) -> None:
    """PYE-09: of this machine's Python; of the board's own where its facts tell it."""
    env = python_index(user.folder / "index")
    user("lock", "app", "--platform", BOARD, env=env)
    text = (user.folder / "crpack.lock").read_text()
    assert chosen(text) == [f"native-1.0-{ABI}-{ABI}-manylinux_2_17_aarch64.whl"]
    assert 'python = "{}.{}"'.format(*sys.version_info[:2]) in text
    user("lock", "--check", "--platform", BOARD, env=env)
    (user.folder / "board.json").write_text(FACTS)
    user("lock", "app", "--facts", "board.json", env=env)
    text = (user.folder / "crpack.lock").read_text()
    assert chosen(text) == ["native-1.0-cp342-cp342-manylinux_2_17_aarch64.whl"]
    assert 'python = "3.42"' in text


def test_a_platform_without_a_wheel_cannot_be_locked(user: Tool) -> None:
    """PYE-09: neither a newer floor, nor another processor."""
    env = python_index(user.folder / "index")
    for platform in ("linux-aarch64-gnu2.16", "linux-riscv64-gnu2.36"):
        error = error_of(user("lock", "app", "--platform", platform, "--json", code=3, env=env).out)
        assert platform in error["what"]
        assert "native" in " ".join(error["why"])


def test_a_floor_that_is_stated_holds_for_wheels(user: Tool) -> None:
    """FCT-07, PYE-09: without it they are those of this machine."""
    here = user("detect", "gcc", "--json").json["data"]["platform"]
    if "gnu2." not in here:
        pytest.skip(f"`{here}` has no floor of glibc")
    env = python_index(user.folder / "index")
    error = error_of(user("lock", "app", "--fact", "@glibc=2.16", "--json", code=3, env=env).out)
    assert "gnu2.16" in error["what"]
    assert "native" in " ".join(error["why"])
    user("lock", "app", "--fact", "@glibc=2.17", env=env)
    text = (user.folder / "crpack.lock").read_text()
    assert chosen(text) == [f"native-1.0-{ABI}-{ABI}-manylinux_2_17_{here.split('-')[1]}.whl"]
    user("install", "--locked", "--fact", "@glibc=2.17", env=env)
    assert "1.0" in user("run", "app").out


def test_what_is_locked_elsewhere_is_installed_here(user: Tool) -> None:
    """PYE-08, PYE-09: a machine like this one with an older C library, alone and in a bundle."""
    here = user("detect", "gcc", "--json").json["data"]["platform"]
    older = re.sub("gnu.*", "gnu2.17", here)
    if older == here or not older.endswith("gnu2.17"):
        pytest.skip(f"nothing that `{here}` runs is another platform")
    env = python_index(user.folder / "index")
    user("bundle", "app", "--platform", BOARD, "--platform", older, env=env)
    with zipfile.ZipFile(user.folder / "app.crbundle") as bundle:
        names = [one.rpartition("/")[2] for one in bundle.namelist() if one.endswith(".whl")]
    machine = older.split("-")[1]
    assert sorted(names) == sorted(
        f"native-1.0-{ABI}-{ABI}-manylinux_2_17_{one}.whl" for one in {"aarch64", machine}
    )
    user("lock", "app", "--platform", older, env=env)
    user("install", "--frozen", env=env)
    assert "1.0" in user("run", "app").out
    user("remove", "app")
    user("install", "app.crbundle", "--offline", env={"PIP_NO_INDEX": "1"})
    assert "1.0" in user("run", "app").out


def test_a_real_index_has_wheels_of_other_platforms(user: Tool) -> None:
    """PYE-09: with the index that is configured here."""
    for platform in (BOARD, "linux-armv7-gnu2.36", "macos-arm64-14"):
        done = user("lock", "real", "--platform", platform, code=(0, 5))
        if done.code:
            pytest.skip(f"no Python index can be reached: {done.err}")
        (name,) = chosen((user.folder / "crpack.lock").read_text())
        machine = {"linux-armv7-gnu2.36": "armv7l", "macos-arm64-14": "arm64"}
        assert name.endswith(f"_{machine.get(platform, 'aarch64')}.whl")
