"""Archive files before they are listed in an index, and whole indexes after.

Rules (SPEC PUB-06, PUB-07, PUB-18):
- Every byte of an archive is read and its publishers' signatures are judged before it is listed.
- A thin copy is listed beside the full one where it saves enough.
- A check of an index reads all of it and tells every fault, not the first only.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from crpack import disk
from crpack.archive import members, reader, verify, writer
from crpack.errors import ArchiveError, CrpackError
from crpack.index import contents, publish, release
from crpack.index.entries import Release
from crpack.index.publish import File
from crpack.model.limits import KIB
from crpack.model.paths import shown
from crpack.ops import opening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.index.client import Index
    from crpack.index.entries import Copy, Shard
    from crpack.index.publishers import Publishers

THIN_SAVES = 64 * KIB  # bytes that a thin copy must save, and half of the full copy beside
_CHUNK = 1024 * 1024  # bytes read at once


@dataclass(frozen=True, slots=True)
class Examined:
    """An archive that may be listed: its name, what is said of it, and the files of its copies."""

    name: str
    release: Release
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """What a check of a whole index found.

    Attributes:
        names: and the next two are how many there are.
        releases: of all names.
        archives: of all releases.
        faults: what is wrong.
        notes: what is right and yet counts no more.
    """

    names: int
    releases: int
    archives: int
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()


def archive(path: str, publishers: Publishers, *, date: str, scratch: str) -> Examined:
    """Examine an archive file (SPEC PUB-06, PUB-07).

    Args:
        path: of the file.
        publishers: who may sign which names.
        date: UTC, when it is listed.
        scratch: a private folder, for a thin copy.

    Raises:
        UsageError: there is no such file.
        ArchiveError, FormatError: it is not exactly an archive.
        TrustError: the publishers of its name have not signed it.
    """
    with opening.opened_file(path) as stream, opening.named(path):
        found = reader.Archive.open(stream, size=os.fstat(stream.fileno()).st_size)
        signers = release.signers_of(found, publishers)
        _read_through(found)
        full = release.copy_of(found, _kind(found), sha256_of(stream))
        copies, files = [full], [File(full.url, origin=os.path.abspath(path))]
        saved = sum(found.size_of(name) for name in found.names if members.is_bulk(name))
        if saved > THIN_SAVES and 2 * saved > found.size:
            thin, file = _thin(found, scratch)
            copies.append(thin)
            files.append(file)
        said = release.of_archive(found, tuple(copies), signers, date)
        return Examined(found.manifest.name, said, tuple(files))


def sha256_of(stream: BinaryIO) -> str:
    """Return the sha256, in hex, of an open file; it stands at its end then."""
    digest = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def check(index: Index, read: Callable[[str], BinaryIO]) -> Audit:
    """Read a whole index and return what is wrong below its head (SPEC PUB-18).

    Args:
        index: opened, its head verified.
        read: opens a file below the index's root.
    """
    audit = _Auditor(index, read)
    faults = tuple(audit.faults())
    return Audit(audit.names, audit.releases, audit.archives, faults, tuple(audit.notes))


class _Auditor:
    """One walk over an index."""

    def __init__(self, index: Index, read: Callable[[str], BinaryIO]) -> None:
        self._index = index
        self._read = read
        self.names = self.releases = self.archives = 0
        self.notes: dict[str, None] = {}  # in order, each once

    def faults(self) -> Iterator[str]:
        """Yield every fault."""
        cards = {}
        try:
            cards = {card.name: card for card in self._index.cards()}
        except CrpackError as error:
            yield _sentence("the catalogue", error)
        for number in range(contents.BUCKETS):
            try:
                names = [name for name, _ in self._index.bucket(number)]
            except CrpackError as error:
                yield _sentence(f"bucket {number}", error)
                continue
            for name in names:
                self.names += 1
                yield from self._name(name, cards.pop(name, None))
        yield from (f"`{name}` is in the catalogue and in no bucket" for name in cards)
        stated = (self._index.contents.names, self._index.contents.releases)
        if stated != (self.names, self.releases):
            yield f"`index.json` counts {stated[0]} names and {stated[1]} releases"

    def _name(self, name: str, card: contents.Card | None) -> Iterator[str]:
        try:
            shard = self._index.shards((name,))[name]
        except CrpackError as error:
            yield _sentence(f"`{name}`", error)
            return
        if shard is None:
            return
        if card != publish.card_of(shard):
            yield f"`{name}` is not in the catalogue as its shard says"
        for said in shard.releases:
            self.releases += 1
            yield from self._release(shard, said)

    def _release(self, shard: Shard, said: Release) -> Iterator[str]:
        own = [copy for copy in said.copies if "://" not in copy.url]
        for copy in own:
            self.archives += 1
            what = f"`{shard.name}=={said.version}`, {copy.kind} copy `{copy.url}`"
            try:
                yield from (f"{what}: {why}" for why in self._copy(shard, said, copy))
            except CrpackError as error:
                yield _sentence(what, error)
            except OSError as error:
                yield f"{what}: {error.strerror}"

    def _copy(self, shard: Shard, said: Release, copy: Copy) -> Iterator[str]:
        with self._read(copy.url) as stream:
            digest, size = sha256_of(stream), stream.tell()
            if (digest, size) != (copy.sha256, copy.size):
                yield "its bytes are not those that the index states"
                return
            found = reader.Archive.open(stream, size=size)
            if (found.identity, found.tail) != (said.identity, copy.tail):
                yield "its identity or its tail is another than the index states"
            signers = self._signers(found, said)
            fresh = release.of_archive(found, said.copies, signers, said.date)
            if found.manifest.name != shard.name or fresh != replace(said, yanked=""):
                yield "the index says something else of it than its manifest and recipe"
            for finding in verify.verify(found):
                yield f"{shown(finding.member)}: {finding.what}"

    def _signers(self, found: reader.Archive, said: Release) -> tuple[str, ...]:
        """Return who signed an archive, of those that counted when it was listed (PUB-03, PUB-18).

        Raises:
            TrustError: they could not have published it before any key was revoked.
        """
        rules = self._index.publishers
        ever = release.signers_of(found, replace(rules, revoked=()))
        if not said.yanked and not rules.allows(found.manifest.name, ever):
            what = f"`{found.manifest.name}=={said.version}`"
            self.notes[f"{what} is no longer in force: keys that signed it are revoked"] = None
        return tuple(one for one in ever if one in said.signers or one not in rules.revoked)


def _sentence(where: str, error: CrpackError) -> str:
    return f"{where}: {error.what}"


def _kind(found: reader.Archive) -> release.CopyKind:
    """Say whether a copy has all that its manifest lists."""
    return "full" if all(found.has(member.path) for member in found.manifest.members) else "thin"


def _read_through(found: reader.Archive) -> None:
    """Read every byte, and unpack every payload to nowhere.

    Raises:
        ArchiveError: something in it is damaged.
    """
    findings = verify.verify(found)
    if findings:
        why = [f"{shown(one.member)}: {one.what}" for one in findings[:5]]
        what = f"the archive of `{found.manifest.name}` is damaged"
        raise ArchiveError(what, why=why, rule=findings[0].rule)


def _thin(found: reader.Archive, scratch: str) -> tuple[Copy, File]:
    """Write a thin copy into a scratch folder."""
    path = f"{scratch}/{found.identity}.thin"
    with disk.create_file(path) as out:
        writer.write(writer.copy(found, thin=True), out)
        size = out.seek(0, io.SEEK_END)
        thin = reader.Archive.open(out, size=size)
        out.flush()
        copy = release.copy_of(thin, "thin", sha256_of(out))
    return copy, File(copy.url, origin=path)
