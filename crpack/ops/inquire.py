"""The verbs that look: `info` and `verify`.

Rules: an archive that is only looked at need not be trusted; who signed it, and whether that
key is pinned for its name, is part of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.archive import verify as verification
from crpack.errors import InstallError, TrustError
from crpack.install import documents, generations, state
from crpack.install.store import Store
from crpack.model import lock, recipe_document, signatures, toc
from crpack.model.manifest import Payload
from crpack.model.parameters import Parameter
from crpack.model.quantity import counted
from crpack.ops import opening
from crpack.trust import envelope
from crpack.work import action as actions

if TYPE_CHECKING:
    from crpack.archive.reader import Archive
    from crpack.model.recipe import Recipe
    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class ActionCard:
    """What an action takes and answers."""

    name: str
    help: str
    inputs: tuple[Parameter, ...]
    params: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The value that an option has in an installation."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ArchiveCard:
    """What an archive says of itself, and who vouches for it.

    Attributes:
        size: bytes of the file; `copy` is `full` or `thin`.
        trust: one sentence; `keyids` are those of its signatures.
        requires, python, components: as people read them.
        files: of its payloads, when asked for.
    """

    name: str
    version: str
    revision: int
    kind: str
    summary: str
    license: str
    upstream: str
    authors: tuple[str, ...]
    homepage: str
    paper: str
    identity: str
    size: int
    copy: str
    trust: str
    keyids: tuple[str, ...]
    requires: tuple[str, ...]
    python: tuple[str, ...]
    options: tuple[Parameter, ...]
    actions: tuple[ActionCard, ...]
    payloads: tuple[Payload, ...]
    sources: tuple[str, ...]
    components: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SolutionCard:
    """What is installed under a name; `unsigned` are the components that nobody vouches for."""

    name: str
    version: str
    generation: int
    date: str
    summary: str
    request: str
    platform: str
    realisation: str
    path: str
    unsigned: tuple[str, ...]
    parts: tuple[str, ...]
    wheels: tuple[str, ...]
    options: tuple[Parameter, ...]
    chosen: tuple[Choice, ...]
    actions: tuple[ActionCard, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """One archive or solution that was checked: a summary, or its faults."""

    name: str
    summary: str
    faults: tuple[str, ...]


def archive_card(session: Session, path: str, *, files: bool) -> ArchiveCard:
    """Return what an archive file holds.

    Raises:
        UsageError: there is no such file.
        ArchiveError, FormatError: it is not exactly an archive.
    """
    with opening.reading(path) as archive:
        said = archive.manifest
        recipe = recipe_document.open_json(archive.recipe_bytes)
        found = signatures.decode(archive.signatures_bytes)
        thin = any(not archive.has(member.path) for member in said.members)
        return ArchiveCard(
            name=said.name,
            version=said.version,
            revision=said.revision,
            kind=said.kind,
            summary=said.summary,
            license=said.license,
            upstream=recipe.package.upstream_version,
            authors=recipe.package.authors,
            homepage=recipe.package.homepage,
            paper=recipe.package.paper,
            identity=archive.identity,
            size=archive.size,
            copy="thin" if thin else "full",
            trust=_trust(session, archive),
            keyids=tuple(signature.keyid for signature in found),
            requires=_requires(recipe),
            python=recipe.python.requires,
            options=recipe.options,
            actions=_actions(recipe),
            payloads=said.payloads,
            sources=said.sources,
            components=_components(archive),
            files=_files(archive) if files else (),
        )


def is_installed(session: Session, name: str) -> bool:
    """Say whether something is installed under a name, damaged or not."""
    return name in {item.name for item in state.installed(session.prefix)}


def solution_card(session: Session, name: str) -> SolutionCard:
    """Return what is installed under a name.

    Raises:
        InstallError: it is not installed.
    """
    generation = generations.current(session.prefix, name)
    record = generation.record
    recipe = recipe_document.open_json(documents.recipe(generation))
    locked = lock.decode(documents.lock(generation))
    own = next(part.node for part in record.parts if part.node.name == record.name)
    return SolutionCard(
        name=record.name,
        version=record.version,
        generation=record.number,
        date=record.date,
        summary=recipe.package.summary,
        request=record.request,
        platform=record.platform,
        realisation=record.realisation,
        path=generation.path,
        unsigned=record.unsigned,
        parts=tuple(_part(part) for part in record.parts),
        wheels=tuple(f"{wheel.name} {wheel.version}" for wheel in locked.wheel),
        options=recipe.options,
        chosen=tuple(Choice(*pair) for pair in own.options),
        actions=_actions(recipe),
    )


def verify_archive(session: Session, path: str, *, strict: bool, trust: bool) -> Checked:
    """Read every byte of an archive and compare; see who vouches for it and for its closure.

    Raises:
        ArchiveError, FormatError: its layout, manifest or recipe is broken.
        TrustError: no pinned key vouches for it, where `trust` asks for one.
    """
    with opening.reading(path) as archive:
        opening.recipe_of(archive)
        findings = verification.verify(archive, strict=strict, threads=session.jobs)
        for identity in archive.components if not findings else ():
            opening.recipe_of(archive.component(identity))
        signers: tuple[str, ...] = ()
        if trust:
            signers = _vouch(session, archive)
            for identity in archive.components:
                _vouch(session, archive.component(identity))
        said = archive.manifest
        vouched = f"signed by {', '.join(key[:16] for key in signers)}" if trust else "not judged"
        return Checked(
            f"{said.name} {said.version}",
            f"{counted(len(archive.names), 'member')}, {archive.size} bytes, {vouched}",
            tuple(f"{found.member}: {found.what} ({found.rule})" for found in findings),
        )


def verify_solution(session: Session, name: str) -> Checked:
    """Hash an installed solution again.

    Raises:
        InstallError: it is not installed.
    """
    generations.require(session.prefix, name)
    try:
        generation, held = generations.hold(session.prefix, name)
    except InstallError as error:
        return Checked(name, "", (error.what,))
    with held:
        count, faults = rehash(session, generation)
        changed = generations.changed_files(generation)
        faults += tuple(f"the detected file `{file.path}` has changed" for file in changed)
        return Checked(f"{name} {generation.record.version}", counted(count, "file"), faults)


def rehash(session: Session, generation: generations.Generation) -> tuple[int, tuple[str, ...]]:
    """Hash every tree and document of a generation; return files counted, and faults."""
    store = Store(session.prefix)
    count = 0
    faults: list[str] = []
    for part in generation.record.parts:
        if not part.node.tree:
            continue
        findings = store.verify(part.node.tree)
        count += 0 if findings else len(store.entries(part.node.tree))
        name = part.node.name
        faults += [f"{name}: `{f.path or 'its listing'}` is {f.problem}" for f in findings]
    faults += [f"`{name}` is not as it was written" for name in documents.damaged(generation)]
    return count, tuple(faults)


def _vouch(session: Session, archive: Archive) -> tuple[str, ...]:
    found = signatures.decode(archive.signatures_bytes)
    try:
        return envelope.check(archive.manifest_bytes, found, archive.manifest.name, session.pins())
    except TrustError as error:
        if not found:
            error.hint = "ask its publisher for a signed one; `--no-trust` checks the bytes only"
        raise


def _trust(session: Session, archive: Archive) -> str:
    try:
        _vouch(session, archive)
    except TrustError as error:
        return f"not trusted: {error.what}"
    return "by a pinned key; freshness unknown"


def _requires(recipe: Recipe) -> tuple[str, ...]:
    groups = (
        ("", recipe.requires.run),
        (" (build)", recipe.requires.build),
        (" (target)", recipe.requires.target),
    )
    return tuple(
        f"{need.name} {need.version or 'any'}{context}"
        for context, needs in (*groups, ("", recipe.requires.machine))
        for need in needs
    )


def _actions(recipe: Recipe) -> tuple[ActionCard, ...]:
    found = (actions.find(recipe, action.name) for action in recipe.action)
    return tuple(ActionCard(a.name, a.help, a.inputs, a.params, a.outputs) for a in found)


def _components(archive: Archive) -> tuple[str, ...]:
    texts = []
    for identity in archive.components:
        said = archive.component(identity).manifest
        texts.append(f"{said.name} {said.version} ({identity[:16]})")
    return tuple(texts)


def _files(archive: Archive) -> tuple[str, ...]:
    return tuple(
        f"{payload.platform}: {entry.path}"
        for payload in archive.manifest.payloads
        for entry in toc.entries(archive.toc(payload.id))
    )


def _part(part: generations.Part) -> str:
    node = part.node
    where = part.place or ", ".join(file.path for file in node.files)
    where = f"tree {node.tree[:16]}" if node.tree else where
    return f"{node.name} {node.version} ({node.origin}) {where}"
