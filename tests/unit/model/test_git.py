from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from crpack.model import git
from crpack.model.git import MODES, Leaf

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "a.b": b"1",
    "a/b": b"2",
    "a0": b"",
    "a/deep/er/file": b"3" * 100_000,
    "z/only": b"\0\n",
    "ä": "ä".encode(),
}


def leaf(path: str, data: bytes, kind: str = "file") -> Leaf:
    return Leaf(path, MODES[kind], git.blob(len(data), [data]))


def test_the_ids_are_those_that_everybody_knows() -> None:
    """RCP-11."""
    assert git.blob(6, [b"hel", b"lo\n"]).hex() == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert git.tree([]) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_the_order_of_files_does_not_matter() -> None:
    leaves = [leaf(path, data) for path, data in FILES.items()]
    assert git.tree(leaves) == git.tree(reversed(leaves))


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_a_tree_has_the_id_that_git_gives_it(tmp_path: Path) -> None:
    """RCP-11: `a.b` comes before the folder `a`, and that before `a0`."""
    leaves = [leaf(path, data) for path, data in FILES.items()]
    leaves += [leaf("run", b"#!/bin/sh\n", "executable"), leaf("link", b"a/b", "link")]
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "run").write_bytes(b"#!/bin/sh\n")
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "link").symlink_to("a/b")
    (tmp_path / "empty").mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}

    def run(*words: str) -> str:
        argv = ["git", "-c", "core.autocrlf=false", *words]
        done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, check=True)
        return done.stdout.decode().strip()

    run("init", "-q")
    run("add", "-A")
    assert git.tree(leaves) == run("write-tree")
