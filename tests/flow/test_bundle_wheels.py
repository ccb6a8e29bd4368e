"""Wheels of locks and bundles: only what signed recipes ask for, and who vouches for them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.archive import writer
from crpack.archive.bundle import Bundle, write
from crpack.model import bundle as bundles
from crpack.model import lock as locks
from crpack.model.lock import Lock, Wheel
from crpack.trust import bundles as makers
from crpack.trust import keys
from tests.flow.index_room import Room, empty, error_of, generation, installed
from tests.flow.tool import component, head
from tests.unit.install.python import room as wheels

if TYPE_CHECKING:
    from collections.abc import Callable
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
import json, sys, top
json.dump({{"said": top.VERSION}}, open(sys.argv[1], "w"))
'''
[build]
driver = "copy"
[action.run]
argv = ["{{python}}", "{{self}}/main.py", "{{output}}"]
[action.run.outputs]
said = {{ type = "string" }}
"""
NOT_THERE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/nowhere"}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """An index with two solutions that need wheels, and a data set that needs none."""
    room = empty(tmp_path_factory.mktemp("wheels") / "owner")
    folder = room.owner.folder
    for name, asks in (("app", "top"), ("other", "evil")):
        component(folder / name, head(name, kind="solution") + APP.format(asks=asks))
        room.owner("build", name, "--full", "--out", f"{name}.crpkg", "--key", "test")
        room.add(folder / f"{name}.crpkg")
    room.add(room.dataset("lab/data"))
    return room


@pytest.fixture
def user(room: Room, tmp_path: Path) -> Tool:
    """Somebody without a Python index."""
    return room.user(tmp_path / "user")


@pytest.fixture(scope="module")
def made(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `app.crbundle`, made from a Python index of two wheels, and `data.crbundle`."""
    maker = room.user(tmp_path_factory.mktemp("maker"))
    env = python_index(maker.folder / "index")
    said = maker("bundle", "app", env=env)
    assert "nobody signs for the wheels" in said.err
    maker("bundle", "lab/data")
    return maker.folder


def python_index(folder: Path) -> dict[str, str]:
    """Make an index of wheels in a folder; return the variables that name it."""
    wheels.write_wheel(folder, "top", "1.0", ("low>=1",))
    wheels.write_wheel(folder, "low", "1.0")
    known = wheels.environ(folder)
    return {name: known[name] for name in known if name.startswith(("PIP_", "UV_"))}


def evil(folder: Path, requires: tuple[str, ...] = ()) -> tuple[Path, Wheel]:
    """Return a wheel that makes `folder/mark` when the environment's interpreter starts."""
    mark = str(folder / "mark")
    pth = f"import os; os.close(os.open({mark!r}, 65))\n"
    path = wheels.write_wheel(folder, "evil", "1.0", requires, pth=pth)
    data = path.read_bytes()
    return path, Wheel("evil", "1.0", path.name, hashlib.sha256(data).hexdigest(), len(data))


def rebuilt(
    good: Path, out: Path, change: Callable[[Lock], Lock], *more: writer.Part, drop: str = "-"
) -> Path:
    """Make a bundle again with another lock, more members, and without those of a class."""
    with good.open("rb") as stream:
        bundle = Bundle.open(stream, size=good.stat().st_size)
        lock = change(locks.decode(bundle.read(bundles.LOCK)))
        kept = [name for name in bundle.names if name not in (bundles.LOCK, bundles.LISTING)]
        parts = [
            writer.part(name, bundle.read(name, 1 << 30))
            for name in kept
            if not name.startswith(drop)
        ]
        parts += [writer.part(bundles.LOCK, locks.encode(lock)), *more]
        platforms = tuple(target.platform for target in lock.target)
        with out.open("w+b") as file:
            write(parts, file, date="2026-01-01T00:00:00Z", requests=lock.request,
                  platforms=platforms)  # fmt: skip
    return out


def with_wheel(wheel: Wheel) -> Callable[[Lock], Lock]:
    """Return what adds a wheel to the first target of a lock."""

    def change(lock: Lock) -> Lock:
        target = lock.target[0]
        python = target.python or "{}.{}.{}".format(*sys.version_info[:3])
        new = replace(target, python=python, wheels=(*target.wheels, wheel.sha256))
        return replace(lock, wheel=(*lock.wheel, wheel), target=(new,))

    return change


def member(wheel: Wheel, path: Path) -> writer.Part:
    return writer.part(bundles.wheel_member(wheel.sha256, wheel.filename), path.read_bytes())


def rule_of(user: Tool, bundle: Path, *words: str) -> str:
    """Install a bundle that is refused; return the rule that it breaks."""
    error = error_of(user("install", bundle, "--json", *words, code=4, env=NOT_THERE).out)
    assert installed(user) == {}
    assert not (user.prefix / "envs").exists() or not list((user.prefix / "envs").iterdir())
    return str(error["data"]["rule"])


def cached(user: Tool) -> list[str]:
    return [path.name for path in (user.home / "cache").rglob("*.whl")]


def run_all(user: Tool) -> None:
    """Start the interpreter of every environment, which runs the `.pth` files there."""
    for python in (user.prefix / "envs").glob("*/bin/python"):
        subprocess.run([python, "-c", "pass"], check=True)


def test_wheels_that_no_signed_recipe_asks_for_are_refused(made: Path, user: Tool) -> None:
    """PYE-10: a data set with a wheel; an app with one wheel more."""
    path, wheel = evil(user.folder)
    for name in ("data", "app"):
        bad = rebuilt(made / f"{name}.crbundle", user.folder / "bad.crbundle", with_wheel(wheel),
                      member(wheel, path))  # fmt: skip
        for words in (("--dry-run",), ()):
            assert rule_of(user, bad, *words) == "PYE-10"
        assert cached(user) == []
    assert not (user.folder / "mark").exists()


def test_a_wheel_that_pretends_is_refused(made: Path, user: Tool) -> None:
    """PYE-10, LCK-06: `evil` as the `low` that the app needs, and the other way round."""
    path, _ = evil(user.folder)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    low = Wheel("low", "1.0", "low-1.0-py3-none-any.whl", sha256, path.stat().st_size)

    def change(lock: Lock) -> Lock:
        rows = tuple(low if one.name == "low" else one for one in lock.wheel)
        target = replace(lock.target[0], wheels=tuple(one.sha256 for one in rows))
        return replace(lock, wheel=rows, target=(target,))

    bad = rebuilt(made / "app.crbundle", user.folder / "bad.crbundle", change, member(low, path))
    assert rule_of(user, bad) == "PYE-10"


def test_a_bundle_that_lacks_wheels_is_refused_and_nobody_is_asked(made: Path, user: Tool) -> None:
    """BUN-12, PYE-10: neither the network nor the user's Python index, nor an address."""
    index = python_index(user.folder / "index")
    bad = rebuilt(made / "app.crbundle", user.folder / "bad.crbundle", lambda lock: lock,
                  drop="wheel/")  # fmt: skip
    error = error_of(user("install", bad, "--json", code=4, env=index).out)
    assert error["data"]["rule"] == "BUN-12"

    def without(lock: Lock) -> Lock:
        rows = tuple(one for one in lock.wheel if one.name == "top")
        target = replace(lock.target[0], wheels=tuple(one.sha256 for one in rows))
        return replace(lock, wheel=rows, target=(target,))

    bad = rebuilt(made / "app.crbundle", user.folder / "bad.crbundle", without)
    assert rule_of(user, bad) == "PYE-10"


def test_wheels_of_a_bundle_are_warned_of_recorded_and_kept_apart(made: Path, user: Tool) -> None:
    """BUN-12, BUN-14: with `-q` too; other solutions never choose among them."""
    words = "nobody but the bundle's maker vouches for its 2 Python wheels"
    assert words not in user("install", made / "data.crbundle", "-q").err
    assert "would" not in user("install", made / "app.crbundle", "--dry-run").err
    assert cached(user) == []
    done = user("install", made / "app.crbundle", "-q", env=NOT_THERE)
    assert words in done.err
    assert cached(user) == []
    assert "1.0" in user("run", "app").out
    assert generation(user, "app")["unsigned"] == ["python wheels"]
    assert "unsigned" in user("list").out
    assert "python wheels: nobody vouches for it" in user("info", "app").out
    env = {**python_index(user.folder / "index"), "CRPACK_OFFLINE": "true"}
    user("install", "other", code=5, env=env)
    user("remove", "app")
    env = python_index(user.folder / "index")
    user("install", "app", env=env)  # the same wheels, of the user's own index
    assert generation(user, "app")["unsigned"] == []


def test_the_setting_refuses_wheels_that_nobody_signed(made: Path, user: Tool) -> None:
    """BUN-14."""
    strict = {**NOT_THERE, "CRPACK_BUNDLE_WHEELS": "signed"}
    error = error_of(user("install", made / "app.crbundle", "--json", code=4, env=strict).out)
    assert error["data"]["rule"] == "BUN-14"
    user("install", made / "data.crbundle", env=strict)


def test_a_maker_vouches_for_wheels_where_the_key_is_pinned(
    room: Room, tmp_path: Path, user: Tool
) -> None:
    """BUN-13, BUN-14."""
    maker = room.user(tmp_path / "maker")
    maker("key", "new", "mine", "--no-passphrase")
    public = maker.home / "config/keys/mine.pub"
    done = maker("bundle", "app", "--key", "mine", env=python_index(maker.folder / "index"))
    assert "signed by mine" in done.out
    assert "nobody signs" not in done.err
    good, strict = maker.folder / "app.crbundle", {"CRPACK_BUNDLE_WHEELS": "signed"}
    user("install", good, code=4, env=strict)
    user("trust", "add", public, "--names", "lab/*")
    user("install", good, code=4, env=strict)
    user("trust", "add", public, "--names", "app")
    done = user("install", good, env=strict)
    assert "nobody but" not in done.err
    assert generation(user, "app")["unsigned"] == []


def test_a_wrong_signature_of_a_pinned_key_is_refused(
    made: Path, tmp_path: Path, user: Tool
) -> None:
    """BUN-13: also where the bundle has no wheels."""
    user("key", "new", "mine", "--no-passphrase")
    user("trust", "add", user.home / "config/keys/mine.pub", "--names", "other/*")
    key = keys.from_pem((user.home / "config/keys/mine.pem").read_bytes(), None)
    signed = writer.part(bundles.SIGNATURES, makers.sign(b"another lock", [key]))
    for name in ("app", "data"):
        bad = rebuilt(made / f"{name}.crbundle", tmp_path / "bad", lambda lock: lock, signed)
        assert rule_of(user, bad) == "BUN-13"


def test_a_lock_brings_no_wheel_that_nothing_asks_for(user: Tool) -> None:
    """PYE-10: though the user's own index has it."""
    env = python_index(user.folder / "index")
    user("lock", "app", env=env)
    _, wheel = evil(user.folder / "index")
    path = user.folder / "crpack.lock"
    path.write_bytes(locks.encode(with_wheel(wheel)(locks.decode(path.read_bytes()))))
    error = error_of(user("install", "--frozen", "--json", code=4, env=env).out)
    assert error["data"]["rule"] == "PYE-10"
    user("lock", "lab/data")
    path.write_bytes(locks.encode(with_wheel(wheel)(locks.decode(path.read_bytes()))))
    error = error_of(user("install", "--frozen", "--json", code=4, env=env).out)
    assert error["data"]["rule"] == "PYE-10"
    run_all(user)
    assert not (user.folder / "index/mark").exists()


def test_solutions_of_one_lock_share_its_wheels(user: Tool) -> None:
    """PYE-10: what one of them asks for is left over for none; a data set needs no Python."""
    env = python_index(user.folder / "index")
    evil(user.folder / "index")
    user("lock", "app", "other", "lab/data", env=env)
    user("install", "--frozen", env=env)
    assert set(installed(user)) == {"app", "other", "lab/data"}
    assert generation(user, "lab/data")["env"] == ""
    assert generation(user, "app")["env"] == generation(user, "other")["env"] != ""
