"""Law 1 and law 4: floors, circles and doors (ARCHITECTURE.md)."""

from __future__ import annotations

import re
import sys

from tests.house.source import ROOT, Module, imports, modules, parse, report

FLOORS = {
    "1": ["errors"],
    "2": ["model", "binary", "disk", "zstd", "config"],
    "3a": ["process"],
    "3b": ["archive", "trust", "fetch", "detect"],
    "4": ["index", "install", "make"],
    "5": ["solve", "work", "report", "session", "settings"],
    "6": ["ops"],
    "7": ["cli"],
    "8": ["__main__"],
}
LEVEL = {room: level for level, rooms in enumerate(FLOORS.values()) for room in rooms}

# The public face `crpack` states the version; its functions reach `ops` when they are called.
LEVEL[""] = -1
FACE = "crpack"

DOORS = {
    "cryptography": "crpack.trust.keys",
    "packaging": "crpack.model",
    "requests": "crpack.fetch.transport",
    "resolvelib": "crpack.solve.provider",
    "securesystemslib": "crpack.trust.roots",
    "tomlkit": "crpack.ops.author",
    "tqdm": "crpack.cli.progress",
    "tuf": "crpack.trust.roots",
    "urllib3": "crpack.fetch.transport",  # comes with requests
    "zstandard": "crpack.zstd",
    "_typeshed": "crpack",  # exists for type checkers only
}


def names(sources: list[Module]) -> frozenset[str]:
    return frozenset(module.name for module in sources)


def upward(sources: list[Module]) -> list[str]:
    """Imports from the same floor's other packages or from above, and relative imports."""
    found = []
    for module in sources:
        for one in imports(module, names(sources)):
            if one.target.startswith("."):
                found.append(module.at(one.node, "a relative import"))
            if one.target.split(".")[0] != "crpack" or (module.name == FACE and one.late):
                continue
            room = [*one.target.split("."), ""][1]
            if room not in LEVEL or module.room not in LEVEL:
                found.append(module.at(one.node, f"`{one.target}` stands on no floor"))
            elif room != module.room and LEVEL[room] >= LEVEL[module.room]:
                found.append(module.at(one.node, f"`{module.room}` imports `{one.target}`"))
    return found


def circles(sources: list[Module]) -> list[str]:
    """Files that import each other in a loop, type-only and late imports included."""
    edges = {
        module.name: {
            one.target
            for one in imports(module, names(sources))
            if not (module.name == FACE and one.late)
        }
        & names(sources) - {module.name}
        for module in sources
    }
    while True:
        imported = set().union(*edges.values())
        ends = {name for name, targets in edges.items() if not targets or name not in imported}
        if not ends:
            return sorted(edges)
        edges = {name: targets - ends for name, targets in edges.items() if name not in ends}


def wrong_doors(sources: list[Module]) -> list[str]:
    """Third parties imported elsewhere than at their door, or before the door is opened."""
    found = []
    for module in sources:
        for one in imports(module, names(sources)):
            party = one.target.split(".")[0]
            if party in sys.stdlib_module_names or party in {"crpack", ""}:
                continue
            door = DOORS.get(party)
            if door is None or not f"{module.name}.".startswith(f"{door}."):
                found.append(module.at(one.node, f"`{party}` is not imported here"))
            elif not one.late:
                found.append(module.at(one.node, f"`{party}` is imported at start-up"))
    return found


def test_a_package_imports_only_from_floors_below() -> None:
    found = upward(list(modules()))
    assert not found, report(found)


def test_no_two_files_import_each_other() -> None:
    found = circles(list(modules()))
    assert not found, report(found)


def test_each_third_party_has_one_door_that_opens_late() -> None:
    found = wrong_doors(list(modules()))
    assert not found, report(found)


def test_every_dependency_has_a_door() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.split("\ndependencies = [", 1)[1].split("]", 1)[0]
    assert set(re.findall(r'"([a-z]+)', block)) <= set(DOORS)


def test_the_floors_are_those_of_the_architecture_page() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([0-9][ab]?) \|([^|]*)\|", text, re.MULTILINE)
    written = [(floor, sorted(re.findall(r"`(\w+)(?:/|\.py)?`", cell))) for floor, cell in rows]
    held = [(floor, sorted(rooms)) for floor, rooms in FLOORS.items() if floor != "8"]
    assert sorted(written) == held


def test_the_laws_bite() -> None:
    up = parse("from crpack.ops import device", "crpack.model.a")
    beside = parse("from crpack.trust import keys", "crpack.archive.a")
    late = parse("def f():\n    import crpack.cli", "crpack.ops.a")
    typed = parse("if TYPE_CHECKING:\n    from crpack.cli import x", "crpack.ops.b")
    lost = parse("import crpack.attic.x", "crpack.ops.c")
    relative = parse("from . import x", "crpack.ops.d")
    for module in (up, beside, late, typed, lost, relative):
        assert len(upward([module])) == 1, module.text
    assert not upward([parse("from crpack.model import a", "crpack.archive.a")])

    one = parse("from crpack.model import b", "crpack.model.a")
    two = parse("def f():\n    from crpack.model.a import x", "crpack.model.b")
    assert circles([one, two]) == ["crpack.model.a", "crpack.model.b"]
    assert not circles([one, parse("", "crpack.model.b")])

    door = "crpack.trust.keys"
    assert wrong_doors([parse("import cryptography", door)])
    assert wrong_doors([parse("def f():\n    import cryptography", "crpack.trust.pins")])
    assert wrong_doors([parse("def f():\n    import numpy", door)])
    assert not wrong_doors([parse("def f():\n    import cryptography.x", door)])
    assert not wrong_doors([parse("if TYPE_CHECKING:\n    from cryptography import x", door)])
