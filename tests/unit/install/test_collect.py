from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import InstallError
from crpack.install import collect, generations, state
from crpack.install.store import Store
from crpack.install.transaction import Locks
from crpack.model import canonical
from tests.unit.install.synthetic import NAME, V1, V2, V3, install, observe

if TYPE_CHECKING:
    from pathlib import Path


def test_removing_takes_all_that_only_the_solution_needed(tmp_path: Path) -> None:
    """GEN-09, STO-17."""
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    install(prefix, "2", V2)
    install(prefix, "3", V3, name="other")
    gone = collect.remove(prefix, NAME, keep=5)
    assert len(gone.trees) == 3
    assert [item.name for item in state.installed(prefix)] == ["other"]
    assert disk.names(f"{prefix}/solutions") == ("other",)
    assert disk.names(f"{prefix}/trash") == ()
    assert observe(prefix, "other") is not None


def test_what_is_not_installed_cannot_be_removed(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="is not installed"):
        collect.remove(str(tmp_path), NAME, keep=5)


def test_the_newest_generations_are_kept(tmp_path: Path) -> None:
    """STO-17."""
    prefix = str(tmp_path)
    for turn in range(7):
        install(prefix, str(turn), {"data": {"a": str(turn).encode()}})
    gone = collect.collect(prefix, keep=5)
    assert len(gone.trees) == 2
    assert generations.numbers(prefix, NAME) == (3, 4, 5, 6, 7)
    assert len(collect.collect(prefix, keep=1).trees) == 4
    assert generations.numbers(prefix, NAME) == (7,)
    assert len(disk.names(Store(prefix).root)) == 1
    assert observe(prefix) is not None


def test_removing_one_solution_keeps_as_many_generations_of_the_others_as_are_asked_for(
    tmp_path: Path,
) -> None:
    """STO-17: the setting `keep`."""
    prefix = str(tmp_path)
    for turn in range(7):
        install(prefix, str(turn), V1, name="other")
    install(prefix, "1", V1)
    collect.remove(prefix, NAME, keep=6)
    assert generations.numbers(prefix, "other") == (2, 3, 4, 5, 6, 7)


def test_a_shared_tree_stays_while_anybody_needs_it(tmp_path: Path) -> None:
    """STO-17."""
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    install(prefix, "1", V1, name="other")
    assert collect.remove(prefix, NAME, keep=5).trees == ()
    assert observe(prefix, "other") is not None
    assert len(collect.remove(prefix, "other", keep=5).trees) == 2


def test_records_of_builds_go_with_their_results(tmp_path: Path) -> None:
    """STO-17."""
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    tree = disk.names(Store(prefix).root)[0]
    os.mkdir(f"{prefix}/built")
    records = {
        "a.json": canonical.encode({"tree": tree}),
        "b.json": canonical.encode({"tree": "0" * 64}),
        "c.json": b"damaged",
        "d.json": canonical.encode([]),
        "e.json": canonical.encode({"tree": 5}),
    }
    for name, data in records.items():
        disk.atomic_write(f"{prefix}/built/{name}", data)
    collect.collect(prefix, keep=5)
    assert disk.names(f"{prefix}/built") == ("a.json",)


def test_the_collector_waits_until_nobody_counts_on_trees(tmp_path: Path) -> None:
    """STO-13."""
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    done: list[collect.Collected] = []
    thread = threading.Thread(target=lambda: done.append(collect.collect(prefix, keep=5)))
    with Locks(prefix).collector(shared=True):
        thread.start()
        thread.join(0.05)
        assert done == []
    thread.join()
    assert done == [collect.Collected((), ())]


def test_trash_that_another_empties_is_left_to_it(tmp_path: Path) -> None:
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    emptying = Locks(prefix).trash()
    assert emptying is not None
    with emptying:
        collect.remove(prefix, NAME, keep=5)
        assert len(disk.names(f"{prefix}/trash")) == 4
    collect.collect(prefix, keep=5)
    assert disk.names(f"{prefix}/trash") == ()


def test_what_the_store_does_not_know_is_cleared_away(tmp_path: Path) -> None:
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    os.mkdir(f"{prefix}/store/strange")
    collect.collect(prefix, keep=5)
    assert "strange" not in disk.names(f"{prefix}/store")
