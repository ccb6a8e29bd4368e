"""Which folders another user can pass, told by their modes.

Rules (SPEC SBX-07): a program that root starts as another user needs a way to its folders. The
mode bits decide; access control lists are not looked at.
"""

from __future__ import annotations

import os


def shut(path: str, user: tuple[int, int]) -> str:
    """Return the topmost folder above a path that a user cannot pass; empty when there is none.

    Args:
        path: absolute; links are followed.
        user: (uid, gid).
    """
    at = ""
    for name in os.path.realpath(path).split("/")[1:-1]:
        at = f"{at}/{name}"
        try:
            status = os.stat(at)
        except OSError:
            return at
        own, group = status.st_uid == user[0], status.st_gid == user[1]
        if not status.st_mode & (0o100 if own else 0o010 if group else 0o001):
            return at
    return ""
