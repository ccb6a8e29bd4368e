"""Hosting an index: make one, list archives in it, yank, renew, and let others sign.

Rules (SPEC PUB-05 to PUB-18, PUB-20):
- Archives are read through and judged by `publishers.json` before they are listed.
- Whoever may publish is changed by the targets role, whoever signs by the root; both may wait for
  signatures, and nothing changes for readers until these suffice.
- Keys of root and targets sign what a command made of what is in force. What lay in the folder is
  shown first, and signed by `sign` alone.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import UsageError
from crpack.index import contents, head, publish, publishers
from crpack.index.head import Consent, Drafts, Signed
from crpack.index.publishers import Publishers, Rule
from crpack.model import names
from crpack.model.dates import dated
from crpack.model.limits import MAX_HEAD_BYTES
from crpack.ops import examine, founding
from crpack.ops.edits import Change, KeyRing, Owned, Wish, edit, now, owned_at
from crpack.ops.progress import News, silent
from crpack.ops.publishing import Folder, changed_meanwhile
from crpack.trust.roots import chain, offline, repository, state
from crpack.trust.roots.repository import Roles, Signers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crpack.index.difference import Difference
    from crpack.ops.progress import Tell
    from crpack.ops.publishing import Place
    from crpack.session import Session
    from crpack.trust.keys import PublicKey


def new(
    session: Session,
    path: str,
    founders: founding.Founders,
    rules: Iterable[Rule],
    ring: KeyRing,
    *,
    dry_run: bool = False,
) -> Change:
    """Make an index in a folder; it is in force once enough keys have signed (SPEC PUB-11).

    Raises:
        UsageError: there is one already, or the thresholds cannot be met by the keys.
    """
    place = Folder(os.path.abspath(path))
    check_new(path)
    online = Signers(founders.online)
    wanted = founders.threshold if founders.threshold is not None else min(2, len(founders.root))
    root = founding.root(founders.root, wanted)
    roles = Roles(root, Signers(founders.targets), online, online)
    signing = publishers.encode(Publishers(tuple(rules)))
    drafts = Drafts(
        repository.root(1, now(), roles), repository.targets(1, now(), signing, online), signing
    )
    empty = contents.encode(contents.Contents())
    owned = Owned(Signed(), drafts, empty, None)
    consent = Consent(("root", "targets"), root=True)
    wish = Wish(drafts, empty, (), (f"made an index in `{place.path}`",), consent)
    if not dry_run:
        disk.make_folders(place.path)
    return edit(session, place, lambda _: wish, ring, dry_run=dry_run, fresh=owned)


def check_new(path: str) -> None:
    """See that a folder holds no index yet.

    Raises:
        UsageError: it does.
    """
    if any(disk.names(f"{os.path.abspath(path)}/{name}") for name in ("metadata", head.DRAFTS)):
        raise UsageError(f"there is an index in `{path}` already")


def add(
    session: Session,
    place: Place,
    files: Sequence[str],
    ring: KeyRing,
    *,
    dry_run: bool = False,
    tell: Tell = silent,
) -> Change:
    """List archive files in an index, and put copies of them there (SPEC PUB-06 to PUB-09).

    Raises:
        UsageError, TrustError, ArchiveError: as `examine.archive` and `publish.add`.
    """
    rules = owned_at(session, place).opened().publishers
    with _scratch(session) as folder:
        found = []
        for file in files:
            tell(News("Checking", file))
            found.append(examine.archive(file, rules, date=dated(now()), scratch=folder))

        def wish(owned: Owned) -> Wish:
            if owned.opened().publishers != rules:
                raise changed_meanwhile(place.name)
            listed = publish.add(owned.opened(), [(one.name, one.release) for one in found])
            copies = tuple(file for one in found for file in one.files)
            shards = owned.opened().shards(one.name for one in found).values()
            known = {one.identity for shard in shards if shard for one in shard.releases}
            done = tuple(_added(one, known) for one in found)
            return Wish(owned.drafts, listed.contents, (*copies, *listed.files), done)

        tell(News("Publishing", place.name))
        return edit(session, place, wish, ring, dry_run=dry_run)


def _added(one: examine.Examined, known: set[str]) -> str:
    what = f"{one.name} {one.release.version}"
    return f"{what} was there already" if one.release.identity in known else f"added {what}"


def yank(
    session: Session,
    place: Place,
    release: str,
    reason: str,
    ring: KeyRing,
    *,
    dry_run: bool = False,
) -> Change:
    """Tell that `NAME==VERSION` should not be chosen any more; no reason takes that back (PUB-10).

    Raises:
        UsageError: the index has no such release, or the text names none.
    """
    name, equals, version = release.partition("==")
    if not equals or not names.is_name(name):
        raise UsageError(f"`{release}` is not of the form `NAME==VERSION`")

    def wish(owned: Owned) -> Wish:
        listed = publish.yank(owned.opened(), name, version, reason)
        done = f"yanked {name} {version}: {reason}" if reason else f"restored {name} {version}"
        return Wish(owned.drafts, listed.contents, listed.files, (done,))

    return edit(session, place, wish, ring, dry_run=dry_run)


def refresh(session: Session, place: Place, ring: KeyRing, *, dry_run: bool = False) -> Change:
    """Sign the timestamp again, and whatever else ends soon or has its signatures (PUB-12)."""

    def wish(owned: Owned) -> Wish:
        drafts = owned.drafts
        if owned.index is not None:
            rules = publishers.encode(owned.rules)
            drafts = head.due_drafts(owned.signed, drafts, now(), rules, owned.fingerprint)
        made = [role for role in ("root", "targets")
                if getattr(drafts, role) != getattr(owned.drafts, role)]  # fmt: skip
        return Wish(drafts, owned.contents, (), ("renewed the head",), Consent(tuple(made)))

    return edit(session, place, wish, ring, dry_run=dry_run)


def let(
    session: Session,
    place: Place,
    rule: Rule | None,
    revoked: Iterable[str],
    ring: KeyRing,
    *,
    dry_run: bool = False,
) -> Change:
    """Let keys publish the names of a pattern, in place of those before, or revoke keys (PUB-05).

    Where targets wait already, this adds to them; then they are for `sign` to sign (PUB-20).

    Raises:
        UsageError: nothing would change.
    """

    def wish(owned: Owned) -> Wish:
        old = owned.coming_rules
        rules = {one.pattern: one for one in old.rules}
        if rule is not None:
            rules[rule.pattern] = rule
        gone = tuple(sorted({*old.revoked, *revoked}))
        fresh = Publishers(tuple(rules[pattern] for pattern in sorted(rules)), gone)
        if fresh == old:
            raise UsageError("that is what the index says already")
        done = "changed who may publish"
        drafts = _with_targets(owned, publishers.encode(fresh))
        consent = Consent(() if owned.drafts.targets else ("targets",))
        return Wish(drafts, owned.contents, (), (done,), consent)

    return edit(session, place, wish, ring, dry_run=dry_run)


def waiting(session: Session, place: Place, role: str) -> Difference:
    """Return what a draft would change, to be shown before anything signs it (SPEC PUB-20).

    Raises:
        UsageError: no draft of the role waits, or it is none that may be signed.
    """
    return _waiting(owned_at(session, place), place, role)


def _waiting(owned: Owned, place: Place, role: str) -> Difference:
    if role not in ("root", "targets") or not getattr(owned.drafts, role):
        known = [one for one in ("root", "targets") if getattr(owned.drafts, one)]
        why = [f"waiting are {', '.join(known)}" if known else "nothing waits", *owned.ignored]
        raise UsageError(f"no `{role}` waits for signatures in `{place.name}`", why=why)
    return owned.difference(owned.drafts, role)


def sign(
    session: Session, place: Place, seen: Difference, ring: KeyRing, *, dry_run: bool = False
) -> Change:
    """Sign a draft with the keys at hand; it comes in force when its signatures suffice (PUB-11).

    Args:
        session: for the keys.
        place: where the index is.
        seen: from `waiting`, shown and agreed to.
        ring: the keys that may sign.
        dry_run: write nothing.

    Raises:
        UsageError: no draft of the role waits.
        InstallError: it is no longer the one that was shown.
    """

    def wish(owned: Owned) -> Wish:
        if _waiting(owned, place, seen.role) != seen:
            raise changed_meanwhile(place.name)
        consent = Consent((seen.role,), root=True)
        return Wish(owned.drafts, owned.contents, (), (f"signed {seen.role}",), consent)

    return edit(session, place, wish, ring, dry_run=dry_run)


def check(session: Session, place: Folder) -> examine.Audit:
    """Read a whole index and return what is wrong with it (SPEC PUB-18).

    Raises:
        TrustError: its head is refused: a signature, a digest, a version, or it has expired.
        FetchError: a file of its head is missing.
    """
    index = owned_at(session, place).opened()
    first = place.read("metadata/1.root.json", MAX_HEAD_BYTES)
    offline.fresh(chain.walk(place.read, first), state.Seen(), now())
    return examine.check(index, lambda path: open(f"{place.path}/{path}", "rb"))


def rekey(
    session: Session,
    place: Place,
    founders: founding.Founders,
    ring: KeyRing,
    *,
    dry_run: bool = False,
) -> Change:
    """Change who signs an index; what is not named stays (SPEC PUB-14).

    Where a draft waits already, this adds to it; then it is for `sign` to sign (PUB-20).

    Raises:
        UsageError: a threshold cannot be met by the keys.
    """

    def wish(owned: Owned) -> Wish:
        old = repository.root_roles(owned.drafts.root or owned.signed.root)
        threshold = old.root.threshold if founders.threshold is None else founders.threshold
        root = founding.root(founders.root or old.root.keys, threshold)
        online = Signers(founders.online) if founders.online else old.timestamp
        targets = Signers(founders.targets) if founders.targets else old.targets
        roles = Roles(root, targets, online, online)
        version = repository.stated(owned.signed.root).version + 1 if owned.signed.root else 1
        data = repository.root(version, now(), roles, owned.fingerprint)
        drafts = replace(owned.drafts, root=data)
        if founders.online or founders.targets:
            rules = publishers.encode(owned.coming_rules)
            drafts = _with_targets(replace(owned, drafts=drafts), rules, founders.online)
        done = ("changed who signs the index",)
        return Wish(drafts, owned.contents, (), done, _consent(owned.drafts, drafts))

    return edit(session, place, wish, ring, dry_run=dry_run)


def _consent(old: Drafts, new: Drafts) -> Consent:
    """Return the leave to sign new drafts that were made of what is in force alone."""
    if old.root:
        return Consent()
    return Consent(("root", "targets") if new.targets and not old.targets else ("root",), root=True)


def _with_targets(owned: Owned, rules: bytes, online: tuple[PublicKey, ...] = ()) -> Drafts:
    """Return the drafts with new targets: who may publish, and who signs the role `index`."""
    old = owned.signed.targets
    signers = repository.role_signers(owned.drafts.targets or old, "index")
    version = repository.stated(old).version + 1 if old else 1
    signers = Signers(online) if online else signers
    data = repository.targets(version, now(), rules, signers, owned.fingerprint)
    return replace(owned.drafts, targets=data, publishers=rules)


@contextmanager
def _scratch(session: Session) -> Iterator[str]:
    root = f"{session.homes.cache}/stage"
    disk.sweep(root)
    stage = disk.make_stage(root)
    try:
        yield stage.path
    finally:
        stage.close()
