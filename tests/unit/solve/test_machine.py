"""What a machine must have: capabilities that are required, and what links as against what runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.errors import ManifestError, NoSolution
from crpack.model import lock as locks
from crpack.model import recipe_document
from crpack.model.facts import Facts, Found
from crpack.model.lock import LockedIndex
from crpack.solve import candidacy, locking, restoring, solver
from crpack.solve.fitting import check_machine
from crpack.solve.locking import Solved
from crpack.solve.problem import Need, Offer, Problem, Slot, Unsolvable
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

if TYPE_CHECKING:
    from crpack.index.entries import Shard

INDEX = LockedIndex("main", "a" * 64, "b" * 64)
LINKS = needs("target", zlib=">=1.2")
RUNS = needs(zlib=">=1.2")
ZLIB = shard("zlib", release("zlib", "1.3"))


def found(provides: str, version: str = "1.2.13") -> Found:
    """Return a library as it was found: what runs of it, or what it is linked with too."""
    return replace(have("zlib", version), notes=(("provides", provides),))


def on(*things: Found) -> Facts:
    return replace(HERE, found=things)


@pytest.mark.parametrize(
    ("text", "provides", "served"),
    [
        (RUNS, "runtime", "zlib 1.2.13 detected"),
        (RUNS, "dev", "zlib 1.2.13 detected"),
        (LINKS, "runtime", "zlib 1.3 source"),
        (LINKS, "dev", "zlib 1.2.13 detected"),
        (LINKS + RUNS, "runtime", "zlib 1.3 source"),
    ],
)
def test_a_library_without_headers_serves_only_who_runs_with_it(
    text: str, provides: str, served: str
) -> None:
    """SOL-04."""
    shards = market(shard("app", release("app", "1", text)), ZLIB)
    assert shown(solved(shards, problem("app", facts=on(found(provides)))))[1] == served


def test_a_payload_is_linked_already_and_only_loads_its_libraries() -> None:
    """SOL-04."""
    shards = market(shard("app", release("app", "1", LINKS, payloads=(payload(),))), ZLIB)
    answer = solved(shards, problem("app", facts=on(found("runtime"))))
    assert shown(answer) == ["app 1 binary", "zlib 1.2.13 detected"]


def test_that_the_headers_are_missing_is_the_constraint_that_failed() -> None:
    """SOL-10, SOL-11."""
    shards = market(shard("app", release("app", "1", LINKS)))
    what = problem("app", facts=on(found("runtime")))
    with pytest.raises(Unsolvable) as caught:
        solved(shards, what)
    assert caught.value.why == (
        "`app` 1 links `zlib` >=1.2",
        (
            "`zlib` 1.2.13 was found on this machine, at /usr/bin/zlib, "
            "without what linking it needs: headers"
        ),
    )
    told = candidates(what, shards, "zlib")
    assert told == ["`app 1` links it, and only what runs of it was found: no headers"]


def candidates(what: Problem, shards: dict[str, Shard], name: str) -> list[str]:
    """Return why each candidate of a name is not chosen."""
    run = solver.explore(what)
    try:
        need: Need = next(run)
        while True:
            need = run.send({n: Offer("main", shards.get(n)) for n in need.names})
    except StopIteration as end:
        explored = end.value
    slot = Slot(name)
    edges = candidacy.asking(explored, slot)
    return [one.why for one in candidacy.judged(explored.pool, slot, edges, None)]


def test_a_lock_remembers_that_a_library_is_linked() -> None:
    """LCK-05, LCK-08: on another machine only one with headers serves."""
    shards = market(shard("app", release("app", "1", LINKS)), ZLIB)
    lock = locked(shards, problem("app", facts=on(found("dev"))))
    (choice,) = [one for one in lock.target[0].package if one.origin == "detected"]
    assert choice.linked
    for provides, origin in (("runtime", "source"), ("dev", "detected")):
        rows = restoring.picks_of(lock, on(found(provides)))
        assert next(one.origin for one in rows if one.package.name == "zlib") == origin
    ran = locked(
        market(shard("app", release("app", "1", RUNS)), ZLIB),
        problem("app", facts=on(found("runtime"))),
    )
    assert not any(one.linked for one in ran.target[0].package)


def locked(shards: dict[str, Shard], what: Problem) -> locks.Lock:
    answer = solved(shards, what)
    made = solved(shards, locking.without_detected(what, answer))
    lock = locking.lock_of(what.requests, (Solved(what.target, answer, made),), (INDEX,))
    assert locks.decode(locks.encode(lock)) == lock
    return lock


def wants(**capabilities: str) -> str:
    return "[requires]\n" + "".join(
        f"'@{name}' = '{text}'\n" for name, text in capabilities.items()
    )


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (wants(glibc=">=2.31"), "2"),
        (wants(glibc=">=2.36"), "2"),
        (wants(glibc=">=2.37"), "1"),
        (wants(glibc=">=2.31,<2.36"), "1"),
        (wants(glibc=">=3 || >=2.31"), "2"),
        (wants(glibc=""), "2"),
        (wants(cuda=""), "1"),
        (wants(cuda=">=12"), "1"),
        (wants(cpu=">=x86-64-v2"), "2"),
        (wants(cpu="x86-64-v3"), "2"),
        (wants(cpu=">=x86-64-v4"), "1"),
        (wants(cpu="x86-64-v3+avx_vnni"), "2"),
        (wants(cpu="x86-64-v3+amx"), "1"),
        (wants(cpu="armv8.2-a || x86-64-v3"), "2"),
        (wants(cpu="armv8.2-a"), "1"),
        (wants(gpu="amd || nvidia"), "2"),
        (wants(gpu="==amd"), "1"),
        (wants(memory=">=8000000000"), "2"),
        (wants(memory=">=9000000000"), "1"),
    ],
)
def test_a_release_serves_where_the_machine_has_what_it_requires(text: str, chosen: str) -> None:
    """REQ-08."""
    pairs = {"@cpu": "x86-64-v3+avx_vnni", "@glibc": "2.36", "@gpu": "nvidia"}
    facts = replace(HERE, capabilities=tuple({**pairs, "@memory": "8000000000"}.items()))
    shards = market(shard("a", release("a", "1"), release("a", "2", text)))
    answer = solved(shards, problem("a", facts=facts))
    assert shown(answer) == [f"a {chosen} source"]
    assert answer.picks[0].requires == ()  # what a machine has is no component


def test_what_the_machine_lacks_is_told_with_what_it_has() -> None:
    """REQ-08, SOL-10."""
    shards = market(shard("a", release("a", "1", wants(glibc=">=2.40"))))
    with pytest.raises(Unsolvable) as caught:
        solved(shards, problem("a"))
    assert caught.value.why == (
        "`a` 1 requires `@glibc` >=2.40",
        "`@glibc` 2.36 was found on `linux-x86_64-gnu2.36`",
    )
    facts = replace(HERE, absent=(("@cuda", "no driver of a GPU is loaded"),))
    shards = market(shard("a", release("a", "1", wants(cuda=">=12"))))
    with pytest.raises(Unsolvable) as caught:
        solved(shards, problem("a", facts=facts))
    assert caught.value.why[1] == (
        "there is no `@cuda` on `linux-x86_64-gnu2.36`: no driver of a GPU is loaded"
    )


def test_a_tool_is_held_against_the_machine_that_builds() -> None:
    """REQ-08, SOL-03."""
    shards = market(
        shard("a", release("a", "1", needs("build", tool=""))),
        shard("tool", release("tool", "1"), release("tool", "2", wants(cuda=""))),
    )
    target = replace(HERE, capabilities=(("@cuda", "12"), ("@glibc", "2.36")))
    assert shown(solved(shards, problem("a", facts=target, host=HERE)))[1] == "!tool 1 source"


def test_what_is_required_is_a_floor_of_the_lock() -> None:
    """LCK-08: a machine below it has no target in the lock."""
    text = wants(cpu=">=x86-64-v2", glibc=">=2.31,<3", gpu="amd || nvidia", memory="<9")
    facts = Facts(HERE.platform, capabilities=(
        ("@cpu", "x86-64-v3"), ("@glibc", "2.36"), ("@gpu", "amd"), ("@memory", "8"),
    ))  # fmt: skip
    lock = locked(market(shard("a", release("a", "1", text))), problem("a", facts=facts))
    assert lock.target[0].capabilities == (("@cpu", "x86-64-v2"), ("@glibc", "2.31"))
    assert lock.package[0].requires == ()
    with pytest.raises(NoSolution, match="no target"):
        restoring.target_for(lock, replace(facts, capabilities=(("@glibc", "2.36"),)))


def test_a_machine_is_held_against_a_recipe_whatever_a_lock_says() -> None:
    """REQ-08: two alternatives are no floor, and are checked where it is installed."""
    text = "[package]\nname = 'a'\nversion = '1'\nkind = 'program'\nsummary = ''\nlicense = ''\n"
    document = recipe_document.read(text + wants(gpu="amd || nvidia"), file="crpack.toml")
    recipe = recipe_document.open_json(document)
    check_machine("a", recipe.requires, replace(HERE, capabilities=(("@gpu", "amd"),)))
    with pytest.raises(NoSolution) as caught:
        check_machine("a", recipe.requires, HERE)
    assert caught.value.what == "`a` requires `@gpu` amd || nvidia"
    assert caught.value.why == ("there is no `@gpu` on `linux-x86_64-gnu2.36`",)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (wants(glib=">=2"), "did you mean `@glibc`?"),
        (wants(cpu=">=x86-64-3"), "did you mean `x86-64-v3`?"),
        (wants(cpu="x86-64-v2,"), ""),
        (wants(cpu="<x86-64-v2"), ""),
        (wants(gpu="NVIDIA"), ""),
        (wants(cuda="12"), ""),
        ("[requires]\n'@cuda' = { version = '>=12', optional = true }\n", ""),
        ("[requires]\n'@cuda' = 12\n", ""),
        ("[requires.build]\n'@cuda' = '>=12'\n", "a capability stands in `[requires]`"),
        ("[requires.target]\n'@cuda' = '>=12'\n", "a capability stands in `[requires]`"),
    ],
)
def test_what_cannot_be_required_is_a_fault(text: str, hint: str) -> None:
    """REQ-08."""
    with pytest.raises(ManifestError) as caught:
        release("a", "1", text)
    assert hint in "".join(fault.hint for fault in caught.value.faults)
    assert "@" in caught.value.faults[0].path


def test_a_block_and_the_base_require_both() -> None:
    """REQ-08, DOC-04."""
    block = "[[when]]\nmatch = { os = 'linux' }\n[when.requires]\n'@glibc' = '<2.36'\n"
    shards = market(shard("a", release("a", "1", wants(glibc=">=2.31") + block, build=False)))
    with pytest.raises(Unsolvable, match="cannot be had"):
        solved(shards, problem("a"))
