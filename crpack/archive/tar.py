"""The tar of a tree: one tree, one sequence of bytes.

Rules (SPEC TAR-01 to TAR-05; POSIX ustar, with GNU's records for long names and large sizes):
- Files and empty directories in order of path, then links in order of path, then 1,024 zero
  bytes. No other entries; other directories are implied.
- Modes 0755 (executable files, directories), 0644 (files), 0777 (links); no owner, no time.
- A name or target longer than 100 bytes stands in a GNU `././@LongLink` record before its
  header. A size of 8 GiB or more is written in base 256.

So headers need not be read: a reader makes them from the table of contents and compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import BuildFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from crpack.model.tree import Entry

BLOCK = 512  # bytes; headers are one block, contents are padded to blocks
END = bytes(2 * BLOCK)
CHUNK = 64 * 1024  # bytes read at once

_NAME_BYTES = 100
_OCTAL_LIMIT = 8 << 30
_LONG_NAME = "././@LongLink"
_MODES = {"file": 0o644, "dir": 0o755, "link": 0o777}
_TYPES = {"file": b"0", "dir": b"5", "link": b"2"}


def order(entries: Iterable[Entry]) -> list[Entry]:
    """Return a tree's entries as they stand in its tar (SPEC TAR-01)."""
    return sorted(entries, key=lambda entry: (entry.kind == "link", entry.path))


def header(entry: Entry) -> bytes:
    """Return all blocks before an entry's content: its long names and its header (SPEC TAR-02)."""
    name = entry.path.encode() + (b"/" if entry.kind == "dir" else b"")
    target = entry.target.encode()
    mode = 0o755 if entry.executable else _MODES[entry.kind]
    return (
        _long(b"K", target)
        + _long(b"L", name)
        + _block(name, mode, entry.size, _TYPES[entry.kind], target)
    )


def header_size(entry: Entry) -> int:
    """Return the bytes of `header(entry)` without making it."""
    name = len(entry.path.encode()) + (entry.kind == "dir")
    longs = [size + 1 for size in (name, len(entry.target.encode())) if size > _NAME_BYTES]
    return BLOCK + sum(BLOCK + size + padding(size) for size in longs)


def padding(size: int) -> int:
    """Return the zero bytes that follow a content of `size` bytes."""
    return -size % BLOCK


def content(entry: Entry, stream: BinaryIO) -> Iterator[bytes]:
    """Yield a file's bytes as they are read, and see that they are those of the entry.

    Raises:
        BuildFailed: the file has another size or digest than its entry says.
    """
    import hashlib

    digest, left = hashlib.sha256(), entry.size
    while left and (chunk := stream.read(min(left, CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
        yield chunk
    if left or stream.read(1) or digest.hexdigest() != entry.sha256:
        raise BuildFailed(
            f"`{entry.path}` changed while it was packed",
            hint="see that nothing writes to the folder, then build again",
        )


def write(entries: Iterable[Entry], open_file: Callable[[str], BinaryIO], out: BinaryIO) -> int:
    """Write a tree as plain tar, as local sources are stored (SPEC TAR-01), and return its size.

    Args:
        entries: the tree.
        open_file: gives the bytes of the file at a path; each stream is closed after use.
        out: where the bytes go; only ever appended to.

    Raises:
        BuildFailed: a file is not what its entry says.
    """
    size = 0
    for entry in order(entries):
        size += out.write(header(entry))
        if entry.kind != "file":
            continue
        with open_file(entry.path) as stream:
            for chunk in content(entry, stream):
                size += out.write(chunk)
        size += out.write(bytes(padding(entry.size)))
    return size + out.write(END)


def _long(kind: bytes, text: bytes) -> bytes:
    if len(text) <= _NAME_BYTES:
        return b""
    size = len(text) + 1
    return _block(_LONG_NAME.encode(), 0o644, size, kind, b"") + text + b"\0" + bytes(padding(size))


def _block(name: bytes, mode: int, size: int, kind: bytes, target: bytes) -> bytes:
    """Return one ustar header (POSIX.1-1988; name and target are cut at 100 bytes)."""
    fields = (
        (
            name[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0")
            + b"%07o\0" % mode
            + b"0000000\0" * 2  # owner and group
            + (b"%011o\0" % size if size < _OCTAL_LIMIT else b"\x80" + size.to_bytes(11, "big"))
            + b"00000000000\0"  # time
            + b" " * 8  # the checksum counts itself as spaces
            + kind
            + target[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0")
            + b"ustar\x0000"
            + bytes(64)  # names of owner and group
            + b"0000000\0" * 2  # device numbers
        ).ljust(BLOCK, b"\0")
    )
    return fields[:148] + b"%06o\0 " % sum(fields) + fields[156:]
