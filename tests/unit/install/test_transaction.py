from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import ArchiveError, InstallError, UsageError
from crpack.install import collect, generations, state
from crpack.install.generations import Part
from crpack.install.rollback import rollback
from crpack.install.transaction import Draft, Transaction
from crpack.model.realisation import Node
from tests.unit.install.synthetic import (
    DATE,
    NAME,
    V1,
    V2,
    V3,
    damage,
    install,
    leftovers,
    observe,
    record,
    write_tree,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_visible_before_the_commit(tmp_path: Path) -> None:
    """STO-03, STO-04."""
    prefix = str(tmp_path)
    with Transaction(prefix) as transaction:
        tree = write_tree(transaction, V1["prog"])
        assert disk.names(transaction.store.root) == ()
        transaction.settle()
        assert disk.names(transaction.store.root) == (tree,)
        assert state.installed(prefix) == ()
    assert leftovers(prefix) == ()


def test_an_exception_leaves_nothing_behind(tmp_path: Path) -> None:
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    before = observe(prefix)

    def stopped() -> None:
        with Transaction(prefix) as transaction:
            write_tree(transaction, V3["prog"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert observe(prefix) == before
    assert disk.names(f"{prefix}/stage") == ()
    assert len(disk.names(f"{prefix}/store")) == 2


def test_a_tree_that_is_not_the_announced_one_is_refused(tmp_path: Path) -> None:
    """STO-03."""
    with Transaction(str(tmp_path)) as transaction:
        writer = transaction.writer()
        writer.folder("a")
        with pytest.raises(ArchiveError) as caught:
            transaction.admit(writer, "0" * 64)
        transaction.settle()
        assert disk.names(transaction.store.root) == ()
    assert caught.value.rule == "STO-03"


def test_one_flush_serves_all_trees(tmp_path: Path) -> None:
    """STO-12."""
    passed: list[str] = []
    disk.arm(passed.append)
    try:
        install(str(tmp_path), "1", V1)
    finally:
        disk.arm(None)
    assert passed.count("sync-tree.flush") == 1
    order = [
        name
        for name in passed
        if name.endswith(("tree.flush:done", "rename.move", "rename.sync", "switch-link.move"))
    ]
    moves = ["rename.move", "rename.sync"]
    assert order == ["sync-tree.flush:done", *moves * 3, "switch-link.move"]
    last_write = max(at for at, name in enumerate(passed) if name == "write-file.close")
    assert last_write < passed.index("switch-link.move")
    assert passed[-1] != "switch-link.move"
    assert "switch-link.sync" in passed


def test_a_generation_needs_all_that_it_links_to(tmp_path: Path) -> None:
    prefix = str(tmp_path)
    part = Part(Node("prog", "1", 0, "program", "binary", tree="0" * 64))
    with Transaction(prefix) as transaction:
        with pytest.raises(InstallError, match="tree of `prog` is not in the store"):
            transaction.commit(Draft(record("1", (part,)), b"", b""))
        bare = replace(record("1", ()), env="1" * 64)
        with pytest.raises(InstallError, match="environment is not complete"):
            transaction.commit(Draft(bare, b"", b""))
    assert state.installed(prefix) == ()


def test_generations_above_current_never_happened(tmp_path: Path) -> None:
    """GEN-04."""
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    install(prefix, "2", V2)
    os.unlink(f"{prefix}/solutions/lab@demo/current")
    os.symlink("gen/1", f"{prefix}/solutions/lab@demo/current")
    assert install(prefix, "3", V3).record.number == 2
    assert generations.numbers(prefix, NAME) == (1, 2)


def test_a_failed_switch_says_whether_it_happened(tmp_path: Path) -> None:
    """GEN-04."""
    install(str(tmp_path), "1", V1)

    def fail(at: str) -> None:
        def hook(name: str) -> None:
            if name == at:
                raise OSError(5, "Input/output error")

        disk.arm(hook)

    for at, changed in (("switch-link.move", False), ("switch-link.sync", True)):
        fail(at)
        with pytest.raises(InstallError) as caught:
            install(str(tmp_path), "2", V2)
        disk.arm(None)
        assert caught.value.data["changed"] is changed
        assert (generations.current(str(tmp_path), NAME).record.version == "2") is changed


def _commit(prefix: str, version: str, since: int) -> tuple[int, bool]:
    """Install a version that was decided on at a generation; return its number, and `repeated`."""
    with Transaction(prefix) as transaction:
        tree = write_tree(transaction, V1["prog"])
        part = Part(Node("prog", version, 0, "program", "binary", tree=tree))
        draft = Draft(record(version, (part,)), b"lock", b"{}")
        return transaction.commit(draft, since=since).record.number, transaction.repeated


def test_what_another_made_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    """GEN-04."""
    prefix = str(tmp_path)
    assert _commit(prefix, "1", 0) == (1, False)
    assert _commit(prefix, "1", 0) == (1, True)  # decided when nothing was installed
    assert generations.numbers(prefix, NAME) == (1,)
    assert _commit(prefix, "1", 1) == (2, False)  # a reinstall of what was seen
    assert _commit(prefix, "2", 1) == (3, False)  # another came meanwhile, and is something else


def test_a_damaged_one_that_another_made_meanwhile_is_made_again(tmp_path: Path) -> None:
    prefix = str(tmp_path)
    _commit(prefix, "1", 0)
    os.unlink(f"{prefix}/solutions/lab@demo/gen/1/recipe.json")
    assert _commit(prefix, "1", 0) == (2, False)
    damage(generations.current(prefix, NAME))
    assert _commit(prefix, "1", 0) == (3, False)


def test_rolling_back_repeats_the_generation_before(tmp_path: Path) -> None:
    """GEN-05."""
    prefix = str(tmp_path)
    old = install(prefix, "1", V1)
    install(prefix, "2", V2)
    made = rollback(prefix, NAME, date="2025-05-05T05:05:05Z")
    assert made.record == replace(old.record, number=3, restored=1, date="2025-05-05T05:05:05Z")
    assert generations.current(prefix, NAME) == made
    for name in ("crpack.lock", "recipe.json", "realisation.json"):
        one, two = (disk.read(f"{g.path}/{name}", limit=10_000) for g in (old, made))
        assert one == two
    assert rollback(prefix, NAME, date=DATE).record.version == "2"


def test_rolling_back_to_a_number(tmp_path: Path) -> None:
    """GEN-05."""
    prefix = str(tmp_path)
    for version, trees in (("1", V1), ("2", V2), ("3", V3)):
        install(prefix, version, trees)
    assert rollback(prefix, NAME, date=DATE, to=1).record.version == "1"
    for to in (4, 9):
        with pytest.raises(UsageError) as caught:
            rollback(prefix, NAME, date=DATE, to=to)
        assert caught.value.why == ("kept are 1, 2, 3",)


def test_a_damaged_current_generation_is_left_by_rolling_back(tmp_path: Path) -> None:
    """GEN-05."""
    prefix = str(tmp_path)
    for version, trees in (("1", V1), ("2", V2), ("3", V3)):
        made = install(prefix, version, trees)
    damage(made)
    damage(generations.read(f"{prefix}/solutions/lab@demo/gen/2"))
    back = rollback(prefix, NAME, date=DATE)
    assert (back.record.version, back.record.restored, back.record.number) == ("1", 1, 4)
    with pytest.raises(InstallError, match="is damaged"):
        rollback(prefix, NAME, date=DATE, to=2)
    with pytest.raises(UsageError) as caught:
        rollback(prefix, NAME, date=DATE, to=7)
    assert caught.value.why == ("kept are 1, 2, 3",)


def test_a_generation_with_an_altered_document_is_not_gone_back_to(tmp_path: Path) -> None:
    """GEN-05: else the new generation would vouch for the alteration."""
    prefix = str(tmp_path)
    old = install(prefix, "1", V1)
    install(prefix, "2", V2)
    os.unlink(f"{old.path}/crpack.lock")
    with pytest.raises(InstallError, match="no earlier generation that is whole") as caught:
        rollback(prefix, NAME, date=DATE)
    assert f"{old.path}/crpack.lock" in caught.value.why[0]
    assert state.current_number(prefix, NAME) == 2


@pytest.mark.parametrize("target", ["gen/x", "elsewhere"])
def test_a_damaged_current_is_repaired_by_each_verb(tmp_path: Path, target: str) -> None:
    """GEN-02."""
    for verb in ("install", "rollback", "remove"):
        prefix = f"{tmp_path}/{verb}"
        install(prefix, "1", V1)
        link = f"{prefix}/solutions/lab@demo/current"
        os.unlink(link)
        os.symlink(target, link)
        if verb == "install":
            assert install(prefix, "2", V2).record.number == 2
        elif verb == "rollback":
            assert rollback(prefix, NAME, date=DATE).record.restored == 1
        else:
            assert len(collect.remove(prefix, NAME, keep=5).trees) == 2
        assert (observe(prefix) is None) == (verb == "remove")


def test_there_is_no_way_back_from_the_first_generation(tmp_path: Path) -> None:
    install(str(tmp_path), "1", V1)
    with pytest.raises(UsageError, match="has no earlier generation"):
        rollback(str(tmp_path), NAME, date=DATE)
    with pytest.raises(InstallError, match="is not installed"):
        rollback(str(tmp_path), "other", date=DATE)


def test_a_pinned_tree_is_not_collected(tmp_path: Path) -> None:
    """STO-04, STO-17."""
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    tree = generations.current(prefix, NAME).record.parts[0].node.tree
    with Transaction(prefix) as transaction:
        assert transaction.reuse(tree)
        assert not transaction.reuse("0" * 64)
        transaction.pin_environment("1" * 64)
        os.makedirs(f"{prefix}/envs/{'1' * 64}")
        os.makedirs(f"{prefix}/envs/{'2' * 64}")
        gone = collect.remove(prefix, NAME, keep=5)
        assert tree not in gone.trees
        assert gone.environments == ("2" * 64,)
        assert transaction.store.verify(tree) == ()
    assert collect.collect(prefix, keep=5).trees == (tree,)


def test_a_stage_whose_making_failed_is_not_held(tmp_path: Path) -> None:
    """STO-15."""
    prefix = str(tmp_path)

    def hook(name: str) -> None:
        if name == "make-folder.create" and disk.names(f"{prefix}/stage"):
            raise OSError(28, "No space left on device")

    disk.arm(hook)
    with pytest.raises(InstallError), Transaction(prefix):
        pass
    disk.arm(None)
    assert leftovers(prefix) == ()
