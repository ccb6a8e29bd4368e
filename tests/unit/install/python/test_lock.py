from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crpack import disk
from crpack.errors import FetchError, NoSolution
from crpack.fetch.transport import Transport
from crpack.install.python import tools
from crpack.install.python.chooser import Chooser
from crpack.install.python.lock import Located, from_pylock, from_report, lock_wheels
from crpack.install.python.target import Target
from crpack.install.python.tools import Interpreter, Tool
from crpack.install.python.wheels import WheelCache
from crpack.model.lock import Wheel
from crpack.model.platforms import parse
from tests.unit.install.python.room import environ, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

A = "a" * 64
URL = "https://example.org/x/My_Pkg-1.0-py3-none-any.whl"
WHEEL = Wheel("my-pkg", "1.0", "My_Pkg-1.0-py3-none-any.whl", A, 0)
THERE = Target(parse("linux-aarch64-gnu2.36"), "3.42")
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


def test_what_is_asked_for_by_an_address_is_not_of_the_users_index() -> None:
    """LCK-06, PYE-04."""
    secret = URL.replace("https://", "https://user:secret@")
    with pytest.raises(NoSolution, match="asked for by an address") as caught:
        from_report(report(item(secret, direct=True)))
    assert "secret" not in str(caught.value.why)
    with pytest.raises(NoSolution, match="asked for by an address"):
        from_pylock(PYLOCK_ARCHIVE.encode())


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
    folder: Path,
    requires: list[str],
    *,
    tool: Tool,
    transport: Transport | None = None,
    target: Target | None = None,
) -> tuple[Located, ...]:
    """Lock with the wheels in `folder/index`."""
    stage = disk.make_stage(f"{folder}/stage")
    try:
        chooser = Chooser(
            tool, PYTHON, folder=stage.path, environ=environ(folder / "index"), target=target
        )
        cache = WheelCache(f"{folder}/cache")
        return lock_wheels(requires, chooser, cache=cache, transport=transport or Transport({}))
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
    argv = Chooser(Tool("uv", ("uv",)), PYTHON, folder="/f", environ={}).command()
    assert argv[:3] == ("uv", "pip", "compile")
    assert argv[-2:] == ("--format", "pylock.toml")
    assert "--only-binary" in argv


def names(located: tuple[Located, ...]) -> list[str]:
    return [one.wheel.filename for one in located]


def test_the_wheels_of_another_platform_are_chosen(tmp_path: Path, tool: Tool) -> None:
    """PYE-09: of its own ABI, the stable one, or pure; none with a newer floor."""
    index = tmp_path / "index"
    for tag in ("cp311-cp311-linux_x86_64", "py3-none-any", "cp310-cp310-manylinux_2_17_aarch64"):
        write_wheel(index, "native", "1.0", tag=tag)
    for machine in ("x86_64", "aarch64"):
        write_wheel(index, "native", "1.0", tag=f"cp342-cp342-manylinux_2_28_{machine}")
        write_wheel(index, "native", "2.0", tag=f"cp342-cp342-manylinux_2_39_{machine}")
        write_wheel(index, "stable", "1.0", tag=f"cp39-abi3-manylinux2014_{machine}")
    write_wheel(index, "pure", "1.0", ("native", "stable"))
    assert names(locked(tmp_path, ["pure"], tool=tool, target=THERE)) == [
        "native-1.0-cp342-cp342-manylinux_2_28_aarch64.whl",
        "pure-1.0-py3-none-any.whl",
        "stable-1.0-cp39-abi3-manylinux2014_aarch64.whl",
    ]


def test_the_markers_are_those_of_the_other_machine(tmp_path: Path, tool: Tool) -> None:
    """PYE-09: also where pip, which asks those of its own machine, must be asked again."""
    index = tmp_path / "index"
    later, before = "python_version >= '3.40'", "python_version < '3.40'"
    write_wheel(index, "top", "1.0", (f"here; {before}", f"there[fast]>=1; {later}", "low"))
    write_wheel(index, "there", "1.0", ("speed; extra == 'fast'", "slow; extra == 'slow'"))
    write_wheel(index, "speed", "1.0", (f"low<2; {later}",))
    for name in ("here", "slow"):
        write_wheel(index, name, "1.0")
    write_wheel(index, "low", "1.0")
    write_wheel(index, "low", "2.0")
    found = locked(tmp_path, ["top"], tool=tool, target=THERE)
    assert [(one.wheel.name, one.wheel.version) for one in found] == [
        ("low", "1.0"), ("speed", "1.0"), ("there", "1.0"), ("top", "1.0"),
    ]  # fmt: skip


def test_where_a_platform_has_no_wheel_both_are_named(tmp_path: Path, tool: Tool) -> None:
    """PYE-09."""
    write_wheel(tmp_path / "index", "native", "1.0", tag="cp342-cp342-manylinux_2_17_x86_64")
    with pytest.raises(NoSolution) as caught:
        locked(tmp_path, ["native>=1"], tool=tool, target=THERE)
    assert caught.value.exit_code == 3
    assert "Python 3.42 on `linux-aarch64-gnu2.36`" in caught.value.what
    assert "native" in " ".join(caught.value.why)


def test_a_platform_without_a_floor_is_told_to_state_one(tmp_path: Path) -> None:
    """PYE-09: what is not known to be there cannot be relied on."""
    write_wheel(tmp_path / "index", "native", "1.0", tag="cp342-cp342-manylinux_2_17_aarch64")
    target = Target(parse("linux-aarch64-gnu"), "3.42")
    pip = tools.find_tool(PYTHON, {})
    with pytest.raises(NoSolution, match="linux-aarch64-gnu`") as caught:
        locked(tmp_path, ["native"], tool=pip, target=target)
    assert "floor" in caught.value.hint


def test_offline_another_platform_is_served_from_the_cache(tmp_path: Path, tool: Tool) -> None:
    """PYE-04, PYE-09."""
    tag = "cp342-cp342-manylinux_2_17_aarch64"
    write_wheel(tmp_path / "cache/wheels" / A, "native", "1.0", tag=tag)
    offline = Transport({}, offline=True)
    found = locked(tmp_path, ["native"], tool=tool, transport=offline, target=THERE)
    assert names(found) == [f"native-1.0-{tag}.whl"]


@pytest.mark.parametrize(
    ("lines", "kind", "what"),
    [
        (["no dependency!"], FetchError, "was not understood"),
        (["b; python_version >= '3.40"], FetchError, "was not understood"),
        ([f"b; {'(' * 9999}"], FetchError, "was not understood"),
        (5, FetchError, "was not understood"),
        (["b"], NoSolution, "come to no end"),
        (["b @ https://h.invalid/${HOME}/b-1-py3-none-any.whl"], NoSolution, "asks for a variable"),
    ],
)
def test_hostile_metadata_ends_in_one_sentence(
    tmp_path: Path, lines: object, kind: type[Exception], what: str
) -> None:
    """PYE-09."""
    hostile = item()
    hostile["metadata"] |= {"requires_dist": lines}
    with pytest.raises(kind, match=what):
        locked(tmp_path, ["my-pkg"], tool=fake(report(hostile)), target=THERE)
