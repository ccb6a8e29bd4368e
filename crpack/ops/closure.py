"""The lock of an archive's closure: what was chosen from a lone archive, as rows (SPEC LCK-01).

Rules: detected software stands there by range and tested version; where it can be made from its
source, that is what to fall back on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.model import capabilities
from crpack.model import lock as locks
from crpack.model.lock import Choice as LockedChoice
from crpack.model.lock import Lock, LockedPackage, LockedSource, LockedTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crpack.install.python.lock import Located
    from crpack.install.python.tools import Interpreter
    from crpack.model.facts import Facts
    from crpack.ops.selection import Choice


def lock(
    choices: tuple[Choice, ...],
    facts: Facts,
    interpreter: Interpreter | None,
    wheels: tuple[Located, ...],
) -> Lock:
    """Return the lock of choices, the requested component being the last of them."""
    root = choices[-1].recipe.package
    packages = {(row.name, row.version, row.revision): row for row in map(_package, choices)}
    target = LockedTarget(
        platform=facts.platform,
        python=interpreter.version if interpreter else "",
        capabilities=_floors(choices),
        wheels=tuple(sorted(one.wheel.sha256 for one in wheels)),
        package=tuple(_choice(choice, packages) for choice in choices),
    )
    return locks.ordered(
        Lock(
            request=(f"{root.name}=={root.version}",),
            package=tuple(packages.values()),
            target=(target,),
            wheel=tuple(one.wheel for one in wheels),
        )
    )


def _floors(choices: tuple[Choice, ...]) -> tuple[tuple[str, str], ...]:
    floors: dict[str, str] = {}
    for choice in choices:
        pairs = [(f"@{name}", value) for name, value in _measured(choice)]
        for key, value in (*pairs, *_required(choice)):
            floors[key] = capabilities.higher(key, floors.get(key, value), value)
    return tuple(sorted(floors.items()))


def _measured(choice: Choice) -> tuple[tuple[str, str], ...]:
    return choice.payload.floors if choice.payload else ()


def _required(choice: Choice) -> Iterator[tuple[str, str]]:
    here = choice.found is None and choice.context == "target"
    for need in choice.recipe.requires.machine if here else ():
        if floor := capabilities.least(need.name, need.version):
            yield need.name, floor


def _package(choice: Choice) -> LockedPackage:
    package = choice.recipe.package
    requires = choice.recipe.requires
    return LockedPackage(
        name=package.name,
        version=package.version,
        revision=package.revision,
        kind=package.kind,
        identity=choice.archive.identity,
        signers=choice.signers,
        unsigned=choice.unsigned,
        options=choice.options,
        requires=tuple(sorted((need.name, need.version) for need in requires.run)),
        source=tuple(
            LockedSource(source.sha256, source.size, source.urls)
            for source in choice.recipe.source
            if source.sha256
        ),
    )


def _choice(choice: Choice, packages: Mapping[tuple[str, str, int], LockedPackage]) -> LockedChoice:
    package = choice.recipe.package
    row = packages[package.name, package.version, package.revision]
    options = choice.options if choice.options != row.options else ()
    if choice.origin == "detected" and choice.found is not None:
        can_build = choice.recipe.build is not None
        return LockedChoice(
            name=choice.name,
            origin="detected",
            context=choice.context,
            range=choice.range,
            options=options,
            tested=choice.found.version or "",
            fallback="source" if can_build else "",
            linked=choice.linked,
        )
    payload = choice.payload.id if choice.payload else ""
    return LockedChoice(
        choice.name, choice.origin, choice.context, payload=payload, options=options
    )
