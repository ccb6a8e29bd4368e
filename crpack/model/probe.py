"""The probe: how an installed copy of a component is recognised.

Rules (SPEC PRB-01…):
- A probe is data. Its kind says what evidence is looked for; keys that mean nothing for the kind
  are faults, and so are keys that the kind cannot do without.
- Only `exec` starts a program. Every other kind reads files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from crpack.model.schema import fault, key_of, spec

if TYPE_CHECKING:
    from crpack.errors import Fault
    from crpack.model.schema import Path

Evidence = Literal[
    "exec", "file", "header-macro", "pkg-config", "elf", "dist-info", "os-package", "env", "digest"
]
RELATIVE = r"[^/\0{][^\0]*"
FOLDER = r"(?:/|\{(?:prefix|home|data|env\.[A-Za-z_][A-Za-z0-9_]*)\})[^\0]*"
NAME = r"(?:[^/\0\x00-\x1f]+)?"
_MANAGERS = ("dpkg", "rpm", "apk", "brew", "conda", "spack")

# By kind: keys that must be there, keys that may be.
_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "exec": (
        ("names", "version"),
        ("args", "reject", "exit_codes", "stream", "target", "prefix"),
    ),
    "file": (("paths",), ("version", "roots")),
    "header-macro": (("paths", "macros"), ("version", "roots")),
    "pkg-config": (("package",), ("roots",)),
    "elf": (("names",), ("version", "roots")),
    "dist-info": (("package",), ("roots",)),
    "os-package": ((), _MANAGERS),
    "env": (("env",), ("paths", "version")),
    "digest": (("roots",), ("paths", "size", "sha256", "markers")),
}
_EVERYWHERE = ("kind", "provides")


@dataclass(frozen=True, slots=True)
class Marker:
    """A file that a folder must have; `size` in bytes, 0: any."""

    path: str = spec(pattern=RELATIVE)
    size: int = spec(0, minimum=0)


@dataclass(frozen=True, slots=True)
class Probe:
    """How to recognise an installed copy (SPEC PRB-02…).

    Attributes:
        kind: the evidence that is looked for.
        provides: what the evidence is enough for; `dev` is for building against, too.
        names: file names, later ones may be globs: of programs on PATH, or of libraries; the
            first is the name of what an `exec` probe finds.
        args: arguments that make the program tell its version.
        version: regular expression with the group `version`.
        reject: output that matches this is no answer.
        exit_codes: exit codes that count as an answer.
        stream: where the answer is printed.
        target: arguments that print a compiler's target triple.
        prefix: arguments that print the folder where the program is installed.
        paths: globs of files (of files or folders, for `digest`), below `roots`.
        roots: folders, as globs; `{prefix}` `{home}` `{data}` `{env.NAME}` may begin one.
        macros: macros of a header whose values make up the version.
        package: name of a `.pc` file or of a Python distribution.
        dpkg, rpm, apk, brew, conda, spack: name of the package there, or a glob.
        env: variable that names the folder of an installation.
        size: bytes of the one file looked for; 0: not stated.
        sha256: digest of the one file looked for.
        markers: files that the folder looked for must have.
    """

    kind: Evidence
    provides: Literal["", "runtime", "dev"] = ""
    names: tuple[str, ...] = spec((), pattern=NAME)
    args: tuple[str, ...] = ()
    version: str = ""
    reject: str = ""
    exit_codes: tuple[int, ...] = (0,)
    stream: Literal["stdout", "stderr", "both"] = "stdout"
    target: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    paths: tuple[str, ...] = spec((), pattern=r"[^\0{][^\0]*")
    roots: tuple[str, ...] = spec((), pattern=FOLDER)
    macros: tuple[str, ...] = spec((), pattern=r"[A-Za-z_][A-Za-z0-9_]*")
    package: str = spec("", pattern=NAME)
    dpkg: str = spec("", pattern=NAME)
    rpm: str = spec("", pattern=NAME)
    apk: str = spec("", pattern=NAME)
    brew: str = spec("", pattern=NAME)
    conda: str = spec("", pattern=NAME)
    spack: str = spec("", pattern=NAME)
    env: str = spec("", pattern=r"(?:[A-Za-z_][A-Za-z0-9_]*)?")
    size: int = spec(0, minimum=0)
    sha256: str = spec("", pattern=r"(?:[0-9a-f]{64})?")
    markers: tuple[Marker, ...] = spec((), short=lambda path: {"path": path})

    def packages(self) -> tuple[tuple[str, str], ...]:
        """Return manager and package name of every manager that is named, in a fixed order."""
        named = ((manager, getattr(self, manager)) for manager in _MANAGERS)
        return tuple((manager, name) for manager, name in named if name)


def judge(probe: Probe, path: Path, found: list[Fault]) -> None:
    """Note what is wrong with a probe as a whole (SPEC PRB-01)."""
    needed, optional = _KEYS[probe.kind]
    for field in fields(probe):
        key = key_of(field)
        given = getattr(probe, field.name) not in (field.default, ())
        if given and field.name not in (*_EVERYWHERE, *needed, *optional):
            fault(found, (*path, key), f"means nothing for a probe of kind `{probe.kind}`")
        elif not given and field.name in needed:
            message = f"is missing; a probe of kind `{probe.kind}` needs it"
            fault(found, (*path, key), message)
    _special(probe, path, found)
    for key in ("version", "reject"):
        _regex(getattr(probe, key), (*path, key), found)
    for key, texts in (
        ("paths", probe.paths),
        ("roots", probe.roots),
        ("markers", tuple(marker.path for marker in probe.markers)),
    ):
        if any(".." in text.split("/") for text in texts):
            fault(found, (*path, key), "must not hold `..`")


def _special(probe: Probe, path: Path, found: list[Fault]) -> None:
    if probe.kind == "os-package" and not probe.packages():
        message = "of kind `os-package` needs one of " + ", ".join(f"`{m}`" for m in _MANAGERS)
        fault(found, path, message)
    absolute = [text for text in probe.paths if text.startswith("/")]
    if absolute and (probe.kind != "file" or probe.roots):
        fault(found, (*path, "paths"), f"`{absolute[0]}` must be relative")
    if probe.kind == "file" and not probe.roots and len(absolute) < len(probe.paths):
        fault(found, (*path, "roots"), "is missing; a relative path needs it")
    if probe.kind == "digest":
        one_file = bool(probe.size and probe.sha256)
        if one_file == bool(probe.markers) or bool(probe.size) != bool(probe.sha256):
            fault(found, path, "of kind `digest` needs `size` and `sha256`, or `markers`")


def _regex(text: str, path: Path, found: list[Fault]) -> None:
    try:
        groups = re.compile(text).groupindex
    except (re.error, RecursionError, OverflowError) as error:
        fault(found, path, f"is not a regular expression: {error}")
        return
    if text and path[-1] == "version" and "version" not in groups:
        fault(found, path, "has no group `version`")
