"""What package managers have installed, from their own databases.

Rules (SPEC DET-22):
- Each database is read once a scan; none is changed, locked or asked through a program.
- A database that is broken is told; what can be read of it counts.
"""

from __future__ import annotations

import fnmatch
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.detect.databases import apk, brew, conda, dpkg, rpm, spack
from crpack.detect.evidence import Refused, Telling, found, same_arch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.detect.databases.package import Package
    from crpack.detect.evidence import Subject
    from crpack.detect.eyes import Eyes
    from crpack.detect.places import Places
    from crpack.model.facts import Found

    _Listed = tuple[str, tuple[Package, ...], str]  # database, packages, fault

MAX_BYTES = 64 * 1024 * 1024  # bytes of a list that are read

_CONDA = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba")


class Databases:
    """The databases of one machine, each read when it is first asked for."""

    __slots__ = ("_eyes", "_places", "_read")

    def __init__(self, eyes: Eyes, places: Places) -> None:
        self._eyes = eyes
        self._places = places
        self._read: dict[str, tuple[tuple[Package, ...], tuple[Refused, ...]]] = {}

    def installed(self, manager: str) -> tuple[Package, ...]:
        """Return every package that a manager has installed."""
        if manager not in self._read:
            listed: list[Package] = []
            faults: list[Refused] = []
            for path, packages, fault in _READERS[manager](self._eyes, self._places):
                listed += (replace(one, evidence=one.evidence or path) for one in packages)
                if fault:
                    faults.append(Refused(path, manager, fault))
            self._read[manager] = (tuple(listed), tuple(faults))
        return self._read[manager][0]

    def faults(self) -> tuple[Refused, ...]:
        """Return what was wrong with the databases that were read."""
        return tuple(fault for _, faults in self._read.values() for fault in faults)


def packages(
    subject: Subject, eyes: Eyes, places: Places, databases: Databases
) -> Iterator[Found | Refused]:
    """Yield the installed packages that a probe names, those of this machine first."""
    for manager, pattern in subject.probe.packages():
        named = _named(databases.installed(manager), pattern)
        for package in sorted(named, key=lambda one: not _own(one, places)):
            yield found(
                subject,
                eyes,
                _evidence(package, manager, eyes, places),
                Telling(
                    package.version,
                    f"{package.name} {package.raw}",
                    places.root + package.prefix if manager in _ROOTED else package.prefix,
                    f"{manager} `{package.name}` {package.raw}",
                    f"linux-{package.arch}" if package.arch and manager != "brew" else "",
                    _own(package, places),
                ),
            )


def _named(every: tuple[Package, ...], pattern: str) -> list[Package]:
    """Return the packages of a name or pattern; most are names, which need no matching."""
    if any(letter in pattern for letter in "*?["):
        return [one for one in every if fnmatch.fnmatchcase(one.name, pattern)]
    return [one for one in every if one.name == pattern]


def _own(package: Package, places: Places) -> bool:
    return not package.arch or same_arch(package.arch, places.own)


def _evidence(package: Package, manager: str, eyes: Eyes, places: Places) -> str:
    """Return the file that tells of a package and changes with it."""
    if manager != "dpkg":
        return package.evidence
    arch = package.arch or (places.own.arch if places.own else "")
    files = (package.evidence, dpkg.evidence(package, arch), dpkg.STATUS)
    return next((at for at in (places.root + f for f in files) if eyes.identity(at)), dpkg.STATUS)


def _dpkg(eyes: Eyes, places: Places) -> Iterator[_Listed]:
    path = places.root + dpkg.STATUS
    if eyes.stamp(path):
        yield path, *dpkg.parse(eyes.read(path, MAX_BYTES))


def _apk(eyes: Eyes, places: Places) -> Iterator[_Listed]:
    path = places.root + apk.INSTALLED
    if eyes.stamp(path):
        yield path, *apk.parse(eyes.read(path, MAX_BYTES))


def _rpm(eyes: Eyes, places: Places) -> Iterator[_Listed]:
    for path in (places.root + at for at in rpm.DATABASES):
        if eyes.stamp(path) and eyes.is_file(path):
            eyes.stamp(f"{path}-wal")
            yield path, *rpm.read(path)
            return


def _brew(eyes: Eyes, places: Places) -> Iterator[_Listed]:
    for prefix in places.prefixes:
        cellar = f"{prefix}/Cellar"
        for name in eyes.names(cellar):
            used = eyes.real(f"{prefix}/opt/{name}").rpartition("/")[2]
            kegs = [one for one in eyes.names(f"{cellar}/{name}") if one[:1].isdigit()]
            versions = sorted(kegs, key=lambda one: one != used)
            yield cellar, tuple(brew.package(prefix, name, one) for one in versions), ""


def _conda(eyes: Eyes, places: Places) -> Iterator[_Listed]:
    homes = (f"{at}/{name}" for at in (places.home, f"{places.root}/opt") for name in _CONDA if at)
    for prefix in dict.fromkeys((*places.prefixes, *homes)):
        meta = f"{prefix}/{conda.FOLDER}"
        listed = (conda.package(prefix, name) for name in eyes.names(meta))
        yield meta, tuple(one for one in listed if one is not None), ""


def _spack(eyes: Eyes, places: Places) -> Iterator[_Listed]:
    roots = places.roots(eyes, ("{env.SPACK_ROOT}", "{prefix}", "{home}/spack", "/opt/spack"))
    for path in (f"{root}/opt/spack/{spack.INDEX}" for root in roots):
        if eyes.stamp(path):
            listed, fault = spack.parse(eyes.read(path, MAX_BYTES))
            yield path, tuple(one for one in listed if eyes.identity(one.prefix)), fault


_ROOTED = ("dpkg", "apk", "rpm")
_READERS: dict[str, Callable[[Eyes, Places], Iterator[_Listed]]] = {
    "dpkg": _dpkg,
    "apk": _apk,
    "rpm": _rpm,
    "brew": _brew,
    "conda": _conda,
    "spack": _spack,
}
