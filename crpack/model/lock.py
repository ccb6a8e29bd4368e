"""`crpack.lock`: what was chosen, once and for all, so that installing solves nothing.

Rules (SPEC LCK-01…):
- Packages stand once; each `[[target]]` says, for one platform and its capabilities, which
  candidate serves each name and which wheels its Python environment has.
- Software that a machine has already is never pinned by path: its row holds the range asked
  for, the version it was tested with, and the candidate to fall back on. What only such a
  candidate needs stands there too, and says for whom.
- A name is bound to the index of its package; an index is told by its name and its root.
- A wheel has a digest and no address: it comes from the user's configured Python index, or from
  a bundle. Its name and version are those in the name of its file.
- A lock has one byte form: rows and tables sorted, empty values left out. A reader refuses any
  other. Keys it does not know are ignored, unless `critical` names them.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, Literal

from crpack.errors import Fault, FormatError
from crpack.model import limits, locate, names, platforms, schema, tables, toml, versions
from crpack.model.distribution import check_row
from crpack.model.manifest import Kind
from crpack.model.schema import spec

_REMAKE = "get it again where it came from, or remove it and make a new one with `crpack lock`"
_SHA256 = "[0-9a-f]{64}"
_LINE = r"[^\x00-\x1f\x7f]*"
_FILENAME = r"[A-Za-z0-9][A-Za-z0-9._+!-]*\.whl"


@dataclass(frozen=True, slots=True)
class LockedSource:
    """Material of a package: digest, bytes, where from; `first_use`: the digest was not stated."""

    sha256: str = spec(pattern=_SHA256)
    size: int = spec(minimum=0)
    urls: tuple[str, ...] = spec((), pattern=_LINE)
    first_use: bool = False


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One version and revision of a component.

    Attributes:
        identity: of its archive (SPEC ARC); empty for a component that has none.
        signers: ids of the keys that signed it and were trusted.
        unsigned: nobody vouches for it, and the user took it as it is (SPEC SIG-10).
        index: name of the index it is bound to; empty for a file.
        options: values of its options, sorted.
        requires: names and ranges of what it asks for at run time, sorted.
        source: its sources, sorted by digest.
    """

    name: str = spec(check=names.check_name)
    version: str = spec(check=versions.parse)
    revision: int = spec(minimum=0)
    kind: Kind = spec()  # noqa: RUF009 - a field, as the others are
    identity: str = spec("", pattern=f"(?:{_SHA256})?")
    signers: tuple[str, ...] = spec((), pattern=_SHA256)
    unsigned: bool = False
    index: str = spec("", pattern=_LINE)
    options: tuple[tuple[str, str], ...] = spec((), pattern=_LINE)
    requires: tuple[tuple[str, str], ...] = spec((), pattern=_LINE)
    source: tuple[LockedSource, ...] = ()


@dataclass(frozen=True, slots=True)
class LockedIndex:
    """An index that packages are bound to.

    Attributes:
        name: the user's word for it.
        root: fingerprint: sha256 of its first root.
        snapshot: sha256 of the snapshot that was chosen from.
    """

    name: str = spec(pattern="[a-z0-9-]{1,64}")
    root: str = spec(pattern=_SHA256)
    snapshot: str = spec("", pattern=f"(?:{_SHA256})?")


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate that serves one name on one target.

    Attributes:
        context: `build` for a tool of a build, which runs where is built.
        origin: how the name is satisfied.
        version: of its package; with `detected` that of the fallback. Empty: the package is the
            only one of its name.
        revision: of its package.
        payload: id of the payload, for `binary`.
        size: bytes of the payload as it travels; 0 while not known.
        options: where they are others than its package's.
        range: the versions that may serve; empty for all.
        tested: for `detected`: the version that the lock was made with.
        fallback: for `detected`: how the name is satisfied where nothing is found.
        only_for: names whose fallback alone needs this; empty: it is always needed.
        linked: for `detected`: it is linked, so what only runs does not serve.
    """

    name: str = spec(check=names.check_name)
    origin: Literal["binary", "source", "detected", "virtual"] = spec()
    context: Literal["target", "build"] = "target"
    version: str = spec("", pattern=_LINE)
    revision: int = spec(0, minimum=0)
    payload: str = spec("", pattern="(?:[0-9a-f]{16})?")
    size: int = spec(0, minimum=0)
    options: tuple[tuple[str, str], ...] = spec((), pattern=_LINE)
    range: str = spec("", check=versions.parse_range)
    tested: str = spec("", pattern=_LINE)
    fallback: Literal["", "binary", "source"] = ""
    only_for: tuple[str, ...] = spec((), check=names.check_name)
    linked: bool = False


@dataclass(frozen=True, slots=True)
class LockedTarget:
    """What is chosen for one platform.

    Attributes:
        platform: its name (SPEC PLT-01).
        python: version of the interpreter that the wheels are for; empty without wheels.
        capabilities: floors that the choices ask for, such as `@glibc`, sorted.
        wheels: digests of the wheels of its environment, sorted.
        package: a choice a name and context, sorted.
    """

    platform: str = spec(check=platforms.parse)
    python: str = spec("", pattern=_LINE)
    capabilities: tuple[tuple[str, str], ...] = spec((), pattern=_LINE)
    wheels: tuple[str, ...] = spec((), pattern=_SHA256)
    package: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Wheel:
    """One built distribution; `size` in bytes, 0 while not known."""

    name: str = spec(pattern="[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
    version: str = spec(check=versions.parse)
    filename: str = spec(pattern=_FILENAME)
    sha256: str = spec(pattern=_SHA256)
    size: int = spec(0, minimum=0)


@dataclass(frozen=True, slots=True)
class Lock:
    """A whole lock.

    Attributes:
        request: what was asked for, in its order.
        request_hash: digest of the requests with all that decided how to choose; empty for an
            archive, which decides itself.
        index: sorted by name.
        package: sorted by name, version, revision.
        target: sorted by platform.
        wheel: sorted by name, version, file name.
    """

    request: tuple[str, ...] = spec(pattern=_LINE)
    request_hash: str = spec("", pattern=f"(?:{_SHA256})?")
    index: tuple[LockedIndex, ...] = ()
    package: tuple[LockedPackage, ...] = ()
    target: tuple[LockedTarget, ...] = ()
    wheel: tuple[Wheel, ...] = ()


def encode(lock: Lock) -> bytes:
    """Return the bytes of `crpack.lock`, rows sorted (SPEC LCK-02).

    Raises:
        FormatError: a value that no reader would take; the sentence names its key.
    """
    table = _head(_plain(ordered(lock)))
    if (again := decode(toml.encode(table))) != ordered(lock):
        raise FormatError(f"the lock of {again.request} would not be read as it is", rule="LCK-02")
    return toml.encode(table)


def decode(data: bytes, *, what: str = "`crpack.lock`") -> Lock:
    """Return the lock in the bytes of a `crpack.lock` (SPEC LCK-03).

    Raises:
        FormatError: not exactly what `encode` writes; `data["line"]` and the sentence tell where.
    """
    text, table = _parse(data, what)
    known, unknown = _known(table, text, what)
    lock = _value(known, text, what)
    _check(lock, what)
    again = _head(_plain(ordered(lock)))
    for path in unknown:
        _copy(table, again, path)
    _compare(data, toml.encode(again), what)
    return lock


def ordered(lock: Lock) -> Lock:
    """Return the same lock with its rows in their one order (SPEC LCK-02)."""
    packages = tuple(
        dataclasses.replace(
            package,
            signers=tuple(sorted(package.signers)),
            options=tuple(sorted(package.options)),
            requires=tuple(sorted(package.requires)),
            source=tuple(sorted(package.source, key=lambda source: source.sha256)),
        )
        for package in lock.package
    )
    targets = tuple(
        dataclasses.replace(
            target,
            capabilities=tuple(sorted(target.capabilities)),
            wheels=tuple(sorted(target.wheels)),
            package=tuple(
                sorted(map(_sorted_choice, target.package), key=lambda c: (c.name, c.context))
            ),
        )
        for target in lock.target
    )
    return dataclasses.replace(
        lock,
        index=tuple(sorted(lock.index, key=lambda index: index.name)),
        package=tuple(sorted(packages, key=lambda p: (p.name, p.version, p.revision))),
        target=tuple(sorted(targets, key=lambda target: target.platform)),
        wheel=tuple(sorted(lock.wheel, key=lambda w: (w.name, w.version, w.filename))),
    )


def package_of(lock: Lock, choice: Choice) -> LockedPackage | None:
    """Return the row of a choice's package; None where it has none (SPEC LCK-04)."""
    wanted = (choice.version, choice.revision)
    named = (row for row in lock.package if row.name == choice.name)
    fits = (row for row in named if not choice.version or wanted == (row.version, row.revision))
    return next(fits, None)


def lock_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a lock's tables (SPEC LCK-01)."""
    described = schema.json_schema(Lock)
    head = {"format": {"const": 1}, "critical": {"type": "array", "maxItems": 0}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:crpack:lock:1",
        "title": "crpack.lock",
        **described,
        "properties": {**head, **described["properties"]},
        "required": [*head, *described["required"]],
    }


def _sorted_choice(choice: Choice) -> Choice:
    options, only_for = tuple(sorted(choice.options)), tuple(sorted(choice.only_for))
    return dataclasses.replace(choice, options=options, only_for=only_for)


def _head(table: dict[str, Any]) -> dict[str, Any]:
    return {"format": 1, "critical": [], **table}


def _plain(value: Any) -> Any:
    """Return a value as tables and arrays, empty values left out."""
    if dataclasses.is_dataclass(value):
        pairs = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {schema.key_of(f): _field(item) for f, item in pairs if item != f.default}
    return value


def _field(value: Any) -> Any:
    if isinstance(value, tuple):
        if value and isinstance(value[0], tuple):
            return dict(value)
        return [_plain(item) for item in value]
    return value


def _parse(data: bytes, what: str) -> tuple[str, dict[str, Any]]:
    if len(data) > limits.MAX_TOML_BYTES:
        raise FormatError(f"{what} is longer than {limits.MAX_TOML_BYTES} bytes", rule="LCK-03")
    try:
        text = data.decode("utf-8")
        return text, toml.loads(text)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _error(what, line, "is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        place = re.search(r"at line ([0-9]+)", str(error))
        line = int(place[1]) if place else data.count(b"\n") + 1
        raise _error(what, line, "is not TOML", why=str(error)) from error


def _known(
    table: dict[str, Any], text: str, what: str
) -> tuple[dict[str, Any], tuple[tuple[str, ...], ...]]:
    """Return the table without the keys of later formats, and the paths of those."""
    if tables.too_deep(table):
        raise FormatError(f"{what} is nested too deep", rule="LCK-03")
    if table.get("format") != 1 or isinstance(table.get("format"), bool):
        raise _error(what, 1, "is not of format 1", hint=_REMAKE, rule="LCK-01")
    critical = table.get("critical")
    if critical != []:
        shown = f"`{critical}`"[:80]
        line = locate.nearest(locate.places(text), ("critical",))[0]
        raise _error(what, line, f"needs {shown}", rule="LCK-01")
    body = {key: value for key, value in table.items() if key not in ("format", "critical")}
    faults: list[Fault] = []
    schema.decode(Lock, body, faults)
    unknown = tuple(fault.keys for fault in faults if fault.message == "is not a known key")
    return _without(body, frozenset(unknown), ()), unknown


def _value(table: dict[str, Any], text: str, what: str) -> Lock:
    faults: list[Fault] = []
    lock: Lock | None = schema.decode(Lock, table, faults)
    if lock is None:
        places = locate.places(text)
        line, first = min(
            ((locate.nearest(places, f.keys)[0], f) for f in faults), key=lambda pair: pair[0]
        )
        raise _error(what, line, f"`{first.path}` {first.message}")
    return lock


def _check(lock: Lock, what: str) -> None:
    """Check what rows say of each other: each once, and what they name stands in the lock."""
    rows = [(p.name, p.version, p.revision) for p in lock.package]
    groups: list[tuple[str, list[object]]] = [
        ("index", [index.name for index in lock.index]),
        ("package", list[object](rows)),
        ("target", [target.platform for target in lock.target]),
        ("wheel", [wheel.sha256 for wheel in lock.wheel]),
    ]
    there, wheels = set(rows), {wheel.sha256 for wheel in lock.wheel}
    for target in lock.target:
        groups.append(
            (f"choice of {target.platform}", [(c.name, c.context) for c in target.package])
        )
        groups.append((f"wheel of {target.platform}", list(target.wheels)))
        if missing := set(target.wheels) - wheels:
            raise _incomplete(what, f"`[[wheel]]` has the digest `{min(missing)}`")
        named = {(c.name, c.version, c.revision) for c in target.package if c.version}
        if lacking := sorted(named - there):
            raise _incomplete(what, f"`[[package]]` is `{lacking[0][0]}` {lacking[0][1]}")
    known = {"", *(index.name for index in lock.index)}
    for package in lock.package:
        if package.index not in known:
            raise _incomplete(what, f"`[[index]]` is `{package.index}`")
    for word, keys in groups:
        if len(set(keys)) != len(keys):
            raise FormatError(f"{what} names a {word} twice", rule="LCK-04")
    for wheel in lock.wheel:
        check_row(wheel.filename, wheel.name, wheel.version)


def _incomplete(what: str, lacking: str) -> FormatError:
    return FormatError(f"{what} is not complete", why=[f"no {lacking}"], rule="LCK-04")


def _compare(data: bytes, again: bytes, what: str) -> None:
    if data == again:
        return
    lines, wanted = data.split(b"\n"), again.split(b"\n")
    differ = (at for at, (one, two) in enumerate(zip(lines, wanted, strict=False), 1) if one != two)
    line = next(differ, min(len(lines), len(wanted)))
    raise _error(what, line, "is not in the one form that crpack writes", rule="LCK-02")


def _error(
    what: str, line: int, problem: str, *, why: str = "", hint: str = "", rule: str = "LCK-03"
) -> FormatError:
    return FormatError(
        f"{what}, line {line}: {problem}",
        why=[why] if why else (),
        hint=hint or _REMAKE,
        data={"line": line},
        rule=rule,
    )


def _without(value: Any, drop: frozenset[tuple[str, ...]], path: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        items = ((key, item, (*path, key)) for key, item in value.items())
        return {key: _without(item, drop, at) for key, item, at in items if at not in drop}
    if isinstance(value, list):
        return [_without(item, drop, (*path, str(i))) for i, item in enumerate(value)]
    return value


def _copy(source: Any, table: Any, path: tuple[str, ...]) -> None:
    """Put the value at a path of one table to the same path of another, behind what is there."""
    for part in path[:-1]:
        key = int(part) if isinstance(source, list) else part
        source, table = source[key], table[key]
    table[path[-1]] = source[path[-1]]
