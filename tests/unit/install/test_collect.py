from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import InstallError
from crpack.install import collect, generations, state
from crpack.install.store import Store
from crpack.install.transaction import Draft, Locks, Transaction
from crpack.model import canonical
from tests.unit.install.synthetic import (
    NAME,
    V1,
    V2,
    V3,
    damage,
    install,
    observe,
    record,
    write_tree,
)

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


def test_what_would_go_is_told_before_it_goes(tmp_path: Path) -> None:
    """CLI-10, STO-17: the same, and nothing is changed."""
    prefix = str(tmp_path)
    for turn in range(4):
        install(prefix, str(turn), {"data": {"a": str(turn).encode()}})
    install(prefix, "1", V3, name="other")
    _, held = generations.hold(prefix, "other")
    with held:
        disk.remove_file(f"{prefix}/solutions/other/current")
        told = collect.unneeded(prefix, keep=2)
        assert len(told.trees) == 2
        assert generations.numbers(prefix, NAME) == (1, 2, 3, 4)
        assert collect.collect(prefix, keep=2) == told
    told = collect.unneeded(prefix, keep=2)
    assert told.trees
    assert collect.collect(prefix, keep=2) == told
    assert collect.unneeded(prefix, keep=2) == collect.Collected((), ())


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


def test_a_damaged_solution_is_removed_by_its_name(tmp_path: Path) -> None:
    """GEN-02, GEN-09."""
    prefix = str(tmp_path)
    damage(install(prefix, "1", V1))
    assert generations.version(prefix, NAME) == "damaged"
    assert len(collect.remove(prefix, NAME, keep=5).trees) == 2
    assert generations.version(prefix, NAME) == ""
    assert disk.names(f"{prefix}/solutions") == ()


def test_a_generation_without_its_record_keeps_its_trees_until_it_is_dropped(
    tmp_path: Path,
) -> None:
    """STO-17."""
    prefix = str(tmp_path)
    old = install(prefix, "1", V1)
    os.unlink(f"{old.path}/generation.json")
    install(prefix, "2", V3)
    assert collect.collect(prefix, keep=2).trees == ()
    assert len(collect.collect(prefix, keep=1).trees) == 2
    assert not os.path.exists(old.path)


@pytest.mark.parametrize("broken", ["root", "root/prog", "record and link"])
def test_links_that_cannot_be_read_keep_every_tree(tmp_path: Path, broken: str) -> None:
    """STO-17: nobody knows what such a generation needs."""
    prefix = str(tmp_path)
    install(prefix, "0", {"spare": {"a": b"b"}}, name="other")
    made = install(prefix, "1", V1)
    if broken == "root":
        os.rename(f"{made.path}/root", f"{made.path}/away")
    else:
        os.unlink(f"{made.path}/root/prog")
        os.mkdir(f"{made.path}/root/prog")
    if broken == "record and link":
        damage(made)
    assert collect.remove(prefix, "other", keep=5) == collect.Collected((), ())
    install(prefix, "1", V1)
    assert len(collect.collect(prefix, keep=1).trees) == 1


def test_a_link_that_is_gone_is_made_up_for_by_the_record(tmp_path: Path) -> None:
    """STO-17."""
    prefix = str(tmp_path)
    made = install(prefix, "1", V1)
    os.unlink(f"{made.path}/root/prog")
    assert collect.collect(prefix, keep=5).trees == ()


def test_generations_of_a_solution_whose_current_is_damaged_are_kept(tmp_path: Path) -> None:
    """STO-17."""
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    install(prefix, "2", V2)
    os.unlink(f"{prefix}/solutions/lab@demo/current")
    os.symlink("nowhere", f"{prefix}/solutions/lab@demo/current")
    assert collect.collect(prefix, keep=1).trees == ()
    assert generations.numbers(prefix, NAME) == (1, 2)


def test_results_of_builds_stay_for_the_next_attempt(tmp_path: Path) -> None:
    """STO-17."""
    prefix = str(tmp_path)
    with Transaction(prefix) as transaction:
        built = write_tree(transaction, V1["prog"])
        write_tree(transaction, V1["data"])
        transaction.settle()
    os.mkdir(f"{prefix}/built")
    for name, data in (("a", canonical.encode({"tree": built})), ("b", b"no record")):
        disk.write_file(f"{prefix}/built/{name}.json", [data])
    collect.collect(prefix, keep=5, builds=True)
    assert disk.names(f"{prefix}/store") == (built,)
    assert disk.names(f"{prefix}/built") == ("a.json",)
    assert collect.collect(prefix, keep=5).trees == (built,)
    assert disk.names(f"{prefix}/built") == ()


def test_tools_of_another_machines_solution_are_kept_with_it(tmp_path: Path) -> None:
    """ELS-04: the next build for it begins with them."""
    prefix = str(tmp_path)
    with Transaction(prefix) as transaction:
        tool = write_tree(transaction, {"bin/tool": b"tool"})
        own = replace(record("1", ()), tools=(tool,))
        transaction.commit(Draft(own, b"lock", b"{}"))
    assert generations.current(prefix, NAME).record.tools == (tool,)
    assert collect.collect(prefix, keep=5).trees == ()
    assert collect.remove(prefix, NAME, keep=5).trees == (tool,)
