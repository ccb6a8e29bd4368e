from __future__ import annotations

import random

import pytest
from packaging import tags
from packaging.utils import parse_wheel_filename

from crpack.install.python.tags import rank

ORDER = (
    "a-1-cp311-cp311-manylinux_2_34_x86_64.whl",
    "a-1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
    "a-1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    "a-1-cp311-cp311-manylinux2010_x86_64.whl",
    "a-1-cp311-cp311-manylinux1_x86_64.whl",
    "a-1-cp311-cp311-linux_x86_64.whl",
    "a-1-cp311-abi3-manylinux_2_34_x86_64.whl",
    "a-1-cp311-abi3-manylinux_2_17_x86_64.whl",
    "a-1-cp39-abi3-manylinux_2_28_x86_64.whl",
    "a-1-cp311-none-manylinux_2_17_x86_64.whl",
    "a-1-7-py3-none-manylinux_2_17_x86_64.whl",
    "a-1-py3-none-manylinux1_x86_64.whl",
    "a-1-py2.py3-none-any.whl",
)


def test_the_closest_wheel_comes_first() -> None:
    """PYE-04."""
    mixed = random.Random(1).sample(ORDER, len(ORDER))  # noqa: S311
    assert tuple(sorted(mixed, key=rank)) == ORDER


def test_the_best_is_the_one_that_packaging_takes() -> None:
    """PYE-04: for the usual pairs that projects publish, on a machine with glibc 2.36."""
    platforms = [
        *(f"manylinux_2_{minor}_x86_64" for minor in range(36, 16, -1)),
        "manylinux2014_x86_64",
        "linux_x86_64",
    ]
    supported = [
        *tags.cpython_tags((3, 11), ["cp311"], platforms),
        *tags.compatible_tags((3, 11), "cp311", platforms),
    ]
    place = {tag: at for at, tag in enumerate(supported)}

    def theirs(filename: str) -> int:
        return min(place[tag] for tag in parse_wheel_filename(filename)[3] if tag in place)

    dice = random.Random(2)  # noqa: S311
    usual = [name for name in ORDER if "cp311-none" not in name and "manylinux1_" not in name]
    usual.remove("a-1-cp311-cp311-manylinux2010_x86_64.whl")
    for _ in range(200):
        some = dice.sample(usual, dice.randrange(1, 5))
        assert min(some, key=rank) == min(some, key=theirs)


@pytest.mark.parametrize("name", ["a.whl", "a-1-py3-none.whl", "a-1-1-1-py3-none-any.whl"])
def test_another_name_is_no_wheel(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a wheel"):
        rank(name)
