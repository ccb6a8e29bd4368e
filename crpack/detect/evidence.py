"""What a passive probe found or refused, and how its findings are made. Pure.

Rules (SPEC DET-18, DET-19):
- A finding tells its kind of evidence and its prefix in notes.
- A file for another kind of machine is a finding that does not run here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.model.facts import Found
from crpack.model.limits import MAX_VERSION_LENGTH
from crpack.model.probe import Probe

if TYPE_CHECKING:
    from crpack.binary.image import Image
    from crpack.detect.eyes import Eyes

MAX_RAW = 200  # characters of a text that are kept

# What a kind of evidence is enough for, where the probe does not say.
_PROVIDES = {"header-macro": "dev", "pkg-config": "dev", "elf": "runtime"}
_OLDER = {
    "armv7": ("armv6", "armv5", "arm"),
    "armv6": ("armv5", "arm"),
    "arm": ("armv7", "armv6", "armv5"),
}
_PARTS = frozenset({"bin", "sbin", "include", "lib", "lib32", "lib64", "share", "etc", "pkgconfig"})


@dataclass(frozen=True, slots=True)
class Subject:
    """One probe, and the component that it is for.

    Attributes:
        name: of the component: the name of what passive probes find.
        version: of the component: that of what is recognised by its digest.
        probe: how to recognise it.
    """

    name: str
    version: str
    probe: Probe


@dataclass(frozen=True, slots=True)
class Refused:
    """What was looked at and is no finding: its path (or component), its name, and why.

    `program` says that it lies on PATH, where people see it.
    """

    path: str
    name: str
    why: str
    program: bool = False


@dataclass(frozen=True, slots=True)
class Telling:
    """What a piece of evidence tells.

    Attributes:
        version: None when it does not tell.
        raw: the text that the version was read from.
        prefix: folder of the installation; empty when not known.
        how: in a few words, what was read.
        platform: of the file, or as the evidence has it; empty when it does not tell.
        runs: the platform is this machine's.
        notes: further pairs.
    """

    version: str | None
    raw: str = ""
    prefix: str = ""
    how: str = ""
    platform: str = ""
    runs: bool = True
    notes: tuple[tuple[str, str], ...] = ()


def found(subject: Subject, eyes: Eyes, path: str, telling: Telling) -> Found:
    """Return the finding that evidence at a path makes; its path may be no file."""
    probe = subject.probe
    realpath = eyes.real(path)
    stamp = eyes.stamp(realpath) if realpath else None
    notes = dict(telling.notes)
    notes["evidence"] = probe.kind
    if telling.prefix:
        notes["prefix"] = telling.prefix
    if probe.provides or probe.kind in _PROVIDES:
        notes["provides"] = probe.provides or _PROVIDES[probe.kind]
    version = telling.version
    return Found(
        name=subject.name,
        version=version if version and _is_plain(version) else None,
        raw=line(telling.raw),
        path=path,
        realpath=realpath or path,
        platform=telling.platform,
        how=line(f"{probe.kind} {telling.how}".strip()),
        size=stamp[2] if stamp else 0,
        mtime_ns=stamp[3] if stamp else 0,
        runnable=telling.runs,
        notes=tuple(sorted(notes.items())),
    )


def _is_plain(version: str) -> bool:
    return len(version) <= MAX_VERSION_LENGTH and version.isprintable()


def line(text: str) -> str:
    """Return a text as one line of what can be printed, not too long."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:MAX_RAW]).strip()


def search(pattern: str, text: str) -> re.Match[str] | None:
    """Return where a probe's pattern matches; `^` and `$` are a line's ends."""
    return re.compile(pattern, re.ASCII | re.MULTILINE).search(text) if pattern else None


def groups(match: re.Match[str]) -> tuple[tuple[str, str], ...]:
    """Return the further groups of a match as notes; `_` in a name becomes `-`."""
    return tuple(
        (name.replace("_", "-"), line(text))
        for name, text in match.groupdict().items()
        if text and name != "version"
    )


def above(folder: str) -> str:
    """Return the prefix that a folder belongs to, by the usual names of folders below one."""
    while folder != "/" and (os.path.basename(folder) in _PARTS or _is_triple(folder)):
        folder = os.path.dirname(folder)
    return folder


def same_machine(image: Image, own: Image | None) -> bool:
    """Say whether a file is of this process's kind (SPEC DET-09)."""
    if own is None:
        return True
    alike = (image.os, image.bits, image.endian) == (own.os, own.bits, own.endian)
    return alike and same_arch(image.arch, own)


def same_arch(arch: str, own: Image | None) -> bool:
    """Say whether what is for a processor runs in this process; an older ARM's does."""
    return own is None or arch == own.arch or arch in _OLDER.get(own.arch, ())


def _is_triple(folder: str) -> bool:
    """Say whether a folder is called as Debian calls those of one target: x86_64-linux-gnu."""
    return re.fullmatch(r"\w+-linux-\w+", os.path.basename(folder), re.ASCII) is not None
