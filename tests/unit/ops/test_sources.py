from __future__ import annotations

import hashlib
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from crpack.errors import ArchiveError, UsageError
from crpack.model.recipe import Source
from crpack.ops import sources

if TYPE_CHECKING:
    from pathlib import Path

Listed = list[tuple[str, str, bytes]]


def packed(source: Source, folder: Path) -> Path:
    out = folder.parent / f"{folder.name}-{len(os.listdir(folder.parent))}.tar"
    sources.pack(source, str(folder), str(out))
    return out


def listed(path: Path) -> Listed:
    """Return kind, name and content of every member, as another tool reads them."""
    found: Listed = []
    with tarfile.open(path, "r:") as tar:
        for one in tar:
            stream = tar.extractfile(one) if one.isfile() else None
            data = stream.read() if stream else one.linkname.encode()
            kind = "file" if one.isfile() else "link" if one.issym() else "dir"
            found.append((kind, one.name.rstrip("/"), data))
    return found


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "component"
    (root / "src/deep").mkdir(parents=True)
    (root / "src/b.txt").write_text("b")
    (root / "src/a.sh").write_text("a")
    (root / "src/a.sh").chmod(0o755)
    (root / "src/deep/c").write_text("c")
    (root / "src/link").symlink_to("deep/c")
    (root / "src/empty").mkdir()
    return root


def local(path: str) -> Source:
    return Source("local", path=path)


def test_a_folder_gives_its_content(folder: Path) -> None:
    """RCP-07: sorted by path."""
    assert listed(packed(local("src"), folder)) == [
        ("file", "a.sh", b"a"),
        ("file", "b.txt", b"b"),
        ("file", "deep/c", b"c"),
        ("dir", "empty", b""),
        ("link", "link", b"deep/c"),
    ]


def test_a_file_gives_itself(folder: Path) -> None:
    """RCP-07."""
    assert listed(packed(local("src/deep/c"), folder)) == [("file", "c", b"c")]


def test_an_inline_source_gives_its_text(folder: Path) -> None:
    """RCP-07: and needs no folder at all."""
    source = Source("inline", path="x/notes.txt", text="é\n")
    assert listed(packed(source, folder)) == [("file", "x/notes.txt", "é\n".encode())]


def test_dates_owners_and_modes_are_the_same_everywhere(folder: Path) -> None:
    """RCP-07."""
    with tarfile.open(packed(local("src"), folder), "r:") as tar:
        members = tar.getmembers()
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    modes = {m.name: m.mode for m in members if m.isfile()}
    assert modes == {"a.sh": 0o755, "b.txt": 0o644, "deep/c": 0o644}


def test_the_bytes_depend_on_the_files_alone(folder: Path, tmp_path: Path) -> None:
    """RCP-07: not on dates, order of making, umask, or the folder's own name."""
    other = tmp_path / "an other/é"
    for name in ("link", "empty", "deep/c", "b.txt", "a.sh"):
        path = other / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == "link":
            path.symlink_to("deep/c")
        elif name == "empty":
            path.mkdir()
        else:
            path.write_bytes((folder / "src" / name).read_bytes())
            path.chmod(0o700 if name == "a.sh" else 0o600)
            os.utime(path, (1, 1))
    assert digest(packed(local("src"), folder)) == digest(packed(local("src"), other))


def test_what_tools_leave_behind_is_left_out(folder: Path) -> None:
    """RCP-07: so a folder that was used packs like a fresh one."""
    before = digest(packed(local("src"), folder))
    left = ("__pycache__/x.pyc", ".git/config", "deep/__pycache__/y.pyc", ".DS_Store")
    for name in (*left, "b.txt~", "deep/.b.txt.swp", ".b.swo", "old~/b.txt", ".svn/x", ".hg/x"):
        path = folder / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert digest(packed(local("src"), folder)) == before


@pytest.mark.parametrize("path", ["no", "src/no", "src/b.txt/", "src/dangling"])
def test_a_source_must_be_there(path: str, folder: Path) -> None:
    (folder / "src/dangling").symlink_to("nowhere")
    with pytest.raises(UsageError, match="there is no source"):
        packed(local(path), folder)


def test_an_empty_folder_is_no_source(folder: Path) -> None:
    with pytest.raises(UsageError, match="is empty"):
        packed(local("src/empty"), folder)


@pytest.mark.parametrize("target", ["/etc", "../outside", "../component-other"])
def test_a_source_lies_in_the_folder_of_its_component(
    target: str, folder: Path, tmp_path: Path
) -> None:
    """RCP-06: also through a link."""
    for name in ("outside", "component-other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("x")
    (folder / "away").symlink_to(target)
    for path in ("away", "../outside"):
        with pytest.raises(UsageError) as caught:
            packed(local(path), folder)
        assert caught.value.rule == "RCP-06"


def test_a_link_that_leaves_the_source_is_refused(folder: Path) -> None:
    """RCP-06."""
    (folder / "src/out").symlink_to("../../etc")
    with pytest.raises(ArchiveError):
        packed(local("src"), folder)


def test_what_is_neither_file_nor_folder_nor_link_is_told(folder: Path) -> None:
    os.mkfifo(folder / "src/pipe")
    with pytest.raises(UsageError, match="is neither a file, a folder nor a link"):
        packed(local("src"), folder)


@pytest.mark.parametrize("name", ["a:b", "con", "A.SH", "x" * 300, "a/../b", "/a"])
def test_a_name_that_no_archive_may_hold_is_refused(name: str, folder: Path) -> None:
    """RCP-06: whatever the system that packs would allow."""
    source = Source("inline", path=name, text="x")
    if name == "A.SH":
        (folder / "src" / name).write_text("x")
        source = local("src")
    with pytest.raises(ArchiveError):
        packed(source, folder)
