"""The author's verbs: `new` and `build`.

Rules (SPEC RCP-07, RCP-08):
- An archive is a function of the component's folder, of the keys, and of the versions of crpack
  and libzstd: no clock, no user, no order of folders enters it.
- A result that is the same everywhere (`copy`, `headers`, `platform = "any"`) is made and carried;
  one that is compiled is carried for the platforms that the author asks for.
- A solution carries its closure: thin copies, or full ones. Identity and signatures are the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import CheckFailed, UsageError
from crpack.model import manifest as manifests
from crpack.model import names
from crpack.ops import drafts, template
from crpack.ops.packing import Bench, Packed
from crpack.ops.progress import Tell, silent
from crpack.trust.keys import PrivateKey

if TYPE_CHECKING:
    from crpack.session import Session

__all__ = ["LEVEL", "RELEASE_LEVEL", "Order", "PrivateKey", "build", "new", "plan"]

LEVEL = 9  # of zstd, by default
RELEASE_LEVEL = 19  # of zstd, where size counts more than time


@dataclass(frozen=True, slots=True)
class NewComponent:
    """The files of a component that was started."""

    name: str
    kind: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What `build` is asked for.

    Attributes:
        folder: of the component.
        with_: folders where required components are.
        full: carry payloads and sources of the whole closure.
        platforms: carry payloads for these too, as texts, of all that the archive carries.
        level: of zstd.
        version: one of the recipe's `[versions]`; empty for its own.
        out: file or folder to write to; empty for the working folder.
    """

    folder: str
    with_: tuple[str, ...] = ()
    full: bool = False
    platforms: tuple[str, ...] = ()
    level: int = LEVEL
    version: str = ""
    out: str = ""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What `build` would make: the file, and the components that it carries."""

    path: str
    components: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """Return the plan as people read it."""
        return (f"would write {self.path}", *(f"  with {text}" for text in self.components))


@dataclass(frozen=True, slots=True)
class Built:
    """An archive that was made.

    Attributes:
        path: of the file.
        size: its bytes.
        sha256: of the file.
        identity: of the archive (SPEC MAN-02).
        payloads: that it carries itself.
        components: name, version and copy (thin or full) of the closure.
        signers: key ids.
        checked: it was made twice with the same bytes.
        sandbox, network: how its payloads' steps ran; empty when none did.
    """

    path: str
    name: str
    version: str
    size: int
    sha256: str
    identity: str
    payloads: tuple[manifests.Payload, ...]
    components: tuple[str, ...]
    signers: tuple[str, ...]
    checked: bool
    sandbox: str = ""
    network: str = ""


def new(folder: str, name: str, kind: str, *, dry_run: bool = False) -> NewComponent:
    """Start a component's folder with files that build as they are.

    Raises:
        UsageError: the name is none, or the folder holds a component already.
    """
    names.check_name(name)
    files = template.files(name, kind)
    folder = os.path.abspath(folder)
    if os.path.lexists(os.path.join(folder, drafts.FILE)):
        raise UsageError(f"`{folder}` holds a component already", hint="choose another folder")
    paths = tuple(os.path.join(folder, path) for path, _ in files)
    for path, (_, text) in zip(paths, files, strict=True):
        if os.path.lexists(path):
            raise UsageError(f"`{path}` is there already", hint="choose another folder")
        if not dry_run:
            disk.make_folders(os.path.dirname(path))
            disk.write_file(path, [text.encode()])
    return NewComponent(name, kind, paths)


def plan(order: Order) -> BuildPlan:
    """Return what `build` would make.

    Raises:
        ManifestError, NoSolution, UsageError: as `build` does.
    """
    root = drafts.read(order.folder, version=order.version)
    found = drafts.closure(root, order.with_)
    carried = tuple(
        f"{draft.name} {draft.recipe.package.version} ({'full' if order.full else 'thin'})"
        for draft in found[:-1]
    )
    return BuildPlan(_target(order, root), carried)


def build(
    session: Session,
    order: Order,
    keys: tuple[PrivateKey, ...],
    *,
    check: bool = False,
    tell: Tell = silent,
) -> Built:
    """Make an archive and write it, whole or not at all.

    Args:
        session: for settings, logs and the scratch folder.
        order: what is asked for.
        keys: that sign it and its closure; none for an unsigned archive.
        check: make it twice and compare every byte.
        tell: takes the news.

    Raises:
        ManifestError: the recipe has faults.
        NoSolution: a required component is in none of the named places.
        BuildFailed: a payload cannot be made.
        CheckFailed: the two makings differ.
    """
    root = drafts.read(order.folder, version=order.version)
    found = drafts.closure(root, order.with_)
    scratch = f"{session.homes.cache}/stage"
    disk.sweep(scratch)
    stage = disk.make_stage(scratch)
    try:
        bench = Bench(session, keys, f"{stage.path}/1", order.level, tell)
        packed, carried = _make(bench, order, found)
        if check:
            second = Bench(session, keys, f"{stage.path}/2", order.level, silent)
            again, _ = _make(second, order, found)
            _compare(packed, again)
        path = _target(order, root)
        disk.make_folders(os.path.dirname(path))
        disk.publish_file(packed.path, path)
    finally:
        stage.close()
    own = packed.manifest
    return Built(
        path=path,
        name=own.name,
        version=own.version,
        size=packed.size,
        sha256=packed.sha256,
        identity=packed.identity,
        payloads=own.payloads,
        components=carried,
        signers=packed.signers,
        checked=check,
        sandbox=bench.sandbox,
        network=bench.network,
    )


def _make(
    bench: Bench, order: Order, found: tuple[drafts.Draft, ...]
) -> tuple[Packed, tuple[str, ...]]:
    """Pack a closure; return the last archive, and what it carries as texts."""
    carries = found[-1].recipe.package.kind == "solution"
    copies: list[Packed] = []
    for draft in found[:-1]:
        packed = bench.pack(draft, (), order.platforms if carries else (), full=order.full)
        if carries:
            copies.append(packed)
    packed = bench.pack(found[-1], tuple(copies), order.platforms, full=True)
    texts = tuple(
        f"{copy.manifest.name} {copy.manifest.version} ({'full' if order.full else 'thin'})"
        for copy in copies
    )
    return packed, texts


def _compare(one: Packed, two: Packed) -> None:
    if (one.identity, one.sha256) == (two.identity, two.sha256):
        return
    trees = [
        f"the payload for `{a.platform}` differs in its files"
        for a, b in zip(one.manifest.payloads, two.manifest.payloads, strict=False)
        if a.tree != b.tree
    ]
    raise CheckFailed(
        f"`{one.manifest.name}` was made twice and came out differently",
        why=trees or ["the files are the same; only their packing differs"],
        hint="look for times, random numbers or paths in what the build writes",
    )


def _target(order: Order, root: drafts.Draft) -> str:
    package = root.recipe.package
    revision = f"-{package.revision}" if package.revision else ""
    file = f"{package.name.rpartition('/')[2]}-{package.version}{revision}.crpkg"
    out = order.out or "."
    if out.endswith(".crpkg") and not os.path.isdir(out):
        return os.path.abspath(out)
    return os.path.abspath(os.path.join(out, file))
