"""The plan of a scan: which files on PATH a probe may ask, in which order.

Rules (SPEC DET-05, DET-08):
- Planning reads folders and the state of files; it executes nothing.
- A folder of a tool's name is no program, and is told as what is refused: a shell passes it over,
  and people look at it and wonder.
- One file is asked once, under its first name, unless it answers by its name or place: cross
  prefixes, dispatchers (a link to a program of another name), Python environments.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.detect import path as paths
from crpack.detect import probes, shims
from crpack.detect.cache import Cache, key
from crpack.detect.eyes import Eyes
from crpack.detect.path import File
from crpack.model.probe import Probe
from crpack.process import installation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crpack.model.recipe import Recipe

_NOTHING = (0, 0, 0, 0, 0)
_FOLDER = "it is a folder, and no program"
_EMPTY = "it is a shim, and no program of its name stands behind it"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file that a probe may ask.

    Attributes:
        probe: what to ask, and how to read the answer.
        file: what would be run, or why it must not be.
        key: of the answer in the cache.
        kin: the probes of its component, this one among them; what one of them looks for by its
            name is no dispatcher.
        behind: the program that a wrapper hands its arguments to; empty where that is not known,
            None for any other file.
    """

    probe: Probe
    file: File
    key: str
    kin: tuple[Probe, ...]
    behind: str | None


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What a scan would run, in order of preference.

    Attributes:
        candidates: those of one probe in the order of PATH.
        path: folders of PATH that programs may look for others in.
    """

    candidates: tuple[Candidate, ...]
    path: tuple[str, ...]


def plan(recipes: Sequence[Recipe], eyes: Eyes, cache: Cache) -> ScanPlan:
    """Return what a scan for these components would run (SPEC DET-05).

    Args:
        recipes: components whose `exec` probes are looked for.
        eyes: look at the caller's PATH and its files.
        cache: may know the names in unchanged folders, and takes those read now.
    """
    kinships = [tuple(p for p in recipe.probe if p.kind == "exec") for recipe in recipes]
    wanted = [probe for kin in kinships for probe in kin]
    folders = _searched(eyes)
    listed = [(folder, _names(folder, wanted, eyes, cache)) for folder in folders]
    candidates: dict[object, Candidate] = {}
    for probe, kin in ((one, every) for every in kinships for one in every):
        for folder, names in listed:
            for file in _files(probe, folder, names, eyes):
                identity = (id(probe), _identity(probe, file, eyes))
                if identity not in candidates:
                    candidates[identity] = _candidate(probe, kin, file, folders, eyes)
    trusted = tuple(folder for folder in folders if not eyes.trust.folder(folder))
    return ScanPlan(tuple(candidates.values()), trusted)


def searched(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders that a scan looks through: those of PATH that exist (SPEC DET-01).

    Each stands once, even where links lead to it (/bin, /usr/bin).
    """
    return _searched(Eyes(environ, Cache(b"", 0)))


def _searched(eyes: Eyes) -> tuple[str, ...]:
    distinct: dict[tuple[int, ...], str] = {}
    for folder in paths.folders(eyes.variable("PATH") or os.defpath):
        stamp = eyes.stamp(folder)
        if stamp:
            distinct.setdefault(stamp[:2], folder)
    return tuple(distinct.values())


def _names(folder: str, wanted: list[Probe], eyes: Eyes, cache: Cache) -> tuple[str, ...]:
    """Return the names in a folder that some probe looks for."""
    stamp = eyes.stamp(folder) or ()
    name = key("folder", folder, *stamp, *(pattern for probe in wanted for pattern in probe.names))
    names = cache.names(name)
    if names is None:
        is_wanted = probes.any_of(wanted)
        names = tuple(one for one in paths.names(folder) if is_wanted(one))
        cache.keep_names(name, names, *stamp[3:])
    return names


def _files(probe: Probe, folder: str, names: tuple[str, ...], eyes: Eyes) -> Iterator[File]:
    """Yield the files of a folder that a probe looks for, the preferred first."""
    ranked = sorted((rank, name) for name in names if (rank := probes.rank(probe, name)))
    for _, name in ranked:
        path = os.path.join(folder, name)
        behind = shims.targets(path, eyes)
        for place in behind or (path,):
            real = eyes.real(place)
            file = eyes.trust.file(place) if real and eyes.stamp(real) else None
            if real and eyes.is_folder(real):
                yield File(path, real, eyes.stamp(real) or _NOTHING, _FOLDER)
            elif file:
                yield file if behind != () else replace(file, distrust=_EMPTY)


def _identity(probe: Probe, file: File, eyes: Eyes) -> tuple[object, ...]:
    """Return what two names of one file share when they must give one answer (SPEC DET-08)."""
    folder, name = os.path.split(file.path)
    place = os.path.dirname(folder)
    environment = place if eyes.identity(os.path.join(place, "pyvenv.cfg")) else ""
    genuine = probes.genuine(probe, file.realpath)
    return (*file.stamp[:2], probes.prefix(probe, name), environment, "" if genuine else name)


def _candidate(
    probe: Probe, kin: tuple[Probe, ...], file: File, folders: tuple[str, ...], eyes: Eyes
) -> Candidate:
    words = installation.interpreter(eyes.read(file.realpath, installation.HEAD_BYTES))
    behind = shims.wrapped(file.realpath, eyes) if words else None
    others = [path for path in (*words[:1], behind) if path]
    if not any(probes.genuine(one, file.realpath) for one in kin):
        others += (os.path.join(folder, os.path.basename(file.path)) for folder in folders)
    name = key(
        *map(probes.digest, (probe, *kin)),
        *(file.path, file.realpath, *file.stamp, file.distrust),
        *(*words, *(eyes.stamp(path) or () for path in others)),
    )
    return Candidate(probe, file, name, kin, behind)
