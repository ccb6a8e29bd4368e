"""Failures to choose, by the command line: for people, as a tree, and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest

from tests.flow.tool import Tool
from tests.house.source import ROOT
from tests.tools import metadata_index
from tests.unit.solve.market import needs, release, shard

if TYPE_CHECKING:
    from pathlib import Path

SHARDS = (
    shard("app", release("app", "1.0", needs(c=">=2", zzz="{version = '', optional = true}"))),
    shard("legacy", release("legacy", "1.0", needs(c="<2"))),
    shard("c", release("c", "1.0"), release("c", "2.0")),
    shard("early", release("early", "1.0", needs(rc=""))),
    shard("rc", release("rc", "2.0rc1")),
    shard("bad", release("bad", "1.0", yanked="it turns \u202ethe line" + "!" * 3000)),
)


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    tool = Tool(tmp_path)
    host = metadata_index.written(SHARDS)
    host.save(tmp_path / "ix")
    monkeypatch.setenv("CRPACK_HOME", str(tool.home))
    metadata_index.pin(tmp_path / "ix", host.fingerprint)
    return tool


def words(user: Tool, *rest: str) -> tuple[str, ...]:
    return (rest[0], "--offline", "--index", str(user.folder / "ix"), *rest[1:])


def test_a_failure_is_a_graph_for_programs(user: Tool) -> None:
    """SOL-12: of each verb that chooses, and of `why` too."""
    schema = json.loads((ROOT / "spec/conflict.schema.json").read_text())
    found = [
        user(*words(user, *verb, "--json"), code=3).json["error"]
        for verb in (("lock", "app", "legacy"), ("install", "app>=2"), ("lock", "no-such"))
    ]
    for error in found:
        jsonschema.validate(error["data"], schema)
        assert error["code"] == error["data"]["code"] == "no-solution"
        assert error["data"]["nodes"][-1]["text"] == error["what"]
    kinds = [node["kind"] for node in found[0]["data"]["nodes"]]
    assert kinds == [
        *("request", "request", "dependency", "dependency", "available", "derived", "derived")
    ]
    assert found[1]["hint"] == "ask for `app` in any version: `app` 1.0 would do"
    asked = words(user, "why", "c", "--in", "app>=2", "--json")
    conflict = user(*asked).json["data"]["conflict"]
    jsonschema.validate(conflict, schema)
    assert conflict == {k: v for k, v in found[1]["data"].items() if k in conflict}


def test_verbs_that_choose_tell_a_failure_as_a_tree(user: Tool) -> None:
    """SOL-12."""
    for verb in ("install", "lock", "bundle"):
        told = user(*words(user, verb, "--tree", "early"), code=3).err
        assert (
            "error: `early` cannot be had\n"
            "  cause: you asked for `early`\n"
            "  cause:   `early` 1.0 requires `rc`\n"
            "  cause:     `rc` 2.0rc1 is left out because it is a pre-release, "
            "and nobody asked for one\n"
        ) in told


def test_a_change_that_is_proposed_does(user: Tool) -> None:
    """SOL-10: as it would be typed, with the versions that come out."""
    error = user(*words(user, "lock", "--json", "early"), code=3).json["error"]
    (fix,) = error["data"]["fixes"]
    assert (fix["change"], fix["instead"]) == ("add", "rc>=2.0rc1")
    done = user(*words(user, "lock", "--json", "early", fix["instead"])).json["data"]
    chosen = [{"package": one["name"], "version": one["version"]} for one in done["selected"]]
    assert sorted(chosen, key=str) == sorted(fix["result"], key=str)


def test_requests_of_a_lock_are_told_as_such(user: Tool) -> None:
    """SOL-10."""
    user(*words(user, "lock", "app"))
    text = (user.folder / "crpack.lock").read_text()
    (user.folder / "crpack.lock").write_text(text.replace('["app"]', '["app>=2"]'))
    told = user(*words(user, "lock", "--upgrade", "*"), code=3).err
    assert "error: `app>=2` cannot be had\n  cause: crpack.lock asked for `app>=2`\n" in told


def test_what_an_index_says_turns_no_line_and_fills_no_screen(user: Tool) -> None:
    """SOL-10, CLI-03."""
    for rest in ((), ("--tree",)):
        done = user(*words(user, "lock", "bad", *rest), code=3)
        assert "`bad` 1.0 is left out because it is yanked: it turns \\u202ethe line!!!" in done.err
        assert max(map(len, done.err.splitlines())) < 400
    out = user(*words(user, "lock", "bad", "--json"), code=3).out
    assert out.isascii()
    assert "!" * 3000 in json.loads(out)["error"]["data"]["nodes"][1]["reason"]
