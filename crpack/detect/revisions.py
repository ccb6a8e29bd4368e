"""Versions of packages, and the versions of what is in them. Pure.

Rules (SPEC DET-22):
- A distribution's epoch, revision and marks of repacking are no part of the version.
- What `~` marks as earlier stays earlier: a pre-release where it names one, else `.dev0`.
- `2.0+really1.9` is 1.9.
"""

from __future__ import annotations

import re

_EARLIER = re.compile(r"(alpha|beta|preview|pre|rc|a|b)[.]?([0-9]*)", re.ASCII)
_SHORT = {"alpha": "a", "beta": "b", "preview": "rc", "pre": "rc"}
_PACKED = re.compile(r"[+.-]?(?:dfsg|ds|repack)[0-9.]*$", re.ASCII)
_EPOCH = re.compile(r"^[0-9]+:", re.ASCII)
_ALPINE = re.compile(r"(?:_(alpha|beta|pre|rc)([0-9]*))?((?:_[a-z]+[0-9]*)*)-r[0-9]+$", re.ASCII)


def debian(text: str) -> str:
    """Return the upstream version in a Debian version: 1.2.13 for `1:1.2.13.dfsg-1`."""
    text = _EPOCH.sub("", text)
    text = text.rpartition("-")[0] or text
    return _upstream(text)


def rpm(text: str) -> str:
    """Return the upstream version in the `Version` of an RPM, which has no release."""
    return _upstream(text.replace("^", "+"))


def alpine(text: str) -> str:
    """Return the upstream version in a version of Alpine: 1.2.13 for `1.2.13-r0`."""
    match = _ALPINE.search(text)
    if match is None:
        return text
    early = match[1] and f"{_SHORT.get(match[1], match[1])}{match[2] or 0}"
    return text[: match.start()] + (early or "")


def homebrew(text: str) -> str:
    """Return the upstream version in the name of a keg: 1.2.13 for `1.2.13_1`."""
    return re.sub(r"_[0-9]+$", "", text, flags=re.ASCII)


def _upstream(text: str) -> str:
    before, really, after = text.partition("+really")
    text = after if really else before
    text, earlier, mark = text.partition("~")
    if earlier and _PACKED.fullmatch(mark):
        earlier = ""  # `~dfsg1` marks a repacked source, not an earlier one
    text = _PACKED.sub("", text.split("+", 1)[0])
    if not earlier:
        return text
    early = _EARLIER.match(mark)
    return f"{text}{_SHORT.get(early[1], early[1])}{early[2] or 0}" if early else f"{text}.dev0"
