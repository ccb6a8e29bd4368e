from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from crpack.errors import FormatError, InstallError
from crpack.install import listing
from crpack.install.listing import Place
from crpack.model import canonical
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = (
    Entry("a", "file", executable=True, size=3, sha256="0" * 64),
    Entry("b", "dir"),
    Entry("c", "link", target="a"),
)


def test_a_listing_reads_as_it_was_written() -> None:
    """STO-02."""
    assert listing.decode(listing.encode(reversed(ENTRIES))) == ENTRIES


def test_a_field_of_a_later_crpack_is_ignored_unless_it_is_critical() -> None:
    """STO-02, JSN-08."""
    table = {**canonical.decode(listing.encode(ENTRIES), what="it"), "new": 1}
    assert listing.decode(canonical.encode(table)) == ENTRIES
    with pytest.raises(FormatError, match="needs the field `new`"):
        listing.decode(canonical.encode({**table, "critical": ["new"]}))


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"format": 1, "critical": []},
        {"format": 2, "critical": [], "entries": []},
        {"format": 1, "critical": ["x"], "entries": []},
        {"format": 1, "critical": [], "entries": [["a"]]},
        {"format": 1, "critical": [], "entries": [["a", "file", 0, 7, 1]]},
        {"format": 1, "critical": [], "entries": [["b", "dir", 0, "", 0], ["a", "dir", 0, "", 0]]},
        {"format": 1, "critical": [], "entries": [[[], "file", 0, "", 1], ["b", "x", 0, "", 0]]},
        {"format": 1, "critical": [], "entries": 5},
        {"format": 1, "critical": [], "entries": [["a", "file", 0, "", "1"]]},
        {"format": 1, "critical": [], "entries": [["a", "file", 2, "", 1]]},
    ],
)
def test_anything_else_is_no_listing(value: object) -> None:
    """STO-02."""
    with pytest.raises(FormatError):
        listing.decode(canonical.encode(value))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="is not there"):
        list(listing.walk(f"{tmp_path}/missing"))


def test_a_pipe_is_told_apart(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert list(listing.walk(str(tmp_path))) == [Place(Entry("pipe", "file"), special=True)]


def test_only_empty_folders_are_listed(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    assert list(listing.walk(str(tmp_path))) == [Place(Entry("a/b", "dir"))]
