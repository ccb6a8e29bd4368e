from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crpack import disk
from crpack.errors import FetchError, NoSolution
from crpack.fetch.transport import Transport
from crpack.install.python import lock, tools
from crpack.install.python.lock import Located, from_pylock, from_report, lock_wheels
from crpack.install.python.tools import Interpreter, Tool
from crpack.install.python.wheels import WheelCache
from crpack.model.lock import Wheel
from tests.unit.install.python.room import environ, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

A = "a" * 64
URL = "https://example.org/x/My_Pkg-1.0-py3-none-any.whl"
WHEEL = Wheel("my-pkg", "1.0", "My_Pkg-1.0-py3-none-any.whl", A, 0)
PYTHON = Interpreter(sys.executable, sys.executable, "cpython", "3.11.0", "")


def item(url: str = URL, *, direct: bool = False, **info: Any) -> dict[str, Any]:
    archive = {"archive_info": {"hashes": {"sha256": A}}, **info}
    return {
        "download_info": {"url": url, **archive},
        "metadata": {"name": "My_Pkg", "version": "1.0"},
        "is_direct": direct,
    }


def report(*items: Any) -> bytes:
    return json.dumps({"version": "1", "install": items}).encode()


def test_a_report_of_pip_gives_wheels_and_where_they_are() -> None:
    """PYE-04."""
    assert from_report(report(item())) == (Located(WHEEL, URL),)
    assert from_report(report()) == ()


def test_a_report_of_pip_before_23_1_has_the_digest_as_one_text() -> None:
    """PYE-02, PYE-04: such is the pip of Debian 12."""
    old = item(archive_info={"hash": f"sha256={A}"})
    assert from_report(report(old)) == (Located(WHEEL, URL),)


def test_only_an_address_that_was_asked_for_enters_the_lock() -> None:
    """LCK-06."""
    secret = URL.replace("https://", "https://user:secret@")
    (located,) = from_report(report(item(secret, direct=True)))
    assert located.wheel.url == URL
    assert located.url == secret
    (located,) = from_pylock(PYLOCK_ARCHIVE.encode())
    assert located.wheel.url == "/w/a-1-py3-none-any.whl"


def test_a_file_name_with_escapes_is_read_as_it_is() -> None:
    (located,) = from_report(report(item(URL.replace("1.0-py3", "1.0%2Bcpu-py3"))))
    assert located.wheel.filename == "My_Pkg-1.0+cpu-py3-none-any.whl"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 99_999,
        report(5),
        report({}),
        report(item(URL.replace(".whl", ".tar.gz"))),
        report(item(vcs_info={}, archive_info=None)),
        report(item(archive_info={"hashes": {"md5": "x"}})),
        report(item(archive_info={"hashes": {"sha256": "short"}})),
        report(item(archive_info={"hashes": {"sha256": 5}})),
        report(item(archive_info={"hash": f"md5={A}"})),
        report(item(archive_info={"hash": 5})),
        report(item(archive_info={})),
    ],
)
def test_another_answer_of_pip_is_not_understood(data: bytes) -> None:
    """PYE-04."""
    with pytest.raises(FetchError, match="answer of `pip` was not understood"):
        from_report(data)


PYLOCK = f"""
lock-version = "1.0"
[[packages]]
name = "my-pkg"
version = "1.0"
wheels = [
    {{ url = "{URL}", upload-time = 2024-12-04T17:35:26Z, size = 7, hashes.sha256 = "{A}" }},
]
"""
PYLOCK_ARCHIVE = f"""
[[packages]]
name = "a"
version = "1"
archive = {{ path = "/w/a-1-py3-none-any.whl", hashes = {{ sha256 = "{A}" }} }}
"""


def test_a_pylock_of_uv_gives_the_same_with_sizes() -> None:
    """PYE-04."""
    (located,) = from_pylock(PYLOCK.encode())
    assert located.wheel == Wheel(WHEEL.name, "1.0", WHEEL.filename, A, 7)
    assert located.url == URL
    assert from_pylock(b'lock-version = "1.0"') == ()


@pytest.mark.parametrize(
    "text",
    [
        "\xff",
        "packages = 5",
        "[[packages]]\nname = 'a'",
        PYLOCK.replace("wheels", "sdist"),
        PYLOCK.replace("wheels = [", "wheels = [{},"),
        PYLOCK.replace("wheels = [", "wheels = [{url = 5},"),
        "[[packages]]\nname = 'a'\nversion = '1'\nwheels = []",
        PYLOCK.replace("size = 7", "size = 7.5"),
        PYLOCK.replace(".whl", ".zip"),
    ],
)
def test_another_answer_of_uv_is_not_understood(text: str) -> None:
    """PYE-04."""
    with pytest.raises(FetchError, match="answer of `uv` was not understood"):
        from_pylock(text.encode("latin-1"))


def locked(
    folder: Path, requires: list[str], *, tool: Tool, transport: Transport | None = None
) -> tuple[Located, ...]:
    """Lock with the wheels in `folder/index`."""
    stage = disk.make_stage(f"{folder}/stage")
    try:
        return lock_wheels(
            requires,
            PYTHON,
            tool=tool,
            cache=WheelCache(f"{folder}/cache"),
            transport=transport or Transport({}),
            folder=stage.path,
            environ=environ(folder / "index"),
        )
    finally:
        stage.close()


def fake(stdout: bytes, stderr: str = "", code: int = 0) -> Tool:
    """Return a tool that answers what it is told to, whatever it is asked."""
    script = (
        f"import sys; sys.stderr.write({stderr!r}); sys.stdout.buffer.write({stdout!r}); "
        f"sys.exit({code})"
    )
    return Tool("pip", (sys.executable, "-c", script))


def test_of_several_wheels_that_fit_the_closest_is_taken() -> None:
    """PYE-04: uv lists every wheel that fits."""
    native = URL.replace("py3-none-any", "cp311-cp311-manylinux_2_28_x86_64")
    row = f'    {{ url = "{native}", hashes.sha256 = "{"b" * 64}" }},\n'
    (located,) = from_pylock(PYLOCK.replace("wheels = [\n", f"wheels = [\n{row}").encode())
    assert located.url == native
    assert located.wheel.sha256 == "b" * 64


def test_nothing_asked_is_nothing_locked(tmp_path: Path) -> None:
    assert locked(tmp_path, [], tool=Tool("pip", ("/missing",))) == ()


def test_warnings_do_not_matter(tmp_path: Path) -> None:
    """PYE-04."""
    tool = fake(report(item(f"{tmp_path}/a-1-py3-none-any.whl")), "WARNING: a\n" * 99)
    (located,) = locked(tmp_path, ["a"], tool=tool)
    assert located.wheel.size == 0  # nobody knows


@pytest.mark.parametrize(
    ("stderr", "kind", "code"),
    [
        ("ERROR: No matching distribution found for a\n", NoSolution, 3),
        ("WARNING: Retrying after connection broken\nERROR: No matching x\n", FetchError, 5),
        ("error: dns error\n", FetchError, 5),
        ("", NoSolution, 3),
    ],
)
def test_a_failure_is_told_apart_by_its_cause(
    tmp_path: Path, stderr: str, kind: type[NoSolution | FetchError], code: int
) -> None:
    with pytest.raises(kind) as caught:
        locked(tmp_path, ["a"], tool=fake(b"", stderr, 1))
    assert caught.value.exit_code == code
    assert caught.value.why
    assert caught.value.hint


@pytest.fixture(scope="module", params=["pip", "uv"])
def tool(request: pytest.FixtureRequest) -> Tool:
    path = "" if request.param == "pip" else os.path.dirname(sys.executable)
    found = tools.find_tool(tools.ask(sys.executable, os.environ), {"PATH": path})
    if found.kind != request.param:
        pytest.skip("uv is not beside the interpreter")
    return found


def test_a_tool_chooses_wheels_with_all_they_need(tmp_path: Path, tool: Tool) -> None:
    """PYE-03, PYE-04."""
    write_wheel(tmp_path / "index", "low", "1.0")
    newest = write_wheel(tmp_path / "index", "low", "2.0")
    write_wheel(tmp_path / "index", "top", "1.0", ("low>=1",))
    low, top = locked(tmp_path, ["top"], tool=tool)
    data = newest.read_bytes()
    assert low.wheel == Wheel(
        "low", "2.0", newest.name, hashlib.sha256(data).hexdigest(), len(data)
    )
    assert low.url == newest.as_uri()
    assert top.wheel.name == "top"
    with pytest.raises(NoSolution) as caught:
        locked(tmp_path, ["low>2"], tool=tool)
    assert "low>2" in " ".join(caught.value.why)


def test_a_requirement_that_asks_for_a_variable_is_refused(tmp_path: Path, tool: Tool) -> None:
    """PYE-03: tools would send its value to the address."""
    hostile = "low @ https://h.invalid/${PIP_INDEX_URL}/low-1.0-py3-none-any.whl"
    with pytest.raises(NoSolution, match="asks for a variable"):
        locked(tmp_path, [hostile], tool=tool)


def test_offline_the_cache_is_the_index(tmp_path: Path, tool: Tool) -> None:
    """PYE-04, PYE-05."""
    write_wheel(tmp_path / "index", "low", "2.0")
    cached = write_wheel(tmp_path / "cache/wheels" / A, "low", "1.0")
    offline = Transport({}, offline=True)
    (low,) = locked(tmp_path, ["low"], tool=tool, transport=offline)
    assert low.wheel.version == "1.0"
    assert low.wheel.size == cached.stat().st_size
    with pytest.raises(FetchError) as caught:
        locked(tmp_path, ["low>=2"], tool=tool, transport=offline)
    assert caught.value.exit_code == 5
    assert caught.value.hint == "run once without `--offline`"


def test_uv_is_asked_for_a_pylock() -> None:
    """PYE-04."""
    argv = lock.command(Tool("uv", ("uv",)), PYTHON)
    assert argv[:3] == ("uv", "pip", "compile")
    assert argv[-2:] == ("--format", "pylock.toml")
    assert "--only-binary" in argv
