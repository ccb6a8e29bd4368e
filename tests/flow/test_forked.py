"""The command in a fork is the command: what the other tests run is what a user runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.flow.tool import Tool

ANEW = {"PYTHONHASHSEED": "7"}  # the interpreter reads it first, so that no fork serves


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("--version",), 0, ""),
        (("list", "--json"), 0, ""),
        (("nonsense",), 2, ""),
        (("key", "new", "second"), 2, "no terminal\n"),
        (("install", "nowhere.crpkg", "--json"), 2, ""),
        (("install", "/dev/stdin"), 2, "piped"),
    ],
)
def test_it_says_and_ends_as_in_a_new_interpreter(
    tool: Tool, words: tuple[str, ...], code: int, text: str
) -> None:
    assert tool(*words, code=code, text=text) == tool(*words, code=code, text=text, env=ANEW)


def test_its_folder_and_environment_are_its_own(tool: Tool) -> None:
    here = tool.folder / "here"
    here.mkdir()
    other = {"CRPACK_HOME": str(tool.folder / "other")}
    for name, env in (("fork", other), ("anew", {**other, **ANEW})):
        tool("new", name, cwd=here, env=env)
        tool("key", "new", name, "--no-passphrase", env=env)
    assert sorted(path.name for path in here.iterdir()) == ["anew", "fork"]
    keys = {path.name for path in (tool.folder / "other/config/keys").glob("*.pem")}
    assert keys == {"anew.pem", "fork.pem"}
    assert not (tool.home / "config/keys/fork.pem").exists()


def test_several_run_at_once(tool: Tool) -> None:
    said: list[str] = []

    def ask(number: int) -> None:
        said.append(tool(f"nonsense-{number}", code=2).err)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(text.split("`")[1] for text in said) == [f"nonsense-{n}" for n in range(8)]
