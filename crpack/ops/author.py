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
from crpack.model.platforms import ANY
from crpack.ops import drafts, payloads, template
from crpack.ops.makings import Makings
from crpack.ops.packing import Bench, Packed
from crpack.ops.progress import Tell, in_turn, silent
from crpack.ops.stock import Stock
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
        options: of payloads: component (empty for the folder's), option, value as text.
        level: of zstd.
        version: one of the recipe's `[versions]`; empty for its own.
        out: file or folder to write to; empty for the working folder.
    """

    folder: str
    with_: tuple[str, ...] = ()
    full: bool = False
    platforms: tuple[str, ...] = ()
    options: tuple[tuple[str, str, str], ...] = ()
    level: int = LEVEL
    version: str = ""
    out: str = ""


@dataclass(frozen=True, slots=True)
class Make:
    """One result that `build` would make; `toolchain` is empty where nothing is compiled."""

    name: str
    version: str
    platform: str
    toolchain: str
    payload: bool


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What `build` would make: the file, the components that it carries, and results."""

    path: str
    components: tuple[str, ...]
    makes: tuple[Make, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Return the plan as people read it."""
        makes = (
            f"  would make {one.name} {one.version} for {one.platform}"
            + (f" with {one.toolchain}" if one.toolchain else "")
            + (", a payload" if one.payload else "")
            for one in self.makes
        )
        with_ = (f"  with {text}" for text in self.components)
        return (f"would write {self.path}", *with_, *makes)


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of the test of a payload: `passed`, or `not run` with the reason."""

    name: str
    platform: str
    status: str
    reason: str


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
        tests: of the payloads, its own and those of copies, that are compiled or have one.
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
    tests: tuple[Tested, ...] = ()
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


def plan(session: Session, order: Order) -> BuildPlan:
    """Return what `build` would make.

    Raises:
        ManifestError, NoSolution, UsageError, BuildFailed: as `build` does.
    """
    scope = _scope(session, order)
    versions = {draft.name: draft.recipe.package.version for draft in scope.closure}
    carried = tuple(f"{one.name} {versions[one.name]} ({_copy(order)})" for one in scope.copies)
    wanted = {one.unit: one.platform.base for one in scope.batch.wanted}
    makes = tuple(
        Make(
            name=one.unit.name,
            version=versions[one.unit.name],
            platform=str(wanted.get(one.unit, one.unit.target.base)),
            toolchain=toolchain,
            payload=one.unit in wanted,
        )
        for one, toolchain in zip(scope.batch.makings, scope.batch.toolchains, strict=True)
    )
    return BuildPlan(_target(order, scope.root), carried, makes)


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
        NoSolution: a required component is in none of the named places, or components ask for
            different options.
        BuildFailed: a payload cannot be made.
        CheckFailed: the two makings differ.
    """
    scope = _scope(session, order)
    scratch = f"{session.homes.cache}/stage"
    disk.sweep(scratch)
    stage = disk.make_stage(scratch)
    try:
        first = _Shop(session, order, keys, f"{stage.path}/1", in_turn(tell))
        packed = first.make(scope, reuse=True)
        if check:
            second = _Shop(session, order, keys, f"{stage.path}/2", silent)
            _compare(packed, second.make(scope, reuse=False))
        path = _target(order, scope.root)
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
        components=first.carried,
        signers=packed.signers,
        checked=check,
        tests=first.tests,
        sandbox=first.sandbox,
        network=first.network,
    )


@dataclass(frozen=True, slots=True)
class _Scope:
    """What one command works on: the closure, the copies that are carried, what is made."""

    closure: tuple[drafts.Draft, ...]
    copies: tuple[drafts.Draft, ...]
    batch: payloads.Batch

    @property
    def root(self) -> drafts.Draft:
        return self.closure[-1]


def _scope(session: Session, order: Order) -> _Scope:
    targets = payloads.asked(order.platforms)
    root = drafts.read(order.folder, version=order.version)
    closure = drafts.closure(root, order.with_)
    copies = closure[:-1] if root.recipe.package.kind == "solution" else ()
    carriers = (*copies, root)
    batch = payloads.plan(
        session, closure, carriers, targets, options=order.options, fetched=order.full
    )
    return _Scope(closure, copies, batch)


def _copy(order: Order) -> str:
    return "full" if order.full else "thin"


class _Shop:
    """One making of all that an order asks for."""

    def __init__(
        self, session: Session, order: Order, keys: tuple[PrivateKey, ...], folder: str, tell: Tell
    ) -> None:
        self._session = session
        self._order = order
        self._tell = tell
        self._bench = Bench(session, keys, folder, order.level, tell)
        self._stock = Stock(session, folder, tell)
        self.carried: tuple[str, ...] = ()
        self.tests: tuple[Tested, ...] = ()
        self.sandbox = self.network = ""

    def make(self, scope: _Scope, *, reuse: bool) -> Packed:
        """Make the results, pack the closure, and return the last archive."""
        batch = scope.batch
        with Makings(self._session, self._stock, self._tell, reuse=reuse) as makings:
            makings.make(batch.makings, frozenset(batch.linked), batch.facts)
            self.sandbox, self.network = makings.sandbox, makings.network
            copies = tuple(
                self._pack(draft, batch, makings, (), full=self._order.full)
                for draft in scope.copies
            )
            packed = self._pack(scope.root, batch, makings, copies, full=True)
        self.carried = tuple(
            f"{copy.manifest.name} {copy.manifest.version} ({_copy(self._order)})"
            for copy in copies
        )
        return packed

    def _pack(
        self,
        draft: drafts.Draft,
        batch: payloads.Batch,
        makings: Makings,
        copies: tuple[Packed, ...],
        *,
        full: bool,
    ) -> Packed:
        results = tuple((one, makings.of(one.unit)) for one in batch.of(draft.name))
        stocked = self._stock.of(draft, fetched=self._order.full or bool(results))
        self.tests += tuple(
            Tested(draft.name, str(one.platform), result.record.test, result.record.reason)
            for one, result in results
            if draft.recipe.test or one.platform != ANY
        )
        return self._bench.pack(draft, stocked, results, copies, full=full)


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
