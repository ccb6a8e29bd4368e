from __future__ import annotations

from dataclasses import fields

from crpack.model import canonical, records
from crpack.model.records import FileDigest, RunRecord

RECORD = RunRecord(
    solution="lab/sample",
    version="1.0",
    generation=3,
    lock="1" * 64,
    realisation="2" * 64,
    action="run",
    executor="local",
    argv=("{python}", "{self}/main.py"),
    input="3" * 64,
    output="4" * 64,
    files=(FileDigest("output.picture", 10, "5" * 64),),
    started="2024-01-05T12:00:00Z",
    milliseconds=1500,
    code=0,
)


def test_a_run_record_says_what_ran_and_how_it_ended() -> None:
    """ACT-06."""
    table = canonical.decode(records.encode(RECORD), what="run.json")
    assert table.pop("format") == 1
    assert table.pop("critical") == []
    assert table.pop("files") == [{"name": "output.picture", "size": 10, "sha256": "5" * 64}]
    assert set(table) | {"files"} == {field.name for field in fields(RunRecord)}
    assert (table["solution"], table["generation"], table["code"]) == ("lab/sample", 3, 0)
    assert table["argv"] == ["{python}", "{self}/main.py"]


def test_a_run_record_holds_nothing_of_the_machine_or_its_user() -> None:
    """ACT-06: it can be shown to everybody."""
    names = {field.name for field in fields(RunRecord)}
    assert not names & {"host", "user", "cwd", "environment", "env", "home", "path"}
