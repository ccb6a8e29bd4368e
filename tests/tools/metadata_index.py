"""From a table of names, versions and what they need to a signed index that crpack can solve with.

    CRPACK_HOME=… python tests/tools/metadata_index.py FILE.json DIR

FILE is `{"index": {name: {version: {"depends": {name: range}}}}}`; a range is written as in
`crpack.toml`, empty or `*` for any version, and means what it means there (SPEC VER-03, VER-04).
DIR gets an index without archives, signed by throw-away keys, and its root is pinned, by
fingerprint, in the trust of `CRPACK_HOME`. Then

    crpack lock --offline --index DIR --json NAME…

chooses from it. Nothing that the machine has serves: the table decides alone. But what an older
`crpack.lock` says of a name is kept (SPEC LCK-09): begin in an empty folder, or with a `--lock` of
your own for each question. The same `CRPACK_HOME` may know any number of such folders.

Names, versions and ranges that other tools write otherwise are put into words of crpack, see
`foreign.py`; each name and version that is called otherwise then is told. Left out, and told, is
a version that is none, and a release that asks for a range that is none. Versions that mean the
same are revisions of one.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from crpack.index import blobs, contents, entries
from crpack.index.contents import Card, Contents
from crpack.index.entries import Release, Shard
from crpack.model import canonical
from tests.tools import foreign
from tests.unit.index import room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).resolve().parents[2]
Table = dict[str, dict[str, dict[str, Any]]]
PROBED = frozenset(path.name for path in (ROOT / "recipes" / "software").iterdir())
DATE = "2026-01-31T12:00:00Z"
KIND = "software"


def release(name: str, version: str, depends: dict[str, str], revision: int = 0) -> Release:
    """Return a release that is only chosen: it has no archive."""
    package = {"name": name, "version": version, "kind": KIND, "summary": "", "license": ""}
    table: dict[str, Any] = {
        "package": {**package, "revision": revision} if revision else package,
        "build": {"driver": "copy", "platform": "any"},
    }
    needs = {other: _need(other, text) for other, text in depends.items()}
    data = canonical.encode({**table, "requires": needs} if needs else table)
    identity = hashlib.sha256(data).hexdigest()
    return Release(version, revision, identity, DATE, (), data, (), (), ())


def _need(name: str, text: str) -> object:
    """Return a requirement; of what crpack can detect, that nothing detected may serve."""
    wanted = "" if text.strip() == "*" else text
    return {"version": wanted, "external": "forbid"} if name in PROBED else wanted


def shards(table: Table, tell: Callable[[str], object] = str) -> Iterable[Shard]:
    """Yield the shard of each name that has releases; `tell` is told what is not as it was."""
    asked = (needs for known in table.values() for one in known.values() for needs in _needs(one))
    called = foreign.names_of([*table, *asked])
    for name, here in called.items():
        if name != here:
            tell(f"`{name}` is called `{here}`")
    for name, known in table.items():
        rows: dict[Any, Release] = {}
        for text, one in known.items():
            version = foreign.version(text)
            depends = {called[other]: _range(asked) for other, asked in _needs(one).items()}
            if not version or None in depends.values():
                tell(f"`{name}` {text} is left out: {depends if version else 'it is no version'}")
                continue
            if version != text:
                tell(f"`{name}` {text} is called {version}")
            wanted = {other: text for other, text in depends.items() if text is not None}
            made = release(called[name], version, wanted)
            while made.order in rows:
                made = release(called[name], version, wanted, made.revision + 1)
            rows[made.order] = made
        if rows:
            yield Shard(called[name], tuple(rows[order] for order in sorted(rows, reverse=True)))


def _needs(one: dict[str, Any]) -> dict[str, Any]:
    """Return what a version needs; some tools write an empty list for nothing."""
    return one.get("depends") or {}


def _range(asked: str | list[str] | None) -> str | None:
    """Return a range that may be a text, a list of texts that all hold, or nothing."""
    return foreign.wanted(",".join(asked) if isinstance(asked, list) else asked or "")


def written(made: Iterable[Shard], owner: str = "", *, checked: bool = True) -> room.Host:
    """Return an index of shards; each owner's is another one.

    `checked`: each shard is read back as its readers do.
    """
    host = room.host(roots=(*room.ROOTS, room.key(owner)))
    buckets: list[dict[str, str]] = [{} for _ in range(contents.BUCKETS)]
    pieces: list[list[Card]] = [[] for _ in range(contents.PIECES)]
    names = releases = 0
    for shard in made:
        rows = [entries._plain(one) for one in shard.releases]
        data = (
            entries.encode(shard) if checked else blobs.pack({"name": shard.name, "releases": rows})
        )
        digest = blobs.digest(data)
        host.files[blobs.shard_path(digest)] = data
        buckets[contents.bucket_of(shard.name)][shard.name] = digest
        card = Card(shard.name, KIND, shard.releases[0].version, "")
        pieces[contents.piece_of(shard.name)].append(card)
        names, releases = names + 1, releases + len(shard.releases)
    digests = []
    for bucket in buckets:
        data = contents.encode_bucket(bucket.items()) if bucket else b""
        digests.append(blobs.digest(data) if data else "")
        host.files |= {blobs.bucket_path(digests[-1]): data} if data else {}
    files = [contents.encode_piece(cards) for cards in pieces]
    files.append(contents.encode_catalogue(map(blobs.digest, files)))
    host.files |= {blobs.catalogue_path(blobs.digest(data)): data for data in files}
    said = Contents(tuple(digests), blobs.digest(files[-1]), names, releases)
    host.now = datetime.now(UTC)
    host.renew(contents.encode(said), changed=True)
    return host


def pin(folder: Path, fingerprint: str) -> None:
    """Pin the root of an index in the trust of `CRPACK_HOME`."""
    words = ["trust", "add", str(folder), "--root-fingerprint", f"sha256:{fingerprint}"]
    subprocess.run(
        [sys.executable, "-m", "crpack", "-q", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )


def main(file: str, folder: str) -> None:
    """Write the index of a file into a folder and pin it."""
    table: Table = json.loads(Path(file).read_text(encoding="utf-8"))["index"]
    target = Path(folder).resolve()
    host = written(shards(table, lambda line: sys.stdout.write(f"{line}\n")), str(target))
    target.mkdir(parents=True, exist_ok=True)
    host.save(target)
    sys.stdout.flush()  # the command line may write beside it
    pin(target, host.fingerprint)


if __name__ == "__main__":
    main(*sys.argv[1:3])
