"""Becoming another program: this process goes on as it, on the same terminal.

Rules: the new program finds signals as a shell would have left them; what the caller holds goes
on with it only where that was let through.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, NoReturn

from crpack.errors import RunFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_IGNORED = ("SIGPIPE", "SIGXFSZ")  # by Python, for itself


def become(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Go on as a program, found on the PATH of its environment.

    Raises:
        RunFailed: it cannot be started; this process is as it was.
    """
    usual = {}
    for name in _IGNORED:
        number = getattr(signal, name, None)
        if number is not None:
            usual[number] = signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], list(argv), dict(env))  # noqa: S606 - that is what it is for
    except (OSError, ValueError) as error:
        for number, handler in usual.items():
            signal.signal(number, handler)
        why = [str(getattr(error, "strerror", None) or error)]
        raise RunFailed(f"`{argv[0]}` cannot be started", why=why) from error
