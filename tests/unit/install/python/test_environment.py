from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import FetchError, InstallError
from crpack.install.python import environment, tools
from crpack.install.python.tools import Interpreter, Tool
from crpack.install.python.wheels import WheelCache
from crpack.install.transaction import Transaction
from crpack.model.lock import Wheel
from tests.unit.install.python.room import environ, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = Interpreter("/p", "/p", "cpython", "3.11.0", "abi")
ONE = Wheel("a", "1", "a-1-py3-none-any.whl", "a" * 64)
TWO = Wheel("b", "1", "b-1-py3-none-any.whl", "b" * 64)


def test_the_same_needs_have_the_same_name() -> None:
    """PYE-06."""
    name = environment.digest_of(PYTHON, [ONE, TWO])
    assert environment.digest_of(replace(PYTHON, path="/q"), [TWO, ONE]) == name
    others = {
        environment.digest_of(PYTHON, [ONE]),
        environment.digest_of(replace(PYTHON, version="3.11.1"), [ONE, TWO]),
        environment.digest_of(replace(PYTHON, base="/q"), [ONE, TWO]),
    }
    assert name not in others
    assert len(others) == 3


def cached(folder: Path, name: str, version: str, pth: str = "") -> Wheel:
    """Put a wheel into the cache."""
    path = write_wheel(folder / "index", name, version, pth=pth)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    place = folder / "cache/wheels" / digest
    place.mkdir(parents=True)
    path.rename(place / path.name)
    return Wheel(name, version, path.name, digest, 1)


@pytest.fixture(params=["pip", "uv"])
def tool(request: pytest.FixtureRequest) -> Tool:
    path = "" if request.param == "pip" else os.path.dirname(sys.executable)
    found = tools.find_tool(tools.ask(sys.executable, os.environ), {"PATH": path})
    if found.kind != request.param:
        pytest.skip("uv is not beside the interpreter")
    return found


def make(folder: Path, wheels: list[Wheel], tool: Tool) -> str:
    interpreter = tools.ask(sys.executable, os.environ)
    with Transaction(f"{folder}/prefix") as transaction:
        return environment.make(
            f"{folder}/prefix",
            interpreter,
            wheels,
            cache=WheelCache(f"{folder}/cache"),
            tool=tool,
            folder=transaction.folder(),
            environ=environ(folder / "index"),
        )


def test_an_environment_is_made_once_and_again_when_it_was_interrupted(
    tmp_path: Path, tool: Tool
) -> None:
    """PYE-06, PYE-07: in a path with a space and another alphabet."""
    folder = tmp_path / "a spaced ж"
    prefix = f"{folder}/prefix"
    wheels = [cached(folder, "low", "1.0"), cached(folder, "top", "2.0")]
    name = make(folder, wheels, tool)
    python = environment.python_of(prefix, name)

    def answer(text: str) -> str:
        done = subprocess.run(
            [python, "-I", "-c", text], capture_output=True, check=True, text=True
        )
        return done.stdout.strip()

    assert environment.is_complete(prefix, name)
    assert answer("import low, top; print(low.VERSION, top.VERSION)") == "1.0 2.0"
    assert answer("import importlib.util as u; print(u.find_spec('pip'))") == "None"
    disk.write_file(f"{environment.folder_of(prefix, name)}/mark", [b""])
    assert make(folder, wheels, Tool("pip", ("/missing",))) == name
    assert "mark" in disk.names(environment.folder_of(prefix, name))
    disk.remove_file(f"{environment.folder_of(prefix, name)}/complete")
    assert not environment.is_complete(prefix, name)
    assert make(folder, wheels, tool) == name
    assert "mark" not in disk.names(environment.folder_of(prefix, name))


def test_nothing_of_a_wheel_runs_while_it_is_installed(tmp_path: Path, tool: Tool) -> None:
    """PYE-07: a `.pth` file runs whenever the environment's interpreter starts."""
    mark = tmp_path / "mark"
    evil = cached(tmp_path, "evil", "1.0", pth=f"import os; os.close(os.open({str(mark)!r}, 65))\n")
    name = make(tmp_path, [evil, cached(tmp_path, "low", "1.0")], tool)
    assert not mark.exists()
    python = environment.python_of(f"{tmp_path}/prefix", name)
    subprocess.run([python, "-I", "-c", ""], check=True)
    assert mark.exists()  # so the wheel could have


def test_a_wheel_that_changed_in_the_cache_is_not_installed(tmp_path: Path, tool: Tool) -> None:
    """PYE-07."""
    wheel = cached(tmp_path, "low", "1.0")
    other = write_wheel(tmp_path / "index", "low", "1.0", ("more",))
    other.rename(WheelCache(f"{tmp_path}/cache").path(wheel))
    with pytest.raises(InstallError, match="could not be made") as caught:
        make(tmp_path, [wheel], tool)
    assert caught.value.data["changed"] is False
    assert any("hash" in why.lower() for why in caught.value.why)
    (name,) = disk.names(f"{tmp_path}/prefix/envs")
    assert not environment.is_complete(f"{tmp_path}/prefix", name)


def test_a_wheel_that_is_not_in_the_cache_is_named(tmp_path: Path) -> None:
    """PYE-05, PYE-07."""
    with pytest.raises(FetchError, match="is not in the cache"):
        make(tmp_path, [ONE], Tool("pip", ("/missing",)))


def test_an_environment_whose_interpreter_is_gone_is_not_complete(tmp_path: Path) -> None:
    """PYE-07."""
    place = tmp_path / "envs/x"
    (place / "bin").mkdir(parents=True)
    (place / "complete").touch()
    (place / "bin/python").symlink_to(tmp_path / "gone")
    assert not environment.is_complete(str(tmp_path), "x")
    (tmp_path / "gone").touch()
    assert environment.is_complete(str(tmp_path), "x")
