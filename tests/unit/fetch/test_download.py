from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import FetchError, InstallError, TrustError
from crpack.fetch.download import download
from crpack.fetch.transport import Transport

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"the right file"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a right and a wrong file in it."""
    (tmp_path / "right").write_bytes(DATA)
    (tmp_path / "wrong").write_bytes(b"the wrong one!")
    (tmp_path / "into").mkdir()
    return tmp_path


def test_a_file_arrives_with_its_digest(place: Path) -> None:
    """FET-06."""
    seen: list[int] = []
    download(
        Transport({}),
        [f"{place}/right"],
        f"{place}/into/a",
        limit=100,
        sha256=SHA256,
        size=len(DATA),
        report=seen.append,
    )
    assert (place / "into/a").read_bytes() == DATA
    assert sum(seen) == len(DATA)


def test_the_next_address_is_tried(place: Path) -> None:
    """FET-06."""
    urls = [f"{place}/missing", f"{place}/wrong", f"{place}/right"]
    download(Transport({}), urls, f"{place}/into/a", limit=100, sha256=SHA256)
    assert (place / "into/a").read_bytes() == DATA


def test_wrong_bytes_are_a_matter_of_trust_and_leave_nothing(place: Path) -> None:
    """FET-06."""
    with pytest.raises(TrustError) as caught:
        download(Transport({}), [f"{place}/wrong"], f"{place}/into/a", limit=100, sha256=SHA256)
    assert caught.value.exit_code == 4
    assert SHA256 in caught.value.why[1]
    urls = [f"{place}/wrong", f"{place}/missing"]
    with pytest.raises(TrustError) as caught:
        download(Transport({}), urls, f"{place}/into/a", limit=100, sha256=SHA256)
    assert len(caught.value.why) == 2
    assert disk.names(f"{place}/into") == ()


@pytest.mark.parametrize("size", [len(DATA) - 1, len(DATA) + 1])
def test_a_file_of_another_size_is_refused(place: Path, size: int) -> None:
    """FET-06, CLI-05: as one with another digest is."""
    with pytest.raises(TrustError) as caught:
        download(Transport({}), [f"{place}/right"], f"{place}/into/a", limit=100, size=size)
    assert caught.value.why == (f"it has {len(DATA)} bytes, not {size}",)
    assert disk.names(f"{place}/into") == ()


def test_no_address_that_answers_is_a_matter_of_reach(place: Path) -> None:
    urls = [f"{place}/missing", f"{place}/missing2"]
    with pytest.raises(FetchError) as caught:
        download(Transport({}), urls, f"{place}/into/a", limit=100)
    assert len(caught.value.why) == 2
    with pytest.raises(FetchError, match="no address"):
        download(Transport({}), [], f"{place}/into/a", limit=100)


def test_a_full_disk_is_not_blamed_on_the_address(place: Path) -> None:
    (place / "into/a").touch()
    with pytest.raises(InstallError):
        download(Transport({}), [f"{place}/right"], f"{place}/into/a", limit=100)
