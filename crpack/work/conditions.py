"""The machine's state around a benchmark, and its energy counters: what the kernel tells.

Rules (SPEC BEN-05):
- Only files below `/proc` and `/sys` are read. What is not there, or not for this user, is left
  empty, or has a reason in its place; nothing is guessed.
- Nothing that names somebody is read.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from crpack.model.results import State

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_BYTES = 65_536
_CPUS = "sys/devices/system/cpu"
_POWERCAP = "sys/class/powercap"
_PACKAGE = re.compile(r"intel-rapl:[0-9]+", re.ASCII)  # not `intel-rapl:0:0`, a part of it
_BUSY = Decimal("0.5")  # of the processors, that other programs keep busy
_SHARED = 0.25  # of the processors, that other programs use meanwhile
_IDLE = range(4, 6)  # words of `cpu` in /proc/stat: idle, and waiting for a disk
_MICRO = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Counter:
    """One energy counter: what it counts, microjoules, and where it begins again from 0."""

    name: str
    microjoules: int
    wraps: int


@dataclass(frozen=True, slots=True)
class Energy:
    """The energy counters at one moment; `reason` says why there are none."""

    counters: tuple[Counter, ...] = ()
    reason: str = ""


def state(root: str = "/") -> State:
    """Return the state of the machine now; `root` is where `proc` and `sys` are."""
    return State(
        load=_first(_text(f"{root}/proc/loadavg")),
        governor=",".join(sorted(set(_of_cpus(root, "cpufreq/scaling_governor")))),
        mhz=_mean(_of_cpus(root, "cpufreq/scaling_cur_freq")),
        throttled=_sum(_of_cpus(root, "thermal_throttle/core_throttle_count")),
        free=_available(_text(f"{root}/proc/meminfo")),
        affinity=_ranges(_affinity()),
    )


def energy(root: str = "/") -> Energy:
    """Return the energy that the processors have used since some moment (RAPL)."""
    folder = f"{root}/{_POWERCAP}"
    packages = [name for name in _names(folder) if _PACKAGE.fullmatch(name)]
    if not packages:
        return Energy(reason="this machine shows no energy counter")
    counters = []
    for name in packages:
        used = _text(f"{folder}/{name}/energy_uj")
        if not used.isdigit():
            return Energy(reason="the energy counters are not readable for this user")
        wraps = _text(f"{folder}/{name}/max_energy_range_uj")
        counters.append(Counter(name, int(used), int(wraps) if wraps.isdigit() else 0))
    return Energy(tuple(counters))


def joules(before: Energy, after: Energy) -> Decimal | None:
    """Return the energy used between two moments; None where it cannot be told."""
    if not before.counters or len(before.counters) != len(after.counters):
        return None
    total = 0
    for one, two in zip(before.counters, after.counters, strict=True):
        used = two.microjoules - one.microjoules
        total += used if used >= 0 else used + one.wraps
    return total * _MICRO if total >= 0 else None


def notes(before: State, after: State) -> tuple[str, ...]:
    """Return what of the processors makes numbers doubtful, as sentences (SPEC BEN-05)."""
    found = []
    if before.throttled and after.throttled and int(after.throttled) > int(before.throttled):
        times = int(after.throttled) - int(before.throttled)
        found.append(f"the processor slowed down for heat {times} times meanwhile")
    slow = set(before.governor.split(",")) - {"", "performance"}
    if slow:
        found.append(f"the processor's frequency is governed by `{','.join(sorted(slow))}`")
    if before.affinity != after.affinity:
        found.append(f"the processors changed from {before.affinity} to {after.affinity} meanwhile")
    return tuple(found)


def used(root: str = "/") -> float:
    """Return the CPU seconds that all programs have used since the machine started; 0: unknown."""
    words = _text(f"{root}/proc/stat").partition("\n")[0].split()
    if len(words) < _IDLE.stop or words[0] != "cpu" or not all(map(str.isdigit, words[1:])):
        return 0.0
    ticks = [int(word) for word in words[1:9]]
    idle = sum(ticks[place - 1] for place in _IDLE)
    return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK")


def busy(before: State, others: float) -> tuple[str, ...]:
    """Return as sentences what kept the machine from being the program's own (SPEC BEN-05).

    Args:
        before: its state before anything started.
        others: processors that other programs kept busy meanwhile, on average.
    """
    cores = max(1, _count(before.affinity))
    found = []
    if before.load and Decimal(before.load) > _BUSY * cores:
        found.append(f"the machine was busy before it began: load {before.load} on {cores} cores")
    if others > _SHARED * cores:
        found.append(f"other programs kept {others:.1f} of {cores} cores busy meanwhile")
    return tuple(found)


def virtual(root: str = "/") -> str:
    """Return what stands between the kernel's machine and the real one; empty: nothing known."""
    marks = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")
    if any(os.path.exists(f"{root}{mark}") for mark in marks):
        return "container"
    flags = re.search(r"^flags\s*:.*\bhypervisor\b", _text(f"{root}/proc/cpuinfo"), re.MULTILINE)
    return "virtual machine" if flags else ""


def kernel() -> str:
    """Return the name and release of the kernel."""
    found = os.uname()
    return f"{found.sysname} {found.release}"


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_BYTES).decode("ascii", "replace").strip()
    except OSError:
        return ""


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _of_cpus(root: str, file: str) -> list[str]:
    """Return what a file says for each processor that has it."""
    folder = f"{root}/{_CPUS}"
    cpus = [name for name in _names(folder) if re.fullmatch("cpu[0-9]+", name, re.ASCII)]
    return [text for name in cpus if (text := _text(f"{folder}/{name}/{file}"))]


def _first(text: str) -> str:
    word = text.partition(" ")[0]
    return word if re.fullmatch(r"[0-9]+\.[0-9]+", word, re.ASCII) else ""


def _mean(texts: list[str]) -> str:
    """Return the mean of kilohertz in megahertz."""
    numbers = [int(text) for text in texts if text.isdigit()]
    return str(round(sum(numbers) / len(numbers) / 1000)) if numbers else ""


def _sum(texts: list[str]) -> str:
    numbers = [int(text) for text in texts if text.isdigit()]
    return str(sum(numbers)) if numbers else ""


def _available(meminfo: str) -> str:
    found = re.search(r"^MemAvailable:\s*([0-9]+) kB$", meminfo, re.MULTILINE | re.ASCII)
    return str(int(found[1]) * 1024) if found else ""


def _affinity() -> tuple[int, ...]:
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 0))


def _count(ranges: str) -> int:
    """Return how many numbers `0-2,5` has."""
    pairs = [part.partition("-") for part in ranges.split(",") if part]
    return sum(int(last or first) - int(first) + 1 for first, _, last in pairs)


def _ranges(numbers: Iterable[int]) -> str:
    """Return `0-2,5` for 0, 1, 2, 5."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
