"""Results on the disk: written, signed, found again, checked.

Rules (SPEC RES-01, RES-07, RES-08):
- A result is a file `ID.json`, named by the sha256 of its bytes; its signatures are `ID.sig.json`
  beside it, and the lock that it names is `locks/DIGEST.lock` there.
- A file that is not what its name says was edited, and is refused.
- Nothing that is there is written over.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FormatError, UsageError
from crpack.install import layout
from crpack.model import results, signatures
from crpack.model.limits import MAX_JSON_BYTES, MAX_SIGNATURES_BYTES, MAX_TOML_BYTES
from crpack.model.results import Result
from crpack.trust import results as signing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.session import Session
    from crpack.trust.keys import PrivateKey

_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LEAST = 6  # digits of an id that name a result


@dataclass(frozen=True, slots=True)
class Saved:
    """A result that was written: its id, its file, and the file of its signatures, if any."""

    id: str
    path: str
    signatures: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A result that was read.

    Attributes:
        signers: ids of the pinned keys that signed it.
        strangers: how many other keys did.
        lock: file of the lock that it names; empty where it does not lie beside it.
    """

    id: str
    path: str
    result: Result
    signers: tuple[str, ...]
    strangers: int
    lock: str


def folder(session: Session, asked: str) -> str:
    """Return the folder of results: that which is asked for, else the prefix's own."""
    return os.path.abspath(asked) if asked else layout.results(session.prefix)


def save(where: str, result: Result, lock: bytes, signers: Sequence[PrivateKey] = ()) -> Saved:
    """Write a result, its lock and its signatures into a folder (SPEC RES-08).

    Raises:
        FormatError: a recipe's own numbers or names are beyond what a result can say.
    """
    data = results.encode(result)
    name = results.identity(data)
    results.decode(data, name=name)  # nothing is written that readers would refuse
    disk.make_folders(f"{where}/locks")
    _put(f"{where}/locks/{hashlib.sha256(lock).hexdigest()}.lock", lock)
    path = f"{where}/{name}.json"
    _put(path, data)
    if not signers:
        return Saved(name, path)
    beside = f"{where}/{name}.sig.json"
    disk.atomic_write(beside, signing.sign(data, signers))
    return Saved(name, path, beside)


def _put(path: str, data: bytes) -> None:
    if not os.path.lexists(path):
        disk.atomic_write(path, data)


def load(session: Session, name: str) -> Recorded:
    """Return a result by its file, its id, or the first digits of that.

    Raises:
        UsageError: there is none, or several.
        FormatError: it is no result, or it was edited.
        TrustError: a pinned key is said to have signed it, and has not.
    """
    path = name if os.path.lexists(name) else _found(session, name)
    data = disk.read(path, limit=MAX_JSON_BYTES)
    stem = os.path.basename(path).removesuffix(".json")
    if not _ID.fullmatch(stem):
        why = [f"the file is `{path}`"]
        hint = "give it the name that it was written under: its sha256 and `.json`"
        what = "a result is named by its sha256, so that nobody can edit it unseen"
        raise FormatError(what, why=why, hint=hint, rule="RES-01")
    try:
        result = results.decode(data, name=stem)
    except FormatError as error:
        error.why = (*error.why, f"the file is `{path}`")
        error.hint = error.hint or "get the result again from who made it"
        raise
    beside = f"{path.removesuffix('.json')}.sig.json"
    signed: tuple[signatures.Signature, ...] = ()
    if os.path.lexists(beside):
        signed = signatures.decode(disk.read(beside, limit=MAX_SIGNATURES_BYTES))
    signers = signing.check(data, signed, session.pins()) if signed else ()
    return Recorded(
        id=stem,
        path=path,
        result=result,
        signers=signers,
        strangers=len(signed) - len(signers),
        lock=_lock(os.path.dirname(os.path.abspath(path)), result.software.lock),
    )


def _found(session: Session, name: str) -> str:
    """Return the file of a result of the prefix by the first digits of its id."""
    where = layout.results(session.prefix)
    digits = name.removesuffix(".json")
    known = [one for one in disk.names(where) if re.fullmatch(r"[0-9a-f]{64}\.json", one)]
    found = [one for one in known if len(digits) >= _LEAST and one.startswith(digits)]
    if len(found) == 1:
        return f"{where}/{found[0]}"
    count = f"{len(found)} results begin so" if found else f"`{where}` holds {len(known)} others"
    hint = f"name its file, or at least {_LEAST} digits of its id"
    raise UsageError(f"there is no one result `{name}`", why=[count], hint=hint, rule="RES-08")


def _lock(where: str, digest: str) -> str:
    """Return the file of a lock beside a result, if it is there and is that lock."""
    path = f"{where}/locks/{digest}.lock"
    if not os.path.isfile(path):
        return ""
    data = disk.read(path, limit=MAX_TOML_BYTES)
    return path if hashlib.sha256(data).hexdigest() == digest else ""
