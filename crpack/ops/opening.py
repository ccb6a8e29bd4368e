"""Opening an archive file for use: fetched where it is a URL, strict, its signatures judged.

Rules (SPEC SIG-10…):
- Nothing of an archive is used before a pinned key vouches for it under its name; that holds for
  every component that it carries, each by its own signature.
- `--allow-unsigned` takes what nobody vouches for; it is told loudly and recorded.
- What the manifest says and what the recipe says must agree.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from crpack import disk
from crpack.archive import reader
from crpack.errors import ArchiveError, TrustError, UsageError
from crpack.fetch import download
from crpack.fetch.addresses import shown
from crpack.model import recipe_document, signatures
from crpack.model.limits import MAX_ARCHIVE_BYTES, MAX_COMPONENTS
from crpack.ops import policy
from crpack.ops.drafts import check_crpack
from crpack.ops.progress import News
from crpack.ops.selection import Component
from crpack.trust import envelope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.model.recipe import Recipe
    from crpack.ops.progress import Tell
    from crpack.session import Session
    from crpack.trust.pins import Pin


@dataclass(frozen=True, slots=True)
class Opened:
    """An archive and its closure, judged.

    Attributes:
        root: the requested component.
        others: the rest of its closure.
        warnings: what was let pass by the user's explicit wish.
    """

    root: Component
    others: tuple[Component, ...]
    warnings: tuple[str, ...]


def is_url(text: str) -> bool:
    """Say whether an argument is a URL rather than a file."""
    return "://" in text


@contextmanager
def opened(session: Session, place: str, *, allow_unsigned: bool, tell: Tell) -> Iterator[Opened]:
    """Open an archive by file name or URL; it stays open within the `with`.

    Raises:
        UsageError: there is no such file, or it needs another crpack.
        FetchError: the URL is not reachable.
        ArchiveError, FormatError: it is not exactly an archive.
        TrustError: no pinned key vouches for it under its name.
    """
    with _local(session, place, tell) as path, opened_file(path) as stream:
        pinned = session.pins()
        with named(place):
            judged = _judged(stream, pinned, allow_unsigned=allow_unsigned)
        yield judged


@contextmanager
def named(place: str) -> Iterator[None]:
    """Name the file in what is said of an archive, and what to do about it."""
    try:
        yield
    except TrustError as error:
        error.why = (*error.why, f"the archive is `{shown(place)}`")
        error.hint = error.hint or "it is damaged or was altered: get it again from its publisher"
        raise


def _judged(stream: BinaryIO, pinned: tuple[Pin, ...], *, allow_unsigned: bool) -> Opened:
    size = os.fstat(stream.fileno()).st_size
    archive = reader.Archive.open(stream, size=size)
    warnings: list[str] = []
    root = _judge(archive, pinned, warnings, allow_unsigned=allow_unsigned)
    if len(archive.components) > MAX_COMPONENTS:
        what = f"the archive carries more than {MAX_COMPONENTS} components"
        raise ArchiveError(what, rule="ARC-15")
    others = tuple(
        _judge(archive.component(identity), pinned, warnings, allow_unsigned=allow_unsigned)
        for identity in archive.components
    )
    _distinct((root, *others))
    archive.read_through()
    return Opened(root, others, tuple(warnings))


@contextmanager
def reading(path: str) -> Iterator[reader.Archive]:
    """Open an archive file to look at or verify it, without asking who signed it.

    Raises:
        UsageError: there is no such file.
        ArchiveError, FormatError: it is not exactly an archive.
    """
    with opened_file(path) as stream, named(path):
        yield reader.Archive.open(stream, size=os.fstat(stream.fileno()).st_size)


@contextmanager
def _local(session: Session, place: str, tell: Tell) -> Iterator[str]:
    if not is_url(place):
        yield place
        return
    if not place.startswith(("http://", "https://", "file://")):
        hint = "download it yourself, then install the file"
        raise UsageError(f"`{shown(place)}` is not an address that crpack opens", hint=hint)
    root = f"{session.homes.cache}/stage"
    disk.sweep(root)
    stage = disk.make_stage(root)
    try:
        path = f"{stage.path}/archive.crpkg"
        tell(News("Fetching", shown(place)))
        room = disk.free_bytes(root) // 2  # an archive that nobody vouches for yet
        limit = min(room, MAX_ARCHIVE_BYTES)
        download.download(session.transport(), (place,), path, limit=limit)
        yield path
    finally:
        stage.close()


@contextmanager
def opened_file(path: str) -> Iterator[BinaryIO]:
    """Open a regular file for reading.

    Raises:
        UsageError: there is no such file.
    """
    with _open(path) as stream:
        yield stream


def _open(path: str) -> BinaryIO:
    """Open a regular file for reading; a pipe or device of that name is not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        stream = open(fd, "rb")  # noqa: SIM115 - the caller closes it
    except IsADirectoryError as error:
        hint = f"build an archive of it first: `crpack build {path}`"
        raise UsageError(f"`{path}` is a folder, not an archive", hint=hint) from error
    except FileNotFoundError as error:
        raise UsageError(f"there is no file `{path}`") from error
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read", why=[error.strerror or ""]) from error
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise UsageError(
            f"`{path}` is a pipe or device, and an archive is read at any place",
            hint="save it to a file first",
        )
    return stream


def _judge(
    archive: reader.Archive, pinned: tuple[Pin, ...], warnings: list[str], *, allow_unsigned: bool
) -> Component:
    said = archive.manifest
    name = said.name
    found = signatures.decode(archive.signatures_bytes)
    try:
        signers = envelope.check(archive.manifest_bytes, found, name, pinned)
    except TrustError as error:
        if not allow_unsigned or found:
            raise
        warnings.append(f"{error.what}: taken because you allowed it; nobody vouches for it")
        signers = ()
    check_crpack(said.needs_crpack, name)
    trusted = policy.may_build(pinned, name, signers)
    return Component(archive, recipe_of(archive), signers, trusted)


def recipe_of(archive: reader.Archive) -> Recipe:
    """Return an archive's recipe; the manifest says the same of the component (SPEC MAN-08).

    Raises:
        FormatError: it is no recipe.
        ArchiveError: recipe and manifest differ.
    """
    said = archive.manifest
    recipe = recipe_document.open_json(archive.recipe_bytes)
    for key in ("name", "version", "revision", "kind", "summary", "license", "needs_crpack"):
        if getattr(recipe.package, key) != getattr(said, key):
            what = f"the manifest and the recipe of `{said.name}` differ in `{key}`"
            raise ArchiveError(what, rule="MAN-08")
    return recipe


def _distinct(components: tuple[Component, ...]) -> None:
    seen: set[str] = set()
    for component in components:
        if component.name in seen:
            raise ArchiveError(f"the archive carries `{component.name}` twice", rule="ARC-14")
        seen.add(component.name)


def sha256_of_recipe(archive: reader.Archive) -> str:
    """Return the digest of an archive's `recipe.json`."""
    return hashlib.sha256(archive.recipe_bytes).hexdigest()
