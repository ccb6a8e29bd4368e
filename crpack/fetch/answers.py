"""An answer of a web server: what its status and headers promise, held against what was asked.

Rules (SPEC FET-02, FET-04, FET-09; RFC 9110):
- Whole files (200), the range that was asked for (206), and "not changed" (304) where that was
  asked, are answers. Everything else is an error that carries the status.
- A part must be exactly the range that was asked for, of a file whose size is told; several parts
  at once are refused.
- A server may send the whole file instead of a range: `start` is then 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_ETAG = re.compile(r'(W/)?"[!#-~]{0,256}"', re.ASCII)  # RFC 9110, 8.8.3

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})  # RFC 9110, 15; RFC 6585, 4


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an address.

    Attributes:
        start: offset of the first byte.
        end: offset behind the last byte; None for the end of the file.
        etag: of the file as it is known; the answer may be that it has not changed.
        validator: strong ETag that the range must belong to, else the whole file is sent.
    """

    start: int = 0
    end: int | None = None
    etag: str = ""
    validator: str = ""

    @property
    def is_range(self) -> bool:
        """Whether less than the whole file is asked for."""
        return self.start > 0 or self.end is not None

    def headers(self) -> dict[str, str]:
        """Return the headers that ask (RFC 9110, 13.1.2, 13.1.5 and 14.2)."""
        found = {}
        if self.is_range:
            found["Range"] = f"bytes={self.start}-{'' if self.end is None else self.end - 1}"
            if self.validator:
                found["If-Range"] = self.validator
        if self.etag:
            found["If-None-Match"] = self.etag
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server promises to send.

    Attributes:
        start: offset of the body's first byte in the file.
        size: bytes of the body; -1 when not told.
        total: bytes of the file; -1 when not told.
        etag: of the file; empty when there is none.
        unchanged: the file is still the one of the etag that was asked about; no body follows.
    """

    start: int = 0
    size: int = -1
    total: int = -1
    etag: str = ""
    unchanged: bool = False


def judge(
    url: str, status: int, reason: str, headers: Mapping[str, str], *, asked: Question, limit: int
) -> Answer:
    """Return what an answer promises (SPEC FET-02, FET-04, FET-09).

    Args:
        url: as messages show it.
        status: of the answer.
        reason: the status in words.
        headers: of the answer; names are looked up in the usual case.
        asked: the question.
        limit: refuse a body of more bytes.

    Raises:
        FetchError: it is no answer to this question. `data["status"]` tells the status, and
            `data["transient"]` is there when the same question may be answered later.
    """
    etag = headers.get("ETag", "")
    etag = etag if _ETAG.fullmatch(etag) else ""
    if status == 304 and asked.etag:
        return Answer(etag=etag or asked.etag, unchanged=True)
    if status != 200 and (status != 206 or not asked.is_range):
        what = f"`{url}` answered {status} {reason}".rstrip()
        raise FetchError(what, data=_status(status))
    encoding = headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        why = [f"it answered with the content encoding `{encoding[:40]}`"]
        raise FetchError(f"`{url}` does not send its bytes as they are", why=why, rule="FET-02")
    length = _length(url, headers)
    if status == 206:
        answer = _part(url, headers, asked, length, etag)
    else:
        answer = Answer(0, length, length, etag)
    if answer.size > limit:
        raise FetchError(f"`{url}` has {answer.size} bytes, more than {limit}", rule="FET-04")
    return answer


def is_strong(etag: str) -> bool:
    """Tell whether an ETag vouches for every byte, so that ranges may be joined by it."""
    return bool(etag) and not etag.startswith("W/")


def _status(status: int) -> dict[str, object]:
    return {"status": status, **({"transient": True} if status in _TRANSIENT else {})}


def _length(url: str, headers: Mapping[str, str]) -> int:
    length = headers.get("Content-Length", "")
    if length and not _LENGTH.fullmatch(length):
        raise FetchError(f"`{url}` announced the length `{length[:40]}`", rule="FET-04")
    return int(length or -1)


def _part(url: str, headers: Mapping[str, str], asked: Question, length: int, etag: str) -> Answer:
    text = headers.get("Content-Range", "")
    found = _RANGE.fullmatch(text)
    first, last, total = map(int, found.groups()) if found else (-1, -1, -1)
    end = total if asked.end is None else min(asked.end, total)
    if (first, last) != (asked.start, end - 1) or length not in (-1, end - first) or end <= first:
        raise FetchError(
            f"`{url}` does not send the part that was asked for",
            why=[f"it answered with the range `{text[:80]}` and {length} bytes"],
            rule="FET-09",
        )
    return Answer(first, end - first, total, etag)
