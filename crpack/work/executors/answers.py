"""What another machine answers: its `uname`, and the `times` of its shell. Pure.

Rules (SPEC EXE-04, EXE-07):
- A machine takes programs of its own kernel and processor; a 64-bit processor also those of its
  32-bit one, and then the programs show whether the system does.
- The second line of `times` tells the CPU time of the programs that the shell started.
"""

from __future__ import annotations

import re

from crpack.errors import RunFailed

_SYSTEMS = {"linux": "Linux", "android": "Linux", "macos": "Darwin"}
_PROCESSORS = {
    "x86_64": ("x86_64", "amd64"),
    "aarch64": ("aarch64", "arm64"),
    "arm64": ("arm64",),
    "armv7": ("armv7l", "armv8l", "aarch64"),
    "armv6": ("armv6l", "armv7l", "armv8l", "aarch64"),
    "riscv64": ("riscv64",),
}
_TIME = re.compile(r"([0-9]{1,9})m([0-9]{1,9}(?:[.,][0-9]{1,9})?)s", re.ASCII)


def check_machine(name: str, platform: str, system: str, processor: str, place: str) -> None:
    """See that a machine runs programs for a platform.

    Args:
        name: of the solution.
        platform: that it is installed for.
        system: what `uname -s` says.
        processor: what `uname -m` says.
        place: how people call the machine.

    Raises:
        RunFailed: it does not.
    """
    wanted, _, rest = platform.partition("-")
    fits = processor in _PROCESSORS.get(rest.partition("-")[0], ())
    if platform != "any" and not (system == _SYSTEMS.get(wanted) and fits):
        raise RunFailed(
            f"`{name}` is installed for `{platform}`, and its programs do not run on {place}",
            why=[f"that machine is a {system[:40]} on {processor[:40]}"],
            hint="install it for that machine into another prefix: `crpack help platforms`",
            rule="EXE-04",
        )


def cpu_seconds(times: str) -> float:
    """Return the CPU seconds that the programs of a shell took; 0 where it does not tell."""
    lines = times.splitlines()
    found = _TIME.findall(lines[1]) if len(lines) > 1 else []
    return sum(60 * int(minutes) + float(seconds.replace(",", ".")) for minutes, seconds in found)
