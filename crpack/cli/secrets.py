"""Passphrases: from a file descriptor, the environment, or a prompt on a terminal.

Rules: nothing is asked without a terminal; a new passphrase is asked for twice; a
passphrase never stands on the command line.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from crpack.cli.sessions import session_of
from crpack.errors import UsageError

if TYPE_CHECKING:
    from crpack.cli.dispatch import Call
    from crpack.trust.keys import PrivateKey

VARIABLE = "CRPACK_PASSPHRASE"
_MAX_BYTES = 4096


def passphrase(prompt: str, *, fd: int | None, new: bool = False) -> bytes:
    """Return a passphrase.

    Args:
        prompt: what is asked on a terminal.
        fd: an open file descriptor to read it from, up to the first line end.
        new: ask twice and compare.

    Raises:
        UsageError: there is no way to ask, or the two answers differ.
    """
    if fd is not None:
        return _from_descriptor(fd)
    if os.environ.get(VARIABLE):
        return os.fsencode(os.environ[VARIABLE])
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise UsageError(
            "a passphrase is needed and there is no terminal to ask on",
            hint=f"give it by `--passphrase-fd N` or {VARIABLE}"
            + (", or use `--no-passphrase`" if new else ""),
        )
    import getpass

    try:
        answer = getpass.getpass(f"{prompt}: ", sys.stderr)
        if new and getpass.getpass("Once more: ", sys.stderr) != answer:
            raise UsageError("the two passphrases differ", hint="run it again")
    except EOFError as error:
        raise UsageError("no passphrase was given", hint="run it again and type one") from error
    return os.fsencode(answer)


def private_key(call: Call, name: str) -> PrivateKey:
    """Return the user's private key of a name, its passphrase asked for where it has one.

    Raises:
        UsageError: there is no such key, or its passphrase cannot be had or is wrong.
    """
    session = session_of(call)
    secret = None
    if session.is_encrypted(name):
        fd = getattr(call.args, "passphrase_fd", None)
        secret = passphrase(f"Passphrase of key `{name}`", fd=fd)
    return session.private_key(name, secret)


def _from_descriptor(fd: int) -> bytes:
    data = b""
    try:
        while b"\n" not in data and len(data) < _MAX_BYTES:
            more = os.read(fd, _MAX_BYTES - len(data))
            if not more:
                break
            data += more
    except (OSError, OverflowError) as error:
        why = [getattr(error, "strerror", None) or "no descriptor has this number"]
        hint = "open it first, as in `crpack … --passphrase-fd 3 3< FILE`"
        raise UsageError(f"file descriptor {fd} cannot be read", why=why, hint=hint) from error
    return data.partition(b"\n")[0].rstrip(b"\r")
