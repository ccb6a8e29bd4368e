"""The one place that prints.

Rules (SPEC CLI-01…):
- Standard output holds the answer only; everything else goes to standard error.
- With `--json` the answer is one object `{"schema", "ok", "data", "warnings", "error"}`, on
  failure too.
- A failure reads `error:` / `cause:` / `hint:`; a place in a file has line, column and caret.
- Colours have fixed meanings and nothing depends on them: green done, red error, yellow
  warning, cyan names and hints. NO_COLOR, CLICOLOR_FORCE and TERM=dumb are obeyed.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import fields, is_dataclass

from crpack.errors import CrpackError, ManifestError

TYPE_CHECKING = False  # `typing` costs as much as `json`, and `list` needs neither
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

SCHEMA = "crpack-cli/1"
_LINE = 120  # characters shown of the line of a fault
_CODES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1"}


# Our own colours, or one character that is not plain ASCII.
_SPECIAL = re.compile(r"\x1b\[(?:0|1|31|32|33|36)m|[^\x20-\x7e\n]")


class Console:
    """Standard output and standard error of one command."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.warnings: list[str] = []
        self.settle(as_json=as_json, loudness=0, color="auto")

    def settle(self, *, as_json: bool, loudness: int, color: str) -> None:
        """Take the settings of the command line.

        Args:
            as_json: print one JSON object in place of text.
            loudness: -1 errors only, 0 normal, 1 and more for detail.
            color: `auto`, `always` or `never`.
        """
        self.as_json = as_json
        self.loudness = loudness
        self._out_colored = _colored(sys.stdout, color)
        self._err_colored = _colored(sys.stderr, color)

    def answer(self, data: object, text: str) -> None:
        """Print the command's answer: the text, or with `--json` the data."""
        why = ""
        if self.as_json:
            why = emit(sys.stdout, self._object(data, None))
        elif text:
            why = _write(sys.stdout, text)
        if why:
            raise CrpackError("the answer cannot be written to standard output", why=[why])

    def plan(self, data: object, lines: Iterable[str]) -> None:
        """Print the answer of a `--dry-run`: what would be done, and that nothing was."""
        self.answer(data, "\n".join(lines))
        self.say("nothing was changed")

    def say(self, text: str) -> None:
        """Tell what is being done, on standard error."""
        if self.loudness >= 0:
            _write(sys.stderr, text)

    def detail(self, text: str) -> None:
        """Tell more, for `-v`."""
        if self.loudness > 0:
            _write(sys.stderr, text)

    def warn(self, text: str, *, always: bool = False) -> None:
        """Warn, with `-q` too where `always`; the sentence is also in the JSON answer."""
        self.warnings.append(text)
        if not self.as_json and (always or self.loudness >= 0):
            _write(sys.stderr, f"{self.paint('warning:', 'yellow', error=True)} {text}")

    def fail(self, error: CrpackError) -> None:
        """Print a failure: to people on standard error, to programs as the JSON answer."""
        if self.as_json:
            emit(sys.stdout, self._object(None, error))
            return
        lines = [f"{self.paint('error:', 'red', error=True)} {error.what}"]
        if isinstance(error, ManifestError):
            lines += _places(error)
        lines += [f"  cause: {cause}" for cause in error.why]
        hint = self.paint("hint:", "cyan", error=True)
        if error.hint:
            lines += ["", *(f"{hint} {one}" for one in error.hint.split("\n"))]
        if error.data.get("changed") is False:
            lines.append("nothing was changed")
        _write(sys.stderr, "\n".join(lines))

    def paint(self, text: str, color: str, *, error: bool = False) -> str:
        """Return a text in a colour where the stream takes colours."""
        colored = self._err_colored if error else self._out_colored
        return f"\x1b[{_CODES[color]}m{text}\x1b[0m" if colored else text

    def _object(self, data: object, error: CrpackError | None) -> str:
        document: dict[str, object] = {
            "schema": SCHEMA,
            "ok": error is None,
            "data": plain(data),
            "warnings": self.warnings,
        }
        if error is not None:
            document["error"] = {
                "code": error.code,
                "what": error.what,
                "why": list(error.why),
                "hint": error.hint,
                "data": {**error.data, **({"rule": error.rule} if error.rule else {})},
            }
        return json.dumps(document, indent=2)  # ASCII, so that no encoding can break it


def plain(value: object) -> object:
    """Return a dataclass and all below it as JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def table(rows: Sequence[tuple[str, ...]], gap: int = 2) -> str:
    """Return rows as aligned columns; the last column is not padded."""
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width + gap) for cell, width in zip(row, widths, strict=False)]
        lines.append(("".join(cells) + row[-1]).rstrip())
    return "\n".join(lines)


def _places(error: ManifestError) -> list[str]:
    lines = []
    for fault in error.faults:
        place = f":{fault.line}:{fault.column}" if fault.line else ""
        lines.append(f"  --> {error.file}{place}")
        if fault.text:
            gutter = str(fault.line)
            text, before = _cut(fault.text.expandtabs(1), fault.column - 1)
            lines.append(f"  {gutter} | {text}")
            lines.append(f"  {' ' * len(gutter)} | {' ' * _width(text[:before])}^")
        name = f"`{fault.path}` " if fault.path else ""
        hint = f" ({fault.hint})" if fault.hint else ""
        lines.append(f"      {name}{fault.message}{hint}")
    return lines


def _cut(text: str, at: int) -> tuple[str, int]:
    """Return what is shown of a long line around a place, and where the place is in that."""
    if len(text) <= _LINE:
        return text, at
    start = max(0, min(at - _LINE // 2, len(text) - _LINE))
    shown = text[start : start + _LINE]
    left, right = "…" * (start > 0), "…" * (start + _LINE < len(text))
    return f"{left}{shown}{right}", at - start + len(left)


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal: some letters two, some marks none."""
    from unicodedata import combining, east_asian_width

    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(combining(letter) != 0 for letter in text)


def _colored(stream: TextIO | None, when: str) -> bool:
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return os.environ.get("TERM") != "dumb" and stream is not None and stream.isatty()


def _write(stream: TextIO | None, text: str) -> str:
    """Write a text; what is no printable character is shown by its code.

    File names may hold bytes that are no Unicode, and what archives say is hostile: nothing of it
    may move the cursor or turn the text around. Only our own colours pass.
    """
    return emit(stream, _SPECIAL.sub(_shown, text))


def emit(stream: TextIO | None, text: str) -> str:
    """Write a line; return why it cannot be written, empty when it was or nobody reads it."""
    if stream is None:  # closed by who started the command
        return ""
    try:
        encoding = stream.encoding or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except OSError as error:
        # Nothing more is written there, not even at exit. A reader that went away, as `head`
        # does, is no fault of the command.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)
    return ""


def _shown(match: re.Match[str]) -> str:
    text = match[0]
    if len(text) > 1 or text.isprintable():
        return text
    return text.encode("unicode_escape").decode("ascii")
