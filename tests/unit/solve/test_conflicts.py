"""What a user reads where there is no solution: one conflict of each kind, whole (SOL-10)."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.solve.problem import Request, Unsolvable
from tests.unit.solve.market import (
    HERE,
    have,
    market,
    needs,
    payload,
    problem,
    release,
    shard,
    solved,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.index.entries import Shard
    from crpack.solve.problem import Problem

Case = tuple[dict[str, "Shard"], "Problem"]
OPTION = "[options.o]\ntype = 'enum'\nvalues = ['x', 'y']\ndefault = 'x'\n"


def rows(name: str, *texts: str, first: int = 1) -> Shard:
    """Return releases 1, 2, … with these recipes."""
    return shard(name, *(release(name, str(n), text) for n, text in enumerate(texts, first)))


def diamond() -> Case:
    shards = market(
        rows("app", needs(gui="", net="")),
        rows("gui", needs(ssl=">=3")),
        rows("net", needs(ssl="<3"), needs(ssl="<3")),
        rows("ssl", "", "", ""),
    )
    return shards, problem("app")


def five_by_two() -> Case:
    shards = market(
        rows("model", *[needs(tf=f">=2.{n}") for n in range(1, 6)]),
        rows("legacy", *[needs(tf=f"<{n}") for n in (1, 2)]),
        shard("tf", *(release("tf", text) for text in ("1.0", "1.9", "2.1", "2.4", "2.9"))),
    )
    return shards, problem("model", "legacy")


def chain_of_four() -> Case:
    shards = market(
        rows("app", needs(m="")),
        rows("m", needs(n=">=1")),
        rows("n", needs(o="")),
        rows("o", needs(p=">=4")),
        rows("p", "", "", ""),
    )
    return shards, problem("app", Request("p", "<4", origin="paper.toml:3"))


def lockstep() -> Case:
    names = ["front", "middle", "back"]
    shards = market(
        *(
            rows(one, *[needs(**{other: f"=={n}"}) for n in range(1, 6)])
            for one, other in zip(names, [*names[1:], "store"], strict=True)
        ),
        rows("store", ""),
    )
    return shards, problem(Request("front", ">=2"))


def declared_conflict() -> Case:
    shards = market(
        rows("fast", "[conflicts]\nslow = ''\n"), rows("slow", "", ""), rows("plain", "")
    )
    return shards, problem("fast", "plain", "slow")


def replaced() -> Case:
    shards = market(
        rows("new", "[replaces]\nold = '<3'\n"), rows("app", needs(old="<2")), rows("old", "")
    )
    return shards, problem("new", "app")


def two_values_of_an_option() -> Case:
    shards = market(
        rows("a", needs(codec="{options = {o = 'x'}}")),
        rows("b", needs(codec="{options = {o = 'y'}}")),
        rows("codec", OPTION),
    )
    return shards, problem("a", "b")


def only_yanked() -> Case:
    gone = release("lib", "1.2", yanked="it loses data")
    return market(rows("app", needs(lib="")), shard("lib", gone)), problem("app")


def only_a_prerelease() -> Case:
    shards = market(rows("app", needs(lib="")), shard("lib", release("lib", "2.0rc1")))
    return shards, problem("app")


def machine_too_old() -> Case:
    new = release("app", "1", payloads=(payload(floors=(("glibc", "2.40"),)),), build=False)
    return market(shard("app", new)), problem("app")


def capability() -> Case:
    shards = market(rows("app", "[requires]\n'@glibc' = '>=2.99'\n"))
    return shards, problem("app")


def interpreter() -> Case:
    shards = market(rows("app", "[python]\npython = '>=3.13'\n"))
    return shards, problem("app", pythons=("3.11.7",))


def tool() -> Case:
    shards = market(
        rows("app", needs("build", cmake=">=4")),
        shard("cmake", release("cmake", "4.1", build=False)),
    )
    return shards, problem("app", facts=replace(HERE, found=(have("cmake", "3.25"),)))


def provided_in_another_version() -> Case:
    shards = market(
        rows("app", needs(blas=">=4", openblas="")),
        rows("openblas", "[provides]\nblas = '3.9'\n"),
    )
    return shards, problem("app")


TOLD: dict[Callable[[], Case], str] = {
    diamond: """
`app` cannot be had
`app` 1 requires `gui`
`app` 1 requires `net`
`gui` 1 requires `ssl` >=3
every `net` (1 and 2) requires `ssl` <3
the index `main` has `ssl` 1, 2 and 3
""",
    five_by_two: """
`model` and `legacy` cannot be had together
every `model` (1 to 5) requires `tf` >=2.1 or stricter
every `legacy` (1 and 2) requires `tf` <2 or stricter
the index `main` has `tf` 1.0, 1.9 and 2.1 to 2.9
-> leave out `model`: `legacy` 2 would do
-> leave out `legacy`: `model` 5 would do
""",
    chain_of_four: """
`app` cannot be had
`app` 1 requires `m`
`m` 1 requires `n` >=1
`n` 1 requires `o`
`o` 1 requires `p` >=4
the index `main` has `p` 1 to 3
-> leave out `app`: `p` 3 would do
""",
    lockstep: """
`front>=2` cannot be had
`front` 2 to 5 require `middle` of the same version
`middle` 2 to 5 require `back` of the same version
`back` 2 to 5 require `store` of the same version
the index `main` has `store` 1
-> ask for `front` in any version: `front` 1 would do
""",
    declared_conflict: """
`fast` and `slow` cannot be had together
`fast` 1 conflicts with `slow`
the index `main` has `slow` 1 and 2
-> leave out `fast`: `plain` 1 and `slow` 2 would do
-> leave out `slow`: `fast` 1 and `plain` 1 would do
""",
    replaced: """
`new` and `app` cannot be had together
`new` 1 replaces `old` <3, so not both
`app` 1 requires `old` <2
the index `main` has `old` 1
-> leave out `new`: `app` 1 would do
-> leave out `app`: `new` 1 would do
""",
    two_values_of_an_option: """
`a` and `b` cannot be had together
`a` 1 requires `codec` with `o=x`
`b` 1 requires `codec` with `o=y`
the index `main` has `codec` 1
-> say `--option codec.o=x`: `a` 1 and `b` 1 would do
-> say `--option codec.o=y`: `a` 1 and `b` 1 would do
-> leave out `a`: `b` 1 would do
""",
    only_yanked: """
`app` cannot be had
`app` 1 requires `lib`
`lib` 1.2 is left out because it is yanked: it loses data
""",
    only_a_prerelease: """
`app` cannot be had
`app` 1 requires `lib`
`lib` 2.0rc1 is left out because it is a pre-release, and nobody asked for one
-> ask for `lib>=2.0rc1` too, a pre-release: `app` 1 and `lib` 2.0rc1 would do
""",
    machine_too_old: """
`app` cannot be had
`app` 1 is left out because it needs `glibc` 2.40 and there is 2.36
""",
    capability: """
`app` cannot be had
`app` 1 requires `@glibc` >=2.99
`@glibc` 2.36 was found on `linux-x86_64-gnu2.36`
""",
    interpreter: """
`app` cannot be had
`app` 1 requires Python >=3.13
there is Python 3.11.7
""",
    tool: """
`app` cannot be had
`app` 1 needs `cmake` >=4 to be built
`cmake` 3.25 was found on this machine, at /usr/bin/cmake
`cmake` 4.1 is left out because its recipe only says how to recognise it
""",
    provided_in_another_version: """
`app` cannot be had
`app` 1 requires `blas` >=4
`openblas` provides `blas` 3.9
""",
}


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.__name__)
def test_what_is_told(case: Callable[[], Case]) -> None:
    """SOL-10."""
    with pytest.raises(Unsolvable) as caught:
        solved(*case())
    error = caught.value
    said = "\n".join([error.what, *error.why, *(f"-> {one.text}" for one in error.conflict.fixes)])
    assert said == TOLD[case].strip("\n")


def test_the_tree_tells_each_component_once() -> None:
    """SOL-10."""
    with pytest.raises(Unsolvable) as caught:
        solved(*diamond())
    assert caught.value.tree == (
        "you asked for `app`",
        "  `app` 1 requires `gui`",
        "    `gui` 1 requires `ssl` >=3",
        "      the index `main` has `ssl` 1, 2 and 3",
        "  `app` 1 requires `net`",
        "    every `net` (1 and 2) requires `ssl` <3, see above",
    )


def test_five_versions_by_two_are_told_in_six_lines() -> None:
    """SOL-10."""
    lines = TOLD[five_by_two].strip("\n").splitlines()
    assert len(lines) <= 6
    assert all(len(line) <= 80 for line in lines)


def test_the_words_are_the_same_whatever_the_order_of_hashes() -> None:
    """SOL-01, SOL-10."""
    code = (
        "from tests.unit.solve import test_conflicts as t\n"
        "for case in t.TOLD:\n"
        "    try: t.solved(*case())\n"
        "    except t.Unsolvable as error: print(error.what, error.tree, error.data)\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.getcwd()},
            capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(told) == 1
    assert told != {b""}
