"""Start-up loads only what a verb needs (the times themselves are in tests/bench)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.house.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

THIRD_PARTIES = {
    "cryptography",
    "packaging",
    "requests",
    "resolvelib",
    "securesystemslib",
    "tomlkit",
    "tqdm",
    "tuf",
    "urllib3",
    "zstandard",
}
HEAVY = {
    *("asyncio", "ctypes", "email", "http", "multiprocessing", "pathlib", "shutil", "socket"),
    *("ssl", "subprocess", "tarfile", "tempfile", "tomllib", "typing", "zipfile"),
}


def loaded(home: Path, *arguments: str) -> set[str]:
    """Return the modules that `crpack ARGUMENTS` loads, those of the interpreter left out."""
    environment = {"PATH": os.environ["PATH"], "CRPACK_HOME": str(home), "HOME": str(home)}

    def run(*argv: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-I", "-X", "importtime", *argv],
            env=environment,
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
        )
        return set(re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE))

    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[1:] = {list(arguments)!r}; "
    whole = run("-c", start + "import runpy; runpy.run_module('crpack', run_name='__main__')")
    return whole - run("-c", "import sys, runpy")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["list"], ["list", "--json"]])
def test_start_up_loads_no_third_party_and_no_heavy_module(
    tmp_path: Path, arguments: list[str]
) -> None:
    modules = loaded(tmp_path, *arguments)
    assert any(name.startswith("crpack") for name in modules)
    assert not {name for name in modules if name.split(".")[0] in THIRD_PARTIES | HEAVY}


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_constants_need_next_to_nothing(tmp_path: Path, argument: str) -> None:
    modules = loaded(tmp_path, argument)
    late = {"argparse", "dataclasses", "inspect", "json", "re"}
    assert not {name for name in modules if name.split(".")[0] in late}


def test_the_measure_sees_a_module(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        loaded(tmp_path, "no-such-verb")
    assert "argparse" in loaded(tmp_path, "list")
