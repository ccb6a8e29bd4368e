"""The log of a build: the output of all steps, and the line of it that tells most.

Rules (SPEC BLD-16):
- Lines that crpack itself writes begin with `# `.
- What is shown on a terminal is printable, and short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from crpack.model.limits import KIB

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

MAX_LINE = 200  # characters of a line that a failure shows
OWN = b"# "  # begins what crpack itself writes
_LINE_BYTES = 16 * KIB  # of a line that is looked at


class Log:
    """The log of a build, which also tells its lines."""

    def __init__(self, file: BinaryIO, tell: Callable[[str], None]) -> None:
        self.file = file
        self.tell = tell
        self._rest = b""

    def write(self, data: bytes) -> int:
        """Write some output, and tell every line that it completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.tell(_plain(line))
        self._rest = self._rest[-_LINE_BYTES:]
        return self.file.write(data)


def telling(output: BinaryIO, wanted: re.Pattern[str]) -> str:
    """Return the line of an output that tells most: the first error, else the last (BLD-16).

    A heading goes with the line that follows it.
    """
    heading = last = ""
    while data := output.readline(_LINE_BYTES):
        line = _plain(data).strip()
        if not line or data.startswith(OWN):
            continue
        if heading:
            return _cut(f"{heading} {line}")
        if wanted.search(line):
            if not line.endswith(":"):
                return _cut(line)
            heading = line
        last = line
    return _cut(last) if last else "it printed nothing"


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 1]}…"


def _plain(line: bytes) -> str:
    """Return a line as it may be shown on a terminal: printable characters only."""
    text = line[:_LINE_BYTES].decode("utf-8", "replace").expandtabs(4)
    return "".join(character for character in text if character.isprintable())
