"""The verb `lock`: from requests to `crpack.lock`, and whether one is still right.

Rules (SPEC LCK-05 to LCK-09):
- Every target is solved in the order of its name, the answers before it being what is preferred,
  and all of them once more, until nothing changes.
- What an existing lock chose is kept while it serves, but for the names that are to be upgraded.
- `--check` writes nothing: a lock is right when solving again gives the same bytes but for the
  state of the index.
- The file is replaced whole or not at all.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FormatError, NoSolution, UsageError
from crpack.model import lock as locks
from crpack.model import parameters, platforms
from crpack.model.facts import Facts, Found
from crpack.model.limits import MAX_TOML_BYTES
from crpack.model.lock import Lock
from crpack.ops import change, detection, elsewhere, freezing, indexes, resolving
from crpack.ops.change import Change
from crpack.ops.progress import Tell, silent
from crpack.ops.resolving import Resolved, Target, Wish
from crpack.solve import locking as answers
from crpack.solve import restoring
from crpack.solve.problem import YOU, Policy

if TYPE_CHECKING:
    from crpack.model.lock import LockedTarget
    from crpack.model.platforms import Platform
    from crpack.ops.freezing import Frozen
    from crpack.session import Session
    from crpack.solve.problem import Preference

FILE = "crpack.lock"
ALL = "*"  # upgrade every name
_PASSES = 3  # over all targets


@dataclass(frozen=True, slots=True)
class Order:
    """What `lock` is asked for.

    Attributes:
        specs: names with ranges; none: those of the lock that is there.
        options: component (empty for the first one), option, value as text.
        policy: how to choose where several would do.
        platforms: to lock for; none and no facts: this machine.
        facts: files of facts of other machines.
        upgrade: names that are chosen anew.
        path: of the lock.
        carried: other machines build for themselves what must be built; else this one does.
    """

    specs: tuple[str, ...] = ()
    options: tuple[tuple[str, str, str], ...] = ()
    policy: Policy = Policy()  # noqa: RUF009 - a frozen value
    platforms: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    upgrade: tuple[str, ...] = ()
    path: str = FILE
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Detected:
    """What serves on a platform because the machine has it; else `instead` would be installed."""

    platform: str
    name: str
    version: str
    instead: str


@dataclass(frozen=True, slots=True)
class Selected:
    """What a lock chose for a name on a platform, in a context, and how it is had."""

    platform: str
    name: str
    context: str
    version: str
    origin: str


@dataclass(frozen=True, slots=True)
class Locked:
    """A lock that was made.

    Attributes:
        path: of the file.
        lock: its content.
        changes: what is other than before.
        changed: the file's bytes are others.
    """

    path: str
    lock: Lock
    changes: tuple[Change, ...]
    changed: bool

    @property
    def selected(self) -> tuple[Selected, ...]:
        """What was chosen, in the order of the lock."""
        found = (
            (target.platform, choice, locks.package_of(self.lock, choice))
            for target in self.lock.target
            for choice in target.package
            if not choice.only_for
        )
        return tuple(
            Selected(
                platform,
                choice.name,
                choice.context,
                choice.tested or choice.version or (package.version if package else ""),
                choice.origin,
            )
            for platform, choice, package in found
        )

    @property
    def detected(self) -> tuple[Detected, ...]:
        """What serves because machines have it."""
        return tuple(
            Detected(
                target.platform,
                choice.name,
                choice.tested,
                change.instead(locks.package_of(self.lock, choice), choice),
            )
            for target in self.lock.target
            for choice in target.package
            if choice.origin == "detected"
        )


def lock(session: Session, order: Order, *, dry_run: bool = False, tell: Tell = silent) -> Locked:
    """Solve and write the lock.

    Raises:
        NoSolution: nothing satisfies what is asked.
        UsageError: nothing is asked; a platform or a file of facts is wrong.
        FetchError, TrustError: an index cannot be read.
    """
    old = read(order.path) if os.path.lexists(order.path) else None
    new = _solved(session, order, old, tell)
    data = locks.encode(new)
    changed = old is None or locks.encode(old) != data
    if changed and not dry_run:
        disk.atomic_write(os.path.abspath(order.path), data)
    return Locked(order.path, new, change.between(old, new), changed)


def check(session: Session, order: Order, *, tell: Tell = silent) -> Locked:
    """See that a lock is what solving again gives, but for the state of the index (LCK-09).

    Raises:
        NoSolution: it is not; `data["changes"]` tells what would change.
        UsageError: there is no lock.
    """
    old = read(order.path)
    new = _solved(session, order, old, tell)
    if old.request_hash != new.request_hash:
        raise stale(order.path, "it was made for other requests, platforms or choices", ())
    found = change.between(old, new)
    if found:
        raise stale(order.path, "solving again gives another answer", found)
    return Locked(order.path, old, (), changed=False)


def ready(order: Order, *, frozen: bool) -> tuple[Lock, tuple[str, ...]]:
    """Return a lock to install from, and what of it is asked for.

    Args:
        order: what is asked for.
        frozen: do not ask whether the lock was made for these requests and choices.

    Raises:
        UsageError: there is no lock.
        NoSolution: it was made for something else.
    """
    old = read(order.path)
    specs = requests_of(order, old)
    if not frozen:
        targets = tuple(target.platform for target in old.target)
        wanted = freezing.digest(wish_of(order, specs), targets)
        if wanted != old.request_hash:
            why = "it was made for other requests or choices than these"
            raise stale(order.path, why, ())
    return old, specs


def stale(path: str, why: str, found: tuple[Change, ...]) -> NoSolution:
    """Return the error of a lock that is out of date."""
    return NoSolution(
        f"`{path}` is out of date",
        why=[why, *map(str, found[:5])],
        hint="run `crpack lock` again, or take it as it is with `--frozen`",
        data={"changes": [asdict(one) for one in found]},
        rule="LCK-09",
    )


def read(path: str) -> Lock:
    """Return the lock in a file.

    Raises:
        UsageError: there is none.
        FormatError: it is damaged.
    """
    if not os.path.lexists(path):
        raise UsageError(f"there is no lock `{path}`", hint="make one: `crpack lock NAME…`")
    data = disk.read(os.path.realpath(path), limit=MAX_TOML_BYTES)
    try:
        return locks.decode(data, what=f"`{path}`")
    except FormatError as error:
        hint = "remove it, then make it anew: `crpack lock NAME…`"
        raise FormatError(error.what, why=error.why, hint=hint, rule=error.rule) from error


def requests_of(order: Order, old: Lock | None) -> tuple[str, ...]:
    """Return what is asked for: on the command line, else in the lock that is there.

    Raises:
        UsageError: neither says anything, or it says a file.
    """
    found = order.specs or (old.request if old else ())
    if not found:
        raise UsageError("nothing is asked for", hint="name what to lock: `crpack lock NAME…`")
    for text in order.specs:
        if text.endswith((".crpkg", ".crbundle")):
            hint = "list it in an index, then use its name: `crpack index add DIR FILE`"
            raise UsageError(f"`{text}` is a file: locks are of what indexes list", hint=hint)
    return tuple(found)


def wish_of(order: Order, specs: tuple[str, ...]) -> Wish:
    """Return what is asked for as the solver takes it."""
    origin = YOU if order.specs else order.path
    requests = tuple(replace(resolving.request(text), origin=origin) for text in specs)
    options = tuple((name or requests[0].name, key, value) for name, key, value in order.options)
    return Wish(requests, options, order.policy)


def _check_upgrades(order: Order, wish: Wish, old: Lock | None) -> None:
    """Refuse to choose a name anew that is neither asked for nor in the lock.

    Raises:
        UsageError: there is such a name.
    """
    known = {package.name for package in old.package} if old else set()
    known |= {request.name for request in wish.requests}
    for name in order.upgrade:
        if name != ALL and name not in known:
            raise parameters.unknown(name, tuple(sorted(known)), f"the lock has no `{name}`")


def _solved(session: Session, order: Order, old: Lock | None, tell: Tell) -> Lock:
    return _frozen(session, order, old, tell).lock


def _frozen(session: Session, order: Order, old: Lock | None, tell: Tell) -> Frozen:
    wish = wish_of(order, requests_of(order, old))
    targets = _targets(session, order, old)
    _check_upgrades(order, wish, old)
    if old is not None and ALL not in order.upgrade:
        old = indexes.in_own_words(session, old)
    resolved: tuple[Resolved, ...] = ()
    for _ in range(_PASSES):
        found = _pass(session, wish, targets, order=order, old=old, before=resolved, tell=tell)
        settled = [one.answer for one in found] == [one.answer for one in resolved]
        resolved = found
        if settled or len(targets) == 1:
            break
    had = None if order.upgrade else old
    return freezing.freeze(session, wish, resolved, had=had, tell=tell)


def _pass(
    session: Session,
    wish: Wish,
    targets: tuple[tuple[Platform, Facts | None], ...],
    *,
    order: Order,
    old: Lock | None,
    before: tuple[Resolved, ...],
    tell: Tell,
) -> tuple[Resolved, ...]:
    """Solve every target once, with what is known of the others as preference."""
    found: list[Resolved] = []
    for platform, facts in targets:
        others = found or list(before)
        kept = _kept(order, old, str(platform))
        kept += tuple(one for r in others for one in answers.preferences(r.answer))
        first = {(one.name, one.context): one for one in reversed(kept)}
        target = Target(platform, facts, order.carried) if facts is not None else None
        found.append(
            resolving.resolve(session, wish, locked=tuple(first.values()), target=target, tell=tell)
        )
    return tuple(found)


def _kept(order: Order, old: Lock | None, platform: str) -> tuple[Preference, ...]:
    if old is None or ALL in order.upgrade:
        return ()
    found = restoring.preferences_of(old, platform)
    return tuple(one for one in found if one.name not in order.upgrade)


def _targets(
    session: Session, order: Order, old: Lock | None
) -> tuple[tuple[Platform, Facts | None], ...]:
    """Return the platforms to lock for, sorted, with the facts of those that are not this one.

    Where none is asked for, they are those of the lock that is there, and this machine where
    something is asked for (SPEC LCK-10).
    """
    here = detection.bare(session)
    mine = {here.platform, detection.stated(session, here).platform}
    asked = [platforms.parse(text) for text in order.platforms]
    others = [elsewhere.read_facts(path) for path in order.facts]
    others += [elsewhere.assumed(one) for one in asked if str(one) != here.platform]
    wanted = {str(one) for one in asked}
    if not wanted and not others:
        kept = old.target if old is not None else ()
        others = [_reached(one) for one in kept if one.platform not in mine]
        wanted = {here.platform} if order.specs else {one.platform for one in kept}
    found: dict[str, tuple[Platform, Facts | None]] = {}
    for one in others:
        known = detection.stated(session, one)
        found.setdefault(known.platform, (platforms.parse(known.platform), known))
    if not found or wanted & mine:
        platform = platforms.parse(detection.stated(session, here).platform)
        found.setdefault(str(platform), (platform, None))
    return tuple(found[key] for key in sorted(found))


def _reached(target: LockedTarget) -> Facts:
    """Return what a lock says of the machine of a target: platform, floors, and what it has."""
    known = dict(elsewhere.assumed(platforms.parse(target.platform)).capabilities)
    floors = {name: value for name, value in target.capabilities if name not in known}
    found = tuple(
        Found(one.name, one.tested or None, notes=() if one.linked else (("provides", "runtime"),))
        for one in target.package
        if one.origin == "detected" and one.context == "target"
    )
    return Facts(target.platform, tuple(sorted((known | floors).items())), found=found)


def frozen(session: Session, order: Order, *, as_it_is: bool, tell: Tell = silent) -> Frozen:
    """Return a lock with the indexes it is of: the one that is there, or a new one, not written.

    Raises:
        NoSolution: nothing satisfies what is asked, or the indexes are not those of the lock.
        FetchError, TrustError: an index cannot be read.
    """
    old = read(order.path) if as_it_is else None
    if old is None:
        return _frozen(session, order, None, tell)
    return freezing.as_it_is(session, old, tell)
