"""Generations: complete states of a solution, of which `current` names one.

Rules (SPEC GEN-01…):
- `solutions/<name>/gen/<number>/` holds `generation.json`, `crpack.lock`, `recipe.json`,
  `realisation.json`, `root/<component>` (links into the store) and `env` (a link to the Python
  environment). It is made in a stage, gets its name by one rename, and never changes.
- All links are relative, so a prefix may be moved, its Python environments aside.
- `generation.json` has all that `run` needs: exports, detected files, digests of the others.
- Who runs a generation holds it by a shared lock; it stays until then, whatever else happens.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from crpack import disk
from crpack.errors import InstallError
from crpack.install import layout, state
from crpack.model import document, names
from crpack.model.realisation import DetectedFile, Node, Realisation, RealWheel, node_table

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Part:
    """A node with what it exports to runs: folders relative to its tree, and environment.

    `place` is the folder of the machine that a model or data set is used in; empty for all else.
    `lib` are folders of libraries that a run must be told of (SPEC GEN-11).
    """

    node: Node
    bin: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    place: str = ""
    lib: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What `generation.json` says.

    Attributes:
        name: of the solution; `version`, `revision` and `identity` (of its archive) are its own.
        request: what the user asked for.
        date: UTC, `YYYY-MM-DDTHH:MM:SSZ`.
        platform: of the machine.
        python: what the interpreter says of itself; empty without Python.
        env: digest that names the Python environment; empty without one.
        parts: the components, sorted by name; `wheels` the installed distributions, likewise.
        unsigned: names of the components that the user took without a signature, sorted.
        number: of the generation, from 1; 0 before it is committed.
        restored: the generation that this one repeats; 0 for a new one.
        lock: sha256 of `crpack.lock`.
        recipe: sha256 of `recipe.json`.
        realisation: digest of the realisation (SPEC GEN-06).
        tools: trees that builds of it used on another machine than its own, sorted.
    """

    name: str
    version: str
    revision: int
    identity: str
    request: str
    date: str
    platform: str
    python: str = ""
    env: str = ""
    parts: tuple[Part, ...] = ()
    wheels: tuple[RealWheel, ...] = ()
    unsigned: tuple[str, ...] = ()
    number: int = 0
    restored: int = 0
    lock: str = ""
    recipe: str = ""
    realisation: str = ""
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation on the disk: its folder and its record."""

    path: str
    record: Record

    def root(self, component: str) -> str:
        """Return the folder of a component's result."""
        return f"{self.path}/root/{names.folder(component)}"

    @property
    def environment(self) -> str:
        """The folder of the Python environment; empty without one."""
        return f"{self.path}/env" if self.record.env else ""


def encode(record: Record) -> bytes:
    """Return the bytes of `generation.json`, canonical JSON (SPEC GEN-03)."""
    parts = [_table(part) for part in sorted(record.parts, key=lambda part: part.node.name)]
    fields = {key: getattr(record, key) for key in Record.__slots__}
    wheels = [asdict(wheel) for wheel in sorted(record.wheels, key=lambda wheel: wheel.name)]
    lists = {"parts": parts, "wheels": wheels, "unsigned": sorted(record.unsigned)}
    if not record.tools:
        del fields["tools"]
    return document.encode({**fields, **lists})


def _table(part: Part) -> dict[str, Any]:
    table = {**node_table(part.node), "bin": list(part.bin), "env": dict(sorted(part.env))}
    table |= {"place": part.place} if part.place else {}
    return table | ({"lib": list(part.lib)} if part.lib else {})


def real(record: Record) -> Realisation:
    """Return what a generation really consists of."""
    nodes = tuple(part.node for part in record.parts)
    return Realisation(record.platform, record.python, nodes, record.wheels)


def target(part: Part) -> str:
    """Return where the link of a part points to; empty for one that has none (SPEC GEN-01)."""
    return layout.to_tree(part.node.tree) if part.node.tree else part.place


def read(folder: str) -> Generation:
    """Return the generation in a folder.

    Raises:
        InstallError: not there or damaged.
    """
    table: Mapping[str, Any] = state.record_of(folder)
    try:
        parts = tuple(_part(part) for part in table["parts"])
        wheels = tuple(RealWheel(**_plain(_WHEEL, wheel)) for wheel in table["wheels"])
        unsigned = tuple(map(str, table["unsigned"]))
        plain = _plain(_RECORD, table)
        tools = tuple(map(str, table.get("tools", ())))
        record = Record(**plain, parts=parts, wheels=wheels, unsigned=unsigned, tools=tools)
        return Generation(folder, record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise state.damaged(f"{folder}/{layout.RECORD}", "a value has the wrong form") from error


_RECORD = Record("", "", 0, "", "", "", "")
_NODE = Node("", "", 0, "", "binary")
_FILE = DetectedFile("", 0, 0)
_WHEEL = RealWheel("", "", "")


def _plain(example: Any, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the texts and numbers of a table that an example has, each of the same type."""
    found: dict[str, Any] = {}
    for key in type(example).__slots__:
        wanted = type(getattr(example, key))
        if wanted is not tuple:
            found[key] = table[key]
            if type(table[key]) is not wanted:
                raise TypeError(key)
    return found


def _part(table: Mapping[str, Any]) -> Part:
    files = tuple(
        DetectedFile(**_plain(_FILE, {**file, "mtime_ns": int(file["mtime_ns"])}))
        for file in table["files"]
    )
    node = Node(**_plain(_NODE, table), options=_pairs(table["options"]), files=files)
    place, lib = str(table.get("place", "")), tuple(map(str, table.get("lib", ())))
    return Part(node, tuple(map(str, table["bin"])), _pairs(table["env"]), place, lib)


def _pairs(table: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((key, str(value)) for key, value in table.items())


def numbers(prefix: str, name: str) -> tuple[int, ...]:
    """Return the numbers of a solution's generations on the disk, rising."""
    found = disk.names(layout.generations(prefix, name))
    return tuple(sorted(int(name) for name in found if state.is_number(name)))


def current(prefix: str, name: str) -> Generation:
    """Return the current generation of a solution.

    Raises:
        InstallError: it is not installed, or its record is damaged.
    """
    return state.settled(prefix, name, lambda number: _installed(prefix, name, number))


def _installed(prefix: str, name: str, number: int) -> Generation:
    if not number:
        raise _not_installed(prefix, name)
    return read(layout.generation(prefix, name, number))


def version(prefix: str, name: str) -> str:
    """Return the installed version: empty where there is none, `damaged` where none can be told."""
    try:
        return current(prefix, name).record.version
    except InstallError:
        return "damaged" if state.is_installed(prefix, name) else ""


def require(prefix: str, name: str) -> None:
    """See that a solution is installed, damaged or not.

    Raises:
        InstallError: it is not.
    """
    if not state.is_installed(prefix, name):
        raise _not_installed(prefix, name)


def _not_installed(prefix: str, name: str) -> InstallError:
    """Return the error for a solution that is not there, which names those that are."""
    have = ", ".join(f"`{item.name}`" for item in state.installed(prefix))
    return InstallError(
        f"`{name}` is not installed",
        why=[f"installed are {have}" if have else "nothing is installed"],
        hint="see `crpack list`",
    )


def hold(prefix: str, name: str) -> tuple[Generation, disk.Lock]:
    """Return the current generation and the shared lock that keeps it (SPEC GEN-08).

    Raises:
        InstallError: the solution is not installed.
    """
    return state.settled(prefix, name, lambda number: _hold(prefix, name, number))


def _hold(prefix: str, name: str, number: int) -> tuple[Generation, disk.Lock]:
    """Lock first and read then: what is locked is not collected."""
    if not number:
        raise _not_installed(prefix, name)
    folder = layout.generation(prefix, name, number)
    record = f"{folder}/{layout.RECORD}"
    held = disk.hold(record, wait=True)
    if held is None:
        raise state.damaged(record, "it is not there")
    try:
        return read(folder), held
    except BaseException:
        held.release()
        raise


def changed_files(generation: Generation) -> tuple[DetectedFile, ...]:
    """Return the detected files that are not as recorded, by size and time (SPEC GEN-07)."""
    files = (file for part in generation.record.parts for file in part.node.files)
    return tuple(file for file in files if not _is_same(file))


def _is_same(file: DetectedFile) -> bool:
    try:
        status = os.stat(file.path)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns)
