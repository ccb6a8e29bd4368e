"""Fixtures: each tool that chooses and installs wheels."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from crpack.install.python import tools

if TYPE_CHECKING:
    from crpack.install.python.tools import Tool


@pytest.fixture(scope="module", params=["pip", "uv"])
def tool(request: pytest.FixtureRequest) -> Tool:
    """Pip, and uv where it is beside the interpreter."""
    path = "" if request.param == "pip" else os.path.dirname(sys.executable)
    found = tools.find_tool(tools.ask(sys.executable, os.environ), {"PATH": path})
    if found.kind != request.param:
        pytest.skip("uv is not beside the interpreter")
    return found
