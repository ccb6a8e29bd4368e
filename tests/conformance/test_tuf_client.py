"""The client for the public conformance suite, from outside; and the suite, where it is there."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from tests.house.source import ROOT
from tests.unit.trust.roots.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENT = ROOT / "tests/conformance/tuf_client"
SUITE = "tuf_conformance"
CONTENT = b"first"
TOP = ["root.json", "snapshot.json", "targets.json", "timestamp.json"]


class Served:
    """Files by their address, and what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = ""


@pytest.fixture
def served() -> Iterator[Served]:
    what = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            what.asked.append(self.path)
            body = what.files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    what.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield what
    server.shutdown()
    thread.join()
    server.server_close()


class User:
    """Runs the client over one folder."""

    def __init__(self, home: Path, served: Served) -> None:
        self.home = home
        self.metadata = home / "metadata"
        self.targets = home / "targets"
        self._url = served.url
        for folder in (self.metadata, self.targets):
            folder.mkdir(parents=True)

    def run(self, *words: str, at: datetime | None = None) -> int:
        clock = ["faketime", f"{at:%Y-%m-%d %H:%M:%S}"] if at else []
        common = ["--metadata-dir", str(self.metadata)]
        done = subprocess.run(
            [*clock, sys.executable, str(CLIENT), *common, *words],
            capture_output=True,
            check=False,
            env={**os.environ, "TZ": "UTC"},
            text=True,
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert bool(done.stderr) == bool(done.returncode), done.stderr
        return done.returncode

    def init(self, root: bytes) -> int:
        (self.home / "first.json").write_bytes(root)
        return self.run("init", str(self.home / "first.json"))

    def refresh(self, at: datetime | None = None) -> int:
        return self.run("--metadata-url", f"{self._url}/metadata", "refresh", at=at)

    def download(self, *names: str) -> int:
        wanted = [word for name in names for word in ("--target-name", name)]
        places = ["--target-base-url", f"{self._url}/targets", "--target-dir", str(self.targets)]
        return self.run("--metadata-url", f"{self._url}/metadata/", *wanted, *places, "download")

    def held(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.metadata.glob("*.json")}

    def got(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.targets.iterdir())]


@pytest.fixture
def owner(tmp_path: Path, served: Served) -> Owner:
    made = Owner(tmp_path / "owner", datetime.now(UTC).replace(microsecond=0))
    publish(made, served, CONTENT)
    return made


def publish(owner: Owner, served: Served, *contents: bytes) -> None:
    """Serve what the owner has in the folder, and these bytes as `index.json.zst`."""
    for path in owner.folder.rglob("*.json"):
        served.files[f"/{path.relative_to(owner.folder)}"] = path.read_bytes()
    for content in contents:
        name = TargetFile.from_data("index.json.zst", content).get_prefixed_paths()[0]
        served.files[f"/targets/{name}"] = content


@pytest.fixture
def user(tmp_path: Path, served: Served, owner: Owner) -> User:
    one = User(tmp_path / "user", served)
    assert one.init(owner.held["root"]) == 0
    return one


needs_faketime = pytest.mark.skipif(
    shutil.which("faketime") is None, reason="faketime is not installed"
)


def test_the_client_is_one_file_that_can_be_started() -> None:
    assert os.access(CLIENT, os.X_OK)
    assert CLIENT.read_bytes().startswith(b"#!/usr/bin/env python3\n")


def test_init_asks_for_nothing(owner: Owner, user: User, served: Served) -> None:
    assert served.asked == []
    assert user.held() == {"root.json": owner.held["root"]}


def test_a_root_that_is_none_never_leads_to_a_request(tmp_path: Path, served: Served) -> None:
    one = User(tmp_path / "user", served)
    one.init(b"{}")
    assert one.refresh() == 1
    assert served.asked == []


def test_refresh_keeps_the_bytes_as_received(owner: Owner, user: User, served: Served) -> None:
    padded = owner.held["timestamp"] + b" \n"
    served.files["/metadata/timestamp.json"] = padded
    assert user.refresh() == 0
    held = user.held()
    assert sorted(held) == TOP
    assert held["timestamp.json"] == padded
    assert held["snapshot.json"] == owner.held["snapshot"]
    assert served.asked == [
        "/metadata/2.root.json",
        "/metadata/timestamp.json",
        "/metadata/1.snapshot.json",
        "/metadata/1.targets.json",
    ]


def test_a_new_root_becomes_the_trusted_one(owner: Owner, user: User, served: Served) -> None:
    owner.root()
    publish(owner, served)
    assert user.refresh() == 0
    assert user.held()["root.json"] == owner.held["root"]
    assert user.refresh() == 0
    assert served.asked[-2] == "/metadata/3.root.json"


def test_a_rollback_is_refused(owner: Owner, user: User, served: Served) -> None:
    old = dict(served.files)
    owner.release(b"second")
    publish(owner, served)
    assert user.refresh() == 0
    before = user.held()
    served.files = old
    assert user.refresh() == 1
    assert user.held() == before


@needs_faketime
def test_expiry_is_judged_by_the_clock_of_the_process(owner: Owner, user: User) -> None:
    assert user.refresh(at=owner.now + timedelta(days=20)) == 0
    before = user.held()
    assert user.refresh(at=owner.now + timedelta(days=40)) == 1
    assert user.held() == before
    assert user.refresh() == 0


def test_a_target_is_downloaded_once(user: User, served: Served) -> None:
    assert user.download("index.json.zst") == 0
    assert user.got() == [CONTENT]
    served.asked.clear()
    assert user.download("index.json.zst") == 0
    assert [path for path in served.asked if path.startswith("/targets/")] == []


def test_a_changed_target_takes_the_place_of_the_old_one(
    owner: Owner, user: User, served: Served
) -> None:
    assert user.download("index.json.zst") == 0
    owner.release(b"second")
    publish(owner, served, b"second")
    assert user.download("index.json.zst") == 0
    assert user.got() == [b"second"]


@pytest.mark.parametrize("content", [b"firsT", b"firs", b"first!", b"f" * 100_000, b""])
def test_wrong_bytes_are_not_kept(user: User, served: Served, content: bytes) -> None:
    served.files |= dict.fromkeys([p for p in served.files if "/targets/" in p], content)
    assert user.download("index.json.zst") == 1
    assert user.got() == []


def test_a_target_that_nobody_names_is_a_failure_after_a_refresh(user: User) -> None:
    assert user.download("other") == 1
    assert sorted(user.held()) == TOP
    assert user.got() == []


def test_a_server_that_is_gone_is_a_failure(tmp_path: Path, owner: Owner, served: Served) -> None:
    served.url = "http://127.0.0.1:1"
    one = User(tmp_path / "other", served)
    assert one.init(owner.held["root"]) == 0
    assert one.refresh() == 1


@pytest.mark.parametrize(
    "signer",
    [
        pytest.param(CryptoSigner.generate_ed25519, id="ed25519"),
        pytest.param(CryptoSigner.generate_ecdsa, id="ecdsa"),
        pytest.param(CryptoSigner.generate_rsa, id="rsa-pss"),
        pytest.param(
            lambda: CryptoSigner.generate_rsa(scheme="rsa-pkcs1v15-sha256"), id="rsa-pkcs1"
        ),
    ],
)
@pytest.mark.parametrize("consistent", [True, False])
def test_every_kind_of_key_is_taken(
    tmp_path: Path, served: Served, signer: object, *, consistent: bool
) -> None:
    assert callable(signer)
    one = signer()
    end = datetime.now(UTC) + timedelta(days=9)
    root = Root(expires=end, consistent_snapshot=consistent)
    for role in ("root", "timestamp", "snapshot", "targets"):
        root.add_key(one.public_key, role)
    targets = Targets(expires=end)
    targets.targets["a b"] = TargetFile.from_data("a b", CONTENT)
    prefix = "1." if consistent else ""
    for path, part in [
        ("1.root", root),
        ("timestamp", Timestamp(expires=end)),
        (f"{prefix}snapshot", Snapshot(expires=end)),
        (f"{prefix}targets", targets),
    ]:
        metadata: Metadata[Any] = Metadata(part)
        metadata.sign(one)
        served.files[f"/metadata/{path}.json"] = metadata.to_bytes()
    name = targets.targets["a b"].get_prefixed_paths()[0] if consistent else "a b"
    served.files["/targets/" + name.replace(" ", "%20")] = CONTENT
    user = User(tmp_path / "user", served)
    assert user.init(served.files["/metadata/1.root.json"]) == 0
    assert user.download("a b") == 0
    assert user.got() == [CONTENT]
    served.files["/metadata/timestamp.json"] = served.files["/metadata/timestamp.json"].replace(
        b'"version":1', b'"version":2'
    )
    assert user.refresh() == 1


@needs_faketime
@pytest.mark.skipif(
    importlib.util.find_spec(SUITE) is None,
    reason="the public conformance suite is not installed (it is on no registry; see its project)",
)
def test_the_public_suite_passes(tmp_path: Path) -> None:
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", SUITE, "--entrypoint", str(CLIENT)],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-4000:]
