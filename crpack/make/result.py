"""What a build left in its result folder: made relocatable, read, checked against the recipe.

Rules (SPEC BLD-12, BLD-13):
- A result holds regular files, folders and relative links that stay inside; names follow the path
  policy (SPEC PTH). Anything else ends the build.
- Of a file's mode only the executable bit counts, so set-id bits are gone; two names of one file
  are two files.
- Every glob of `[outputs]` takes at least one file.
- libtool's `.la` files, which name folders, are removed; pkg-config files tell of their own place.
- Every byte is read once: for its digest, and for paths of the build that were left inside.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import ArchiveError, BuildFailed
from crpack.make import globs, pkgconfig
from crpack.model.limits import MAX_ENTRIES, MAX_PATH_BYTES, MIB
from crpack.model.paths import check_set
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.make.steps import Copy
    from crpack.model.recipe import Outputs

MAX_RESULT_BYTES = 64 * 1024 * MIB  # bytes of all files of one result
_CHUNK = MIB  # bytes read at once
_SHOWN = 12  # paths told in a message
_LIBTOOL = b"libtool library file"
_PKG_CONFIG = re.compile(r"(?:^|/)pkgconfig/[^/]+\.pc$")
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """The content of a result folder.

    `entries` are those of its tree, sorted by path; `leaks` are the paths of the files that hold
    the path of a folder of the build.
    """

    entries: tuple[Entry, ...]
    leaks: tuple[str, ...] = ()


def tidy(out: str) -> tuple[str, ...]:
    """Make the files of a result that name folders relocatable; return what was done (BLD-27).

    Raises:
        BuildFailed: something that no result may hold, or something unreadable.
        InstallError: the disk refused.
    """
    try:
        found = dict(_walk(out))
        there = {path[:at] for path in found for at, letter in enumerate(path) if letter == "/"}
        there.update(found)
        return tuple(
            done for path, status in found.items() if (done := _tidied(out, path, status, there))
        )
    except OSError as error:
        raise _refused(str(error)) from error


def _tidied(out: str, path: str, status: os.stat_result, there: set[str]) -> str:
    """Tidy one entry, where it is of a kind that names folders; return what was done."""
    place, link = f"{out}/{path}", stat.S_ISLNK(status.st_mode)
    small = stat.S_ISREG(status.st_mode) and status.st_size <= MIB
    if path.endswith(".la") and (link or (small and _LIBTOOL in b"".join(_chunks(place)))):
        disk.remove_file(place)
        return f"removed `{path}`"
    if not small or not _PKG_CONFIG.search(path):
        return ""
    text = b"".join(_chunks(place)).decode("utf-8", "surrogateescape")
    moved = pkgconfig.relocated(text, place=path, out=out, there=there)
    if moved == text:
        return ""
    disk.remove_file(place)
    with disk.Folder(out) as folder:
        folder.file(path, [moved.encode("utf-8", "surrogateescape")])
    return f"made `{path}` relative to its place"


def read(folder: str, *, build_paths: tuple[str, ...] = ()) -> Result:
    """Return what a folder holds, checked (SPEC BLD-12).

    Args:
        folder: the result folder, absolute.
        build_paths: folders of the build; files that mention one are reported.

    Raises:
        BuildFailed: something that no result may hold, or something unreadable.
    """
    needles = tuple(os.fsencode(path) for path in build_paths)
    entries: list[Entry] = []
    leaks: list[str] = []
    total = 0
    try:
        for path, status in _walk(folder):
            entry, leaking = _entry(folder, path, status, needles)
            total += entry.size
            if total > MAX_RESULT_BYTES:
                raise _refused(f"the result is larger than {MAX_RESULT_BYTES} bytes")
            entries.append(entry)
            if leaking:
                leaks.append(path)
        check_set(entries)
    except OSError as error:
        raise _refused(str(error)) from error
    except ArchiveError as error:
        raise BuildFailed(
            "the build made a file that no result may hold", why=[error.what], rule=error.rule
        ) from error
    return Result(tuple(sorted(entries, key=lambda entry: entry.path)), tuple(sorted(leaks)))


def verify(outputs: Outputs, entries: tuple[Entry, ...], *, component: str) -> None:
    """Check that every glob of `[outputs]` takes a file (SPEC BLD-13).

    Raises:
        BuildFailed: names each role and glob without a file, and what is there instead.
    """
    paths = tuple(entry.path for entry in entries if entry.kind != "dir")
    missing = [
        f"no file matches `{glob}` of the role `{role}`"
        for role, patterns in outputs.by_role()
        for glob in patterns
        if not globs.select(glob, paths)
    ]
    if missing:
        raise BuildFailed(
            f"the build of `{component}` did not make what its recipe declares",
            why=[*missing, _there(paths)],
            hint="correct `[outputs]` in the recipe, or the steps that should make these files",
            rule="BLD-13",
        )


def copy(copies: tuple[Copy, ...], source: str, out: str) -> None:
    """Copy files of the source tree into the result (SPEC BLD-09).

    Raises:
        BuildFailed: a rule takes nothing, or two files would get one path.
    """
    try:
        found = {path: status.st_mode for path, status in _walk(source)}
        moves: dict[str, str] = {}
        for one in copies:
            for path, place in _moves(one, tuple(found)):
                if moves.setdefault(place, path) != path:
                    raise _refused(f"`{moves[place]}` and `{path}` would both become `{place}`")
        with disk.Folder(out) as folder:
            for place, path in sorted(moves.items()):
                _copy(folder, place, f"{source}/{path}", found[path])
    except OSError as error:
        raise _refused(str(error)) from error


def _walk(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every file, link and empty folder below a folder, with its own status."""
    if not stat.S_ISDIR(os.lstat(root).st_mode):
        raise _refused(f"`{root}` is no folder any more")
    waiting = [""]
    count = 0
    while waiting:
        above = waiting.pop()
        with os.scandir(f"{root}/{above}") as listed:
            items = [(above + item.name, item.stat(follow_symlinks=False)) for item in listed]
        for path, status in items:
            count += 1
            if count > MAX_ENTRIES or len(os.fsencode(path)) > MAX_PATH_BYTES:
                raise _refused("there are too many files, or too deep folders")
            if stat.S_ISDIR(status.st_mode):
                waiting.append(f"{path}/")
            else:
                yield path, status
        if above and not items:
            yield above[:-1], os.lstat(f"{root}/{above}")


def _entry(
    root: str, path: str, status: os.stat_result, needles: tuple[bytes, ...]
) -> tuple[Entry, bool]:
    """Return one entry, and whether the file holds a path of the build."""
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        return Entry(path, "dir"), False
    if stat.S_ISLNK(mode):
        return Entry(path, "link", target=os.readlink(f"{root}/{path}")), False
    if not stat.S_ISREG(mode):
        kind = next((text for test, text in _KINDS if test(mode)), "of an unknown kind")
        raise _refused(f"`{path}` is {kind}")
    digest, size, leaking = hashlib.sha256(), 0, False
    tail = b""
    keep = max(map(len, needles), default=1) - 1
    for chunk in _chunks(f"{root}/{path}"):
        digest.update(chunk)
        size += len(chunk)
        window = tail + chunk
        leaking = leaking or any(needle in window for needle in needles)
        tail = window[-keep:] if keep else b""
    entry = Entry(path, "file", bool(mode & stat.S_IXUSR), size, digest.hexdigest())
    return entry, leaking


def _chunks(path: str) -> Iterator[bytes]:
    """Yield a regular file's bytes; no link is followed and no pipe is waited for."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _refused(f"`{path}` is not a regular file")
        while chunk := file.read(_CHUNK):
            yield chunk


def _moves(one: Copy, paths: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    taken = globs.select(one.glob, paths)
    if not taken:
        raise BuildFailed(
            f"`{one.glob}` takes no file of the sources",
            why=[_there(paths)],
            hint="correct the recipe's `[build]` table",
            rule="BLD-09",
        )
    for path in taken:
        rest = path[len(one.base) + 1 :] if one.base else path
        yield path, f"{one.to}/{rest}" if one.to else rest


def _copy(folder: disk.Folder, place: str, path: str, mode: int) -> None:
    if stat.S_ISLNK(mode):
        folder.link(place, os.readlink(path))
    elif stat.S_ISDIR(mode):
        folder.folder(place)
    else:
        folder.file(place, _chunks(path), 0o755 if mode & stat.S_IXUSR else 0o644)


def _there(paths: tuple[str, ...]) -> str:
    if not paths:
        return "there is no file at all"
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return "there is " + ", ".join(f"`{path}`" for path in sorted(paths)[:_SHOWN]) + more


def _refused(why: str) -> BuildFailed:
    return BuildFailed("the result of the build is refused", why=[why], rule="BLD-12")
