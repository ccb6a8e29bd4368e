"""Unpacking foreign archives: tar (plain, gzip, bzip2, xz, zstd) and zip.

Rules (SPEC FET-07, FET-08):
- `tarfile` and `zipfile` only tell what comes next; names pass the one path policy (SPEC PTH),
  and writing is `disk.Folder`'s. The kind is told by the first bytes, not by the name.
- Taken are files, folders, links that stay inside, and hard links to files that came before,
  which become copies. Links are made last. Devices, pipes, sparse and encrypted members are
  refused, and so is a member that comes twice.
- Of a file's modes the owner's execute bit is kept; its date is always 1980-01-01, so that no
  file is newer than another.
- Entries and bytes have caps. Nothing is read whole but names and links.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from crpack import disk
from crpack.errors import ArchiveError, CrpackError
from crpack.fetch.streams import Forward, decompressed
from crpack.model import paths
from crpack.model.limits import KIB, MAX_ENTRIES, MAX_LINK_BYTES, MIB
from crpack.model.tree import Entry

if TYPE_CHECKING:
    import tarfile
    import zipfile
    from collections.abc import Iterable, Iterator

DATE = 315532800  # 1980-01-01, seconds since 1970
_CHUNK = 256 * KIB
_MODES = {False: 0o644, True: 0o755}


@dataclass(frozen=True, slots=True)
class Caps:
    """What one archive may hold: `entries` of all kinds, `size` bytes of all files."""

    entries: int = MAX_ENTRIES
    size: int = 64 * 1024 * MIB


def unpack(archive: str, folder: str, *, strip: int = 0, caps: Caps = Caps()) -> tuple[Entry, ...]:
    """Unpack a foreign archive into a folder that exists; return what was made (SPEC FET-07).

    Args:
        archive: path of the file; its digest has been checked.
        folder: a private folder.
        strip: leading folders dropped from every name; what has fewer is left out.
        caps: refuse more than this.

    Raises:
        ArchiveError: damaged, cut off, beyond a cap, or a member that is refused.
        InstallError: the disk refused.
    """
    with _opened(archive) as file, disk.Folder(folder) as target:
        unpacking = _Unpacking(target, strip, caps)
        try:
            kind, chunks = decompressed(file)
            if kind == "zip":
                unpacking.zip(file)
            else:
                unpacking.tar(Forward(chunks, caps.size + caps.entries * 4 * KIB))
        except CrpackError:
            raise
        except Exception as error:  # the standard readers raise anything on hostile input
            why = f"{type(error).__name__}: {error}"[:300]
            what = f"the archive `{archive}` is damaged"
            raise ArchiveError(what, why=[why], rule="FET-08") from error
        return unpacking.finish()


def _opened(archive: str) -> BinaryIO:
    try:
        return open(archive, "rb")
    except OSError as error:
        raise disk.failure(error, archive) from error


class _Unpacking:
    """One archive on its way into a folder."""

    def __init__(self, folder: disk.Folder, strip: int, caps: Caps) -> None:
        self._folder = folder
        self._strip = strip
        self._caps = caps
        self._seen = 0
        self._size = 0
        self._places: dict[str, Entry] = {}

    def tar(self, stream: Forward) -> None:
        """Take the members of a tar."""
        import tarfile

        with tarfile.open(fileobj=stream, mode="r:", errorlevel=2) as tar:  # type: ignore[call-overload]
            while (member := tar.next()) is not None:
                tar.members.clear()  # tarfile would keep them all
                self._tar_member(tar, member)
        stream.check_end()

    def _tar_member(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = self._path(member.name)
        if not path:
            return
        if member.isdir():
            self._claim(Entry(path, "dir"))
        elif member.issym():
            self._link(path, member.linkname)
        elif member.islnk():
            self._copy(path, self._path(member.linkname))
        elif member.isreg() and not member.issparse():
            content = tar.extractfile(member)
            self._file(path, bool(member.mode & 0o100), member.size, content)
        else:
            raise _refused(path, "is neither a plain file, a folder nor a link")

    def zip(self, file: Any) -> None:
        """Take the members of a zip."""
        import zipfile

        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                self._zip_member(archive, member)

    def _zip_member(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        path = self._path(member.filename)
        if not path:
            return
        mode = member.external_attr >> 16 if member.create_system == 3 else 0
        kind = stat.S_IFMT(mode)
        if member.flag_bits & 1 or member.compress_type not in (0, 8):
            raise _refused(path, "is encrypted or compressed in a way that crpack does not read")
        if member.is_dir():
            self._claim(Entry(path, "dir"))
            return
        with archive.open(member) as content:
            if kind == stat.S_IFLNK:
                target = content.read(MAX_LINK_BYTES + 1).decode("utf-8")
                self._link(path, target)
            elif kind in (0, stat.S_IFREG):
                self._file(path, bool(mode & 0o100), member.file_size, content)
            else:
                raise _refused(path, "is neither a plain file, a folder nor a link")

    def finish(self) -> tuple[Entry, ...]:
        """Make the links and the empty folders, when all names are known to fit together."""
        filled = {path.rpartition("/")[0] for path in self._places}
        places = sorted(self._places.items())
        entries = tuple(e for path, e in places if e.kind != "dir" or path not in filled)
        paths.check_set(entries)
        for entry in entries:
            if entry.kind == "dir":
                self._folder.folder(entry.path)
        for entry in entries:
            if entry.kind == "link":
                self._folder.link(entry.path, entry.target)
        return entries

    def _claim(self, entry: Entry) -> None:
        """Take a place, and those of the folders above; only folders may be named again."""
        known = self._places.setdefault(entry.path, entry)
        if known is not entry and (known.kind, entry.kind) != ("dir", "dir"):
            raise _refused(entry.path, "comes twice")
        path = entry.path
        while path := path.rpartition("/")[0]:
            if self._places.setdefault(path, Entry(path, "dir")).kind != "dir":
                raise _refused(entry.path, "lies below something that is not a folder")

    def _path(self, name: str) -> str:
        """Return a member's path after stripping; empty when it is left out."""
        self._seen += 1
        if self._seen > self._caps.entries:
            raise ArchiveError(f"it has more than {self._caps.entries} members", rule="FET-08")
        if name.startswith("/"):
            raise _refused(name, "is absolute")
        parts = [part for part in name.split("/") if part not in ("", ".")][self._strip :]
        return paths.check_path("/".join(parts)) if parts else ""

    def _file(self, path: str, executable: bool, size: int, content: Any) -> None:  # noqa: FBT001
        chunks = iter(lambda: content.read(_CHUNK), b"")
        self._write(Entry(path, "file", executable, size), chunks)

    def _copy(self, path: str, source: str) -> None:
        original = self._places.get(source)
        if original is None or original.kind != "file":
            raise _refused(path, f"is a hard link to `{source[:80]}`, which did not come before it")
        entry = Entry(path, "file", original.executable, original.size)
        self._write(entry, _content(f"{self._folder.path}/{source}"))

    def _write(self, entry: Entry, chunks: Iterable[bytes]) -> None:
        self._size += entry.size
        if self._size > self._caps.size:
            raise ArchiveError(f"it unpacks to more than {self._caps.size} bytes", rule="FET-08")
        self._claim(entry)
        mode = _MODES[entry.executable]
        size = self._folder.file(entry.path, _exactly(chunks, entry), mode, date=DATE)
        if size != entry.size:
            raise _refused(entry.path, f"has {size} bytes, not {entry.size}")

    def _link(self, path: str, target: str) -> None:
        plain = "/".join(part for part in target.split("/") if part not in ("", "."))
        if target.startswith("/") or not plain:
            raise _refused(path, f"links to `{target[:80]}`")
        self._claim(Entry(path, "link", target=paths.check_link(path, plain)))


def _exactly(chunks: Iterable[bytes], entry: Entry) -> Iterator[bytes]:
    """Yield chunks, but never more bytes than the member says it has."""
    left = entry.size
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise _refused(entry.path, f"is longer than {entry.size} bytes")
        yield chunk


def _content(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _refused(path: str, why: str) -> ArchiveError:
    return ArchiveError(f"the member `{path[:200]}` {why}", rule="FET-08")
