"""The environment of a step (SBX-01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.process.environment import SYSTEM_PATH, clean
from crpack.process.run import Limits, run

if TYPE_CHECKING:
    import pytest


def test_nothing_of_the_users_environment_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """SBX-01."""
    for name in ("CFLAGS", "LD_LIBRARY_PATH", "PKG_CONFIG_PATH", "CONDA_PREFIX", "API_TOKEN"):
        monkeypatch.setenv(name, "/leak")
    outcome = run(
        ("/usr/bin/env",),
        cwd="/",
        env=clean({}, home="/h", tmp="/t"),
        limits=Limits(wall_s=10),
    )
    assert outcome.code == 0
    assert b"leak" not in outcome.stdout
    assert b"HOME=/h\n" in outcome.stdout


def test_folders_and_dates_are_those_given_away() -> None:
    env = clean({"CC": "gcc", "TZ": "CET"}, home="/home/step", tmp="/scratch")
    assert env["TMPDIR"] == "/scratch"
    assert env["XDG_CACHE_HOME"].startswith("/home/step/")
    assert env["SOURCE_DATE_EPOCH"] == "315532800"
    assert (env["CC"], env["TZ"]) == ("gcc", "CET")  # the caller's word wins


def test_path_has_absolute_folders_only() -> None:
    env = clean({}, home="/h", tmp="/t", path=("/a", "", ".", "bin", "/b"))
    assert env["PATH"] == "/a:/b"
    assert clean({}, home="/h", tmp="/t")["PATH"] == ":".join(SYSTEM_PATH)
