"""Settings of the tests of detection."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """Make files that only their owner may change, whatever the user's umask is."""
    before = os.umask(0o022)
    yield
    os.umask(before)
