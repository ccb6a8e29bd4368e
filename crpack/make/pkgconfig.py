"""pkg-config files: made to tell of their own place, wherever the result stands.

Rules (SPEC BLD-27):
- `prefix` is told relative to the file: `prefix=${pcfiledir}/../..`.
- What lies below the old prefix, or below the result's folder of the build, lies below `prefix`.
- An empty or root prefix names everything and nothing: then a path counts that is in the result.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

_PREFIX = re.compile(r"^prefix[ \t]*=(.*)$", re.MULTILINE)
_END = r"(?=[/\s\"':;,]|$)"  # of a path that another one goes on from
_VALUE = re.compile(r"^([A-Za-z_][\w.]*[ \t]*=[ \t]*)(/[^\s$]+)", re.MULTILINE)
_FLAG = re.compile(r"(?<=[\s:])(-[IL])(/[^\s$]+)")


def relocated(text: str, *, place: str, out: str, there: Container[str]) -> str:
    """Return a pkg-config file's text without a path of the build (SPEC BLD-27; pkg-config(1)).

    Args:
        text: of the file.
        place: its path in the result.
        out: folder that the result was made in.
        there: paths of the result, folders included.
    """
    root = "${pcfiledir}" + "/.." * place.count("/")
    match = _PREFIX.search(text)
    here = "${prefix}" if match else root
    old = match[1].strip().rstrip("/") if match else ""
    if match:
        text = f"{text[: match.start()]}prefix={root}{text[match.end() :]}"
    for folder in (out, old):
        if folder.startswith("/"):
            text = re.sub(re.escape(folder) + _END, lambda _: here, text)

    def below(found: re.Match[str]) -> str:
        inside = found[2].strip("/") in there
        return f"{found[1]}{here if inside else ''}{found[2]}"

    return text if old else _FLAG.sub(below, _VALUE.sub(below, text))
