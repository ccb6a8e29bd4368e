from __future__ import annotations

import os
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from crpack.model.results import State
from crpack.work import conditions
from crpack.work.conditions import Counter, Energy

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "proc/loadavg": "1.53 0.80 0.40 2/345 6789\n",
    "proc/meminfo": "MemTotal: 2000 kB\nMemFree: 10 kB\nMemAvailable:    1500 kB\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2000000\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "3000400\n",
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "3\n",
    "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count": "4\n",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "schedutil\n",
    "sys/class/powercap/intel-rapl:0/energy_uj": "1000000\n",
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": "5000000\n",
    "sys/class/powercap/intel-rapl:1/energy_uj": "4000000\n",
    "sys/class/powercap/intel-rapl:1/max_energy_range_uj": "5000000\n",
    "sys/class/powercap/intel-rapl:0:0/energy_uj": "900\n",
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_state_is_what_the_kernel_tells(machine: Path) -> None:
    """BEN-05."""
    found = conditions.state(str(machine))
    assert (found.load, found.governor, found.mhz) == ("1.53", "performance,powersave", "2500")
    assert (found.throttled, found.free) == ("7", str(1500 * 1024))
    assert found.affinity == conditions.state().affinity != ""


def test_what_is_not_there_is_left_empty(tmp_path: Path) -> None:
    """BEN-05: as in a container without `/sys`; nothing is guessed."""
    found = conditions.state(str(tmp_path))
    assert found == State(affinity=found.affinity)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/loadavg").write_bytes(b"\xff\xfe nonsense")
    (tmp_path / "proc/meminfo").write_text("MemAvailable: lots kB")
    assert conditions.state(str(tmp_path)) == State(affinity=found.affinity)


def test_energy_is_that_of_all_packages_also_where_a_counter_begins_again(machine: Path) -> None:
    """BEN-03: and not that of their parts twice."""
    before = conditions.energy(str(machine))
    assert [one.name for one in before.counters] == ["intel-rapl:0", "intel-rapl:1"]
    (machine / "sys/class/powercap/intel-rapl:0/energy_uj").write_text("1500000")
    (machine / "sys/class/powercap/intel-rapl:1/energy_uj").write_text("250000")
    after = conditions.energy(str(machine))
    assert conditions.joules(before, after) == Decimal("0.5") + Decimal("1.25")


def test_why_there_is_no_energy_is_told(machine: Path, tmp_path: Path) -> None:
    """BEN-03."""
    nothing = conditions.energy(str(tmp_path / "other"))
    assert nothing == Energy(reason="this machine shows no energy counter")
    os.remove(machine / "sys/class/powercap/intel-rapl:1/energy_uj")
    assert "not readable" in conditions.energy(str(machine)).reason
    assert conditions.joules(nothing, nothing) is None
    assert conditions.joules(Energy((Counter("a", 5, 0),)), Energy((Counter("a", 1, 0),))) is None


def test_a_machine_that_disturbs_is_noted() -> None:
    """BEN-05."""
    calm = State("0.40", "performance", "3000", "7", "1", "0-1")
    assert conditions.notes(calm, calm) == ()
    assert conditions.notes(State(), State()) == ()
    (busy,) = conditions.busy(State("1.01", "performance", affinity="0-1"), 0.0)
    assert busy == "the machine was busy before it began: load 1.01 on 2 cores"
    (hot,) = conditions.notes(calm, State("1", "performance", "3000", "9", "1", "0-1"))
    assert "slowed down for heat 2 times" in hot
    powersave = State("0.1", "performance,powersave", affinity="0,2-4")
    (slow,) = conditions.notes(powersave, powersave)
    assert "`powersave`" in slow
    (moved,) = conditions.notes(calm, State("1", "performance", "", "7", "", "0"))
    assert moved.endswith("from 0-1 to 0 meanwhile")


def test_what_stands_between_is_known(tmp_path: Path) -> None:
    assert conditions.virtual(str(tmp_path)) == ""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("flags\t\t: fpu hypervisor sse\n")
    assert conditions.virtual(str(tmp_path)) == "virtual machine"
    (tmp_path / ".dockerenv").touch()
    assert conditions.virtual(str(tmp_path)) == "container"


def test_processors_are_written_as_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 5, 7, 8}, raising=False)
    assert conditions.state("/nowhere").affinity == "0-2,5,7-8"


def test_the_work_of_other_programs_is_told(machine: Path) -> None:
    """BEN-05: beside the load before; the time that is idle or waits for a disk is nobody's."""
    ticks = os.sysconf("SC_CLK_TCK")
    rows = f"cpu  {3 * ticks} 0 {ticks} 900 800 {ticks} 0 {2 * ticks} 77 0\ncpu0 1 2 3\n"
    (machine / "proc/stat").write_text(rows)
    assert conditions.used(str(machine)) == 7.0
    for nonsense in ("cpu 1 2\n", "cpu a b c d e f g h\n", "intr 1 2 3 4 5 6 7\n", ""):
        (machine / "proc/stat").write_text(nonsense)
        assert conditions.used(str(machine)) == 0.0
    quiet = State(load="0.90", affinity="0-1")
    assert conditions.busy(quiet, 0.4) == ()
    assert conditions.busy(quiet, 0.6) == ("other programs kept 0.6 of 2 cores busy meanwhile",)
    (told,) = conditions.busy(State(load="1.10", affinity="0-1"), 0.0)
    assert told.startswith("the machine was busy before it began")
    assert conditions.busy(State(), 0.0) == ()
