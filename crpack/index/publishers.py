"""Who may publish what: `publishers.json`, signed by the owner of the index.

Rules (SPEC PUB-01 to PUB-05):
- A rule names a pattern, its keys, how many of them must sign, and whether builds of what they
  sign may run in a weaker sandbox.
- For a name the most specific pattern that covers it decides, alone: the name itself, else
  `scope/*`, else `*`.
- A revoked key counts nowhere.
- The key that signs the list of names cannot publish by it: an archive counts only when its
  publisher signed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import FormatError, TrustError, UsageError
from crpack.model import document
from crpack.model.limits import MAX_PUBLISHER_KEYS, MAX_PUBLISHERS
from crpack.model.signatures import from_base64, to_base64
from crpack.trust import envelope, pins
from crpack.trust.keys import KEY_BYTES, PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crpack.model.signatures import Signature

_WHAT = "`publishers.json`"
_KNOWN = frozenset(
    {
        *("publishers", "pattern", "keys", "keyid", "key", "label"),
        *("threshold", "may_build", "revoked"),
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may publish the names of one pattern (SPEC PUB-01).

    Attributes:
        pattern: a name, `scope/*` or `*`.
        keys: public keys with the owner's word for each, sorted by key id.
        threshold: how many distinct keys must sign.
        may_build: builds of what they sign get the best sandbox that the machine has.
    """

    pattern: str
    keys: tuple[tuple[PublicKey, str], ...]
    threshold: int = 1
    may_build: bool = False


@dataclass(frozen=True, slots=True)
class Publishers:
    """All rules, sorted by pattern, and the ids of revoked keys, sorted."""

    rules: tuple[Rule, ...] = ()
    revoked: tuple[str, ...] = ()

    def rule_for(self, name: str) -> Rule | None:
        """Return the one rule that decides on a name; None when nobody may publish it (PUB-02)."""
        by_pattern = {rule.pattern: rule for rule in self.rules}
        patterns = (name, f"{name.partition('/')[0]}/*" if "/" in name else "*", "*")
        return next((by_pattern[one] for one in patterns if one in by_pattern), None)

    def pins_for(self, name: str) -> tuple[pins.Pin, ...]:
        """Return the keys that may sign a name, revoked ones left out (SPEC PUB-02, PUB-03)."""
        rule = self.rule_for(name)
        return tuple(
            pins.Pin(key, (name,), label)
            for key, label in (rule.keys if rule else ())
            if key.keyid not in self.revoked
        )

    def threshold(self, name: str) -> int:
        """Return how many distinct keys must sign a name."""
        rule = self.rule_for(name)
        return rule.threshold if rule else 1

    def allows(self, name: str, keyids: Iterable[str]) -> bool:
        """Say whether keys of these ids are enough for a name (SPEC PUB-02, PUB-03)."""
        live = {pin.keyid for pin in self.pins_for(name)}
        return len(live & set(keyids)) >= max(1, self.threshold(name))

    def may_build(self, name: str, keyids: Iterable[str]) -> bool:
        """Say whether what these keys signed may be built with the best sandbox there is."""
        rule = self.rule_for(name)
        live = {pin.keyid for pin in self.pins_for(name)}
        return rule is not None and rule.may_build and not live.isdisjoint(keyids)

    def check(self, name: str, manifest: bytes, signatures: Sequence[Signature]) -> tuple[str, ...]:
        """Return the ids of the publishers that vouch for a manifest under a name (SPEC PUB-04).

        Raises:
            TrustError: nobody may publish the name, or those who may have not signed it.
        """
        allowed = self.pins_for(name)
        if not allowed:
            raise TrustError(
                f"nobody may publish `{name}` in this index",
                why=["no rule of its `publishers.json` covers the name with a key in force"],
                hint="ask the owner of the index, or install the archive file itself",
                rule="PUB-04",
            )
        try:
            return envelope.check(
                manifest, signatures, name, allowed, threshold=self.threshold(name)
            )
        except TrustError as error:
            why = [*error.why, f"the index lets {_shown(allowed)} sign `{name}`"]
            hint = "ask the publisher, or the owner of the index"
            raise TrustError(
                error.what, why=why, hint=hint, data=error.data, rule="PUB-04"
            ) from error


def encode(publishers: Publishers) -> bytes:
    """Return the bytes of `publishers.json`, checked as a reader checks them (SPEC PUB-01).

    Raises:
        FormatError: a rule is broken.
    """
    rules = [
        {
            "pattern": rule.pattern,
            "keys": [
                {"keyid": key.keyid, "key": to_base64(key.raw), "label": label}
                for key, label in sorted(rule.keys, key=lambda pair: pair[0].keyid)
            ],
            "threshold": rule.threshold,
            "may_build": rule.may_build,
        }
        for rule in sorted(publishers.rules, key=lambda rule: rule.pattern)
    ]
    data = document.encode({"publishers": rules, "revoked": sorted(publishers.revoked)})
    decode(data)
    return data


def decode(data: bytes) -> Publishers:
    """Return the rules of `publishers.json` (SPEC PUB-01 to PUB-03).

    Raises:
        FormatError: the bytes break the format.
    """
    fields = document.decode(data, what=_WHAT, rule="PUB-01", known=_KNOWN)
    rows = tuple(fields.each("publishers"))
    if len(rows) > MAX_PUBLISHERS:
        raise fields.refuse("publishers", f"has more than {MAX_PUBLISHERS} items")
    rules = tuple(_rule(row) for row in rows)
    _distinct(fields, "publishers", [rule.pattern for rule in rules])
    revoked = fields.texts("revoked", document.SHA256)
    _distinct(fields, "revoked", list(revoked))
    return Publishers(rules, revoked)


def _rule(row: document.Fields) -> Rule:
    rows = tuple(row.each("keys"))
    if not 0 < len(rows) <= MAX_PUBLISHER_KEYS:
        raise row.refuse("keys", f"has not 1 to {MAX_PUBLISHER_KEYS} items")
    pattern = row.text("pattern")
    keys = tuple(_key(one, pattern) for one in rows)
    _distinct(row, "keys", [key.keyid for key, _ in keys])
    threshold = row.integer("threshold", 1, len(keys))
    return Rule(pattern, keys, threshold, row.flag("may_build"))


def _key(row: document.Fields, pattern: str) -> tuple[PublicKey, str]:
    raw = from_base64(row.text("key"), KEY_BYTES)
    if raw is None:
        raise row.refuse("key", f"is not {KEY_BYTES} bytes in base64")
    try:
        pin = pins.Pin(PublicKey(raw), (pattern,), row.text("label"))
    except (UsageError, TrustError) as error:
        raise FormatError(f"{_WHAT}: {error.what}", rule=error.rule) from error
    if row.text("keyid") != pin.keyid:
        raise row.refuse("keyid", "is not that of its key")
    return pin.public, pin.label


def _distinct(fields: document.Fields, name: str, keys: list[str]) -> None:
    if keys != sorted(set(keys)):
        raise fields.refuse(name, "is not sorted and distinct")


def _shown(allowed: tuple[pins.Pin, ...]) -> str:
    return ", ".join(f"`{pin.label or pin.keyid[:16]}`" for pin in allowed[:5])
