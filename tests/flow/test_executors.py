"""Actions that run elsewhere: under an emulator, behind ssh, on a device behind adb."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.flow.test_elsewhere import board, cross, room
from tests.flow.test_index_ssh import SSHD, TOOLS, far
from tests.flow.tool import Tool, component, head
from tests.tools import stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.flow.index_room import Room

__all__ = ["board", "far", "room"]  # fixtures

served = pytest.mark.skipif(
    SSHD is None or not all(map(shutil.which, TOOLS)), reason="no OpenSSH server here"
)

TALE = """
[requires]
voice = ">=1"
[[source]]
kind = "local"
path = "own"
[build]
driver = "copy"
platform = "any"
[action.run]
argv = ["sh", "{self}/tale.sh", "{output}", "{param.image}", "{dep.voice}", "{param.word}"]
[action.run.inputs.image]
type = "path"
required = true
[action.run.params.word]
type = "string"
default = "it's $HOME; `id` \\"x\\""
[action.run.outputs]
said = { type = "string" }
picture = { type = "path" }
score = { type = "float" }
[action.fail]
argv = ["sh", "-c", "echo no such shape >&2; exit 9"]
[action.kill]
argv = ["sh", "-c", "kill -9 $$"]
[action.sleep]
argv = ["sh", "-c", "sleep 43 & sleep 43"]
timeout = 1
[action.escape]
argv = ["sh", "-c", "ln -s /etc/passwd evil; echo '{\\"picture\\": \\"evil\\"}' > $0", "{output}"]
[action.escape.outputs]
picture = { type = "path" }
[action.big]
argv = ["sh", "-c", "head -c 70000000 /dev/zero > big; echo '{}' > $0", "{output}"]
[action.validate]
argv = ["sh", "{self}/tale.sh", "{output}", "", "{dep.voice}", "x"]
[action.validate.outputs]
score = { type = "float" }
[metrics.score]
reference = 0.5
tolerance = 0.01
"""
IMAGE = ("--set", "image=it's pictures")
SCRIPT = """\
set -e
cat "$3/voice" "$3/link" > heard
env > environment
test -z "$2" || cat "$2"/* > picture
test -e picture || : > picture
printf '%s' "$4" > word
printf '{"said": "%s", "picture": "%s/picture", "score": 0.5}' \\
  "$(cat heard)" "$PWD" > "$1"
"""
VOICE = """
[[source]]
kind = "local"
path = "own"
[build]
driver = "copy"
platform = "any"
[exports.env]
VOICE_AT = "{prefix}"
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """Somebody who installed a solution of scripts; nobody changes the installation."""
    tool = Tool(tmp_path_factory.mktemp("told")).with_key()
    parts = tool.folder / "parts"
    voice = component(parts / "voice", head("voice") + VOICE, own__voice="ah")
    (voice / "own/link").symlink_to("voice")
    component(parts / "tale", head("tale", kind="solution") + TALE, own__tale_dot_sh=SCRIPT)
    tool("build", "parts/tale", "--with", "parts", "--full", "--out", "tale.crpkg")
    tool("install", "tale.crpkg")
    pictures = tool.folder / "it's pictures"
    pictures.mkdir()
    (pictures / "one").write_text("1")
    (tool.folder / "two").write_text("2")
    (pictures / "two").symlink_to(tool.folder / "two")
    return tool


@pytest.fixture(params=[pytest.param("ssh", marks=pytest.mark.slow), "adb"])
def there(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[str, dict[str, str], Path]]:
    """A word for a machine that is not this one, the variables it needs, its folder of crpack."""
    if request.param == "ssh":
        if SSHD is None or not all(map(shutil.which, TOOLS)):
            pytest.skip("no OpenSSH server here")
        programs = request.getfixturevalue("far")
        base = tmp_path / "there"
        yield f"ssh:far:{base}", {"PATH": f"{programs}:{os.environ['PATH']}"}, base
        return
    base = tmp_path / "device"
    device(tmp_path / "bin/adb", base)
    yield "adb:emu-5554", {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}, base


def device(path: Path, base: Path) -> None:
    """Write a stand-in of adb, whose device is a folder here."""
    path.parent.mkdir()
    stand_in.write(
        path,
        "import os, sys\n"
        "serial, shell, *options, script = sys.argv[2:]\n"
        "assert (sys.argv[1], serial, shell) == ('-s', 'emu-5554', 'shell'), sys.argv\n"
        "assert options in (['-T'], ['-n', '-T']), options\n"
        f"script = script.replace('/data/local/tmp/crpack', {str(base)!r})\n"
        "if '-n' in options:\n"
        "    os.dup2(os.open('/dev/null', os.O_RDONLY), 0)\n"
        "os.setsid() if os.getpid() != os.getsid(0) else None\n"
        "os.chdir('/')\n"
        "os.execv('/bin/sh', ['sh', '-c', script])\n",
    )


def folder_of(done: Any) -> Path:
    return Path(done.json["data"]["folder"])


def test_a_run_elsewhere_is_as_one_here(
    told: Tool, there: tuple[str, dict[str, str], Path]
) -> None:
    """EXE-02, EXE-04 to EXE-06: inputs go there, outputs come back, nothing of the run stays."""
    word, env, base = there
    here = told("run", "tale", *IMAGE, "--json")
    away = told("run", "tale", *IMAGE, "--executor", word, "--json", env={**env, "SECRET": "x"})
    own, other = here.json["data"]["outputs"], away.json["data"]["outputs"]
    assert own["said"] == other["said"] == "ahah"
    assert Path(other["picture"]).parent == folder_of(away)
    for name in ("picture", "word", "heard"):
        assert (folder_of(away) / name).read_bytes() == (folder_of(here) / name).read_bytes()
    assert (folder_of(away) / "picture").read_text() == "12"
    assert (folder_of(away) / "input.json").read_bytes() == \
        (folder_of(here) / "input.json").read_bytes()  # fmt: skip
    said = (folder_of(away) / "environment").read_text()
    assert "SECRET" not in said
    assert str(told.prefix) not in said
    assert f"VOICE_AT={base}/store/" in said
    record = json.loads((folder_of(away) / "run.json").read_text())
    assert record["executor"] == word.partition(":")[0]
    assert record["input"] == json.loads((folder_of(here) / "run.json").read_text())["input"]
    assert not list((base / "runs").iterdir())
    assert len(list((base / "store").iterdir())) == 2


def test_what_was_sent_is_not_sent_again(
    told: Tool, there: tuple[str, dict[str, str], Path]
) -> None:
    """EXE-05: trees stay there under their digests."""
    word, env, base = there
    told("run", "tale", *IMAGE, "--executor", word, env=env)
    (voice,) = (base / "store").glob("*/files/voice")
    voice.write_text("oh")
    done = told("run", "tale", *IMAGE, "--executor", word, "--json", env=env)
    assert done.json["data"]["outputs"]["said"] == "ohoh"
    told("validate", "tale", "--executor", word, env=env)


def test_how_it_ended_is_told(told: Tool, there: tuple[str, dict[str, str], Path]) -> None:
    """EXE-07: its own exit status and last lines, not those of the line."""
    word, env, base = there
    error = told("run", "tale", "fail", "--executor", word, "--json", code=9, env=env).json["error"]
    assert error["why"] == ["no such shape"]
    told("run", "tale", "kill", "--executor", word, code=137, env=env)
    done = told("run", "tale", "sleep", "--executor", word, code=125, env=env)
    assert "`sh` did not end within 1 seconds" in done.err
    assert not [place for place in map(workplace, Path("/proc").glob("[0-9]*/cwd"))
                if place.startswith(str(base))]  # fmt: skip
    assert not list((base / "runs").iterdir())


def workplace(link: Path) -> str:
    """Return the folder that a process works in; empty for one that ended."""
    try:
        return str(link.readlink())
    except OSError:
        return ""


def test_what_comes_back_is_taken_as_hostile(
    told: Tool, there: tuple[str, dict[str, str], Path]
) -> None:
    """EXE-06: no link out of the run folder, no more than may be fetched."""
    word, env, _ = there
    done = told("run", "tale", "escape", "--executor", word, code=4, env=env)
    assert "links to `/etc/passwd`" in done.err
    done = told("run", "tale", "big", "--executor", word, code=7, env=env)
    assert "too big to be fetched" in done.err


@served
@pytest.mark.slow
def test_a_host_that_ssh_does_not_know_is_refused(told: Tool, far: Path, tmp_path: Path) -> None:
    """EXE-08: its key is never taken unseen; nothing is asked."""
    known = tmp_path / "known"
    known.write_text("")
    strict = tmp_path / "bin/ssh"
    strict.parent.mkdir()
    words = shlex.join([str(far / "ssh"), "-o", f"UserKnownHostsFile={known}"])
    strict.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    strict.chmod(0o755)
    env = {"PATH": f"{strict.parent}:{os.environ['PATH']}"}
    done = told("run", "tale", *IMAGE, "--executor", "ssh:far", code=5, env=env)
    assert "Host key verification failed" in done.err
    assert not known.read_text()


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("ssh:-oProxyCommand=x", 2), ("ssh:a b", 2), ("ssh:", 2), ("ssh:far:$(id)", 2),
        ("ssh:far:relative", 2), ("adb:-s", 2), ("cloud", 2), ("local:x", 2), ("emulator", 2),
    ],
)  # fmt: skip
def test_a_word_that_names_no_executor_is_refused(told: Tool, word: str, code: int) -> None:
    """EXE-01, EXE-03, EXE-08, EXE-09."""
    told("run", "tale", *IMAGE, f"--executor={word}", code=code)


def test_offline_no_machine_is_asked(told: Tool) -> None:
    """EXE-01."""
    told("run", "tale", *IMAGE, "--offline", "--executor", "ssh:far", code=5)


@cross
@served
@pytest.mark.slow
def test_a_solution_for_a_board_is_not_sent_to_another_machine(
    board: Tool, far: Path, tmp_path: Path
) -> None:
    """EXE-04."""
    place = tmp_path / "there"
    env = {"PATH": f"{far}:{os.environ['PATH']}"}
    done = board("run", "talk", "--executor", f"ssh:far:{place}", "--json", code=125, env=env)
    assert "do not run on `far`" in done.json["error"]["what"]
    assert not place.exists()


@served
@pytest.mark.slow
def test_what_is_of_this_machine_alone_is_not_sent(
    tool: Tool, sample: Path, far: Path, tmp_path: Path
) -> None:
    """EXE-04: such as an environment of its Python."""
    tool("install", sample)
    env = {"PATH": f"{far}:{os.environ['PATH']}"}
    words = ("--executor", f"ssh:far:{tmp_path / 'there'}", "--json")
    done = tool("run", "sample", *words, code=125, env=env)
    assert done.json["error"]["why"] == [
        "it uses a Python environment, which stays on this machine"
    ]
    assert not (tmp_path / "there").exists()


@served
@pytest.mark.slow
def test_a_program_finds_its_library_on_the_other_machine(
    room: Room, far: Path, tmp_path: Path
) -> None:
    """EXE-05, GEN-11: trees lie beside each other there, as run paths tell."""
    user = room.user(tmp_path / "user")
    user("install", "talk", "--no-detect")
    env = {"PATH": f"{far}:{os.environ['PATH']}"}
    words = ("--executor", f"ssh:far:{tmp_path / 'there'}", "--json")
    done = user("run", "talk", *words, env=env)
    assert done.json["data"]["outputs"] == {"said": "spoken!"}
