"""Where a key stands in a TOML text, so that a fault can point at it.

Rules:
- The text has been read by `tomllib` already; this scan only finds places and never judges.
- A path is the tuple of keys and array indices (as text) from the root.
- A key inside an inline table or array is found too. An unknown path gives the place of its
  nearest known parent.
"""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress

Path = tuple[str, ...]
Place = tuple[int, int]

_TOKEN = re.compile(
    r"""(?P<skip>[ \t\r]+|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<text>\"\"\"(?:[^\\]|\\.)*?\"{3,5}|'''.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')
    |(?P<mark>[\[\]{}=,.])
    |(?P<bare>[^\s\#"'\[\]{}=,.]+)""",
    re.VERBOSE | re.DOTALL,
)


def places(text: str) -> dict[Path, Place]:
    """Return the line and column, from 1, of every key of a TOML text."""
    scan = _Scan(text)
    with suppress(RecursionError):  # what is nested deeper has no place of its own
        scan.run()
    return scan.found


def nearest(found: dict[Path, Place], path: Path) -> Place:
    """Return the place of a path or of its nearest parent; (0, 0) when there is none."""
    while path:
        if path in found:
            return found[path]
        path = path[:-1]
    return (0, 0)


class _Scan:
    """One pass over the tokens of a text."""

    def __init__(self, text: str) -> None:
        self.tokens = [(m.lastgroup or "", m[0], m.start()) for m in _TOKEN.finditer(text)]
        self.tokens = [token for token in self.tokens if token[0] != "skip"]
        self.starts = [0] + [m.end() for m in re.finditer("\n", text)]
        self.at = 0
        self.found: dict[Path, Place] = {}
        self.counts: dict[Path, int] = {}

    def run(self) -> None:
        """Scan the whole text."""
        table: Path = ()
        while self.at < len(self.tokens):
            kind, text, _ = self.tokens[self.at]
            if kind == "newline":
                self.at += 1
            elif text == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        self.at += 1
        array = self._peek() == "["
        self.at += array
        start = self.tokens[self.at][2] if self.at < len(self.tokens) else 0
        keys = self._keys()
        path: Path = ()
        for index, key in enumerate(keys):
            path = (*path, key)
            if array and index == len(keys) - 1:
                self.counts[path] = self.counts.get(path, -1) + 1
            self._note(path, start)
            if path in self.counts:
                path = (*path, str(self.counts[path]))
                self._note(path, start)
        self.at += 1 + array
        return path

    def _pair(self, table: Path) -> None:
        if self.at >= len(self.tokens):
            return
        start = self.tokens[self.at][2]
        before = self.at
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path, start)
        if self._peek() == "=":
            self.at += 1
            self._value(path)
        if self.at == before:
            self.at += 1

    def _keys(self) -> list[str]:
        keys = []
        while self.at < len(self.tokens):
            kind, text, _ = self.tokens[self.at]
            if kind in ("bare", "text"):
                keys.append(tomllib.loads(f"key = {text}")["key"] if kind == "text" else text)
            elif text != ".":
                break
            self.at += 1
        return keys

    def _value(self, path: Path) -> None:
        mark = self._peek()
        if mark == "{":
            self.at += 1
            while self._peek() not in ("}", ""):
                if self._peek() in (",", "\n"):
                    self.at += 1
                else:
                    self._pair(path)
            self.at += 1
        elif mark == "[":
            self._array(path)
        else:
            while self._peek() not in (",", "}", "]", "\n", ""):
                self.at += 1

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self._peek() not in ("]", ""):
            if self._peek() in (",", "\n"):
                self.at += 1
                continue
            self._note((*path, str(index)), self.tokens[self.at][2])
            before = self.at
            self._value((*path, str(index)))
            self.at = max(self.at, before + 1)
            index += 1
        self.at += 1

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _note(self, path: Path, start: int) -> None:
        low, high = 0, len(self.starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.starts[middle] <= start else (low, middle)
        self.found.setdefault(path, (low + 1, start - self.starts[low] + 1))
