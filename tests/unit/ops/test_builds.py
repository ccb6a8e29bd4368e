from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.make.record import Record
from crpack.ops import builds

if TYPE_CHECKING:
    from pathlib import Path

RECORD = Record(
    key="1" * 64,
    identity="2" * 64,
    component="lab/sample 1.0",
    tree="3" * 64,
    target="linux-x86_64-gnu2.36",
    options=(("images", "50"),),
    toolchain="gcc 12.2.0",
    dependencies=(),
    externals=(),
    floors=(("glibc", "2.34"),),
    portable=True,
    relocatable=True,
    test="passed",
    reason="",
    sandbox="L2",
    network="none",
    log="log",
)


def test_a_build_is_remembered_by_its_key(tmp_path: Path) -> None:
    """KEY-06."""
    builds.remember(str(tmp_path), RECORD)
    assert builds.tree_of(str(tmp_path), RECORD.key) == RECORD.tree
    assert os.listdir(tmp_path / "built") == [f"{RECORD.key}.json"]


def test_an_unknown_build_has_no_tree(tmp_path: Path) -> None:
    """KEY-06."""
    assert builds.tree_of(str(tmp_path), RECORD.key) == ""
    builds.remember(str(tmp_path), RECORD)
    assert builds.tree_of(str(tmp_path), "f" * 64) == ""


def test_the_last_build_of_a_key_counts(tmp_path: Path) -> None:
    """KEY-06."""
    newer: Record = replace(RECORD, tree="9" * 64)
    builds.remember(str(tmp_path), RECORD)
    builds.remember(str(tmp_path), newer)
    assert builds.tree_of(str(tmp_path), RECORD.key) == newer.tree


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"tree":"../../etc"}', b"[" * 9999])
def test_a_damaged_record_counts_as_none(data: bytes, tmp_path: Path) -> None:
    """KEY-06."""
    builds.remember(str(tmp_path), RECORD)
    (tmp_path / "built" / f"{RECORD.key}.json").write_bytes(data)
    assert builds.tree_of(str(tmp_path), RECORD.key) == ""


def test_the_record_of_another_key_counts_as_none(tmp_path: Path) -> None:
    """KEY-06."""
    builds.remember(str(tmp_path), RECORD)
    other = "f" * 64
    os.rename(tmp_path / "built" / f"{RECORD.key}.json", tmp_path / "built" / f"{other}.json")
    assert builds.tree_of(str(tmp_path), other) == ""
