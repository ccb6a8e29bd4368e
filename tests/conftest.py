"""Settings of the whole suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.flow.index_room import Room

# The same examples every time, and no clock: a busy machine changes no answer.
settings.register_profile(
    "crpack", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("crpack")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """An index with small components; nobody changes it (`Room.copy` gives one to change)."""
    from tests.flow import index_room

    return index_room.made(tmp_path_factory.mktemp("lab") / "owner")
