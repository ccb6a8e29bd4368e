from __future__ import annotations

import pytest

from crpack.solve.spans import ordered, span

TEN = tuple(f"1.{n}" for n in range(10))


@pytest.mark.parametrize(
    ("texts", "ranges", "told"),
    [
        ("1.3", (), "1.3"),
        ("1.3 1.4", (), "1.3 and 1.4"),
        ("1.3 1.4 1.5", (), "1.3 to 1.5"),
        ("1.0 1.1 1.2 1.8", (), "1.0 to 1.2 and 1.8"),
        ("1.0 1.2 1.4 1.6 1.8", (), "1.0, 1.2, 1.4, 1.6 and 1.8"),
        ("1.0 1.2 1.4 1.6 1.8 1.9", (), "1.0, 1.2, 1.4, 1.6, 1.8 and 1.9"),
        (" ".join(TEN), (), "1.0 to 1.9"),
        (" ".join(TEN), (">=1.5",), "1.0 to 1.4 and 1.5 to 1.9"),
        (" ".join(TEN), ("<1.3", ">=1.6"), "1.0 to 1.2, 1.3 to 1.5 and 1.6 to 1.9"),
        (" ".join(TEN), ("==1.4.1",), "1.0 to 1.4 and 1.5 to 1.9"),
        (" ".join(TEN), ("==2.*",), "1.0 to 1.9"),
        (" ".join(TEN), ("==1.0 || ==1.2 || ==1.4",), "1.0 to 1.9"),
        ("", (), ""),
    ],
)
def test_versions_that_stand_together_are_told_by_their_ends(
    texts: str, ranges: tuple[str, ...], told: str
) -> None:
    """SOL-10: a range that cuts them is seen, where that makes few pieces."""
    assert span(tuple(texts.split()), TEN, ranges) == told


def test_of_many_pieces_the_first_ones_and_the_last_are_told() -> None:
    """SOL-10."""
    known = tuple(str(number) for number in range(500))
    assert span(known[::2], known) == "0, 2, 4, 6 and 246 more up to 498"
    assert span(known[:3] + known[7:], known) == "0 to 2 and 7 to 499"


def test_versions_are_ordered_each_once_and_what_is_none_is_left_out() -> None:
    assert ordered(["1.10", "1.9", None, "", "unknown", "1.9", "2.0rc1"]) == (
        *("1.9", "1.10", "2.0rc1"),
    )
