from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from crpack.errors import FetchError
from crpack.fetch import transport as module
from crpack.fetch.transport import Patience, Transport, ca_bundle, shown
from tests.unit.fetch.server import BODY, Handler, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Transport:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return Transport({}, patience=Patience(connect_s=2, read_s=0.5, headers_s=0.4))


def fetch(transport: Transport, url: str, limit: int = 10**6) -> bytes:
    with transport.open(url, limit=limit) as body:
        return b"".join(body)


@pytest.mark.parametrize("path", ["good", "chunked", "unannounced", "moved"])
def test_bytes_come_as_they_are(transport: Transport, url: str, path: str) -> None:
    """FET-01, FET-02."""
    assert fetch(transport, f"{url}/{path}") == BODY
    assert Handler.asked[-1]["Accept-Encoding"] == "identity"


def test_the_announced_size_is_told(transport: Transport, url: str) -> None:
    with transport.open(f"{url}/moved", limit=10**6) as body:
        assert body.size == len(BODY)
        assert b"".join(body) == BODY
    with transport.open(f"{url}/chunked", limit=10**6) as body:
        assert body.size == -1
    assert transport.size(f"{url}/moved") == len(BODY)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing", "answered 404 Not Found"),
        ("partial", "answered 206"),
        ("packed", "does not send its bytes as they are"),
        ("bad-length", "announced the length `-5`"),
        ("away", "redirects to `http://localhost"),
        ("to-file", "redirects to `file:///etc/passwd`"),
        ("in-circles", "redirects more than 5 times"),
        ("nowhere", "redirects more than 5 times"),
        ("dripping-headers", "is too slow"),
    ],
)
def test_an_answer_that_is_not_right_is_refused(
    transport: Transport, url: str, path: str, words: str
) -> None:
    """FET-02, FET-03, FET-04."""
    with pytest.raises(FetchError) as caught:
        transport.open(f"{url}/{path}", limit=10**6)
    assert words in caught.value.what


@pytest.mark.parametrize("path", ["cut", "chunked-cut", "stalling"])
def test_a_body_that_breaks_off_is_an_error(transport: Transport, url: str, path: str) -> None:
    """FET-04."""
    with pytest.raises(FetchError) as caught:
        fetch(transport, f"{url}/{path}")
    assert "broke off" in caught.value.what or "cut off" in caught.value.what
    assert caught.value.why


def test_a_body_is_not_read_beyond_the_limit(transport: Transport, url: str) -> None:
    """FET-04."""
    with pytest.raises(FetchError, match="more than 100"):
        transport.open(f"{url}/good", limit=100)
    for path in ("chunked", "unannounced"):
        with pytest.raises(FetchError, match="longer than 200 bytes"):
            fetch(transport, f"{url}/{path}", limit=200)
    assert fetch(transport, f"{url}/good", limit=len(BODY)) == BODY


@pytest.mark.parametrize(
    "patience",
    [Patience(least_rate=10_000, window_s=0.05), Patience(deadline_s=0.1)],
)
def test_a_body_that_drips_is_given_up(url: str, patience: Patience) -> None:
    """FET-04: each byte comes in time, all of them never."""
    slow = Transport({}, patience=patience)
    with pytest.raises(FetchError, match="is too slow"):
        fetch(slow, f"{url}/dripping")


@pytest.mark.parametrize(
    ("start", "location", "end"),
    [
        ("http://h/a", "https://h/b", "https://h/b"),
        ("http://h/a", "b?x#y", "http://h/b?x#y"),
        ("https://h/a", "https://h:443/b", "https://h:443/b"),
        ("https://h/a", "http://h/b", None),
        ("https://h/a", "https://h:8443/b", None),
        ("http://h/a", "http://h:81/b", None),
        ("https://h/a", "https://other/b", None),
        ("https://h/a", "//other/b", None),
        ("https://h/a", "ftp://h/b", None),
        ("https://h/a", "https://[", None),
    ],
)
def test_where_a_redirect_may_lead(start: str, location: str, end: str | None) -> None:
    """FET-03."""
    follow = Transport({})._redirected
    if end is None:
        with pytest.raises(FetchError):
            follow(module._split(start), location)
    else:
        assert follow(module._split(start), location).geturl() == end


def test_credentials_stay_on_their_host_and_are_not_shown(transport: Transport, url: str) -> None:
    """FET-03."""
    secret = url.replace("http://", "http://user:secret@")
    Handler.asked.clear()
    for path in ("away", "missing"):
        with pytest.raises(FetchError) as caught:
            transport.open(f"{secret}/{path}", limit=10)
        assert "secret" not in caught.value.what
    assert [("Authorization" in headers) for headers in Handler.asked] == [True, True]
    assert shown("https://u:p@h:1/x?y") == "https://h:1/x?y"


def test_a_host_that_does_not_answer_is_told_without_credentials(transport: Transport) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    with pytest.raises(FetchError) as caught:
        transport.open(f"http://user:secret@127.0.0.1:{port}/x", limit=10)
    assert caught.value.what == f"`http://127.0.0.1:{port}/x` cannot be reached"
    assert "refused" in caught.value.why[0]
    assert "secret" not in "".join(caught.value.why)
    assert caught.value.hint


def test_offline_no_connection_is_opened(url: str, tmp_path: Path) -> None:
    """FET-01."""
    (tmp_path / "a").write_bytes(b"here")
    offline = Transport({}, offline=True)
    before = len(Handler.asked)
    for ask in (lambda: offline.open(f"{url}/good", limit=10**6), lambda: offline.size(url)):
        with pytest.raises(FetchError, match="crpack is offline"):
            ask()
    assert len(Handler.asked) == before
    assert fetch(offline, f"{tmp_path}/a") == b"here"


def test_local_files_are_opened_by_path_and_address(transport: Transport, tmp_path: Path) -> None:
    """FET-01."""
    path = tmp_path / "a b é"
    path.write_bytes(BODY)
    assert fetch(transport, str(path)) == BODY
    assert fetch(transport, path.as_uri()) == BODY
    assert fetch(transport, path.as_uri().replace("file://", "file://localhost")) == BODY
    assert transport.size(path.as_uri()) == len(BODY)


@pytest.mark.parametrize(
    "address",
    ["{0}/missing", "{0}", "{0}/pipe", "file://elsewhere{0}/a", "ftp://h/a", "http://h:x/", "\0"],
)
def test_what_cannot_be_opened_is_told(transport: Transport, tmp_path: Path, address: str) -> None:
    """FET-01."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FetchError) as caught:
        transport.open(address.format(tmp_path), limit=10)
    assert caught.value.exit_code == 5


def test_a_local_file_is_held_against_the_limit(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    with pytest.raises(FetchError, match="cannot be read"):
        transport.open(f"{tmp_path}/a", limit=4)
    with transport.open(f"{tmp_path}/a", limit=5) as body:
        (tmp_path / "a").write_bytes(b"123456")
        with pytest.raises(FetchError):
            b"".join(body)


def test_the_users_certificates_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FET-05."""
    one, two = (tmp_path / name for name in ("one", "two"))
    one.touch()
    two.touch()
    environ = {"PIP_CERT": str(one), "REQUESTS_CA_BUNDLE": str(two), "SSL_CERT_FILE": "/missing"}
    assert ca_bundle(environ) == str(two)
    assert ca_bundle({"PIP_CERT": str(one)}) == str(one)
    monkeypatch.setattr(module, "_BUNDLES", (str(two),))
    assert ca_bundle({}) == str(two)
    monkeypatch.setattr(module, "_BUNDLES", ())
    assert ca_bundle({}) == ""
