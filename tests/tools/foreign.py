"""Names, versions and ranges as other tools write them, in the words of crpack.

What crpack reads is taken as it is. Of the rest:

- A name is written in small letters, with `-` for what may not stand in it (SPEC NAM-01); where two
  become one, the later gets some of its digest. Nothing else is called as what was renamed is.
- A version that is not PEP 440 is its numbers with the word that follows: `2020-01-31` is
  `2020.1.31`, `1.0-SNAPSHOT` is `1.0.dev0`, `1.2.pre.3` is `1.2rc3`, `1.1.1w` is `1.1.1.post23`,
  `1.0.Final` is `1.0`. What has no numbers in front is none.
- In a range `=` and nothing mean `==`; blanks are commas; `x` is `*`; `~> 1.2`, `~1.2`, `^1.2` and
  `1.2 - 1.5` have the meaning of RubyGems, npm and Cargo; `>=1.*` is `>=1`. What is none of that
  is no range.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from crpack.model import names, versions
from crpack.model.limits import MAX_NAME_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable

_SOME = r"[0-9A-Za-z.!+*_-]+"
_CLAUSE = re.compile(rf"(===?|=|!=|>=|<=|~=|~>|>|<|~|\^|)\s*({_SOME})(?:[\s,]+|$)", re.ASCII)
_BETWEEN = re.compile(rf"({_SOME})\s+-\s+({_SOME})", re.ASCII)
_ANY = re.compile(r"(=?=?)([0-9]+(?:\.[0-9]+)*)\.[xX*](?:\.[xX*])*", re.ASCII)
_PARTS = re.compile(r"v?([0-9]+(?:[._-][0-9]+)*)[._-]?([a-z]*)[._-]?([0-9]{0,9})(.*)", re.ASCII)
_STABLE = ("", "final", "ga", "release", "stable")
_EARLY = {
    "alpha": "a", "a": "a", "beta": "b", "b": "b", "dev": ".dev", "snapshot": ".dev",
    **dict.fromkeys(("rc", "cr", "pre", "preview", "m", "milestone", "ea", "canary", "next"), "rc"),
}  # fmt: skip


def names_of(texts: Iterable[str]) -> dict[str, str]:
    """Return the name here of each name there."""
    every = dict.fromkeys(texts)
    found = {text: text for text in every if names.is_name(text)}
    taken = set(found)
    for text in every:
        if text not in found:
            name = _name(text)
            if name in taken or not names.is_name(name):
                digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
                name = f"{name[: MAX_NAME_LENGTH - 9]}-{digest}"
            found[text] = name
            taken.add(name)
    return found


def _name(text: str) -> str:
    halves = re.sub(r"[^a-z0-9._/-]+", "-", text.lower()).split("/", 1)
    halves = [half.replace("/", "-").strip("._-")[:MAX_NAME_LENGTH] for half in halves]
    return "/".join(half for half in halves if half) or "x"


def version(text: str) -> str:
    """Return a version as PEP 440 has it; empty where there is none."""
    if versions.is_version(text.strip()):
        return text.strip()
    match = _PARTS.fullmatch(text.strip().lower())
    if match is None:
        return ""
    numbers, word, count, rest = match.groups()
    start = ".".join(str(int(part)) for part in re.split(r"[._-]", numbers))
    if word in _EARLY:
        tail = f"{_EARLY[word]}{count or 0}"
    elif word in _STABLE:
        tail = f".post{count}" if count else ""
    elif len(word) == 1:
        tail = f".post{ord(word) - ord('a') + 1}"
    else:
        tail, rest = "", word + count + rest
    local = ".".join(re.findall(r"[a-z0-9]+", rest))
    found = start + tail + (f"+{local}" if local else "")
    return found if versions.is_version(found) else ""


def wanted(text: str) -> str | None:
    """Return a range as crpack has it; None where it is none."""
    text = " ".join(text.split())
    if versions.is_range(text):
        return text
    lists = [_list(part.strip()) for part in text.split("||")]
    if "" in lists:
        return ""
    found = " || ".join(one for one in lists if one)
    return found if None not in lists and versions.is_range(found) else None


def _list(text: str) -> str | None:
    text = _BETWEEN.sub(r">=\1,<=\2", text)
    found, place = [], 0
    while place < len(text):
        match = _CLAUSE.match(text, place)
        clause = _clause(match[1], match[2]) if match else None
        if match is None or clause is None:
            return None
        found += [clause] if clause else []
        place = match.end()
    return ",".join(found)


def _clause(operator: str, text: str) -> str | None:
    """Return the clauses of one; empty for any version, None for none."""
    if text in ("*", "x", "X"):
        return "" if operator in ("", "=", "==", ">=", "~", "^", "~>") else None
    series = _ANY.fullmatch(operator + text)
    if series is not None:
        return f"=={series[2]}.*"
    if operator == "!=" and text.endswith(".*"):
        return operator + text
    there = version(text.removesuffix(".*"))
    if not there:
        return None
    if operator in ("~>", "~", "^"):
        return _series(operator, there)
    operator = "==" if operator in ("", "=", "===") else operator
    if operator in (">=", "<="):
        there = there.partition("+")[0]  # PEP 440 has no order of local releases in them
    return f"{operator}{there}"


def _series(operator: str, there: str) -> str:
    """Return the bounds of a series: which number may not change."""
    low = versions.parse(there.partition("+")[0])
    numbers = list(low.release)
    if operator == "^":
        fixed = next((place for place, one in enumerate(numbers) if one), len(numbers) - 1)
    elif operator == "~>":
        fixed = max(len(numbers) - 2, 0)
    else:
        fixed = min(len(numbers) - 1, 1)
    above = [*numbers[:fixed], numbers[fixed] + 1]
    early = ".dev0" if low.is_prerelease else ""  # nor may a pre-release of the next series
    return f">={low},<{'.'.join(map(str, above))}{early}"
