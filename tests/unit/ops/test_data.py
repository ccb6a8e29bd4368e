from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from crpack import config
from crpack.config import Homes, Layer
from crpack.errors import FetchError, TrustError, UsageError
from crpack.index.entries import Copy, Release, Shard
from crpack.model import recipe_document, recipe_slice
from crpack.ops import data
from crpack.ops.progress import silent
from crpack.session import USUAL_DATA, Session

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.model.facts import Found
    from crpack.ops.gathering import Part

LINUX = "linux-x86_64-gnu2.36"
BYTES = b"weights" * 100
DIGEST = hashlib.sha256(BYTES).hexdigest()
FILE = f"size = {len(BYTES)}\nsha256 = '{DIGEST}'\n"
THIN = Copy("thin", "a/x.crpkg", "0" * 64, 100, 10)
FULL = replace(THIN, kind="full")


def probe(text: str, roots: str = "'{data}'", when: str = "") -> str:
    return f"[[{when}probe]]\nkind = 'digest'\nroots = [{roots}]\n{text}"


def release(text: str, version: str = "1.0", kind: str = "model", **more: Any) -> Release:
    """Return a listed release whose recipe is a head and a text."""
    head = f"[package]\nname = 'net'\nversion = '{version}'\nkind = '{kind}'\n"
    recipe = recipe_document.read(f"{head}summary = ''\nlicense = ''\n{text}", file="crpack.toml")
    one = Release(version, 0, hashlib.sha256(recipe).hexdigest(), "2026-01-31T12:00:00Z", (),
                  recipe_slice.cut(recipe), (), (), (FULL, THIN), "")  # fmt: skip
    return replace(one, **more)


class Archives:
    """Where archives are had from: vouches for all, which have no payload, or refuses all."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.asked: list[Part] = []

    def archive(self, part: Part, *_: object) -> Any:
        self.asked.append(part)
        if self.refusal:
            raise self.refusal
        return SimpleNamespace(archive=SimpleNamespace(manifest=SimpleNamespace(payloads=())))


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    homes = Homes(*(f"{tmp_path}/{part}" for part in ("config", "cache", "data", "state")))
    named = Layer("a test", (("data-folders", f"{tmp_path}/mine:~/more"),))
    (tmp_path / "mine").mkdir()
    return Session(config.merge([named]), homes, f"{tmp_path}/prefix")


def look(
    session: Session, *releases: Release, shelf: Archives | None = None, options: Any = ()
) -> tuple[Found, ...]:
    looked = data.look(session, shelf or Archives(), LINUX, options, silent)
    return looked("lab", Shard("net", releases))


def test_a_file_is_found_by_size_and_digest(session: Session, tmp_path: Path) -> None:
    """DAT-02, DAT-03: it is the release that the probe is of."""
    file = tmp_path / "mine/deep/net.bin"
    file.parent.mkdir()
    file.write_bytes(BYTES)
    shelf = Archives()
    (found,) = look(session, release(probe(FILE)), shelf=shelf)
    assert (found.name, found.version, found.kind) == ("net", "1.0", "model")
    assert (found.place, found.files) == (str(file.parent), ("net.bin",))
    (recorded,) = data.files(found)
    status = file.stat()
    assert (recorded.path, recorded.sha256) == (str(file), DIGEST)
    assert (recorded.size, recorded.mtime_ns) == (status.st_size, status.st_mtime_ns)
    (asked,) = shelf.asked
    assert (asked.package.index, asked.payloads, asked.sources) == ("lab", (), False)


def test_a_folder_is_found_by_its_markers_which_are_recorded(
    session: Session, tmp_path: Path
) -> None:
    folder = tmp_path / "mine/set"
    folder.mkdir()
    (folder / "a.json").write_bytes(b"{}")
    (folder / "b.bin").write_bytes(BYTES)
    markers = "markers = ['a.json', { path = 'b.bin', size = 700 }]\n"
    (found,) = look(session, release(probe(markers, "'{data}/set'"), kind="dataset"))
    assert (found.place, found.files, found.kind) == (str(folder), ("a.json", "b.bin"), "dataset")
    digests = [hashlib.sha256(b"{}").hexdigest(), DIGEST]
    assert [one.sha256 for one in data.files(found)] == digests


@pytest.mark.parametrize("marker", ["a.json", "b.bin"])
def test_a_folder_in_place_of_a_marker_is_none(
    session: Session, tmp_path: Path, marker: str
) -> None:
    folder = tmp_path / "mine/set"
    (folder / marker).mkdir(parents=True)
    for name in {"a.json", "b.bin"} - {marker}:
        (folder / name).write_bytes(b"")
    assert look(session, release(probe("markers = ['a.json', 'b.bin']\n"))) == ()


@pytest.mark.parametrize("root", ["/", "{home}", "{prefix}", "{env.HOME}", "TMP/private"])
def test_nothing_outside_of_the_folders_for_data_is_looked_at(
    session: Session, tmp_path: Path, root: str
) -> None:
    """DAT-01: whatever a probe that an archive brings names."""
    for place in ("private", "home"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "net.bin").write_bytes(BYTES)
    roots = f"'{root.replace('TMP', str(tmp_path))}'"
    assert look(session, release(probe(FILE + "paths = ['net.bin']\n", roots))) == ()


def test_only_models_and_data_sets_are_used_in_place(session: Session, tmp_path: Path) -> None:
    (tmp_path / "mine/net.bin").write_bytes(BYTES)
    assert look(session, release(probe(FILE), kind="program")) == ()


@pytest.mark.parametrize(
    ("wrong", "found"), [({"yanked": "broken"}, 0), ({"copies": (FULL,)}, 0), ({}, 1)]
)
def test_a_yanked_release_and_one_without_a_thin_copy_are_not_looked_for(
    session: Session, tmp_path: Path, wrong: dict[str, Any], found: int
) -> None:
    """DAT-01."""
    (tmp_path / "mine/net.bin").write_bytes(BYTES)
    assert len(look(session, release(probe(FILE), **wrong))) == found


def test_of_many_releases_the_newest_are_looked_for(session: Session, tmp_path: Path) -> None:
    """DAT-01."""
    (tmp_path / "mine/net.bin").write_bytes(BYTES)
    every = [release(probe(FILE), f"{n}.0") for n in range(data.MAX_RELEASES + 5, 0, -1)]
    found = look(session, *every)
    assert [one.version for one in found] == [one.version for one in every][: data.MAX_RELEASES]


def test_what_nobody_vouches_for_is_not_found(session: Session, tmp_path: Path) -> None:
    """DAT-02."""
    (tmp_path / "mine/net.bin").write_bytes(BYTES)
    gone = Archives(FetchError("it is not there"))
    assert look(session, release(probe(FILE)), shelf=gone) == ()
    with pytest.raises(TrustError):
        look(session, release(probe(FILE)), shelf=Archives(TrustError("it is another")))


def test_who_vouches_is_not_asked_where_nothing_is_there(session: Session) -> None:
    shelf = Archives()
    assert look(session, release(probe(FILE)), shelf=shelf) == ()
    assert shelf.asked == []


OPTIONS = """
[options.size]
type = "enum"
values = ["small", "large"]
default = "small"
scope = "build"
[build]
driver = "make"
[[when]]
match = { option.size = "large" }
"""


def test_a_probe_stands_for_the_build_options_it_is_resolved_with(
    session: Session, tmp_path: Path
) -> None:
    """DAT-02."""
    (tmp_path / "mine/net.bin").write_bytes(BYTES)
    one = release(OPTIONS + probe(FILE, when="when."))
    assert look(session, one) == ()
    (found,) = look(session, one, options=(("net", "size", "large"), ("other", "size", "small")))
    assert found.suits([("size", "large")])
    assert not found.suits([("size", "small")])
    assert look(session, one, options=(("net", "sise", "large"),)) == ()


def test_a_digest_is_not_taken_again_while_the_file_stays(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DAT-01, DET-07."""
    file = tmp_path / "mine/net.bin"
    file.write_bytes(BYTES)
    monkeypatch.setattr("crpack.ops.data.time.time_ns", lambda: file.stat().st_ctime_ns + 3 * 10**9)
    (found,) = look(session, release(probe(FILE)))
    monkeypatch.setattr("crpack.detect.eyes._sha256", lambda _: pytest.fail("it was read again"))
    assert look(session, release(probe(FILE))) == (found,)
    monkeypatch.undo()
    file.write_bytes(BYTES[::-1])
    os.utime(file, ns=(found.mtime_ns, found.mtime_ns))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert look(session, release(probe(FILE))) == ()


def test_the_users_folders_come_first(session: Session, tmp_path: Path) -> None:
    """DAT-01."""
    home = str(tmp_path / "home")
    usual = [text.replace("~", home) for text in USUAL_DATA]
    assert session.data_folders() == (f"{tmp_path}/mine", f"{home}/more", *usual)


def test_a_relative_folder_for_data_is_refused(session: Session) -> None:
    layer = Layer("a test", (("data-folders", "/here:there"),))
    with pytest.raises(UsageError, match="`there` is not absolute"):
        Session(config.merge([layer]), session.homes, session.prefix).data_folders()
