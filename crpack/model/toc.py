"""A table of contents: what one payload holds, and where.

Rules (SPEC TOC-01 to TOC-05):
- A payload's bytes are zstd frames, listed in order: the first begins at 0, each begins where
  the one before ends.
- Files, links and empty directories are listed by path, sorted and distinct, and obey PTH. Names,
  modes and sizes come from here alone.
- A file's bytes begin at `offset` in the decompressed bytes of frame number `frame` and go on
  through the frames that follow.

The places that a file may have are settled by `archive/payload` from the tar's own rules.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise

from crpack.errors import FormatError
from crpack.model import document, paths
from crpack.model.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_FRAME_BYTES,
    MAX_PACKED_BYTES,
    MAX_TOC_BYTES,
)
from crpack.model.tree import Entry


@dataclass(frozen=True, slots=True)
class Frame:
    """One zstd frame of a payload.

    Attributes:
        offset: of its first byte in the payload member.
        packed: bytes in the member.
        raw: bytes when decompressed.
        sha256: hex digest of the packed bytes.
        raw_sha256: hex digest of the decompressed bytes, in the frames of a file that lies in
            several; empty elsewhere.
    """

    offset: int
    packed: int
    raw: int
    sha256: str
    raw_sha256: str = ""


@dataclass(frozen=True, slots=True)
class TocFile:
    """One regular file.

    Attributes:
        path: its name (SPEC PTH).
        size: its bytes.
        executable: the one mode bit kept.
        sha256: hex digest of its bytes.
        frame: number of the frame in which it begins.
        offset: of its first byte in that frame's decompressed bytes.
    """

    path: str
    size: int
    executable: bool
    sha256: str
    frame: int
    offset: int


@dataclass(frozen=True, slots=True)
class TocLink:
    """One symbolic link and its target as written (SPEC PTH-06)."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Toc:
    """The table of contents of one payload; `dirs` are the empty directories."""

    frames: tuple[Frame, ...]
    files: tuple[TocFile, ...]
    links: tuple[TocLink, ...] = ()
    dirs: tuple[str, ...] = ()


_WHAT = "the table of contents"
_KNOWN = frozenset(
    field.name for kind in (Toc, Frame, TocFile, TocLink) for field in dataclasses.fields(kind)
)


def entries(toc: Toc) -> tuple[Entry, ...]:
    """Return the payload's tree, sorted by path (SPEC TRE-01)."""
    found = [Entry(f.path, "file", f.executable, f.size, f.sha256) for f in toc.files]
    found += [Entry(link.path, "link", target=link.target) for link in toc.links]
    found += [Entry(path, "dir") for path in toc.dirs]
    return tuple(sorted(found, key=lambda entry: entry.path))


def encode(toc: Toc) -> bytes:
    """Return the canonical JSON of a table of contents (SPEC TOC-01)."""
    return document.encode(
        {
            "frames": [_frame_fields(frame) for frame in toc.frames],
            "files": [dataclasses.asdict(file) for file in toc.files],
            "links": [dataclasses.asdict(link) for link in toc.links],
            "dirs": list(toc.dirs),
        }
    )


def decode(data: bytes) -> Toc:
    """Return the table of contents in canonical JSON (SPEC TOC-01 to TOC-05, PTH).

    Raises:
        FormatError: not the document it must be.
        ArchiveError: a path or link breaks a rule of PTH.
    """
    top = document.decode(data, what=_WHAT, rule="TOC-02", known=_KNOWN, limit=MAX_TOC_BYTES)
    toc = Toc(
        frames=tuple(_frame(fields) for fields in top.each("frames")),
        files=tuple(_file(fields) for fields in top.each("files")),
        links=tuple(TocLink(f.text("path"), f.text("target")) for f in top.each("links")),
        dirs=top.texts("dirs"),
    )
    _check_sorted("files", [file.path for file in toc.files])
    _check_sorted("links", [link.path for link in toc.links])
    _check_sorted("dirs", list(toc.dirs))
    _check_contiguous(toc.frames)
    paths.check_set(entries(toc))
    return toc


def _frame_fields(frame: Frame) -> dict[str, object]:
    fields = dataclasses.asdict(frame)
    if not frame.raw_sha256:
        del fields["raw_sha256"]
    return fields


def _frame(fields: document.Fields) -> Frame:
    return Frame(
        offset=fields.integer("offset", 0, MAX_ARCHIVE_BYTES),
        packed=fields.integer("packed", 1, MAX_PACKED_BYTES),
        raw=fields.integer("raw", 1, MAX_FRAME_BYTES),
        sha256=fields.text("sha256", document.SHA256),
        raw_sha256=fields.text("raw_sha256", document.SHA256) if fields.has("raw_sha256") else "",
    )


def _file(fields: document.Fields) -> TocFile:
    return TocFile(
        path=fields.text("path"),
        size=fields.integer("size", 0, MAX_ARCHIVE_BYTES),
        executable=fields.flag("executable"),
        sha256=fields.text("sha256", document.SHA256),
        frame=fields.integer("frame"),
        offset=fields.integer("offset", 0, MAX_FRAME_BYTES),
    )


def _check_sorted(name: str, found: list[str]) -> None:
    if any(a >= b for a, b in pairwise(found)):
        raise FormatError(f"{_WHAT}: `{name}` is not sorted by distinct paths", rule="TOC-03")


def _check_contiguous(frames: tuple[Frame, ...]) -> None:
    end = 0
    for number, frame in enumerate(frames):
        if frame.offset != end:
            what = f"{_WHAT}: frame {number} begins at {frame.offset}, not at {end}"
            raise FormatError(what, rule="TOC-04")
        end += frame.packed
