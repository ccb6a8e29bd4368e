"""The verb `list`: reads small state files and imports nothing heavy."""

from __future__ import annotations

from crpack.cli.console import table
from crpack.install import state

TYPE_CHECKING = False  # `typing` costs as much as `json`, and `list` needs neither
if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `list` and return its handler."""
    return {"list": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("--parts", action="store_true", help="also show what each consists of")
    return _list


def _parts(item: state.Installed) -> list[dict[str, str]]:
    record = state.record_of(f"{item.path}/gen/{item.number}")
    keys = ("name", "version", "origin", "tree")
    return [{key: str(part.get(key, "")) for key in keys} for part in record["parts"]]


def _list(call: Call) -> int:
    items = state.installed(call.prefix)
    rows: list[tuple[str, ...]] = []
    data = []
    for item in items:
        if item.damage:
            call.console.warn(f"`{item.name}`: {item.damage}")
        parts = _parts(item) if call.args.parts and not item.damage else []
        label = f"{item.version}-{item.revision}" if item.revision else item.version
        rows.append((item.name, label or "damaged", f"generation {item.number}  {item.date}"))
        rows += [(f"  {part['name']}", part["version"], part["origin"]) for part in parts]
        data.append(
            {
                "name": item.name,
                "version": item.version,
                "revision": item.revision,
                "generation": item.number,
                "identity": item.identity,
                "date": item.date,
                "request": item.request,
                "damage": item.damage,
                **({"parts": list(parts)} if call.args.parts else {}),
            }
        )
    call.console.answer(data, table(rows))
    if not items:
        call.console.say(f"nothing is installed in {call.prefix}")
    return 0
