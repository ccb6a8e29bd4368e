from __future__ import annotations

import pytest

from crpack.errors import FormatError
from crpack.model import distribution
from crpack.model.distribution import Distribution

METADATA = b"""Metadata-Version: 2.1
Name: My_Pkg
Version: 1.0
Requires-Python: >=3.9
Requires-Dist: low>=1 ; python_version < "4"
Requires-Dist: top[fast]

Name: other
Version: 9
"""


def test_metadata_says_name_version_dependencies_and_python() -> None:
    """PYE-10."""
    found = distribution.decode(METADATA)
    requires = ('low>=1 ; python_version < "4"', "top[fast]")
    assert found == Distribution("my-pkg", "1.0", requires, ">=3.9")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n" + METADATA,
        METADATA.replace(b"Name: My_Pkg", b"Name: My_Pkg\nName: other"),
        METADATA.replace(b"Version: 1.0\nR", b"R"),
        METADATA.replace(b"Requires-Python", b"Requires-Python: <3\nRequires-Python"),
        b"\xff" * 99,
    ],
)
def test_metadata_without_one_name_and_version_is_refused(data: bytes) -> None:
    """PYE-10."""
    with pytest.raises(FormatError):
        distribution.decode(data)


def test_a_python_that_will_do_is_told_from_one_that_will_not() -> None:
    """PYE-10: what is no range counts as none, as in pip."""
    assert distribution.decode(METADATA).runs_on("3.11.2")
    assert not distribution.decode(METADATA).runs_on("3.8")
    assert Distribution("a", "1", python=">=3.6.*").runs_on("2.7")


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("My_Pkg-1.0-py3-none-any.whl", "my-pkg", "1.0"),
        ("my_pkg-1.0-2-py3-none-any.whl", "my-pkg", "1"),
        ("a-1.0+cpu-cp311-cp311-linux_x86_64.whl", "a", "1.0+cpu"),
    ],
)
def test_a_row_means_what_its_file_is_called(filename: str, name: str, version: str) -> None:
    """LCK-06."""
    distribution.check_row(filename, name, version)


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("evil-9-py3-none-any.whl", "numpy", "9"),
        ("numpy-9-py3-none-any.whl", "numpy", "1"),
        ("numpy-x-py3-none-any.whl", "numpy", "1"),
        ("numpy.whl", "numpy", "1"),
    ],
)
def test_a_row_of_another_name_or_version_than_its_file_is_refused(
    filename: str, name: str, version: str
) -> None:
    """LCK-06."""
    with pytest.raises(FormatError):
        distribution.check_row(filename, name, version)
