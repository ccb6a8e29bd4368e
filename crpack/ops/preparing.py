"""Preparing an installation: everything decided, nothing written.

Rules:
- From an opened archive, the machine's facts and the user's options to choices, wheels, a lock
  and a plan. `--dry-run` prints that plan; `install` carries it out.
- What a lock decided is not chosen again; what was not locked yet is, and its lock is made.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FormatError, InstallError, NoSolution
from crpack.install import documents, generations, state
from crpack.install import plan as planning
from crpack.install.plan import InstallPlan, Step, WheelStep
from crpack.install.python import environment
from crpack.install.store import Store
from crpack.make.drivers.table import DRIVERS
from crpack.model import lock as locks
from crpack.model import requirements
from crpack.model.facts import Facts
from crpack.model.lock import Lock
from crpack.ops import (
    closure,
    data,
    detection,
    elsewhere,
    locked,
    needing,
    needs,
    policy,
    pythons,
    selection,
)
from crpack.ops.needs import Carried, Needs
from crpack.ops.progress import News
from crpack.ops.selection import Choice
from crpack.solve import restoring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.make.toolbox import Toolbox
    from crpack.model.recipe import Build
    from crpack.ops.freezing import Frozen
    from crpack.ops.opening import Opened
    from crpack.ops.progress import Tell
    from crpack.session import Session
    from crpack.solve.problem import Slot
    from crpack.solve.restoring import Decided


@dataclass(frozen=True, slots=True)
class Order:
    """What `install` is asked for.

    Attributes:
        place: file name or URL of an archive.
        options: component (empty for the requested one), option, value as text.
        allow_unsigned: take what nobody vouches for.
        detect: use what the machine has already.
        reinstall: make again what is damaged, and a generation even if nothing is.
        there: the facts of the machine that it is for; None for this one.
    """

    place: str
    options: tuple[tuple[str, str, str], ...] = ()
    allow_unsigned: bool = False
    detect: bool = True
    reinstall: bool = False
    there: Facts | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An installation that is decided.

    Attributes:
        choices: components, each after what it needs; the requested one last.
        facts: of the machine that it is for.
        python: what it needs of Python.
        lock: of the generation.
        plan: for people and for the check of space.
        request: what the user asked for.
        unsigned: names of what nobody vouches for, sorted: components, and the wheels of a bundle.
        freshness: where it comes from and as of when.
        unchanged: the current generation is this already.
        reinstall: trees that are there are hashed before they are used.
        warnings: what to tell of what is installed.
        maker: facts of this machine, where it is for another one.
        carried: the bundle that it comes from; None for anything else.
    """

    choices: tuple[Choice, ...]
    facts: Facts
    python: Needs
    lock: Lock
    plan: InstallPlan
    request: str
    unsigned: tuple[str, ...]
    freshness: str
    unchanged: bool
    reinstall: bool
    warnings: tuple[str, ...] = ()
    maker: Facts | None = None
    carried: Carried | None = None

    def machine(self, choice: Choice) -> Facts:
        """Return the facts of the machine that a choice runs on."""
        return self.maker if self.maker and choice.context == "build" else self.facts


def prepare(session: Session, order: Order, source: Opened, tell: Tell) -> Prepared:
    """Decide how an archive is installed on this machine, or here for another one.

    Raises:
        NoSolution: its closure does not fit.
        BuildFailed: something must be built and there is no compiler.
        FetchError: wheels cannot be locked.
    """
    tell(News("Detecting", "this machine"))
    here = detection.facts(session)[0]
    maker = here if order.there else None
    facts = order.there or detection.stated(session, here)
    usable = facts
    if not order.detect:
        usable = replace(facts, found=())
    elif order.there is None:
        every = (source.root, *source.others)
        own = data.of_components(session, every, facts.platform, order.options)
        usable = facts = replace(facts, found=(*facts.found, *own))
    options: dict[str, dict[str, str]] = {}
    for name, option, value in order.options:
        options.setdefault(name or source.root.name, {})[option] = value
    others = {component.name: component for component in source.others}
    tools = replace(maker, found=maker.found if order.detect else ()) if maker else None
    choices = selection.choose(source.root, others, usable, options, tools)
    _check_makeable(session, choices, facts, maker)
    python = Needs()
    lock = closure.lock(choices, facts, None, ())
    unchanged = not order.reinstall and _is_current(session, choices, lock)
    if not unchanged and maker is None:
        python = needing.of_archive(session, choices, facts, tell)
        lock = closure.lock(choices, facts, python.interpreter, python.wheels)
    decided = _Decided(choices, facts, python, lock, maker)
    labels = {pin.keyid: pin.label for pin in session.pins()}
    request = os.path.basename(order.place)
    return _prepared(
        session, decided, labels, request, unchanged=unchanged, reinstall=order.reinstall
    )


def prepare_frozen(
    session: Session,
    frozen: Frozen,
    rows: Mapping[Slot, Decided],
    source: Opened,
    *,
    reinstall: bool,
    tell: Tell,
) -> Prepared:
    """Decide how a lock is installed; nothing is chosen any more (SPEC LCK-08).

    Args:
        session: for Python and the prefix.
        frozen: the lock.
        rows: what of it is installed, by name and context.
        source: the archives that it names.
        reinstall: make again what is damaged, and a generation even if nothing is.
        tell: takes the news.

    Raises:
        NoSolution: the lock does not fit this machine.
        BuildFailed: something must be built and there is no compiler.
        FetchError: a wheel of the lock is not to be had.
        TrustError: its wheels are not what signed recipes ask for.
    """
    components = {one.archive.identity: one for one in (source.root, *source.others)}
    choices = locked.choices(source.root.name, rows, components, frozen.facts, frozen.maker)
    _check_makeable(session, choices, frozen.facts, frozen.maker)
    unchanged = not reinstall and _is_current(session, choices, frozen.lock, frozen.facts)
    python = Needs()
    if not unchanged and frozen.maker is None:
        python = needing.of_lock(session, choices, rows, frozen, tell)
    decided = _Decided(choices, frozen.facts, python, frozen.lock, frozen.maker, frozen.freshness)
    labels = _labels(frozen, source.root.name)
    asked = (
        text for text in frozen.lock.request if requirements.parse(text).name == source.root.name
    )
    request = next(asked, source.root.name)
    made = _prepared(session, decided, labels, request, unchanged=unchanged, reinstall=reinstall)
    warnings = (*source.warnings, *python.warnings)
    return replace(made, warnings=warnings, carried=frozen.carried)


@dataclass(frozen=True, slots=True)
class _Decided:
    """What both ways of preparing come to."""

    choices: tuple[Choice, ...]
    facts: Facts
    python: Needs
    lock: Lock
    maker: Facts | None
    freshness: str = "freshness unknown"


def _prepared(
    session: Session,
    decided: _Decided,
    labels: Mapping[str, str],
    request: str,
    *,
    unchanged: bool,
    reinstall: bool,
) -> Prepared:
    return Prepared(
        choices=decided.choices,
        facts=decided.facts,
        python=decided.python,
        lock=decided.lock,
        plan=replace(_plan(session, decided, labels), unchanged=unchanged),
        request=request,
        unsigned=_unsigned(decided),
        freshness=decided.freshness,
        unchanged=unchanged,
        reinstall=reinstall,
        maker=decided.maker,
    )


def _unsigned(decided: _Decided) -> tuple[str, ...]:
    names = [one.name for one in decided.choices if one.unsigned]
    return tuple(sorted([*names, *([] if decided.python.vouched else [needs.UNVOUCHED])]))


def _labels(frozen: Frozen, name: str) -> dict[str, str]:
    """Return the words of an index for the keys that may sign a name."""
    pins = (pin for index in frozen.indexes.opened for pin in index.publishers.pins_for(name))
    return {pin.keyid: pin.label for pin in pins}


def check_space(session: Session, prepared: Prepared) -> None:
    """See that what the plan writes fits (SPEC GEN-10).

    Raises:
        InstallError: it does not.
    """
    planning.check_space(prepared.plan, disk.free_bytes(session.prefix))


def _check_makeable(
    session: Session, choices: tuple[Choice, ...], facts: Facts, maker: Facts | None
) -> None:
    """See, before anything is written, that there are walls and compilers where one builds.

    The walls come first: without any, no compiler was asked what it is (SPEC DET-06).

    Raises:
        BuildFailed: there are none.
        NoSolution: it is for another machine, and needs Python.
    """
    if maker is not None:
        needing.check_elsewhere(choices, facts)
    for choice in choices:
        build = choice.recipe.build
        if choice.origin == "source" and build is not None:
            if DRIVERS[build.driver].runs or choice.recipe.test is not None:
                policy.check(session, choice.name, trusted=choice.trusted)
            _toolbox(choice, build, facts, maker)


def _toolbox(choice: Choice, build: Build, facts: Facts, maker: Facts | None) -> Toolbox:
    """Return the programs that make a choice; they run on this machine (SPEC ELS-02)."""
    target = elsewhere.compiled_for(build, choice.context, facts, maker)
    return detection.toolbox(build, maker or facts, target)


def _plan(session: Session, decided: _Decided, labels: Mapping[str, str]) -> InstallPlan:
    choices, facts = decided.choices, decided.facts
    python, interpreter = decided.python, decided.python.interpreter
    store = Store(session.prefix)
    root = choices[-1].recipe.package
    name = root.name
    return InstallPlan(
        name=name,
        version=root.version,
        prefix=session.prefix,
        signers=tuple(labels.get(key) or key[:16] for key in choices[-1].signers),
        before=generations.version(session.prefix, name),
        generation=max(generations.numbers(session.prefix, name), default=0) + 1,
        steps=(
            *(_step(choice, store, facts, decided.maker) for choice in choices[:-1]),
            _lying(_step(choices[-1], store, facts, decided.maker), choices[-1], facts),
        ),
        interpreter=f"{interpreter.path} ({interpreter.version})" if interpreter else "",
        environment=pythons.standing(session, python),
        wheels=tuple(
            WheelStep(one.wheel.filename, one.wheel.size, pythons.is_here(session, python, one))
            for one in python.wheels
        ),
        stated=() if decided.maker else detection.told(session, facts),
        platform=facts.platform if decided.maker else "",
    )


def _lying(step: Step, choice: Choice, facts: Facts) -> Step:
    """Return the step of data that is asked for by name, with where it lies already (DAT-02)."""
    version = choice.recipe.package.version
    for found in facts.all(choice.name):
        if found.files and found.version == version and found.suits(choice.options):
            told = f"it lies in {found.place} too; what requires it uses it there, installed or not"
            return replace(step, detail=", ".join(text for text in (step.detail, told) if text))
    return step


def _step(choice: Choice, store: Store, facts: Facts, maker: Facts | None) -> Step:
    package = choice.recipe.package
    if choice.found is not None:
        detail = f"{choice.found.path} ({choice.found.how})" if choice.found.path else "found there"
        version = choice.found.version or ""
        return Step(
            "detected", package.name, version, package.kind, detail=detail, instead=choice.instead
        )
    if choice.payload is not None:
        there = store.has(choice.payload.tree)
        size = 0 if there else choice.payload.unpacked
        return Step(
            "stored" if there else "unpack",
            package.name,
            package.version,
            package.kind,
            size,
            tree=choice.payload.tree,
        )
    size = 2 * sum(source.size for source in choice.recipe.source)
    detail = ""
    if choice.recipe.build is not None:
        chain = _toolbox(choice, choice.recipe.build, facts, maker).toolchain
        detail = f"driver {choice.recipe.build.driver}" + (f", {chain}" if chain else "")
    return Step("build", package.name, package.version, package.kind, size, detail)


def _is_current(
    session: Session, choices: tuple[Choice, ...], lock: Lock, facts: Facts | None = None
) -> bool:
    """Say whether the current generation is what this lock would make again.

    With facts the lock was made from indexes, with its wheels. Without, wheels do not count and
    nothing is asked of an index: those that are installed satisfied the same components.
    """
    name = choices[-1].name
    try:
        if not state.current_number(session.prefix, name):
            return False
        current = generations.current(session.prefix, name)
        if generations.changed_files(current) or documents.damaged(current):
            return False
        used = {part.node.name for part in current.record.parts if part.node.origin == "detected"}
        if any(choice.name in used and choice.found is None for choice in choices):
            return False
        env = current.record.env
        if env and not environment.is_complete(session.prefix, env):
            return False
        had = locks.decode(documents.lock(current))
        if facts is not None:
            names = {choice.name for choice in choices}
            return _decides(had, facts, names) == _decides(lock, facts, names)
        return _without_wheels(had) == lock
    except (InstallError, FormatError, NoSolution):
        return False


def _without_wheels(lock: Lock) -> Lock:
    targets = tuple(replace(target, python="", wheels=()) for target in lock.target)
    return replace(lock, target=targets, wheel=())


def _decides(lock: Lock, facts: Facts, names: set[str]) -> object:
    """Return what a lock decides here on some names, whoever asked and wherever it was listed."""
    target = restoring.target_for(lock, facts)
    rows = [
        (replace(choice, range=""), replace(row, index="") if row else None)
        for choice in target.package
        if choice.name in names
        for row in [locks.package_of(lock, choice)]
    ]
    return rows, target.python, target.wheels
