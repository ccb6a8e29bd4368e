"""Offline, no socket of the network is made, wherever the index lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flow.index_room import served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.index_room import Room

# Python imports this before the program, in every process of it that has the user's environment.
GUARD = """
import os, sys
def _seen(event, args):
    if event in ("socket.__new__", "socket.getaddrinfo", "socket.connect"):
        if event != "socket.__new__" or args[1] != 1:  # AF_UNIX
            with open(os.environ["SOCKETS"], "a") as log:
                log.write(f"{event} {args}\\n")
    if event == "import" and args[0] in ("requests", "urllib3", "tuf.ngclient"):
        with open(os.environ["SOCKETS"], "a") as log:
            log.write(f"import {args[0]}\\n")
sys.addaudithook(_seen)
"""
VERBS = (
    ("search", "data"),
    ("info", "lab/data"),
    ("install", "lab/user"),
    ("lock", "lab/user"),
    ("update",),
    ("list", "--outdated"),
    ("bundle", "lab/user", "--out", "x.crbundle"),
)


@pytest.fixture
def guard(tmp_path: Path) -> dict[str, str]:
    """An environment in which what touches the network is noted."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard/sitecustomize.py").write_text(GUARD)
    (tmp_path / "sockets").touch()
    return {"PYTHONPATH": str(tmp_path / "guard"), "SOCKETS": str(tmp_path / "sockets")}


def test_the_guard_sees_the_network(lab: Room, tmp_path: Path, guard: dict[str, str]) -> None:
    with served(lab.index) as url:
        lab.user(tmp_path / "user", url)("info", "lab/data", env=guard)
    seen = (tmp_path / "sockets").read_text()
    assert "socket.connect" in seen
    assert "import requests" in seen


def test_a_folder_is_read_without_the_network(
    lab: Room, tmp_path: Path, guard: dict[str, str]
) -> None:
    """IDX-14: and even online without a client of the web."""
    user = lab.user(tmp_path / "user")
    user("info", "lab/data", env=guard)
    for words in VERBS:
        user("--offline", *words, env=guard)
    assert (tmp_path / "sockets").read_text() == ""


@pytest.mark.slow
def test_what_was_fetched_is_read_without_the_network(
    lab: Room, tmp_path: Path, guard: dict[str, str]
) -> None:
    """IDX-14."""
    with served(lab.index) as url:
        user = lab.user(tmp_path / "user", url)
        user("install", "lab/user")
        user("search", "data")
        user("remove", "lab/user")
    for words in VERBS:
        user("--offline", *words, env=guard)
    assert (tmp_path / "sockets").read_text() == ""
