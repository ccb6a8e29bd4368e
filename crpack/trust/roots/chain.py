"""The chain of signatures of an index's head, from the pinned root to its two targets.

Rules (SPEC TUF-01 to TUF-06, TUF-18):
- root → root … → timestamp → snapshot → targets → index: each signed by the threshold of keys
  that the one before names, each of the version and digest that the one before states.
- A file that says which index it is for is for this one.
- Every key is Ed25519 and goes by its own key id, so no key can count twice.
- `publishers.json` is taken from targets alone, `index.json.zst` from the role `index` alone.

Nothing here knows the time; `offline` and `client` judge it. Bytes come from a `Read`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crpack.errors import FetchError, TrustError
from crpack.model import canonical
from crpack.model.dates import dated, moment
from crpack.model.document import Fields
from crpack.model.limits import MAX_HEAD_BYTES, MAX_JSON_INTEGER, MAX_ROOTS
from crpack.trust.keys import PublicKey
from crpack.trust.roots.refusal import refuse, translated
from crpack.trust.roots.state import Head, Seen, TargetFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuf.api.metadata import Key, Metadata, Root, Targets

    Read = Callable[[str, int], bytes]

PUBLISHERS = "publishers.json"
INDEX = "index.json.zst"


@dataclass(frozen=True, slots=True)
class Chain:
    """A verified head and when each of its roles expires; `signed` is the timestamp's date."""

    head: Head
    signed: datetime
    expires: tuple[tuple[str, datetime], ...]


def fingerprint(root: bytes) -> str:
    """Return the fingerprint of a root file: the sha256 of its bytes, in hex (SPEC TUF-04)."""
    return hashlib.sha256(root).hexdigest()


def check_root(root: bytes) -> int:
    """Return the version of a root file that is to be pinned.

    Raises:
        TrustError: it is no root, is not signed by its own threshold, or has a foreign key.
    """
    with translated("the root"):
        return int(_root(root, None).version)


def walk(read: Read, bootstrap: bytes) -> Chain:
    """Verify a head, its dates excepted.

    Args:
        read: returns a file below the index's address, at most so many bytes; FileNotFoundError
            or a FetchError of status 403 or 404 when it is not there.
        bootstrap: the pinned root file.

    Raises:
        TrustError: a signature, version, digest, key or form is refused.
        FetchError: a file is not there.
    """
    with translated("the head of the index"):
        return _walk(read, bootstrap)


def _walk(read: Read, bootstrap: bytes) -> Chain:
    own = fingerprint(bootstrap)
    root = _newest_root(read, _root(bootstrap, None), own)
    timestamp = _load("timestamp", _fetch(read, "metadata/timestamp.json"), root)
    meta = timestamp.signed.snapshot_meta
    data = _fetch(read, f"metadata/{meta.version}.snapshot.json")
    snapshot = _meant("snapshot", data, meta, root)
    targets = _below(read, "targets", snapshot.signed, root)
    _check_keys("targets", targets.signed.delegations.keys if targets.signed.delegations else {})
    _check_delegation(targets.signed)
    index = _below(read, "index", snapshot.signed, targets.signed)
    every = (root, timestamp.signed, snapshot.signed, targets.signed, index.signed)
    roles = tuple(zip(("root", "timestamp", "snapshot", "targets", "index"), every, strict=True))
    for role, signed in roles:
        _check_index(role, signed, own)
    expires = tuple((role, signed.expires) for role, signed in roles)
    date = Fields("the timestamp", "TUF-06", timestamp.signed.unrecognized_fields).date("date")
    numbers = {role: signed.version for role, signed in roles}
    head = Head(
        fingerprint=own,
        versions=Seen(**numbers, date=date, keys=_online_keys(root)),
        date=date,
        expires=dated(min(when for _, when in expires)),
        snapshot_sha256=hashlib.sha256(data).hexdigest(),
        publishers=_target(targets.signed, PUBLISHERS),
        index=_target(index.signed, INDEX),
    )
    return Chain(head, moment(date), expires)


def _newest_root(read: Read, root: Root, own: str) -> Root:
    """Follow the roots, each signed by the one before (SPEC TUF-04)."""
    last = root.version + MAX_ROOTS
    while (following := _next_root(read, root.version + 1)) is not None:
        if root.version == last:
            why = f"more than {MAX_ROOTS} roots follow the pinned one"
            raise refuse("the root", why, attack="malformed", rule="TUF-04")
        root = _root(following, root)
        _check_index("root", root, own)
    return root


def _check_index(role: str, signed: Any, own: str) -> None:
    """Refuse what was signed for another index (SPEC TUF-18)."""
    if signed.unrecognized_fields.get("fingerprint", own) != own:
        why = "it was signed for another index"
        raise refuse(f"the {role}", why, attack="mix-and-match", rule="TUF-18")


def _next_root(read: Read, version: int) -> bytes | None:
    try:
        return read(f"metadata/{version}.root.json", MAX_HEAD_BYTES)
    except FileNotFoundError:
        return None
    except FetchError as error:
        if error.data.get("status") in {403, 404}:
            return None
        raise


def _fetch(read: Read, path: str) -> bytes:
    try:
        return read(path, MAX_HEAD_BYTES)
    except FileNotFoundError as error:
        raise FetchError(f"the index has no file `{path}`", data={"status": 404}) from error


def _root(data: bytes, before: Root | None) -> Root:
    """Return the root after checking it against the one before and against itself."""
    parsed = _parse("root", data)
    root: Root = parsed.signed
    if before is not None:
        before.verify_delegate("root", parsed.signed_bytes, parsed.signatures)
        if root.version != before.version + 1:
            why = f"version {root.version} follows version {before.version}"
            raise refuse("the root", why, attack="rollback", rule="TUF-04")
    _check_keys("root", root.keys)
    root.verify_delegate("root", parsed.signed_bytes, parsed.signatures)
    if not root.consistent_snapshot:
        why = "its root does not set `consistent_snapshot`"
        raise refuse("the root", why, attack="malformed")
    return root


def _below(read: Read, role: str, snapshot: Any, delegator: Root | Targets) -> Metadata[Any]:
    meta = snapshot.meta.get(f"{role}.json")
    if meta is None:
        why = f"the snapshot does not state the version of `{role}`"
        raise refuse("the snapshot", why, attack="mix-and-match", rule="TUF-05")
    data = _fetch(read, f"metadata/{meta.version}.{role}.json")
    return _meant(role, data, meta, delegator)


def _meant(role: str, data: bytes, meta: Any, delegator: Root | Targets) -> Metadata[Any]:
    """Return a role whose bytes and version are those that another role states."""
    meta.verify_length_and_hashes(data)
    loaded = _load(role, data, delegator)
    if loaded.signed.version != meta.version:
        why = f"`{role}` has version {loaded.signed.version}, not {meta.version}"
        raise refuse(f"the {role}", why, attack="mix-and-match", rule="TUF-05")
    return loaded


def _load(role: str, data: bytes, delegator: Root | Targets) -> Metadata[Any]:
    parsed = _parse("targets" if role == "index" else role, data)
    delegator.verify_delegate(role, parsed.signed_bytes, parsed.signatures)
    return parsed


def _parse(kind: str, data: bytes) -> Metadata[Any]:
    from tuf.api.metadata import Metadata

    if len(data) > MAX_HEAD_BYTES:
        why = f"more than {MAX_HEAD_BYTES} bytes"
        raise refuse(f"the {kind}", why, attack="endless-data", rule="TUF-05")
    parsed: Metadata[Any] = Metadata.from_bytes(data)
    version = parsed.signed.version
    if parsed.signed.type != kind:
        why = f"a file of the type `{parsed.signed.type}` stands in its place"
        raise refuse(f"the {kind}", why, attack="mix-and-match", rule="TUF-05")
    if type(version) is not int or version > MAX_JSON_INTEGER:
        raise refuse(f"the {kind}", "its version is not a number", attack="malformed")
    return parsed


def _check_keys(role: str, named: dict[str, Key]) -> None:
    """Refuse keys that are not Ed25519 under their own key ids (SPEC TUF-03)."""
    for keyid, key in named.items():
        try:
            good = (key.keytype, key.scheme) == ("ed25519", "ed25519") and PublicKey(
                bytes.fromhex(key.keyval["public"])
            ).keyid == keyid
        except (TrustError, ValueError, TypeError, KeyError):
            good = False
        if not good:
            why = f"`{keyid[:64]}` is not an Ed25519 key under its own key id"
            raise refuse(f"the {role}", why, attack="keys", rule="TUF-03")


def _check_delegation(targets: Targets) -> None:
    """Refuse another delegation than that of the one path to the role `index` (SPEC TUF-02)."""
    roles = targets.delegations.roles if targets.delegations else None
    role = (roles or {}).get("index")
    if role is None or not roles or set(roles) != {"index"}:
        why = "it does not delegate to the role `index` alone"
        raise refuse("the targets", why, attack="malformed", rule="TUF-02")
    if role.paths != [INDEX] or not role.terminating or INDEX in targets.targets:
        why = f"`{INDEX}` is not left to the role `index`"
        raise refuse("the targets", why, attack="malformed", rule="TUF-02")


def _target(signed: Targets, name: str) -> TargetFile:
    found = signed.targets.get(name)
    digest = found.hashes.get("sha256", "") if found else ""
    if found is None or not _is_digest(digest) or not 0 <= found.length <= MAX_JSON_INTEGER:
        why = f"it does not state length and sha256 of `{name}`"
        raise refuse("the head of the index", why, attack="malformed", rule="TUF-02")
    return TargetFile(f"targets/{digest}.{name}", found.length, digest)


def _is_digest(text: object) -> bool:
    return isinstance(text, str) and len(text) == 64 and not set(text) - set("0123456789abcdef")


def _online_keys(root: Root) -> str:
    """Return the digest of who may sign timestamp and snapshot (SPEC TUF-12)."""
    named = {
        name: [sorted(root.roles[name].keyids), root.roles[name].threshold]
        for name in ("snapshot", "timestamp")
    }
    return hashlib.sha256(canonical.encode(named)).hexdigest()
