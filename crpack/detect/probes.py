"""Recognition: which names a probe looks for, and what an answer means. Pure.

Rules (SPEC DET-03, DET-04):
- A name belongs to a probe by one of its patterns; the order of the patterns is the preference.
- An answer counts when the exit status is allowed, nothing matches `reject`, and the pattern
  `version` matches; the pattern is searched line by line (`^` and `$` are a line's ends).
- The group `version` is the version as the program tells it; further groups are notes.
- What cannot be trusted as text (control characters, endless lines) is cut, never shown raw.
"""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import os
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from crpack.detect.evidence import MAX_RAW
from crpack.detect.path import version_key
from crpack.model import canonical
from crpack.model.limits import MAX_VERSION_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crpack.model.probe import Probe
    from crpack.model.recipe import Recipe

MAX_LINE = 500  # characters of a line that patterns see
MAX_BYTES = 4096  # of each stream of an answer, from its beginning, that patterns see

_TRIPLE = re.compile(r"[A-Za-z0-9_.+]+(?:-[A-Za-z0-9_.+]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program's output says.

    Attributes:
        version: as told; None when the answer is refused.
        raw: the line with the version.
        notes: further groups of the pattern, sorted; `_` in a group's name becomes `-`.
        refused: why the answer does not count, in one sentence; empty when it does.
    """

    version: str | None = None
    raw: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    refused: str = ""


def name(probe: Probe) -> str:
    """Return the name under which what an `exec` probe finds is listed: its first (SPEC FCT-03)."""
    return probe.names[0]


def names(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of what a component's probes find (SPEC FCT-03)."""
    own = recipe.package.name
    found = (name(probe) if probe.kind == "exec" else own for probe in recipe.probe)
    return tuple(dict.fromkeys(found))


@functools.lru_cache(maxsize=512)
def digest(probe: Probe) -> str:
    """Return what changes whenever a probe does: sha256, in hex."""
    return hashlib.sha256(canonical.encode(asdict(probe))).hexdigest()


def rank(probe: Probe, file_name: str) -> tuple[int, tuple[int, ...]] | None:
    """Return the preference of a file name, less is better; None when it is not looked for.

    Within one pattern, the name with the higher numbers comes first: `gcc-13` before `gcc-9`.
    """
    for index, pattern in enumerate(probe.names):
        if _glob(pattern).fullmatch(file_name):
            return index, tuple(-number for number in version_key(file_name))
    return None


def genuine(probe: Probe, path: str) -> bool:
    """Say whether a file is called as the probe looks for it; a dispatcher is not."""
    return rank(probe, os.path.basename(path)) is not None


def any_of(wanted: Sequence[Probe]) -> Callable[[str], bool]:
    """Return a test whether some probe looks for a file name; one expression for all."""
    patterns = dict.fromkeys(pattern for probe in wanted for pattern in probe.names)
    expression = re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns) or "(?!)")
    return lambda file_name: expression.match(file_name) is not None


def prefix(probe: Probe, file_name: str) -> str:
    """Return what stands before the name proper: `aarch64-linux-gnu-` of a cross compiler.

    A program such as clang reads its target off it, so one file may be several compilers.
    """
    stem = name(probe)
    before, found, _ = file_name.rpartition(stem)
    return before if found else ""


def judge(probe: Probe, code: int, stdout: bytes, stderr: bytes) -> Answer:
    """Return what a program's output says (SPEC DET-04)."""
    streams = {"stdout": (stdout,), "stderr": (stderr,), "both": (stdout, stderr)}
    lines = _lines(*streams[probe.stream])
    if code not in probe.exit_codes:
        told = _lines(stderr) or _lines(stdout)
        return Answer(refused=_refusal(f"it ended with status {code}", told))
    try:
        match = _search(probe.version, lines)
        unwanted = _search(probe.reject, lines) if probe.reject else None
    except re.error as error:
        return Answer(refused=f"the probe's pattern is broken: {error}")
    if unwanted:
        return Answer(refused=_refusal("it is something else", [unwanted.string]))
    if match is None or not match.groupdict().get("version"):
        return Answer(refused=_refusal("its answer has no version", lines))
    version = match["version"]
    if len(version) > MAX_VERSION_LENGTH:
        return Answer(refused="its version is too long")
    notes = {key.replace("_", "-"): text for key, text in match.groupdict().items() if text}
    del notes["version"]
    return Answer(version, match.string[:MAX_RAW], tuple(sorted(notes.items())))


def folder(stdout: bytes) -> str:
    """Return the folder that a program prints; empty for anything else."""
    lines = _lines(stdout)
    return os.path.normpath(lines[0]) if lines and lines[0].startswith("/") else ""


def triple(stdout: bytes) -> str:
    """Return the target triple that a compiler prints, alone or in a line `Target:`; else nothing.

    Others of clang's lines come before that one (SPEC PRB-02).
    """
    lines = _lines(stdout)
    told = [line.removeprefix("Target: ") for line in lines if line.startswith("Target: ")]
    first = (told or lines or [""])[0]
    return first if _TRIPLE.fullmatch(first) else ""


def _refusal(reason: str, lines: list[str]) -> str:
    return f"{reason}: `{lines[0][:MAX_RAW]}`" if lines else reason


def _lines(*streams: bytes) -> list[str]:
    """Return the lines of an output that hold something, without control characters."""
    lines = []
    data = b"\n".join(stream[:MAX_BYTES] for stream in streams)
    for line in data.decode("utf-8", "replace").splitlines():
        text = "".join(c if c.isprintable() else " " for c in line[:MAX_LINE]).strip()
        if text:
            lines.append(text)
    return lines


def _search(pattern: str, lines: list[str]) -> re.Match[str] | None:
    compiled = re.compile(pattern, re.ASCII)
    return next((match for line in lines if (match := compiled.search(line))), None)


@functools.lru_cache(maxsize=512)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))
