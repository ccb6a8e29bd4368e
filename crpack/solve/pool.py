"""The pool: all that is known of a problem, and the one place that judges edges.

Rules (SPEC SOL-04, SOL-05):
- An option that the user sets has that value whoever asks otherwise; any other value must be what
  every asker asks, and the default where nobody does.
- A pre-release needs somebody who asks for one; so does software of the machine that shall serve
  for a requested name.
- Candidates and edges are made once, so the order in which names were looked up changes nothing.
- Every comparison is counted, whoever makes it, and so is every name (SPEC SOL-08): what a stranger
  lists may cost seconds, never more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import Undecided, UsageError
from crpack.model import canonical, parameters, versions
from crpack.model.capabilities import is_capability
from crpack.solve.candidates import PYTHON, Candidate, Edge, Excluded, Unloaded
from crpack.solve.fitting import enough
from crpack.solve.problem import Slot
from crpack.solve.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crpack.index.entries import Release
    from crpack.model.facts import Found
    from crpack.model.requirements import Requirement
    from crpack.solve.candidates import Given, Use
    from crpack.solve.problem import Context, Offer, Problem

MAX_NAMES = 20_000  # names that one problem may lead to
MAX_WORK = 30_000_000  # comparisons, and clauses that are visited, in one pool


class Spent(Exception):  # noqa: N818 - a signal
    """The comparisons of a pool are used up."""


class Pool:
    """Everything that is known of the problem: offers, candidates, edges."""

    def __init__(self, problem: Problem, like: Pool | None = None, work: float = MAX_WORK) -> None:
        """Begin with a problem, and what is known for a like one with other requests.

        Args:
            problem: what is to be solved.
            like: of the one with other requests.
            work: comparisons until `Spent` is raised.
        """
        self.problem = problem
        self.work = work
        self.offers: dict[str, Offer] = {}
        self.user = _user_options(problem)
        self.roots = tuple(
            Edge(Slot(request.name), number, request.range, request.options)
            for number, request in enumerate(problem.requests)
        )
        self.ways: Ways = Ways(problem, like.ways if like else None)
        self.requested, self.locked = self.ways.requested, self.ways.locked
        self._absent: dict[Slot, Candidate] = {}
        self._found: dict[Slot, tuple[Candidate, ...]] = {}
        self._made: dict[tuple[Slot, Given], tuple[tuple[Candidate, ...], list[Excluded]]] = {}
        self._edges: dict[Candidate, tuple[Edge, ...]] = {}
        self._fits: dict[tuple[str, str, bool], bool] = {}
        self._early: dict[Slot, bool] = {}
        self._providers: dict[str, dict[tuple[str, str], None]] = {}
        self._virtual: dict[tuple[Slot, str, str], Candidate] = {}
        if like is not None:
            self.take(like.offers)

    def take(self, offers: Mapping[str, Offer]) -> tuple[str, ...]:
        """Add what was looked up; return the names that components in it provide.

        Raises:
            Undecided: there are more of them than `MAX_NAMES`.
        """
        self.offers.update(offers)
        if len(self.offers) > MAX_NAMES:
            raise Undecided(
                "what is asked for leads to too many components",
                why=[f"more than {MAX_NAMES} names were looked up"],
                hint="ask for less at once, or ask the owner of the index",
                rule="SOL-08",
            )
        fresh: dict[str, None] = {}
        for name in sorted(offers):
            for release in self.releases(name):
                for pair in _provided(release):
                    self._providers.setdefault(pair[0], {})[name, pair[1]] = None
                    fresh[pair[0]] = None
        return tuple(fresh)

    def lacking(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those names that must be looked up, sorted."""
        return tuple(sorted({n for n in names if n not in self.offers and n[:1] != "@"}))

    def releases(self, name: str) -> tuple[Release, ...]:
        """Return every release of a name, newest first.

        Raises:
            Unloaded: the name was not looked up.
        """
        if name[:1] == "@":  # of the machine, in no index
            return ()
        if name not in self.offers:
            raise Unloaded(name)
        shard = self.offers[name].shard
        return shard.releases if shard else ()

    def had(self, slot: Slot) -> tuple[Found, ...]:
        """Return what was found of a name on the slot's machine, usable or not.

        Raises:
            Unloaded: the name was not looked up.
        """
        if slot.name not in self.offers:
            raise Unloaded(slot.name)
        machine = self.problem.machine(slot.context)
        return (*machine.all(slot.name), *self.offers[slot.name].found)

    def absent(self, slot: Slot) -> Candidate:
        """Return the candidate of a slot that is not there."""
        return self._absent.setdefault(slot, Candidate(slot, "absent"))

    def found(self, slot: Slot) -> tuple[Candidate, ...]:
        """Return what the slot's machine has, the preferred one first, then what provides it."""
        if slot not in self._found:
            self._found[slot] = tuple(self._detected(slot))
        provided = self._providers.get(slot.name, {})
        return (*self._found[slot], *(self._provides(slot, *pair) for pair in provided))

    def made(self, slot: Slot, given: Given) -> tuple[Candidate, ...]:
        """Return the releases of a slot with some options given, newest first.

        Raises:
            Unloaded: the name was not looked up.
        """
        return self._rows(slot, given)[0]

    def excluded(self, slot: Slot, given: Given = ()) -> tuple[Excluded, ...]:
        """Return the releases that `made` leaves out, newest first."""
        return tuple(self._rows(slot, given)[1])

    def edges(self, candidate: Candidate) -> tuple[Edge, ...]:
        """Return what a candidate asks, in the order of its recipe (SPEC SOL-04)."""
        if candidate not in self._edges:
            self._edges[candidate] = tuple(self._asked(candidate))
        return self._edges[candidate]

    def leading_to(self, slot: Slot) -> tuple[Edge, ...]:
        """Return all that was ever seen to be asked of a slot: by requests, then by candidates."""
        every = (*self.roots, *(edge for edges in self._edges.values() for edge in edges))
        return tuple(edge for edge in every if edge.slot == slot)

    def admits(self, edge: Edge, candidate: Candidate) -> bool:
        """Say whether a candidate may serve where an edge leads to (SPEC SOL-04).

        Raises:
            Spent: see `work`.
        """
        self.spend(1)
        if candidate.origin == "absent":
            return edge.mode != "need"
        if edge.mode == "avoid":
            if candidate.origin == "virtual":
                return True
            return bool(edge.range.strip()) and not self._in_range(edge.range, candidate)
        if edge.serves is not None:
            return candidate.recipe is not None and edge.serves in candidate.recipe.provides
        if candidate.found is not None and not _serves(candidate.found, edge):
            return False
        if not self._in_range(edge.range, candidate):
            return False
        return not candidate.made or self._has_options(edge, candidate)

    def spend(self, work: int) -> None:
        """Count comparisons, or what costs about as much.

        Raises:
            Spent: there were too many.
        """
        self.work -= work
        if self.work < 0:
            raise Spent

    def early(self, slot: Slot) -> bool:
        """Say whether pre-releases of a slot may serve whoever asks for it (SPEC SOL-05)."""
        if slot not in self._early:
            self._early[slot] = slot in self.requested and self._nothing_else(slot)
        return self._early[slot]

    def supported(self, candidate: Candidate, edges: Iterable[Edge]) -> bool:
        """Say whether somebody asked for a pre-release, or preferred the user's own software.

        See SPEC SOL-04 and SOL-05.
        """
        if candidate.origin == "detected" and candidate.slot in self.requested:
            return any(edge.external == "prefer" for edge in edges)
        if not candidate.made or not candidate.order.is_prerelease:
            return True
        if self.early(candidate.slot) or self.keeps(candidate):
            return True
        return any(edge.mode != "avoid" and edge.range.strip() for edge in edges)

    def settled(self, candidate: Candidate, edges: Iterable[Edge]) -> bool:
        """Say whether a candidate's options are those that its askers leave it (SPEC SOL-04)."""
        if not candidate.made:
            return True
        given = {o: v for edge in edges if edge.mode != "avoid" for o, v in edge.options}
        given |= self.user.get(candidate.slot.name, {})
        if not given and not candidate.declared:
            return not candidate.options
        try:
            owner = candidate.slot.name
            return parameters.settle(candidate.declared, given, owner=owner) == candidate.options
        except UsageError:
            return False

    def plain(self, candidate: Candidate) -> Given:
        """Return the options that a candidate's release has where nobody asks for any."""
        user = self.user.get(candidate.slot.name, {})
        texts = ((o, user.get(o.name, o.default)) for o in candidate.declared)
        return tuple(
            (option.name, parameters.to_text(parameters.from_text(option, text)))
            for option, text in texts
            if text is not None
        )

    def given(self, slot: Slot, edges: Iterable[Edge]) -> Given:
        """Return the option values that edges ask of a slot; of several the first one."""
        values = dict(self.user.get(slot.name, {}))
        for edge in edges:
            if edge.mode != "avoid":
                for option, value in edge.options:
                    values.setdefault(option, value)
        return tuple(sorted(values.items()))

    def keeps(self, candidate: Candidate) -> bool:
        """Say whether a candidate is the release that a lock kept."""
        release = candidate.release
        return release is not None and self.ways.keeps(candidate.slot, release)

    def _rows(self, slot: Slot, given: Given) -> tuple[tuple[Candidate, ...], list[Excluded]]:
        key = (slot, given)
        if key not in self._made:
            out: list[Excluded] = []
            kept = []
            for release in self.releases(slot.name):
                way = self.ways.way(slot, release, given, self.offers[slot.name].index)
                if isinstance(way, Candidate):
                    kept.append(way)
                else:
                    out.append(way)
            self._made[key] = (tuple(kept), out)
        return self._made[key]

    def _detected(self, slot: Slot) -> Iterable[Candidate]:
        if slot.name == PYTHON:
            for version in dict.fromkeys(self.problem.pythons):
                if versions.is_version(version):
                    yield Candidate(slot, "virtual", version)
            return
        if is_capability(slot.name):
            have = self.problem.machine(slot.context).capability(slot.name)
            if have:
                yield Candidate(slot, "virtual", have if versions.is_version(have) else None)
            return
        if not self.problem.policy.detect:
            return
        for found in self.had(slot):
            if found.runnable and found.version and versions.is_version(found.version):
                yield Candidate(slot, "detected", found.version, found=found)

    def _provides(self, slot: Slot, provider: str, version: str) -> Candidate:
        key = (slot, provider, version)
        if key not in self._virtual:
            one = Candidate(slot, "virtual", version or None)
            self._virtual[key] = one
            serves = (slot.name, version)
            self._edges[one] = (Edge(Slot(provider, slot.context), one, serves=serves),)
        return self._virtual[key]

    def _asked(self, candidate: Candidate) -> Iterable[Edge]:
        recipe, context = candidate.recipe, candidate.slot.context
        if recipe is None:
            return
        for name, text in (*recipe.conflicts, *recipe.replaces):
            yield Edge(Slot(name, context), candidate, text, mode="avoid")
        requires = recipe.requires
        for need in requires.run:
            yield _edge(candidate, need, context, "run")
        for need in requires.target:  # a payload is linked already: it only loads them
            yield _edge(candidate, need, context, "link" if candidate.origin == "source" else "run")
        if candidate.origin == "source":
            for need in requires.build:
                yield _edge(candidate, need, "build", "tool")
        for need in requires.machine:
            yield Edge(Slot(need.name, context), candidate, need.version)
        if recipe.python.python and self.problem.pythons and context == "target":
            yield Edge(Slot(PYTHON), candidate, recipe.python.python)

    def _in_range(self, text: str, candidate: Candidate) -> bool:
        if is_capability(candidate.slot.name):
            return enough(candidate.slot.name, text, self.problem.machine(candidate.slot.context))
        if candidate.version is None:
            return candidate.origin == "virtual" and not text.strip()
        early = candidate.made and self.early(candidate.slot)
        key = (text, candidate.version, early)
        if key not in self._fits:
            fits = versions.parse_range(text).admits(candidate.version, early=early)
            self._fits[key] = fits
        return self._fits[key]

    def _has_options(self, edge: Edge, candidate: Candidate) -> bool:
        declared = {option.name: option for option in candidate.declared}
        have, user = dict(candidate.options), self.user.get(candidate.slot.name, {})
        for option, value in edge.options:
            if option not in declared:
                return False
            if option in user:
                continue
            try:
                text = parameters.to_text(parameters.from_text(declared[option], value))
            except UsageError:
                return False
            if text != have.get(option) and candidate.origin != "open":
                return False
        return True

    def _nothing_else(self, slot: Slot) -> bool:
        mine = [request for request in self.problem.requests if request.name == slot.name]
        if any(request.prerelease for request in mine):
            return True
        ranges = [versions.parse_range(request.range) for request in mine]
        return not any(
            not release.yanked
            and not versions.parse(release.version).is_prerelease
            and all(wanted.admits(release.version) for wanted in ranges)
            for release in self.releases(slot.name)
        )


def _serves(found: Found, edge: Edge) -> bool:
    """Say whether what was found is of the kind that an edge asks for (SPEC SOL-04)."""
    if edge.external == "forbid" or (edge.use == "link" and not found.linkable):
        return False
    return found.suits(edge.options)


def _edge(candidate: Candidate, need: Requirement, context: Context, use: Use) -> Edge:
    return Edge(
        Slot(need.name, context),
        candidate,
        need.version,
        need.options,
        need.external,
        "wish" if need.optional else "need",
        use,
    )


def _user_options(problem: Problem) -> dict[str, dict[str, str]]:
    """Return what the user sets, by component and option."""
    found: dict[str, dict[str, str]] = {}
    rows = [(r.name, o, v) for r in problem.requests for o, v in r.options]
    for name, option, value in (*problem.options, *rows):
        have = found.setdefault(name, {}).setdefault(option, value)
        if have != value:
            raise UsageError(
                f"`{name}.{option}` is asked to be `{have}` and `{value}`", rule="PRM-05"
            )
    return found


def _provided(release: Release) -> tuple[tuple[str, str], ...]:
    """Return each name and version that a release provides, on whatever machine."""
    if b'"provides"' not in release.recipe:
        return ()
    table = canonical.decode(release.recipe, what="recipe.json")
    blocks = [table, *table.get("when", [])]
    return tuple(pair for block in blocks for pair in sorted(block.get("provides", {}).items()))
