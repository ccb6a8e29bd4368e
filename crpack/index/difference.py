"""What a draft would change of an index, decoded, for the person who is to sign it.

Rules (SPEC PUB-20, PUB-21):
- A draft comes from a folder that others may write to. It is taken up only when it is exactly what
  crpack writes from the parts that are shown here, so nothing in it is signed unseen.
- It is the next version of its role, states the fingerprint of this index, and ends within a year.
- Two differences are equal only when they are those of the same content.

Pure: bytes and the time come in, values go out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from crpack.errors import CrpackError, FormatError
from crpack.index import publishers
from crpack.index.head import Drafts, Signed, draft_path
from crpack.model.dates import dated
from crpack.trust.roots import repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from crpack.index.publishers import Publishers, Rule
    from crpack.trust.roots.repository import Signers

DAY = timedelta(days=1)  # by which the clocks of two owners may differ


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that changes: lines that hold no more, and lines that hold from then on."""

    what: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a draft would change.

    Attributes:
        role: `root` or `targets`.
        fingerprint: of the index, `sha256:` and 64 hex digits; empty while it has no root.
        version: of the draft.
        expires: when it ends, UTC.
        items: what changes; none when it is but a renewal.
        content: sha256, in hex, of all that waits.
    """

    role: str
    fingerprint: str
    version: int
    expires: str
    items: tuple[Item, ...]
    content: str

    def lines(self) -> tuple[str, ...]:
        """Return it as lines for people."""
        index = self.fingerprint or "that has no root yet"
        title = f"{self.role}, version {self.version}, until {self.expires}, of the index {index}"
        lines = [title, *(line for item in self.items for line in _lines(item))]
        return tuple(lines if self.items else [title, "  nothing but version and date changes"])


def sound(
    old: Signed, drafts: Drafts, now: datetime, fingerprint: str
) -> tuple[Drafts, tuple[str, ...]]:
    """Return the drafts that may be taken up, and why others may not (SPEC PUB-21).

    Args:
        old: what is in force.
        drafts: what lies in the folder.
        now: the clock.
        fingerprint: of the index; empty while it has no root in force.
    """
    faults = []
    for role in ("root", "targets"):
        if not getattr(drafts, role):
            continue
        try:
            _check(role, drafts, getattr(old, role), now, fingerprint)
        except CrpackError as error:
            faults.append(f"`{draft_path(role)}` is passed over: {error.what}")
            drafts = replace(drafts, **{role: b""})
    return (drafts if drafts.targets else replace(drafts, publishers=b"")), tuple(faults)


def of(old: Signed, rules: Publishers, drafts: Drafts, role: str, fingerprint: str) -> Difference:
    """Return what a sound draft would change.

    Args:
        old: what is in force.
        rules: who may publish, as it is in force.
        drafts: what waits; the keys of a root that waits may sign targets, so it is shown too.
        role: `root` or `targets`.
        fingerprint: of the index; empty while it has no root in force.
    """
    said = repository.stated(getattr(drafts, role))
    items = [*_of_root(old.root, drafts.root)] if drafts.root else []
    if role == "targets":
        items += _of_targets(old.targets, drafts.targets, rules, drafts.publishers)
    contents = [repository.content(one) for one in (drafts.root, drafts.targets) if one]
    return Difference(
        role=role,
        fingerprint=f"sha256:{fingerprint}" if fingerprint else "",
        version=said.version,
        expires=dated(said.expires),
        items=tuple(item for item in items if item.gone or item.new),
        content=hashlib.sha256(b"\n".join([role.encode(), *contents])).hexdigest(),
    )


def _check(role: str, drafts: Drafts, old: bytes, now: datetime, fingerprint: str) -> None:
    """Refuse a draft that is not the next of this index, or holds what would not be shown.

    Raises:
        FormatError, TrustError: it is such a one.
    """
    data = getattr(drafts, role)
    said = repository.stated(data)
    following = (repository.stated(old).version if old else 0) + 1
    if said.version != following:
        raise _refused(f"it has version {said.version}, and {following} comes next")
    if said.fingerprint != fingerprint:
        raise _refused("it does not state that it is for this index")
    if not now < said.expires <= now + repository.YEAR + DAY:
        raise _refused("it does not end within a year from now")
    made = said.expires - repository.YEAR
    if role == "root":
        again = repository.root(said.version, made, repository.root_roles(data), fingerprint)
    else:
        rules = publishers.encode(publishers.decode(drafts.publishers))
        signers = repository.role_signers(data, "index")
        again = repository.targets(said.version, made, rules, signers, fingerprint)
    if repository.content(data) != repository.content(again):
        raise _refused("it is not of the form that crpack writes")


def _refused(why: str) -> FormatError:
    return FormatError(why, rule="PUB-21")


def _of_root(old: bytes, new: bytes) -> Iterator[Item]:
    for role in repository.TOP_ROLES:
        yield _item(f"who signs `{role}`", _signing(old, role), _signing(new, role))


def _of_targets(old: bytes, new: bytes, rules: Publishers, data: bytes) -> Iterator[Item]:
    yield _item("who signs `index`", _signing(old, "index"), _signing(new, "index"))
    before = {rule.pattern: rule for rule in rules.rules}
    fresh = publishers.decode(data)
    after = {rule.pattern: rule for rule in fresh.rules}
    for pattern in sorted({*before, *after}):
        lines = (_publishing(before.get(pattern)), _publishing(after.get(pattern)))
        yield _item(f"who publishes `{pattern}`", *lines)
    revoked = (_keys(rules.revoked), _keys(fresh.revoked))
    yield _item("keys that publish nothing any more", *revoked)


def _signing(delegator: bytes, role: str) -> tuple[str, ...]:
    if not delegator:
        return ()
    signers: Signers = repository.role_signers(delegator, role)
    return (_threshold(signers.threshold), *_keys(signers.keyids))


def _publishing(rule: Rule | None) -> tuple[str, ...]:
    if rule is None:
        return ()
    how = ("may build in a weaker sandbox",) if rule.may_build else ()
    keys = (f"key {key.keyid} `{label}`" for key, label in rule.keys)
    return (_threshold(rule.threshold), *how, *keys)


def _threshold(number: int) -> str:
    return f"{number} of the keys must sign"


def _keys(keyids: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"key {keyid}" for keyid in keyids)


def _item(what: str, before: tuple[str, ...], after: tuple[str, ...]) -> Item:
    gone = tuple(line for line in before if line not in after)
    return Item(what, gone, tuple(line for line in after if line not in before))


def _lines(item: Item) -> Iterator[str]:
    yield f"  {item.what}"
    yield from (f"    - {line}" for line in item.gone)
    yield from (f"    + {line}" for line in item.new)
