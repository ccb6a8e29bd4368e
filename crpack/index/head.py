"""The head of an index as its owner renews it: what is in force, what waits for signatures.

Rules (SPEC PUB-11 to PUB-14, PUB-20):
- Root and targets may need keys that are elsewhere, so a new one is a draft until enough keys
  have signed it; until then the one before stays in force.
- A draft is unsigned when it is read: no key signs it but by the consent of the command.
- Index, snapshot and timestamp follow from what is in force, signed by keys at hand.
- They are written from the bottom up, the timestamp last. A root that replaces another comes after
  a timestamp that both accept, so no reader finds anything missing.

Pure: files, keys and the time come in, files go out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from crpack.errors import UsageError
from crpack.index.publish import File
from crpack.model import canonical
from crpack.trust import keys as keying
from crpack.trust.roots import chain, repository
from crpack.trust.roots.repository import Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from crpack.index.cache import Read
    from crpack.trust.keys import PrivateKey
    from crpack.trust.roots.state import Seen

DRAFTS = "pending"  # folder of drafts below an index's root
SOON = timedelta(days=90)  # a role with less than this left is renewed


@dataclass(frozen=True, slots=True)
class Signed:
    """The signed files that are in force; empty for one that is not there yet."""

    root: bytes = b""
    targets: bytes = b""
    index: bytes = b""
    snapshot: bytes = b""
    timestamp: bytes = b""


@dataclass(frozen=True, slots=True)
class Drafts:
    """A new root, and new targets with the `publishers.json` they sign, that wait; empty: none."""

    root: bytes = b""
    targets: bytes = b""
    publishers: bytes = b""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a command may sign of the drafts; without it they are carried along (SPEC PUB-20).

    Attributes:
        roles: of `root` and `targets`, those whose drafts it made itself, or showed.
        root: the same holds for the draft root, so the keys that it names may sign by it.
    """

    roles: tuple[str, ...] = ()
    root: bool = False


NO_CONSENT = Consent()


@dataclass(frozen=True, slots=True)
class Next:
    """What a renewal comes to.

    Attributes:
        signed: what is in force then.
        drafts: what waits then.
        files: to write, in this order.
        gone: drafts to remove after that.
        missing: what the drafts lack.
    """

    signed: Signed
    drafts: Drafts
    files: tuple[File, ...]
    gone: tuple[str, ...]
    missing: tuple[Missing, ...]


def draft_path(role: str) -> str:
    """Return where a draft lies below the index's root."""
    return f"{DRAFTS}/{role}.json"


def read_signed(read: Read, versions: Seen, limit: int) -> Signed:
    """Return the signed files of a verified head."""
    numbers = {role: getattr(versions, role) for role in Signed.__slots__}
    return Signed(**{role: read(repository.path(role, n), limit) for role, n in numbers.items()})


def renew(
    old: Signed,
    drafts: Drafts,
    keys: Sequence[PrivateKey],
    now: datetime,
    *,
    contents: bytes,
    changed: bool = False,
    consent: Consent = NO_CONSENT,
    fingerprint: str = "",
) -> Next:
    """Return the next head (SPEC PUB-11 to PUB-14).

    Args:
        old: what is in force.
        drafts: what waits, or begins to wait.
        keys: the private keys at hand.
        now: the clock.
        contents: `index.json` as stored.
        changed: it is another than before.
        consent: which drafts `keys` may sign.
        fingerprint: of the index, where it has a root in force.

    Raises:
        UsageError: the keys at hand cannot sign index, snapshot or timestamp.
    """
    drafts = _signed_drafts(old, drafts, keys, consent)
    root, targets = _in_force(old, drafts)
    lacking = _lacking(old, drafts, root)
    if not root or not targets:
        return Next(old, drafts, _drafted(drafts), (), lacking)
    own = fingerprint if old.root else chain.fingerprint(root)
    both = (root, old.root)
    index = old.index
    if changed or not index or _is_due(index, "index", targets, now):
        index = repository.index(_version(index) + 1, now, contents, own)
        index = _sign(index, "index", (targets, old.targets), keys)
    snapshot = old.snapshot
    if (index, targets) != (old.index, old.targets) or _is_due(snapshot, "snapshot", root, now):
        snapshot = repository.snapshot(_version(snapshot) + 1, now, targets, index, own)
        snapshot = _sign(snapshot, "snapshot", both, keys)
    timestamp = repository.timestamp(_version(old.timestamp) + 1, now, snapshot, own)
    timestamp = _sign(timestamp, "timestamp", both, keys)
    fresh = Signed(root, targets, index, snapshot, timestamp)
    kept = _settled(drafts, fresh)
    files: list[File] = []
    if targets == drafts.targets:
        files.append(_target(chain.PUBLISHERS, drafts.publishers))
    if index != old.index:
        files.append(_target(chain.INDEX, contents))
    files += [*_drafted(kept), *_files(old, fresh)]
    gone = {file.path for file in _drafted(drafts)} - {file.path for file in _drafted(kept)}
    return Next(fresh, kept, tuple(files), tuple(sorted(gone)), lacking)


def waiting(
    old: Signed, drafts: Drafts, keys: Sequence[PrivateKey], consent: Consent = NO_CONSENT
) -> Next:
    """Return what is in force, unchanged, and the drafts with the signatures of these keys."""
    drafts = _signed_drafts(old, drafts, keys, consent)
    return Next(old, drafts, _drafted(drafts), (), _lacking(old, drafts, old.root))


def date_of(timestamp: bytes) -> str:
    """Return the date that a timestamp of this module states; empty without one."""
    if not timestamp:
        return ""
    date: str = canonical.decode(timestamp, what="the timestamp")["signed"]["date"]
    return date


def due_drafts(
    old: Signed, drafts: Drafts, now: datetime, publishers: bytes, fingerprint: str = ""
) -> Drafts:
    """Return the drafts, with a new root and new targets where the ones in force end soon.

    Args:
        old: what is in force.
        drafts: what waits already.
        now: the clock.
        publishers: `publishers.json` as it is in force.
        fingerprint: of the index.
    """
    if not drafts.root and _ends_soon(old.root, now):
        roles = repository.root_roles(old.root)
        root = repository.root(_version(old.root) + 1, now, roles, fingerprint)
        drafts = replace(drafts, root=root)
    if not drafts.targets and _ends_soon(old.targets, now):
        signers = repository.role_signers(old.targets, "index")
        data = repository.targets(_version(old.targets) + 1, now, publishers, signers, fingerprint)
        drafts = replace(drafts, targets=data, publishers=publishers)
    return drafts


def online_keys(old: Signed, drafts: Drafts, consent: Consent) -> frozenset[str]:
    """Return the ids of the keys that index, snapshot and timestamp may need now.

    A draft names such keys only once it may come in force: signed by enough, or by consent.
    """
    roots = [root for root in (old.root, drafts.root) if root]
    if drafts.root and not consent.root and _root_lacks(drafts.root, old.root):
        roots.remove(drafts.root)
    every = [old.targets] if old.targets else []
    if drafts.targets and ("targets" in consent.roles or _is_accepted(drafts.targets, roots)):
        every.append(drafts.targets)
    found = {keyid for targets in every for keyid in _keyids(targets, "index")}
    for root in roots:
        found |= _keyids(root, "snapshot") | _keyids(root, "timestamp")
    return frozenset(found)


def draft_keys(old: Signed, drafts: Drafts, consent: Consent) -> frozenset[str]:
    """Return the ids of the keys that the drafts may be signed with, by consent (SPEC PUB-20)."""
    found: set[str] = set()
    for role in consent.roles:
        if getattr(drafts, role):
            found.update(*(_keyids(root, role) for root in _naming(old, drafts, consent)))
    return frozenset(found)


def _is_accepted(targets: bytes, roots: Iterable[bytes]) -> bool:
    return any(not repository.missing(targets, "targets", root).count for root in roots)


def _naming(old: Signed, drafts: Drafts, consent: Consent) -> tuple[bytes, bytes]:
    """Return the roots that name who signs a draft: the one in force, another by consent only."""
    return (drafts.root if consent.root else b"", old.root)


def _keyids(delegator: bytes, role: str) -> set[str]:
    return set(repository.role_signers(delegator, role).keyids) if delegator else set()


def _signed_drafts(
    old: Signed, drafts: Drafts, keys: Sequence[PrivateKey], consent: Consent
) -> Drafts:
    """Return the drafts with the signatures of those keys that may sign them."""
    root, targets = drafts.root, drafts.targets
    naming = _naming(old, drafts, consent)
    if root and "root" in consent.roles:
        root = _add(root, "root", naming, keys)
    if targets and "targets" in consent.roles:
        targets = _add(targets, "targets", naming, keys)
    return Drafts(root, targets, drafts.publishers)


def _in_force(old: Signed, drafts: Drafts) -> tuple[bytes, bytes]:
    """Return root and targets as they are in force next; a root needs targets that it accepts."""
    for root in (drafts.root, old.root):
        if not root or (root == drafts.root and _root_lacks(root, old.root)):
            continue
        for targets in (drafts.targets, old.targets):
            if targets and not repository.missing(targets, "targets", root).count:
                return root, targets
    return old.root, old.targets


def _lacking(old: Signed, drafts: Drafts, root: bytes) -> tuple[Missing, ...]:
    lacking: list[Missing] = []
    if drafts.root:
        lacking += repository.missing_root(drafts.root, old.root or None)
    if drafts.targets:
        lacking.append(repository.missing(drafts.targets, "targets", root or drafts.root))
    return tuple(one for one in lacking if one.count)


def _root_lacks(new: bytes, old: bytes) -> int:
    return sum(one.count for one in repository.missing_root(new, old or None))


def _is_due(data: bytes, role: str, delegator: bytes, now: datetime) -> bool:
    """Say whether a role ends soon, or its delegator does not accept its signatures any more."""
    return _ends_soon(data, now) or repository.missing(data, role, delegator).count > 0


def _ends_soon(data: bytes, now: datetime) -> bool:
    return repository.stated(data).expires - now < SOON


def _version(data: bytes) -> int:
    return repository.stated(data).version if data else 0


def _sign(
    data: bytes, role: str, delegators: tuple[bytes, bytes], keys: Sequence[PrivateKey]
) -> bytes:
    """Sign a role by what names its keys next, and by what named them before where that is able.

    Raises:
        UsageError: the keys at hand do not suffice.
    """
    signed = _add(data, role, delegators, keys)
    lacks = repository.missing(signed, role, delegators[0])
    if lacks.count:
        raise UsageError(
            f"the index cannot be signed: `{role}` needs {lacks.count} more of its keys",
            why=[f"the key `{keyid}` is not at hand" for keyid in lacks.waiting],
            hint="`crpack key import` brings a key here; `--key NAME` lets it sign",
            rule="PUB-12",
        )
    return signed


def _add(data: bytes, role: str, delegators: Iterable[bytes], keys: Sequence[PrivateKey]) -> bytes:
    allowed = {keyid for delegator in delegators for keyid in _keyids(delegator, role)}
    for key in keys:
        if keying.public(key).keyid in allowed:
            data = repository.add_signature(data, key)
    return data


def _settled(drafts: Drafts, fresh: Signed) -> Drafts:
    """Return the drafts without those that are in force now."""
    if fresh.root == drafts.root:
        drafts = replace(drafts, root=b"")
    if fresh.targets == drafts.targets:
        drafts = replace(drafts, targets=b"", publishers=b"")
    return drafts


def _target(name: str, data: bytes) -> File:
    return File(repository.target_path(name, data), data)


def _files(old: Signed, new: Signed) -> list[File]:
    """Return the metadata of a head in the order of writing."""
    roles = ("targets", "index", "snapshot", "timestamp")
    order = (*roles, "root") if old.root else ("root", *roles)
    changed = [(role, getattr(new, role)) for role in order]
    return [
        File(repository.path(role, _version(data)), data)
        for role, data in changed
        if data != getattr(old, role)
    ]


def _drafted(drafts: Drafts) -> tuple[File, ...]:
    every = [(role, getattr(drafts, role)) for role in Drafts.__slots__]
    return tuple(File(draft_path(role), data) for role, data in every if data)
