from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import FormatError, InstallError
from crpack.install import collect, generations
from crpack.install.generations import Part
from crpack.install.transaction import Draft, Transaction
from crpack.model import canonical, realisation
from crpack.model.realisation import DetectedFile, Node, RealWheel
from tests.unit.install.synthetic import NAME, V1, V2, install, record, write_tree

if TYPE_CHECKING:
    from pathlib import Path

FILE = DetectedFile("/usr/bin/gcc", 10, 1_700_000_000_123_456_789, "a" * 64)
GCC = Node("gcc", "12.2.0", 0, "software", "detected", files=(FILE,), options=(("b", "1"),))


def test_a_generation_holds_records_links_and_nothing_else(tmp_path: Path) -> None:
    """GEN-01."""
    generation = install(str(tmp_path), "1", V1)
    assert generation.path == f"{tmp_path}/solutions/lab@demo/gen/1"
    assert disk.names(generation.path) == (
        "crpack.lock",
        "generation.json",
        "realisation.json",
        "recipe.json",
        "root",
    )
    tree = next(p.node.tree for p in generation.record.parts if p.node.name == "prog")
    link = os.readlink(f"{generation.path}/root/prog")
    assert link == f"../../../../../store/{tree}/files"
    with open(f"{generation.root('prog')}/bin/prog", "rb") as file:
        assert file.read() == b"one"
    assert os.readlink(f"{tmp_path}/solutions/lab@demo/current") == "gen/1"


def test_a_prefix_may_be_moved(tmp_path: Path) -> None:
    """GEN-01: all links are relative."""
    install(f"{tmp_path}/one", "1", V1)
    os.rename(tmp_path / "one", tmp_path / "two")
    generation = generations.current(f"{tmp_path}/two", NAME)
    assert os.path.isfile(f"{generation.root('prog')}/bin/prog")


def test_a_record_reads_as_it_was_written(tmp_path: Path) -> None:
    """GEN-03."""
    with Transaction(str(tmp_path)) as transaction:
        tree = write_tree(transaction, V1["prog"])
        prog = Part(
            Node("prog", "1", 2, "program", "source", identity="b" * 64, tree=tree),
            bin=("bin", "sbin"),
            env=(("A", "{prefix}/share"), ("B", "")),
        )
        wheels = (RealWheel("numpy", "2.0", "c" * 64),)
        full = replace(record("1.0", (Part(GCC), prog)), python="cpython-3.11.7", wheels=wheels)
        made = transaction.commit(Draft(full, b"lock", b"{}"))
    assert generations.current(str(tmp_path), NAME) == made
    assert made.record.lock == hashlib.sha256(b"lock").hexdigest()
    assert made.record.recipe == hashlib.sha256(b"{}").hexdigest()
    data = disk.read(f"{made.path}/generation.json", limit=100_000)
    assert canonical.decode(data, what="it")["parts"][0]["files"][0]["mtime_ns"] == str(
        FILE.mtime_ns
    )
    real = disk.read(f"{made.path}/realisation.json", limit=100_000)
    assert real == realisation.encode(generations.real(full))
    assert made.environment == ""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parts", [{}]),
        ("parts", 5),
        ("wheels", [[]]),
        ("number", "1"),
        ("name", None),
        ("revision", True),
        ("env", ["x"]),
    ],
)
def test_a_record_with_a_value_of_another_form_is_damaged(
    tmp_path: Path, key: str, value: object
) -> None:
    generation = install(str(tmp_path), "1", V1)
    path = f"{generation.path}/generation.json"
    table = json.loads(disk.read(path, limit=100_000))
    os.chmod(path, 0o644)
    with open(path, "w") as file:
        json.dump({**table, key: value}, file)
    with pytest.raises(InstallError, match="is damaged"):
        generations.read(generation.path)


def test_keys_of_later_versions_do_not_matter(tmp_path: Path) -> None:
    generation = install(str(tmp_path), "1", V1)
    path = f"{generation.path}/generation.json"
    table = json.loads(disk.read(path, limit=100_000))
    os.chmod(path, 0o644)
    with open(path, "w") as file:
        json.dump({**table, "later": 1}, file)
    assert generations.read(generation.path) == generation


def test_a_record_that_has_no_canonical_form_is_not_written(tmp_path: Path) -> None:
    """Half of a surrogate pair, say, in a request."""
    with pytest.raises(FormatError):
        install(str(tmp_path), "\ud800", V1)
    with pytest.raises(InstallError):
        generations.require(str(tmp_path), NAME)


def test_detected_files_are_compared_by_size_and_time(tmp_path: Path) -> None:
    """GEN-07."""
    path = tmp_path / "tool"
    path.write_bytes(b"x")
    status = path.stat()
    file = DetectedFile(str(path), status.st_size, status.st_mtime_ns)
    gone = DetectedFile(f"{tmp_path}/gone", 0, 0)
    same = Part(Node("tool", "1", 0, "software", "detected", files=(file,)))
    generation = generations.Generation("", record("1", (same,)))
    assert generations.changed_files(generation) == ()
    path.write_bytes(b"xy")
    other = Part(Node("gone", "1", 0, "software", "detected", files=(gone,)))
    generation = generations.Generation("", record("1", (same, other)))
    assert generations.changed_files(generation) == (file, gone)


def test_a_held_generation_survives_updates_and_removal(tmp_path: Path) -> None:
    """GEN-08."""
    prefix = str(tmp_path)
    install(prefix, "1", V1)
    generation, held = generations.hold(prefix, NAME)
    install(prefix, "2", V2)
    collect.remove(prefix, NAME, keep=5)
    with open(f"{generation.root('prog')}/bin/prog", "rb") as file:
        assert file.read() == b"one"
    held.release()
    collect.collect(prefix, keep=5)
    assert not os.path.exists(generation.path)


def test_what_is_not_installed_is_told_with_what_is(tmp_path: Path) -> None:
    install(str(tmp_path), "1", V1)
    for look in (generations.current, generations.hold, generations.require):
        with pytest.raises(InstallError) as caught:
            look(str(tmp_path), "other")
        assert caught.value.what == "`other` is not installed"
        assert caught.value.why == ("installed are `lab/demo`",)


def test_a_current_that_leads_nowhere_is_damage(tmp_path: Path) -> None:
    generation = install(str(tmp_path), "1", V1)
    os.rename(generation.path, f"{generation.path}x")
    for look in (generations.current, generations.hold):
        with pytest.raises(InstallError, match="is damaged"):
            look(str(tmp_path), NAME)


def test_what_is_used_in_place_is_linked_and_watched(tmp_path: Path) -> None:
    """GEN-01, GEN-03, DAT-03."""
    place = tmp_path / "my data"
    place.mkdir()
    file = place / "net.bin"
    file.write_bytes(b"net")
    status = file.stat()
    recorded = DetectedFile(str(file), 3, status.st_mtime_ns, "a" * 64)
    part = Part(Node("net", "1", 0, "model", "detected", files=(recorded,)), place=str(place))
    prefix = f"{tmp_path}/prefix"
    with Transaction(prefix) as transaction:
        made = transaction.commit(Draft(record("1", (part,)), b"lock", b"recipe"))
    assert os.readlink(made.root("net")) == str(place)
    assert generations.read(made.path).record.parts == (part,)
    assert generations.changed_files(made) == ()
    file.write_bytes(b"nets")
    assert [one.path for one in generations.changed_files(made)] == [str(file)]


def test_what_is_to_be_used_in_place_must_be_there(tmp_path: Path) -> None:
    """DAT-03."""
    part = Part(Node("net", "1", 0, "model", "detected"), place=f"{tmp_path}/gone")
    with (
        Transaction(f"{tmp_path}/prefix") as transaction,
        pytest.raises(InstallError, match="which is `net`, is not there"),
    ):
        transaction.commit(Draft(record("1", (part,)), b"lock", b"recipe"))
