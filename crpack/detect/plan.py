"""The plan of a scan: which files on PATH a probe may ask, in which order.

Rules (SPEC DET-05, DET-08):
- Planning reads folders and the state of files; it executes nothing.
- One file is asked once, under its first name, unless it answers by its name or place: cross
  prefixes, dispatchers (a link to a program of another name), Python environments.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.detect import path as paths
from crpack.detect import probes
from crpack.detect.cache import Cache, key
from crpack.detect.path import File
from crpack.model.recipe import Probe
from crpack.process import installation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crpack.model.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file that a probe may ask.

    Attributes:
        probe: what to ask, and how to read the answer.
        file: what would be run, or why it must not be.
        key: of the answer in the cache.
    """

    probe: Probe
    file: File
    key: str


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What a scan would run, in order of preference.

    Attributes:
        candidates: those of one probe in the order of PATH.
        path: folders of PATH that programs may look for others in.
    """

    candidates: tuple[Candidate, ...]
    path: tuple[str, ...]


def plan(recipes: Sequence[Recipe], environ: Mapping[str, str], cache: Cache) -> ScanPlan:
    """Return what a scan for these components would run (SPEC DET-05).

    Args:
        recipes: components whose `exec` probes are looked for.
        environ: the caller's environment, for PATH.
        cache: may know the names in unchanged folders, and takes those read now.
    """
    wanted = [probe for recipe in recipes for probe in recipe.probe]
    trust = paths.Trust(os.getuid())
    folders = searched(environ)
    listed = [(folder, _names(folder, wanted, cache)) for folder in folders]
    candidates: dict[object, Candidate] = {}
    for probe in wanted:
        for folder, names in listed:
            for file in _files(probe, folder, names, trust):
                identity = (id(probe), _identity(probe, file))
                if identity not in candidates:
                    candidates[identity] = Candidate(probe, file, _key(probe, file))
    trusted = tuple(folder for folder in folders if not trust.folder(folder))
    return ScanPlan(tuple(candidates.values()), trusted)


def searched(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders that a scan looks through: those of PATH that exist (SPEC DET-01).

    Each stands once, even where links lead to it (/bin, /usr/bin).
    """
    distinct: dict[tuple[int, ...], str] = {}
    for folder in paths.folders(environ.get("PATH", os.defpath)):
        stamp = paths.stamp(folder)
        if stamp:
            distinct.setdefault(stamp[:2], folder)
    return tuple(distinct.values())


def _names(folder: str, wanted: list[Probe], cache: Cache) -> tuple[str, ...]:
    """Return the names in a folder that some probe looks for."""
    stamp = paths.stamp(folder) or ()
    name = key("folder", folder, *stamp, *(pattern for probe in wanted for pattern in probe.names))
    names = cache.names(name)
    if names is None:
        is_wanted = probes.any_of(wanted)
        names = tuple(one for one in paths.names(folder) if is_wanted(one))
        cache.keep_names(name, names, *stamp[3:])
    return names


def _files(probe: Probe, folder: str, names: tuple[str, ...], trust: paths.Trust) -> Iterator[File]:
    """Yield the files of a folder that a probe looks for, the preferred first."""
    ranked = sorted((rank, name) for name in names if (rank := probes.rank(probe, name)))
    for _, name in ranked:
        path = os.path.join(folder, name)
        for place in paths.shim_targets(path) or (path,):
            file = trust.file(place)
            if file:
                yield file


def _identity(probe: Probe, file: File) -> tuple[object, ...]:
    """Return what two names of one file share when they must give one answer (SPEC DET-08)."""
    folder, name = os.path.split(file.path)
    genuine = probes.rank(probe, os.path.basename(file.realpath)) is not None
    place = os.path.dirname(folder)
    environment = place if os.path.exists(os.path.join(place, "pyvenv.cfg")) else ""
    return (*file.stamp[:2], probes.prefix(probe, name), environment, "" if genuine else name)


def _key(probe: Probe, file: File) -> str:
    words = installation.interpreter(paths.head(file.realpath))
    behind = paths.stamp(words[0]) if words else ()
    return key(probes.digest(probe), file.path, file.realpath, *file.stamp, *words, *behind or ())
