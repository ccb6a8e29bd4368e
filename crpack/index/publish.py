"""Plans of publishing: which files an index gains when releases are added or yanked.

Rules (SPEC PUB-06 to PUB-09):
- Everything below the head is new files, named by digest; what is there is never rewritten. A
  release costs one shard, one bucket, one piece of the catalogue and the two heads above them.
- A version and revision, once listed, stays the same archive: another one needs a higher revision.
- A new name that differs from an existing one by case, `-`, `_` or `.` alone belongs to the same
  publisher or is refused.

Pure: the index as it is comes in, files go out; `head` signs them and the caller writes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.errors import TrustError, UsageError
from crpack.index import blobs, contents, entries
from crpack.index.contents import Card, Contents
from crpack.model import canonical, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from crpack.index.client import Index
    from crpack.index.entries import Copy, Release, Shard


@dataclass(frozen=True, slots=True)
class File:
    """One file to write: its path below the index's root, and its bytes or the file they are in."""

    path: str
    data: bytes = b""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """What the new state holds: `index.json` as stored, and the files below it that are new."""

    contents: bytes
    files: tuple[File, ...]


def add(index: Index, new: Sequence[tuple[str, Release]]) -> Listed:
    """Return the files that list releases, each with its name (SPEC PUB-06 to PUB-09).

    A release that is there already may gain copies; else nothing of it changes.

    Raises:
        UsageError: another archive is listed under the same version and revision, or the revision
            does not grow.
        TrustError: a name looks like one of another publisher.
    """
    old = index.shards(name for name, _ in new)
    _refuse_confusable(index, [(name, one) for name, one in new if old[name] is None])
    shards: dict[str, Shard] = {}
    for name, release in new:
        before = shards.get(name) or old[name] or entries.Shard(name, ())
        shards[name] = _with(before, release)
    return _listed(index, old, shards)


def yank(index: Index, name: str, version: str, reason: str) -> Listed:
    """Return the files that tell that a version should not be chosen any more (SPEC PUB-10).

    All its revisions are yanked; an empty reason takes that back.

    Raises:
        UsageError: there is no such release.
    """
    old = index.shards((name,))
    shard, wanted = old[name], versions.parse(version)
    if shard is None or all(release.order[0] != wanted for release in shard.releases):
        known = ", ".join(f"`{one.version}`" for one in shard.releases[:10]) if shard else ""
        why = [f"it has {known}" if known else "it does not list the name"]
        raise UsageError(f"the index has no `{name}=={version}`", why=why)
    releases = tuple(
        replace(one, yanked=reason) if one.order[0] == wanted else one for one in shard.releases
    )
    return _listed(index, old, {name: entries.Shard(name, releases)})


def card_of(shard: Shard) -> Card:
    """Return the line of the catalogue for a name: of its newest release in force (IDX-10)."""
    newest = next((one for one in shard.releases if not one.yanked), shard.releases[0])
    package = canonical.decode(newest.recipe, what="recipe.json")["package"]
    return Card(shard.name, package["kind"], newest.version, package["summary"])


def alike(name: str) -> str:
    """Return what confusable names have in common (SPEC PUB-09)."""
    return name.casefold().translate(_DROPPED)


_DROPPED = str.maketrans("", "", "-_.")


def _with(shard: Shard, release: Release) -> Shard:
    """Return a shard with one more release, or with more copies of one that it has."""
    same = [one for one in shard.releases if one.order == release.order]
    if same and same[0].identity != release.identity:
        raise _taken(shard.name, release, f"its archive has the identity `{same[0].identity}`")
    if same:
        kept = replace(same[0], copies=_copies(same[0].copies, release.copies))
        releases = tuple(kept if one is same[0] else one for one in shard.releases)
        return entries.Shard(shard.name, releases)
    version, revision = release.order
    if any(one.order[0] == version and one.order[1] > revision for one in shard.releases):
        raise _taken(shard.name, release, "a higher revision of the version is listed already")
    ordered = sorted((*shard.releases, release), key=lambda one: one.order, reverse=True)
    return entries.Shard(shard.name, tuple(ordered))


def _copies(old: tuple[Copy, ...], new: tuple[Copy, ...]) -> tuple[Copy, ...]:
    known = {one.sha256 for one in old}
    return (*old, *(one for one in new if one.sha256 not in known))


def _taken(name: str, release: Release, why: str) -> UsageError:
    return UsageError(
        f"`{name}=={release.version}` revision {release.revision} cannot be listed",
        why=[why, "what was published once stays the same for ever"],
        hint="raise `revision` in `crpack.toml`, build again, then add that archive",
        rule="PUB-08",
    )


def _refuse_confusable(index: Index, new: Sequence[tuple[str, Release]]) -> None:
    if not new:
        return
    known: dict[str, list[str]] = {}
    for name in [card.name for card in index.cards()]:
        known.setdefault(alike(name), []).append(name)
    for name, release in new:
        for other in known.get(alike(name), []):
            owners = {pin.keyid for pin in index.publishers.pins_for(other)}
            if other != name and owners.isdisjoint(release.signers):
                raise TrustError(
                    f"`{name}` looks like `{other}`, which another publisher owns",
                    why=["the names differ by case, `-`, `_` or `.` alone"],
                    hint="choose another name",
                    rule="PUB-09",
                )
        known.setdefault(alike(name), []).append(name)


def _listed(index: Index, old: Mapping[str, Shard | None], shards: Mapping[str, Shard]) -> Listed:
    """Return the files of changed shards and of all that names them, from the bottom up."""
    changed = {name: shard for name, shard in shards.items() if shard != old[name]}
    files: list[File] = []
    digests = {name: _add(files, blobs.shard_path, entries.encode(changed[name]))
               for name in sorted(changed)}  # fmt: skip
    now = index.contents
    counts = [(old[name], shard) for name, shard in changed.items()]
    fresh = Contents(
        buckets=_buckets(index, digests, files),
        catalogue=_catalogue(index, changed.values(), files),
        names=now.names + sum(before is None for before, _ in counts),
        releases=now.releases
        + sum(len(s.releases) - (len(before.releases) if before else 0) for before, s in counts),
    )
    return Listed(contents.encode(fresh), tuple(files))


def _buckets(index: Index, digests: Mapping[str, str], files: list[File]) -> tuple[str, ...]:
    buckets = list(index.contents.buckets)
    for number in sorted({contents.bucket_of(name) for name in digests}):
        bucket = dict(index.bucket(number))
        bucket |= {n: one for n, one in digests.items() if contents.bucket_of(n) == number}
        buckets[number] = _add(files, blobs.bucket_path, contents.encode_bucket(bucket.items()))
    return tuple(buckets)


def _catalogue(index: Index, changed: Iterable[Shard], files: list[File]) -> str:
    """Return the digest of the catalogue's head, its pieces changed where a card is."""
    pieces = list(index.pieces()) or [""] * contents.PIECES
    fresh = {shard.name: card_of(shard) for shard in changed}
    for number in sorted({contents.piece_of(name) for name in fresh}):
        cards = {card.name: card for card in index.piece(pieces[number], number)}
        cards |= {n: card for n, card in fresh.items() if contents.piece_of(n) == number}
        pieces[number] = _add(files, blobs.catalogue_path, contents.encode_piece(cards.values()))
    if tuple(pieces) == index.pieces() or not any(pieces):
        return index.contents.catalogue
    return _add(files, blobs.catalogue_path, contents.encode_catalogue(pieces))


def _add(files: list[File], place: Callable[[str], str], data: bytes) -> str:
    """Note a new file under the name that its digest gives it; return the digest."""
    sha256 = blobs.digest(data)
    files.append(File(place(sha256), data))
    return sha256
