"""What looking up names in an index costs: requests and bytes, cold and again.

`python tests/bench/index_bytes.py [RECORDS…]`

An index of made-up records (20 releases a name, one payload and four requirements each) is
written to disk as it would be published, served on the loopback, and read by crpack's own client
over its own transport. Counted are the bytes of files, not headers. The shards of the names that
are asked for are real; of the others only the digest is, which is all that a client sees of them.
"""

from __future__ import annotations

import hashlib
import http.server
import os
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from crpack.fetch.transport import Transport
from crpack.index import blobs, client, contents, entries, places
from crpack.index.client import Rooms
from crpack.index.contents import Card, Contents
from crpack.index.entries import Copy, Release, Shard
from crpack.model import manifest
from crpack.model.manifest import Payload
from crpack.trust.indexes import IndexPin
from tests.unit.index import room

RELEASES = 20  # of a name
ASKED = tuple(f"lab/asked-{n}" for n in range(10))
NEEDS = """\
[requires]
"lab/one" = ">=1.{n},<3"
"lab/two" = {{ version = ">=2.{n}", options = {{ size = "small" }} }}
[requires.build]
gcc = ">=10"
[requires.target]
zlib = ">=1.2.{n}"
[build]
driver = "cmake"
"""


def digest(*words: object) -> str:
    """Return a digest that looks like any other."""
    return hashlib.sha256(repr(words).encode()).hexdigest()


def release(name: str, number: int) -> Release:
    """Return a made-up release with one payload, and a full and a thin copy."""
    document = room.recipe(name, f"1.{number}.0", more=NEEDS.format(n=number % 7))
    listed = room.listed(room.archive(document))
    tree, floors = digest(name, number, "tree"), (("glibc", "2.28"), ("glibcxx", "3.4.25"))
    platform = "linux-x86_64-gnu2.28"
    packed = Payload(
        manifest.payload_id(platform, (), tree), platform, (), tree, digest(name, number, "toc"),
        1_234_567 + number, 4_567_890 + number, 321 + number, floors,
    )  # fmt: skip
    urls = [digest(name, number, kind) for kind in ("full", "thin")]
    copies = (
        Copy("full", f"a/{urls[0]}.crpkg", urls[0], 2_345_678 + number, 2_340_000 + number),
        Copy("thin", f"a/{urls[1]}.crpkg", urls[1], 5_678 + number, 0),
    )
    identity = digest(name, number)
    return replace(listed, identity=identity, payloads=(packed,), copies=copies)


def filled(records: int) -> room.Host:
    """Return an index of that many releases."""
    host = room.host()
    names = [*ASKED, *(f"lab/component-{n}" for n in range(records // RELEASES - len(ASKED)))]
    buckets: list[dict[str, str]] = [{} for _ in range(contents.BUCKETS)]
    for name in names:
        found = digest(name, "shard")
        if name in ASKED:
            ordered = tuple(release(name, n) for n in reversed(range(RELEASES)))
            data = entries.encode(Shard(name, ordered))
            found = blobs.digest(data)
            host.files[blobs.shard_path(found)] = data
        buckets[contents.bucket_of(name)][name] = found
    digests = []
    for bucket in buckets:
        data = contents.encode_bucket(bucket.items()) if bucket else b""
        digests.append(blobs.digest(data) if data else "")
        host.files |= {blobs.bucket_path(digests[-1]): data} if data else {}
    said = Contents(tuple(digests), _catalogue(host, names), len(names), records)
    host.now = datetime.now(UTC)
    host.renew(contents.encode(said), changed=True)
    return host


def _catalogue(host: room.Host, names: list[str]) -> str:
    """Write the catalogue and return the digest of its head."""
    pieces: list[list[Card]] = [[] for _ in range(contents.PIECES)]
    for name in names:
        summary = f"What {digest(name)[:24]} is for"
        pieces[contents.piece_of(name)].append(Card(name, "program", "1.19.0", summary))
    files = [contents.encode_piece(cards) for cards in pieces]
    files.append(contents.encode_catalogue(map(blobs.digest, files)))
    host.files |= {blobs.catalogue_path(blobs.digest(data)): data for data in files}
    return blobs.digest(files[-1])


class Counting(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and counts answers and bytes of their bodies."""

    protocol_version = "HTTP/1.1"
    counts: ClassVar[list[int]] = []

    def log_request(self, *_: object) -> None:
        """Count an answer instead of printing it."""
        path = Path(self.translate_path(self.path))
        self.counts.append(path.stat().st_size if path.is_file() else 0)

    def log_message(self, *_: object) -> None:
        """Say nothing, of missing files neither."""


def measured(what: str, url: str, fingerprint: str, rooms: Rooms, names: tuple[str, ...]) -> int:
    """Look names up with a transport of its own; print and return the bytes."""
    Counting.counts.clear()
    started = time.process_time()
    transport = Transport(os.environ)
    index = client.open_index(
        IndexPin("lab", url, fingerprint),
        rooms,
        places.opener(transport),
        offline=False,
        now=datetime.now(UTC),
        max_age_days=180,
    )
    assert all(index.shards(names).values())
    spent = time.process_time() - started
    total = sum(Counting.counts)
    row = f"{len(Counting.counts):>4} requests{total:>9} bytes{spent:>8.3f} s CPU"
    sys.stdout.write(f"  {what:<34}{row}\n")
    return total


def bench(records: int) -> None:
    """Measure an index of that many records."""
    host = filled(records)
    head = sum(len(data) for path, data in host.files.items() if path.startswith("metadata/2."))
    with tempfile.TemporaryDirectory() as folder:
        served = Path(folder, "served")
        host.save(served)

        def handler(*words: object) -> Counting:
            return Counting(*words, directory=str(served))  # type: ignore[arg-type]

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        names = records // RELEASES
        sys.stdout.write(f"{records} records, {names} names; head {head} bytes beside the root\n")

        def rooms(word: str) -> Rooms:
            return Rooms(f"{folder}/{word}/state", f"{folder}/{word}/cache")

        fingerprint = host.fingerprint
        measured("one name, cold", url, fingerprint, rooms("one"), ASKED[:1])
        measured("the same again, nothing new", url, fingerprint, rooms("one"), ASKED[:1])
        measured("ten names, cold", url, fingerprint, rooms("ten"), ASKED)
        host.add(room.archive(room.recipe("lab/new")))
        host.save(served)
        measured("ten names, one release elsewhere", url, fingerprint, rooms("ten"), ASKED)
        server.shutdown()


if __name__ == "__main__":
    for word in sys.argv[1:] or ("1000", "100000", "1000000"):
        bench(int(word))
