from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from crpack import disk
from crpack.errors import FetchError, InstallError, TrustError
from crpack.fetch.transport import Transport
from crpack.install.python.wheels import WheelCache
from crpack.model.lock import Wheel
from tests.unit.install.python.room import write_wheel


@pytest.fixture
def made(tmp_path: Path) -> tuple[Wheel, dict[str, str]]:
    path = write_wheel(tmp_path / "index", "low", "1.0")
    data = path.read_bytes()
    wheel = Wheel("low", "1.0", path.name, hashlib.sha256(data).hexdigest(), len(data))
    return wheel, {wheel.sha256: path.as_uri()}


def test_a_wheel_is_fetched_once(tmp_path: Path, made: tuple[Wheel, dict[str, str]]) -> None:
    """PYE-05."""
    wheel, places = made
    cache = WheelCache(f"{tmp_path}/cache")
    counts: list[int] = []
    cache.fetch(Transport({}), [wheel], places, counts.append)
    assert sum(counts) == wheel.size
    assert cache.has(wheel)
    assert cache.files() == (cache.path(wheel),)
    cache.fetch(Transport({}, offline=True), [wheel], {}, counts.append)
    assert sum(counts) == wheel.size
    assert disk.names(f"{tmp_path}/cache/stage") == ()


def test_a_wheel_that_was_damaged_in_the_cache_is_fetched_again(
    tmp_path: Path, made: tuple[Wheel, dict[str, str]]
) -> None:
    """PYE-05."""
    wheel, places = made
    cache = WheelCache(f"{tmp_path}/cache")
    cache.fetch(Transport({}), [wheel], places)
    damaged = Path(cache.path(wheel))
    damaged.chmod(0o644)
    damaged.write_bytes(b"not a wheel")
    cache.fetch(Transport({}), [wheel], places)
    assert hashlib.sha256(damaged.read_bytes()).hexdigest() == wheel.sha256
    damaged.chmod(0o644)
    damaged.write_bytes(b"not a wheel")
    with pytest.raises(FetchError, match="is not in the cache, and crpack is offline"):
        cache.fetch(Transport({}, offline=True), [wheel], {})
    assert not cache.has(wheel)


def test_a_wheel_that_is_not_the_locked_one_is_refused(
    tmp_path: Path, made: tuple[Wheel, dict[str, str]]
) -> None:
    """PYE-05."""
    wheel, places = made
    other = replace(wheel, sha256="0" * 64)
    cache = WheelCache(f"{tmp_path}/cache")
    with pytest.raises(TrustError):
        cache.fetch(Transport({}), [other], {other.sha256: places[wheel.sha256]})
    assert not cache.has(other)
    assert disk.names(f"{tmp_path}/cache/stage") == ()


@pytest.mark.parametrize(("offline", "url"), [(True, "https://h/low.whl"), (True, ""), (False, "")])
def test_a_wheel_that_cannot_be_had_is_named(
    tmp_path: Path, made: tuple[Wheel, dict[str, str]], url: str, *, offline: bool
) -> None:
    """PYE-05."""
    wheel, _ = made
    cache = WheelCache(f"{tmp_path}/cache")
    with pytest.raises(FetchError) as caught:
        cache.fetch(Transport({}, offline=offline), [wheel], {wheel.sha256: url})
    assert wheel.filename in caught.value.what
    assert caught.value.exit_code == 5


def test_two_names_of_the_same_bytes_stand_beside_each_other(
    tmp_path: Path, made: tuple[Wheel, dict[str, str]]
) -> None:
    """PYE-05: a wheel that came under another name is not in the way."""
    wheel, places = made
    data = Path(places[wheel.sha256].removeprefix("file://")).read_bytes()
    other = replace(wheel, filename="low-1.0-2-py3-none-any.whl")
    cache = WheelCache(f"{tmp_path}/cache")
    cache.put(other, [data])
    cache.put(wheel, [data])
    assert set(cache.files()) == {cache.path(wheel), cache.path(other)}
    Path(cache.path(other)).unlink()
    cache.fetch(Transport({}), [other], places)
    assert cache.has(other)
    assert cache.has(wheel)


def test_what_is_in_the_way_of_a_wheel_is_named(
    tmp_path: Path, made: tuple[Wheel, dict[str, str]]
) -> None:
    """PYE-05."""
    wheel, places = made
    cache = WheelCache(f"{tmp_path}/cache")
    disk.make_folders(cache.path(wheel))
    with pytest.raises(InstallError, match="is not a file") as caught:
        cache.fetch(Transport({}), [wheel], places)
    assert caught.value.hint
