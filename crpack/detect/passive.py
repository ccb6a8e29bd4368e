"""Passive probes: software recognised by its files; no program is started.

Rules (SPEC DET-18…):
- Each kind looks at its own places and tells each candidate: a finding, or why it is none.
- Evidence without a version is a finding without one.
"""

from __future__ import annotations

import fnmatch
import os
from typing import TYPE_CHECKING

from crpack.detect import digests, distributions, macros, pkgconfig
from crpack.detect.evidence import (
    Refused,
    Telling,
    above,
    found,
    groups,
    same_machine,
    search,
)
from crpack.detect.packages import packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crpack.binary.image import Image
    from crpack.detect.evidence import Subject
    from crpack.detect.eyes import Eyes
    from crpack.detect.packages import Databases
    from crpack.detect.places import Places
    from crpack.model.facts import Found

MAX_BYTES = 64 * 1024  # bytes of a file that patterns see


def look(
    subject: Subject, eyes: Eyes, places: Places, databases: Databases
) -> tuple[Found | Refused, ...]:
    """Return what a passive probe finds, and what it looked at that is nothing."""
    if subject.probe.kind == "os-package":
        return tuple(packages(subject, eyes, places, databases))
    return tuple(_KINDS[subject.probe.kind](subject, eyes, places))


def _files(subject: Subject, eyes: Eyes, places: Places) -> Iterator[Found | Refused]:
    probe = subject.probe
    if not probe.roots:
        for pattern in probe.paths:
            for path in _once(eyes, eyes.matches(places.root or "/", pattern)):
                yield _file(subject, eyes, places, path, _prefix(eyes, path))
    for root in places.roots(eyes, probe.roots):
        yield from _below(subject, eyes, places, root)


def _named(subject: Subject, eyes: Eyes, places: Places) -> Iterator[Found | Refused]:
    """Yield what lies in the folder that a variable names."""
    probe = subject.probe
    for root in places.roots(eyes, [f"{{env.{probe.env}}}"]):
        if probe.paths:
            yield from _below(subject, eyes, places, root)
        else:
            prefix = eyes.real(root)
            yield found(subject, eyes, root, Telling(None, prefix=prefix, how=f"`{probe.env}`"))


def _below(subject: Subject, eyes: Eyes, places: Places, root: str) -> Iterator[Found | Refused]:
    prefix = eyes.real(root) or root
    for pattern in subject.probe.paths:
        for path in _once(eyes, eyes.matches(root, pattern)):
            yield _file(subject, eyes, places, path, prefix)


def _file(subject: Subject, eyes: Eyes, places: Places, path: str, prefix: str) -> Found | Refused:
    probe = subject.probe
    if not eyes.is_file(path):
        return Refused(path, subject.name, "it is not a file")
    match = None
    if probe.version:
        text = eyes.read(path, MAX_BYTES).decode("utf-8", "replace")
        match = search(probe.version, text)
        if match is None:
            return Refused(path, subject.name, "it has no version")
    image = eyes.image(path)
    telling = Telling(
        match["version"] if match else None,
        raw=match[0] if match else "",
        prefix=prefix,
        how=f"`{os.path.basename(path)}`",
        platform=image.platform if image else "",
        runs=image is None or same_machine(image, places.own),
        notes=groups(match) if match else (),
    )
    return found(subject, eyes, path, telling)


def _headers(subject: Subject, eyes: Eyes, places: Places) -> Iterator[Found | Refused]:
    probe = subject.probe
    folders = [f"{root}/include" for root in places.roots(eyes, probe.roots)]
    every = [*folders, *places.include(eyes)]
    inside = {p: at for at in every for glob in probe.paths for p in eyes.matches(at, glob)}
    for path in _once(eyes, inside):
        text, why = macros.version(eyes.read(path, macros.MAX_BYTES), probe.macros)
        match = search(probe.version, text or "")
        if text is None or (probe.version and match is None):
            yield Refused(path, subject.name, why or f"`{text}` has no version")
            continue
        how = f"`{', '.join(probe.macros)}` in `{os.path.basename(path)}`"
        version = match["version"] if match else text
        prefix = above(eyes.real(inside[path]))
        yield found(subject, eyes, path, Telling(version, text, prefix, how))


def _modules(subject: Subject, eyes: Eyes, places: Places) -> Iterator[Found | Refused]:
    probe = subject.probe
    roots = places.roots(eyes, probe.roots)
    folders = [at for root in roots for at in eyes.matches(root, "lib*/pkgconfig")]
    every = [*folders, *places.pkgconfig(eyes)]
    for path in _once(eyes, (p for at in every for p in eyes.matches(at, f"{probe.package}.pc"))):
        module = pkgconfig.parse(eyes.read(path, pkgconfig.MAX_BYTES), path)
        if module.version:
            prefix = module.prefix or _prefix(eyes, path)
            how = f"`{os.path.basename(path)}`"
            yield found(subject, eyes, path, Telling(module.version, module.version, prefix, how))
        else:
            yield Refused(path, subject.name, "it has no version")


def _libraries(subject: Subject, eyes: Eyes, places: Places) -> Iterator[Found | Refused]:
    probe = subject.probe
    folders = [at for root in places.roots(eyes, probe.roots) for at in (f"{root}/lib", root)]
    every = [*folders, *places.libraries(eyes)]
    paths = [
        os.path.join(folder, name)
        for folder in every
        for pattern in probe.names
        for name in fnmatch.filter(eyes.names(folder), pattern)
    ]
    ordered = []
    for path in _once(eyes, paths):
        image = eyes.image(path)
        if image is None:
            why = "it is not a library but a text, such as a linker script"
            yield Refused(path, subject.name, why)
        else:
            ordered.append((not same_machine(image, places.own), path, image))
    for foreign, path, image in sorted(ordered, key=lambda one: one[0]):
        yield _library(subject, eyes, path, image, foreign=foreign)


def _library(subject: Subject, eyes: Eyes, path: str, image: Image, *, foreign: bool) -> Found:
    real = os.path.basename(eyes.real(path))
    match = search(subject.probe.version, real) or search(
        subject.probe.version, os.path.basename(path)
    )
    soname = (("soname", image.soname),) if image.soname else ()
    telling = Telling(
        match["version"] if match else None,
        raw=real,
        prefix=_prefix(eyes, path),
        how=f"`{os.path.basename(path)}`",
        platform=image.platform,
        runs=not foreign,
        notes=soname + (groups(match) if match else ()),
    )
    return found(subject, eyes, path, telling)


def _distributions(subject: Subject, eyes: Eyes, places: Places) -> Iterator[Found | Refused]:
    probe = subject.probe
    for site in (*places.roots(eyes, probe.roots), *places.sites(eyes)):
        for folder, version in distributions.installed(eyes.names(site), probe.package):
            base = f"{site}/{folder}"
            files = (f"{base}/METADATA", f"{base}/PKG-INFO", base)
            path = next(file for file in files if eyes.identity(file) or file == base)
            prefix = above(os.path.dirname(os.path.dirname(site)))
            telling = Telling(version, folder, prefix, f"`{folder}`", notes=(("site", site),))
            yield found(subject, eyes, path, telling)


def _prefix(eyes: Eyes, path: str) -> str:
    """Return the prefix that a file lies in, where its folder really is."""
    return above(eyes.real(os.path.dirname(path)))


def _once(eyes: Eyes, paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths, each file once, whatever links lead to it; what leads nowhere not at all."""
    seen: set[tuple[int, ...]] = set()
    for path in paths:
        real = eyes.real(path)
        identity = eyes.identity(real) if real else None
        if identity and identity not in seen:
            seen.add(identity)
            yield path


_KINDS: dict[str, Callable[[Subject, Eyes, Places], Iterator[Found | Refused]]] = {
    "file": _files,
    "header-macro": _headers,
    "pkg-config": _modules,
    "elf": _libraries,
    "dist-info": _distributions,
    "env": _named,
    "digest": digests.look,
}
