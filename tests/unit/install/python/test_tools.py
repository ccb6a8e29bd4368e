from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.errors import InstallError, RunFailed
from crpack.install.python import tools
from crpack.install.python.tools import Interpreter
from crpack.process.run import Outcome

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = Interpreter("/usr/bin/python3", "/usr/bin/python3.11", "cpython", "3.11.2", "abi-x")


def program(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_an_interpreter_is_what_it_says_of_itself() -> None:
    """PYE-01."""
    found = tools.ask(sys.executable, os.environ)
    assert found.path == sys.executable
    assert found.implementation == sys.implementation.name
    assert found.version == ".".join(str(part) for part in sys.version_info[:3])
    assert os.path.samefile(found.base, os.path.realpath(sys.executable))
    assert found.identity.startswith(f"{found.implementation}-{found.version}-")
    assert found.base not in found.identity


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/sh\nexit 3\n",
        "#!/bin/sh\necho 'no version' >&2; exit 0\n",
        "#!/bin/sh\necho '[]'\n",
        "#!/bin/sh\necho '{}'\n",
        "#!/bin/sh\necho '{\"pip\": true}'\n",
        "#!/bin/sh\nprintf '[%.0s' $(seq 9999)\n",
    ],
)
def test_what_does_not_answer_as_python_is_no_interpreter(tmp_path: Path, text: str) -> None:
    """PYE-01."""
    with pytest.raises(InstallError, match="is not a Python interpreter that works"):
        tools.ask(program(tmp_path, "python", text), os.environ)


def test_an_interpreter_that_is_not_there_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises((InstallError, RunFailed)):
        tools.ask(f"{tmp_path}/missing", os.environ)


def test_uv_comes_first(tmp_path: Path) -> None:
    """PYE-02."""
    uv = program(tmp_path, "uv", "#!/bin/sh\n")
    tool = tools.find_tool(PYTHON, {"PATH": str(tmp_path)})
    assert (tool.kind, tool.argv) == ("uv", (uv,))


def test_pip_is_looked_for_in_three_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PYE-02."""
    bundle = tmp_path / "ensurepip/_bundled"
    bundle.mkdir(parents=True)
    (bundle / "pip-99-py3-none-any.whl").touch()
    real = importlib.util.find_spec
    hidden = {"pip", "ensurepip"}

    def find(name: str, package: str | None = None) -> object:
        if name == "ensurepip" and name not in hidden:
            return type("Spec", (), {"submodule_search_locations": [f"{tmp_path}/ensurepip"]})
        return None if name in hidden else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    environ = {"PATH": str(tmp_path)}
    with_pip = replace(PYTHON, has_pip=True)
    assert tools.find_tool(with_pip, environ).argv == ("/usr/bin/python3", "-m", "pip")
    with pytest.raises(InstallError, match="neither `uv` nor `pip`"):
        tools.find_tool(PYTHON, environ)
    hidden.remove("ensurepip")
    carried = f"{bundle}/pip-99-py3-none-any.whl/pip"
    assert tools.find_tool(PYTHON, environ).argv == (sys.executable, carried)


def test_choosing_keeps_the_users_index_and_drops_what_misleads() -> None:
    """PYE-03."""
    kept = tools.own_environment({"PIP_INDEX_URL": "i", "PIP_TARGET": "t", "PYTHONPATH": "p"})
    assert kept["PIP_INDEX_URL"] == "i"
    assert not {"PIP_TARGET", "PYTHONPATH"} & kept.keys()


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LC_CTYPE", "XDG_CONFIG_HOME", "https_proxy", "NO_PROXY", "NETRC",
             "SSL_CERT_FILE", "UV_INDEX_URL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]
)  # fmt: skip
def test_what_finds_files_and_the_network_is_seen_by_the_tools(name: str) -> None:
    """PYE-03."""
    assert tools.own_environment({name: "value"})[name] == "value"


@pytest.mark.parametrize(
    "name", ["CRPACK_PASSPHRASE", "AWS_SECRET", "MY_PATH", "PATHS", "GITHUB_TOKEN", "VIRTUAL_ENV"]
)
def test_a_secret_of_the_user_is_not_seen_by_the_tools(name: str) -> None:
    """PYE-03: pip puts `${AWS_SECRET}` of a requirement into the address that it asks."""
    assert name not in tools.own_environment({name: "secret"})
    assert name not in tools.closed_environment({name: "secret"})


def test_installing_keeps_no_configuration() -> None:
    """PYE-03."""
    closed = tools.closed_environment({"PIP_INDEX_URL": "i", "UV_INDEX_URL": "u", "PATH": "p"})
    assert not {"PIP_INDEX_URL", "UV_INDEX_URL"} & closed.keys()
    assert closed["PIP_CONFIG_FILE"] == os.devnull
    assert closed["PATH"] == "p"


@pytest.mark.parametrize(
    ("stderr", "reasons"),
    [
        (b"WARNING: noise\nERROR: one\n  error: two\n", ["one", "two"]),
        (b"a\nb\n\nc\nd\n", ["b", "c", "d"]),
        (b"\xff\n", ["\ufffd"]),
        (b"", ["it ended with the code 1"]),
    ],
)
def test_a_tools_failure_is_told_in_its_error_lines(stderr: bytes, reasons: list[str]) -> None:
    outcome = Outcome(1, b"", stderr, False, False, 0.0, 0.0, "L0", "open")
    assert tools.reasons(outcome) == reasons
    late = replace(outcome, timed_out=True)
    assert tools.reasons(late) == ["it did not come to an end"]
