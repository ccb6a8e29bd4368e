"""What `completion` prints, in the shells that it is for."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from crpack.cli import completion
from crpack.cli.verbs import VERBS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.tool import Tool

# How each shell is asked: the words before the cursor, the last one under it, come as arguments.
ASK = {
    "bash": """
source "$SCRIPT"
COMP_WORDS=(crpack "$@"); COMP_CWORD=$#
_crpack
printf '%s\\n' "${COMPREPLY[@]}"
""",
    "zsh": """
compdef() { :; }
_files() { :; }
_describe() { local -a all; all=(${(P)2}); local one
  for one in $all; do [[ ${one%%:*} == ${words[CURRENT]}* ]] && print -r -- ${one%%:*}; done }
source "$SCRIPT"
words=(crpack "$@"); CURRENT=${#words}
_crpack
""",
    "fish": """
complete -e crpack
source $SCRIPT
complete -C (string join ' ' -- crpack $argv) | string replace -r '\\t.*' ''
""",
}
SHELL = [
    pytest.param(name, marks=pytest.mark.skipif(not shutil.which(name), reason=f"no {name} here"))
    for name in ASK
]


@pytest.fixture(params=SHELL)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def completed(shell: str, tool: Tool, *words: str) -> list[str]:
    """Return what a shell offers for the last word."""
    path = tool.folder / f"completion.{shell}"
    if not path.exists():
        path.write_text(tool("completion", shell).out, encoding="utf-8")
        (tool.folder / "bin").mkdir(exist_ok=True)
        program = tool.folder / "bin/crpack"
        python = shlex.quote(sys.executable)
        program.write_text(f'#!/bin/sh\nexec {python} -m crpack "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    options = {"bash": ["--norc", "-c"], "zsh": ["-f", "-c"], "fish": ["--no-config", "-c"]}
    start = "--" if shell == "fish" else "-"
    argv = [shell, *options[shell], ASK[shell], start, *words]
    env = {
        "PATH": f"{tool.folder / 'bin'}:{os.environ['PATH']}",
        "SCRIPT": str(path),
        "HOME": str(tool.folder),
        "CRPACK_HOME": str(tool.home),
    }
    done = subprocess.run(
        argv, env=env, cwd=tool.folder / "bin", capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout.split()


def test_verbs_options_and_their_words_are_completed(shell: str, tool: Tool) -> None:
    """CLI-11: from the parsers, so that none is forgotten."""
    assert set(completed(shell, tool, "")) >= {*VERBS, "help"}
    assert completed(shell, tool, "valid") == ["validate"]
    assert completed(shell, tool, "run", "--exe") == ["--executor"]
    assert completed(shell, tool, "list", "--exe") == []
    assert completed(shell, tool, "--color", "never", "run", "--color", "al") == ["always"]
    assert set(completed(shell, tool, "key", "")) >= {"new", "list", "export", "import"}
    assert set(completed(shell, tool, "help", "pl")) == {"platforms"}


def test_names_of_what_is_installed_are_completed(shell: str, tool: Tool, sample: Path) -> None:
    """CLI-11."""
    tool("install", sample)
    for verb in ("run", "validate", "remove", "shell"):
        assert "sample" in completed(shell, tool, verb, "")
    assert completed(shell, tool, "run", "--prefix", "x", "sam") == ["sample"]


def test_a_folder_that_is_named_like_a_command_is_neither_run_nor_offered(
    shell: str, tool: Tool
) -> None:
    """CLI-11: whoever writes into a shared prefix names folders there as he likes."""
    for name in ("a$(touch${IFS}here)b", "c;touch there", "fine"):
        folder = tool.prefix / "solutions" / name
        (folder / "gen/1").mkdir(parents=True)
        (folder / "current").symlink_to("gen/1")
    found = completed(shell, tool, "remove", "")
    assert "fine" in found
    assert not [word for word in found if set(word) & set("$;()")]
    assert not (tool.folder / "bin/here").exists()


def test_an_unknown_shell_is_refused(tool: Tool) -> None:
    assert "`bash`" in tool("completion", "tcsh", code=2).err


def test_every_verb_is_known() -> None:
    """CLI-11."""
    assert {words.verb for words in completion.known()} == {*VERBS, "help"}
