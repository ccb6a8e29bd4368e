from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import FetchError
from crpack.install.python import pins
from crpack.install.python.chooser import Chooser
from crpack.install.python.target import Target
from crpack.install.python.tools import Interpreter, Tool
from crpack.model.lock import Wheel
from crpack.model.platforms import parse
from tests.unit.install.python.room import environ, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.install.python.lock import Located

PYTHON = Interpreter(sys.executable, sys.executable, "cpython", "3.11.0", "")
THERE = Target(parse("linux-aarch64-gnu2.36"), "3.42")


def locate(
    folder: Path, *wheels: Wheel, tool: Tool, target: Target | None = None, page: str = ""
) -> tuple[Located, ...]:
    """Locate in `folder/index`, which pip sees as the page."""
    stage = disk.make_stage(f"{folder}/stage")
    try:
        seen = environ(folder / "index")
        seen |= {"PIP_FIND_LINKS": str(folder / "index" / page)}
        chooser = Chooser(tool, PYTHON, folder=stage.path, environ=seen, target=target)
        return pins.locate(wheels, chooser)
    finally:
        stage.close()


def wheel_of(path: Path) -> Wheel:
    """Return the row that a lock would have for a wheel's file."""
    name, version, *_ = path.name.split("-")
    data = path.read_bytes()
    return Wheel(name, version, path.name, hashlib.sha256(data).hexdigest(), len(data))


def test_wheels_are_located_as_they_were_locked(tmp_path: Path, tool: Tool) -> None:
    """PYE-08: though the index has a newer one, and what they need is not asked for."""
    paths = [
        write_wheel(tmp_path / "index", "low", "1.0", ("gone",)),
        write_wheel(tmp_path / "index", "top", "1.0", ("low",)),
    ]
    write_wheel(tmp_path / "index", "low", "2.0")
    wheels = [wheel_of(path) for path in paths]
    found = locate(tmp_path, *wheels, tool=tool)
    assert [one.wheel for one in found] == wheels
    assert [one.url for one in found] == [path.as_uri() for path in paths]


def test_of_several_files_that_fit_the_digest_decides(tmp_path: Path, tool: Tool) -> None:
    """PYE-08: the locked one is not the one that a tool would choose."""
    index = tmp_path / "index"
    pure = write_wheel(index, "low", "1.0")
    near = write_wheel(index, "low", "1.0", tag="py3-none-manylinux_2_17_aarch64")
    links = (f'<a href="{one.name}#sha256={wheel_of(one).sha256}">x</a>' for one in (near, pure))
    (index / "page.html").write_text("\n".join(links))
    (found,) = locate(tmp_path, wheel_of(pure), tool=tool, target=THERE, page="page.html")
    assert found.url == pure.as_uri()


def test_the_wheels_of_another_platform_are_located(tmp_path: Path, tool: Tool) -> None:
    """PYE-08, PYE-09."""
    tag = "cp342-cp342-manylinux_2_28_aarch64"
    path = write_wheel(tmp_path / "index", "native", "1.0", tag=tag)
    write_wheel(tmp_path / "index", "native", "1.0", tag=tag.replace("aarch64", "x86_64"))
    (found,) = locate(tmp_path, wheel_of(path), tool=tool, target=THERE)
    assert found.url == path.as_uri()
    with pytest.raises(FetchError):  # which does not fit this machine
        locate(tmp_path, wheel_of(path), tool=tool)


def test_another_file_under_the_name_is_not_the_locked_one(tmp_path: Path, tool: Tool) -> None:
    """PYE-08."""
    path = write_wheel(tmp_path / "index", "low", "1.0")
    with pytest.raises(FetchError, match="your Python index does not have the wheel") as caught:
        locate(tmp_path, replace(wheel_of(path), sha256="a" * 64), tool=tool)
    assert caught.value.exit_code == 5
    assert caught.value.why
    assert caught.value.hint


def test_a_version_that_the_index_lacks_cannot_be_had(tmp_path: Path, tool: Tool) -> None:
    """PYE-08."""
    path = write_wheel(tmp_path / "index", "low", "1.0")
    with pytest.raises(FetchError, match="does not have the wheels of the lock") as caught:
        locate(tmp_path, replace(wheel_of(path), version="2.0"), tool=tool)
    assert "low==2.0" in " ".join(caught.value.why)


def test_nothing_to_locate_asks_nobody(tmp_path: Path) -> None:
    """PYE-08."""
    assert locate(tmp_path, tool=Tool("pip", ("/missing",))) == ()


@pytest.mark.parametrize(
    ("kind", "script", "what"),
    [
        ("pip", "print('[]')", "answer of `pip` was not understood"),
        ("uv", "print('packages = 5')", "answer of `uv` was not understood"),
        ("uv", "print('[[packages]]')", "does not have the wheel `low-1.0-py3-none-any.whl`"),
        ("pip", "import sys; sys.exit('error: dns error')", "index cannot be reached"),
    ],
)
def test_an_answer_of_another_form_is_no_address(
    tmp_path: Path, kind: str, script: str, what: str
) -> None:
    """PYE-08."""
    path = write_wheel(tmp_path / "index", "low", "1.0")
    fake = Tool("uv" if kind == "uv" else "pip", (sys.executable, "-c", script))
    with pytest.raises(FetchError, match=what):
        locate(tmp_path, wheel_of(path), tool=fake)
