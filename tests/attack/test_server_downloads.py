"""Whatever a server does, a download is the right file or an error, soon, with nothing left."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import os
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from crpack import disk
from crpack.errors import CrpackError, FetchError, InstallError, TrustError
from crpack.fetch import attempts
from crpack.fetch.download import PARTS_AGE_S, download
from crpack.fetch.transport import Patience, Transport
from tests.tools.lying_server import BUSY, LyingServer, lying

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = random.Random(5).randbytes(700_000)  # noqa: S311
SHA256 = hashlib.sha256(DATA).hexdigest()
PATIENCE = Patience(wait_s=0.001)
HASTE = Patience(0.5, 0.2, 0.2, wait_s=0.001, least_rate=10_000, window_s=0.05)
SOON = 60.0  # seconds, on a machine that is busy


@pytest.fixture(scope="module")
def server() -> Iterator[LyingServer]:
    with lying({"x": DATA}) as one:
        yield one


@pytest.fixture
def place(server: LyingServer, tmp_path: Path) -> Path:
    server.forget()
    (tmp_path / "into").mkdir()
    return tmp_path


def get(place: Path, *urls: str, **change: Any) -> None:
    """Download and compare with the right file."""
    words: dict[str, Any] = {"limit": 10**6, "sha256": SHA256, "size": len(DATA)}
    words |= {"parts": f"{place}/parts"}
    patience = change.pop("patience", PATIENCE)
    path = f"{place}/into/x"
    download(Transport({}, patience=patience), urls, path, **(words | change))
    assert (place / "into/x").read_bytes() == DATA
    assert os.stat(path).st_mode & 0o777 == 0o644
    assert disk.names(f"{place}/parts") == ()


def begun(server: LyingServer) -> list[int]:
    """Return where each request began."""
    asked = [headers.get("Range", "bytes=0-") for _, headers in server.asked]
    return [int(text.removeprefix("bytes=").partition("-")[0]) for text in asked]


@pytest.mark.parametrize(
    "lie",
    [
        *("good", "whole", "weak", "chunked", "unannounced", "moved", "cut-once", "cut-whole"),
        *("busy", "unsteady", "never", "other-rest", "alternating", "long", "other-size"),
        *("other-place", "no-size", "several"),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["size", "no-size"])
def test_the_right_file_comes_whatever_the_server_does(
    server: LyingServer, place: Path, lie: str, *, known: bool
) -> None:
    """FET-09, FET-10."""
    get(place, f"{server.url}/{lie}/x", size=len(DATA) if known else 0)


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        ("cut", FetchError),
        ("silent", FetchError),
        ("chunked-cut", FetchError),
        ("reset", FetchError),
        ("stalling", FetchError),
        ("dripping", FetchError),
        ("dripping-headers", FetchError),
        ("bad-length", FetchError),
        ("packed", FetchError),
        ("partial", FetchError),
        ("broken", FetchError),
        ("missing", FetchError),
        ("unsatisfiable", FetchError),
        ("away", FetchError),
        ("to-file", FetchError),
        ("in-circles", FetchError),
        ("nowhere", FetchError),
        ("endless", CrpackError),
        ("flipped", TrustError),
    ],
)
def test_a_lie_is_refused_soon_and_leaves_nothing(
    server: LyingServer, place: Path, lie: str, kind: type[CrpackError]
) -> None:
    """FET-02, FET-03, FET-04, FET-06."""
    patience = PATIENCE if kind is TrustError else HASTE
    for change in ({}, {"size": 0}, {"size": 0, "sha256": ""}):
        started = time.monotonic()
        if lie == "flipped" and "sha256" in change:
            continue  # nothing says what the file should be
        with pytest.raises(kind) as caught:
            get(place, f"{server.url}/{lie}/x", parts="", patience=patience, **change)
        assert caught.value.exit_code in (4, 5)
        assert time.monotonic() - started < SOON
        assert disk.names(f"{place}/into") == ()


def test_a_busy_server_is_asked_three_times(server: LyingServer, place: Path) -> None:
    """FET-10."""
    get(place, f"{server.url}/busy/x")
    assert len(server.asked) == BUSY + 1
    server.forget()
    with pytest.raises(FetchError) as caught:
        get(place, f"{server.url}/broken/x")
    assert caught.value.data["status"] == 500
    assert len(server.asked) == attempts.ATTEMPTS


def test_attempts_are_counted_anew_when_much_arrived(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FET-10."""
    monkeypatch.setattr(attempts, "PROGRESS", 100_000)
    with lying({"x": DATA}) as server:
        with pytest.raises(FetchError, match="broke off"):
            get(place, f"{server.url}/cut/x")  # 525,000 bytes, 131,250, 32,812…
        assert len(server.asked) == attempts.ATTEMPTS + 1


def test_it_goes_on_where_it_was_cut_with_the_etag(server: LyingServer, place: Path) -> None:
    """FET-09, FET-10."""
    get(place, f"{server.url}/cut-once/x")
    assert begun(server) == [0, len(DATA) // 2]
    assert server.asked[1][1]["If-Range"].startswith('"')


def test_without_a_digest_or_a_strong_etag_nothing_is_joined(
    server: LyingServer, place: Path
) -> None:
    """FET-10."""
    get(place, f"{server.url}/cut-once/x", sha256="")
    assert begun(server) == [0, len(DATA) // 2]
    server.forget()
    os.remove(place / "into/x")
    get(place, f"{server.url}/cut-whole/x", sha256="")
    assert begun(server) == [0, 0]


def test_a_changed_file_is_fetched_anew(server: LyingServer, place: Path) -> None:
    """FET-09, FET-10: without a digest too, the ETag keeps two files apart."""
    get(place, f"{server.url}/alternating/x", sha256="")
    assert begun(server) == [0, len(DATA) // 2]


def test_other_bytes_after_a_resume_are_fetched_once_more(server: LyingServer, place: Path) -> None:
    """FET-10."""
    get(place, f"{server.url}/other-rest/x")
    assert begun(server) == [0, len(DATA) // 2, 0]


def test_a_later_command_goes_on(server: LyingServer, place: Path) -> None:
    """FET-10."""
    counts: list[int] = []
    with pytest.raises(FetchError):
        get(place, f"{server.url}/cut/x", report=counts.append)
    assert disk.names(f"{place}/into") == ()
    assert disk.names(f"{place}/parts") == (SHA256,)
    had = os.path.getsize(place / "parts" / SHA256)
    assert sum(counts) == had > len(DATA) // 2
    server.forget()
    counts.clear()
    get(place, f"{server.url}/good/x", report=counts.append)
    assert begun(server) == [had]
    assert sum(counts) == len(DATA)


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * len(DATA), b"x" * (len(DATA) + 5)])
def test_a_damaged_part_is_fetched_once_more(server: LyingServer, place: Path, left: bytes) -> None:
    """FET-10."""
    for size in (len(DATA), 0):
        (place / "parts").mkdir(exist_ok=True)
        (place / "parts" / SHA256).write_bytes(left)
        counts: list[int] = []
        get(place, f"{server.url}/good/x", size=size, report=counts.append)
        assert sum(counts) == len(DATA)
        os.remove(place / "into/x")


def test_a_part_that_is_whole_is_not_fetched(server: LyingServer, place: Path) -> None:
    """FET-10."""
    (place / "parts").mkdir()
    (place / "parts" / SHA256).write_bytes(DATA)
    get(place, f"{server.url}/missing/x")
    assert server.asked == []


def test_wrong_bytes_are_not_kept(server: LyingServer, place: Path) -> None:
    """FET-06, FET-10."""
    with pytest.raises(TrustError):
        get(place, f"{server.url}/flipped/x")
    assert disk.names(f"{place}/parts") == ()


def test_another_address_goes_on_with_a_part(server: LyingServer, place: Path) -> None:
    """FET-10."""
    get(place, f"{server.url}/cut/x", f"{server.url}/good/x")
    assert begun(server)[-1] > len(DATA) // 2
    assert "If-Range" not in server.asked[-1][1]  # the ETag was another address's
    os.remove(place / "into/x")
    get(place, f"{server.url}/flipped/x", f"{server.url}/good/x")


def test_a_part_that_another_process_fills_is_left_to_it(server: LyingServer, place: Path) -> None:
    """FET-10."""
    (place / "parts").mkdir()
    with open(place / "parts" / SHA256, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        download(
            Transport({}),
            [f"{server.url}/good/x"],
            f"{place}/into/x",
            limit=10**6,
            sha256=SHA256,
            parts=f"{place}/parts",
        )
    assert (place / "into/x").read_bytes() == DATA
    assert (place / "parts" / SHA256).read_bytes() == b""


def test_many_downloads_of_one_file_at_once_are_all_right(server: LyingServer, place: Path) -> None:
    """FET-10."""
    errors: list[BaseException] = []

    def one(number: int) -> None:
        try:
            download(
                Transport({}, patience=PATIENCE),
                [f"{server.url}/good/x"],
                f"{place}/into/{number}",
                limit=10**6,
                sha256=SHA256,
                parts=f"{place}/parts",
            )
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {(place / "into" / str(number)).read_bytes() for number in range(8)} == {DATA}
    assert disk.names(f"{place}/parts") == ()


def test_old_and_too_many_parts_are_removed(place: Path) -> None:
    """FET-10."""
    parts = place / "parts"
    parts.mkdir()
    now = time.time()
    for name, age in (("old", PARTS_AGE_S + 60), ("a", 30), ("b", 20), ("held", 40), ("c", 10)):
        (parts / name).write_bytes(bytes(10))
        os.utime(parts / name, (now - age, now - age))
    with open(parts / "held", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert disk.sweep_parts(f"{parts}", cap=20, age_s=PARTS_AGE_S) == 2
    assert disk.names(f"{parts}") == ("b", "c", "held")
    assert disk.sweep_parts(f"{place}/missing", cap=0, age_s=0) == 0


def test_a_disk_that_is_too_full_is_told_before_bytes_are_written(
    server: LyingServer, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FET-10."""
    monkeypatch.setattr(disk, "free_bytes", lambda _: 1000)
    with pytest.raises(InstallError, match="no space left") as caught:
        get(place, f"{server.url}/good/x")
    assert caught.value.why == (f"it needs {len(DATA)} bytes, 1000 are free",)
    assert disk.names(f"{place}/into") == disk.names(f"{place}/parts") == ()


def test_a_part_that_is_a_link_is_not_followed(server: LyingServer, place: Path) -> None:
    """FET-10."""
    (place / "parts").mkdir()
    (place / "mine").write_bytes(b"mine")
    (place / "parts" / SHA256).symlink_to(place / "mine")
    with pytest.raises(InstallError):
        get(place, f"{server.url}/good/x")
    assert (place / "mine").read_bytes() == b"mine"


@pytest.fixture
def faults() -> Iterator[None]:
    yield
    disk.arm(None)


def test_a_part_on_another_file_system_is_copied(
    server: LyingServer, place: Path, faults: None
) -> None:
    """FET-10."""

    def hook(name: str) -> None:
        if name == "atomic-write.rename":
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    disk.arm(hook)
    get(place, f"{server.url}/good/x")


@pytest.mark.parametrize("parts", [True, False])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_anywhere_leaves_nothing_and_may_be_tried_again(
    server: LyingServer, place: Path, faults: None, number: int, *, parts: bool
) -> None:
    """FET-10, STO-10."""
    folder = f"{place}/parts" if parts else ""
    for at in itertools.count():  # how many steps there are depends on how the bytes arrive
        disk.remove_tree(f"{place}/into")
        disk.remove_tree(f"{place}/parts")
        (place / "into").mkdir()
        left = iter([None] * at)
        failed: list[str] = []

        def fail(name: str, left: Iterator[None] = left, failed: list[str] = failed) -> None:
            if next(left, 0) == 0:
                failed.append(name)
                raise OSError(number, os.strerror(number))

        server.forget()
        disk.arm(fail)
        try:
            get(place, f"{server.url}/cut-once/x", parts=folder)
        except InstallError:
            assert failed
        else:
            assert not failed
            assert at > 3
            break
        disk.arm(None)
        disk.remove_file(f"{place}/into/x")  # the folder was private, and would be removed
        get(place, f"{server.url}/good/x", parts=folder)
