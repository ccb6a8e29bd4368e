from __future__ import annotations

import pytest

from crpack.model import dates, quantity


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (2**40, "1024.0 GiB")],
)
def test_sizes_read_in_powers_of_1024(count: int, text: str) -> None:
    assert quantity.size(count) == text


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [(0, "tree", "0 trees"), (1, "tree", "1 tree"), (2, "tree", "2 trees"), (1, "entry", "1 entry"),
     (3, "entry", "3 entries"),
     (3, "root key", "3 root keys"), (2, "Python environment", "2 Python environments")],
)  # fmt: skip
def test_a_noun_is_in_the_plural_but_for_one(count: int, noun: str, text: str) -> None:
    assert quantity.counted(count, noun) == text


def test_a_date_is_utc_to_the_second() -> None:
    assert dates.utc(1_704_067_199.9) == "2023-12-31T23:59:59Z"
