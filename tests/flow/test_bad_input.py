"""Bad input gets one clear sentence, a cause, a hint, the right exit code, and loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from tests.flow.tool import PROGRAM, Done, Tool, component, head, program, solution

ROOT = Path(__file__).resolve().parents[2]


def snapshot(tool: Tool) -> dict[str, str]:
    """Return what is installed: every link and record below `solutions/`."""
    found = {}
    for path in sorted((tool.prefix / "solutions").rglob("*")):
        if path.is_symlink():
            found[str(path)] = str(path.readlink())
        elif path.name.endswith(".json"):
            found[str(path)] = path.read_text()
    return found


def refused(tool: Tool, *words: str | Path, code: int, says: str) -> Done:
    """See that a command fails with a sentence, on standard error, and nothing is lost."""
    before = snapshot(tool)
    done = tool(*words, code=code)
    assert sum(line.startswith("error: ") for line in done.err.splitlines()) == 1, done.err
    assert says in done.err, done.err
    assert done.out == ""
    assert snapshot(tool) == before
    return done


def test_an_unknown_verb_or_flag_is_answered_with_the_nearest(tool: Tool) -> None:
    assert "did you mean `crpack install`" in refused(tool, "instal", code=2, says="not a verb").err
    assert "did you mean `--json`" in refused(tool, "list", "--jsn", code=2, says="--jsn").err
    assert "did you mean" in refused(tool, "help", "exit-code", code=2, says="exit-code").err


def test_broken_toml_is_shown_with_line_column_and_caret(tool: Tool) -> None:
    component(tool.folder / "bad", '[package]\nname = "x\nversion = 1')
    done = refused(tool, "build", "bad", code=2, says="is not TOML")
    assert "bad/crpack.toml:2:10" in done.err
    assert '2 | name = "x\n' in done.err
    assert done.err.splitlines()[3].rstrip().endswith("^")


def test_all_faults_of_a_recipe_are_told_at_once(tool: Tool) -> None:
    toml = head("bad", kind="progam").replace("license", "licence") + '[build]\ndriver = "mke"\n'
    component(tool.folder / "bad", toml)
    done = refused(tool, "build", "bad", code=2, says="has 4 faults")
    for word in ("did you mean `license`", "did you mean `program`", "did you mean `make`"):
        assert word in done.err
    listed = tool("build", "bad", "--json", code=2).json["error"]["data"]["faults"]
    assert sorted(fault["line"] for fault in listed) == [1, 4, 6, 8]


def test_a_file_that_is_missing_or_no_archive(tool: Tool) -> None:
    refused(tool, "install", "nowhere.crpkg", code=2, says="no file `nowhere.crpkg`")
    refused(tool, "install", ".", code=2, says="is a folder")
    (tool.folder / "text.crpkg").write_text("not an archive")
    refused(tool, "install", "text.crpkg", code=4, says="archive")
    (tool.folder / "empty.crpkg").touch()
    refused(tool, "verify", "empty.crpkg", code=4, says="archive")


def test_an_archive_that_nobody_or_a_stranger_signed(tool: Tool) -> None:
    program(tool.folder / "greet")
    tool("build", "greet", "--unsigned", "--out", "unsigned.crpkg")
    refused(tool, "install", "unsigned.crpkg", code=4, says="is not signed")
    tool("key", "new", "stranger", "--no-passphrase")
    tool("build", "greet", "--key", "stranger", "--out", "foreign.crpkg")
    done = refused(tool, "install", "foreign.crpkg", code=4, says="not pinned")
    assert "crpack trust add" in done.err
    assert "nothing was changed" in done.err
    refused(tool, "install", "--allow-unsigned", "foreign.crpkg", code=4, says="not pinned")
    assert "nobody vouches" in tool("install", "--allow-unsigned", "unsigned.crpkg").err
    assert tool("list", "--json").json["data"][0]["name"] == "greet"


def test_a_key_is_trusted_for_its_names_only(tool: Tool) -> None:
    program(tool.folder / "greet")
    tool("build", "greet")
    (keyid,) = [pin["keyid"] for pin in tool("trust", "list", "--json").json["data"]["keys"]]
    tool("trust", "remove", keyid[:12])
    tool("trust", "add", tool.home / "config/keys/test.pub", "--names", "lab/*")
    refused(tool, "install", "greet-1.0.crpkg", code=4, says="for other names only")
    tool("trust", "add", tool.home / "config/keys/test.pub", "--names", "greet")
    tool("install", "greet-1.0.crpkg")


def test_an_archive_that_is_cut_or_extended(tool: Tool, sample: Path) -> None:
    data = sample.read_bytes()
    for name, bad in (("cut", data[:-1]), ("long", data + b"\0"), ("front", b"\0" + data),
                      ("half", data[: len(data) // 2])):  # fmt: skip
        path = tool.folder / f"{name}.crpkg"
        path.write_bytes(bad)
        refused(tool, "install", path, code=4, says="archive")


def test_a_machine_without_a_compiler(tool: Tool, sample: Path) -> None:
    """What was looked for, where, and what to install."""
    empty = tool.folder / "bin"
    empty.mkdir()
    hidden = tool.folder / "hidden/ziglang-0.dist-info"  # nor Zig beside crpack, if it is there
    hidden.mkdir(parents=True)
    (hidden / "METADATA").write_text("Metadata-Version: 2.1\nName: ziglang\nVersion: 0\n")
    env = {"PATH": str(empty), "PYTHONPATH": str(hidden.parent)}
    done = tool("install", sample, code=6, env=env)
    assert "no C and C++ compiler" in done.err
    assert "`gcc` with `g++`" in done.err
    assert f"in `{empty}`\n" in done.err  # and in no folder that was not searched
    assert "hint: " in done.err
    assert "nothing was changed" in done.err
    assert snapshot(tool) == {}


def test_a_compile_error_shows_the_first_error_and_the_log(tool: Tool) -> None:
    folder = program(tool.folder / "greet")
    (folder / "src/greet.c").write_text("int main(void) { return oops; }\n")
    tool("build", "greet")
    done = refused(tool, "install", "greet-1.0.crpkg", code=6, says="failed with exit status 2")
    assert len([line for line in done.err.splitlines() if "cause:" in line]) == 1
    assert "oops" in done.err
    log = done.err.split("log: `")[1].split("`")[0]
    assert "oops" in Path(log).read_text()


def test_a_recipe_that_does_not_make_its_output(tool: Tool) -> None:
    toml = head("greet") + PROGRAM.replace("bin/greet", "bin/missing")
    program(tool.folder / "greet")
    component(tool.folder / "greet", toml)
    tool("build", "greet")
    done = refused(tool, "install", "greet-1.0.crpkg", code=6, says="did not make")
    assert "bin/missing" in done.err
    assert "bin/greet" in done.err


def test_no_space(tool: Tool, sample: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        done = tool("install", sample, "--prefix", small / "p", code=1)
        assert "no space" in done.err
        assert "nothing was changed" in done.err
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_prefix_that_cannot_be_written(tool: Tool, sample: Path) -> None:
    (tool.folder / "file").write_text("in the way")
    refused(
        tool,
        "install",
        sample,
        "--prefix",
        tool.folder / "file",
        code=1,
        says="is not a folder",
    )


def test_ctrl_c_changes_nothing_and_is_130(tool: Tool) -> None:
    folder = program(tool.folder / "greet")
    (folder / "src/Makefile").write_text("greet:\n\tsleep 60\ninstall:\n\ttrue\n")
    tool("build", "greet")
    with subprocess.Popen(
        [sys.executable, "-m", "crpack", "install", "greet-1.0.crpkg"],
        cwd=tool.folder,
        env={**os.environ, "CRPACK_HOME": str(tool.home)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 120
        while not list((tool.home / "state").rglob("*.log")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert tool("list", "--json").json["data"] == []
    assert list((tool.prefix / "stage").iterdir()) == []


def test_an_action_that_answers_nonsense(tool: Tool) -> None:
    program(tool.folder / "parts/greet")
    folder = solution(tool.folder / "parts/sample")
    for main, says in (
        ("import sys; open(sys.argv[2], 'w').write('{')", "did not answer JSON"),
        ("pass", "wrote no answer"),
        ("import sys; open(sys.argv[2], 'w').write('{\"said\": 1}')", "does not fit"),
        ("import sys; open(sys.argv[2], 'w').write('{}')", "did not answer `said`"),
    ):
        (folder / "main.py").write_text(main)
        tool("build", "parts/sample", "--with", "parts", "--full", "--out", "s.crpkg")
        tool("install", "s.crpkg")
        assert says in tool("run", "sample", code=7).err
    (folder / "main.py").write_text("import sys; sys.exit(42)")
    tool("build", "parts/sample", "--with", "parts", "--full", "--out", "s.crpkg")
    tool("install", "s.crpkg")
    assert "exit status 42" in tool("run", "sample", code=42).err


def test_every_failure_is_one_json_object_too(tool: Tool, sample: Path) -> None:
    """CLI-02: the published schema holds for successes and failures."""
    schema = json.loads((ROOT / "spec/cli-output.schema.json").read_text())
    for words, code in (
        (("list",), 0),
        (("install", str(sample), "--dry-run"), 0),
        (("info", str(sample)), 0),
        (("info", "nobody"), 3),
        (("install", "nowhere.crpkg"), 2),
        (("instal",), 2),
        (("list", "--nope"), 2),
        (("verify", "empty.crpkg"), 4),
        (("detect", "no-such-tool"), 2),
    ):
        (tool.folder / "empty.crpkg").touch()
        done = tool(*words, "--json", code=code)
        jsonschema.validate(done.json, schema)
        assert done.json["ok"] is (code == 0)


def test_nothing_is_asked_without_a_terminal(tool: Tool) -> None:
    """CLI-04."""
    refused(tool, "key", "new", "secret", code=2, says="no terminal")
    tool("key", "new", "secret", env={"CRPACK_PASSPHRASE": "correct horse"})
    program(tool.folder / "greet")
    refused(tool, "build", "greet", "--key", "secret", code=2, says="no terminal")
    done = tool("build", "greet", "--key", "secret", code=2, env={"CRPACK_PASSPHRASE": "wrong"})
    assert "passphrase is wrong" in done.err
    tool("build", "greet", "--key", "secret", env={"CRPACK_PASSPHRASE": "correct horse"})
    assert (tool.home / "config/keys/secret.pem").stat().st_mode & 0o777 == 0o600


def test_settings_are_checked_with_their_origin(tool: Tool) -> None:
    """CFG-02."""
    (tool.home / "config/config.toml").write_text('prefx = "/x"\n')
    done = refused(tool, "list", code=2, says="`prefx`")
    assert "did you mean `prefix`" in done.err
    assert "config.toml" in done.err
    (tool.home / "config/config.toml").write_text("jobs = \n")
    refused(tool, "list", code=2, says="not TOML")
    (tool.home / "config/config.toml").unlink()
    done = tool("list", code=2, env={"CRPACK_JOBS": "many"})
    assert "the variable `CRPACK_JOBS`" in done.err
