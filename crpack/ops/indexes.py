"""The indexes that a command asks, and which of them decides for a name.

Rules (SPEC ASK-01 to ASK-03):
- Pinned indexes come in the order in which they were pinned, crpack's own comes last; it is left
  out where an index of the same root is pinned.
- The first index that has a name decides for it, alone: a higher version elsewhere does not
  count. One whose publishers have a rule for the name or its scope decides even if it lists
  nothing, so that a thief of its online key, who may hide names, leads nobody elsewhere.
- A lock binds a name to the index that it was chosen from: to its root, whatever word its user
  has for it.
- The setting `index` names the only one to ask: by its word, its address, or its folder.
- An index is opened when it is first needed, once for a command.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crpack.errors import (
    ArchiveError,
    FetchError,
    FormatError,
    InstallError,
    NoSolution,
    TrustError,
    UsageError,
)
from crpack.index import bootstrap, client, places
from crpack.install import documents, generations
from crpack.model import lock as locks
from crpack.solve.problem import Offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from crpack.fetch.transport import Transport
    from crpack.index.client import Index
    from crpack.index.entries import Release, Shard
    from crpack.model.facts import Facts, Found
    from crpack.model.lock import Lock, LockedIndex
    from crpack.session import Session
    from crpack.trust.indexes import IndexPin


class Indexes:
    """What a command knows of names.

    Attributes:
        opened: the indexes, the first to ask first.
        look: finds what the machine has of a shard of an index; None looks for nothing.
    """

    def __init__(self, opened: tuple[Index, ...], bound: Mapping[str, str] | None = None) -> None:
        """Take opened indexes, and the names that are bound to one of them."""
        self.opened = opened
        self.look: Callable[[str, Shard], tuple[Found, ...]] | None = None
        self._bound = dict(bound or {})
        self._kept: dict[str, Offer] = {}

    def offers(self, names: Iterable[str]) -> dict[str, Offer]:
        """Return, for each name, what the index that decides for it has (SPEC ASK-02).

        Raises:
            FetchError: a file of an index is not reachable.
            TrustError: a file of an index is not what its head says.
            NoSolution: a name is bound to an index that is not asked.
        """
        wanted = [name for name in names if name not in self._kept]
        bound = self._bound
        for name in wanted:
            if name in bound and bound[name] not in {index.name for index in self.opened}:
                raise _unbound(name, bound[name])
        for index in self.opened:
            asked = [
                name
                for name in wanted
                if name not in self._kept and bound.get(name, index.name) == index.name
            ]
            with naming(index.name, (one.name for one in self.opened)):
                shards = index.shards(asked)
            for name, shard in shards.items():
                if shard is not None:
                    live = _in_force(index, shard)
                    found = self.look(index.name, live) if self.look else ()
                    self._kept[name] = Offer(index.name, live, found)
                elif _claims(index, name):
                    self._kept[name] = Offer(index.name, None)
        return {name: self._kept.setdefault(name, Offer("", None)) for name in names}

    def offered(self) -> dict[str, Offer]:
        """Return all that was offered, by name."""
        return dict(self._kept)

    def beside(self, facts: Facts) -> Facts:
        """Return facts with what `look` found of everything that was offered."""
        every = (found for offer in self._kept.values() for found in offer.found)
        return replace(facts, found=tuple(dict.fromkeys((*facts.found, *every))))

    def named(self, name: str) -> Index:
        """Return an index by the user's word for it.

        Raises:
            NoSolution: it is not asked.
        """
        for index in self.opened:
            if index.name == name:
                return index
        raise _unbound("", name)

    def release(self, index: str, name: str, identity: str) -> Release:
        """Return what an index lists of an archive.

        Raises:
            NoSolution: it does not list it.
        """
        shard = self.named(index).shards([name])[name]
        for release in shard.releases if shard else ():
            if release.identity == identity:
                return release
        raise NoSolution(
            f"the index `{index}` does not list the `{name}` of the lock",
            why=[f"wanted is the archive `{identity}`"],
            hint="lock again, or use the index that the lock was made with",
        )


def opened(session: Session, bound: Mapping[str, str] | None = None) -> Indexes:
    """Open the indexes of a session (SPEC ASK-01).

    Raises:
        UsageError: the setting `index` names none of them.
        FetchError: one cannot be reached, or was never fetched while offline.
        TrustError: the head of one is refused.
    """
    pins = session.indexes()
    only = _word(session.config.text("index"), pins)
    names = [pin.name for pin in pins]
    if only and only not in (*names, bootstrap.NAME):
        known = ", ".join(f"`{name}`" for name in (*names, bootstrap.NAME))
        raise UsageError(f"there is no index `{only}`", hint=f"known are {known}")
    transport = session.transport()
    found = []
    for name in (name for name in names if only in ("", name)):
        with naming(name, () if only else (*names, bootstrap.NAME)):
            found.append(_pinned(session, transport, name))
    if bootstrap.ROOT_SHA256 not in {pin.fingerprint for pin in pins} and only in (
        "",
        bootstrap.NAME,
    ):
        found += embedded()
    return Indexes(tuple(found), bound)


def _word(asked: str, pins: Sequence[IndexPin]) -> str:
    """Return the word for the index that is asked for: by word, by address, or by its folder."""
    places_of = (asked, os.path.abspath(asked)) if asked else ()
    here = (pin.name for pin in pins if pin.url.rstrip("/") in places_of)
    return next(here, asked)


def installed(session: Session, name: str) -> Lock | None:
    """Return the lock of what is installed under a name; None where nothing is, or damaged."""
    try:
        return locks.decode(documents.lock(generations.current(session.prefix, name)))
    except (InstallError, FormatError):
        return None


def in_own_words(session: Session, lock: Lock) -> Lock:
    """Return a lock with its indexes called as they are here, by their roots (SPEC ASK-02).

    Raises:
        NoSolution: the root of one is not trusted here.
    """
    words = {bootstrap.ROOT_SHA256: bootstrap.NAME}
    words |= {pin.fingerprint: pin.name for pin in session.indexes()}
    for row in lock.index:
        if row.root not in words:
            raise _untrusted(lock, row, words.values())
    names = {row.name: words[row.root] for row in lock.index}
    rows = {names[row.name]: replace(row, name=names[row.name]) for row in lock.index}
    packages = tuple(replace(one, index=names.get(one.index, "")) for one in lock.package)
    return replace(lock, index=tuple(rows.values()), package=packages)


def embedded() -> list[Index]:
    """Return the index that came with crpack; none where it was left out (SPEC IDX-15)."""
    folder = bootstrap.folder()
    if not folder:
        return []
    index = client.open_embedded(
        bootstrap.NAME,
        places.read_folder(folder),
        root_sha256=bootstrap.ROOT_SHA256,
        snapshot_sha256=bootstrap.SNAPSHOT_SHA256,
        url=f"{folder}/",
    )
    return [index]


def _claims(index: Index, name: str) -> bool:
    """Say whether an index has publishers for a name or its scope: it decides, even by silence."""
    rule = index.publishers.rule_for(name)
    return rule is not None and rule.pattern != "*"


def _in_force(index: Index, shard: Shard) -> Shard:
    """Leave out releases whose keys were revoked since; if none is left, opening one says why."""
    live = tuple(one for one in shard.releases if index.publishers.allows(shard.name, one.signers))
    return replace(shard, releases=live or shard.releases)


def now() -> datetime:
    """Return the clock's time, UTC."""
    return datetime.now(UTC)


def _pinned(session: Session, transport: Transport, name: str) -> Index:
    pin = next(pin for pin in session.indexes() if pin.name == name)
    return client.open_index(
        pin,
        session.rooms(pin.fingerprint),
        places.opener(transport),
        offline=transport.offline,
        now=now(),
        max_age_days=session.config.number("max-offline-age"),
    )


@contextmanager
def naming(name: str, every: Iterable[str]) -> Iterator[None]:
    """Say in a refusal which index it is about, and which other one may be asked instead."""
    try:
        yield
    except (FetchError, TrustError, FormatError, ArchiveError) as error:
        if not any(f"`{name}`" in text for text in (error.what, *error.why)):
            error.why = (*error.why, f"the index is `{name}`")
        other = next((one for one in every if one != name), "")
        if other:
            also = f"ask only another index with `--index {other}`"
            error.hint = f"{error.hint}; or {also}" if error.hint else also
        raise


def _unbound(name: str, index: str) -> NoSolution:
    what = f"`{name}` is bound to the index `{index}`, which is not asked"
    if not name:
        what = f"the lock names the index `{index}`, which is not asked"
    return NoSolution(
        what,
        why=["a name stays with the index that it was first chosen from"],
        hint="leave out `--index`; or trust that index again: `crpack trust add URL "
        "--root-fingerprint sha256:…`",
        rule="ASK-02",
    )


def _untrusted(lock: Lock, row: LockedIndex, known: Iterable[str]) -> NoSolution:
    names = [one.name for one in lock.package if one.index == row.name]
    of = "another one than yours" if row.name in known else "not one of yours"
    return NoSolution(
        f"`{names[0] if names else lock.request[0]}` is bound to the index `{row.name}`, "
        f"which is {of}",
        why=[f"its root has the fingerprint `sha256:{row.root}`"],
        hint="pin that index with `crpack trust add URL --root-fingerprint sha256:…`; "
        "or remove what is installed, or the lock, to choose anew",
        rule="ASK-02",
    )


def age(index: Index) -> str:
    """Return what to say of an index's date: `crpack, as of 2026-01-31`."""
    return f"{index.name}, as of {index.date[:10]}"
