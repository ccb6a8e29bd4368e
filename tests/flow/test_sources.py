"""Sources that lie elsewhere: alternatives, Git's trees, and the user's own mirror."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from crpack.model import git
from tests.flow.tool import Tool, component, head

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.index_room import Room

FILES = {"hello.txt": b"hello\n", "sub/run": b"#!/bin/sh\n"}
TREE = git.tree(
    git.Leaf(
        path,
        git.MODES["executable" if path.endswith("run") else "file"],
        git.blob(len(data), [data]),
    )
    for path, data in FILES.items()
)
COMMIT = "c" * 40


def archive(folder: Path, name: str, top: str = "top", **more: bytes) -> Path:
    """Write an archive of FILES and more below one folder; its name changes its digest."""
    path = folder / name
    with tarfile.open(path, "w:gz") as tar:
        for inner, data in {**FILES, **more}.items():
            info = tarfile.TarInfo(f"{top}/{inner}")
            info.size = len(data)
            info.mode = 0o755 if inner.endswith("run") else 0o644
            tar.addfile(info, io.BytesIO(data))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recipe(folder: Path, source: str) -> Path:
    text = f'{head("material")}\n[[source]]\nstrip = 1\n{source}\n[build]\ndriver = "copy"\n'
    return component(folder / "material", text)


def url(place: Path, sha: str, size: int, more: str = "") -> str:
    return f'kind = "url"\nurls = ["file://{place}"]\nsha256 = "{sha}"\nsize = {size}\n{more}'


def mirrored(path: Path) -> Path:
    """A mirror with one file."""
    folder = path.parent / "mirror"
    folder.mkdir(exist_ok=True)
    path.rename(folder / sha256(path))
    return folder


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    return Tool(tmp_path).with_key()


def installed(tool: Tool) -> Path:
    return tool.prefix / "solutions/material/current/root/material"


def made(tool: Tool, folder: Path, *words: str, mirror: Path | None = None, code: int = 0) -> str:
    """Build the archive, install it, and return how that ended."""
    env = {"CRPACK_SOURCE_MIRROR": str(mirror)} if mirror else {}
    tool("build", folder, "--out", "made.crpkg")
    return tool(*words, "install", "made.crpkg", env=env, code=code).err


@pytest.mark.parametrize("size", [77, 0])
def test_nothing_is_fetched_to_make_an_archive_of_stated_sources(tool: Tool, size: int) -> None:
    """RCP-10: the manifest lists them where their size is stated, too."""
    folder = recipe(tool.folder, url(tool.folder / "gone", "a" * 64, size))
    tool("build", folder, "--out", "thin.crpkg")
    listed = tool("info", "thin.crpkg", "--json").json["data"]["sources"]
    assert listed == (["a" * 64] if size else [])
    tool("build", folder, "--out", "full.crpkg", "--full", code=5)


@pytest.mark.parametrize("first", [True, False])
def test_the_first_archive_that_can_be_had_is_used(tool: Tool, first: bool) -> None:  # noqa: FBT001
    """RCP-10."""
    upstream, other = (
        archive(tool.folder, "up.tar.gz"),
        archive(tool.folder, "o.tar.gz", other=b"2"),
    )
    more = f'alternatives = [{{ sha256 = "{sha256(other)}", urls = ["file://{other}"] }}]'
    folder = recipe(tool.folder, url(upstream, sha256(upstream), upstream.stat().st_size, more))
    if not first:
        upstream.unlink()
    made(tool, folder)
    files = {path.name for path in installed(tool).rglob("*") if path.is_file()}
    assert ("other" in files) is not first
    assert "hello.txt" in files


def test_a_mirror_stands_in_for_what_is_gone_offline_too(tool: Tool) -> None:
    """RCP-12."""
    file = archive(tool.folder, "one.tar.gz")
    folder = recipe(tool.folder, url(file, sha256(file), file.stat().st_size))
    mirror = mirrored(file)
    made(tool, folder, "--offline", mirror=mirror)
    assert (installed(tool) / "hello.txt").is_file()


def test_a_mirror_may_have_an_alternative_only(tool: Tool) -> None:
    """RCP-12."""
    other = archive(tool.folder, "other.tar.gz")
    more = f'alternatives = [{{ sha256 = "{sha256(other)}" }}]'
    folder = recipe(tool.folder, url(tool.folder / "gone", "a" * 64, 77, more))
    made(tool, folder, mirror=mirrored(other))
    assert (installed(tool) / "hello.txt").is_file()


def test_what_is_gone_everywhere_is_told_with_what_to_do(tool: Tool) -> None:
    """RCP-10."""
    folder = recipe(tool.folder, url(tool.folder / "gone", "a" * 64, 77))
    said = made(tool, folder, code=5)
    assert "error: a source of `material` cannot be had" in said
    assert f"with the file named `{'a' * 64}`" in said
    assert "source-mirror" in said
    assert not installed(tool).exists()


def test_what_was_changed_is_refused(tool: Tool) -> None:
    """RCP-10, RCP-12: also what a mirror has under its name."""
    file = archive(tool.folder, "one.tar.gz")
    folder = recipe(tool.folder, url(file, "a" * 64, 0))
    mirror = tool.folder / "mirror"
    mirror.mkdir()
    (mirror / ("a" * 64)).write_bytes(b"something else")
    tool("build", folder, "--out", "made.crpkg", "--full", code=6)
    text = url(file, "a" * 64, file.stat().st_size)
    said = made(tool, recipe(tool.folder, text), mirror=mirror, code=6)
    assert "a source of `material` is not what its recipe states" in said
    assert not installed(tool).exists()


def git_source(place: Path, more: str = "", tree: str = TREE) -> str:
    return f'kind = "git"\nurls = ["file://{place}"]\ncommit = "{COMMIT}"\ntree = "{tree}"\n{more}'


def test_any_archive_of_a_commit_serves(tool: Tool) -> None:
    """RCP-11: whoever packed its files, and under whatever name of their folder."""
    file = archive(tool.folder, "one.tar.gz", top="repository-cccc")
    folder = recipe(tool.folder, git_source(file))
    tool("build", folder, "--out", "made.crpkg")
    inner = json.loads(tool("info", "made.crpkg", "--json").out)["data"]
    assert inner["sources"] == [sha256(file)] or inner["payloads"]
    file.unlink()
    tool("install", "made.crpkg")
    assert (installed(tool) / "sub/run").is_file()


def test_another_archive_than_the_stated_one_serves_when_its_tree_is_right(tool: Tool) -> None:
    """RCP-11."""
    file = archive(tool.folder, "one.tar.gz", top="x")
    folder = recipe(tool.folder, git_source(file, f'sha256 = "{"b" * 64}"\nsize = 5'))
    made(tool, folder)
    assert (installed(tool) / "hello.txt").is_file()


def test_an_archive_of_other_files_is_no_archive_of_the_commit(tool: Tool) -> None:
    """RCP-11."""
    file = archive(tool.folder, "one.tar.gz", more=b"!")
    folder = recipe(tool.folder, git_source(file))
    said = tool("build", folder, "--out", "made.crpkg", code=6).err
    assert "a source of `material` is not what its recipe states" in said
    assert TREE in said


def test_an_index_may_have_a_thin_copy_of_what_is_fetched(lab: Room, tmp_path: Path) -> None:
    """RCP-10, IDX-09: the sources come from their addresses or the user's mirror."""
    room = lab.copy(tmp_path / "owner")
    file = archive(room.owner.folder, "one.tar.gz")
    text = (
        f'{head("lab/material")}\n[[source]]\nstrip = 1\nkind = "url"\n'
        f'urls = ["http://nowhere.invalid/one.tar.gz"]\nsha256 = "{sha256(file)}"\n'
        f'size = {file.stat().st_size}\n[build]\ndriver = "copy"\n'
    )
    component(room.owner.folder / "parts/material", text)
    path = room.owner.folder / "material.crpkg"
    room.owner("build", "parts/material", "--out", path, "--key", "test")
    room.add(path)
    assert {one.kind for one in room.release("lab/material", "1.0").copies} == {"thin"}
    mirror = mirrored(file)
    user = room.user(tmp_path / "user")
    user("--offline", "install", "lab/material", env={"CRPACK_SOURCE_MIRROR": str(mirror)})
    assert next(user.prefix.glob("store/*/**/hello.txt")).read_bytes() == FILES["hello.txt"]
