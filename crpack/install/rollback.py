"""Going back: the state of an earlier generation made current again.

Rules (SPEC GEN-05):
- It is a new generation that equals the old one, so nothing is ever undone in place.
- Without a number the newest sound one before the current is meant; so a damaged current
  generation, or a damaged one before it, does not stand in the way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.errors import InstallError, UsageError
from crpack.install import documents, generations, layout, state
from crpack.install.transaction import Draft, Transaction

if TYPE_CHECKING:
    from crpack.install.generations import Generation


def target(prefix: str, name: str, to: int = 0) -> Generation:
    """Return the generation that `rollback` would repeat.

    Raises:
        UsageError: there is no such generation.
        InstallError: the solution is not installed, or what would be repeated is damaged.
    """
    earlier = _earlier(prefix, name)
    if to and to in earlier:
        return _sound(prefix, name, to)
    if to or not earlier:
        have = ", ".join(str(number) for number in earlier)
        raise UsageError(
            f"`{name}` has no generation {to} to go back to"
            if to
            else f"`{name}` has no earlier generation",
            why=[f"kept are {have}" if have else "it was installed once and never changed"],
        )
    faults = []
    for number in reversed(earlier):
        try:
            return _sound(prefix, name, number)
        except InstallError as error:
            faults.append(error.what)
    raise InstallError(
        f"`{name}` has no earlier generation that is whole",
        why=faults,
        hint="install the solution again",
    )


def rollback(prefix: str, name: str, *, date: str, to: int = 0) -> Generation:
    """Make a new generation that equals an old one (SPEC GEN-05).

    Args:
        prefix: where the solution is installed.
        name: of the solution.
        date: of the new generation, UTC, `YYYY-MM-DDTHH:MM:SSZ`.
        to: the number of the old one; 0 for the newest sound one before the current.

    Raises:
        UsageError: there is no such generation.
        InstallError: nothing has changed, unless `data["changed"]` is true.
    """
    with Transaction(prefix) as transaction:
        old = target(prefix, name, to)
        for part in old.record.parts:
            if part.node.tree:
                transaction.reuse(part.node.tree)
        lock, recipe = documents.lock(old), documents.recipe(old)
        record = replace(old.record, date=date, restored=old.record.number)
        return transaction.commit(Draft(record, lock, recipe))


def _earlier(prefix: str, name: str) -> tuple[int, ...]:
    """Return the numbers below the current one; all of them where `current` is damaged."""
    generations.require(prefix, name)
    numbers = generations.numbers(prefix, name)
    try:
        now = state.current_number(prefix, name)
    except InstallError:
        return numbers
    return tuple(number for number in numbers if number < now)


def _sound(prefix: str, name: str, number: int) -> Generation:
    generation = generations.read(layout.generation(prefix, name, number))
    damaged = documents.damaged(generation)
    if damaged:
        raise state.damaged(f"{generation.path}/{damaged[0]}", "it is not as it was written")
    return generation
