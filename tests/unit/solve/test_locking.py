from __future__ import annotations

from dataclasses import replace

import pytest

from crpack.errors import NoSolution
from crpack.index.entries import IndexSource, Shard
from crpack.model import lock as locks
from crpack.model import platforms
from crpack.model.facts import Facts
from crpack.model.lock import Lock, LockedIndex, Wheel
from crpack.solve import locking, restoring
from crpack.solve.locking import Solved
from crpack.solve.problem import Policy, Problem, Request
from tests.unit.solve.market import (
    HERE,
    have,
    market,
    needs,
    payload,
    problem,
    release,
    shard,
    shown,
    solved,
)

INDEX = LockedIndex("main", "a" * 64, "b" * 64)
ARM = "linux-aarch64-gnu2.28"
MARKET = market(
    shard("app", release("app", "1", needs(lib="") + needs("build", cmake=">=3"))),
    shard(
        "lib",
        release(
            "lib",
            "2",
            payloads=(payload(floors=(("glibc", "2.34"),)), payload(ARM)),
            sources=(IndexSource("c" * 64, 9, ("https://example.org/x", "a/rel")),),
        ),
    ),
    shard("cmake", release("cmake", "3.5", needs("build", ninja=">=1"))),
    shard("ninja", release("ninja", "1.1", payloads=(payload(),))),
)
BOTH = replace(HERE, found=(have("cmake", "3.9"),))


def answered(shards: dict[str, Shard], what: Problem) -> Solved:
    answer = solved(shards, what)
    made = solved(shards, locking.without_detected(what, answer))
    return Solved(what.target, answer, made)


def locked(shards: dict[str, Shard], *problems: Problem) -> Lock:
    """Return the lock of some targets, as it is read from its own bytes."""
    targets = tuple(answered(shards, what) for what in problems)
    lock = locking.lock_of(problems[0].requests, targets, (INDEX,))
    assert locks.decode(locks.encode(lock)) == lock
    return lock


def decided(lock: Lock, facts: Facts) -> list[str]:
    return [
        f"{'!' if one.context == 'build' else ''}{one.package.name} {one.origin}"
        for one in restoring.picks_of(lock, facts)
    ]


def test_a_lock_says_how_each_name_is_had() -> None:
    """LCK-01, LCK-04, LCK-05, LCK-07."""
    lock = locked(MARKET, problem(Request("app", ">=1"), facts=BOTH))
    assert (lock.request, lock.index) == (("app>=1",), (INDEX,))
    assert [(p.name, p.version, p.index) for p in lock.package] == [
        ("app", "1", "main"),
        ("cmake", "3.5", "main"),
        ("lib", "2", "main"),
        ("ninja", "1.1", "main"),
    ]
    assert lock.package[0].requires == (("lib", ""),)
    assert lock.package[2].source[0].urls == ("https://example.org/x",)
    target = lock.target[0]
    assert target.capabilities == (("@glibc", "2.34"),)
    rows = {row.name: row for row in target.package}
    assert (rows["app"].origin, rows["app"].version) == ("source", "1")
    assert rows["lib"].payload in {one.id for one in MARKET["lib"].releases[0].payloads}
    assert rows["lib"].size == 10
    cmake = rows["cmake"]
    assert (cmake.context, cmake.origin, cmake.range) == ("build", "detected", ">=3")
    assert (cmake.tested, cmake.fallback, cmake.version) == ("3.9", "source", "3.5")
    assert rows["ninja"].only_for == ("cmake",)
    assert b"/usr/bin" not in locks.encode(lock)


def test_what_only_a_fallback_needs_is_left_out_elsewhere() -> None:
    """LCK-05, LCK-08."""
    lock = locked(MARKET, problem("app", facts=BOTH))
    assert decided(lock, BOTH) == ["app source", "!cmake detected", "lib binary"]
    assert decided(lock, HERE) == ["app source", "!cmake source", "lib binary", "!ninja binary"]
    old = replace(HERE, found=(have("cmake", "2.9"), have("cmake", "3.1", runnable=False)))
    assert "!cmake source" in decided(lock, old)
    newer = replace(HERE, found=(have("cmake", "2.9"), have("cmake", "4")))
    found = next(one for one in restoring.picks_of(lock, newer) if one.found)
    assert found.found == have("cmake", "4")


def test_without_a_fallback_the_lock_is_refused() -> None:
    """LCK-08."""
    shards = {**MARKET, "cmake": shard("cmake", release("cmake", "3.5", build=False))}
    lock = locked(shards, problem("app", facts=BOTH))
    assert decided(lock, BOTH) == ["app source", "!cmake detected", "lib binary"]
    with pytest.raises(NoSolution) as caught:
        decided(lock, replace(HERE, found=(have("cmake", "2.9"),)))
    assert caught.value.exit_code == 3
    assert caught.value.what.startswith("the lock counts on `cmake` >=3 of this machine")
    assert caught.value.why == ("there is 2.9", "the lock was made with 3.9")
    with pytest.raises(NoSolution, match="counts on"):
        decided(lock, HERE)


def test_software_that_no_index_has_is_locked_by_its_range() -> None:
    shards = {name: one for name, one in MARKET.items() if name != "cmake"}
    lock = locked(shards, problem("app", facts=BOTH))
    assert "cmake" not in {package.name for package in lock.package}
    cmake = restoring.picks_of(lock, BOTH)[1]
    assert (cmake.package.name, cmake.package.version, cmake.origin) == ("cmake", "3.9", "detected")


def test_a_fallback_that_would_change_other_choices_is_none() -> None:
    """LCK-05."""
    shards = {
        **MARKET,
        "cmake": shard("cmake", release("cmake", "3.5", "[conflicts]\nlib = '>=2'\n")),
        "app": shard("app", release("app", "1", needs(lib="", cmake=">=3"))),
    }
    lock = locked(shards, problem("app", facts=BOTH))
    row = next(row for row in lock.target[0].package if row.name == "cmake")
    assert (row.fallback, row.version) == ("", "")


def test_a_fallback_that_needs_another_version_of_what_is_there_is_none() -> None:
    """LCK-05: on the machine that a lock was made on, what it was made with serves."""
    shards = market(
        shard("app", release("app", "1", needs(a="", x=""))),
        shard("a", release("a", "1.5", needs(x=">=2"))),
        shard("x", release("x", "2.5")),
    )
    there = replace(HERE, found=(have("a", "1.2"), have("x", "1.1")))
    lock = locked(shards, problem("app", facts=there))
    assert decided(lock, there) == ["a detected", "app source", "x detected"]


def test_a_lock_has_a_target_for_each_platform() -> None:
    """LCK-08: the one with the highest floor that the machine runs and whose needs it meets."""
    low = "linux-x86_64-gnu2.28"
    shards = {**MARKET, "lib": shard("lib", release("lib", "2", payloads=(
        payload(ARM), payload(low), payload(packed=1, floors=(("glibc", "2.36"),)))))}  # fmt: skip
    problems = [problem("app", target=t, host=HERE) for t in (HERE.platform, low, ARM)]
    lock = locked(shards, *problems)
    assert [target.platform for target in lock.target] == sorted((HERE.platform, low, ARM))
    assert restoring.target_for(lock, HERE).platform == HERE.platform
    older = Facts("linux-x86_64-gnu2.31", capabilities=(("@glibc", "2.31"),))
    assert restoring.target_for(lock, older).platform == low
    poor = replace(HERE, capabilities=(("@glibc", "2.30"),))
    assert restoring.target_for(lock, poor).platform == low
    with pytest.raises(NoSolution) as caught:
        restoring.target_for(lock, Facts("macos-arm64-14.0"))
    assert len(caught.value.why) == 3
    payloads = {one.package.name: one.payload for one in restoring.picks_of(lock, Facts(ARM))}
    assert payloads["lib"] == payload(ARM).id


def test_options_of_a_target_stand_with_its_choice() -> None:
    option = "[options.o]\ntype = 'enum'\nvalues = ['x', 'y']\ndefault = 'x'\n"
    ask = "[[when]]\nmatch = {arch = 'aarch64'}\n[when.requires]\nb = {options = {o = 'y'}}\n"
    shards = market(
        shard("a", release("a", "1", needs(b="") + ask)), shard("b", release("b", "1", option))
    )
    lock = locked(shards, problem("a"), problem("a", target=ARM, host=HERE))
    for facts, value in ((HERE, "x"), (Facts(ARM), "y")):
        found = {one.package.name: one.package.options for one in restoring.picks_of(lock, facts)}
        assert found["b"] == (("o", value),)


def test_wheels_and_python_go_with_their_target() -> None:
    wheel = Wheel("numpy", "2.0.1", "numpy-2.0.1-cp311-cp311-linux_x86_64.whl", "f" * 64, 99)
    solved_here = answered(MARKET, problem("app", facts=BOTH))
    one = replace(solved_here, python="3.11.7", wheels=(wheel,))
    lock = locking.lock_of((Request("app"),), (one,), (INDEX,))
    assert lock.wheel == (wheel,)
    assert (lock.target[0].python, lock.target[0].wheels) == ("3.11.7", (wheel.sha256,))


def test_what_a_lock_chose_is_preferred_again() -> None:
    """LCK-09."""
    what = problem("app", facts=BOTH)
    lock = locked(MARKET, what)
    newer = {
        **MARKET,
        "lib": shard("lib", release("lib", "3", payloads=(payload(),)), *MARKET["lib"].releases),
    }
    again = replace(what, locked=restoring.preferences_of(lock, HERE.platform))
    assert shown(solved(newer, again)) == shown(solved(MARKET, what))
    assert shown(solved(newer, what)) != shown(solved(MARKET, what))
    assert locked(newer, again) == lock
    other = restoring.preferences_of(lock, platforms.parse(ARM).os)
    assert {one.name for one in other} == {"app", "lib", "cmake", "ninja"}


def test_a_lock_is_stale_when_something_else_is_asked_for() -> None:
    """LCK-07."""
    requests = (Request("a", ">=1", (("o", "x"),)), Request("b"))
    one = locking.request_hash(requests, ("t2", "t1"))
    assert one == locking.request_hash(requests, ("t1", "t2"))
    elsewhere = (replace(requests[0], origin="paper.toml:3"), requests[1])
    assert one == locking.request_hash(elsewhere, ("t1", "t2"))
    others = {
        locking.request_hash(requests[::-1], ("t1", "t2")),
        locking.request_hash(requests[:1], ("t1", "t2")),
        locking.request_hash(requests, ("t1",)),
        locking.request_hash(requests, ("t1", "t2"), builds=False),
        locking.request_hash(requests, ("t1", "t2"), policy=Policy(detect=False)),
        locking.request_hash(requests, ("t1", "t2"), options=(("a", "o", "y"),)),
        locking.request_hash((replace(requests[0], prerelease=True), requests[1]), ("t1", "t2")),
    }
    assert one not in others
    assert len(others) == 7
