"""Preparing an installation: everything decided, nothing written.

Rules:
- From an opened archive, the machine's facts and the user's options to choices, wheels, a lock
  and a plan. `--dry-run` prints that plan; `install` carries it out.
- The lock lists what was chosen; detected software stands there by range and tested version.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FormatError, InstallError
from crpack.install import documents, generations, state
from crpack.install import plan as planning
from crpack.install.plan import InstallPlan, Step, WheelStep
from crpack.install.python import environment
from crpack.install.python.lock import Located
from crpack.install.python.tools import Interpreter
from crpack.install.store import Store
from crpack.model import lock as locks
from crpack.model.facts import Facts
from crpack.model.lock import Choice as LockedChoice
from crpack.model.lock import Lock, LockedPackage, LockedSource, LockedTarget
from crpack.ops import detection, pythons, selection
from crpack.ops.progress import News
from crpack.ops.selection import Choice

if TYPE_CHECKING:
    from crpack.ops.opening import Opened
    from crpack.ops.progress import Tell
    from crpack.session import Session

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
    lock = _lock(source.root.name, choices, facts, None, ())
    unchanged = not order.reinstall and _is_current(session, choices, lock)
    if not unchanged:
        interpreter, wheels = _python(session, choices, facts, tell)
        lock = _lock(source.root.name, choices, facts, interpreter, wheels)
    plan = _plan(
        session, source, choices=choices, facts=facts, interpreter=interpreter, wheels=wheels
    )
    request = os.path.basename(order.place)
    return Prepared(
        choices, facts, interpreter, wheels, lock, plan, request, unchanged, order.reinstall
    )


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
    ranges = tuple(recipe.python.python for recipe in own if recipe.python.python)
    asked = any(
        _PYTHON in word
        for recipe in own
        for action in recipe.action
        for argv in (action.argv, *action.pre, *action.post)
        for word in argv
    )
    if not (requires or ranges or asked):
        return None, ()
    interpreter = pythons.choose(session, facts, ranges)
    if not requires:
        return interpreter, ()
    tell(News("Locking", f"{len(requires)} Python requirements"))
    return interpreter, pythons.lock(session, requires, interpreter)


def _lock(
    name: str,
    choices: tuple[Choice, ...],
    facts: Facts,
    interpreter: Interpreter | None,
    wheels: tuple[Located, ...],
) -> Lock:
    root = choices[-1].recipe.package
    target = LockedTarget(
        platform=facts.platform,
        python=interpreter.version if interpreter else "",
        capabilities=_floors(choices),
        wheels=tuple(sorted(one.wheel.sha256 for one in wheels)),
        package=tuple(_locked_choice(choice) for choice in choices),
    )
    return locks.ordered(
        Lock(
            request=(f"{name}=={root.version}",),
            package=tuple(_locked_package(choice) for choice in choices),
            target=(target,),
            wheel=tuple(one.wheel for one in wheels),
        )
    )


def _floors(choices: tuple[Choice, ...]) -> tuple[tuple[str, str], ...]:
    floors = {
        f"@{name}": value
        for choice in choices
        if choice.payload is not None
        for name, value in choice.payload.floors
    }
    return tuple(sorted(floors.items()))


def _locked_package(choice: Choice) -> LockedPackage:
    package = choice.recipe.package
    requires = choice.recipe.requires
    return LockedPackage(
        name=package.name,
        version=package.version,
        revision=package.revision,
        kind=package.kind,
        identity=choice.component.archive.identity,
        signers=choice.component.signers,
        options=choice.options,
        requires=tuple(sorted((need.name, need.version) for need in requires.run)),
        source=tuple(
            LockedSource(source.sha256, source.size, source.urls)
            for source in choice.recipe.source
            if source.sha256
        ),
    )


def _locked_choice(choice: Choice) -> LockedChoice:
    if choice.origin == "detected" and choice.found is not None:
        can_build = choice.recipe.build is not None
        return LockedChoice(
            name=choice.name,
            origin="detected",
            range=choice.range,
            tested=choice.found.version or "",
            fallback="source" if can_build else "",
        )
    payload = choice.payload.id if choice.payload else ""
    return LockedChoice(name=choice.name, origin=choice.origin, payload=payload)


def _plan(
    session: Session,
    source: Opened,
    *,
    choices: tuple[Choice, ...],
    facts: Facts,
    interpreter: Interpreter | None,
    wheels: tuple[Located, ...],
) -> InstallPlan:
    store = Store(session.prefix)
    root = choices[-1].recipe.package
    name = root.name
    now = state.current_number(session.prefix, name)
    before = generations.current(session.prefix, name).record.version if now else ""
    labels = {pin.keyid: pin.label for pin in session.pins()}
    return InstallPlan(
        name=name,
        version=root.version,
        prefix=session.prefix,
        signers=tuple(labels.get(key) or key[:16] for key in source.root.signers),
        before=before,
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


def _is_current(session: Session, choices: tuple[Choice, ...], lock: Lock) -> bool:
    """Say whether the current generation is what this lock, wheels aside, would make again.

    Nothing is asked of an index: the wheels that are installed satisfied the same components.
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
        return _without_wheels(locks.decode(documents.lock(current))) == lock
    except (InstallError, FormatError):
        return False


def _without_wheels(lock: Lock) -> Lock:
    targets = tuple(replace(target, python="", wheels=()) for target in lock.target)
    return replace(lock, target=targets, wheel=())
