"""Programs that stand for others: shims, dispatchers, wrappers.

Rules (SPEC DET-10, DET-25):
- A shim of pyenv and its kin stands for the programs of its name under `versions`; a link to
  rustup, for those in its toolchains: the default first. Shims are not run.
- A script that does nothing but hand its arguments to a program of the same name elsewhere is a
  wrapper: the installation is where that program lies.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from crpack.detect.path import version_key
from crpack.process.installation import HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.detect.eyes import Eyes

_MAX_WRAPPER = 4096  # bytes of a script that may be a wrapper
_MAX_SETTINGS = 64 * 1024  # bytes of rustup's settings
_MANAGED = re.compile(rb"/(?:py|rb|nod|go|pl|j|php)env\"? exec ")
_DEFAULT = re.compile(rb'^default_toolchain\s*=\s*"([^"]+)"', re.MULTILINE)
_HANDS_ON = re.compile(r'(?:exec\s+)?"?(/[^\s"\'$`\\;&|]+)"?\s+"\$@"')


def targets(path: str, eyes: Eyes) -> tuple[str, ...]:
    """Return the programs that a shim stands for; empty when it is none (SPEC DET-10)."""
    folder, name = os.path.split(path)
    if os.path.basename(folder) == "shims":
        return tuple(_managed(path, folder, name, eyes))
    if name != "rustup" and os.path.basename(eyes.real(path)) == "rustup":
        return tuple(_toolchains(folder, name, eyes))
    return ()


def wrapped(path: str, eyes: Eyes) -> str:
    """Return the program that a wrapper hands its arguments to; empty when it is none."""
    seen = eyes.stamp(path)
    if seen is None or seen[2] > _MAX_WRAPPER:
        return ""
    text = eyes.read(path, _MAX_WRAPPER)
    if not text.startswith(b"#!"):
        return ""
    lines = (line.strip() for line in text.decode("utf-8", "replace").splitlines())
    commands = [line for line in lines if line and not line.startswith("#")]
    match = _HANDS_ON.fullmatch(commands[0]) if len(commands) == 1 else None
    if match is None or os.path.basename(match[1]) != os.path.basename(path):
        return ""
    return match[1] if eyes.real(match[1]) and eyes.stamp(match[1]) else ""


def _managed(path: str, folder: str, name: str, eyes: Eyes) -> Iterator[str]:
    root = os.path.dirname(folder)
    versions = f"{root}/versions"
    if not eyes.is_folder(versions) or not _MANAGED.search(eyes.read(path, HEAD_BYTES)):
        return
    wanted = eyes.read(f"{root}/version", HEAD_BYTES).decode("utf-8", "replace").split()
    for version in _ordered(eyes.names(versions), wanted):
        target = f"{versions}/{version}/bin/{name}"
        if eyes.is_file(target):
            yield target


def _toolchains(folder: str, name: str, eyes: Eyes) -> Iterator[str]:
    cargo = os.path.dirname(folder)
    beside = os.path.join(
        os.path.dirname(cargo), os.path.basename(cargo).replace("cargo", "rustup")
    )
    for home in dict.fromkeys((eyes.variable("RUSTUP_HOME"), beside)):
        if os.path.isabs(home) and eyes.is_folder(f"{home}/toolchains"):
            match = _DEFAULT.search(eyes.read(f"{home}/settings.toml", _MAX_SETTINGS))
            wanted = [match[1].decode("utf-8", "replace")] if match else []
            for toolchain in _ordered(eyes.names(f"{home}/toolchains"), wanted):
                target = f"{home}/toolchains/{toolchain}/bin/{name}"
                if eyes.is_file(target):
                    yield target
            return


def _ordered(names: tuple[str, ...], wanted: list[str]) -> list[str]:
    """Return names, the wanted ones first, then those with the higher version."""
    ordered = sorted(names, key=version_key, reverse=True)
    return sorted(ordered, key=lambda name: name not in wanted)
