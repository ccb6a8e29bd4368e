"""Models and data sets, recognised by what they are: size and digest, or marker files.

Rules (SPEC DET-24):
- The size is compared first; only a file of the right size is read.
- A folder counts when every marker is there, with its size where one is stated.
- What is recognised so is the component's own version.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.detect.evidence import Refused, Telling, found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.detect.evidence import Subject
    from crpack.detect.eyes import Eyes
    from crpack.detect.places import Places
    from crpack.model.facts import Found
    from crpack.model.probe import Marker

ANYWHERE = ("*", "*/*", "*/*/*")  # where a probe does not say how deep below its roots


def look(subject: Subject, eyes: Eyes, places: Places) -> Iterator[Found | Refused]:
    """Yield the files of the digest, or the folders with all markers, below the roots."""
    probe = subject.probe
    seen: set[str] = set()
    for root in places.roots(eyes, probe.roots):
        patterns = probe.paths or (("", *ANYWHERE) if probe.markers else ANYWHERE)
        for path in (path for pattern in patterns for path in eyes.matches(root, pattern)):
            real = eyes.real(path)
            if real and real not in seen:
                seen.add(real)
                one = _folder(subject, eyes, path) if probe.markers else _file(subject, eyes, path)
                if one is not None:
                    yield one


def _file(subject: Subject, eyes: Eyes, path: str) -> Found | Refused | None:
    """Return what a file is; None for one that is not a candidate: of another size."""
    probe = subject.probe
    stamp = eyes.stamp(path)
    if stamp is None or stamp[2] != probe.size or not eyes.is_file(path):
        return None
    if eyes.digest(eyes.real(path)) != probe.sha256:
        return Refused(path, subject.name, "it has the size of what is looked for, and other bytes")
    telling = Telling(
        subject.version, probe.sha256, os.path.dirname(eyes.real(path)), "by size and sha256"
    )
    one = found(subject, eyes, path, telling)
    return replace(one, sha256=probe.sha256, files=(os.path.basename(path),))


def _folder(subject: Subject, eyes: Eyes, path: str) -> Found | Refused | None:
    """Return what a folder is; None for one that is not a candidate: without the first marker."""
    markers = subject.probe.markers
    lacking = [marker for marker in markers if not _is_there(eyes, path, marker)]
    if markers[0] in lacking:
        return None
    if lacking:
        return Refused(path, subject.name, f"it lacks `{lacking[0].path}`")
    telling = Telling(subject.version, "", eyes.real(path), f"{len(markers)} marker files")
    one = found(subject, eyes, path, telling)
    return replace(one, files=tuple(marker.path for marker in markers))


def _is_there(eyes: Eyes, folder: str, marker: Marker) -> bool:
    path = f"{folder}/{marker.path}"
    stamp = eyes.stamp(path)
    return stamp is not None and eyes.is_file(path) and (not marker.size or stamp[2] == marker.size)
