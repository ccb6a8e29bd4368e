"""Where a build sees detected software."""

from __future__ import annotations

import pytest

from crpack.model.facts import Found
from crpack.ops import fulfilling


@pytest.mark.parametrize(
    ("path", "notes", "root"),
    [
        ("/usr/bin/it", (), "/usr"),
        ("/usr/bin/it", (("prefix", "/usr"),), "/usr"),
        ("/opt/it/bin/it", (("prefix", "/opt/it"),), "/opt/it"),
        ("/home/me/bin/it", (("prefix", "/home/me"),), "/home/me/bin"),
        ("/var/lib/dpkg/info/it.list", (("evidence", "os-package"), ("prefix", "/usr")), "/usr"),
        ("/lib/a-b/libit.so", (("evidence", "elf"), ("prefix", "/usr")), "/usr"),
        ("/home/me/env/conda-meta/it.json",
         (("evidence", "os-package"), ("prefix", "/home/me/env")), "/home/me/env"),
    ],
)  # fmt: skip
def test_the_root_is_the_prefix_and_no_more_of_a_home_than_the_tool(
    path: str, notes: tuple[tuple[str, str], ...], root: str
) -> None:
    """DET-19."""
    assert fulfilling._root(Found("it", "1", path=path, notes=notes)) == root
