"""Giving a folder to another user, as root does before steps run as that user.

Rules (SPEC BLD-18): every name is changed through the descriptor of its folder, links themselves
instead of what they point to; so nothing outside of the folder can be given away.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crpack.disk.faults import do, failure

if TYPE_CHECKING:
    from typing import NoReturn


def give_tree(path: str, user: int, group: int) -> None:
    """Make a folder and everything below it belong to a user and group (SPEC BLD-18).

    Raises:
        InstallError: the system refuses; only root may do this.
    """
    try:
        for _, folders, files, fd in os.fwalk(path, onerror=_stop):
            for name in (*folders, *files):
                _give(name, f"{path}/{name}", user, group, fd)
    except OSError as error:
        raise failure(error, path) from error
    _give(path, path, user, group, None)


def _stop(error: OSError) -> NoReturn:
    raise error


def _give(name: str, path: str, user: int, group: int, folder: int | None) -> None:
    do("give-tree.owner", path, os.chown, name, user, group, dir_fd=folder, follow_symlinks=False)
