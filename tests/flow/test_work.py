"""`run`, `validate` and `info` as people and programs use them."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.flow.tool import Tool, program, solution

FAILING = "import sys; print('hello'); sys.exit('no such shape')"
SLEEPING = "import pathlib, time; pathlib.Path('started').touch(); time.sleep(600)"


def installed(tool: Tool, main: str = "") -> None:
    """Install the sample solution, with another program where one is given."""
    program(tool.folder / "parts/greet")
    folder = solution(tool.folder / "parts/sample")
    if main:
        (folder / "main.py").write_text(main)
    tool("build", "parts/sample", "--with", "parts", "--full", "--out", "sample.crpkg")
    tool("install", "sample.crpkg")


def test_a_failing_action_says_why_in_json_too(tool: Tool) -> None:
    """CLI-02: its last lines; people have read them on standard error already."""
    installed(tool, FAILING)
    error = tool("run", "sample", "--json", code=1).json["error"]
    assert error["why"] == ["hello", "no such shape"]
    said = tool("run", "sample", code=1).err
    assert said.count("no such shape") == 1
    why = tool("validate", "sample", "--json", code=7).json["error"]["why"]
    assert why == ["the action `validate` ended with exit status 1: hello; no such shape"]


def test_verdicts_have_one_shape_and_numbers_are_numbers(tool: Tool) -> None:
    """CLI-02, MET-02: whether they pass or not."""
    installed(tool)
    good = tool("validate", "sample", "--json").json["data"]
    assert good["hint"] == ""
    assert good["verdicts"] == [
        {"name": "score", "unit": "1", "direction": "higher", "value": 0.5, "reference": 0.5,
         "tolerance": 0.01, "passed": True}
    ]  # fmt: skip
    solution(tool.folder / "parts/sample", score="0.25")
    tool("build", "parts/sample", "--with", "parts", "--full", "--out", "worse.crpkg")
    tool("install", "worse.crpkg")
    error = tool("validate", "sample", "--json", code=7).json["error"]
    assert error["data"]["verdicts"] == [{**good["verdicts"][0], "value": 0.25, "passed": False}]
    assert error["hint"]


def test_an_input_that_does_not_fit_is_told_before_files_are_hashed(tool: Tool) -> None:
    """ACT-02, MET-03."""
    installed(tool)
    assert tool("validate", "sample").err
    assert tool("validate", "sample", "--set", "nobody=1", code=2).err.startswith("error: ")


def test_what_would_be_run_can_be_pasted(tool: Tool) -> None:
    """CLI-01: quoted for a shell, nothing started."""
    spaced = Tool(tool.folder / "a b")
    spaced.folder.mkdir()
    installed(spaced.with_key())
    for verb in ("run", "validate"):
        done = spaced(verb, "sample", "--dry-run")
        words = shlex.split(done.out.splitlines()[-1])
        assert "{run}/input.json" in words
        assert all(Path(word).exists() for word in words if word.startswith("/"))
        assert "nothing was changed" in done.err
    assert not (spaced.prefix / "runs").exists()


def test_info_tells_what_can_be_set(tool: Tool) -> None:
    installed(tool)
    for what in ("sample", "sample.crpkg"):
        actions = {one["name"]: one for one in tool("info", what, "--json").json["data"]["actions"]}
        (times,) = actions["run"]["params"]
        assert (times["name"], times["type"], times["default"]) == ("times", "int", "1")
        assert times["range"] == ["1", "9"]
        out = tool("info", what).out
        assert "param times (int, 1 to 9, default 1)" in out
        assert "input image (path)" in out
        assert "gives score (float)" in out


def test_a_sigint_for_crpack_alone_ends_the_program(tool: Tool) -> None:
    """CLI-03, SBX-10: as `kill -INT` sends it, without a terminal and its process group."""
    installed(tool, SLEEPING)
    with subprocess.Popen(
        [sys.executable, "-m", "crpack", "run", "sample"],
        cwd=tool.folder,
        env={**os.environ, "CRPACK_HOME": str(tool.home)},
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        deadline = time.monotonic() + 120
        while not list((tool.prefix / "runs").glob("*/started")) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    told = [line for line in said.splitlines() if line.startswith("error: ")]
    assert told == ["error: interrupted; the program was ended; the installation is as it was"]
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@pytest.mark.parametrize("verb", ["install", "info", "verify"])
def test_a_broken_archive_is_named_with_what_to_do(verb: str, tool: Tool) -> None:
    """CLI-03."""
    (tool.folder / "my.crpkg").write_bytes(b"x" * 500)
    done = tool(verb, "my.crpkg", code=4)
    assert "  cause: the archive is `my.crpkg`\n" in done.err
    assert "\nhint: " in done.err


def test_a_key_or_input_file_is_named(tool: Tool) -> None:
    """CLI-03."""
    installed(tool)
    (tool.folder / "junk").write_text("junk")
    for name, words in (
        ("junk", ["key", "import", "junk"]),
        ("junk", ["trust", "add", "junk", "--names", "*"]),
        ("junk", ["run", "sample", "--input", "junk"]),
        ("gone", ["run", "sample", "--input", "gone"]),
    ):
        said = tool(*words, code=2).err
        assert f"`{name}`" in said
        assert "[Errno" not in said


def test_a_dry_run_of_keys_and_pins_writes_nothing(tool: Tool) -> None:
    """CLI-01."""
    public = tool.home / "config/keys/test.pub"
    before = {path: path.read_bytes() for path in tool.home.rglob("*") if path.is_file()}
    (keyid,) = [pin["keyid"] for pin in tool("trust", "list", "--json").json["data"]["keys"]]
    for words in (
        ("key", "new", "other", "--no-passphrase"),
        ("key", "export", "test", "--out", "out.pub"),
        ("key", "import", tool.home / "config/keys/test.pem", "--name", "third"),
        ("trust", "add", public, "--names", "lab/*"),
        ("trust", "remove", keyid),
    ):
        assert "nothing was changed" in tool(*words, "--dry-run").err
    after = {path: path.read_bytes() for path in tool.home.rglob("*") if path.is_file()}
    assert after == before
    assert not (tool.folder / "out.pub").exists()


def test_a_word_too_many_or_too_few_is_told(tool: Tool) -> None:
    """CLI-03."""
    assert "`crpack key list` takes no argument `x`" in tool("key", "list", "x", code=2).err
    assert "`crpack key new` needs a name for the key" in tool("key", "new", code=2).err
    (keyid,) = [pin["keyid"] for pin in tool("trust", "list", "--json").json["data"]["keys"]]
    tool("trust", "remove", "-q", keyid)
    assert "crpack trust add KEYFILE --names PATTERN" in tool("trust", "list").err


def test_an_empty_passphrase_is_refused_with_the_other_way(tool: Tool) -> None:
    done = tool("key", "new", "me", "--passphrase-fd", "0", code=2, text="\n")
    assert "--no-passphrase" in done.err
