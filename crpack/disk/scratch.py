"""Scratch files: written freely in a private folder, then published in one step.

Rules (SPEC STO-11):
- A scratch file is new, and only its writer knows it; nothing durable depends on it.
- `publish_file` gives its bytes a public name whole or not at all, on any file system.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from crpack.disk.faults import do, failure
from crpack.disk.files import replace_file
from crpack.disk.locks import hold
from crpack.disk.stages import Stage
from crpack.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1024 * 1024  # bytes copied at once


def create_file(path: str) -> BinaryIO:
    """Open a new scratch file for writing and reading.

    Raises:
        InstallError: it is there already, or the folder cannot be written.
    """
    try:
        return open(path, "x+b")
    except OSError as error:
        raise failure(error, path) from error


def temporary_stage(mode: int = 0o700) -> Stage:
    """Make a stage in the system's folder for temporary files, for when no other place will do.

    Args:
        mode: of the folder; 0711 lets other users pass to what they are given in it.
    """
    import tempfile

    path = os.path.realpath(do("stage.create", tempfile.gettempdir(), tempfile.mkdtemp))
    do("make-folder.mode", path, os.chmod, path, mode)
    held = hold(path, shared=False)
    if held is None:
        raise InstallError(f"`{path}` was taken by another process")
    return Stage(path, held)


def make_private(path: str) -> None:
    """Make a folder that only its owner can look into; it must not exist."""
    do("make-folder.create", path, os.mkdir, path, 0o700)


def publish_file(source: str, path: str) -> None:
    """Put a copy of a scratch file in place of `path`, durable, whole-old or whole-new.

    Raises:
        InstallError: the disk refused; what was at `path` is unchanged.
    """
    replace_file(path, _chunks(source))


def _chunks(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise failure(error, path) from error
