from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.model import versions
from crpack.solve.fitting import together

VERSIONS = [f"{a}.{b}" for a in range(4) for b in range(3)]
CLAUSE = st.builds(
    str.__add__, st.sampled_from([">=", ">", "<", "<=", "==", "!="]), st.sampled_from(VERSIONS)
)
RANGE = st.lists(
    st.lists(CLAUSE, min_size=1, max_size=2).map(",".join), min_size=1, max_size=2
).map(" || ".join)


@given(st.lists(RANGE, max_size=3), st.sampled_from(VERSIONS))
def test_a_joined_range_admits_what_all_admit(ranges: list[str], version: str) -> None:
    joined = together(ranges)
    every = all(versions.parse_range(text).admits(version) for text in ranges)
    if joined or not ranges:  # else it could not be written down
        assert versions.parse_range(joined).admits(version) == every


@pytest.mark.parametrize(
    ("ranges", "joined"),
    [
        ([], ""),
        (["", ">=1"], ">=1"),
        ([">=1,<3", ">=2", "<4"], ">=2,<3"),
        ([">1", ">=1", "<=2", "<2"], ">1,<2"),
        (["==1.*", "==1.*", "!=1.5"], "==1.*,!=1.5"),
        ([">=1 || ==0.5", "<2"], ">=1,<2 || ==0.5,<2"),
    ],
)
def test_each_bound_stands_once(ranges: list[str], joined: str) -> None:
    assert together(ranges) == joined


def test_what_cannot_be_written_down_is_the_version_that_serves() -> None:
    """LCK-05: it is narrower than what was asked, and never a reason to refuse."""
    for ranges in ([f">={n} || <{n}" for n in range(7)], [f"!={n}.{n}" for n in range(99)]):
        assert together(ranges, "9") == "==9"
        assert together(ranges) == ""
