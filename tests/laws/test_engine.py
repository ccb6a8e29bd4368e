"""The engine on random problems: verdict, answer and proof against a SAT solver (SOL-04 to SOL-08).

`make fuzz` runs the same over a million problems.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import UsageError
from crpack.model import versions
from crpack.solve import proof
from crpack.solve.engine import Clause, Engine
from crpack.solve.ranking import Ranking

CASES = 2400
PARTS = 6


@pytest.mark.parametrize("part", range(PARTS))
def test_a_sat_solver_agrees(part: int) -> None:
    """SOL-04, SOL-05, SOL-06, SOL-07, SOL-08."""
    pytest.importorskip("pysat", reason="python-sat is not installed")
    from tests.tools.solver_fuzz import judge

    first = part * CASES // PARTS
    found = [judge(seed) for seed in range(first, first + CASES // PARTS)]
    assert len(found) // 5 < sum(found) < len(found) * 4 // 5


PARTS_OF_VERSIONS = st.builds(
    lambda epoch, release, tail: f"{epoch}{'.'.join(map(str, release))}{tail}",
    st.sampled_from(["", "", "", "1!"]),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.sampled_from(["", "", "", "a1", "rc2", ".post1", ".dev0", "+x"]),
)
OPERATORS = st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "~="])


@st.composite
def ranges(draw: st.DrawFn) -> str:
    def clause() -> str:
        operator, bound = draw(OPERATORS), draw(PARTS_OF_VERSIONS)
        if operator in ("==", "!=") and draw(st.booleans()):
            return f"{operator}{bound.split('+')[0]}.*"
        return operator + bound

    lists = [
        ",".join(clause() for _ in range(draw(st.integers(1, 3))))
        for _ in range(draw(st.integers(1, 2)))
    ]
    return draw(st.sampled_from(["", " || ".join(lists)]))


@given(st.lists(PARTS_OF_VERSIONS, max_size=12, unique_by=versions.parse), ranges(), st.booleans())
def test_a_mask_says_what_the_range_says(known: list[str], text: str, early: bool) -> None:  # noqa: FBT001
    """VER-03, VER-04: of each version, however it is found."""
    try:
        wanted = versions.parse_range(text)
    except UsageError:
        return
    ranking = Ranking((version, 1 << place) for place, version in enumerate(known))
    mask = ranking.admitted(text, early=early)
    for place, version in enumerate(known):
        assert bool(mask >> place & 1) is wanted.admits(version, early=early), version


def pigeons(many: int, holes: int) -> Engine:
    """Return an engine that is asked to put each pigeon into a hole of its own."""
    engine = Engine()
    for _ in range(many):
        engine.variable((1 << holes) - 1)
    for one in range(many):
        for other in range(one):
            for hole in range(holes):
                engine.add([(one, 1 << hole), (other, 1 << hole)], "two pigeons")
    return engine


def solved(engine: Engine) -> Clause | None:
    """Search to the end, first values first; return what was proved, None for an answer."""
    while True:
        violated = engine.propagate()
        if violated is not None:
            last = engine.learn(violated)
            if last is not None:
                return last
            continue
        open_ = [place for place, have in enumerate(engine.domain) if have & (have - 1)]
        if not open_:
            return None
        engine.decide(open_[0], engine.domain[open_[0]] & -engine.domain[open_[0]])


def test_a_refutation_can_be_replayed_and_a_wrong_one_not() -> None:
    """SOL-08."""
    engine = pigeons(5, 4)
    last = solved(engine)
    assert last is not None
    assert proof.follows(last, engine.full)
    learned = next(one for one in proof.ordered(last) if len(one.steps) > 1)
    wrong = Clause(learned.lits, None, learned.steps[:1])
    assert not proof.follows(wrong, engine.full)
    assert solved(pigeons(4, 4)) is None


def test_what_was_learned_is_kept_when_decisions_are_taken_back() -> None:
    engine = Engine()
    one, two = engine.variable(0b11), engine.variable(0b11)
    engine.decide(one, 0b01)
    engine.add([(two, 0b01)], "a fact of one variable holds whatever was decided")
    assert engine.propagate() is None
    violated = engine.add([(one, 0b01), (two, 0b10)], "and this one rules the decision out")
    assert violated is not None
    assert engine.learn(violated) is None
    assert engine.propagate() is None
    assert (engine.level, engine.domain) == (0, [0b10, 0b10])
