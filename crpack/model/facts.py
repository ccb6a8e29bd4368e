"""Facts: what is known of a machine, as a value and as JSON.

Rules (SPEC FCT-01…):
- Facts are plain values: made by detection, saved, carried, written by hand for a remote board.
- Capabilities are names with `@`, each once, sorted: `@glibc`, `@musl`, `@macos`, `@cpu`,
  `@memory`, `@gpu`, `@cuda`. A capability that is absent is not known to be there.
- What was found keeps its order: the first of a name is the one that the machine would use.
- The document is canonical JSON; times in nanoseconds travel as texts, being beyond 2^53.
- Everything but the platform, and the name of a found thing, may be left out. What people write
  is read by `model/stated`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.errors import UsageError
from crpack.model import document, platforms

if TYPE_CHECKING:
    from collections.abc import Iterable

_WHAT = "the facts"
_RULE = "FCT-02"
_CAPABILITY = re.compile(r"@[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_DIGEST = re.compile(r"(?:[0-9a-f]{64})?", re.ASCII)
_PATH = re.compile(r"(?:/[^\0]*)?")
_LINE = re.compile(r"[^\0\r\n]*")
_BELOW = re.compile(r"(?!(?:.*/)?\.\.(?:/|$))[^/\0\r\n][^\0\r\n]*")


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor.

    Attributes:
        model: as the system calls it; empty when it does not tell.
        features: as in `/proc/cpuinfo`, sorted, each once.
        cores: logical processors that this process may use; 0 when not known.
    """

    model: str = ""
    features: tuple[str, ...] = ()
    cores: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One installed thing that a probe recognised.

    Attributes:
        name: first of the probe's names, such as `gcc`, `g++`, `python`.
        version: as the thing tells it; None when it could not be determined.
        raw: the line that the version was read from.
        path: where it was found, absolute; empty in facts written by hand.
        realpath: the file behind links.
        target: a compiler's target triple; empty for anything else.
        platform: of the file itself; empty when not known (a script).
        how: the evidence, such as ``exec `gcc --version` ``.
        size: bytes of the file.
        mtime_ns: time of the file's last change, nanoseconds since 1970.
        sha256: of the file; empty until somebody asked.
        runnable: the file runs on this machine.
        notes: pairs such as ("prefix", "/usr") or ("externally-managed", "true"), sorted.
        files: of a model or data set: the files that prove it, below `place`; else empty.
    """

    name: str
    version: str | None = None
    raw: str = ""
    path: str = ""
    realpath: str = ""
    target: str = ""
    platform: str = ""
    how: str = ""
    size: int = 0
    mtime_ns: int = 0
    sha256: str = ""
    runnable: bool = True
    notes: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The folder of a model or data set that is used in place (SPEC DAT-03)."""
        return self.path.rpartition("/")[0] if self.sha256 else self.path

    @property
    def kind(self) -> Literal["software", "model", "dataset"]:
        """What kind of component it is."""
        said = dict(self.notes).get("kind")
        return "model" if said == "model" else "dataset" if said == "dataset" else "software"

    @property
    def library(self) -> str:
        """The file that a loader takes (SPEC DET-19); empty for what is no library."""
        notes = dict(self.notes)
        return notes.get("library", self.path if notes.get("evidence") == "elf" else "")

    @property
    def linkable(self) -> bool:
        """It may be linked into what is made, not only loaded by what runs (SPEC SOL-04)."""
        return dict(self.notes).get("provides") != "runtime"

    def suits(self, options: Iterable[tuple[str, str]]) -> bool:
        """Say whether build options that are asked for are those it was recognised by (DAT-02)."""
        have = dict(self.notes)
        return all(have.get(f"option.{name}", value) == value for name, value in options)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one machine.

    Attributes:
        platform: such as `linux-x86_64-gnu2.36` (SPEC PLT-01).
        capabilities: pairs of name and value, sorted by name.
        cpu: the processor.
        found: installed things, those of one name in the order of PATH.
        date: when they were gathered, UTC, `2026-01-31T12:00:00Z`; empty when not stated.
        absent: pairs of a capability and the reason why it is not there, sorted by name.
    """

    platform: str
    capabilities: tuple[tuple[str, str], ...] = ()
    cpu: Cpu = Cpu()
    found: tuple[Found, ...] = ()
    date: str = ""
    absent: tuple[tuple[str, str], ...] = ()

    def capability(self, name: str) -> str:
        """Return the value of a capability such as `@cpu`; empty when it is absent."""
        return dict(self.capabilities).get(name, "")

    def all(self, name: str) -> tuple[Found, ...]:
        """Return everything found under a name, the preferred one first."""
        return tuple(found for found in self.found if found.name == name)


def to_json(facts: Facts) -> bytes:
    """Return the canonical JSON of facts (SPEC FCT-01).

    Raises:
        FormatError: a text has no canonical form.
    """
    return document.encode(_table(facts))


def from_json(data: bytes) -> Facts:
    """Return the facts in a document (SPEC FCT-02).

    Raises:
        FormatError: the bytes are not a document of facts.
    """
    fields = _with(_DEFAULTS, document.decode(data, what=_WHAT, rule=_RULE, known=_KNOWN))
    platform = fields.text("platform")
    try:
        platforms.parse(platform)
    except UsageError as error:
        raise fields.refuse("platform", "is not a platform") from error
    return Facts(
        platform=platform,
        capabilities=fields.pairs("capabilities", _CAPABILITY),
        cpu=_cpu(fields),
        found=tuple(found_from_table(one) for one in fields.each("found")),
        date=fields.text("date") and fields.date("date"),
        absent=fields.pairs("absent", _CAPABILITY),
    )


def found_to_table(found: Found) -> dict[str, object]:
    """Return one found thing as a JSON object; an unknown version is left out (SPEC FCT-03)."""
    table: dict[str, object] = {name: getattr(found, name) for name in Found.__slots__}
    if found.version is None:
        del table["version"]
    table["mtime_ns"] = str(found.mtime_ns)
    table["notes"] = dict(found.notes)
    table["files"] = list(found.files)
    if not found.files:
        del table["files"]
    return table


def found_from_table(fields: document.Fields) -> Found:
    """Return the found thing that an object describes (SPEC FCT-03).

    Raises:
        FormatError: a field is missing or wrong.
    """
    fields = _with(_FOUND, fields)
    return Found(
        name=fields.text("name", _LINE),
        version=fields.text("version", _LINE) if fields.has("version") else None,
        raw=fields.text("raw", _LINE),
        path=fields.text("path", _PATH),
        realpath=fields.text("realpath", _PATH),
        target=fields.text("target", _LINE),
        platform=fields.text("platform", _LINE),
        how=fields.text("how", _LINE),
        size=fields.integer("size"),
        mtime_ns=int(fields.text("mtime_ns", _NUMBER)),
        sha256=fields.text("sha256", _DIGEST),
        runnable=fields.flag("runnable"),
        notes=fields.pairs("notes", _LINE),
        files=fields.texts("files", _BELOW),
    )


def _cpu(fields: document.Fields) -> Cpu:
    value = fields.value["cpu"]
    if not isinstance(value, dict):
        raise fields.refuse("cpu", "is not an object")
    cpu = _with(_CPU, document.Fields(fields.what, fields.rule, value, "cpu."))
    features = cpu.texts("features", _LINE)
    if list(features) != sorted(set(features)):
        raise cpu.refuse("features", "is not sorted and distinct")
    return Cpu(cpu.text("model", _LINE), features, cpu.integer("cores"))


def _table(facts: Facts) -> dict[str, object]:
    return {
        "platform": facts.platform,
        "capabilities": dict(facts.capabilities),
        "cpu": _cpu_table(facts.cpu),
        "found": [found_to_table(found) for found in facts.found],
        "date": facts.date,
        "absent": dict(facts.absent),
    }


def _cpu_table(cpu: Cpu) -> dict[str, object]:
    return {"model": cpu.model, "features": list(cpu.features), "cores": cpu.cores}


def _with(defaults: dict[str, object], fields: document.Fields) -> document.Fields:
    return document.Fields(fields.what, fields.rule, {**defaults, **fields.value}, fields.place)


def _without(table: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in table.items() if key != name}


_DEFAULTS = _without(_table(Facts("")), "platform")
_CPU = _cpu_table(Cpu())
_FOUND = {**_without(found_to_table(Found("")), "name"), "files": []}
_KNOWN = frozenset({*Facts.__slots__, *Cpu.__slots__, *Found.__slots__})
