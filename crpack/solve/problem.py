"""What is asked of the solver and what it answers.

Rules (SPEC SOL-01…):
- A problem is values only: requests, facts, policy, what a lock prefers. The same problem and the
  same offers give the same answer, byte for byte.
- The solver asks for names in waves (`Need`) and is given an `Offer` for each.
- A failure is either proved (`Unsolvable`, exit 3) or honest about not being (`Undecided`).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from crpack import __version__
from crpack.errors import NoSolution
from crpack.index.entries import Release, Shard
from crpack.model import platforms
from crpack.model.facts import Facts, Found
from crpack.model.platforms import Platform
from crpack.solve import wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.solve.conflict import Conflict


Context = Literal["target", "build"]
Origin = Literal["detected", "binary", "source", "virtual"]
YOU = "you"


class Slot(NamedTuple):
    """One variable of the problem: a name in a context."""

    name: str
    context: Context = "target"


@dataclass(frozen=True, slots=True)
class Request:
    """One component that somebody asks for.

    Attributes:
        name: of the component.
        range: of versions; empty admits all.
        options: option and value as text.
        prerelease: pre-releases may serve.
        origin: who asks: `you`, `crpack.lock`, `paper.toml:3`.
    """

    name: str
    range: str = ""
    options: tuple[tuple[str, str], ...] = ()
    prerelease: bool = False
    origin: str = YOU

    def __str__(self) -> str:
        return self.name + self.range


@dataclass(frozen=True, slots=True)
class Policy:
    """How to choose where several would do.

    Attributes:
        prefer: `detected`: what needs least work, within a compatibility line; `newest`: the
            newest version, however it is had; `locked`: what is there already, of a requested
            name too; `lowest`: the oldest version; `made`: detected software only where nothing
            else would do (SOL-06).
        detect: detected software may serve at all.
        only_detected: nothing but detected software may serve a dependency.
    """

    prefer: Literal["detected", "newest", "locked", "lowest", "made"] = "detected"
    detect: bool = True
    only_detected: bool = False


@dataclass(frozen=True, slots=True)
class Preference:
    """What a lock, or an answer for another target, chose for a name.

    Attributes:
        name: of the component.
        version: with its revision; the one to keep.
        revision: of the recipe.
        identity: of the archive; empty for one that is not known.
        index: the index that the name is bound to; empty for none.
        detected: detected software served.
        context: in which it was chosen.
    """

    name: str
    version: str
    revision: int
    identity: str = ""
    index: str = ""
    detected: bool = False
    context: Context = "target"


@dataclass(frozen=True, slots=True)
class Problem:
    """All that an answer depends on, but for the offers.

    Attributes:
        requests: in the user's order.
        facts: of the machine that chooses; results run there if `target` is its platform.
        target: the platform of the results.
        locked: what to keep where it still fits.
        policy: see Policy.
        builds: components may be made from their sources.
        options: what the user sets: component, option, value as text.
        host: facts of the machine that builds; None: the one of `facts`.
        stored: trees that need not be fetched.
        pythons: versions of the interpreters that there are; empty: not known, nothing is checked.
        crpack: version of crpack that will install the answer.
    """

    requests: tuple[Request, ...]
    facts: Facts
    target: Platform
    locked: tuple[Preference, ...] = ()
    policy: Policy = Policy()
    builds: bool = True
    options: tuple[tuple[str, str, str], ...] = ()
    host: Facts | None = None
    stored: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    crpack: str = __version__

    def machine(self, context: Context) -> Facts:
        """Return the facts of the machine where the picks of a context run (SPEC SOL-03)."""
        if context == "build":
            return self.host or self.facts
        if self.facts.platform == str(self.target):
            return self.facts
        floor = {"gnu": "@glibc", "musl": "@musl"}.get(self.target.abi, f"@{self.target.os}")
        known = ((floor, self.target.floor),) if self.target.floor else ()
        return Facts(str(self.target), capabilities=known)

    def platform(self, context: Context) -> Platform:
        """Return the platform of a context's results."""
        return platforms.parse(self.machine(context).platform)


@dataclass(frozen=True, slots=True)
class Need:
    """The solver cannot go on before these names are looked up; sorted, each once."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """What the one index that decides for a name has; no shard: it has nothing.

    `found` is what the machine has of the releases in it, by their own probes (SPEC DAT-01).
    """

    index: str
    shard: Shard | None
    found: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Instead:
    """What would have been installed, had the machine not had it already."""

    version: str
    revision: int
    origin: Origin
    payload: str
    options: tuple[tuple[str, str], ...]
    release: Release


@dataclass(frozen=True, slots=True)
class Pick:
    """How one name is satisfied in one context.

    Attributes:
        name: of the component.
        context: where it runs: with the results, or while they are built.
        version: of the release, or as detected.
        revision: of the recipe.
        identity: of the archive; empty for detected software.
        index: name of the index that offered it.
        origin: how the name is satisfied.
        payload: id, for `binary`.
        options: build options, all of them, as text.
        found: for `detected`.
        range: what all together ask of its version.
        linked: somebody links it.
        instead: for `detected`, where there is one.
        requires: the picks it needs in its own context and what it asks of them.
        tools: those it needs while it is built.
        release: None for detected software.
    """

    name: str
    context: Context
    version: str
    revision: int
    identity: str
    index: str
    origin: Origin
    payload: str = ""
    options: tuple[tuple[str, str], ...] = ()
    found: Found | None = None
    range: str = ""
    linked: bool = False
    instead: Instead | None = None
    requires: tuple[tuple[str, str], ...] = ()
    tools: tuple[tuple[str, str], ...] = ()
    release: Release | None = None

    @property
    def fallback(self) -> str:
        """Where detected software is not there: how else the name is had; empty for not at all."""
        return self.instead.origin if self.instead else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A choice that satisfies everybody; breadth first from the requests."""

    picks: tuple[Pick, ...]

    def pick(self, name: str, context: Context = "target") -> Pick | None:
        """Return the pick of a name, None where there is none."""
        hits = (one for one in self.picks if (one.name, one.context) == (name, context))
        return next(hits, None)


Solving = Generator[Need, Mapping[str, Offer], Answer]


class Unsolvable(NoSolution):
    """It is proved that no choice satisfies the requests.

    Attributes:
        conflict: why, and what would do.
        requests: those in conflict.
        sentences: what is told of the conflict; `why` may say more.
    """

    def __init__(
        self, conflict: Conflict, requests: Iterable[Request] = (), *, rule: str = "SOL-10"
    ) -> None:
        self.conflict = conflict
        self.requests = tuple(requests)
        self.sentences = wording.sentences(conflict)
        super().__init__(
            wording.headline(conflict),
            why=self.sentences,
            hint=wording.hint(conflict),
            data=conflict.table(),
            rule=rule,
        )

    @property
    def tree(self) -> tuple[str, ...]:
        """The same from the requests down, as lines."""
        return wording.tree(self.conflict)
