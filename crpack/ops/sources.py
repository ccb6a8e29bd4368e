"""Sources: those of a recipe, each as one file that a digest names.

Rules (SPEC RCP-07, RCP-10 to RCP-12):
- Local files become one plain tar: a folder gives its content, a file itself, an inline source its
  text. Its digest depends on the files alone, not on a compressor.
- What version control, editors and interpreters leave behind in folders is left out, so that a
  folder that was used packs like a fresh one.
- For what lies elsewhere the user's mirror is asked before any address, for each archive that
  serves; then the addresses of each. A file counts only with the digest of what it was fetched as.
- An archive of a Git commit counts when its files are the stated tree, whoever packed it.
- What was really used is hashed by the caller, and enters the build key.
"""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from crpack import disk
from crpack.archive import tar
from crpack.errors import (
    ArchiveError,
    BuildFailed,
    CrpackError,
    FetchError,
    TrustError,
    UsageError,
)
from crpack.fetch import download
from crpack.fetch import unpack as unpacking
from crpack.fetch.addresses import shown
from crpack.fetch.attempts import together
from crpack.install import listing
from crpack.model import git, paths
from crpack.model.limits import KIB, MAX_ARCHIVE_BYTES
from crpack.model.recipe import Alternative
from crpack.model.tree import Entry
from crpack.ops.progress import News
from crpack.process import stopping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.model.recipe import Source
    from crpack.ops.progress import Tell
    from crpack.session import Session

_LEFT_BEHIND = frozenset({"__pycache__", ".git", ".hg", ".svn", ".DS_Store"})
_ENDINGS = ("~", ".swp", ".swo")  # of an editor's copies
_CHUNK = 256 * KIB


def get(
    session: Session, source: Source, path: str, *, folder: str = "", owner: str, tell: Tell
) -> None:
    """Write a source to a new file: packed where it is the author's own, else fetched.

    Args:
        session: for the mirror and the network.
        source: of any kind.
        path: of the new file, in a private folder.
        folder: of the component, for a local one.
        owner: the component, for messages.
        tell: takes the news.

    Raises:
        As `fetch` and `pack`.
    """
    if source.elsewhere:
        fetch(session, source, path, owner=owner, tell=tell)
    else:
        pack(source, folder, path)


def pack(source: Source, folder: str, path: str) -> None:
    """Write a local or inline source as a plain tar to a new scratch file (SPEC RCP-07).

    Args:
        source: of kind `local` or `inline`.
        folder: of the component.
        path: of the new file.

    Raises:
        UsageError: the source is not there, or lies outside of the folder.
        ArchiveError: a name or link that the path policy refuses.
    """
    entries, open_file = _inline(source) if source.kind == "inline" else _local(source, folder)
    paths.check_set(entries)
    with disk.create_file(path) as out:
        tar.write(entries, open_file, out)


def _inline(source: Source) -> tuple[tuple[Entry, ...], Callable[[str], BinaryIO]]:
    data = source.text.encode()
    digest = hashlib.sha256(data).hexdigest()
    entry = Entry(source.path, "file", size=len(data), sha256=digest)
    return (entry,), lambda _: BytesIO(data)


def _local(source: Source, folder: str) -> tuple[tuple[Entry, ...], Callable[[str], BinaryIO]]:
    root = os.path.join(folder, source.path)
    inside = os.path.realpath(folder)
    if os.path.commonpath([os.path.realpath(root), inside]) != inside:
        raise UsageError(f"the source `{source.path}` lies outside of `{folder}`", rule="RCP-06")
    if os.path.isfile(root):
        return (_file(root),), lambda _: open(root, "rb")
    if not os.path.isdir(root):
        raise UsageError(
            f"there is no source `{source.path}` in `{folder}`",
            hint="correct `path` in `[[source]]`, or add the file",
        )
    places = [place for place in listing.walk(root) if not _is_left_behind(place.entry.path)]
    special = next((place.entry.path for place in places if place.special), None)
    if special is not None:
        raise UsageError(f"`{os.path.join(root, special)}` is neither a file, a folder nor a link")
    entries = tuple(place.entry for place in places)
    if not entries:
        raise UsageError(f"the source `{source.path}` in `{folder}` is empty")
    return entries, lambda path: open(os.path.join(root, path), "rb")


def _is_left_behind(path: str) -> bool:
    return any(part in _LEFT_BEHIND or part.endswith(_ENDINGS) for part in path.split("/"))


def _file(path: str) -> Entry:
    digest, size = listing.sha256(path)
    executable = os.access(path, os.X_OK)
    return Entry(os.path.basename(path), "file", executable, size, digest)


def fetch(session: Session, source: Source, path: str, *, owner: str, tell: Tell) -> None:
    """Fetch a source that lies elsewhere to a new file (SPEC RCP-10 to RCP-12).

    Args:
        session: for the mirror and the network.
        source: of kind `url` or `git`.
        path: of the new file, in a private folder.
        owner: the component, for messages.
        tell: takes the news.

    Raises:
        FetchError: no place gave anything.
        BuildFailed: some place gave something else.
        InstallError: the disk refused, or has no room.
        Interrupted: the jobs that this is one of were stopped.
    """
    errors: list[CrpackError] = []
    transport = session.transport()
    for archive, url in _places(session, source):
        stopping.check()
        tell(News("Fetching", shown(url)))
        try:
            download.download(
                transport, (url,), path, limit=MAX_ARCHIVE_BYTES,
                sha256=archive.sha256, size=archive.size, parts=session.parts,
                report=lambda _: stopping.check(),
            )  # fmt: skip
            if source.kind == "git":
                _check_tree(source, url, path)
        except (FetchError, TrustError) as error:
            errors.append(error)
        else:
            return
    raise _failure(together(errors), source, owner)


def _places(session: Session, source: Source) -> Iterator[tuple[Alternative, str]]:
    """Yield what may be fetched and from where, best first."""
    archives = source.archives()
    mirror = session.source_mirror
    if mirror:
        for archive in archives:
            yield archive, f"{mirror}/{archive.sha256}"
    if source.kind == "git":  # the tree is what counts
        archives = (Alternative("", source.urls),)
    for archive in archives:
        for url in archive.urls:
            yield archive, url


def _check_tree(source: Source, url: str, path: str) -> None:
    """See that an archive holds a Git tree; remove it if not.

    Raises:
        TrustError: it holds another.
    """
    folder = f"{path}.tree"
    disk.make_folders(folder)
    try:
        entries = unpacking.unpack(path, folder, strip=source.strip)
        found = git.tree(_leaf(folder, entry) for entry in entries if entry.kind != "dir")
        if found != source.tree:
            why = [f"its files are the Git tree `{found}`", f"wanted is `{source.tree}`"]
            raise TrustError(f"`{shown(url)}` is not the commit that was asked for", why=why)
    except TrustError:
        disk.remove_file(path)
        raise
    finally:
        disk.remove_tree(folder)


def _leaf(folder: str, entry: Entry) -> git.Leaf:
    if entry.kind == "link":
        target = os.fsencode(entry.target)
        return git.Leaf(entry.path, git.MODES["link"], git.blob(len(target), [target]))
    mode = git.MODES["executable" if entry.executable else "file"]
    with open(os.path.join(folder, entry.path), "rb") as stream:
        chunks = iter(lambda: stream.read(_CHUNK), b"")
        return git.Leaf(entry.path, mode, git.blob(entry.size, chunks))


def _failure(error: CrpackError, source: Source, owner: str) -> CrpackError:
    why = error.why if len(error.why) > 1 else (error.what, *error.why)
    if isinstance(error, (TrustError, ArchiveError)):
        return BuildFailed(
            f"a source of `{owner}` is not what its recipe states",
            why=why,
            hint="it was changed where it is kept, or on its way; name a folder that has the file "
            "by its sha256 in the setting `source-mirror`",
            rule="RCP-10",
        )
    digests = " or ".join(f"`{one.sha256}`" for one in source.archives())
    place = f"with the file named {digests}" if digests else "that has it"
    return FetchError(
        f"a source of `{owner}` cannot be had",
        why=why,
        hint=f"get it by other means, and name a folder {place} in the setting `source-mirror`",
        data=error.data,
        rule="RCP-10",
    )
