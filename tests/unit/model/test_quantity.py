from __future__ import annotations

import pytest

from crpack.model import quantity


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (2**40, "1024.0 GiB")],
)
def test_sizes_read_in_powers_of_1024(count: int, text: str) -> None:
    assert quantity.size(count) == text
