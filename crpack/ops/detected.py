"""Detected software of an installation: does it still serve what it was chosen for?

Rules (SPEC GEN-07):
- A file whose size or time of change is not as recorded is asked again what it is.
- What still satisfies the range that was asked for is told, and recorded with the run.
- What is gone, or does not satisfy it any more, stops the run.
- A file of a model or data set that is used in place must hold the bytes that were recorded
  (SPEC DAT-04).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crpack.errors import CheckFailed
from crpack.install import documents, generations, listing
from crpack.model import lock as locks
from crpack.model import versions
from crpack.ops import detection

if TYPE_CHECKING:
    from crpack.install.generations import Generation, Part
    from crpack.model.realisation import DetectedFile
    from crpack.session import Session


def changed(session: Session, generation: Generation) -> tuple[str, ...]:
    """Return the detected files that changed and still serve (SPEC GEN-07).

    Raises:
        CheckFailed: one is gone, or is not what was asked for any more.
    """
    files = {file.path for file in generations.changed_files(generation)}
    if not files:
        return ()
    asked = _ranges(generation)
    faults = [
        fault
        for part in generation.record.parts
        for file in part.node.files
        if file.path in files
        and (fault := _fault(session, part, file, asked.get(part.node.name, "")))
    ]
    if faults:
        raise CheckFailed(
            f"`{generation.record.name}` uses software of this machine that has changed",
            why=faults,
            hint=f"install it again: `crpack install --reinstall {generation.record.request}`",
            rule="GEN-07",
        )
    return tuple(sorted(files))


def warning(path: str) -> str:
    """Return the sentence about a file that changed and still serves."""
    return f"the detected file `{path}` changed since the install; it still serves"


def _ranges(generation: Generation) -> dict[str, str]:
    """Return by name the versions that may serve, as the generation's lock has them."""
    lock = locks.decode(documents.lock(generation))
    return {choice.name: choice.range for target in lock.target for choice in target.package}


def _fault(session: Session, part: Part, file: DetectedFile, wanted: str) -> str:
    name, path = part.node.name, file.path
    if not os.path.exists(path):
        return f"`{path}` is not there"
    if part.place:
        same = listing.sha256(os.path.realpath(path))[0] == file.sha256
        return "" if same else f"`{path}` holds other bytes than when `{name}` was installed"
    answer = detection.ask_again(session, name, path)
    if isinstance(answer, str):
        return f"`{path}` is not `{name}` any more: {answer}"
    if not answer.runnable or not versions.parse_range(wanted).admits(answer.version):
        version = f"version {answer.version}" if answer.version else "of unknown version"
        return f"`{path}` is now {version}; needed is `{name}` {wanted}".rstrip()
    return ""
