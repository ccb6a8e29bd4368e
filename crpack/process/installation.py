"""What a program reads of where it is installed, so that walls can let it be read.

Rules (SPEC SBX-14):
- A program needs its file, and where that is a script its interpreter as well.
- A folder called `bin` or `sbin` belongs to an installation: shown are that folder, the folders of
  libraries beside it, and of `share` what has the program's name. A home or `~/.local` is one
  installation of many, so nothing else beside `bin` is shown.
- What is marked as an installation of its own (conda, Homebrew, a virtual environment) is shown
  whole.
- The same holds for the place that a link leads to.

(SPEC SBX-15) A script of the user's own Python packages finds them by a variable only.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD_BYTES = 512  # of a script looked at

_FOLDERS = ("bin", "sbin")
_BESIDE = ("bin", "sbin", "lib", "lib32", "lib64", "libexec", "include")
_SHARED = ("/usr", "/opt")  # what lies below is nobody's own
_OWN = ("conda-meta", "Cellar", "pyvenv.cfg")  # marks of conda, Homebrew, a virtual environment


def around(path: str, *beside: str) -> tuple[str, ...]:
    """Return what a program reads of where it is installed, itself first (SPEC SBX-14).

    Args:
        path: of the program, absolute.
        beside: further names beside its `bin`, such as a compiler's target triple.
    """
    places = [*_installed(path, beside)]
    words = interpreter(head(path))
    if words and os.path.isabs(words[0]):
        places += _installed(words[0], ())
    return tuple(dict.fromkeys(places))


def user_base(path: str) -> str:
    """Return the base of the user's own Python packages that a script needs (SPEC SBX-15).

    Returns:
        The folder above its `bin`; empty for any other program. Python finds such packages by HOME
        or `PYTHONUSERBASE`, and HOME is none of the user's here.
    """
    folder, _ = os.path.split(os.path.realpath(path))
    root = os.path.dirname(folder)
    words = interpreter(head(path))
    if os.path.basename(folder) != "bin" or not words or root.startswith(_SHARED):
        return ""
    at, name = os.path.split(words[0])
    packages = (one for one in _names(f"{root}/lib") if one.startswith("python3"))
    return root if name.startswith("python") and at != folder and any(packages) else ""


def interpreter(head: bytes) -> tuple[str, ...]:
    """Return the words of a script's first line after `#!`; empty for anything else."""
    if not head.startswith(b"#!"):
        return ()
    line = head[2:].split(b"\n", 1)[0]
    return tuple(word.decode("utf-8", "replace") for word in line.split())


def head(path: str) -> bytes:
    """Return the first `HEAD_BYTES` of a file; empty when it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return b""
    try:
        return os.read(descriptor, HEAD_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _installed(path: str, beside: tuple[str, ...]) -> Iterator[str]:
    for file in dict.fromkeys((path, os.path.realpath(path))):
        yield file
        folder, name = os.path.split(file)
        root = os.path.dirname(folder)
        if os.path.basename(folder) not in _FOLDERS:
            continue
        if any(os.path.exists(os.path.join(root, mark)) for mark in _OWN):
            yield root
        yield from (os.path.join(root, part) for part in (*_BESIDE, *beside) if part)
        share = os.path.join(root, "share")
        yield from (os.path.join(share, one) for one in _names(share) if one.split("-")[0] == name)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
