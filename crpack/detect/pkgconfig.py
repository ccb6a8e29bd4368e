"""`.pc` files, as pkg-config reads them. Pure.

Rules (SPEC DET-21): variables are put in, also those that name others; `pcfiledir` is the file's
folder. Nothing is run.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

MAX_BYTES = 64 * 1024  # bytes of a `.pc` file that are looked at
MAX_VALUE = 4096  # characters of a value with its variables put in

_LINE = re.compile(r"([A-Za-z0-9_.]+)[ \t]*([:=])[ \t]*(.*)", re.ASCII)
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9_.]+)\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Module:
    """What a `.pc` file says; a text that is not there is empty."""

    version: str
    prefix: str


def parse(data: bytes, path: str) -> Module:
    """Return the version and the prefix in a `.pc` file.

    Args:
        data: its bytes.
        path: where it lies.
    """
    variables = {"pcfiledir": os.path.dirname(path)}
    fields: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line.split("#", 1)[0].strip())
        if match and match[2] == "=":
            variables[match[1]] = _filled(match[3], variables)
        elif match:
            fields[match[1].lower()] = _filled(match[3], variables)
    prefix = variables.get("prefix", "")
    return Module(fields.get("version", ""), os.path.normpath(prefix) if prefix else "")


def _filled(text: str, variables: dict[str, str]) -> str:
    """Put variables in; each is filled already, so one pass is enough and nothing is endless."""
    return _VARIABLE.sub(lambda match: variables.get(match[1], ""), text)[:MAX_VALUE].strip()
