"""Pins: the public keys that a user trusts, each for the names it was pinned for.

Rules (SPEC PIN-01…07):
- A key is trusted for names, never globally unless the pattern `*` says so.
- A pattern is a component's name, `scope/*` or `*`; nothing else is a pattern.
- `trust.json` is canonical JSON, sorted by key id, each key once; key ids are recomputed.

Pure: the caller reads and writes the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.errors import FormatError, TrustError, UsageError
from crpack.model import document, names
from crpack.model.limits import MAX_LABEL_LENGTH, MAX_NAME_LENGTH
from crpack.model.signatures import from_base64, to_base64
from crpack.trust.keys import KEY_BYTES, PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_PREFIX = 8  # hex digits of a key id that may stand for the whole

_WHAT = "`trust.json`"
_KNOWN = frozenset({"pins", "key", "keyid", "label", "may_build", "names"})
_SCOPE = re.compile(rf"({names.WORD})/\*", re.ASCII)
_PREFIX = re.compile(rf"[0-9a-f]{{{MIN_PREFIX},64}}")


@dataclass(frozen=True, slots=True)
class Pin:
    """One trusted key.

    Attributes:
        public: the key.
        names: the patterns it is trusted for, sorted, at least one (SPEC PIN-02).
        label: the user's word for its owner; may be empty.
        may_build: recipes that it signs may build in the best sandbox there is (SPEC BLD-19).

    Raises:
        UsageError: a pattern or the label breaks its rule.
    """

    public: PublicKey
    names: tuple[str, ...]
    label: str = ""
    may_build: bool = False

    def __post_init__(self) -> None:
        if not self.names:
            raise UsageError("a key is pinned for at least one name", rule="PIN-01")
        for pattern in self.names:
            check_pattern(pattern)
        if len(self.label) > MAX_LABEL_LENGTH or not self.label.isprintable():
            raise UsageError(
                f"a label is at most {MAX_LABEL_LENGTH} printable characters", rule="PIN-07"
            )
        object.__setattr__(self, "names", tuple(sorted(set(self.names))))

    @property
    def keyid(self) -> str:
        """The key's name (SPEC SIG-02)."""
        return self.public.keyid

    def covers(self, name: str) -> bool:
        """Say whether the key is trusted for a component's name (SPEC PIN-01)."""
        return any(match(pattern, name) for pattern in self.names)


def check_pattern(text: str) -> str:
    """Return the pattern, or refuse it (SPEC PIN-02).

    Raises:
        UsageError: not a component's name, `scope/*` or `*`.
    """
    if text == "*" or names.is_name(text) or _SCOPE.fullmatch(text):
        return text
    raise UsageError(
        f"`{text[: 2 * MAX_NAME_LENGTH]}` is not a pattern of names",
        hint="use a name such as `lab/zlib`, a scope such as `lab/*`, or `*` for all names",
        rule="PIN-02",
    )


def match(pattern: str, name: str) -> bool:
    """Say whether a pattern covers a component's name; no pattern covers another text (PIN-02)."""
    if not names.is_name(name):
        return False
    if pattern.endswith("/*"):
        return name.startswith(pattern[:-1])
    return pattern in {"*", name}


def encode(pinned: Iterable[Pin]) -> bytes:
    """Return the bytes of `trust.json` (SPEC PIN-03).

    Raises:
        FormatError: a key stands there twice.
    """
    ordered = sorted(pinned, key=lambda pin: pin.keyid)
    _distinct([pin.keyid for pin in ordered])
    rows = [
        {
            "key": to_base64(pin.public.raw),
            "keyid": pin.keyid,
            "label": pin.label,
            "names": list(pin.names),
            **({"may_build": True} if pin.may_build else {}),
        }
        for pin in ordered
    ]
    return document.encode({"pins": rows})


def decode(data: bytes) -> tuple[Pin, ...]:
    """Return the pins in the bytes of `trust.json`, sorted by key id (SPEC PIN-03, PIN-04).

    Raises:
        FormatError: the bytes break the format, or a key id is not that of its key.
    """
    fields = document.decode(data, what=_WHAT, rule="PIN-03", known=_KNOWN)
    pinned = tuple(_pin(row) for row in fields.each("pins"))
    _distinct([pin.keyid for pin in pinned])
    return pinned


def add(pinned: Iterable[Pin], new: Pin) -> tuple[Pin, ...]:
    """Return the pins with one more; a key pinned before gains what is new (SPEC PIN-05)."""
    by_key = {pin.keyid: pin for pin in pinned}
    old = by_key.get(new.keyid, new)
    by_key[new.keyid] = replace(
        new,
        names=old.names + new.names,
        label=new.label or old.label,
        may_build=new.may_build or old.may_build,
    )
    return tuple(sorted(by_key.values(), key=lambda pin: pin.keyid))


def remove(pinned: Iterable[Pin], text: str) -> tuple[Pin, ...]:
    """Return the pins without the one that `find` finds.

    Raises:
        UsageError: see `find`.
    """
    pinned = tuple(pinned)
    gone = find(pinned, text)
    return tuple(pin for pin in pinned if pin != gone)


def find(pinned: Iterable[Pin], text: str) -> Pin:
    """Return the pin of a key id, or of at least `MIN_PREFIX` of its first digits (SPEC PIN-06).

    Raises:
        UsageError: not such a text, no such pin, or several.
    """
    text = text.lower()
    if not _PREFIX.fullmatch(text):
        raise UsageError(
            f"nothing that is trusted is called `{text[:64]}`",
            why=[f"it is not a key id either, nor at least {MIN_PREFIX} of its first digits"],
            hint="see `crpack trust list`",
            rule="PIN-06",
        )
    found = [pin for pin in pinned if pin.keyid.startswith(text)]
    if len(found) != 1:
        count = "several pinned keys begin" if found else "no pinned key begins"
        raise UsageError(f"{count} with `{text}`", hint="see `crpack trust list`", rule="PIN-06")
    return found[0]


def _pin(row: document.Fields) -> Pin:
    patterns = row.texts("names")
    raw = from_base64(row.text("key"), KEY_BYTES)
    if raw is None:
        raise row.refuse("key", f"is not {KEY_BYTES} bytes in base64")
    try:
        builds = row.has("may_build") and row.flag("may_build")
        pin = Pin(PublicKey(raw), patterns, row.text("label"), builds)
    except (UsageError, TrustError) as error:
        raise FormatError(f"{_WHAT}: {error.what}", rule=error.rule) from error
    if pin.names != patterns:
        raise row.refuse("names", "is not sorted and distinct")
    if row.text("keyid") != pin.keyid:
        raise row.refuse("keyid", "is not that of its key", rule="PIN-04")
    return pin


def _distinct(keyids: list[str]) -> None:
    if keyids != sorted(set(keyids)):
        raise FormatError(f"{_WHAT} is not sorted by distinct key ids", rule="PIN-03")
