"""What `doctor` looks at of what crpack keeps: folders, keys, indexes, installations, leftovers.

Rules (SPEC CLI-09): what is installed is read, not hashed (`verify` does that). A folder is tried
by writing into it, where crpack would; what was written is removed again.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crpack import disk
from crpack.config import Config
from crpack.errors import CrpackError
from crpack.index import bootstrap
from crpack.install import documents, generations, layout, state
from crpack.install.store import Store
from crpack.model.dates import moment
from crpack.model.limits import MIB
from crpack.model.quantity import counted, size
from crpack.ops import detected, elsewhere, indexes
from crpack.ops.finding import Finding, of_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.install.state import Installed
    from crpack.session import Session

_LITTLE = 1024 * MIB  # bytes of free space, below which an install may not find room
_LEAST = 64 * MIB  # … below which hardly one does
_OLD = 30  # days from which an index that was fetched is called old


def prefix(session: Session) -> Iterator[Finding]:
    """Look at the folder of installations: rights, room, what its file system can do."""
    path = session.prefix
    if not os.path.isdir(path):
        above = path
        while not os.path.lexists(above):
            above = os.path.dirname(above)
        if not os.path.isdir(above) or not os.access(above, os.W_OK | os.X_OK):
            why = "is not yours to write" if os.path.isdir(above) else "is not a folder"
            hint = "use another one: `--prefix DIR`, or the setting `prefix`"
            yield Finding("prefix", "fail", f"`{path}`: `{above}` {why}", hint)
            return
        yield Finding("prefix", "ok", f"`{path}`; not made yet")
    elif not os.access(path, os.W_OK | os.X_OK):
        hint = "install as its owner, or use another one: `--prefix DIR`"
        yield Finding("prefix", "warn", f"`{path}` is not yours to write; what is in it runs", hint)
    else:
        yield from _tried(path)
    yield _room(path)


def _tried(path: str) -> Iterator[Finding]:
    stages = layout.stages(path)
    try:
        stage = disk.make_stage(stages if os.path.isdir(stages) else path)
    except CrpackError as error:
        yield of_error("prefix", error)
        return
    try:
        disk.make_link(f"{stage.path}/link", "target")
        disk.write_file(f"{stage.path}/Case", [b""], 0o755)
        same = os.path.exists(f"{stage.path}/case")
        mode = os.access(f"{stage.path}/Case", os.X_OK)
    except CrpackError as error:
        yield of_error("prefix", error)
        return
    finally:
        stage.close()
    if os.statvfs(path).f_flag & os.ST_NOEXEC or not mode:
        hint = "mount it without `noexec`, or use another prefix"
        yield Finding("prefix", "fail", f"no program can be started in `{path}`", hint)
    elif same:
        hint = "names that differ in case alone cannot stand side by side there"
        yield Finding("prefix", "warn", f"`{path}` does not tell upper from lower case", hint)
    else:
        yield Finding("prefix", "ok", f"`{path}`: links, locks and programs work")


def _room(path: str) -> Finding:
    free = disk.free_bytes(path)
    hint = "make room: `crpack cache prune`, `crpack cache gc`, `crpack remove NAME`"
    if free < _LITTLE:
        return Finding("free space", "fail" if free < _LEAST else "warn", size(free), hint)
    return Finding("free space", "ok", size(free))


def homes(session: Session) -> Iterator[Finding]:
    """Look whether the user's own folders can be written."""
    every = session.homes
    for name, path in (("config", every.config), ("cache", every.cache), ("state", every.state)):
        above = path
        while not os.path.lexists(above):
            above = os.path.dirname(above)
        if not (os.path.isdir(above) and os.access(above, os.W_OK | os.X_OK)):
            said = f"the {name} folder `{path}` cannot be written"
            hint = f"make `{above}` yours, or move all folders with CRPACK_HOME"
            yield Finding("folders", "fail", said, hint)
            return
    yield Finding("folders", "ok", f"config, cache and state can be written (`{every.cache}`, …)")


def trust(session: Session) -> Iterator[Finding]:
    """Look at the keys and indexes that are trusted, as they were seen last."""
    pins = session.pins()
    yield Finding("trusted keys", "ok", counted(len(pins), "key") if pins else "none but indexes'")
    try:
        for own in indexes.embedded():
            yield Finding("index", "ok", f"`{own.name}`, as of {own.date[:10]}, came with crpack")
    except CrpackError as error:
        yield of_error("index", error)
    if not bootstrap.folder():
        hint = "trust one: `crpack help indexes`"
        said = "crpack's own was left out of this copy of crpack"
        yield Finding("index", "ok" if session.indexes() else "warn", said, hint)
    settings = session.config.values
    alone = Config(tuple((k, "true" if k == "offline" else v, o) for k, v, o in settings))
    for pin in session.indexes():
        only = Config(tuple((k, pin.name if k == "index" else v, o) for k, v, o in alone.values))
        yield _index(replace(session, config=only), pin.name, pin.url)


def _index(session: Session, name: str, url: str) -> Finding:
    try:
        (found,) = indexes.opened(session).opened
    except CrpackError as error:
        return of_error(f"index {name}", error)
    days = (datetime.now(UTC) - moment(found.date)).days
    said = f"{url}, as of {found.date[:10]} when it was last read"
    if days > _OLD:
        hint = "any verb that asks it fetches the newest: `crpack search WORD`"
        return Finding(f"index {name}", "warn", f"{said}, {counted(days, 'day')} ago", hint)
    return Finding(f"index {name}", "ok", said)


def installed(session: Session) -> Iterator[Finding]:
    """Look at every installed solution: its records, its trees, what it uses of the machine."""
    items = state.installed(session.prefix)
    faults = [fault for item in items for fault in _solution(session, item)]
    yield from faults
    sound = len(items) - len({fault.name for fault in faults})
    if items and sound:
        whole = "" if sound == len(items) else " other"
        yield Finding("installed", "ok", f"{counted(sound, f'{whole} solution'.strip())}, sound")
    elif not items:
        yield Finding("installed", "ok", "nothing")


def _solution(session: Session, item: Installed) -> Iterator[Finding]:
    again = f"`crpack install --reinstall {item.request or item.name}`"
    if item.damage:
        yield Finding(item.name, "fail", item.damage, f"install it again: {again}")
        return
    try:
        generation = generations.current(session.prefix, item.name)
        store = Store(session.prefix)
        lost = [part.node.name for part in generation.record.parts
                if part.node.tree and not store.has(part.node.tree)]  # fmt: skip
        bad = [*documents.damaged(generation), *(f"the files of `{name}`" for name in lost)]
        if bad:
            yield Finding(item.name, "fail", f"damaged: {', '.join(bad)}", again)
        elif elsewhere.is_here(generation.record.platform):
            for path in detected.changed(session, generation):
                yield Finding(item.name, "warn", detected.warning(path), again)
    except CrpackError as error:
        error.hint = error.hint or again
        yield of_error(item.name, error)


def leftovers(session: Session) -> Iterator[Finding]:
    """Look for what interrupted commands left."""
    stages = [one for root in (layout.stages(session.prefix), session.cached("stage"))
              for one in disk.abandoned(root)]  # fmt: skip
    trash = disk.names(layout.trash(session.prefix))
    if not stages and not trash:
        yield Finding("leftovers", "ok", "none")
        return
    found = [counted(len(stages), "interrupted stage")] if stages else []
    found += [f"{counted(len(trash), 'item')} of trash"] if trash else []
    hint = "`crpack cache gc` removes them; so does the next install"
    yield Finding("leftovers", "warn", " and ".join(found), hint)
