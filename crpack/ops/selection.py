"""Choosing how each component of an archive's closure is satisfied on one machine.

Rules (SPEC PRM-05):
- The closure has one version of each name, so there is nothing to search: every requirement is
  checked against it, and one that it does not meet is told with both sides.
- Options and detected versions depend on who requires what, and that on options: the graph is
  walked until two walks in a row agree, and only the last one's failures count.
- Option values come from the user, else from who requires the component, else its default; two
  askers with different values are a conflict.
- The requested component comes from its archive. What it requires is taken as detected, else as
  a payload that fits this machine, else made from its source.
- Where results are for another machine, tools of builds are chosen for this one (SPEC ELS-02).
Pure: facts and components in, choices out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.archive.reader import Archive
from crpack.errors import ArchiveError, CrpackError, NoSolution, UsageError
from crpack.model import parameters, platforms, recipe_document, versions
from crpack.model.facts import Found
from crpack.model.manifest import Payload, payload_member, source_member
from crpack.model.recipe import Recipe
from crpack.model.recipe_document import Context
from crpack.solve import fitting
from crpack.solve.problem import Context as SlotContext
from crpack.solve.problem import Slot

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from crpack.model.facts import Facts
    from crpack.model.requirements import Requirement
    from crpack.solve.candidates import Use


@dataclass(frozen=True, slots=True)
class Component:
    """One component as an archive carries it, its signatures judged.

    Attributes:
        archive: open; its manifest is believed.
        recipe: the base of its recipe.
        signers: ids of the pinned keys that vouch for it; empty for one taken unsigned.
        trusted: one of them may build here in any sandbox.
    """

    archive: Archive
    recipe: Recipe
    signers: tuple[str, ...]
    trusted: bool = False

    @property
    def name(self) -> str:
        """The component's name."""
        return self.recipe.package.name


@dataclass(frozen=True, slots=True)
class Choice:
    """How one name is satisfied.

    Attributes:
        component: which; its recipe's base; None for detected software that no archive brings.
        recipe: merged for this machine and these options.
        options: build options, name and value as text.
        origin: `detected`, `binary` or `source`.
        payload: for `binary`.
        found: for `detected`.
        range: the versions asked for, by all; empty for the requested component.
        linked: somebody links it.
        instead: for `detected`: what would be installed without it, and how; empty for nothing.
        context: `target`; `build` for a tool that runs here while results are for elsewhere.
    """

    component: Component | None
    recipe: Recipe
    options: tuple[tuple[str, str], ...]
    origin: Literal["detected", "binary", "source"]
    payload: Payload | None = None
    found: Found | None = None
    range: str = ""
    linked: bool = False
    instead: str = ""
    context: SlotContext = "target"

    @property
    def slot(self) -> Slot:
        """The variable that it is the choice for."""
        return Slot(self.name, self.context)

    @property
    def name(self) -> str:
        """The component's name."""
        return self.recipe.package.name

    @property
    def signers(self) -> tuple[str, ...]:
        """Ids of the keys that vouch for its archive."""
        return self.component.signers if self.component else ()

    @property
    def trusted(self) -> bool:
        """Its signer may build here in any sandbox."""
        return self.component is not None and self.component.trusted

    @property
    def unsigned(self) -> bool:
        """Nobody vouches for the archive that it comes from."""
        return self.component is not None and not self.component.signers

    @property
    def archive(self) -> Archive:
        """The archive that it comes from; every choice but a detected one has it."""
        if self.component is None:
            raise ArchiveError(f"there is no archive of `{self.name}`")
        return self.component.archive


def choose(
    root: Component,
    others: Mapping[str, Component],
    facts: Facts,
    options: Mapping[str, Mapping[str, str]],
    maker: Facts | None = None,
) -> tuple[Choice, ...]:
    """Return a choice for the root and all it needs here, each after what it needs.

    Args:
        root: the requested component.
        others: the rest of its closure, by name.
        facts: of the machine that results run on, with what was found on it.
        options: what the user asked for: component, option, value as text.
        maker: facts of the machine that makes them, where it is another one.

    Raises:
        NoSolution: the closure does not meet a requirement, or options conflict.
        UsageError: an unknown component or option, or a value that does not fit.
    """
    known = {**others, root.name: root}
    for name in options:
        if name not in known:
            raise parameters.unknown(name, tuple(known), f"there is no component `{name}` here")
    machines: Machines = {"target": facts, "build": maker} if maker else {"target": facts}
    asked: Asked = {
        Slot(name, context): {o: (v, "you") for o, v in values.items()}
        for name, values in options.items()
        for context in machines
    }
    needs: Needs = {}
    for _ in range(2 * len(machines) * len(known) + 2):
        walk = _Walk(known, machines, asked, needs)
        walk.visit(root, "target", ())
        if (walk.asked, walk.needs) == (asked, needs):
            for failure in walk.failures:
                raise failure
            return tuple(walk.choices.values())
        asked, needs = walk.asked, walk.needs
    raise NoSolution("the options of this closure depend on one another in a circle")


Asked = dict[Slot, dict[str, tuple[str, str]]]  # option: value, and who asks for it
Need = tuple["Requirement", bool]  # and whether it is linked
Needs = dict[Slot, dict[Need, None]]  # what is required of it, in order
Machines = dict[SlotContext, "Facts"]  # one for all, or one for tools too


class _Walk:
    """One walk over the graph, with what the walk before it asked for and required."""

    def __init__(
        self, known: Mapping[str, Component], machines: Machines, asked: Asked, needs: Needs
    ) -> None:
        self.known = known
        self.machines = machines
        self.given = asked
        self.demands = needs
        self.asked: Asked = {
            slot: {o: pair for o, pair in values.items() if pair[1] == "you"}
            for slot, values in asked.items()
        }
        self.needs: Needs = {}
        self.choices: dict[Slot, Choice] = {}
        self.failures: list[CrpackError] = []

    def visit(self, component: Component, context: SlotContext, above: tuple[Slot, ...]) -> None:
        """Choose for a component and, before it, for what it needs."""
        slot = Slot(component.name, context)
        if slot in above:
            circle = " → ".join(one.name for one in [*above[above.index(slot) :], slot])
            raise NoSolution("components require one another in a circle", why=[circle])
        if slot in self.choices:
            return
        choice = self._choose(component, slot)
        if choice.origin != "detected":
            try:
                fitting.check_machine(slot.name, choice.recipe.requires, self.machines[context])
            except NoSolution as error:
                self.failures.append(error)
            for inner, use in _needs(choice):
                there: SlotContext = "build" if use == "tool" and self.crossing else context
                try:
                    self._need(inner, there, (*above, slot), linked=use == "link")
                except (NoSolution, UsageError) as error:
                    self.failures.append(error)
        self.choices[slot] = choice

    @property
    def crossing(self) -> bool:
        """Results are for another machine than the one that makes them."""
        return len(self.machines) > 1

    def _place(self, context: SlotContext) -> str:
        there = self.crossing and context == "target"
        return f"the `{self.machines[context].platform}`" if there else "this machine"

    def _need(
        self, need: Requirement, context: SlotContext, above: tuple[Slot, ...], *, linked: bool
    ) -> None:
        by, slot = above[-1].name, Slot(need.name, context)
        found = self.known.get(need.name)
        if found is None:
            if need.optional:
                return
            raise NoSolution(
                f"`{by}` requires `{need.name}`, which the archive does not carry",
                hint="build the archive of a solution: it carries what it requires",
            )
        version = found.recipe.package.version
        if not versions.parse_range(need.version).admits(version):
            raise NoSolution(
                f"`{by}` requires `{need.name}` {need.version}",
                why=[f"the archive carries version {version}"],
            )
        self.needs.setdefault(slot, {})[need, linked] = None
        self._ask(need, slot, found, by)
        self.visit(found, context, above)

    def _ask(self, need: Requirement, slot: Slot, component: Component, by: str) -> None:
        known = {option.name for option in component.recipe.build_options}
        for option, value in need.options:
            if option not in known:
                what = f"`{component.name}` has no option `{option}`, and `{by}` asks for it"
                raise NoSolution(what, rule="PRM-05")
            have = self.asked.setdefault(slot, {}).setdefault(option, (value, f"`{by}`"))
            if have[0] != value and have[1] != "you":
                raise NoSolution(
                    f"two components ask for different values of `{need.name}.{option}`",
                    why=[f"{have[1]} asks for `{have[0]}`", f"`{by}` asks for `{value}`"],
                    hint=f"decide: `--option {need.name}.{option}=VALUE`",
                    rule="PRM-05",
                )

    def _choose(self, component: Component, slot: Slot) -> Choice:
        facts, context = self.machines[slot.context], slot.context
        given = {o: value for o, (value, _) in self.given.get(slot, {}).items()}
        declared = component.recipe.build_options
        options = parameters.settle(declared, given, owner=component.name)
        here = platforms.parse(facts.platform)
        recipe = recipe_document.resolve(component.archive.recipe_bytes, Context(here, options))
        needs = self.demands.get(slot, {}) | self.needs.get(slot, {})
        linked = any(linked for _, linked in needs)
        found = _detected(facts.all(component.name), needs, options)
        serving = found.version if found else recipe.package.version
        asked = fitting.together((need.version for need, _ in needs), serving or "")
        payload = _payload(component, options, facts)
        if found is not None:
            way = "binary" if payload else "source" if recipe.build else ""
            instead = f"{recipe.package.version} ({way})" if way else ""
            return Choice(
                component, recipe, options, "detected",
                found=found, range=asked, linked=linked, instead=instead, context=context,
            )  # fmt: skip
        if payload is not None:
            return Choice(
                component, recipe, options, "binary", payload=payload, range=asked, context=context
            )
        if recipe.build is None:
            raise NoSolution(
                f"`{component.name}` was not found on {self._place(context)} "
                "and cannot be made here",
                why=["its recipe only says how to recognise it"],
                hint=f"install `{component.name}` by your system's means, then try again",
            )
        _check_sources(component, facts.platform)
        return Choice(component, recipe, options, "source", range=asked, context=context)


def _payload(
    component: Component, options: tuple[tuple[str, str], ...], facts: Facts
) -> Payload | None:
    """Return the payload that the archive carries for a machine and these options."""
    for payload in component.archive.manifest.payloads:
        carried = component.archive.has(payload_member(payload.id))
        if payload.options == options and carried and not fitting.misfit(payload, facts):
            return payload
    return None


def _detected(
    every: tuple[Found, ...], needs: Collection[Need], options: tuple[tuple[str, str], ...]
) -> Found | None:
    """Return what a machine has that serves everyone who requires the component."""
    if not needs or any(need.external == "forbid" for need, _ in needs):
        return None
    ranges = [versions.parse_range(need.version) for need, _ in needs]
    linked = any(linked for _, linked in needs)
    for found in every:
        fits = all(wanted.admits(found.version) for wanted in ranges)
        serves = found.linkable or not linked
        if found.runnable and fits and serves and found.suits(options):
            return found
    return None


def _check_sources(component: Component, platform: str) -> None:
    archive = component.archive
    lacking = [s for s in archive.manifest.sources if not archive.has(source_member(s))]
    had = {  # otherwise: from its address, or out of the recipe's text
        one.sha256
        for source in component.recipe.source
        if source.kind != "local"
        for one in source.archives()
    }
    if any(sha not in had for sha in lacking) or (
        component.recipe.source and not archive.manifest.sources and archive.manifest.payloads
    ):
        raise NoSolution(
            f"the archive carries neither a payload for `{platform}` "
            f"nor the sources of `{component.name}`",
            why=["it is a thin copy"],
            hint="install a full archive: its author makes one with `crpack build --full`",
        )


def _needs(choice: Choice) -> tuple[tuple[Requirement, Use], ...]:
    """Return what a choice needs, and for what."""
    requires = choice.recipe.requires
    made = choice.origin == "source"
    link: Use = "link" if made else "run"
    return (
        *((need, "run") for need in requires.run),
        *((need, link) for need in requires.target),
        *((need, "tool") for need in requires.build if made),
    )
