"""The one policy for names of files and targets of links.

Rules (SPEC PTH-01 to PTH-08), the same at build and at install and on every platform:
- A path is relative, made of components between single `/`, none of them `.` or `..`, without
  control, formatting or surrogate characters and without a backslash.
- A component means one file on every system: no name that Windows reserves, forbids, trims or
  makes up (`CON`, `a:b`, `a.`, `LONGNA~1`).
- A set of paths has no two places that are equal after NFKC and case folding, and nothing below
  a file, a link or a directory said to be empty.
- A link's target is relative, holds `..` at its start only, and never more of them than the link
  has folders above it. So whatever links it passes, it stays inside. It ends somewhere: chains
  are finite and short.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from crpack.errors import ArchiveError
from crpack.model.limits import (
    MAX_COMPONENT_BYTES,
    MAX_ENTRIES,
    MAX_LINK_BYTES,
    MAX_LINK_HOPS,
    MAX_PATH_BYTES,
    MAX_PATH_DEPTH,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crpack.model.tree import Entry

# Control (Cc), formatting (Cf: invisible or reordering), half surrogates (Cs), line breaks.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_PLAIN = re.compile(r"[ -\[\]-~]*")  # printable ASCII without the backslash
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *([.].*)?", re.IGNORECASE | re.DOTALL
)
_SHORT = re.compile(r"(?=[^.]{3,8}([.]|$))[^.]+~[0-9]+([.][^.]{0,3})?")
_FOLDER = "folder"


def check_path(path: str) -> str:
    """Return `path` when it may name a file of a tree or an archive (SPEC PTH-01 to PTH-03).

    Raises:
        ArchiveError: it may not; the sentence says why.
    """
    _check_characters(path)
    parts = path.split("/")
    if len(path.encode()) > MAX_PATH_BYTES or len(parts) > MAX_PATH_DEPTH:
        what = f"the path `{shown(path)}` is longer than {MAX_PATH_BYTES} bytes"
        raise ArchiveError(f"{what} or deeper than {MAX_PATH_DEPTH} folders", rule="PTH-02")
    for part in parts:
        fault = _fault(part)
        if fault:
            raise ArchiveError(f"the path `{shown(path)}` {fault[1]}", rule=fault[0])
    return path


def check_link(path: str, target: str) -> str:
    """Return `target` when the link at `path` may have it (SPEC PTH-06).

    Raises:
        ArchiveError: it is absolute, leads out, or is not written in the one plain way.
    """
    _check_characters(target)
    parts = target.split("/")
    if len(target.encode()) > MAX_LINK_BYTES or len(parts) > 2 * MAX_PATH_DEPTH:
        what = f"the link `{shown(path)}` has a target longer than {MAX_LINK_BYTES} bytes"
        raise ArchiveError(f"{what} or {2 * MAX_PATH_DEPTH} parts", rule="PTH-02")
    up = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    if not parts[0] or up > path.count("/"):
        raise _bad_link(path, target, "leads outside of its tree")
    if any(part in {"", ".", ".."} for part in parts[up:]):
        raise _bad_link(path, target, "is not plain: `..` may stand at its start only")
    return target


def check_set(entries: Iterable[Entry]) -> None:
    """Check the paths and links of one tree, each alone and all together (SPEC PTH-01 to PTH-08).

    Raises:
        ArchiveError: a bad path or link, too many entries, two places that would be one on some
            system, something below a file or link, or links that never arrive.
    """
    places: dict[str, str] = {}
    folded: dict[str, str] = {}
    links: dict[str, str] = {}
    for entry in entries:
        check_path(entry.path)
        if entry.kind == "link":
            links[entry.path] = check_link(entry.path, entry.target)
        _place(entry.path, entry.kind, places, folded)
    ends: dict[str, tuple[str, int]] = {}
    for path in links:
        _follow(path, links, ends)


def _check_characters(text: str) -> None:
    if _PLAIN.fullmatch(text):
        return
    for character in text:
        if character == "\\" or unicodedata.category(character) in _INVISIBLE:
            what = f"the name `{shown(text)}` holds the character U+{ord(character):04X}"
            raise ArchiveError(what, rule="PTH-01")


@lru_cache(maxsize=4096)  # the same few folders stand in most paths of a tree
def _fault(part: str) -> tuple[str, str] | None:
    """Return the rule that one component breaks and the words that say so."""
    if part in {"", ".", ".."}:
        return "PTH-01", "is not relative and plain"
    if len(part.encode()) > MAX_COMPONENT_BYTES:
        return "PTH-02", f"has a part longer than {MAX_COMPONENT_BYTES} bytes"
    if _FORBIDDEN.search(part) or part[-1] in ". " or _DEVICE.fullmatch(part):
        return "PTH-03", "means another file on Windows"
    if "~" in part and _SHORT.fullmatch(part):
        return "PTH-03", "is the short name of another file on Windows"
    return None


def _place(path: str, kind: str, places: dict[str, str], folded: dict[str, str]) -> None:
    """Enter a place and the folders above it."""
    while True:
        known = places.get(path)
        if known == kind == _FOLDER:
            return
        if known is not None:
            what = f"`{shown(path)}` is listed as a {known} and needed as a {kind}"
            raise ArchiveError(what, rule="PTH-05")
        if len(places) == MAX_ENTRIES:
            what = f"a tree has more than {MAX_ENTRIES} entries and folders above them"
            raise ArchiveError(what, rule="PTH-08")
        places[path] = kind
        other = folded.setdefault(_fold(path), path)
        if other != path:
            what = f"`{shown(other)}` and `{shown(path)}` are one name on some systems"
            raise ArchiveError(what, rule="PTH-04")
        path, slash, _ = path.rpartition("/")
        if not slash:
            return
        kind = _FOLDER


def _fold(path: str) -> str:
    if path.isascii():
        return path.lower()
    key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
    if len(key) > MAX_PATH_BYTES:  # one character may unfold to eighteen
        what = f"the path `{shown(path)}` is longer than {MAX_PATH_BYTES} characters when folded"
        raise ArchiveError(what, rule="PTH-02")
    return key


def _follow(
    path: str, links: Mapping[str, str], ends: dict[str, tuple[str, int]], above: int = 1
) -> tuple[str, int]:
    """Return the path at which a link ends, and the number of links on the longest way there."""
    if path in ends:
        return ends[path]
    here, hops = path.rpartition("/")[0], 0
    for part in links[path].split("/"):
        here = here.rpartition("/")[0] if part == ".." else f"{here}/{part}" if here else part
        if here in links and above <= MAX_LINK_HOPS:
            here, more = _follow(here, links, ends, above + 1)
            hops = max(hops, more)
        if len(here) > MAX_PATH_BYTES or max(above, hops + 1) > MAX_LINK_HOPS:
            what = f"the link `{shown(path)}` does not arrive in {MAX_LINK_HOPS} steps"
            raise ArchiveError(what, rule="PTH-07")
    ends[path] = here, hops + 1
    return ends[path]


def _bad_link(path: str, target: str, why: str) -> ArchiveError:
    return ArchiveError(f"the link `{shown(path)}` to `{shown(target)}` {why}", rule="PTH-06")


def shown(text: str) -> str:
    """Return foreign text fit for a message: one line, printable, at most 80 characters."""
    line = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:80])
    return f"{line}…" if len(text) > 80 else line
