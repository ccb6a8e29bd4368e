from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from crpack.cli import install
from crpack.install import state
from crpack.ops.device import Installed

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("packaging", "tomllib", "requests", "tuf", "resolvelib", "cryptography", "zstandard")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home below which a solution `demo` is installed."""
    folder = tmp_path / "data/solutions/demo/gen/3"
    folder.mkdir(parents=True)
    record = {"name": "demo", "version": "1.0", "revision": 0, "identity": "a" * 64, "number": 3}
    record |= {"date": "2026-01-31T12:00:00Z", "request": "demo", "unsigned": [], "parts": []}
    record |= {"platform": "any"}
    (folder / "generation.json").write_text(json.dumps({"format": 1, "critical": [], **record}))
    (folder.parents[1] / "current").symlink_to("gen/3")
    return tmp_path


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys; from crpack.cli.main import main; code = main(sys.argv[1:]);"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr);"
        "sys.exit(code)"
    )
    env = {**os.environ, "CRPACK_HOME": str(home)}
    argv = [sys.executable, "-c", code, *words]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False)


def test_what_is_installed_is_left_alone_and_nothing_heavy_is_imported(home: Path) -> None:
    """ASK-07."""
    done = run(home, "install", "demo")
    assert (done.returncode, done.stdout) == (
        0, "demo 1.0 is installed already; nothing was changed\n",
    )  # fmt: skip
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    "words", [["demo>=1"], ["demo", "--reinstall"], ["demo", "other"], ["demo", "--dry-run"]]
)
def test_any_further_choice_is_really_made(home: Path, words: list[str]) -> None:
    """ASK-07."""
    done = run(home, "--offline", "install", *words)
    assert "installed already" not in done.stdout
    assert "[]" not in done.stderr


def test_the_short_answer_has_the_fields_of_the_long_one() -> None:
    """ASK-07, CLI-02."""
    row = install._row(state.Installed("demo", "/x", 3))
    assert row.keys() == {field.name for field in fields(Installed)}
