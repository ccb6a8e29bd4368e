from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from crpack.errors import FetchError
from crpack.fetch import transport as module
from crpack.fetch.addresses import redirected, shown, split
from crpack.fetch.transport import Patience, Transport, ca_bundle
from tests.tools.lying_server import BODY, LyingServer, lying

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[LyingServer]:
    with lying() as one:
        yield one


@pytest.fixture
def url(server: LyingServer) -> str:
    server.forget()
    return server.url


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Transport:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return Transport({})


def fetch(transport: Transport, url: str, limit: int = 10**6) -> bytes:
    with transport.open(url, limit=limit) as body:
        return b"".join(body)


@pytest.mark.parametrize("path", ["good", "chunked", "unannounced", "moved"])
def test_bytes_come_as_they_are(
    transport: Transport, server: LyingServer, url: str, path: str
) -> None:
    """FET-01, FET-02."""
    assert fetch(transport, f"{url}/{path}/x") == BODY
    assert server.asked[-1][1]["Accept-Encoding"] == "identity"
    assert "Range" not in server.asked[-1][1]


def test_the_announced_size_is_told(transport: Transport, url: str) -> None:
    with transport.open(f"{url}/moved/x", limit=10**6) as body:
        assert body.size == len(BODY)
        assert b"".join(body) == BODY
    with transport.open(f"{url}/chunked/x", limit=10**6) as body:
        assert body.size == -1
    assert transport.size(f"{url}/moved/x") == len(BODY)


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
    ],
)
def test_an_answer_that_is_not_right_is_refused(
    transport: Transport, url: str, path: str, words: str
) -> None:
    """FET-02, FET-03, FET-04."""
    with pytest.raises(FetchError) as caught:
        transport.open(f"{url}/{path}/x", limit=10**6)
    assert words in caught.value.what


def test_headers_that_drip_are_given_up(url: str) -> None:
    """FET-04."""
    hasty = Transport({}, patience=Patience(headers_s=0.1))
    with pytest.raises(FetchError, match="is too slow"):
        hasty.open(f"{url}/dripping-headers/x", limit=10**6)


def test_a_body_that_stalls_is_given_up(url: str) -> None:
    """FET-04."""
    hasty = Transport({}, patience=Patience(read_s=0.2))
    with pytest.raises(FetchError, match="broke off"):
        fetch(hasty, f"{url}/stalling/x")


@pytest.mark.parametrize("path", ["cut", "chunked-cut"])
def test_a_body_that_breaks_off_is_an_error(transport: Transport, url: str, path: str) -> None:
    """FET-04."""
    with pytest.raises(FetchError) as caught:
        fetch(transport, f"{url}/{path}/x")
    assert "broke off" in caught.value.what or "cut off" in caught.value.what
    assert caught.value.why


def test_a_body_is_not_read_beyond_the_limit(transport: Transport, url: str) -> None:
    """FET-04."""
    with pytest.raises(FetchError, match="more than 100"):
        transport.open(f"{url}/good/x", limit=100)
    for path in ("chunked", "unannounced"):
        with pytest.raises(FetchError, match="longer than 200 bytes"):
            fetch(transport, f"{url}/{path}/x", limit=200)
    assert fetch(transport, f"{url}/good/x", limit=len(BODY)) == BODY


@pytest.mark.parametrize(
    "patience",
    [Patience(least_rate=10_000, window_s=0.05), Patience(deadline_s=0.1)],
)
def test_a_body_that_drips_is_given_up(url: str, patience: Patience) -> None:
    """FET-04: each byte comes in time, all of them never."""
    slow = Transport({}, patience=patience)
    with pytest.raises(FetchError, match="is too slow"):
        fetch(slow, f"{url}/dripping/x")


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
        ("http://h/a", "http://evil:1\\@h/b", None),
        ("http://h/a", "/\\evil/b", None),
        ("http://h/a", "http://evil/\t@h/b", None),
        ("http://h/a", "http://h /b", None),
        ("http://h/a", "http://u@h/b", None),
        ("http://h/a", "http://a@b@h/b", None),
        ("http://h/a", "http://h\uff0fb", None),
        ("http://h/a", "http://h%2eb/", None),
        ("http://[::1]/a", "http://[::1]/b", "http://[::1]/b"),
        ("http://u:p@h/a", "/b", "http://u:p@h/b"),
    ],
)
def test_where_a_redirect_may_lead(start: str, location: str, end: str | None) -> None:
    """FET-03."""
    if end is None:
        with pytest.raises(FetchError):
            redirected(split(start), location, frozenset())
    else:
        assert redirected(split(start), location, frozenset()).geturl() == end


@pytest.mark.parametrize(
    ("location", "allowed"),
    [
        ("https://files.example/b", True),
        ("https://files.example:443/b", True),
        ("https://FILES.example/b", True),
        ("https://files.example:8443/b", False),
        ("https://other.example:8443/b", True),
        ("https://other.example/b", False),
        ("https://sub.files.example/b", False),
        ("https://files.example.evil/b", False),
        ("https://files.example@evil/b", False),
        ("http://files.example/b", False),
        ("file://files.example/b", False),
    ],
)
def test_a_redirect_may_lead_to_a_host_that_the_user_named(location: str, *, allowed: bool) -> None:
    """FET-03."""
    hosts = frozenset({"files.example", "other.example:8443"})
    if allowed:
        redirected(split("https://h/a"), location, hosts)
    else:
        with pytest.raises(FetchError, match="redirects to"):
            redirected(split("https://h/a"), location, hosts)


def test_an_allowed_redirect_is_followed_without_credentials(server: LyingServer, url: str) -> None:
    """FET-03."""
    host = url.replace("http://127.0.0.1", "localhost")
    free = Transport({}, redirect_hosts=frozenset({host}))
    assert fetch(free, url.replace("http://", "http://user:secret@") + "/away/x") == BODY
    assert ["Authorization" in headers for _, headers in server.asked] == [True, False]


def test_credentials_stay_on_their_host_and_are_not_shown(
    transport: Transport, server: LyingServer, url: str
) -> None:
    """FET-03."""
    secret = url.replace("http://", "http://user:secret@")
    for path in ("away", "missing"):
        with pytest.raises(FetchError) as caught:
            transport.open(f"{secret}/{path}/x", limit=10)
        assert "secret" not in caught.value.what
    assert [("Authorization" in headers) for _, headers in server.asked] == [True, True]
    assert shown("https://u:p@h:1/x?y#z") == "https://h:1/x"
    assert shown("/a?b") == "/a?b"


@pytest.mark.parametrize(
    ("url", "base", "near"),
    [
        ("https://h/a", "https://h/lab/", True),
        ("https://h:443/a", "https://h/lab/", True),
        ("https://h:8443/a", "https://h/lab/", False),
        ("https://other/a", "https://h/lab/", False),
        ("https://files.example/a", "https://h/lab/", True),
        ("https://other/a", "/srv/lab/", False),
        ("/srv/lab/a", "/srv/lab/", True),
    ],
)
def test_what_is_listed_lies_at_the_same_host(url: str, base: str, *, near: bool) -> None:
    """IDX-09."""
    assert Transport({}, redirect_hosts={"files.example"}).admits(url, base) is near


def test_no_two_readers_find_different_hosts_in_a_redirect(
    transport: Transport, server: LyingServer, url: str
) -> None:
    """FET-01, FET-03: requests would go to the host before the `\\`, urllib names the other."""
    with lying() as other:
        plain = url.removeprefix("http://")
        server.redirect = f"{other.url}\\@{plain}/good/x"
        with pytest.raises(FetchError, match="redirects nowhere"):
            fetch(transport, f"{url}/told/x")
        assert other.asked == []


@pytest.mark.parametrize("address", ["http://a b/", "http://a\\b/", "http://a\n/", "http://ü/",
                                     "http://:80/", "http://u:SECRET@h\\/?SECRET"])  # fmt: skip
def test_an_odd_address_is_none(transport: Transport, address: str) -> None:
    """FET-01."""
    with pytest.raises(FetchError, match="is not an address") as caught:
        transport.open(address, limit=10)
    assert "SECRET" not in str(caught.value.what)


def test_the_users_netrc_is_not_sent(
    server: LyingServer, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FET-03: credentials are those of the address; proxies and certificates are the user's."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login bob password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fetch(Transport({}), f"{url}/good/x")
    assert "Authorization" not in server.asked[-1][1]
    monkeypatch.setenv("http_proxy", url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(FetchError, match="404"):
        fetch(Transport({}), "http://proxied.example/good/x")
    assert server.asked[-1][0].endswith("/good/x")


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


def test_offline_no_connection_is_opened(server: LyingServer, url: str, tmp_path: Path) -> None:
    """FET-01."""
    (tmp_path / "a").write_bytes(b"here")
    offline = Transport({}, offline=True)
    for ask in (lambda: offline.open(f"{url}/good/x", limit=10**6), lambda: offline.size(url)):
        with pytest.raises(FetchError, match="crpack is offline"):
            ask()
    assert server.asked == []
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


def part(transport: Transport, url: str, start: int, end: int | None = None) -> bytes:
    with transport.open(url, limit=len(BODY), start=start, end=end) as body:
        assert (body.start, body.total) == (start, len(BODY))
        data = b"".join(body)
        assert body.size == len(data)
        return data


@pytest.mark.parametrize(("start", "end"), [(7, None), (0, 5), (7, 8), (300, 10**9)])
def test_a_range_is_asked_for(
    transport: Transport, url: str, tmp_path: Path, start: int, end: int | None
) -> None:
    """FET-09: of a server and of a file."""
    (tmp_path / "x").write_bytes(BODY)
    assert part(transport, f"{url}/good/x", start, end) == BODY[start:end]
    assert part(transport, f"{tmp_path}/x", start, end) == BODY[start:end]
    assert part(transport, (tmp_path / "x").as_uri(), start, end) == BODY[start:end]


def test_who_ignores_a_range_is_noticed(transport: Transport, url: str) -> None:
    """FET-09."""
    with transport.open(f"{url}/whole/x", limit=len(BODY), start=9) as body:
        assert (body.start, body.size, body.total) == (0, len(BODY), len(BODY))
        assert b"".join(body) == BODY


@pytest.mark.parametrize(
    "lie", ["partial", "other-place", "other-end", "other-size", "no-size", "several", "packed"]
)
@pytest.mark.parametrize("end", [20, None])
def test_a_part_that_is_not_the_one_asked_for_is_refused(
    transport: Transport, url: str, lie: str, end: int | None
) -> None:
    """FET-09."""
    if (lie, end) == ("other-size", 20):
        with transport.open(f"{url}/{lie}/x", limit=10**6, start=10, end=end) as body:
            assert body.total == len(BODY) + 1  # for the caller to compare
        return
    with pytest.raises(FetchError):
        transport.open(f"{url}/{lie}/x", limit=10**6, start=10, end=end)


def test_a_part_that_is_too_long_is_not_given_out(transport: Transport, url: str) -> None:
    """FET-04, FET-09."""
    got: list[bytes] = []
    body = transport.open(f"{url}/long-part/x", limit=10**6, start=10, end=20)
    with body, pytest.raises(FetchError, match="longer than 10 bytes"):
        got.extend(body)
    assert BODY[10:20].startswith(b"".join(got))


def test_a_range_beyond_the_end_is_refused_as_by_a_server(
    transport: Transport, url: str, tmp_path: Path
) -> None:
    """FET-09."""
    (tmp_path / "x").write_bytes(BODY)
    for address in (f"{url}/good/x", f"{tmp_path}/x"):
        with pytest.raises(FetchError) as caught:
            transport.open(address, limit=10**6, start=len(BODY))
        assert caught.value.data["status"] == 416


def test_what_has_not_changed_is_not_sent_again(transport: Transport, url: str) -> None:
    """FET-09."""
    with transport.open(f"{url}/good/x", limit=10**6) as body:
        etag = body.etag
        assert b"".join(body) == BODY
    assert etag == body.validator
    with transport.open(f"{url}/good/x", limit=10**6, etag=etag) as body:
        assert body.unchanged
        assert b"".join(body) == b""
    with transport.open(f"{url}/good/x", limit=10**6, etag='"other"') as body:
        assert not body.unchanged
        assert b"".join(body) == BODY
    with transport.open(f"{url}/weak/x", limit=10**6) as body:
        assert (body.etag, body.validator) == ('W/"1"', "")


def test_a_range_belongs_to_the_file_that_the_validator_names(
    transport: Transport, url: str
) -> None:
    """FET-09."""
    with transport.open(f"{url}/good/x", limit=10**6) as body:
        validator = body.validator
    for given, start in ((validator, 5), ('"other"', 0)):
        with transport.open(f"{url}/good/x", limit=10**6, start=5, validator=given) as body:
            assert body.start == start
            assert b"".join(body) == BODY[start:]
