"""Programs that stand for others: shims, dispatchers, wrappers.

Rules (SPEC DET-10, DET-25):
- A shim of pyenv and its kin stands for the programs of its name under `versions`; one of asdf or
  mise, for those under `installs`; a link to rustup, for those in its toolchains: the chosen
  version first, as far as a variable or the manager's own file tells it. Shims are not run, also
  where nothing stands behind them.
- A short shell script that hands its arguments to a program of the same name elsewhere is a
  wrapper: the installation is where that program lies. Which one that is, is read off the text;
  where the text does not tell, nobody knows the installation.
"""

from __future__ import annotations

import os
import re
import shlex
from string import Template
from typing import TYPE_CHECKING

from crpack.detect.path import version_key
from crpack.process.installation import HEAD_BYTES, interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.detect.eyes import Eyes

_MAX_SCRIPT = 4096  # bytes of a script that may be a shim or a wrapper
_MAX_SETTINGS = 64 * 1024  # bytes of rustup's settings
_MANAGED = re.compile(rb"/((?:py|rb|nod|go|pl|j|php)env)\"? exec ")
_ASDF = re.compile(rb"^exec (?:\S*/)?asdf exec ", re.MULTILINE)
_PLUGIN = re.compile(r"^# asdf-plugin: (\S+) (\S+)$", re.MULTILINE)
_DEPTHS = ("bin", "", "*/bin")  # where an installation of asdf or mise has its programs
_DEFAULT = re.compile(rb'^default_toolchain\s*=\s*"([^"]+)"', re.MULTILINE)
_SHELLS = frozenset({"bash", "dash", "ksh", "sh", "zsh"})
_SET = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(\S*)")
_ARGUMENTS = re.compile(r"\$[@*]|\$\{1\+")
_ITSELF = re.compile(r"\$0|\$\{0|BASH_SOURCE")


def targets(path: str, eyes: Eyes) -> tuple[str, ...] | None:
    """Return the programs that a shim stands for; None for what is no shim (SPEC DET-10)."""
    folder, name = os.path.split(path)
    if os.path.basename(folder) == "shims":
        text = eyes.read(path, _MAX_SCRIPT)
        if managed := _MANAGED.search(text):
            return tuple(_managed(folder, name, managed[1].decode(), eyes))
        if _ASDF.search(text):
            return tuple(_planned(folder, name, text.decode("utf-8", "replace"), eyes))
        if name != "mise" and os.path.basename(eyes.real(path)) == "mise":
            return tuple(_installed(os.path.dirname(folder), "*/*", name, eyes))
    if name != "rustup" and os.path.basename(eyes.real(path)) == "rustup":
        return tuple(_toolchains(folder, name, eyes))
    return None


def wrapped(path: str, eyes: Eyes) -> str | None:
    """Return the program of its own name that a wrapper hands its arguments to (SPEC DET-25).

    Returns:
        Its path; empty for a wrapper that does not tell it; None for what is no wrapper.
    """
    seen = eyes.stamp(path)
    if seen is None or seen[2] > _MAX_SCRIPT:
        return None
    data = eyes.read(path, _MAX_SCRIPT)
    if not _SHELLS.intersection(map(os.path.basename, interpreter(data)[:2])):
        return None
    text = data.decode("utf-8", "replace")
    programs = _handed_to(text, os.path.basename(path))
    if not programs or (_ITSELF.search(text) and not all(map(os.path.isabs, programs))):
        return None
    (program, *others) = programs
    known = not others and os.path.isabs(program) and "$" not in program
    return program if known and eyes.real(program) and eyes.stamp(program) else ""


def _handed_to(text: str, name: str) -> set[str]:
    """Return what a script of a shell calls by a name, and gives its arguments to."""
    values: dict[str, str] = {}
    programs: set[str] = set()
    for line in text.splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue  # a part of something longer
        words = [Template(word).safe_substitute(values) for word in words]
        if settings := _SET.fullmatch(" ".join(words)):
            values[settings[1]] = settings[2]
        elif _ARGUMENTS.search(line):
            programs.update(word for word in words if os.path.basename(word) == name)
    return programs


def _managed(folder: str, name: str, manager: str, eyes: Eyes) -> Iterator[str]:
    root = os.path.dirname(folder)
    versions = f"{root}/versions"
    named = eyes.variable(f"{manager.upper()}_VERSION").split(":")
    wanted = named + eyes.read(f"{root}/version", HEAD_BYTES).decode("utf-8", "replace").split()
    for version in _ordered(eyes.names(versions), wanted):
        target = f"{versions}/{version}/bin/{name}"
        if eyes.is_file(target):
            yield target


def _planned(folder: str, name: str, text: str, eyes: Eyes) -> Iterator[str]:
    """Yield the programs of the installations that a shim of asdf lists."""
    root = os.path.dirname(folder)
    every = _PLUGIN.findall(text)
    chosen = {
        plugin: eyes.variable(f"ASDF_{plugin.upper().replace('-', '_')}_VERSION")
        for plugin, _ in every
    }
    newest = sorted(every, key=lambda one: version_key(one[1]), reverse=True)
    for plugin, version in sorted(newest, key=lambda one: chosen[one[0]] != one[1]):
        yield from _installed(root, f"{plugin}/{version}", name, eyes)


def _installed(root: str, which: str, name: str, eyes: Eyes) -> Iterator[str]:
    """Yield the programs of a name below `installs`, each once: mise has links for versions."""
    found: dict[str, str] = {}
    for home in eyes.matches(f"{root}/installs", which):
        for path in (at for depth in _DEPTHS for at in eyes.matches(home, f"{depth}/{name}")):
            if eyes.is_file(path):
                found.setdefault(eyes.real(path), path)
    yield from found.values()


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
    """Return names, the wanted ones first and in their order, then those of higher versions."""
    place = {name: index for index, name in reversed([*enumerate(wanted)])}
    ordered = sorted(names, key=version_key, reverse=True)
    return sorted(ordered, key=lambda name: place.get(name, len(wanted)))
