"""The record of a build, `built/<build key>.json`: the only build cache.

Rules (SPEC KEY-06):
- The record says which tree a build key gave, from what, with what, and how well it was watched;
  it never holds the files themselves.
- It is a document (SPEC JSN-07). One that names another key than its file is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import FormatError
from crpack.model import document

if TYPE_CHECKING:
    from crpack.make.plan import MakePlan
    from crpack.make.runner import Built

_WHAT = "the record of a build"
_RULE = "KEY-06"
_WORD = re.compile(r"[^\0\r\n]+")
_TEST = re.compile(r"passed|not run")


@dataclass(frozen=True, slots=True)
class Record:
    """What one build key gave.

    Attributes:
        key: the build key.
        identity: of the archive that the recipe came from.
        component: name and version.
        tree: digest of the result.
        target: platform of the result, or `any`.
        options: build options.
        toolchain: for people; empty where nothing was compiled.
        dependencies: texts `context name tree`.
        externals: texts `soname version sha256` of files of detected software.
        floors: measured, as in the audit.
        portable: nothing of this machine is needed beyond the floors.
        relocatable: the result works in any folder.
        test: `passed` or `not run`; `reason` why it was not.
        sandbox: the level that stood around the steps; empty when no step ran.
        network: `none`, `open`, or empty when no step ran.
        log: file name of the log.
    """

    key: str
    identity: str
    component: str
    tree: str
    target: str
    options: tuple[tuple[str, str], ...] = ()
    toolchain: str = ""
    dependencies: tuple[str, ...] = ()
    externals: tuple[str, ...] = ()
    floors: tuple[tuple[str, str], ...] = ()
    portable: bool = True
    relocatable: bool = True
    test: str = "not run"
    reason: str = ""
    sandbox: str = ""
    network: str = ""
    log: str = ""


def record(plan: MakePlan, built: Built, *, identity: str) -> Record:
    """Return the record of a finished build (SPEC KEY-06)."""
    of = plan.ingredients
    return Record(
        key=built.key,
        identity=identity,
        component=plan.component,
        tree=built.tree,
        target=str(plan.target),
        options=tuple(sorted(of.options)),
        toolchain=str(of.toolchain) if of.toolchain else "",
        dependencies=tuple(sorted(f"{d.context} {d.name} {d.tree}" for d in of.dependencies)),
        externals=tuple(sorted(f"{e.soname} {e.version} {e.sha256}" for e in of.externals)),
        floors=built.audit.floors,
        portable=built.audit.portable,
        relocatable=built.audit.relocatable,
        test=built.test.status,
        reason=built.test.reason,
        sandbox=built.sandbox,
        network=built.network,
        log=built.log.rpartition("/")[2],
    )


def to_json(of: Record) -> bytes:
    """Return the bytes of a record (SPEC KEY-06)."""
    table: dict[str, object] = {name: getattr(of, name) for name in Record.__slots__}
    return document.encode({**table, "options": dict(of.options), "floors": dict(of.floors)})


def from_json(data: bytes, *, key: str) -> Record:
    """Return the record in a file that is named after a build key (SPEC KEY-06).

    Raises:
        FormatError: not a record, or that of another key.
    """
    known = frozenset(Record.__slots__)
    fields = document.decode(data, what=_WHAT, rule=_RULE, known=known)
    if fields.text("key", document.SHA256) != key:
        raise FormatError(f"{_WHAT} is that of another build", rule=_RULE)
    return Record(
        key=key,
        identity=fields.text("identity", document.SHA256),
        component=fields.text("component", _WORD),
        tree=fields.text("tree", document.SHA256),
        target=fields.text("target", _WORD),
        options=fields.pairs("options", _WORD),
        toolchain=fields.text("toolchain"),
        dependencies=fields.texts("dependencies", _WORD),
        externals=fields.texts("externals", _WORD),
        floors=fields.pairs("floors", _WORD),
        portable=fields.flag("portable"),
        relocatable=fields.flag("relocatable"),
        test=fields.text("test", _TEST),
        reason=fields.text("reason"),
        sandbox=fields.text("sandbox"),
        network=fields.text("network"),
        log=fields.text("log"),
    )
