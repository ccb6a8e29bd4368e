"""Every key of any TOML text is found where it was written."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crpack.model import locate
from crpack.model.locate import Path, Place

KEYS = st.sampled_from(["a", "b", "c-d", "x_1", "7", "é", "a b", "a.b", 'q"', "\\", "[t]", "#", ""])
SCALARS = st.sampled_from(
    ["1", "1.5", "true", '"x # ["', "'{'", '"""\n[a]\n"""', "1979-05-27 07:32:00", "'''é\n]'''"]
)
ROWS = st.lists(st.dictionaries(KEYS, SCALARS, max_size=2), min_size=1, max_size=2)
TREES = st.recursive(
    SCALARS | ROWS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def bare(key: str) -> bool:
    return key != "" and key.isascii() and key.replace("-", "").replace("_", "").isalnum()


@dataclass
class Writer:
    """Writes TOML in one of the ways a person may, and notes where it put each key."""

    draw: Any
    lines: list[str] = field(default_factory=lambda: [""])
    places: dict[Path, Place] = field(default_factory=dict)

    def one_of(self, *words: str) -> str:
        return str(self.draw(st.sampled_from(words)))

    def put(self, text: str) -> None:
        """Write on; a line's end begins a new line."""
        first, *rest = text.split("\n")
        self.lines[-1] += first
        self.lines += rest

    def here(self, path: Path) -> None:
        """Note that a key stands where the next letter will."""
        self.places.setdefault(path, (len(self.lines), len(self.lines[-1]) + 1))

    def key(self, key: str) -> str:
        """Return a key bare, or in quotes of either kind."""
        forms = [json.dumps(key), json.dumps(key, ensure_ascii=False)]
        forms += [f"'{key}'"] if "'" not in key else []
        forms += [key] if bare(key) else []
        return self.one_of(*forms)

    def value(self, value: Any, path: Path) -> None:
        """Write a value: a table on one line, an array on one or several."""
        gap = self.one_of("", " ", "\t")
        if isinstance(value, dict):
            self.put("{" + gap)
            for index, (key, item) in enumerate(value.items()):
                self.put(", " if index else "")
                self.pair(key, item, path)
            self.put(gap + "}")
        elif isinstance(value, list):
            space = self.one_of("", " ", "\n\t", "\n# ]\n  ")
            self.put("[")
            for index, item in enumerate(value):
                self.put(space)
                self.here((*path, str(index)))
                self.value(item, (*path, str(index)))
                self.put(self.one_of(",", " ,") if index < len(value) - 1 else space)
            self.put("]")
        else:
            self.put(value)

    def pair(self, key: str, value: Any, path: Path) -> None:
        """Write a key and its value; a table with one key as a dotted key, perhaps."""
        path = (*path, key)
        self.here(path)
        words = [self.key(key)]
        place = self.places[path]
        while isinstance(value, dict) and len(value) == 1 and self.draw(st.booleans()):
            ((key, value),) = value.items()
            path = (*path, key)
            self.places[path] = place
            words.append(self.key(key))
        self.put(self.one_of(".", " . ").join(words) + self.one_of("=", " = "))
        self.value(value, path)

    def table(self, table: dict[str, Any], path: Path, header: Path) -> None:
        """Write a table's values as pairs, then what gets a header of its own."""
        later = {}
        for key, value in table.items():
            rows = isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
            if (rows or isinstance(value, dict)) and self.draw(st.booleans()):
                later[key] = value
                continue
            self.put(self.one_of("", "  ", "\t", "# a = 1\n", "\n"))
            self.pair(key, value, path)
            self.put(self.one_of("\n", " # b = 2\n"))
        for key, value in later.items():
            self.headed(key, value, path, (*header, key))

    def headed(self, key: str, value: Any, path: Path, header: Path) -> None:
        """Write a table under `[header]`, or rows under `[[header]]` each."""
        many = isinstance(value, list)
        for index, row in enumerate(value if many else [value]):
            place = (*path, key, str(index)) if many else (*path, key)
            gap = self.one_of("", " ")
            self.put(("[[" if many else "[") + gap)
            self.here((*path, key))
            self.here(place)
            self.put(".".join(self.key(part) for part in header))
            self.put(gap + ("]]\n" if many else "]\n"))
            self.table(row, place, header)


@given(st.dictionaries(KEYS, TREES, max_size=4), st.sampled_from(["\n", "\r\n"]), st.data())
@settings(max_examples=200)
def test_every_key_is_found_where_it_was_written(
    table: dict[str, Any], end: str, data: st.DataObject
) -> None:
    """SCH-01."""
    writer = Writer(data.draw)
    writer.table(table, (), ())
    text = end.join(writer.lines)
    tomllib.loads(text)  # it is TOML indeed
    found = locate.places(text)
    assert {path: found.get(path) for path in writer.places} == writer.places
