"""What an archive's closure needs of the machine itself, and of the libraries that it has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crpack.errors import NoSolution
from crpack.ops import closure, selection
from tests.unit.ops.components import MADE, PROBED, Ready, component, have, machine

NEEDS = "[requires]\n'@glibc' = '>=2.31'\n"


@pytest.mark.parametrize("text", [NEEDS + MADE, NEEDS + PROBED + MADE])
def test_an_archive_is_refused_where_the_machine_lacks_what_it_requires(text: str) -> None:
    """REQ-08."""
    one = component("one", text, Ready("any"))
    assert selection.choose(one, {}, machine(capabilities=(("@glibc", "2.36"),)), {})
    with pytest.raises(NoSolution) as caught:
        selection.choose(one, {}, machine(capabilities=(("@glibc", "2.28"),)), {})
    assert caught.value.what == "`one` requires `@glibc` >=2.31"
    assert caught.value.why == ("`@glibc` 2.28 was found on `linux-x86_64-gnu2.36`",)


def test_what_it_requires_is_a_floor_of_its_lock() -> None:
    """LCK-08."""
    facts = machine(capabilities=(("@cuda", "12.4"), ("@glibc", "2.36")))
    low = Ready("any", floors=(("glibc", "2.28"),))
    one = component("one", NEEDS + "'@cuda' = '>=12'\n" + MADE, low)
    lock = closure.lock(selection.choose(one, {}, facts, {}), facts, None, ())
    assert lock.target[0].capabilities == (("@cuda", "12"), ("@glibc", "2.31"))


@pytest.mark.parametrize(
    ("text", "payloads", "origin"),
    [
        ("[requires]\nzlib = ''\n" + MADE, (), "detected"),
        ("[requires.target]\nzlib = ''\n" + MADE, (), "source"),
        ("[requires.target]\nzlib = ''\n" + MADE, (Ready(),), "detected"),
    ],
)
def test_a_library_without_headers_serves_only_who_runs_with_it(
    text: str, payloads: tuple[Ready, ...], origin: str
) -> None:
    """SOL-04: and a payload is linked already."""
    runs = replace(have("zlib", "1.2"), notes=(("provides", "runtime"),))
    links = replace(runs, notes=(("provides", "dev"),))
    one = component("one", text, *payloads)
    zlib = component("zlib", PROBED + MADE, version="1.3")
    for found, wanted in ((runs, origin), (links, "detected")):
        facts = machine(found)
        choices = selection.choose(one, {"zlib": zlib}, facts, {})
        assert choices[0].origin == wanted
        row = closure.lock(choices, facts, None, ()).target[0].package[1]
        assert row.linked is ("target" in text and not payloads and wanted == "detected")
