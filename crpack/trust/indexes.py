"""Pinned indexes: which indexes a user trusts, in the order in which they are asked.

Rules (SPEC TUF-16, TUF-17):
- An index is pinned by its name, its address and the fingerprint of its root; the order of the
  pins is their priority.
- Each name and each fingerprint stands there once; the name `crpack` is that of the index that
  crpack carries.
- `indexes.json` is canonical JSON.

Pure: the caller reads and writes the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from crpack.errors import FormatError, UsageError
from crpack.model import document
from crpack.model.document import SHA256

if TYPE_CHECKING:
    from collections.abc import Iterable

EMBEDDED = "crpack"  # the name of the index that crpack carries; always asked last
PREFIX = "sha256:"  # of a fingerprint as users write it

_WHAT = "`indexes.json`"
_KNOWN = frozenset({"fingerprint", "indexes", "name", "url"})
_NAME = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_OTHER = re.compile(r"[^a-z0-9]+", re.ASCII)
_DIGITS = re.compile(r"[0-9a-f]{8,64}", re.ASCII)
_HINT = "see `crpack trust list`"


@dataclass(frozen=True, slots=True)
class IndexPin:
    """One trusted index.

    Attributes:
        name: the user's word for it.
        url: an http or https address, or the absolute path of a folder; no slash at its end.
        fingerprint: sha256, in hex, of its first root file (SPEC TUF-04).

    Raises:
        UsageError: one of them breaks its rule.
    """

    name: str
    url: str
    fingerprint: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name == EMBEDDED:
            raise UsageError(
                f"`{self.name[:64]}` is not a name for an index",
                hint=f"use a-z, 0-9 and `-`, at most 64; `{EMBEDDED}` is taken",
                rule="TUF-16",
            )
        object.__setattr__(self, "url", address(self.url))
        if not SHA256.fullmatch(self.fingerprint):
            raise _no_fingerprint(self.fingerprint)


def encode(pinned: Iterable[IndexPin]) -> bytes:
    """Return the bytes of `indexes.json` (SPEC TUF-17).

    Raises:
        FormatError: a name or fingerprint stands there twice.
    """
    pinned = tuple(pinned)
    _distinct(pinned)
    rows = [{"fingerprint": p.fingerprint, "name": p.name, "url": p.url} for p in pinned]
    return document.encode({"indexes": rows})


def decode(data: bytes) -> tuple[IndexPin, ...]:
    """Return the pinned indexes in the bytes of `indexes.json`, first asked first (SPEC TUF-17).

    Raises:
        FormatError: the bytes break the format.
    """
    fields = document.decode(data, what=_WHAT, rule="TUF-17", known=_KNOWN)
    pinned = tuple(_pin(row) for row in fields.each("indexes"))
    _distinct(pinned)
    return pinned


def add(pinned: Iterable[IndexPin], new: IndexPin) -> tuple[IndexPin, ...]:
    """Return the pins with one more at the end; the same index again changes its address.

    Raises:
        UsageError: the name is that of another index, or the index has another name.
    """
    pinned = tuple(pinned)
    for pin in pinned:
        same = (pin.name == new.name, pin.fingerprint == new.fingerprint)
        if any(same) and not all(same):
            word = "name" if same[0] else "fingerprint"
            raise UsageError(
                f"an index with this {word} is pinned: `{pin.name}`, `{PREFIX}{pin.fingerprint}`",
                hint=f"run `crpack trust remove {pin.name}` first, or give another name",
                rule="TUF-16",
            )
    if any(pin.name == new.name for pin in pinned):
        return tuple(new if pin.name == new.name else pin for pin in pinned)
    return (*pinned, new)


def remove(pinned: Iterable[IndexPin], text: str) -> tuple[IndexPin, ...]:
    """Return the pins without the one that `find` finds.

    Raises:
        UsageError: see `find`.
    """
    pinned = tuple(pinned)
    gone = find(pinned, text)
    return tuple(pin for pin in pinned if pin != gone)


def find(pinned: Iterable[IndexPin], text: str) -> IndexPin:
    """Return the pin of a name, an address, or a fingerprint or at least 8 of its first digits.

    Raises:
        UsageError: no such index is pinned.
    """
    pinned, wanted = tuple(pinned), text.rstrip("/")
    for pin in pinned:
        if wanted in {pin.name, pin.url}:
            return pin
    digits = text.lower().removeprefix(PREFIX)
    found = [pin for pin in pinned if pin.fingerprint.startswith(digits)]
    if _DIGITS.fullmatch(digits) and len(found) == 1:
        return found[0]
    raise UsageError(f"no pinned index is called `{_plain(text)}`", hint=_HINT, rule="TUF-16")


def default_name(url: str, pinned: Iterable[IndexPin]) -> str:
    """Return a free name for an index: of the host and port of its address, or of its folder."""
    parts = urlsplit(address(url))
    port = f"-{parts.port}" if parts.port else ""
    text = f"{parts.hostname}{port}" if parts.hostname else parts.path.rpartition("/")[2]
    plain = _OTHER.sub("-", text.lower()).strip("-")[:60].rstrip("-") or "index"
    taken = {EMBEDDED, *(pin.name for pin in pinned)}
    numbers = range(2, len(taken) + 2)
    free = (name for name in (plain, *(f"{plain}-{n}" for n in numbers)) if name not in taken)
    return next(free)


def fingerprint(text: str) -> str:
    """Return the hex digits of a fingerprint as users write it: 64, perhaps behind `sha256:`.

    Raises:
        UsageError: not such a text.
    """
    digits = text.strip().lower().removeprefix(PREFIX)
    if not SHA256.fullmatch(digits):
        raise _no_fingerprint(text)
    return digits


def address(url: str) -> str:
    """Return the address of an index without the slash at its end (SPEC TUF-16).

    Raises:
        UsageError: it is none.
    """
    parts = _parts(url)
    plain = url.isprintable() and not set(url) & set(" \\") and not (parts.query or parts.fragment)
    remote = parts.scheme in {"http", "https"} and bool(parts.hostname) and plain
    local = url.startswith("/") and not url.startswith("//") and url.isprintable()
    if not (remote or local) or "@" in parts.netloc:
        raise UsageError(
            f"`{_plain(url)}` is not the address of an index",
            hint="give an http or https address without user name, or a folder",
            rule="TUF-16",
        )
    return url.rstrip("/") or "/"


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise UsageError(f"`{_plain(url)}` is not an address", rule="TUF-16") from error


def _plain(url: str) -> str:
    """Return what was given as an address without what may be secret in it."""
    return re.sub(r"//.*@", "//", url[:200], flags=re.DOTALL).partition("?")[0]


def _pin(row: document.Fields) -> IndexPin:
    url = row.text("url")
    try:
        pin = IndexPin(row.text("name"), url, row.text("fingerprint"))
    except UsageError as error:
        raise FormatError(f"{_WHAT}: {error.what}", rule="TUF-17") from error
    if pin.url != url:
        raise row.refuse("url", "ends with a slash")
    return pin


def _distinct(pinned: tuple[IndexPin, ...]) -> None:
    if len({p.name for p in pinned}) < len(pinned) or len({p.fingerprint for p in pinned}) < len(
        pinned
    ):
        raise FormatError(f"{_WHAT} holds an index twice", rule="TUF-17")


def _no_fingerprint(text: str) -> UsageError:
    what = f"`{text[:80]}` is not a fingerprint"
    hint = f"it has 64 digits, 0-9 and a-f, perhaps behind `{PREFIX}`"
    return UsageError(what, hint=hint, rule="TUF-16")
