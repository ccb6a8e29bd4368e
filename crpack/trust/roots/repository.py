"""What the owner of an index signs: root, targets, index, snapshot, timestamp, as bytes.

Rules (SPEC TUF-01, TUF-06, TUF-15, TUF-18):
- The bytes are canonical JSON: the same content gives the same bytes, and `tuf` writes them again
  as they are. Signatures are sorted by key id.
- A threshold is met by adding one signature after the other to the same bytes; a new root needs
  the threshold of the root before it and its own.
- Root, targets, snapshot and index are in force for a year, a timestamp for 30 days; none longer.
- Each states the fingerprint of its index, once that has one: what is signed for one index is of
  no use to another.

Pure: bytes and keys in, bytes out. Writing files and asking for passphrases are the caller's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crpack.errors import FormatError, TrustError, UsageError
from crpack.model import canonical
from crpack.model.dates import dated, moment
from crpack.model.document import SHA256, Fields
from crpack.model.limits import MAX_HEAD_BYTES
from crpack.trust import keys
from crpack.trust.roots.chain import INDEX, PUBLISHERS

if TYPE_CHECKING:
    from collections.abc import Iterable

SPEC_VERSION = "1.0.31"  # of the TUF specification
YEAR = timedelta(days=365)
MONTH = timedelta(days=30)
TOP_ROLES = ("root", "targets", "snapshot", "timestamp")


@dataclass(frozen=True, slots=True)
class Signers:
    """Who may sign a role, and how many of them must.

    Raises:
        UsageError: no key, a key twice, or a threshold that cannot be met.
    """

    keys: tuple[keys.PublicKey, ...]
    threshold: int = 1

    def __post_init__(self) -> None:
        ordered = tuple(sorted(set(self.keys), key=lambda key: key.keyid))
        if len(ordered) != len(self.keys) or not 1 <= self.threshold <= len(ordered):
            what = f"{self.threshold} of {len(ordered)} different keys is no threshold"
            raise UsageError(what, rule="TUF-15")
        object.__setattr__(self, "keys", ordered)

    @property
    def keyids(self) -> tuple[str, ...]:
        """The key ids, sorted."""
        return tuple(key.keyid for key in self.keys)


@dataclass(frozen=True, slots=True)
class Roles:
    """Who signs the four top roles."""

    root: Signers
    targets: Signers
    snapshot: Signers
    timestamp: Signers


@dataclass(frozen=True, slots=True)
class Missing:
    """What a file still lacks by one delegator: how many more of these keys must sign.

    Attributes:
        role: the role that is signed.
        count: signatures that are missing; 0 when the threshold is met.
        signed: the key ids that signed.
        waiting: the key ids that may sign and did not.
    """

    role: str
    count: int
    signed: tuple[str, ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stated:
    """What a metadata file says of itself.

    Attributes:
        role: its type (`targets` for the role `index`).
        version: its number.
        expires: when it ends.
        fingerprint: of the index that it is for; empty where it does not say (SPEC TUF-18).
    """

    role: str
    version: int
    expires: datetime
    fingerprint: str = ""


def path(role: str, version: int) -> str:
    """Return where a metadata file lies below the index's address (SPEC TUF-01)."""
    return "metadata/timestamp.json" if role == "timestamp" else f"metadata/{version}.{role}.json"


def target_path(name: str, data: bytes) -> str:
    """Return where a target's bytes lie below the index's address (SPEC TUF-01)."""
    return f"targets/{hashlib.sha256(data).hexdigest()}.{name}"


def root(version: int, now: datetime, roles: Roles, fingerprint: str = "") -> bytes:
    """Return an unsigned root; the fingerprint is that of the index, empty for the first root."""
    by_role = {name: getattr(roles, name) for name in TOP_ROLES}
    fields = {
        "consistent_snapshot": True,
        "keys": _key_table(key for signers in by_role.values() for key in signers.keys),
        "roles": {name: _role(signers) for name, signers in by_role.items()},
    }
    return _unsigned("root", version, now + YEAR, fields, fingerprint)


def targets(
    version: int, now: datetime, publishers: bytes, index: Signers, fingerprint: str = ""
) -> bytes:
    """Return unsigned targets: the file `publishers.json`, and who signs the role `index`."""
    role = {"name": "index", "paths": [INDEX], "terminating": True, **_role(index)}
    fields = {
        "delegations": {"keys": _key_table(index.keys), "roles": [role]},
        "targets": {PUBLISHERS: _file(publishers)},
    }
    return _unsigned("targets", version, now + YEAR, fields, fingerprint)


def index(version: int, now: datetime, data: bytes, fingerprint: str = "") -> bytes:
    """Return the unsigned metadata of the role `index`, for the bytes of `index.json.zst`."""
    fields = {"targets": {INDEX: _file(data)}}
    return _unsigned("targets", version, now + YEAR, fields, fingerprint)


def snapshot(
    version: int, now: datetime, targets: bytes, index: bytes, fingerprint: str = ""
) -> bytes:
    """Return an unsigned snapshot of signed targets and index metadata."""
    meta = {"index.json": _meta(index), "targets.json": _meta(targets)}
    return _unsigned("snapshot", version, now + YEAR, {"meta": meta}, fingerprint)


def timestamp(version: int, now: datetime, snapshot: bytes, fingerprint: str = "") -> bytes:
    """Return an unsigned timestamp of a signed snapshot."""
    fields = {"date": dated(now), "meta": {"snapshot.json": _meta(snapshot)}}
    return _unsigned("timestamp", version, now + MONTH, fields, fingerprint)


def add_signature(metadata: bytes, private: keys.PrivateKey) -> bytes:
    """Return the metadata with one more signature; the same key again changes nothing.

    Raises:
        FormatError: not metadata as this module writes it.
    """
    document = _open(metadata)
    signed, signatures = document["signed"], _signatures(document)
    keyid = keys.public(private).keyid
    signatures[keyid] = keys.sign(private, canonical.encode(signed))
    return _write(signed, signatures)


def missing(metadata: bytes, role: str, delegator: bytes) -> Missing:
    """Say which signatures a role lacks by the root, or the targets for `index`, that names it.

    Raises:
        FormatError: not metadata as this module writes it, or the role is not delegated there.
    """
    document = _open(metadata)
    message, given = canonical.encode(document["signed"]), _signatures(document)
    signers = role_signers(delegator, role)
    good = {
        key.keyid
        for key in signers.keys
        if key.keyid in given and keys.verify(key, given[key.keyid], message)
    }
    return Missing(
        role=role,
        count=max(0, signers.threshold - len(good)),
        signed=tuple(sorted(good)),
        waiting=tuple(keyid for keyid in signers.keyids if keyid not in good),
    )


def missing_root(new: bytes, old: bytes | None) -> tuple[Missing, ...]:
    """Say which signatures a new root lacks: by its own keys, and by those of the root before.

    Raises:
        FormatError: not roots as this module writes them, or not one version apart.
    """
    if old is None:
        return (missing(new, "root", new),)
    if stated(new).version != stated(old).version + 1:
        raise FormatError("the new root is not the next version", rule="TUF-04")
    return missing(new, "root", new), missing(new, "root", old)


def stated(metadata: bytes) -> Stated:
    """Return type, version, expiry and index of metadata.

    Raises:
        FormatError: not metadata as this module writes it.
    """
    fields = _fields(_open(metadata)["signed"])
    expires = moment(fields.date("expires"))
    fingerprint = fields.text("fingerprint", SHA256) if fields.has("fingerprint") else ""
    return Stated(fields.text("_type"), fields.integer("version", 1), expires, fingerprint)


def content(metadata: bytes) -> bytes:
    """Return what the signatures of metadata sign.

    Raises:
        FormatError: not metadata as this module writes it.
    """
    return canonical.encode(_open(metadata)["signed"])


def role_signers(delegator: bytes, role: str) -> Signers:
    """Return who signs a role by a root, or by the targets for the role `index`.

    Raises:
        FormatError: not metadata as this module writes it, or the role is not delegated there.
    """
    signed = _open(delegator)["signed"]
    try:
        if role == "index":
            table, found = signed["delegations"]["keys"], signed["delegations"]["roles"][0]
        else:
            table, found = signed["keys"], signed["roles"][role]
        named = tuple(_public(keyid, table[keyid]) for keyid in found["keyids"])
        if type(found["threshold"]) is not int:
            raise TypeError(role)
        return Signers(named, found["threshold"])
    except (LookupError, TypeError, ValueError, TrustError, UsageError) as error:
        raise FormatError(f"the role `{role}` is not delegated there", rule="TUF-15") from error


def root_roles(data: bytes) -> Roles:
    """Return who signs the top roles by a root.

    Raises:
        FormatError: not a root as this module writes it.
    """
    return Roles(**{name: role_signers(data, name) for name in TOP_ROLES})


def _unsigned(
    kind: str, version: int, expires: datetime, fields: dict[str, Any], fingerprint: str
) -> bytes:
    signed = {
        "_type": kind,
        "expires": dated(expires),
        "spec_version": SPEC_VERSION,
        "version": version,
        **({"fingerprint": fingerprint} if fingerprint else {}),
        **fields,
    }
    return _write(signed, {})


def _write(signed: dict[str, Any], signatures: dict[str, bytes]) -> bytes:
    rows = [{"keyid": keyid, "sig": signatures[keyid].hex()} for keyid in sorted(signatures)]
    return canonical.encode({"signatures": rows, "signed": signed})


def _open(metadata: bytes) -> dict[str, Any]:
    fields = _fields(canonical.decode(metadata, what="the metadata", limit=MAX_HEAD_BYTES))
    if not isinstance(fields.value.get("signed"), dict):
        raise fields.refuse("signed", "is not an object")
    return fields.value


def _signatures(document: dict[str, Any]) -> dict[str, bytes]:
    rows = list(_fields(document).each("signatures"))
    try:
        return {row.text("keyid", SHA256): bytes.fromhex(row.text("sig")) for row in rows}
    except ValueError as error:
        raise FormatError("a signature is not in hex", rule="TUF-15") from error


def _fields(value: object) -> Fields:
    if not isinstance(value, dict):
        raise FormatError("the metadata is not an object", rule="TUF-15")
    return Fields("the metadata", "TUF-15", value)


def _role(signers: Signers) -> dict[str, Any]:
    return {"keyids": list(signers.keyids), "threshold": signers.threshold}


def _key_table(every: Iterable[keys.PublicKey]) -> dict[str, Any]:
    return {
        key.keyid: {"keytype": "ed25519", "keyval": {"public": key.raw.hex()}, "scheme": "ed25519"}
        for key in every
    }


def _public(keyid: str, row: dict[str, Any]) -> keys.PublicKey:
    key = keys.PublicKey(bytes.fromhex(row["keyval"]["public"]))
    if key.keyid != keyid:
        raise ValueError(keyid)
    return key


def _file(data: bytes) -> dict[str, Any]:
    return {"hashes": {"sha256": hashlib.sha256(data).hexdigest()}, "length": len(data)}


def _meta(metadata: bytes) -> dict[str, Any]:
    return {**_file(metadata), "version": stated(metadata).version}
