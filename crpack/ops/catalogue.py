"""What indexes say of names: searching, one name's card, what is outdated.

Rules: nothing is downloaded but pieces of the index; what is told is the index's word, signed by
its owner, and says which index and of what date.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from crpack.errors import CrpackError, NoSolution
from crpack.install import generations, state
from crpack.model import names, parameters, recipe_document, versions
from crpack.ops import indexes

if TYPE_CHECKING:
    from crpack.index.entries import Release
    from crpack.session import Session

_NEAR = 2000  # names of one index that are compared with a wrong one


@dataclass(frozen=True, slots=True)
class Hit:
    """One name that a search found; `installed` is the version here, empty for none."""

    name: str
    kind: str
    version: str
    summary: str
    index: str
    installed: str


@dataclass(frozen=True, slots=True)
class ListedRelease:
    """One release as an index lists it; `platforms` are those that it carries results for."""

    version: str
    revision: int
    date: str
    identity: str
    platforms: tuple[str, ...]
    bytes: int
    yanked: str


@dataclass(frozen=True, slots=True)
class NameCard:
    """What an index says of a name.

    Attributes:
        requires, python, options: of the newest release, as people read them.
        publishers: labels of the keys that may sign it.
        index, date: which index says it, and as of when.
        releases: newest first.
    """

    name: str
    kind: str
    summary: str
    license: str
    authors: tuple[str, ...]
    homepage: str
    paper: str
    requires: tuple[str, ...]
    python: tuple[str, ...]
    options: tuple[str, ...]
    publishers: tuple[str, ...]
    index: str
    date: str
    releases: tuple[ListedRelease, ...]


@dataclass(frozen=True, slots=True)
class Outdated:
    """An installed solution and the newest release that its index has."""

    name: str
    version: str
    newest: str
    index: str


def search(session: Session, words: tuple[str, ...]) -> tuple[Hit, ...]:
    """Return what the indexes have under all of these words; the first index of a name counts.

    Raises:
        FetchError, TrustError: an index cannot be read.
    """
    here = {item.name: item.version for item in state.installed(session.prefix)}
    hits: dict[str, Hit] = {}
    for index in indexes.opened(session).opened:
        for card in index.search(words):
            hit = Hit(
                name=card.name,
                kind=card.kind,
                version=card.version,
                summary=card.summary,
                index=index.name,
                installed=here.get(card.name, ""),
            )
            hits.setdefault(card.name, hit)
    return tuple(hits.values())


def card(session: Session, name: str) -> NameCard:
    """Return what the index that decides for a name says of it.

    Raises:
        UsageError: it is not a name.
        NoSolution: no index has it.
        FetchError, TrustError: an index cannot be read.
    """
    names.check_name(name)
    asked = indexes.opened(session)
    offer = asked.offers([name])[name]
    if offer.shard is None or not offer.shard.releases:
        raise missing(asked, name)
    index = asked.named(offer.index)
    newest = next((r for r in offer.shard.releases if not r.yanked), offer.shard.releases[0])
    recipe = recipe_document.open_json(newest.recipe)
    package = recipe.package
    return NameCard(
        name=name,
        kind=package.kind,
        summary=package.summary,
        license=package.license,
        authors=package.authors,
        homepage=package.homepage,
        paper=package.paper,
        requires=tuple(
            f"{need.name} {need.version or 'any'}"
            for need in (*recipe.requires.run, *recipe.requires.machine)
        ),
        python=recipe.python.requires,
        options=tuple(_option(option) for option in recipe.options),
        publishers=tuple(pin.label or pin.keyid[:16] for pin in index.publishers.pins_for(name)),
        index=index.name,
        date=index.date,
        releases=tuple(_release(release) for release in offer.shard.releases),
    )


def outdated(session: Session) -> tuple[Outdated, ...]:
    """Return the installed solutions that their index has a newer release of.

    Raises:
        FetchError, TrustError: an index cannot be read.
    """
    here = state.installed(session.prefix)
    bound = {item.name: _index_of(session, item.name) for item in here if not item.damage}
    asked = indexes.opened(session, {name: index for name, index in bound.items() if index})
    known = {"", *(index.name for index in asked.opened)}
    offers = asked.offers([name for name, index in bound.items() if index in known])
    found = []
    for item in here:
        if item.name not in offers:
            continue
        shard = offers[item.name].shard
        newest = next((r.version for r in shard.releases if _counts(r)), "") if shard else ""
        if newest and item.version and versions.parse(newest) > versions.parse(item.version):
            found.append(Outdated(item.name, item.version, newest, offers[item.name].index))
    return tuple(found)


def _index_of(session: Session, name: str) -> str | None:
    """Return the index that an installed solution is bound to; None for one not trusted here.

    It is empty for what came from a file.
    """
    lock = indexes.installed(session, name)
    try:
        rows = indexes.in_own_words(session, lock).package if lock else ()
    except NoSolution:
        return None
    return next((row.index for row in rows if row.name == name), "")


def _alike(one: str, other: str) -> bool:
    """Say whether names are near enough that comparing them letter by letter is worth it."""
    return abs(len(one) - len(other)) <= 3 and len(set(one) ^ set(other)) <= 4


def missing(asked: indexes.Indexes, name: str) -> NoSolution:
    """Return the error for a name that no index has, with the nearest one that some has."""
    known: list[str] = []
    for index in asked.opened:
        try:
            known += islice((c.name for c in index.cards() if _alike(c.name, name)), _NEAR)
        except CrpackError:  # a hint is not worth a failure
            continue
    import difflib

    close = difflib.get_close_matches(name, known, 1)
    said = ", ".join(indexes.age(index) for index in asked.opened) or "no index"
    return NoSolution(
        f"there is no `{name}`",
        why=[f"looked in {said}"],
        hint=f"did you mean `{close[0]}`?" if close else "look with `crpack search WORD`",
        data={"name": name},
    )


@dataclass(frozen=True, slots=True)
class Branch:
    """One component in the tree of what needs what (SPEC CLI-07).

    Attributes:
        depth: 0 for the solution; what a component needs follows it, one deeper.
        name: of the component.
        version: as it is installed; empty for what is not.
        revision: of the release.
        origin: `binary`, `source` or `detected`; empty for what is not installed.
        range: what the one above asks of its version.
        again: what it needs stands in the tree already.
    """

    depth: int
    name: str
    version: str
    revision: int
    origin: str
    range: str
    again: bool

    def __str__(self) -> str:
        label = f"{self.version}-{self.revision}" if self.revision else self.version
        text = f"{self.name} {label} ({self.origin})" if label else f"{self.name} (not here)"
        return "  " * self.depth + text + (", as above" if self.again else "")


def required(session: Session, name: str) -> tuple[Branch, ...]:
    """Return the tree of what an installed solution consists of, depth first.

    Raises:
        InstallError: it is not installed, or damaged.
    """
    from crpack.install import documents
    from crpack.model import lock as locks

    generation = generations.current(session.prefix, name)
    locked = {p.name: p for p in locks.decode(documents.lock(generation)).package}
    parts = {part.node.name: part.node for part in generation.record.parts}
    tree: list[Branch] = []
    shown: set[str] = set()
    waiting = [(name, 0, "")]
    while waiting:
        one, depth, wanted = waiting.pop()
        node = parts.get(one)
        said = (node.version, node.revision, node.origin) if node else ("", 0, "")
        needs = locked[one].requires if one in locked else ()
        again = one in shown and bool(needs)
        tree.append(Branch(depth, one, *said, wanted, again))
        if not again:
            shown.add(one)
            waiting += [(need, depth + 1, text) for need, text in reversed(needs)]
    return tuple(tree)


def _option(option: parameters.Parameter) -> str:
    values = "|".join(option.values) or option.type
    return f"{option.name}={values} [{option.default}] {option.help}".rstrip()


def _release(release: Release) -> ListedRelease:
    return ListedRelease(
        version=release.version,
        revision=release.revision,
        date=release.date,
        identity=release.identity,
        platforms=tuple(dict.fromkeys(payload.platform for payload in release.payloads)),
        bytes=release.copies[0].size if release.copies else 0,
        yanked=release.yanked,
    )


def _counts(release: Release) -> bool:
    return not release.yanked and not versions.parse(release.version).is_prerelease
