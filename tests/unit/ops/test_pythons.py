"""Pythons: who chooses wheels."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from crpack.errors import InstallError
from crpack.install.python import tools
from crpack.ops import pythons

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_pip_chooses_before_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PYE-02: uv passes over the upper end of `Requires-Python`; without pip it serves."""
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    here = tools.ask(sys.executable, os.environ)
    real = tools.find_tool
    assert real(here, os.environ).argv == (str(uv),)
    assert pythons._chooses(here, None).kind == "pip"

    def without_pip(interpreter: tools.Interpreter, environ: dict[str, str]) -> tools.Tool:
        if not environ:
            raise InstallError("there is no pip")
        return real(interpreter, environ)

    monkeypatch.setattr(tools, "find_tool", without_pip)
    assert pythons._chooses(here, None).kind == "uv"
