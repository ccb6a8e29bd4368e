"""Settings of the whole suite."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.index_room import Room

# The same examples every time, and no clock: a busy machine changes no answer.
settings.register_profile(
    "crpack", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("crpack")

# A shell lets what it starts with `&` ignore SIGINT, and so does every program started from there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def detected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that knows what this machine has; asking each tool takes seconds."""
    from crpack import config
    from crpack.ops import detection
    from crpack.session import Session
    from tests.flow.tool import learn, lend

    home = tmp_path_factory.mktemp("detected")
    lend(home / "cache")
    homes = config.homes({"CRPACK_HOME": str(home)}, "/")
    detection.facts(Session(config.merge([]), homes, f"{home}/data"))
    learn(home / "cache")
    return home / "cache"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """An index with small components; nobody changes it (`Room.copy` gives one to change)."""
    from tests.flow import index_room

    return index_room.made(tmp_path_factory.mktemp("lab") / "owner")
