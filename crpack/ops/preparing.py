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
from crpack.install.python.lock import Located
from crpack.install.python.tools import Interpreter
from crpack.install.store import Store
from crpack.model import lock as locks
from crpack.model.facts import Facts
from crpack.model.lock import Lock
from crpack.ops import closure, detection, locked, pythons, selection
from crpack.ops.progress import News
from crpack.ops.selection import Choice
from crpack.solve import restoring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.ops.freezing import Frozen
    from crpack.ops.opening import Opened
    from crpack.ops.progress import Tell
    from crpack.session import Session
    from crpack.solve.restoring import Decided

_PYTHON = "{python}"


@dataclass(frozen=True, slots=True)
class Order:
    """What `install` is asked for.

    Attributes:
        place: file name or URL of an archive.
        options: component (empty for the requested one), option, value as text.
        allow_unsigned: take what nobody vouches for.
        detect: use what the machine has already.
        reinstall: make again what is damaged, and a generation even if nothing is.
    """

    place: str
    options: tuple[tuple[str, str, str], ...] = ()
    allow_unsigned: bool = False
    detect: bool = True
    reinstall: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """An installation that is decided.

    Attributes:
        choices: components, each after what it needs; the requested one last.
        facts: of this machine.
        interpreter: for the Python environment; None where none is needed.
        wheels: with their addresses.
        lock: of the generation.
        plan: for people and for the check of space.
        request: what the user asked for.
        unsigned: names of the components that nobody vouches for, sorted.
        freshness: where it comes from and as of when.
        unchanged: the current generation is this already.
        reinstall: trees that are there are hashed before they are used.
    """

    choices: tuple[Choice, ...]
    facts: Facts
    interpreter: Interpreter | None
    wheels: tuple[Located, ...]
    lock: Lock
    plan: InstallPlan
    request: str
    unsigned: tuple[str, ...]
    freshness: str
    unchanged: bool
    reinstall: bool


def prepare(session: Session, order: Order, source: Opened, tell: Tell) -> Prepared:
    """Decide how an archive is installed on this machine.

    Raises:
        NoSolution: its closure does not fit.
        BuildFailed: something must be built and there is no compiler.
        FetchError: wheels cannot be locked.
    """
    tell(News("Detecting", "this machine"))
    facts = detection.facts(session, detection.shipped())[0]
    usable = facts if order.detect else replace(facts, found=())
    options: dict[str, dict[str, str]] = {}
    for name, option, value in order.options:
        options.setdefault(name or source.root.name, {})[option] = value
    others = {component.name: component for component in source.others}
    choices = selection.choose(source.root, others, usable, options)
    for choice in choices:
        _check_buildable(choice, facts)
    interpreter: Interpreter | None = None
    wheels: tuple[Located, ...] = ()
    lock = closure.lock(choices, facts, None, ())
    unchanged = not order.reinstall and _is_current(session, choices, lock)
    if not unchanged:
        interpreter, wheels = _python(session, choices, facts, tell)
        lock = closure.lock(choices, facts, interpreter, wheels)
    decided = _Decided(choices, facts, interpreter, wheels, lock)
    labels = {pin.keyid: pin.label for pin in session.pins()}
    request = os.path.basename(order.place)
    return _prepared(
        session, decided, labels, request, unchanged=unchanged, reinstall=order.reinstall
    )


def prepare_frozen(
    session: Session,
    frozen: Frozen,
    rows: Mapping[str, Decided],
    source: Opened,
    *,
    reinstall: bool,
    tell: Tell,
) -> Prepared:
    """Decide how a lock is installed on this machine; nothing is chosen any more (SPEC LCK-08).

    Args:
        session: for Python and the prefix.
        frozen: the lock.
        rows: what of it is installed, by name.
        source: the archives that it names.
        reinstall: make again what is damaged, and a generation even if nothing is.
        tell: takes the news.

    Raises:
        NoSolution: the lock does not fit this machine.
        BuildFailed: something must be built and there is no compiler.
        FetchError: a wheel of the lock is not to be had.
    """
    components = {one.name: one for one in (source.root, *source.others)}
    choices = locked.choices(source.root.name, rows, components, frozen.facts)
    for choice in choices:
        _check_buildable(choice, frozen.facts)
    unchanged = not reinstall and _is_current(session, choices, frozen.lock, frozen.facts)
    interpreter: Interpreter | None = None
    wheels: tuple[Located, ...] = ()
    if not unchanged:
        interpreter, wheels = _frozen_python(session, choices, frozen, tell)
    decided = _Decided(choices, frozen.facts, interpreter, wheels, frozen.lock, frozen.freshness)
    labels = _labels(frozen, source.root.name)
    request = ", ".join(frozen.lock.request)
    return _prepared(session, decided, labels, request, unchanged=unchanged, reinstall=reinstall)


@dataclass(frozen=True, slots=True)
class _Decided:
    """What both ways of preparing come to."""

    choices: tuple[Choice, ...]
    facts: Facts
    interpreter: Interpreter | None
    wheels: tuple[Located, ...]
    lock: Lock
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
        interpreter=decided.interpreter,
        wheels=decided.wheels,
        lock=decided.lock,
        plan=_plan(session, decided, labels),
        request=request,
        unsigned=tuple(sorted(one.name for one in decided.choices if one.unsigned)),
        freshness=decided.freshness,
        unchanged=unchanged,
        reinstall=reinstall,
    )


def _labels(frozen: Frozen, name: str) -> dict[str, str]:
    """Return the words of an index for the keys that may sign a name."""
    pins = (pin for index in frozen.indexes.opened for pin in index.publishers.pins_for(name))
    return {pin.keyid: pin.label for pin in pins}


def _frozen_python(
    session: Session, choices: tuple[Choice, ...], frozen: Frozen, tell: Tell
) -> tuple[Interpreter | None, tuple[Located, ...]]:
    """Return the interpreter that a lock's wheels are for, and the wheels with addresses."""
    target = restoring.target_for(frozen.lock, frozen.facts)
    ranges, asked = _asks_python(choices)
    if not (target.wheels or ranges or asked):
        return None, ()
    minor = ".".join(target.python.split(".")[:2])
    exact = (f"=={minor}.*",) if minor else ()
    interpreter = pythons.choose(session, frozen.facts, (*ranges, *exact))
    rows = [wheel for wheel in frozen.lock.wheel if wheel.sha256 in set(target.wheels)]
    known = {one.wheel.sha256: one for one in frozen.located}
    tell(News("Locking", f"{len(rows)} Python distributions, as the lock has them"))
    return interpreter, pythons.locate(session, tuple(rows), known, interpreter)


def check_space(session: Session, prepared: Prepared) -> None:
    """See that what the plan writes fits (SPEC GEN-10).

    Raises:
        InstallError: it does not.
    """
    planning.check_space(prepared.plan, disk.free_bytes(session.prefix))


def _check_buildable(choice: Choice, facts: Facts) -> None:
    """See that there is a compiler before anything is written, where one is needed."""
    if choice.origin == "source" and choice.recipe.build is not None:
        detection.toolbox(choice.recipe.build, facts)


def _python(
    session: Session, choices: tuple[Choice, ...], facts: Facts, tell: Tell
) -> tuple[Interpreter | None, tuple[Located, ...]]:
    own = [choice.recipe for choice in choices if choice.origin != "detected"]
    requires = tuple(dict.fromkeys(text for recipe in own for text in recipe.python.requires))
    ranges, asked = _asks_python(choices)
    if not (requires or ranges or asked):
        return None, ()
    interpreter = pythons.choose(session, facts, ranges)
    if not requires:
        return interpreter, ()
    tell(News("Locking", f"{len(requires)} Python requirements"))
    return interpreter, pythons.lock(session, requires, interpreter)


def _asks_python(choices: tuple[Choice, ...]) -> tuple[tuple[str, ...], bool]:
    """Return the ranges of Python that components ask for, and whether an action runs it."""
    own = [choice.recipe for choice in choices if choice.origin != "detected"]
    ranges = tuple(recipe.python.python for recipe in own if recipe.python.python)
    asked = any(
        _PYTHON in word
        for recipe in own
        for action in recipe.action
        for argv in (action.argv, *action.pre, *action.post)
        for word in argv
    )
    return ranges, asked


def _plan(session: Session, decided: _Decided, labels: Mapping[str, str]) -> InstallPlan:
    choices, facts = decided.choices, decided.facts
    interpreter, wheels = decided.interpreter, decided.wheels
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
        steps=tuple(_step(choice, store, facts) for choice in choices),
        interpreter=f"{interpreter.path} ({interpreter.version})" if interpreter else "",
        environment=pythons.standing(session, interpreter, wheels) if interpreter else "",
        wheels=tuple(
            WheelStep(one.wheel.filename, one.wheel.size, pythons.is_cached(session, one))
            for one in wheels
        ),
    )


def _step(choice: Choice, store: Store, facts: Facts) -> Step:
    package = choice.recipe.package
    if choice.found is not None:
        detail = f"{choice.found.path} ({choice.found.how})"
        version = choice.found.version or ""
        return Step("detected", package.name, version, package.kind, detail=detail)
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
        chain = detection.toolbox(choice.recipe.build, facts).toolchain
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
