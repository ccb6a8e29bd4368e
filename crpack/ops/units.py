"""What must be made for a payload: results, and which of them need which.

Rules (SPEC RCP-13):
- What is linked in is made for the payload's platform; what runs during the build is made for this
  machine, unless this machine has it and the recipe lets that serve.
- Detected software is linked only where its recipe cannot be built, and for this machine only:
  whether it is a part of the platform is for the audit to say (SPEC AUD-04).
- Options come from the author, else from who needs a component, where it runs or during the build,
  else they are the defaults; two that ask for different values are a conflict (SPEC PRM-05). The
  graph is walked until two walks in a row agree, as on devices, and only the last one's failures
  count.
- What stands in the named folders counts as carried: an optional requirement that is there is used.
Pure: drafts and facts in, makings out.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.errors import CrpackError, NoSolution, UsageError
from crpack.make.drivers.table import DRIVERS
from crpack.model import parameters, recipe_document, versions
from crpack.model.facts import Facts, Found
from crpack.model.platforms import Platform
from crpack.model.recipe import Recipe
from crpack.model.recipe_document import Context
from crpack.ops.drafts import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.model.requirements import Requirement


@dataclass(frozen=True, slots=True)
class Unit:
    """One result: of a component, for a platform, with build options as text."""

    name: str
    target: Platform
    options: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.name} for {self.target.base}"


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that a making needs: a unit, or what this machine has.

    `context` is `build` for what runs during the build and `target` for what is linked in.
    """

    context: Literal["build", "target"]
    name: str
    unit: Unit | None = None
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class Making:
    """How one unit is made: from which draft, its recipe merged for the unit, with what."""

    unit: Unit
    draft: Draft
    recipe: Recipe
    uses: tuple[Use, ...] = ()

    @property
    def needs(self) -> tuple[Unit, ...]:
        """The units that are made before it."""
        return tuple(use.unit for use in self.uses if use.unit is not None)


@dataclass(frozen=True, slots=True)
class Ground:
    """What makings are planned on: a closure, this machine's platform and its facts."""

    drafts: tuple[Draft, ...]
    here: Platform
    facts: Facts


def is_any(recipe: Recipe) -> bool:
    """Say whether a recipe's result is the same on every platform (SPEC RCP-04)."""
    build = recipe.build
    return build is not None and (build.platform == "any" or not DRIVERS[build.driver].runs)


_YOU = "you"  # who asks for what the author wants
Place = tuple[str, Platform]  # a component, made for a platform
Asked = dict[Place, dict[str, tuple[str, str]]]  # option: value, and who asks for it


def asked(
    ground: Ground, name: str, target: Platform, wishes: tuple[tuple[str, str, str], ...] = ()
) -> Asked:
    """Return the options that are asked of what a component needs where it runs (SPEC RCP-13).

    Args:
        ground: what it is planned on.
        name: of the component.
        target: platform of its payloads.
        wishes: of the author: component (empty for this one), option, value as text.

    Raises:
        NoSolution: two components ask one for different options, or for one that is none.
        UsageError: an unknown component or option, or a value that does not fit.
    """
    walk = _Walk(ground, {}, {})
    for whose, option, value in wishes:
        walk.wish(whose or name, target, option, value)
    return _settled(ground, name, walk.asked, lambda walk: walk.reach(name, target)).asked


def plan(
    ground: Ground, name: str, target: Platform, given: Asked | None = None
) -> tuple[Making, ...]:
    """Return what is made for one payload, each after what it needs; the payload's own last.

    Args:
        ground: what it is planned on.
        name: of the component.
        target: platform of the payload.
        given: the options that its closure asks for.

    Raises:
        NoSolution: something that is needed can neither be made nor was found, or two components
            ask one for different options.
        UsageError: an option that is none, or a value that does not fit.
    """
    walk = _settled(ground, name, given or {}, lambda walk: walk.visit(name, target))
    return tuple(walk.makings.values())


def _settled(ground: Ground, name: str, first: Asked, go: Callable[[_Walk], object]) -> _Walk:
    """Walk until two walks in a row agree; return the last one."""
    given = first
    for _ in range(2 * len(ground.drafts) + 2):
        walk = _Walk(ground, first, given)
        go(walk)
        if walk.asked == given:
            for failure in walk.failures:
                raise failure
            return walk
        given = walk.asked
    raise NoSolution(f"the options of what `{name}` needs depend on one another in a circle")


class _Walk:
    """One walk over the graph, with the options that the walk before it asked for."""

    def __init__(self, ground: Ground, first: Asked, given: Asked) -> None:
        self.ground = ground
        self.drafts = {draft.name: draft for draft in ground.drafts}
        self.given = given
        self.asked: Asked = {place: dict(values) for place, values in first.items()}
        self.makings: dict[Place, Making] = {}
        self.reached: set[str] = set()
        self.failures: list[CrpackError] = []

    def wish(self, name: str, target: Platform, option: str, value: str) -> None:
        """Ask for what the author wants, wherever the component is made."""
        if name not in self.drafts:
            what = f"there is no component `{name}` here"
            raise parameters.unknown(name, tuple(self.drafts), what)
        known = tuple(one.name for one in self.drafts[name].recipe.build_options)
        if option not in known:
            raise parameters.unknown(option, known, f"`{name}` has no option `{option}`")
        for platform in (target, self.ground.here):
            place = self._place(name, platform)
            self.asked.setdefault(place, {})[option] = value, _YOU

    def reach(self, name: str, target: Platform) -> None:
        """Ask what a component asks of all that it needs where it runs, however that is had."""
        if name in self.reached:
            return
        self.reached.add(name)
        recipe = self._resolved(self._place(name, target), target)
        if recipe.build is None:
            return  # it is had as detected, with what it needs
        for need in (*recipe.requires.run, *recipe.requires.target):
            if need.name in self.drafts:
                with self._noted():
                    self._ask(need, target, name)
                    self.reach(need.name, target)

    def visit(self, name: str, target: Platform) -> Unit:
        """Plan one unit and, before it, what it needs."""
        place = self._place(name, target)
        if place not in self.makings:
            recipe = self._resolved(place, place[1])
            uses: list[Use | None] = []
            for need in recipe.requires.build:
                with self._noted():
                    uses.append(self._tool(need, name))
            for need in recipe.requires.target:
                with self._noted():
                    uses.append(self._library(need, name, place[1]))
            unit = Unit(*place, self._options(place))
            kept = tuple(use for use in uses if use is not None)
            self.makings[place] = Making(unit, self.drafts[name], recipe, kept)
        return self.makings[place].unit

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Keep a failure for the end: another walk may not come to it."""
        try:
            yield
        except (NoSolution, UsageError) as error:
            self.failures.append(error)

    def _place(self, name: str, target: Platform) -> Place:
        return name, self.ground.here if is_any(self.drafts[name].recipe) else target

    def _resolved(self, place: Place, platform: Platform) -> Recipe:
        context = Context(platform, self._options(place))
        return recipe_document.resolve(self.drafts[place[0]].document, context)

    def _options(self, place: Place) -> tuple[tuple[str, str], ...]:
        given = {option: value for option, (value, _) in self.given.get(place, {}).items()}
        declared = self.drafts[place[0]].recipe.build_options
        return parameters.settle(declared, given, owner=place[0])

    def _tool(self, need: Requirement, by: str) -> Use | None:
        """Use what this machine has, where it serves; else make the tool for this machine."""
        if need.name not in self.drafts:
            return None  # optional, or the closure would have told
        self._ask(need, self.ground.here, by)
        found = self._detected(need)
        if found is not None:
            return Use("build", need.name, found=found)
        if self.drafts[need.name].recipe.build is None:
            if need.optional:
                return None
            raise NoSolution(
                f"`{by}` needs `{need.name}` {need.version}".rstrip() + " to be built",
                why=["this machine has none that serves, and its recipe has no `[build]` table"],
                hint=f"install `{need.name}` by your system's means, so that it is detected",
            )
        return Use("build", need.name, self.visit(need.name, self.ground.here))

    def _library(self, need: Requirement, by: str, target: Platform) -> Use | None:
        """Make what is linked in for the target."""
        if need.name not in self.drafts:
            return None
        self._ask(need, target, by)
        if self.drafts[need.name].recipe.build is not None:
            return Use("target", need.name, self.visit(need.name, target))
        found = self._detected(need) if target.base == self.ground.here.base else None
        if found is not None:
            return Use("target", need.name, found=found)
        if need.optional:
            return None
        raise NoSolution(
            f"`{by}` links `{need.name}`, which cannot be made for `{target.base}`",
            why=["its recipe has no `[build]` table"],
            hint=f"name a folder with a recipe that builds `{need.name}`: `--with FOLDER`",
        )

    def _ask(self, need: Requirement, target: Platform, by: str) -> None:
        place = self._place(need.name, target)
        known = {option.name for option in self.drafts[need.name].recipe.build_options}
        for option, value in need.options:
            if option not in known:
                what = f"`{need.name}` has no option `{option}`, and `{by}` asks for it"
                raise NoSolution(what, rule="PRM-05")
            have = self.asked.setdefault(place, {}).setdefault(option, (value, f"`{by}`"))
            if have[0] != value and have[1] != _YOU:
                raise NoSolution(
                    f"two components ask for different values of `{need.name}.{option}`",
                    why=[f"{have[1]} asks for `{have[0]}`", f"`{by}` asks for `{value}`"],
                    hint=f"decide: `--option {need.name}.{option}=VALUE`",
                    rule="PRM-05",
                )

    def _detected(self, need: Requirement) -> Found | None:
        if need.external == "forbid":
            return None
        wanted = versions.parse_range(need.version)
        options = self._options((need.name, self.ground.here))
        for found in self.ground.facts.all(need.name):
            if found.runnable and wanted.admits(found.version) and found.suits(options):
                return found
        return None
