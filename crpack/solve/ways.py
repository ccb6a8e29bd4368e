"""How a release is had on a machine: as a payload, from its source, or not at all and why.

Rules (SPEC SOL-03, SOL-05):
- Its options are settled first: given values, else defaults.
- A payload with just these options that fits the machine and is carried by some copy serves, else
  the source, if it may be built and some copy or address has it.
- A yanked release serves only who is locked to it; a name is bound to the index of its lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import CrpackError, UsageError
from crpack.model import parameters, platforms, versions
from crpack.model.recipe_document import Context as Resolution
from crpack.solve.candidates import Candidate, Excluded
from crpack.solve.fitting import misfit, runs
from crpack.solve.problem import Context, Slot
from crpack.solve.recipes import Recipes
from crpack.solve.wording import series

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.index.entries import Release
    from crpack.model.facts import Facts
    from crpack.model.manifest import Payload
    from crpack.model.parameters import Parameter
    from crpack.model.recipe import Recipe
    from crpack.solve.candidates import Given
    from crpack.solve.conflict import Code
    from crpack.solve.problem import Problem

FEW = 3  # platforms that are told one by one
_CONTEXTS: tuple[Context, ...] = ("target", "build")


class Ways:
    """The ways to have releases in one problem, each made once.

    Attributes:
        problem: which.
        requested: the slots of its requests.
        locked: what a lock kept, by slot.
        recipes: those that were read.
        ways: of each release of a slot with some options, whoever asks for it.
    """

    def __init__(self, problem: Problem, like: Ways | None = None) -> None:
        """Begin with a problem, and what is known for one that differs in its requests only."""
        self.problem = problem
        self.requested = frozenset(Slot(request.name) for request in problem.requests)
        self.locked = {Slot(one.name, one.context): one for one in problem.locked}
        self.recipes: Recipes = like.recipes if like else Recipes()
        self._bound = {one.name: one.index for one in problem.locked if one.index}
        self._machines = {context: problem.machine(context) for context in _CONTEXTS}
        self._platforms = {
            context: platforms.parse(facts.platform) for context, facts in self._machines.items()
        }
        self._bare = {
            context: self.recipes.on(Resolution(one)) for context, one in self._platforms.items()
        }
        self.ways: dict[tuple[Slot, str, int, Given], Candidate | Excluded] = (
            like.ways if like else {}
        )
        self._rest: dict[tuple[Slot, str, int], Candidate] = {}

    def way(self, slot: Slot, release: Release, given: Given, index: str) -> Candidate | Excluded:
        """Return the one way to have a release with some options, or why there is none.

        Args:
            slot: for which.
            release: of its name.
            given: values of its options, as text; the rest have their defaults.
            index: the index that lists it.
        """
        if barred := self._barred(slot, release, index):
            return barred
        try:
            bare = self._like(slot, release)
            declared = bare.build_options if bare.options else ()
            options: Given = ()
            if declared or given:
                try:
                    options = parameters.settle(declared, dict(given), owner=slot.name)
                except UsageError as error:
                    why = "; ".join((error.what, *error.why))
                    return Excluded(release.version, "option", why)
            key = (slot, release.version, release.revision, options)
            way = self.ways.get(key)
            if way is None:
                way = self.ways[key] = self._built(slot, release, options, declared)
            return way
        except CrpackError as error:
            return Excluded(release.version, "malformed", error.what)

    def rest(
        self, slot: Slot, release: Release, user: Mapping[str, str], index: str
    ) -> Candidate | None:
        """Return what stands for a release with other values of its options; None: there are none.

        Args:
            slot: for which.
            release: of its name.
            user: options that the user sets.
            index: the index that lists it.
        """
        try:
            declared = self._like(slot, release).options
        except CrpackError:
            return None
        declared = tuple(one for one in declared if one.scope == "build") if declared else ()
        if all(one.name in user for one in declared) or self._barred(slot, release, index):
            return None
        key = (slot, release.version, release.revision)
        if key not in self._rest:
            first = self.way(slot, release, tuple(sorted(user.items())), index)
            like = first if isinstance(first, Candidate) else None
            self._rest[key] = Candidate(
                slot, "open", release.version, release, like.options if like else (), declared,
                payload=like.payload if like else None,
            )  # fmt: skip
        return self._rest[key]

    def keeps(self, slot: Slot, release: Release) -> bool:
        """Say whether a release is the one that a lock kept."""
        kept = self.locked.get(slot)
        if kept is None or (kept.version, kept.revision) != (release.version, release.revision):
            return False
        return kept.identity in ("", release.identity)

    def _barred(self, slot: Slot, release: Release, index: str) -> Excluded | None:
        version = release.version
        if release.yanked and not self.keeps(slot, release):
            return Excluded(version, "yanked", f"it is yanked: {release.yanked}")
        bound = self._bound.get(slot.name, index)
        if bound != index:
            return Excluded(version, "bound", f"`{slot.name}` is bound to the index `{bound}`")
        if self.problem.policy.only_detected and slot not in self.requested:
            return Excluded(version, "only-detected", "only detected software may serve")
        return None

    def _built(
        self,
        slot: Slot,
        release: Release,
        options: Given,
        declared: tuple[Parameter, ...],
    ) -> Candidate | Excluded:
        reader = self._bare[slot.context]
        if options:
            reader = self.recipes.on(Resolution(self._platforms[slot.context], options))
        recipe = reader.like(release.recipe, release.parts)
        needs = recipe.package.needs_crpack
        if needs and not versions.parse_range(needs).admits(self.problem.crpack, early=True):
            return Excluded(release.version, "needs-crpack", f"it needs crpack {needs}")
        mine = [payload for payload in release.payloads if payload.options == options]
        machine = self._machines[slot.context]
        fitting = [payload for payload in mine if not misfit(payload, machine)]
        whole = any(copy.kind == "full" for copy in release.copies)
        if fitting and whole:
            best: Payload | None = min(fitting, key=self._cost)
        elif why := self._unbuildable(release, recipe, whole=whole):
            code, told = (not fitting and _misfits(mine, machine)) or why
            return Excluded(release.version, code, told)
        else:
            best = None
        return Candidate(
            slot,
            "binary" if best else "source",
            release.version,
            release,
            options,
            declared,
            payload=best,
            reader=reader,
        )

    def _unbuildable(
        self, release: Release, recipe: Recipe, *, whole: bool
    ) -> tuple[Code, str] | None:
        if recipe.build is None:
            return "no-driver", "its recipe only says how to recognise it"
        if not self.problem.builds:
            return "no-build", "it would have to be made from its source"
        bare = bool(release.payloads) and not release.sources
        if not whole and (bare or not all(source.urls for source in release.sources)):
            return "thin", "the index has only a thin copy of it"
        return None

    def _cost(self, payload: Payload) -> tuple[bool, int, str]:
        return (payload.tree not in self.problem.stored, payload.packed, payload.id)

    def _like(self, slot: Slot, release: Release) -> Recipe:
        return self._bare[slot.context].like(release.recipe, release.parts)


def _misfits(payloads: list[Payload], machine: Facts) -> tuple[Code, str] | None:
    """Return why none of some payloads fits a machine, of one for its platform if there is any."""
    near = next((one for one in payloads if runs(one, machine)), None)
    if near is not None:
        return "floor", misfit(near, machine)
    names = [f"`{name}`" for name in dict.fromkeys(one.platform for one in payloads)]
    more = len(names) - FEW
    shown = names if more <= 0 else [*names[:FEW], f"{more} more platform{'s' * (more > 1)}"]
    return ("platform", f"it is for {series(shown)}") if names else None
