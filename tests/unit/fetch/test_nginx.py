"""Downloads and retrieval from a server of the field, with ranges and without."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crpack.archive import verify
from crpack.errors import FetchError, TrustError
from crpack.fetch.download import download
from crpack.fetch.transport import Patience, Transport
from crpack.index.retrieve import retrieve
from tests.unit.archive.many import copy_of, many, member_for
from tests.unit.archive.written import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

CHANCE = random.Random(6)  # noqa: S311
DATA = CHANCE.randbytes(700_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
PLATFORMS = ("linux-x86_64-gnu2.28", "linux-aarch64-gnu2.28", "linux-armv7-gnu2.28")
ARCHIVE = many({platform: {"a": CHANCE.randbytes(300_000)} for platform in PLATFORMS})
FAST = Transport({}, patience=Patience(wait_s=0.001))

CONFIG = """
{user}
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/pid;
events {{ }}
http {{
    access_log {folder}/access.log combined;
    log_format ranges '$status $body_bytes_sent $http_range';
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    gzip on; gzip_min_length 1; gzip_types *;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
        access_log {folder}/ranges.log ranges;
        location /plain/ {{ alias {folder}/files/; max_ranges 0; }}
        location /slow/ {{ alias {folder}/files/; limit_rate 2m; limit_rate_after 1; }}
        location /moved {{ return 302 /x; }}
        location /away {{ return 302 http://localhost:{port}/x; }}
        location /busy {{ return 503; }}
        location /mark {{ return 418; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running nginx: its address and its log of status, bytes and range."""

    url: str
    log: Path

    def asked(self, least: int = 0) -> list[list[str]]:
        """Return what was logged since the last call, once so much and our own mark is there.

        nginx logs when an answer is done, or when it notices that nobody waits for it.
        """
        with pytest.raises(FetchError):
            FAST.open(f"{self.url}/mark", limit=0)
        end = time.monotonic() + 60
        while True:
            lines = [line.split() for line in self.log.read_text(encoding="utf-8").splitlines()]
            found = [line for line in lines if line[0] != "418"]
            if len(lines) > len(found) >= least or time.monotonic() > end:
                os.truncate(self.log, 0)
                return found
            time.sleep(0.01)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "files").mkdir()
    (folder / "files/x").write_bytes(DATA)
    (folder / "files/a.crpkg").write_bytes(ARCHIVE)
    port, child = next(filter(None, (_started(folder) for _ in range(5))))
    try:
        yield Server(f"http://127.0.0.1:{port}", folder / "ranges.log")
    finally:
        child.terminate()
        child.wait(60)


def _started(folder: Path) -> tuple[int, subprocess.Popen[bytes]] | None:
    """Start nginx on a port that was free; None where somebody else took it meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, user=user), encoding="utf-8")
    argv = [NGINX or "", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]
    child = subprocess.Popen(argv)
    while child.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return port, child
        time.sleep(0.02)
    return None


def get(place: Path, url: str, *, transport: Transport = FAST, sha256: str = SHA256) -> None:
    download(transport, [url], f"{place}/x", limit=10**6, sha256=sha256, parts=f"{place}/parts")
    assert (place / "x").read_bytes() == DATA


@pytest.mark.parametrize("path", ["x", "plain/x", "moved"])
def test_a_file_arrives(server: Server, tmp_path: Path, path: str) -> None:
    """FET-06."""
    get(tmp_path, f"{server.url}/{path}")


@pytest.mark.parametrize(("path", "status"), [("x", "206"), ("plain/x", "200")])
def test_a_part_is_gone_on_with(server: Server, tmp_path: Path, path: str, status: str) -> None:
    """FET-10."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / SHA256).write_bytes(DATA[:400_000])
    server.asked()
    get(tmp_path, f"{server.url}/{path}")
    assert server.asked(1) == [[status, "300000" if status == "206" else "700000", "bytes=400000-"]]


@pytest.mark.parametrize("sha256", [SHA256, ""], ids=["digest", "etag"])
def test_a_transfer_that_takes_too_long_goes_on(
    server: Server, tmp_path: Path, sha256: str
) -> None:
    """FET-04, FET-10: with a digest, and with nothing but the ETag."""
    slow = Transport({}, patience=Patience(deadline_s=0.2, wait_s=0.001))
    server.asked()
    get(tmp_path, f"{server.url}/slow/x", transport=slow, sha256=sha256)
    assert len(server.asked(2)) >= 2


def test_what_has_not_changed_is_not_sent_again(server: Server) -> None:
    """FET-09."""
    with FAST.open(f"{server.url}/x", limit=10**6) as body:
        etag = body.etag
        assert body.validator == etag != ""
    with FAST.open(f"{server.url}/x", limit=10**6, etag=etag) as body:
        assert body.unchanged
    with FAST.open(f"{server.url}/x", limit=10**6, start=5, validator='"other"') as body:
        assert body.start == 0
    with FAST.open(f"{server.url}/x", limit=10**6, start=5, end=9, validator=etag) as body:
        assert b"".join(body) == DATA[5:9]


def test_a_range_beyond_the_end_and_a_busy_server_are_told(server: Server) -> None:
    """FET-09."""
    for path, status in (("x", 416), ("busy", 503), ("missing", 404)):
        with pytest.raises(FetchError) as caught:
            FAST.open(f"{server.url}/{path}", limit=10**6, start=len(DATA))
        assert caught.value.data["status"] == status


def test_another_host_must_be_allowed(server: Server, tmp_path: Path) -> None:
    """FET-03."""
    with pytest.raises(FetchError, match="redirects to `http://localhost"):
        get(tmp_path, f"{server.url}/away")
    hosts = frozenset({server.url.replace("http://127.0.0.1", "localhost")})
    get(tmp_path, f"{server.url}/away", transport=Transport({}, redirect_hosts=hosts))


@pytest.mark.parametrize("path", ["a.crpkg", "plain/a.crpkg"])
def test_one_platform_of_three_is_retrieved(server: Server, tmp_path: Path, path: str) -> None:
    """FET-11."""
    wanted = frozenset({member_for(ARCHIVE, PLATFORMS[0])})
    server.asked()
    found = retrieve(
        FAST,
        [copy_of(ARCHIVE, f"{server.url}/{path}")],
        identity=opened(ARCHIVE).identity,
        wanted=lambda _: wanted,
        folder=str(tmp_path),
    )
    with open(found, "rb") as file:
        copy = opened(file.read())
    assert verify.verify(copy, strict=True) == ()
    asked = server.asked(1)
    if path == "a.crpkg":
        assert [status for status, *_ in asked] == ["206", "206"]
        assert sum(int(sent) for _, sent, *_ in asked) < 0.35 * len(ARCHIVE)
        assert {name for name in copy.names if name.startswith("payload/")} == wanted
    else:
        assert {status for status, *_ in asked} == {"200"}


def test_other_bytes_are_refused(server: Server, tmp_path: Path) -> None:
    """FET-06."""
    with pytest.raises(TrustError):
        get(tmp_path, f"{server.url}/x", sha256="0" * 64)
    assert os.listdir(tmp_path / "parts") == []
