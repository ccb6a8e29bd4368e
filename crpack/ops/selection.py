"""Choosing how each component of an archive's closure is satisfied on one machine.

Rules (DESIGN 8, SPEC PRM-05):
- The closure has one version of each name, so there is nothing to search: every requirement is
  checked against it, and one that it does not meet is told with both sides.
- Option values come from the user, else from who requires the component, else its default; two
  askers with different values are a conflict.
- The requested component comes from its archive. What it requires is taken as detected, else as
  a payload that fits this machine, else made from its source.
Pure: facts and components in, choices out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.archive.reader import Archive
from crpack.errors import NoSolution, UsageError
from crpack.model import parameters, platforms, recipe_document, versions
from crpack.model.facts import Found
from crpack.model.manifest import Payload, payload_member, source_member
from crpack.model.recipe import Recipe
from crpack.model.recipe_document import Context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.model.facts import Facts
    from crpack.model.requirements import Requirement


@dataclass(frozen=True, slots=True)
class Component:
    """One component as an archive carries it, its signatures judged.

    Attributes:
        archive: open; its manifest is believed.
        recipe: the base of its recipe.
        signers: ids of the pinned keys that vouch for it; empty for one taken unsigned.
    """

    archive: Archive
    recipe: Recipe
    signers: tuple[str, ...]

    @property
    def name(self) -> str:
        """The component's name."""
        return self.recipe.package.name


@dataclass(frozen=True, slots=True)
class Choice:
    """How one name is satisfied.

    Attributes:
        component: which; its recipe's base.
        recipe: merged for this machine and these options.
        options: build options, name and value as text.
        origin: `detected`, `binary` or `source`.
        payload: for `binary`.
        found: for `detected`.
        range: the versions asked for; empty for the requested component.
    """

    component: Component
    recipe: Recipe
    options: tuple[tuple[str, str], ...]
    origin: Literal["detected", "binary", "source"]
    payload: Payload | None = None
    found: Found | None = None
    range: str = ""

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name


def choose(
    root: Component,
    others: Mapping[str, Component],
    facts: Facts,
    options: Mapping[str, Mapping[str, str]],
) -> tuple[Choice, ...]:
    """Return a choice for the root and all it needs here, each after what it needs.

    Args:
        root: the requested component.
        others: the rest of its closure, by name.
        facts: of this machine, with what was found on it.
        options: what the user asked for: component, option, value as text.

    Raises:
        NoSolution: the closure does not meet a requirement, or options conflict.
        UsageError: an unknown component or option, or a value that does not fit.
    """
    known = {**others, root.name: root}
    for name in options:
        if name not in known:
            raise parameters.unknown(name, tuple(known), f"there is no component `{name}` here")
    asked = {name: {o: (v, "you") for o, v in values.items()} for name, values in options.items()}
    for _ in range(len(known) + 1):
        walk = _Walk(known, facts, asked)
        walk.visit(root, None)
        if walk.asked == asked:
            return tuple(walk.choices.values())
        asked = walk.asked
    raise NoSolution("the options of this closure depend on one another in a circle")


Asked = dict[str, dict[str, tuple[str, str]]]


class _Walk:
    """One pass over the graph, with the options that the pass before it asked for."""

    def __init__(self, known: Mapping[str, Component], facts: Facts, asked: Asked) -> None:
        self.known = known
        self.facts = facts
        self.given = asked
        self.asked: Asked = {
            name: {o: pair for o, pair in values.items() if pair[1] == "you"}
            for name, values in asked.items()
        }
        self.choices: dict[str, Choice] = {}

    def visit(self, component: Component, need: Requirement | None) -> None:
        """Choose for a component and, before it, for what it needs."""
        name = component.name
        if need is not None:
            self._ask(need, component)
        if name in self.choices:
            return
        choice = self._choose(component, need)
        if choice.origin != "detected":
            requires = choice.recipe.requires
            needs = requires.run + requires.target
            if choice.origin == "source":
                needs += requires.build
            for inner in needs:
                self._need(inner, name)
        self.choices[name] = choice

    def _need(self, need: Requirement, by: str) -> None:
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
        for option, value in need.options:
            have = self.asked.setdefault(need.name, {}).setdefault(option, (value, f"`{by}`"))
            if have[0] != value and have[1] != "you":
                raise NoSolution(
                    f"two components ask for different values of `{need.name}.{option}`",
                    why=[f"{have[1]} asks for `{have[0]}`", f"`{by}` asks for `{value}`"],
                    hint=f"decide: `--option {need.name}.{option}=VALUE`",
                    rule="PRM-05",
                )
        self.visit(found, need)

    def _ask(self, need: Requirement, component: Component) -> None:
        known = {option.name for option in component.recipe.build_options}
        for option, _ in need.options:
            if option not in known:
                what = f"`{component.name}` has no option `{option}`, and it is asked for one"
                raise NoSolution(what)

    def _choose(self, component: Component, need: Requirement | None) -> Choice:
        given = {o: value for o, (value, _) in self.given.get(component.name, {}).items()}
        declared = component.recipe.build_options
        options = parameters.settle(declared, given, owner=component.name)
        here = platforms.parse(self.facts.platform)
        recipe = recipe_document.resolve(component.archive.recipe_bytes, Context(here, options))
        found = self._detected(component, need)
        if found is not None and need is not None:
            return Choice(component, recipe, options, "detected", found=found, range=need.version)
        asked = need.version if need else ""
        for payload in component.archive.manifest.payloads:
            if payload.options == options and self._fits(payload, component):
                return Choice(component, recipe, options, "binary", payload=payload, range=asked)
        if recipe.build is None:
            raise NoSolution(
                f"`{component.name}` was not found on this machine and cannot be made here",
                why=["its recipe only says how to recognise it"],
                hint=f"install `{component.name}` by your system's means, then try again",
            )
        self._check_sources(component)
        return Choice(component, recipe, options, "source", range=asked)

    def _detected(self, component: Component, need: Requirement | None) -> Found | None:
        if need is None or need.external == "forbid" or not component.recipe.probe:
            return None
        wanted = versions.parse_range(need.version)
        for found in self.facts.all(component.name):
            if found.runnable and wanted.admits(found.version):
                return found
        return None

    def _fits(self, payload: Payload, component: Component) -> bool:
        here = platforms.parse(self.facts.platform)
        try:
            made_for = platforms.parse(payload.platform)
        except UsageError:
            return False  # a platform that this crpack has never heard of
        floors = all(self._reaches(name, value) for name, value in payload.floors)
        return (
            here.accepts(made_for) and floors and component.archive.has(payload_member(payload.id))
        )

    def _reaches(self, name: str, value: str) -> bool:
        have = self.facts.capability(f"@{name}")
        return bool(have) and versions.parse_range(f">={value}").admits(have)

    def _check_sources(self, component: Component) -> None:
        archive = component.archive
        lacking = [s for s in archive.manifest.sources if not archive.has(source_member(s))]
        urls = {s.sha256 for s in component.recipe.source if s.kind == "url"}
        if any(sha not in urls for sha in lacking) or (
            not archive.manifest.sources and archive.manifest.payloads
        ):
            raise NoSolution(
                f"the archive carries neither a payload for `{self.facts.platform}` "
                f"nor the sources of `{component.name}`",
                why=["it is a thin copy"],
                hint="install a full archive: its author makes one with `crpack build --full`",
            )
