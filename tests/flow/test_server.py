"""Commands that read an archive from a server that lies: the right exit code, nothing left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tools.lying_server import LyingServer, lying

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.flow.tool import Tool


@pytest.fixture
def server(sample: Path) -> Iterator[LyingServer]:
    with lying({"s.crpkg": sample.read_bytes()}) as one:
        yield one


@pytest.mark.parametrize(
    ("lie", "code", "words"),
    [
        ("flipped", 4, "does not end like an archive"),
        ("packed", 5, "does not send its bytes as they are"),
        ("missing", 5, "answered 404"),
        ("away", 5, "redirects to"),
        ("to-file", 5, "redirects to"),
        ("cut-once", 0, ""),
    ],
)
def test_an_install_from_a_server_that_lies(
    tool: Tool, server: LyingServer, lie: str, code: int, words: str
) -> None:
    """FET-02, FET-03, FET-10: what is not the archive is not installed."""
    done = tool("install", f"{server.url}/{lie}/s.crpkg", "--dry-run", code=code)
    assert words in done.err
    assert not tool.prefix.exists()
    stage = tool.home / "cache/stage"
    assert not stage.exists() or list(stage.iterdir()) == []
