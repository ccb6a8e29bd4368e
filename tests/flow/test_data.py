"""Models and data sets that are on the machine already: used in place, and watched."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.flow.index_room import Room, empty, error_of, generation
from tests.flow.tool import component, head
from tests.tools.lying_server import LyingServer, lying

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.flow.tool import Tool

pytestmark = pytest.mark.slow  # `make sweep`

WEIGHTS = hashlib.shake_128(b"weights").digest(5_000_000)
IMAGES = {
    f"images/{n:03}.bin": hashlib.shake_128(str(n).encode()).digest(2_000) for n in range(100)
}

BUILD = '[[source]]\nkind = "local"\npath = "files"\n[build]\ndriver = "copy"\nplatform = "any"\n'
EXPORTS = '[exports.env]\nWEIGHTS = "{prefix}/weights.bin"\n'
SOLUTION = """
[requires]
weights = ">=1"
images = ">=1"
[[source]]
kind = "inline"
path = "run.sh"
text = '''printf '{"bytes": %d, "files": %d}' $(cat "$2/weights.bin" | wc -c) \\
  $(ls "$3/images" | wc -l) > "$1"'''
[build]
driver = "copy"
[action.run]
argv = ["/bin/sh", "{self}/run.sh", "{output}", "{dep.weights}", "{dep.images}"]
[action.run.outputs]
bytes = { type = "int" }
files = { type = "int" }
"""


def model_probe() -> str:
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    where = 'roots = ["{data}"]'
    what = f'size = {len(WEIGHTS)}\nsha256 = "{digest}"'
    return f'[[probe]]\nkind = "digest"\n{where}\n{what}\n'


def images_probe() -> str:
    rows = [f'{{ path = "{name}", size = {len(data)} }}' for name, data in IMAGES.items()]
    return f'[[probe]]\nkind = "digest"\nroots = ["{{data}}/*"]\nmarkers = [{", ".join(rows)}]\n'


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """An index with a model, a data set, and a solution that needs both."""
    room = empty(tmp_path_factory.mktemp("data") / "owner")
    parts = room.owner.folder / "parts"
    component(parts / "weights", head("weights", "1.2", "model") + BUILD + EXPORTS + model_probe())
    write(parts / "weights/files", {"weights.bin": WEIGHTS})
    component(parts / "images", head("images", "1.0", "dataset") + BUILD + images_probe())
    write(parts / "images/files", IMAGES)
    component(parts / "sample", head("sample", "1.0", "solution") + SOLUTION)
    made = []
    for name in ("weights", "images", "sample"):
        made.append(room.owner.folder / f"{name}.crpkg")
        room.owner("build", parts / name, "--with", parts, "--full", "--out", made[-1],
                   "--key", "test")  # fmt: skip
    room.add(*made)
    room.owner("detect")  # what the machine has is known to everybody
    return room


@pytest.fixture
def server(shop: Room) -> Iterator[LyingServer]:
    files = {
        str(path.relative_to(shop.index)): path.read_bytes()
        for path in shop.index.rglob("*")
        if path.is_file()
    }
    with lying(files) as one:
        yield one


class Here(NamedTuple):
    """Somebody who has the model and the data set, and names their folder."""

    user: Tool
    data: Path
    env: dict[str, str]


@pytest.fixture
def here(shop: Room, server: LyingServer, tmp_path: Path) -> Here:
    data = tmp_path / "my data"
    write(data / "zoo", {"weights.bin": WEIGHTS})
    write(data / "pictures", IMAGES)
    user = shop.user(tmp_path / "user", f"{server.url}/good")
    return Here(user, data, {"CRPACK_DATA_FOLDERS": str(data)})


def parts_of(user: Tool) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in generation(user, "sample")["parts"]}


def test_what_is_there_is_linked_and_its_payload_is_not_fetched(
    here: Here, server: LyingServer
) -> None:
    """DAT-01, DAT-02, DAT-03: and the archives' ends are fetched, for who signed the probes."""
    plan = here.user("install", "sample", "--dry-run", env=here.env).out
    assert f"use    weights 1.2  {here.data}/zoo/weights.bin (digest by size and sha256)" in plan
    assert "in place of 1.2 (binary)" in plan
    done = here.user("install", "sample", env=here.env)
    assert "weights 1.2 (detected)" in done.out
    assert server.sent < 300_000  # the model alone has 5 MB
    root = here.user.prefix / "solutions/sample/current/root"
    assert (root / "weights").readlink() == here.data / "zoo"
    assert (root / "images").readlink() == here.data / "pictures"
    parts = parts_of(here.user)
    assert parts["weights"]["files"] == [
        {
            "path": str(here.data / "zoo/weights.bin"),
            "size": len(WEIGHTS),
            "mtime_ns": str((here.data / "zoo/weights.bin").stat().st_mtime_ns),
            "sha256": hashlib.sha256(WEIGHTS).hexdigest(),
        }
    ]
    assert (parts["weights"]["kind"], parts["weights"]["origin"]) == ("model", "detected")
    assert parts["weights"]["env"] == {"WEIGHTS": "{prefix}/weights.bin"}  # DAT-05
    plan = here.user("install", "weights", "--dry-run", env=here.env).out  # DAT-02
    assert f"it lies in {here.data}/zoo too; what requires it uses it there" in plan
    files = parts["images"]["files"]
    assert isinstance(files, list)
    assert [one["sha256"] for one in files] == [
        hashlib.sha256(data).hexdigest() for data in IMAGES.values()
    ]
    ran = json.loads(here.user("run", "sample").out)
    assert ran == {"bytes": len(WEIGHTS), "files": 100}
    assert "sample" in here.user("verify", "sample").out


@pytest.mark.parametrize("wrong", ["digest", "name"])
def test_what_is_not_the_same_is_not_used(here: Here, wrong: str) -> None:
    """DAT-02, DAT-03."""
    file = here.data / "zoo/weights.bin"
    if wrong == "digest":
        file.write_bytes(bytes(len(WEIGHTS)))
        (here.data / "pictures/images/050.bin").unlink()
    else:
        file.rename(file.with_name("weights-of-mine.bin"))
    images = "binary" if wrong == "digest" else "detected"
    here.user("install", "sample", env=here.env)
    origins = {one: part["origin"] for one, part in parts_of(here.user).items()}
    assert origins == {"sample": "binary", "weights": "binary", "images": images}


def test_what_changes_stops_the_run_until_it_is_installed_again(here: Here) -> None:
    """DAT-04: what was touched, and holds the same bytes, still serves."""
    here.user("install", "sample", env=here.env)
    os.utime(here.data / "zoo/weights.bin", (1, 1))
    assert "changed since the install; it still serves" in here.user("run", "sample").err
    file = here.data / "pictures/images/007.bin"
    file.write_bytes(bytes(file.stat().st_size))
    error = error_of(here.user("run", "sample", "--json", code=7).out)
    assert str(file) in error["why"][0]
    assert error["hint"] == "install it again: `crpack install --reinstall sample`"
    assert "holds other bytes" in here.user("validate", "sample", code=7).err
    file.unlink()
    assert "is not there" in here.user("validate", "sample", code=7).err
    here.user("install", "--reinstall", "sample", env=here.env)
    assert json.loads(here.user("run", "sample").out)["files"] == 100


def test_nothing_of_the_users_is_ever_deleted(here: Here) -> None:
    """DAT-03: removing, updating and collecting leave the folders as they are."""
    before = {path: path.read_bytes() for path in here.data.rglob("*") if path.is_file()}
    here.user("install", "sample", env=here.env)
    here.user("install", "sample", "--no-detect", env=here.env)
    here.user("update", "sample", "--rollback", env=here.env)
    assert parts_of(here.user)["weights"]["origin"] == "detected"
    here.user("update", "sample", env={**here.env, "CRPACK_KEEP": "1"})
    here.user("remove", "sample")
    assert not (here.user.prefix / "solutions/sample").exists()
    assert {p: p.read_bytes() for p in here.data.rglob("*") if p.is_file()} == before


def test_a_lock_that_counts_on_data_serves_a_machine_without_it(
    here: Here, shop: Room, server: LyingServer, tmp_path: Path
) -> None:
    """DAT-02: and a machine that has it, at another place, links to it."""
    here.user("lock", "sample", env=here.env)
    lock = here.user.folder / "crpack.lock"
    assert 'origin = "detected"' in lock.read_text()
    with_data, without = (shop.user(tmp_path / one, f"{server.url}/good") for one in "ab")
    shutil.move(here.data, tmp_path / "a/datasets")  # below HOME, where it is looked for
    for user, origin in ((with_data, "detected"), (without, "binary")):
        shutil.copy(lock, user.folder)
        user("install", "--frozen", "sample")
        assert parts_of(user)["weights"]["origin"] == origin
        assert json.loads(user("run", "sample").out)["files"] == 100


def test_a_lone_archive_and_a_bundle_use_what_is_there(here: Here, shop: Room) -> None:
    here.user("bundle", "sample", "--no-detect", "--out", "all.crbundle", env=here.env)
    here.user("install", "all.crbundle", env=here.env)
    archive = shop.owner.folder / "sample.crpkg"
    here.user("trust", "add", shop.owner.home / "config/keys/test.pub", "--names", "*")
    here.user("remove", "sample")
    here.user("install", archive, env=here.env)
    assert {one["origin"] for one in parts_of(here.user).values()} == {"binary", "detected"}
    assert json.loads(here.user("run", "sample").out)["bytes"] == len(WEIGHTS)


def test_a_release_without_a_thin_copy_is_installed_as_ever(
    here: Here, shop: Room, tmp_path: Path
) -> None:
    """DAT-01: who signed a probe must be known for little."""
    room = shop.copy(tmp_path / "owner")
    room.relist(
        lambda one: replace(one, copies=tuple(c for c in one.copies if c.kind == "full")), "weights"
    )
    user = room.user(tmp_path / "other")
    user("install", "sample", env=here.env)
    assert parts_of(user)["weights"]["origin"] == "binary"
    assert parts_of(user)["images"]["origin"] == "detected"


def test_a_thief_of_the_indexs_key_cannot_change_a_probe(
    here: Here, shop: Room, tmp_path: Path
) -> None:
    """DAT-02: a probe that the archive does not have is refused, with a file that it fits."""
    room = shop.copy(tmp_path / "owner")
    (here.data / "zoo/weights.bin").write_bytes(bytes(len(WEIGHTS)))
    old, new = (hashlib.sha256(data).hexdigest().encode() for data in (WEIGHTS, bytes(5_000_000)))
    room.relist(lambda one: replace(one, recipe=one.recipe.replace(old, new)), "weights")
    user = room.user(tmp_path / "other")
    assert (
        "is not the one that the index lists" in user("install", "sample", env=here.env, code=4).err
    )
