"""`crpack dashboard` as people and programs use it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crpack.model import lock
from crpack.model.lock import Lock
from crpack.trust import keys
from crpack.trust import results as signing
from tests.tools.sample_results import (
    LOCK_DIGEST,
    invalid,
    sample,
    store,
    store_lock,
    with_latency,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.tool import Tool

OWN_FILES = {"index.html", "page.css", "data.js", "page.js"}


def tree(folder: Path) -> dict[str, str]:
    """Return each file below a folder with the digest of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def data(folder: Path) -> Any:
    """Return the object that a page's script hands over."""
    return json.loads((folder / "data.js").read_text()[len("crpackData(") : -3])


def test_a_page_stands_by_itself_with_records_and_locks(tool: Tool) -> None:
    """DSH-01, DSH-02: from a folder and a file; the lock is found beside them."""
    paths = store(tool.folder / "r", *[sample(place) for place in range(3)], invalid(sample(3)))
    other = store(tool.folder / "other", sample(4))[0]
    store_lock(tool.folder / "r")
    done = tool("dashboard", "r", other, "--out", "page")
    assert done.out.splitlines()[1] == "5 results (1 INVALID), 459 official ones, 1 lock"
    found = tree(tool.folder / "page")
    assert set(found) > OWN_FILES
    assert {name for name in found if "/" in name} == {
        *(f"results/{path.name}" for path in (*paths, other)),
        f"results/locks/{LOCK_DIGEST}.lock",
    }
    for name, digest in found.items():
        if "/" in name:
            assert digest == name.rpartition("/")[2].partition(".")[0]
    assert data(tool.folder / "page")["locks"] == {LOCK_DIGEST: True}


def test_the_same_results_make_the_same_page(tool: Tool) -> None:
    """DSH-02: named in any order, into a new folder or over an old page."""
    paths = store(tool.folder / "r", *[sample(place) for place in range(4)])
    tool("dashboard", "r", "--out", "one")
    tool("dashboard", paths[0], "--out", "two")
    tool("dashboard", *reversed(paths), "--out", "two")
    assert tree(tool.folder / "one") == tree(tool.folder / "two")


def test_results_of_the_prefix_are_the_usual_ones(tool: Tool) -> None:
    """DSH-01: and without any, the official ones are still a page."""
    done = tool("dashboard")
    assert "0 results, 459 official ones" in done.out
    assert "crpack benchmark NAME" in done.err
    store(tool.prefix / "results", sample())
    assert tool("dashboard", "--json").json["data"]["results"] == 1
    assert len(data(tool.folder / "dashboard")["ids"]) == 460


def test_a_dry_run_writes_nothing(tool: Tool) -> None:
    """DSH-02."""
    store(tool.folder / "r", sample())
    done = tool("dashboard", "r", "--out", "page", "--dry-run")
    assert "1 result," in done.out
    assert "nothing was changed" in done.err
    assert not (tool.folder / "page").exists()


def test_what_is_no_longer_shown_goes(tool: Tool) -> None:
    """DSH-02: the records of an older page."""
    old, new = store(tool.folder / "r", sample(0), sample(1))
    tool("dashboard", "r", "--out", "page")
    old.unlink()
    (tool.folder / "page/.data.js.0123456789abcdef").write_text("left by a power cut")
    tool("dashboard", "r", "--out", "page")
    assert not list((tool.folder / "page").glob(".*"))
    left = [path.name for path in (tool.folder / "page/results").glob("*.json")]
    assert left == [new.name]


def test_a_folder_with_other_files_is_left_alone(tool: Tool) -> None:
    """DSH-02."""
    store(tool.folder / "r", sample())
    (tool.folder / "mine").mkdir()
    (tool.folder / "mine/thesis.tex").write_text("years of work")
    done = tool("dashboard", "r", "--out", "mine", code=2)
    assert "holds other files than a dashboard" in done.err
    assert "thesis.tex" in done.err
    assert [path.name for path in (tool.folder / "mine").iterdir()] == ["thesis.tex"]
    store(tool.folder / "own/results", sample())
    assert "`results`" in tool("dashboard", "own/results", "--out", "own", code=2).err
    assert "is not a folder" in tool("dashboard", "r", "--out", "mine/thesis.tex", code=2).err


def test_a_place_without_results_is_a_fault_of_use(tool: Tool) -> None:
    """DSH-01."""
    (tool.folder / "empty").mkdir()
    assert "there are no results" in tool("dashboard", "empty", code=2).err
    assert "`nowhere` is not there" in tool("dashboard", "nowhere", code=2).err
    assert not (tool.folder / "dashboard").exists()


def test_a_lock_of_an_archive_file_is_told_apart(tool: Tool) -> None:
    """DSH-02: no index has what it names, so the page offers no command that installs it."""
    data_of_lock = lock.encode(Lock(("object-detection-shapes",)))
    digest = hashlib.sha256(data_of_lock).hexdigest()
    result = sample()
    store(
        tool.folder / "r", replace(result, software=replace(result.software, lock=digest)), sample()
    )
    store_lock(tool.folder / "r")
    (tool.folder / f"r/locks/{digest}.lock").write_bytes(data_of_lock)
    tool("dashboard", "r")
    assert data(tool.folder / "dashboard")["locks"] == {LOCK_DIGEST: True, digest: False}


def test_a_page_is_a_source_of_results(tool: Tool) -> None:
    """DSH-02, RES-08: its folder of results has all that a reader needs."""
    store(tool.folder / "r", *[sample(place) for place in range(3)])
    store_lock(tool.folder / "r")
    tool("dashboard", "r", "--out", "one")
    tool("dashboard", "one/results", "--out", "two")
    assert tree(tool.folder / "one") == tree(tool.folder / "two")


def test_pinned_keys_vouch_for_results_by_name(tool: Tool) -> None:
    """DSH-07, DSH-08, RES-07: one key, two that agree, a stranger, and a signature that lies."""
    for name in ("alice", "bob", "carol"):
        tool("key", "new", name, "--no-passphrase")
    for name in ("alice", "bob"):
        key = tool.home / f"config/keys/{name}.pub"
        tool("trust", "add", key, "--names", "*", "--label", name)
    one, again, alone, strange, false = store(
        tool.folder / "r",
        sample(0),
        with_latency(sample(0), 7.6),
        sample(1),
        sample(2),
        sample(3),
    )
    for path, name in ((one, "alice"), (again, "bob"), (alone, "alice"), (strange, "carol")):
        sign(tool, path, name)
    sign(tool, one, "alice", beside=false)
    answer = tool("dashboard", "r", "--json").json
    assert answer["data"]["results"] == 4
    assert ["does not fit" in text and "RES-07" in text for text in answer["warnings"]] == [True]
    document = data(tool.folder / "dashboard")
    codes = next(one for one in document["attributes"] if one["key"] == "badge")
    badges = [codes["texts"][code] for code in codes["codes"]]
    found = dict(zip(document["ids"], badges, strict=True))
    assert [found[path.stem] for path in (one, again, alone, strange)] == [
        "reproduced",
        "reproduced",
        "signed by alice",
        "unsigned",
    ]
    assert (tool.folder / f"dashboard/results/{one.stem}.sig.json").is_file()


def sign(tool: Tool, record: Path, name: str, beside: Path | None = None) -> None:
    """Sign a record with a key, as `crpack benchmark --key` does; put it beside another one."""
    pem = (tool.home / f"config/keys/{name}.pem").read_bytes()
    data = signing.sign(record.read_bytes(), [keys.from_pem(pem, None)])
    (beside or record).with_suffix(".sig.json").write_bytes(data)
