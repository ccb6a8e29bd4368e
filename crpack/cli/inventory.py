"""The verb `list`: reads small state files and imports nothing heavy."""

from __future__ import annotations

from crpack.cli.console import table
from crpack.install import layout, state

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
    parser.add_argument("--tree", action="store_true", help="show it as a tree of what needs what")
    parser.add_argument(
        "--outdated", action="store_true", help="ask the indexes: only what has a newer release"
    )
    return _list


def _parts(item: state.Installed) -> list[dict[str, str]]:
    record = state.record_of(f"{item.path}/{layout.to_generation(item.number)}")
    keys = ("name", "version", "origin", "tree")
    return [{key: str(part.get(key, "")) for key in keys} for part in record["parts"]]


def _standing(item: state.Installed) -> str:
    if item.damage:
        return ""
    unsigned = "  unsigned" if item.unsigned else ""
    there = f"  for {item.platform}" if state.is_foreign(item.platform) else ""
    return f"generation {item.number}  {item.date}{unsigned}{there}"


def _list(call: Call) -> int:
    if call.args.outdated:
        return _outdated(call)
    if call.args.tree:
        return _trees(call)
    items = state.installed(call.prefix)
    rows: list[tuple[str, ...]] = []
    data = []
    for item in items:
        if item.damage:
            call.console.warn(f"`{item.name}`: {item.damage}")
        parts = _parts(item) if call.args.parts and not item.damage else []
        label = f"{item.version}-{item.revision}" if item.revision else item.version
        rows.append((item.name, label or "unreadable", _standing(item)))
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
                "platform": item.platform,
                "unsigned": list(item.unsigned),
                "damage": item.damage,
                **({"parts": list(parts)} if call.args.parts else {}),
            }
        )
    call.console.answer(data, table(rows))
    if not items:
        call.console.say(f"nothing is installed in {call.prefix}")
    return 0


def _outdated(call: Call) -> int:
    from crpack.cli.sessions import session_of
    from crpack.ops import catalogue

    found = catalogue.outdated(session_of(call))
    rows = [(one.name, one.version, f"{one.newest} in {one.index}") for one in found]
    call.console.answer(found, table(rows))
    if not found:
        call.console.say("everything that is installed is the newest that its index has")
    return 0


def _trees(call: Call) -> int:
    from crpack.cli.sessions import session_of
    from crpack.ops import catalogue

    session = session_of(call)
    names = [item.name for item in state.installed(call.prefix) if not item.damage]
    trees = [catalogue.required(session, name) for name in names]
    call.console.answer(trees, "\n".join(str(branch) for tree in trees for branch in tree))
    if not names:
        call.console.say(f"nothing is installed in {call.prefix}")
    return 0
