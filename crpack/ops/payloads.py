"""Payloads: which ones the archives of a closure carry, and what must be made for them.

Rules (SPEC RCP-07, RCP-08, RCP-13):
- A payload's options are those that the author or the closure asks for on its platform, as a device
  chooses them (SPEC PRM-05), else the defaults. Where another payload links it with other options,
  there is a payload for these too.
- A result that is the same everywhere is carried without being asked for, unless something else
  must be made or fetched for it; one that is compiled is carried for the platforms asked for.
- Everything is planned, and every toolchain is chosen, before anything is fetched or made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.errors import UsageError
from crpack.make.drivers.table import DRIVERS
from crpack.model import platforms
from crpack.model.facts import Facts
from crpack.model.platforms import Platform
from crpack.ops import detection, units
from crpack.ops.units import Ground, Making, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.ops.drafts import Draft
    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class Wanted:
    """A payload to carry: of which draft, for which platform, and the unit that is its content."""

    name: str
    platform: Platform
    unit: Unit


@dataclass(frozen=True, slots=True)
class Batch:
    """What one `build` makes before it packs.

    Attributes:
        facts: of this machine.
        wanted: payloads, in the order of the drafts and of the platforms asked for.
        makings: of all that they need, each after what it needs.
        toolchains: of the makings, as people read them; empty where nothing is compiled.
    """

    facts: Facts
    wanted: tuple[Wanted, ...]
    makings: tuple[Making, ...]
    toolchains: tuple[str, ...]

    def of(self, name: str) -> tuple[Wanted, ...]:
        """Return the payloads that the archive of a draft carries."""
        return tuple(one for one in self.wanted if one.name == name)

    @property
    def linked(self) -> tuple[Unit, ...]:
        """The units that go into archives, by themselves or linked."""
        return _linked([one.unit for one in self.wanted], {one.unit: one for one in self.makings})


def asked(texts: tuple[str, ...]) -> tuple[Platform, ...]:
    """Return the platforms that a command names, each once.

    Raises:
        UsageError: one has no name in crpack, or is no machine's.
    """
    found = dict.fromkeys(platforms.parse(text) for text in texts)
    if platforms.ANY in found:
        raise UsageError(
            "no machine is `any`",
            why=["results that are the same everywhere are carried without being asked for"],
            hint="name the platform of a machine, as in `--platform linux-aarch64-gnu`",
        )
    return tuple(found)


def measured(platform: Platform, floors: tuple[tuple[str, str], ...]) -> Platform:
    """Return a platform with the floor that was measured for it (SPEC AUD-03)."""
    names = {"gnu": "glibc", "musl": "musl"}
    return replace(platform, floor=dict(floors).get(names.get(platform.abi, platform.os), ""))


def plan(
    session: Session,
    closure: tuple[Draft, ...],
    carriers: tuple[Draft, ...],
    targets: tuple[Platform, ...],
    *,
    options: tuple[tuple[str, str, str], ...] = (),
    fetched: bool,
) -> Batch:
    """Return what must be made for the archives of a closure.

    Args:
        session: for what was detected.
        closure: every draft that one may need, in order.
        carriers: those whose archives are made.
        targets: the platforms asked for.
        options: asked for by the author: component (empty for the root), option, value as text.
        fetched: sources that lie elsewhere are fetched anyhow.

    Raises:
        NoSolution: something that is needed can neither be made nor was found, or two components
            ask one for different options.
        UsageError: an unknown component or option, or a value that does not fit.
        BuildFailed: there is no toolchain for a platform.
    """
    runs = [d.recipe for d in closure if d.recipe.build and DRIVERS[d.recipe.build.driver].runs]
    facts = detection.facts_for((runs or [closure[-1].recipe])[0], session)
    here = detection.platform()
    ground = Ground(closure, here, facts)
    machines = {one: here if one.base == here.base and not one.floor else one for one in targets}
    machines = machines or {here.base: here}
    root = closure[-1].name
    given = {one: units.asked(ground, root, at, options) for one, at in machines.items()}
    wanted: dict[Unit, Wanted] = {}
    makings: dict[Unit, Making] = {}
    for draft in carriers:
        for platform, where in _wishes(draft, targets, tuple(machines), fetched=fetched):
            found = units.plan(ground, draft.name, machines[where], given[where])
            makings |= {one.unit: one for one in found}
            unit = found[-1].unit
            wanted.setdefault(unit, Wanted(draft.name, platform, unit))
    carrying = {draft.name: draft for draft in carriers}
    for unit in _linked(list(wanted), makings):
        if unit.name in carrying and unit not in wanted:
            platform = here.base if unit.target == here else unit.target
            anywhere = units.is_any(carrying[unit.name].recipe)
            platform = platforms.ANY if anywhere else platform
            wanted[unit] = Wanted(unit.name, platform, unit)
    every = tuple(makings.values())
    return Batch(
        facts, tuple(wanted.values()), every, tuple(_toolchain(one, facts) for one in every)
    )


def _linked(first: list[Unit], makings: Mapping[Unit, Making]) -> tuple[Unit, ...]:
    """Return some units, and all that is linked into them."""
    found = dict.fromkeys(first)
    waiting = list(found)
    for unit in waiting:
        inner = (use.unit for use in makings[unit].uses if use.context == "target")
        fresh = [one for one in inner if one is not None and one not in found]
        found |= dict.fromkeys(fresh)
        waiting += fresh
    return tuple(found)


def _wishes(
    draft: Draft,
    targets: tuple[Platform, ...],
    machines: tuple[Platform, ...],
    *,
    fetched: bool,
) -> tuple[tuple[Platform, Platform], ...]:
    """Return the platforms of a draft's payloads, each with the machine whose options they have."""
    build = draft.recipe.build
    if build is None:
        return ()
    if not units.is_any(draft.recipe):
        return tuple((one, one) for one in targets)
    needs = draft.recipe.requires
    costs = bool(needs.build or needs.target) and DRIVERS[build.driver].runs
    costs = costs or (not fetched and any(source.stated for source in draft.recipe.source))
    return () if costs and not targets else tuple((platforms.ANY, one) for one in machines)


def _toolchain(making: Making, facts: Facts) -> str:
    build = making.recipe.build
    if build is None:
        return ""
    chain = detection.toolbox(build, facts, making.unit.target).toolchain
    return str(chain) if chain else ""
