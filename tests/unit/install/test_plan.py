from __future__ import annotations

import json
from dataclasses import replace

import pytest

from crpack.errors import InstallError
from crpack.install import plan
from crpack.install.plan import InstallPlan, Step, WheelStep

PLAN = InstallPlan(
    name="demo",
    version="1.0",
    prefix="/p",
    signers=("me",),
    before="0.9",
    generation=3,
    steps=(
        Step("detected", "gcc", "12.2.0", "software", 0, "/usr/bin/gcc", instead="13.1 (source)"),
        Step("stored", "weights", "2", "model", tree="0" * 64),
        Step("unpack", "shapes", "1.0", "dataset", size=3 * 1024 * 1024),
        Step("build", "ssd-native", "1.0", "program", size=1000, detail="gcc 12.2.0"),
    ),
    interpreter="/usr/bin/python3 (3.11.7)",
    environment="make",
    wheels=(
        WheelStep("a-1-py3-none-any.whl", 2048, cached=False),
        WheelStep("b.whl", 10, cached=True),
    ),
    stated=("@glibc 2.28 as you said",),
)


def test_a_plan_reads_as_lines() -> None:
    """GEN-10."""
    assert plan.lines(PLAN) == (
        "demo 1.0 (now 0.9) into /p, generation 3",
        "  signed by me",
        "  take   @glibc 2.28 as you said",
        "  use    gcc 12.2.0      /usr/bin/gcc",
        "                         in place of 13.1 (source)",
        "  have   weights 2       model",
        "  unpack shapes 1.0      3.0 MiB",
        "  build  ssd-native 1.0  1000 B, gcc 12.2.0",
        "  make   Python environment of 2 wheels with /usr/bin/python3 (3.11.7)",
        "  fetch  a-1-py3-none-any.whl  2.0 KiB",
        "  writes 3.0 MiB, fetches 2.0 KiB",
    )


def test_a_plan_without_python_or_signature_says_so() -> None:
    bare = InstallPlan("demo", "1.0", "/p", steps=PLAN.steps[:1])
    assert plan.lines(bare)[1:] == (
        "  not signed",
        "  use    gcc 12.2.0  /usr/bin/gcc",
        "                     in place of 13.1 (source)",
        "  writes 0 B, fetches 0 B",
    )


def test_a_wheel_of_unknown_size_is_called_so() -> None:
    unknown = replace(PLAN, wheels=(WheelStep("c.whl", 0, cached=False),))
    assert plan.lines(unknown)[-2] == "  fetch  c.whl  size not known"
    assert plan.lines(unknown)[-1].endswith(", fetches at least 0 B")


def test_bytes_are_counted_once() -> None:
    """GEN-10."""
    assert PLAN.fetched == 2048
    assert PLAN.written == 3 * 1024 * 1024 + 1000 + plan.WHEEL_FACTOR * 2058
    assert replace(PLAN, environment="stored").written == 3 * 1024 * 1024 + 1000


def test_a_plan_that_does_not_fit_is_refused_before_anything_is_written() -> None:
    """GEN-10."""
    needed = PLAN.written + PLAN.fetched + plan.SPARE_BYTES
    plan.check_space(PLAN, needed)
    with pytest.raises(InstallError) as caught:
        plan.check_space(PLAN, needed - 1)
    assert caught.value.data["changed"] is False
    assert caught.value.data == {"needed": needed, "free": needed - 1, "changed": False}


def test_a_plan_is_plain_json() -> None:
    table = json.loads(json.dumps(plan.table(PLAN)))
    assert table["steps"][2] == {
        "means": "unpack",
        "name": "shapes",
        "version": "1.0",
        "kind": "dataset",
        "size": 3 * 1024 * 1024,
        "detail": "",
        "tree": "",
        "instead": "",
    }
    assert table["written"] == PLAN.written
