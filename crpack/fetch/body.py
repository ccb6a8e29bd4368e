"""A body: the bytes of an open transfer, from a server or from a local file."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, BinaryIO

from crpack.errors import FetchError
from crpack.fetch.answers import Answer, is_strong
from crpack.model.limits import KIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

CHUNK_BYTES = 256 * KIB


class Body:
    """An open transfer: iterate over its chunks, inside of `with`.

    Attributes:
        start: offset of its first byte in the file: 0 when a server ignored the range that was
            asked for.
        size: bytes of the body as announced, -1 when they were not.
        total: bytes of the file, -1 when not known.
        etag: of the file; empty when there is none.
        unchanged: the file is still the one of the ETag that was given; there are no bytes.
    """

    def __init__(self, answer: Answer, chunks: Iterator[bytes], close: Callable[[], None]) -> None:
        self.start = answer.start
        self.size = answer.size
        self.total = answer.total
        self.etag = answer.etag
        self.unchanged = answer.unchanged
        self._chunks = chunks
        self._close = close

    @property
    def validator(self) -> str:
        """The ETag, if ranges may be joined by it (RFC 9110, 13.1.5); else empty."""
        return self.etag if is_strong(self.etag) else ""

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


def open_file(path: str, *, start: int, end: int | None, limit: int) -> Body:
    """Open a local file, or a range of it, as a server would send it.

    Raises:
        FetchError: not there, as status 404; not a file, not readable, too long; or shorter than
            `start`, as status 416.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        file = os.fdopen(fd, "rb", buffering=0)
        about = os.fstat(fd)
    except (OSError, ValueError) as error:
        status = 404 if isinstance(error, FileNotFoundError) else 0
        raise _unreadable(path, str(getattr(error, "strerror", error)), status) from error
    total = about.st_size
    size = (total if end is None else min(end, total)) - start
    problem = "" if stat.S_ISREG(about.st_mode) else "it is not a file"
    if size > limit:
        problem = f"it has {size} bytes, more than {limit}"
    if problem or size < 0 or (start and not size):
        file.close()
        status = 0 if problem else 416
        raise _unreadable(path, problem or f"it ends before byte {start}", status)
    chunks = _chunks(file, path, start, size, grows=end is not None)
    return Body(Answer(start, size, total), chunks, file.close)


def _chunks(file: BinaryIO, path: str, start: int, size: int, *, grows: bool) -> Iterator[bytes]:
    """Yield `size` bytes; a file that is read to its end must not be longer by then."""
    left = size
    try:
        file.seek(start)
        while left and (chunk := file.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk
        if left or (not grows and file.read(1)):
            raise _unreadable(path, "it changed while it was read")
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from error


def _unreadable(path: str, why: str, status: int = 0) -> FetchError:
    data = {"status": status} if status else {}
    return FetchError(f"the file `{path}` cannot be read", why=[why], data=data)
