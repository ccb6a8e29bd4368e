"""Results on the disk: written, signed, found again, checked.

Rules (SPEC RES-01, RES-07 to RES-09):
- A result is a file `ID.json`, named by the sha256 of its bytes; its signatures are `ID.sig.json`
  beside it, and the lock that it names is `locks/DIGEST.lock` there.
- A file that is not what its name says was edited, and is refused; so is one whose numbers do not
  come from its samples.
- Nothing that is there is written over.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FormatError, InstallError, UsageError
from crpack.install import layout
from crpack.model import results, signatures
from crpack.model.limits import MAX_JSON_BYTES, MAX_SIGNATURES_BYTES, MAX_TOML_BYTES
from crpack.model.quantity import counted
from crpack.model.results import Result
from crpack.trust import results as signing
from crpack.work import recount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crpack.session import Session
    from crpack.trust.keys import PrivateKey
    from crpack.trust.pins import Pin

RESULT, SIGNATURES, LOCK = ".json", ".sig.json", ".lock"  # ends of the names of files
LOCKS = "locks"

_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LEAST = 6  # digits of an id that name a result


@dataclass(frozen=True, slots=True)
class Saved:
    """A result that was written: its id, its file, and the file of its signatures, if any."""

    id: str
    path: str
    signatures: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A result that was read from its file.

    Attributes:
        id: sha256 of its bytes, which names the file.
        signers: ids of the pinned keys that signed it.
        strangers: how many other keys did.
        signatures: sha256 of the file of its signatures; empty for none.
    """

    id: str
    path: str
    result: Result
    signers: tuple[str, ...] = ()
    strangers: int = 0
    signatures: str = ""


@dataclass(frozen=True, slots=True)
class Recorded(Read):
    """One that is measured again: `lock` is the file of its lock; empty where it is not there."""

    lock: str = ""


def folder(session: Session, asked: str) -> str:
    """Return the folder of results: that which is asked for, else the prefix's own."""
    return os.path.abspath(asked) if asked else layout.results(session.prefix)


def prepare(session: Session, asked: str) -> str:
    """Make and return the folder of results, before anything is measured for it.

    Raises:
        UsageError: what is asked for is no folder.
        InstallError: it cannot be made, or is not the user's to write.
    """
    where = folder(session, asked)
    if os.path.lexists(where) and not os.path.isdir(where):
        hint = "`--out` names another one, or a new one"
        raise UsageError(f"`{asked or where}` is no folder for results", hint=hint, rule="RES-08")
    disk.make_folders(where)
    if not os.access(where, os.W_OK | os.X_OK):
        hint = "name one that is: `--out DIR`"
        raise InstallError(f"the folder `{where}` is not yours to write", hint=hint, rule="RES-08")
    return where


def save(where: str, result: Result, lock: bytes, signers: Sequence[PrivateKey] = ()) -> Saved:
    """Write a result, its lock and its signatures into a folder (SPEC RES-08).

    Raises:
        FormatError: a recipe's own numbers or names are beyond what a result can say.
    """
    data = results.encode(result)
    name = results.identity(data)
    recount.check(results.decode(data, name=name))  # no reader refuses what is written
    disk.make_folders(f"{where}/{LOCKS}")
    _put(f"{where}/{LOCKS}/{hashlib.sha256(lock).hexdigest()}{LOCK}", lock)
    path = f"{where}/{name}{RESULT}"
    _put(path, data)
    if not signers:
        return Saved(name, path)
    beside = f"{where}/{name}{SIGNATURES}"
    disk.atomic_write(beside, signing.sign(data, signers))
    return Saved(name, path, beside)


def _put(path: str, data: bytes) -> None:
    if not os.path.lexists(path):
        disk.atomic_write(path, data)


def read(path: str, pinned: Iterable[Pin]) -> Read:
    """Return what a file says, and who of the pinned keys vouches for it.

    Raises:
        InstallError: it cannot be read.
        FormatError: it is no result, it was edited, its name is not its digest, or its numbers
            are not those of its samples.
        TrustError: a pinned key is said to have signed it, and has not.
    """
    data = disk.read(path, limit=MAX_JSON_BYTES)
    stem = os.path.basename(path).removesuffix(RESULT)
    if not _ID.fullmatch(stem):
        results.decode(data)  # what is no result at all is told first
        what = "a result is named by its sha256, so that nobody can edit it unseen"
        hint = "give it the name that it was written under: its sha256 and `.json`"
        raise FormatError(what, hint=hint, rule="RES-01")
    result = results.decode(data, name=stem)
    recount.check(result)
    beside = f"{path.removesuffix(RESULT)}{SIGNATURES}"
    if not os.path.lexists(beside):
        return Read(stem, path, result)
    signed = disk.read(beside, limit=MAX_SIGNATURES_BYTES)
    every = signatures.decode(signed)
    signers = signing.check(data, every, pinned)
    strangers = len(every) - len(signers)
    return Read(stem, path, result, signers, strangers, hashlib.sha256(signed).hexdigest())


def load(session: Session, name: str) -> Recorded:
    """Return a result by its file, its id, or the first digits of that.

    Raises:
        UsageError: there is none, or several.
        InstallError, FormatError, TrustError: as `read`.
    """
    path = name if os.path.lexists(name) else _found(session, name)
    try:
        one = read(path, session.pins())
    except FormatError as error:
        error.why = (*error.why, f"the file is `{path}`")
        error.hint = error.hint or "get the result again from who made it"
        raise
    lock = _lock(os.path.dirname(os.path.abspath(path)), one.result.software.lock)
    return Recorded(one.id, path, one.result, one.signers, one.strangers, one.signatures, lock)


def _found(session: Session, name: str) -> str:
    """Return the file of a result of the prefix by the first digits of its id."""
    where = layout.results(session.prefix)
    digits = name.removesuffix(RESULT)
    known = [one for one in disk.names(where) if re.fullmatch(r"[0-9a-f]{64}\.json", one)]
    found = [one for one in known if len(digits) >= _LEAST and one.startswith(digits)]
    if len(found) == 1:
        return f"{where}/{found[0]}"
    count = (
        f"{len(found)} results begin so"
        if found
        else f"`{where}` holds {counted(len(known), 'other')}"
    )
    hint = f"name its file, or at least {_LEAST} digits of its id"
    what = f"there is no one result `{name}`" if found else f"there is no result `{name}`"
    raise UsageError(what, why=[count], hint=hint, rule="RES-08")


def _lock(where: str, digest: str) -> str:
    """Return the file of a lock beside a result, if it is there and is that lock."""
    path = f"{where}/{LOCKS}/{digest}{LOCK}"
    if not os.path.isfile(path):
        return ""
    data = disk.read(path, limit=MAX_TOML_BYTES)
    return path if hashlib.sha256(data).hexdigest() == digest else ""
