from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from crpack.errors import CrpackError, Undecided, UsageError
from crpack.index.entries import IndexSource, Shard
from crpack.model.facts import Facts
from crpack.solve import pool, provider, solver, universe
from crpack.solve.pool import Pool
from crpack.solve.problem import (
    Answer,
    Offer,
    Policy,
    Preference,
    Problem,
    Request,
    Slot,
    Unsolvable,
)
from tests.unit.solve.market import (
    HERE,
    LINUX,
    have,
    market,
    needs,
    payload,
    problem,
    release,
    shard,
    shown,
    solved,
    waves,
)

OPTION = "[options.o]\ntype = 'enum'\nvalues = ['x', 'y']\ndefault = 'x'\n"


def failure(shards: dict[str, Shard], what: Problem) -> Unsolvable:
    with pytest.raises(Unsolvable) as caught:
        solved(shards, what)
    assert caught.value.exit_code == 3
    return caught.value


def simple(name: str, *versions: str, text: str = "") -> Shard:
    return shard(name, *(release(name, version, text) for version in versions))


def on(*found: tuple[str, str | None]) -> Facts:
    return replace(HERE, found=tuple(have(*one) for one in found))


def test_names_are_looked_up_level_by_level() -> None:
    """SOL-01."""
    shards = market(
        simple("a", "1", text=needs(b="", c="")),
        simple("b", "1", text=needs(d="")),
        simple("c", "1", text=needs(d="")),
        simple("d", "1"),
    )
    answer, asked = waves(shards, problem("a"))
    assert asked == [("a",), ("b", "c"), ("d",)]
    assert [pick.name for pick in answer.picks] == ["a", "b", "c", "d"]


def test_only_what_a_source_needs_is_built_with_tools() -> None:
    """SOL-02: build requirements in the context `build`, what these need as well."""
    text = needs(run="") + needs("build", tool="") + needs("target", lib="")
    tool = shard("tool", release("tool", "1", needs(run="<2"), payloads=(payload(),)))
    shards = market(simple("a", "1", text=text), simple("run", "1", "2"), simple("lib", "1"), tool)
    assert shown(solved(shards, problem("a"))) == [
        "a 1 source",
        "run 2 source",
        "lib 1 source",
        "!tool 1 binary",
        "!run 1 source",
    ]
    ready = {**shards, "a": shard("a", release("a", "1", text, payloads=(payload(),)))}
    assert shown(solved(ready, problem("a"))) == ["a 1 binary", "run 2 source", "lib 1 source"]


def test_tools_are_chosen_for_the_machine_that_builds() -> None:
    """SOL-03: what is found there serves there, and nowhere else."""
    arm = "linux-aarch64-gnu2.28"
    shards = market(
        shard("a", release("a", "1", needs(lib="") + needs("build", lib=""))),
        shard("lib", release("lib", "1", payloads=(payload(arm), payload()))),
    )
    answer = solved(shards, problem("a", facts=on(("lib", "3")), target=arm))
    assert shown(answer) == ["a 1 source", "lib 1 binary", "!lib 3 detected"]
    assert answer.picks[1].payload == payload(arm).id
    host = problem("a", facts=Facts(arm), host=on(("lib", "3")))
    assert shown(solved(shards, host)) == shown(answer)


def test_a_tool_is_the_component_of_the_results_where_that_holds() -> None:
    """SOL-09."""
    lib = simple("lib", "1", "2")
    text = needs("build", lib="")
    shards = market(simple("a", "1", text=needs(lib="<2") + text), lib)
    assert shown(solved(shards, problem("a")))[1:] == ["lib 1 source", "!lib 1 source"]
    shards = market(simple("a", "1", text=needs(lib="<2") + needs("build", lib=">=2")), lib)
    assert shown(solved(shards, problem("a")))[1:] == ["lib 1 source", "!lib 2 source"]


@pytest.mark.parametrize(
    ("change", "origin"),
    [
        ({"payloads": (payload(),)}, "binary"),
        ({"payloads": (payload("any"),)}, "binary"),
        ({"payloads": (payload("linux-x86_64-gnu2.99"),)}, "source"),
        ({"payloads": (payload("plan9-mips"),)}, "source"),
        ({"payloads": (payload(floors=(("glibc", "2.36"),)),)}, "binary"),
        ({"payloads": (payload(floors=(("glibc", "2.37"),)),)}, "source"),
        ({"payloads": (payload(floors=(("cuda", "12"),)),)}, "source"),
        ({"payloads": (payload(options=(("o", "y"),)),)}, "source"),
        ({"payloads": (payload(),), "copies": ("thin",), "sources": (IndexSource("0" * 64, 1),)},
         "none"),
        ({"copies": ("thin",), "sources": (IndexSource("0" * 64, 1, ("https://x.org/y",)),)},
         "source"),
        ({"payloads": (payload(),), "copies": ("thin",)}, "none"),
        ({"build": False}, "none"),
        ({"needs": ">=0.0.1"}, "source"),
        ({"needs": ">=99"}, "none"),
        ({"yanked": "it is broken"}, "none"),
    ],
)  # fmt: skip
def test_a_release_is_had_where_it_can_be(change: dict[str, object], origin: str) -> None:
    """SOL-03, SOL-05."""
    shards = market(shard("a", release("a", "1", **change)))  # type: ignore[arg-type]
    if origin == "none":
        assert failure(shards, problem("a")).conflict.nodes[1].kind == "excluded"
    else:
        assert solved(shards, problem("a")).picks[0].origin == origin


def test_the_smallest_payload_serves_and_one_that_is_stored_first() -> None:
    """SOL-06."""
    many = (payload(packed=30), payload(packed=10), payload(packed=20))
    shards = market(shard("a", release("a", "1", payloads=many)))
    assert solved(shards, problem("a")).picks[0].payload == many[1].id
    stored = problem("a", stored=(many[0].tree,))
    assert solved(shards, stored).picks[0].payload == many[0].id


def test_where_nothing_may_be_built_a_payload_must_serve() -> None:
    shards = market(shard("a", release("a", "2"), release("a", "1", payloads=(payload(),))))
    assert shown(solved(shards, problem("a", builds=False))) == ["a 1 binary"]
    assert shown(solved(shards, problem("a"))) == ["a 2 source"]


def order(found: str, ready: str, made: str, **rest: Any) -> str:
    """Return what serves a dependency that is had in three ways."""
    parts = [release("b", ready, payloads=(payload(),)), release("b", made)]
    shards = market(simple("a", "1", text=needs(b=str(rest.pop("range", "")))), shard("b", *parts))
    return shown(solved(shards, problem("a", facts=on(("b", found)), **rest)))[1][2:]


def test_detected_software_comes_first_within_its_line() -> None:
    """SOL-06."""
    assert order("1.0", "1.5", "1.9") == "1.0 detected"
    assert order("1.0", "2.5", "2.9") == "2.5 binary"
    assert order("1.0", "0.5", "2.9") == "1.0 detected"
    assert order("1.0", "1.5", "1.9", range=">=1.2") == "1.5 binary"
    assert order("1.0", "1.5", "1.9", range=">=1.6") == "1.9 source"
    assert order("1.0", "2.5", "2.9", range="<2 || >=3") == "1.0 detected"
    newest, made = Policy(prefer="newest"), Policy(prefer="made")
    assert order("1.0", "1.5", "1.9", policy=newest) == "1.9 source"
    assert order("1.0", "1.5", "1.9", policy=made) == "1.5 binary"
    assert order("1.0", "1.5", "1.9", policy=made, range="<1.2") == "1.0 detected"
    assert order("1.0", "1.5", "1.9", policy=Policy(detect=False)) == "1.5 binary"
    only = Policy(only_detected=True)
    assert order("1.0", "2.5", "2.9", policy=only) == "1.0 detected"


@pytest.mark.parametrize(
    ("text", "served"),
    [
        ("{external = 'prefer'}", "1.0 detected"),
        ("{external = 'allow'}", "2.5 source"),
        ("{external = 'forbid', version = '<2'}", "1.5 source"),
    ],
)
def test_who_requires_says_whether_detected_software_may_serve(text: str, served: str) -> None:
    """SOL-04, SOL-06, REQ-01."""
    ready = release("b", "2.5"), release("b", "1.5")
    shards = market(simple("a", "1", text=needs(b=text)), shard("b", *ready))
    facts = on(("b", "1.0"))
    if "allow" in text:  # a line that needs a build stands behind one that does not
        facts = on(("b", None))
    assert shown(solved(shards, problem("a", facts=facts)))[1] == f"b {served}"


def test_detected_software_that_is_preferred_comes_before_everything() -> None:
    """REQ-01, SOL-04, SOL-06: whoever asks first, for a requested name too."""
    shards = market(
        simple("a", "1", text=needs(b="")),
        simple("n", "1", text=needs(b="{external = 'prefer', version = '<2'}")),
        shard("b", release("b", "2.5"), release("b", "1.9", payloads=(payload(),))),
    )
    facts = on(("b", "1.0"))
    for names in (("a", "n"), ("n", "a"), ("b", "n"), ("n", "b")):
        answer = solved(shards, problem(*names, facts=facts))
        assert "b 1.0 detected" in shown(answer)
    assert "b 2.5 source" in shown(solved(shards, problem("a", "b", facts=facts)))
    far = needs(b="{external = 'prefer', version = '>=3'}")
    shards["n"] = simple("n", "1", text=far)
    assert "b" in failure(shards, problem("n", facts=facts)).why[-1]


def test_a_requested_name_is_installed_newest_first() -> None:
    """SOL-04, SOL-06: even where the machine has it, or a payload is older."""
    ready = release("a", "1.5", payloads=(payload(),))
    shards = market(shard("a", ready, release("a", "2.0"), release("a", "2.0", revision=3)))
    answer = solved(shards, problem("a", facts=on(("a", "9"))))
    assert shown(answer) == ["a 2.0 source"]
    assert answer.picks[0].revision == 3


def test_unknown_and_broken_software_serves_nobody() -> None:
    """VER-05."""
    shards = market(simple("a", "1", text=needs(b="")), simple("b", "1"))
    for version in (None, "not a version", "1.1.1w", ""):
        answer = solved(shards, problem("a", facts=on(("b", version))))
        assert shown(answer)[1] == "b 1 source"
    facts = replace(HERE, found=(have("b", "1", runnable=False),))
    assert shown(solved(shards, problem("a", facts=facts)))[1] == "b 1 source"


def test_what_no_index_has_may_be_on_the_machine() -> None:
    shards = market(simple("a", "1", text=needs(b=">=2")))
    answer = solved(shards, problem("a", facts=on(("b", "2.1"))))
    assert shown(answer)[1] == "b 2.1 detected"
    assert answer.picks[1].instead is None
    assert answer.picks[1].fallback == ""


def test_a_detected_pick_says_what_would_have_been_installed() -> None:
    """SOL-09."""
    parts = release("b", "1.1", payloads=(payload(),)), release("b", "1.2")
    shards = market(simple("a", "1", text=needs(b=">=1,<2")), shard("b", *parts))
    pick = solved(shards, problem("a", facts=on(("b", "1.0")))).picks[1]
    assert (pick.range, pick.fallback, pick.index) == (">=1,<2", "binary", "main")
    assert pick.instead is not None
    assert (pick.instead.version, pick.instead.payload) == ("1.1", payload().id)


def test_options_come_from_the_user_else_the_askers_else_the_default() -> None:
    """SOL-04, PRM-05."""
    ask = needs(b="{options = {o = 'y'}}")
    b = shard("b", release("b", "1", OPTION + "[[when]]\nmatch = {option = {o = 'y'}}\n" + needs(
        "", c="").replace("[requires]", "[when.requires]")))  # fmt: skip
    shards = market(
        simple("a", "1", text=ask), simple("n", "1", text=needs(b="")), b, simple("c", "1")
    )

    def option(answer: Answer) -> tuple[tuple[str, str], ...]:
        return next(pick.options for pick in answer.picks if pick.name == "b")

    assert option(solved(shards, problem("n"))) == (("o", "x"),)
    both = solved(shards, problem("n", "a"))
    assert option(both) == (("o", "y"),)
    assert [pick.name for pick in both.picks] == ["n", "a", "b", "c"]
    user = problem("n", "a", options=(("b", "o", "x"),))
    assert option(solved(shards, user)) == (("o", "x"),)
    request = problem("n", Request("b", options=(("o", "y"),)))
    assert option(solved(shards, request)) == (("o", "y"),)


def test_an_option_of_the_asker_is_filled_in() -> None:
    """REQ-02."""
    ask = OPTION + needs(b="{options = {o = '{option.o}'}}")
    shards = market(simple("a", "1", text=ask), simple("b", "1", text=OPTION))
    answer = solved(shards, problem(Request("a", options=(("o", "y"),))))
    assert answer.picks[1].options == (("o", "y"),)


def test_two_askers_with_different_values_are_a_conflict() -> None:
    """SOL-04: unless the software is there already, whose options are not known."""
    shards = market(
        simple("a", "1", text=needs(b="{options = {o = 'x'}}")),
        simple("n", "1", text=needs(b="{options = {o = 'y'}}")),
        simple("b", "1", text=OPTION),
    )
    error = failure(shards, problem("a", "n"))
    assert error.what == "`a` and `n` cannot be had together"
    assert error.why[:2] == ("`a` 1 requires `b` with `o=x`", "`n` 1 requires `b` with `o=y`")
    there = problem("a", "n", facts=on(("b", "1")))
    assert shown(solved(shards, there))[2] == "b 1 detected"


def test_an_option_that_nobody_has_is_refused() -> None:
    shards = market(simple("a", "1", text=needs(b="{options = {z = '1'}}")), simple("b", "1"))
    assert "`b` has no option `z`" in failure(shards, problem("a")).why[-1]
    with pytest.raises(UsageError, match="no component `q`"):
        solved(market(simple("b", "1")), problem("b", options=(("q", "o", "1"),)))
    twice = Request("b", options=(("o", "x"),)), Request("b", options=(("o", "y"),))
    with pytest.raises(UsageError, match="asked to be"):
        solved(market(simple("b", "1", text=OPTION)), problem(*twice))


def test_the_optional_is_taken_where_it_can_be() -> None:
    """SOL-04."""
    shards = market(
        simple("a", "1", text=needs(b="{version = '>=2', optional = true}")),
        simple("n", "1", text=needs(b="<2")),
    )
    assert shown(solved(shards, problem("a"))) == ["a 1 source"]
    shards["b"] = simple("b", "1", "2")
    assert shown(solved(shards, problem("a"))) == ["a 1 source", "b 2 source"]
    shards["b"] = simple("b", "1", "2", text=needs(z=""))
    assert shown(solved(shards, problem("a"))) == ["a 1 source"]
    shards["b"] = simple("b", "1", "2")
    assert failure(shards, problem("a", "n")).what == "`a` and `n` cannot be had together"


def test_a_pre_release_serves_only_who_asks_for_one() -> None:
    """SOL-05."""
    b = simple("b", "1.0", "2.0rc1")
    for text, served in (("", "1.0"), (">=1", "1.0"), (">=2.0rc0", "2.0rc1"), (">1.0rc1", "1.0")):
        shards = market(simple("a", "1", text=needs(b=text)), b)
        want = "2.0rc1" if "rc" in text else served
        assert solved(shards, problem("a")).picks[1].version == want
    assert shown(solved(market(b), problem("b"))) == ["b 1.0 source"]
    early = problem(Request("b", prerelease=True))
    assert shown(solved(market(b), early)) == ["b 2.0rc1 source"]
    assert shown(solved(market(b), problem(Request("b", ">1")))) == ["b 2.0rc1 source"]
    shards = market(simple("a", "1", text=needs(b="")), simple("b", "2.0rc1"))
    assert "pre-release" in failure(shards, problem("a")).why[-1]
    assert shown(solved(shards, problem("a", "b")))[1] == "b 2.0rc1 source"


def test_a_lock_keeps_what_it_has() -> None:
    """SOL-05, SOL-06, LCK-09."""
    a = shard("a", release("a", "1", yanked="old"), release("a", "2"))
    kept = problem("a", locked=(Preference("a", "1", 0),))
    assert shown(solved(market(a), kept)) == ["a 1 source"]
    other = problem("a", locked=(Preference("a", "1", 0, identity="f" * 64),))
    assert shown(solved(market(a), other)) == ["a 2 source"]
    newer = problem(Request("a", ">=2"), locked=(Preference("a", "1", 0),))
    assert shown(solved(market(a), newer)) == ["a 2 source"]
    bound = problem("a", locked=(Preference("a", "1", 0, index="mine"),))
    assert "bound to the index `mine`" in failure(market(a), bound).why[0]
    deps = market(simple("n", "1", text=needs(b="")), simple("b", "1"))
    was = problem("n", facts=on(("b", "1.2")), locked=(Preference("b", "1", 0),))
    assert shown(solved(deps, was))[1] == "b 1 source"
    was = problem("n", facts=on(("b", "1.2")), locked=(Preference("b", "1.1", 0, detected=True),))
    assert shown(solved(deps, was))[1] == "b 1.2 detected"


def test_components_in_conflict_are_never_together() -> None:
    """SOL-04, REQ-06, REQ-07."""
    for word in ("conflicts", "replaces"):
        shards = market(
            shard("a", release("a", "2", f"[{word}]\nb = '>=2'\n"), release("a", "1")),
            simple("b", "1", "2"),
        )
        assert shown(solved(shards, problem("a", "b"))) == ["a 2 source", "b 1 source"]
        assert shown(solved(shards, problem("b", "a")))[0] == "b 2 source"
        late = problem("a", Request("b", ">=2"))
        assert shown(solved(shards, late)) == ["a 1 source", "b 2 source"]
        error = failure(shards, problem(Request("a", ">=2"), Request("b", ">=2")))
        told = "conflicts with `b` >=2" if word == "conflicts" else "replaces `b` >=2, so not both"
        assert f"`a` 2 {told}" in error.why


def test_what_another_component_provides_serves() -> None:
    """SOL-04, REQ-05."""
    fast = shard("fast", release("fast", "3", "[provides]\nblas = '1.5'\n[conflicts]\nblas = ''\n"))
    asks = simple("a", "1", text=needs(blas=">=1"))
    shards = market(asks, fast, simple("blas", "1"))
    assert shown(solved(shards, problem("a"))) == ["a 1 source", "blas 1 source"]
    answer = solved(shards, problem("a", "fast"))
    assert shown(answer) == ["a 1 source", "fast 3 source", "blas 1.5 virtual"]
    assert answer.picks[2].requires == (("fast", ""),)
    bare = shard("fast", release("fast", "3", "[provides]\nblas = ''\n"))
    del shards["blas"]
    assert "blas" in failure({**shards, "fast": bare}, problem("a", "fast")).why[-1]
    free = {**shards, "a": simple("a", "1", text=needs(blas="")), "fast": bare}
    assert "blas  virtual" in shown(solved(free, problem("a", "fast")))


def test_one_interpreter_must_lie_in_all_ranges() -> None:
    """SOL-05."""
    shards = market(
        shard("a", release("a", "2", "[python]\npython = '>=3.12'\n"), release("a", "1")),
        simple("b", "1", text="[python]\npython = '<3.12'\n"),
    )
    assert solved(shards, problem("a", "b")).picks[0].version == "2"
    known = problem("a", "b", pythons=("3.11.2", "3.14.0a1+", "3.12.1"))
    assert shown(solved(shards, known)) == ["a 1 source", "b 1 source"]
    error = failure(shards, problem(Request("a", ">=2"), "b", pythons=("3.11.2", "3.12.1")))
    assert error.why[-1] == "there is Python 3.11.2 and 3.12.1"


def test_circles_are_walked_once() -> None:
    """SOL-07."""
    shards = market(
        simple("a", "1", text=needs(b="")),
        simple("b", "1", text=needs(c="")),
        simple("c", "1", text=needs(a="", b="")),
    )
    assert [pick.name for pick in solved(shards, problem("a")).picks] == ["a", "b", "c"]


def test_a_deep_graph_is_no_matter_of_recursion() -> None:
    """SOL-07: twice as deep as Python's stack."""
    count = 400
    rows = [simple(f"p{i}", "1", text=needs(**{f"p{(i + 1) % count}": ""})) for i in range(count)]
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(_depth() + count // 2)
        assert len(solved(market(*rows), problem("p0")).picks) == count
    finally:
        sys.setrecursionlimit(limit)


def _depth() -> int:
    frame, depth = sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


def test_an_answer_that_backjumping_misses_is_found() -> None:
    """SOL-08: `resolvelib` 1.2.1 answers that there is none; the oldest `b` needs nothing."""
    shards = market(
        simple("a", "1"),
        shard(
            "b",
            release("b", "1"),
            release("b", "2", needs(c=">=2")),
            release("b", "3", needs(d="==1")),
        ),
        simple("c", "1"),
        shard(
            "d",
            release("d", "1", needs(b="==2")),
            release("d", "2"),
            release("d", "3", needs(b="")),
        ),
    )
    pool = Pool(problem("a", "b"))
    pool.take({name: Offer("main", shards[name]) for name in "abcd"})
    assert provider.propose(pool) is None
    assert shown(solved(shards, problem("a", "b"))) == ["a 1 source", "b 1 source"]


def test_a_long_chain_without_an_end_is_refuted_at_once() -> None:
    """SOL-08: 900 releases, 30 to the power of 30 combinations."""
    last = {29: needs(end=">=9")}
    rows = [
        simple(
            f"p{i}",
            *(str(v) for v in range(1, 31)),
            text=last.get(i) or needs(**{f"p{i + 1}": ""}),
        )
        for i in range(30)
    ]
    error = failure(market(*rows, simple("end", "1")), problem("p0"))
    assert error.why[0] == "every `p0` (1 to 30) requires `p1`"


def test_a_limit_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """SOL-08."""
    shards = market(simple("a", "1", text=needs(b=">=2")), simple("b", "1"))
    monkeypatch.setattr(solver, "Pool", partial(Pool, work=2))
    with pytest.raises(Undecided) as caught:
        solved(shards, problem("a"))
    assert caught.value.exit_code == 1
    monkeypatch.undo()
    monkeypatch.setattr(universe, "MAX_CANDIDATES", 1)
    with pytest.raises(Undecided):
        solved(shards, problem("a"))


def test_a_hostile_recipe_is_left_out() -> None:
    bad = replace(release("a", "2"), recipe=b'{"package":3}')
    shards = market(shard("a", bad, release("a", "1")))
    assert shown(solved(shards, problem("a"))) == ["a 1 source"]


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    code = "import sys, crpack.solve.solver; sys.exit('resolvelib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_failure_is_one_of_crpack() -> None:
    with pytest.raises(CrpackError):
        solved(market(), problem("nothing"))
    assert HERE.platform == LINUX


def chain(length: int) -> dict[str, Shard]:
    names = [f"c{n}" for n in range(length)]
    more = [needs(**{name: ""}) for name in names[1:]]
    return market(*(simple(n, "1", text=t) for n, t in zip(names, [*more, ""], strict=True)))


def test_a_chain_of_too_many_names_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """SOL-08: a stranger may list names without end."""
    monkeypatch.setattr(pool, "MAX_NAMES", 20)
    assert len(solved(chain(20), problem("c0")).picks) == 20
    with pytest.raises(Undecided, match="too many components"):
        solved(chain(21), problem("c0"))


def test_work_is_counted_whoever_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """SOL-08: restarts, `resolvelib` and the walk too."""
    monkeypatch.setattr(solver, "Pool", partial(Pool, work=50))
    with pytest.raises(Undecided, match="not proved"):
        solved(chain(30), problem("c0"))


WHEN_X = "[[when]]\nmatch = { option = { o = 'x' } }\n[when.requires]\nmissing = ''\n"


def test_the_oldest_versions_may_be_preferred() -> None:
    """SOL-06: of requests and of what they need; a pre-release is none of them."""
    shards = market(
        shard("a", *(release("a", v, needs(b=">=1.5")) for v in ("0.9rc1", "1", "2"))),
        simple("b", "1", "1.5", "2"),
    )
    lowest = problem("a", policy=Policy(prefer="lowest"))
    assert shown(solved(shards, lowest)) == ["a 1 source", "b 1.5 source"]


def test_what_is_there_already_may_be_preferred() -> None:
    """SOL-06: a stored tree, for a requested name too."""
    old, new = payload(packed=5), payload(packed=6)
    shards = market(
        shard("a", release("a", "1", payloads=(old,)), release("a", "2", payloads=(new,)))
    )
    stored = problem("a", stored=(old.tree,), policy=Policy(prefer="locked"))
    assert shown(solved(shards, stored)) == ["a 1 binary"]
    assert shown(solved(shards, replace(stored, policy=Policy()))) == ["a 2 binary"]


def test_a_variant_that_nobody_asked_for_yet_is_found() -> None:
    """SOL-04, SOL-08: who asks for it stands in a release that is looked at last."""
    shards = market(
        simple("a", "1", text=needs(b="", c="")),
        shard("b", release("b", "1", OPTION + WHEN_X)),
        shard("c", release("c", "2"), release("c", "1", needs(b="{options = {o = 'y'}}"))),
    )
    assert shown(solved(shards, problem("a")))[1:] == ["b 1 source", "c 1 source"]


def test_a_prerelease_that_only_a_later_release_asks_for_is_found() -> None:
    """SOL-05, SOL-08."""
    shards = market(
        simple("a", "1", text=needs(b="", c="")),
        shard("b", release("b", "2.0rc1")),
        shard("c", release("c", "2"), release("c", "1", needs(b=">=2.0rc1"))),
    )
    assert shown(solved(shards, problem("a")))[1:] == ["b 2.0rc1 source", "c 1 source"]


def test_a_choice_of_many_slots_is_derived_again_with_every_edge_of_it() -> None:
    """SOL-07: groups of slots, and what is not reached or does not fit is seen."""
    names = [f"n{number}" for number in range(100)]
    after = dict(pairwise(names))
    shards = market(
        *(simple(name, "1", "2", text=needs(**{after[name]: ">=2"})) for name in names[:-1]),
        simple(names[-1], "1", "2"),
    )
    pool = Pool(problem(names[0]))
    pool.take({name: Offer("main", shards[name]) for name in names})
    newest = {Slot(name): pool.made(Slot(name), ())[0] for name in names}
    assert provider.derive(pool, newest) == newest
    oldest = pool.made(Slot("n50"), ())[1]
    assert provider.derive(pool, {**newest, Slot("n50"): oldest}) is None
    fewer = {slot: one for slot, one in newest.items() if slot.name != "n50"}
    assert provider.derive(pool, fewer) is None
