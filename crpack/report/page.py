"""The page's data: rows as columns, in a script that calls one function.

Rules (SPEC DSH-02, DSH-09 to DSH-11):
- The page itself is the files of `page/`, the same for all data; only `data.js` differs.
- The same rows give the same bytes, in whatever order they came.
- Texts are JSON strings in ASCII with `<` escaped, so that none of them ends the script.
- At most `MAX_RESULTS` own results are shown, valid ones first, then the newest; and at most
  `MAX_AXES` axes and as many attributes, those that most rows have. What is left out is told.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from crpack.model.limits import MAX_AXES, MAX_RESULTS
from crpack.report.badges import badges
from crpack.report.rows import LABELS, OFFICIAL, Axis, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FILES = ("index.html", "page.css", "numbers.js", "data-model.js", "address.js", "plot.js",
         "table.js", "details.js", "exports.js", "page.js")  # fmt: skip
DATA = "data.js"
OPENING = "crpackData("

_CHOICES = 6  # parameters in a title
_LONG = 24  # letters of one of them

_Key = TypeVar("_Key", str, Axis)


def shown(rows: Iterable[Row]) -> tuple[tuple[Row, ...], int]:
    """Return the rows that a page shows, in its order, and how many own ones are left out."""
    every = sorted(rows, key=lambda row: row.id)
    official = [row for row in every if row.series == OFFICIAL]
    own = [row for row in every if row.series != OFFICIAL]
    own.sort(key=lambda row: row.attribute("started"), reverse=True)
    own.sort(key=lambda row: not row.valid)
    return (*own[:MAX_RESULTS], *official), max(0, len(own) - MAX_RESULTS)


def data(
    rows: Sequence[Row], locks: Iterable[tuple[str, bool]], crpack: str, notes: Iterable[str]
) -> bytes:
    """Return the bytes of `data.js`.

    Args:
        rows: as `shown` returns them.
        locks: digests of the locks beside the results, and whether an index has what they name.
        crpack: the version of crpack.
        notes: sentences on what the page does not show.
    """
    axes, axes_lost = _most(Counter(value.axis for row in rows for value in row.values))
    attributes, lost = _most(Counter(key for row in rows for key, _ in row.attributes))
    told = list(notes)
    if axes_lost or lost:
        told.append(f"{axes_lost} rare metrics and {lost} rare parameters are not shown")
    document = {
        "crpack": crpack,
        "notes": told,
        "locks": dict(sorted(locks)),
        "ids": [row.id for row in rows],
        "axes": _axes(rows, sorted(axes)),
        "attributes": [*_own_attributes(rows), *_attributes(rows, attributes)],
    }
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return f"{OPENING}{text});\n".encode("ascii")


def _most(counts: Counter[_Key]) -> tuple[list[_Key], int]:
    """Return the commonest and the number of the others."""
    ordered = sorted(counts, key=lambda one: (-counts[one], one))
    return ordered[:MAX_AXES], len(ordered[MAX_AXES:])


def _axes(rows: Sequence[Row], axes: Sequence[Axis]) -> list[dict[str, object]]:
    cells: dict[Axis, list[tuple[int, float, float | None, float | None]]]
    cells = {axis: [] for axis in axes}
    for index, row in enumerate(rows):
        for value in row.values:
            if value.axis in cells:
                cells[value.axis].append((index, value.value, value.low, value.high))
    found: list[dict[str, object]] = []
    for axis, column in cells.items():
        at, values, low, high = zip(*column, strict=True)
        found.append({
            "key": axis.key, "name": axis.name, "stat": axis.stat, "unit": axis.unit,
            "direction": axis.direction, "kind": axis.kind, "dataset": axis.dataset,
            "at": at, "values": values,
            **({"low": low, "high": high} if any(one is not None for one in low) else {}),
        })  # fmt: skip
    return found


def _own_attributes(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return what every row has: title and what stands below it, series, status, badge."""
    titles = _titles(rows)
    return [
        _coded("title", "Result", [title for title, _ in titles]),
        _coded("below", "Of", [below for _, below in titles]),
        _coded("series", "Series", [row.series for row in rows]),
        _coded("status", "Status", ["valid" if row.valid else "INVALID" for row in rows]),
        _coded("reasons", "Why invalid", [", ".join(row.reasons) for row in rows]),
        _coded("badge", "Vouched for", badges(rows)),
    ]


def _attributes(rows: Sequence[Row], keys: Iterable[str]) -> list[dict[str, object]]:
    order = {key: place for place, key in enumerate(LABELS)}
    columns = {key: [""] * len(rows) for key in sorted(keys, key=lambda k: (order.get(k, 99), k))}
    for index, row in enumerate(rows):
        for key, text in row.attributes:
            if key in columns:
                columns[key][index] = text
    return [
        _coded(key, LABELS.get(key, key.partition(".")[2]), texts) for key, texts in columns.items()
    ]


def _coded(key: str, label: str, texts: Sequence[str]) -> dict[str, object]:
    """Return a column as a dictionary of texts and a number for each row; 0 is the empty text."""
    codes = {"": 0}
    numbers = [codes.setdefault(text, len(codes)) for text in texts]
    return {"key": key, "label": label, "texts": list(codes), "codes": numbers}


def _titles(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return what to call each row: what tells it from its equals, and below that the rest."""
    seen: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        for key, text in row.attributes:
            if _is_choice(key):
                seen.setdefault(row.name, {}).setdefault(key, set()).add(text)
    return [_title(row, seen.get(row.name, {})) for row in rows]


def _title(row: Row, seen: dict[str, set[str]]) -> tuple[str, str]:
    if row.series == OFFICIAL:
        return row.name, f"{row.attribute('model')} · {row.attribute('scenario')}"
    varying = [one for one in row.attributes if _is_choice(one[0]) and len(seen[one[0]]) > 1]
    varying.sort(key=lambda one: (one[0].startswith("option."), one))
    choices = " · ".join(_choice(key, text) for key, text in varying[:_CHOICES])
    below = (row.name if choices else "", row.attribute("scenario"))
    return choices or row.name, " · ".join(filter(None, below))


def _choice(key: str, text: str) -> str:
    """Return a param that speaks for itself, such as `int8`; others with their name before them."""
    kind, _, name = key.partition(".")
    short = text if len(text) <= _LONG else f"{text[:_LONG]}…"
    speaks = kind == "param" and text[:1].isalpha() and text not in ("true", "false")
    return short if speaks else f"{name} {short}"


def _is_choice(key: str) -> bool:
    return key.startswith(("param.", "option."))
