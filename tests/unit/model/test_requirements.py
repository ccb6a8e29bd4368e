from __future__ import annotations

import pytest

from crpack.errors import UsageError
from crpack.model import requirements, versions
from crpack.model.requirements import Requirement


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("zlib", "zlib", ""),
        ("lab/zlib", "lab/zlib", ""),
        ("  zlib  ", "zlib", ""),
        ("zlib>=1.2", "zlib", ">=1.2"),
        ("zlib >=1.2,<2", "zlib", ">=1.2,<2"),
        ("zlib>=1||==0.9", "zlib", ">=1||==0.9"),
        ("zlib@1.2", "zlib", "==1.2"),
        ("lab/zlib@1.2.0rc1", "lab/zlib", "==1.2.0rc1"),
        ("zlib@v1.2", "zlib", "==1.2"),
    ],
)
def test_a_person_names_a_component_and_its_versions(text: str, name: str, version: str) -> None:
    """REQ-03."""
    assert requirements.parse(text) == Requirement(name, version)


def test_a_version_after_an_at_sign_is_meant_exactly() -> None:
    """REQ-03."""
    wanted = versions.parse_range(requirements.parse("zlib@1.2").version)
    assert wanted.admits("1.2")
    assert not wanted.admits("1.2.1")


@pytest.mark.parametrize(
    "text",
    ["", " ", "@cpu", "@", "_zlib", "zlib@", "zlib@>=1", "zlib@x", "zlib 1.2", "zlib=1", "zlib>=x",
     "zlib/", "a/b/c", "build", "target@1", "zlib\0", "zlib>=1;rm", "zlib@1@2",
     "\udcff"],
)  # fmt: skip
def test_what_is_no_requirement_is_refused(text: str) -> None:
    """REQ-03, NAM-02, NAM-03."""
    with pytest.raises(UsageError):
        requirements.parse(text)


def test_a_long_text_is_refused_at_once() -> None:
    for text in ("a" * 1_000_000, "a@" + "1" * 1_000_000, "a.-" * 300_000):
        with pytest.raises(UsageError):
            requirements.parse(text)


def test_a_requirement_asks_for_nothing_more_by_default() -> None:
    """REQ-01."""
    need = Requirement("zlib")
    assert (need.version, need.options, need.external, need.optional) == ("", (), "allow", False)


@pytest.mark.parametrize(
    "text",
    ["numpy", "numpy>=2", "numpy >= 2, <3", "pillow[xmp]==11.*", "Foo_Bar~=1.0"],
)  # fmt: skip
def test_a_python_requirement_is_pep_508(text: str) -> None:
    assert requirements.check_distribution(text) == text


@pytest.mark.parametrize(
    "text",
    ["", " ", "numpy>>2", "x @ https://example.org/x-1.0.tar.gz", "x @ file:///x.whl",
     "x @ https://example.org/${SECRET}/x-1.0-py3-none-any.whl", "-r /etc/passwd",
     "--index-url=https://example.org", "-e .", "./local",
     "numpy\n--index-url=https://example.org", "numpy --global-option=x", "numpy # comment",
     "numpy; sys_platform == 'linux'", "numpy\0", "\udcff", "a" * 513, "a" * 5000,
     "numpy>=" + "9" * 5000],
)  # fmt: skip
def test_what_an_installer_would_take_for_an_option_is_no_requirement(text: str) -> None:
    """REQ-04: it stands on a line of a file that the installer reads; an address is built here."""
    with pytest.raises(UsageError, match="is not a plain Python requirement"):
        requirements.check_distribution(text)
