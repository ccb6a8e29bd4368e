"""What a lock decided is held against archives and machine, and nothing is chosen again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from crpack.errors import ArchiveError, NoSolution
from crpack.model.lock import LockedPackage
from crpack.ops import locked
from crpack.solve.problem import Slot
from crpack.solve.restoring import Decided
from tests.unit.ops.components import MADE, Ready, component, have, machine

if TYPE_CHECKING:
    from crpack.ops.selection import Choice, Component

HERE = machine(capabilities=(("@glibc", "2.36"),))
COPIED = "[build]\ndriver = 'copy'\n"


def needs(**ranges: str) -> str:
    return "[requires]\n" + "".join(f'{name} = "{text}"\n' for name, text in ranges.items())


def row(
    one: Component,
    origin: Literal["binary", "source"] = "source",
    *requires: str,
    context: Literal["target", "build"] = "target",
    payload: str = "",
) -> Decided:
    package = LockedPackage(
        one.name, one.archive.manifest.version, 0, "program",
        identity=one.archive.identity, requires=tuple((name, "") for name in requires),
    )  # fmt: skip
    return Decided(package, origin, context, payload)


def names(root: str, parts: tuple[Component, ...], rows: dict[Slot, Decided]) -> tuple[str, ...]:
    found: tuple[Choice, ...] = locked.choices(
        root, rows, {p.archive.identity: p for p in parts}, HERE
    )
    return tuple(choice.name for choice in found)


def test_a_component_comes_after_what_it_needs_and_strays_are_left_out() -> None:
    """LCK-08."""
    a = component("a", needs(b="", c="") + MADE)
    b, c, d = component("b", needs(c="") + MADE), component("c"), component("d")
    rows = locked.by_slot((row(a), row(b), row(c), row(d)))
    assert names("a", (a, b, c, d), rows) == ("c", "b", "a")


def test_a_very_deep_lock_and_one_in_a_circle_end() -> None:
    deep = [component(f"n{n}", (needs(**{f"n{n + 1}": ""}) if n < 1200 else "") + MADE)
            for n in range(1201)]  # fmt: skip
    rows = locked.by_slot(tuple(row(one) for one in deep))
    assert names("n0", tuple(deep), rows)[:2] == ("n1200", "n1199")
    a, b = component("a", needs(b="") + MADE), component("b", needs(a="") + MADE)
    assert names("a", (a, b), locked.by_slot((row(a), row(b)))) == ("b", "a")


@pytest.mark.parametrize(("text", "there"), [(">=2", True), ("", False)])
def test_a_requirement_that_the_lock_leaves_open_is_refused(text: str, *, there: bool) -> None:
    """LCK-08: such as in a lock that was edited."""
    a, b = component("a", needs(b=text) + MADE), component("b")
    parts = (a, b) if there else (a,)
    with pytest.raises(NoSolution) as error:
        names("a", parts, locked.by_slot(tuple(row(one) for one in parts)))
    assert "`a` requires `b`" in error.value.what
    assert error.value.rule == "LCK-08"
    assert bool(error.value.why) is there


def test_an_optional_requirement_may_stay_open() -> None:
    a = component("a", "[requires]\nb = { optional = true }\n" + MADE)
    assert names("a", (a,), locked.by_slot((row(a),))) == ("a",)


def test_who_provides_a_name_is_found_and_comes_first() -> None:
    """REQ-05: the lock has no row of a name that several may provide."""
    a = component("a", needs(api=">=1") + MADE)
    b = component("b", '[provides]\napi = "2.0"\n' + MADE)
    decided = (row(a, "source", "api"), row(b))
    rows = locked.reachable("a", decided)
    assert rows.keys() == {Slot("a"), Slot("b")}
    assert names("a", (a, b), rows) == ("b", "a")


def test_only_what_a_request_needs_is_reached_and_the_tools_of_builds() -> None:
    a, b, c, tool = (component(name) for name in ("a", "b", "c", "tool"))
    decided = (row(a, "source", "b"), row(b), row(c), row(tool, context="build"))
    assert locked.reachable("a", decided).keys() == {Slot("a"), Slot("b"), Slot("tool")}
    assert locked.reachable("c", decided).keys() == {Slot("c"), Slot("tool")}


def test_a_request_that_the_lock_has_not_for_this_machine_is_refused() -> None:
    found = Decided(LockedPackage("a", "1.0", 0, "software"), "detected", found=have("a", "1.0"))
    for decided in ((), (found,)):
        with pytest.raises(NoSolution, match="how `a` is had here"):
            locked.reachable("a", decided)


def test_what_the_lock_chose_must_be_in_the_archive_and_run_here() -> None:
    """LCK-08."""
    a = component("a", COPIED, Ready(floors=(("glibc", "2.99"),)), Ready("any", carried=False))
    ids = {one.platform: one.id for one in a.archive.manifest.payloads}
    high, absent = ids["linux-x86_64-gnu2.36"], ids["any"]
    with pytest.raises(NoSolution, match="does not run here"):
        names("a", (a,), {Slot("a"): row(a, "binary", payload=high)})
    with pytest.raises(ArchiveError, match="lacks the payload"):
        names("a", (a,), {Slot("a"): row(a, "binary", payload=absent)})
    with pytest.raises(ArchiveError):
        names("a", (a,), {Slot("a"): row(a, "binary", payload="0" * 16)})
    b = component("b", "")
    with pytest.raises(NoSolution, match="says not how"):
        names("b", (b,), {Slot("b"): row(b)})


def test_detected_software_needs_no_archive() -> None:
    a = component("a", needs(b=">=1") + MADE)
    found = Decided(LockedPackage("b", "9", 0, "software"), "detected", found=have("b", None))
    rows = locked.by_slot((row(a), found))
    assert names("a", (a,), rows) == ("b", "a")
    assert locked.part(found) is None
    part = locked.part(row(a))
    assert part is not None
    assert part.sources


def test_a_component_may_be_a_tool_here_and_a_part_elsewhere() -> None:
    """ELS-02: in each context with its own payload; the tool needs its own dependencies."""
    there = machine(platform="linux-aarch64-gnu2.36")
    flat = component("flat", needs(low="") + MADE, Ready("linux-aarch64-gnu"), Ready())
    ids = {one.platform: one.id for one in flat.archive.manifest.payloads}
    low = component("low")
    a = component("a", needs(flat="") + "[requires.build]\nflat = ''\n" + MADE)
    decided = (
        row(a, "source", "flat"),
        row(flat, "binary", "low", payload=ids["linux-aarch64-gnu"]),
        row(flat, "binary", "low", payload=ids["linux-x86_64-gnu2.36"], context="build"),
        row(low),
        row(low, context="build"),
    )
    rows = locked.reachable("a", decided, crossing=True)
    assert len(rows) == 5
    parts = {one.archive.identity: one for one in (a, flat, low)}
    found = locked.choices("a", rows, parts, there, HERE)
    assert [tuple(one.slot) for one in found] == [
        ("low", "target"), ("flat", "target"), ("low", "build"), ("flat", "build"), ("a", "target")
    ]  # fmt: skip
    with pytest.raises(NoSolution, match="does not run here"):
        locked.choices("a", rows, parts, HERE, HERE)
