"""A small index of one owner, in memory or in a folder, and the archives it lists."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crpack.archive import writer
from crpack.archive.reader import Archive
from crpack.errors import FetchError
from crpack.index import client, contents, entries, head, publish, publishers, release
from crpack.index.cache import Blobs
from crpack.index.head import Consent, Drafts, Signed
from crpack.index.publishers import Publishers, Rule
from crpack.model import manifest as manifests
from crpack.model import recipe_document
from crpack.model.manifest import Manifest
from crpack.trust import envelope, keys
from crpack.trust.roots import chain, repository
from crpack.trust.roots.repository import Roles, Signers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from crpack.index.client import Index
    from crpack.index.entries import Release
    from crpack.index.publish import File

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DATE = "2026-11-20T12:00:00Z"


def key(word: str) -> keys.PrivateKey:
    """Return a key that is always the same."""
    return keys.PrivateKey(hashlib.sha256(word.encode()).digest())


PUBLISHER = key("publisher")
ONLINE, TARGETS = key("online"), key("targets")
ROOTS = (key("root 1"), key("root 2"), key("root 3"))
OWNER = (*ROOTS, TARGETS, ONLINE)
CONSENT = Consent(("root", "targets"), root=True)

TOML = """\
[package]
name = "{name}"
version = "{version}"
revision = {revision}
kind = "dataset"
summary = "{summary}"
license = "Apache-2.0"
{more}
"""


def recipe(
    name: str, version: str = "1.0", *, revision: int = 0, summary: str = "A sample", more: str = ""
) -> bytes:
    """Return the document of a small recipe."""
    text = TOML.format(name=name, version=version, revision=revision, summary=summary, more=more)
    return recipe_document.read(text, file="crpack.toml")


def archive(
    document: bytes, signers: Iterable[keys.PrivateKey] = (PUBLISHER,), *, source: bytes = b""
) -> bytes:
    """Return an archive of a recipe, with a packed source where one is given."""
    package = recipe_document.open_json(document).package
    parts = [writer.part("recipe.json", document)]
    digest = hashlib.sha256(source).hexdigest()
    parts += [writer.part(f"source/{digest}", source)] if source else []
    manifest = Manifest(
        **{word: getattr(package, word) for word in
           ("name", "version", "revision", "kind", "summary", "license", "needs_crpack")},
        recipe=hashlib.sha256(document).hexdigest(),
        members=tuple(sorted(map(writer.member, parts), key=lambda member: member.path)),
        sources=(digest,) if source else (),
    )  # fmt: skip
    data = manifests.encode(manifest)
    parts += [
        writer.part("manifest.json", data),
        writer.part("signatures.json", envelope.sign_manifest(data, signers)),
    ]
    out = io.BytesIO()
    writer.write(writer.in_order(parts), out)
    return out.getvalue()


def opened(data: bytes) -> Archive:
    return Archive.open(io.BytesIO(data), size=len(data))


def rules(*patterns: str, signer: keys.PrivateKey = PUBLISHER) -> tuple[Rule, ...]:
    return tuple(Rule(pattern, ((keys.public(signer), "lab"),)) for pattern in patterns)


def listed(data: bytes, *, yanked: str = "") -> Release:
    """Return what an index says of an archive."""
    found = opened(data)
    copy = release.copy_of(found, "full", hashlib.sha256(data).hexdigest())
    signers = release.signers_of(found, Publishers(rules("*")))
    return replace(release.of_archive(found, (copy,), signers, DATE), yanked=yanked)


def made_up(name: str, version: str = "1.0", *, revision: int = 0) -> Release:
    """Return a release of an archive that was not kept."""
    return listed(archive(recipe(name, version, revision=revision)))


@dataclass
class Host:
    """An index as files by path; every change is applied as a publisher applies it."""

    files: dict[str, bytes] = field(default_factory=dict)
    signed: Signed = field(default_factory=Signed)
    drafts: Drafts = field(default_factory=Drafts)
    now: datetime = NOW

    @property
    def root(self) -> bytes:
        return self.files["metadata/1.root.json"]

    @property
    def fingerprint(self) -> str:
        return chain.fingerprint(self.root)

    def read(self, path: str, limit: int) -> bytes:
        if path not in self.files:
            raise FetchError(f"no `{path}`", data={"status": 404})
        assert len(self.files[path]) <= limit
        return self.files[path]

    def index(self) -> Index:
        found = chain.walk(self.read, self.root).head
        return client.of_head("lab", "", found, Blobs(self.read))

    def take(self, files: Sequence[File]) -> None:
        self.files |= {file.path: file.data for file in files}

    def renew(
        self, stored: bytes, *, changed: bool = False, at_hand: Sequence[keys.PrivateKey] = OWNER
    ) -> head.Next:
        """Sign the next head and take it."""
        coming = head.renew(
            self.signed, self.drafts, at_hand, self.now, contents=stored, changed=changed,
            consent=CONSENT,
        )  # fmt: skip
        self.take(coming.files)
        for path in coming.gone:
            self.files.pop(path, None)
        self.signed, self.drafts = coming.signed, coming.drafts
        return coming

    def stored(self) -> bytes:
        return self.files[self.index().head.index.path]

    def add(self, *archives: bytes) -> publish.Listed:
        """List archives, and take them."""
        for data in archives:
            self.files[f"a/{hashlib.sha256(data).hexdigest()}.crpkg"] = data
        found = [(opened(data).manifest.name, listed(data)) for data in archives]
        return self.change(publish.add(self.index(), found))

    def change(self, done: publish.Listed) -> publish.Listed:
        self.now += timedelta(seconds=1)
        self.take(done.files)
        self.renew(done.contents, changed=True)
        return done

    def save(self, folder: Path) -> None:
        """Write all files below a folder."""
        for path, data in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)


def signers(*private: keys.PrivateKey, threshold: int = 1) -> Signers:
    return Signers(tuple(keys.public(one) for one in private), threshold)


def host(
    *patterns: str,
    at_hand: Sequence[keys.PrivateKey] = OWNER,
    roots: Sequence[keys.PrivateKey] = ROOTS,
) -> Host:
    """Return a new, empty index."""
    made = Host()
    roles = Roles(signers(*roots, threshold=2), signers(TARGETS), signers(ONLINE), signers(ONLINE))
    said = publishers.encode(Publishers(rules(*(patterns or ("*",)))))
    made.drafts = Drafts(
        repository.root(1, NOW, roles), repository.targets(1, NOW, said, signers(ONLINE)), said
    )
    made.renew(contents.encode(contents.Contents()), at_hand=at_hand)
    return made


def shard(name: str, *versions: str) -> entries.Shard:
    """Return a shard with these versions, newest first."""
    return entries.Shard(name, tuple(made_up(name, version) for version in versions))
