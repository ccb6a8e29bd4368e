from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.errors import CrpackError, NoSolution, UsageError
from crpack.ops import selection
from tests.unit.ops.components import MADE, PROBED, Ready, component, have, machine

if TYPE_CHECKING:
    from crpack.model.facts import Facts
    from crpack.ops.selection import Choice, Component

IMAGES = "[options.images]\ntype = 'enum'\nvalues = [50, 5000]\ndefault = 50\n"
NOTHING: dict[str, dict[str, str]] = {}


def requires(**needs: str) -> str:
    """Return a recipe's text that requires components, each by the text of a table or range."""
    rows = [
        f"{name.replace('_', '-')} = {need if need.startswith('{') else repr(need)}\n"
        for name, need in needs.items()
    ]
    return "[requires]\n" + "".join(rows)


def chosen(
    root: Component,
    *others: Component,
    facts: Facts | None = None,
    options: dict[str, dict[str, str]] | None = None,
) -> dict[str, Choice]:
    found = selection.choose(
        root, {one.name: one for one in others}, facts or machine(), options or {}
    )
    assert found[-1].name == root.name
    assert len({choice.name for choice in found}) == len(found)
    return {choice.name: choice for choice in found}


def refusal(
    root: Component,
    *others: Component,
    facts: Facts | None = None,
    options: dict[str, dict[str, str]] | None = None,
) -> CrpackError:
    with pytest.raises((NoSolution, UsageError)) as caught:
        chosen(root, *others, facts=facts, options=options)
    return caught.value


def test_each_is_chosen_once_after_what_it_needs() -> None:
    root = component("root", requires(left="", right="") + MADE)
    left = component("left", requires(low="") + MADE)
    right = component("right", requires(low="") + "[requires.target]\ndeep = ''\n" + MADE)
    low, deep, other = component("low"), component("deep"), component("other")
    found = chosen(root, left, right, low, deep, other)
    assert list(found) == ["low", "left", "deep", "right", "root"]
    assert {choice.origin for choice in found.values()} == {"source"}


def test_what_only_a_build_needs_is_left_out_where_nothing_is_built() -> None:
    text = requires(run="") + "[requires.build]\ntool = ''\n[requires.target]\nlib = ''\n" + MADE
    parts = (component("run"), component("tool"), component("lib"))
    assert set(chosen(component("root", text), *parts)) == {"run", "lib", "tool", "root"}
    ready = component("root", text, Ready())
    assert set(chosen(ready, *parts)) == {"run", "lib", "root"}


@pytest.mark.parametrize(
    ("platform", "taken"),
    [
        ("any", True),
        ("linux-x86_64-gnu", True),
        ("linux-x86_64-gnu2.28", True),
        ("linux-x86_64-gnu2.36", True),
        ("linux-x86_64-gnu2.37", False),
        ("linux-x86_64-musl", False),
        ("linux-aarch64-gnu2.28", False),
        ("plan9-x86_64", False),
    ],
)
def test_a_payload_is_taken_where_it_runs(platform: str, *, taken: bool) -> None:
    """PLT-04: one for a platform that this crpack has never heard of is left alone."""
    choice = chosen(component("root", MADE, Ready(platform)))["root"]
    assert choice.origin == ("binary" if taken else "source")
    assert (choice.payload is not None) is taken


@pytest.mark.parametrize(
    ("floors", "taken"),
    [
        ((), True),
        ((("glibc", "2.34"),), True),
        ((("glibc", "2.37"),), False),
        ((("glibc", "2.34"), ("cuda", "12")), False),
        ((("glibc", "not a version"),), False),
    ],
)
def test_a_payload_is_taken_where_its_floors_are_reached(
    floors: tuple[tuple[str, str], ...], *, taken: bool
) -> None:
    facts = machine(capabilities=(("@glibc", "2.36"),))
    choice = chosen(component("root", MADE, Ready("any", floors=floors)), facts=facts)["root"]
    assert choice.origin == ("binary" if taken else "source")


def test_a_payload_is_taken_for_its_own_options_only() -> None:
    ready = Ready(options=(("images", "50"),))
    root = component("root", IMAGES + MADE, ready)
    assert chosen(root)["root"].origin == "binary"
    assert chosen(root, options={"root": {"images": "5000"}})["root"].origin == "source"


def test_a_copy_without_payload_and_sources_says_so() -> None:
    source = "[[source]]\nkind = 'local'\npath = 'src'\n"
    thin = component("root", source + MADE, sources=(b"tar",), thin=True)
    error = refusal(thin)
    assert error.why == ("it is a thin copy",)
    assert "--full" in error.hint
    assert chosen(component("root", source + MADE, sources=(b"tar",)))["root"].origin == "source"
    lacking = component("root", source + MADE, Ready(carried=False))
    assert refusal(lacking).why == ("it is a thin copy",)


def test_a_source_with_an_address_may_be_absent() -> None:
    from hashlib import sha256

    url = f"[[source]]\nkind = 'url'\nurls = ['https://example.org/x']\nsha256 = '{{}}'\n{MADE}"
    root = component("root", url.format(sha256(b"x").hexdigest()), sources=(b"x",), thin=True)
    assert chosen(root)["root"].origin == "source"


def test_what_the_machine_has_is_taken_first() -> None:
    root = component("root", requires(tool=">=1.2") + MADE)
    tool = component("tool", PROBED + MADE, Ready(), version="1.5")
    found = chosen(root, tool, facts=machine(have("tool", "1.3")))["tool"]
    assert (found.origin, found.range) == ("detected", ">=1.2")
    assert found.found is not None
    assert found.found.version == "1.3"


@pytest.mark.parametrize(
    ("need", "version", "runnable"),
    [
        (">=1.2", "1.1", True),
        (">=1.2", None, True),
        (">=1.2", "unknown", True),
        ("", None, True),
        (">=1.2", "1.3", False),
        ("{ version = '>=1.2', external = 'forbid' }", "1.3", True),
    ],
)
def test_what_the_machine_has_must_fit(need: str, version: str | None, *, runnable: bool) -> None:
    """VER-05, REQ-01."""
    root = component("root", requires(tool=need) + MADE)
    tool = component("tool", PROBED + MADE, version="1.5")
    facts = machine(have("tool", version, runnable=runnable))
    assert chosen(root, tool, facts=facts)["tool"].origin == "source"


def test_the_first_that_fits_is_taken() -> None:
    root = component("root", requires(tool=">=2") + MADE)
    tool = component("tool", PROBED + MADE, version="2.5")
    facts = machine(have("tool", "1.0"), have("tool", "2.1"), have("tool", "2.9"))
    found = chosen(root, tool, facts=facts)["tool"].found
    assert found is not None
    assert found.version == "2.1"


def test_what_the_machine_has_must_fit_everyone_who_requires_it() -> None:
    """REQ-01: whoever asks first."""
    tool = component("tool", PROBED + MADE, version="1.5")
    facts = machine(have("tool", "1.1"))
    for first, second in ((">=1", ">=1.2"), (">=1.2", ">=1"), (">=1", "{ external = 'forbid' }")):
        left = component("left", requires(tool=first) + MADE)
        right = component("right", requires(tool=second) + MADE)
        root = component("root", requires(left="", right="") + MADE)
        assert chosen(root, left, right, tool, facts=facts)["tool"].origin == "source"
    right = component("right", requires(tool="<2 || ==3") + MADE)
    root = component("root", requires(right="", tool=">=1") + MADE)
    assert chosen(root, right, tool, facts=facts)["tool"].range == "<2,>=1 || ==3,>=1"


def test_detected_software_brings_no_needs() -> None:
    root = component("root", requires(tool="") + MADE)
    tool = component("tool", requires(missing="") + PROBED + MADE)
    assert set(chosen(root, tool, facts=machine(have("tool", "1")))) == {"tool", "root"}
    assert "missing" in refusal(root, tool).what


def test_the_requested_component_comes_from_its_archive() -> None:
    root = component("root", PROBED + MADE)
    assert chosen(root, facts=machine(have("root", "9")))["root"].origin == "source"


def test_what_can_only_be_recognised_must_be_there() -> None:
    root = component("root", requires(gpu=">=1") + MADE)
    error = refusal(root, component("gpu", PROBED))
    assert error.what == "`gpu` was not found on this machine and cannot be made here"
    assert error.exit_code == 3


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (requires(low=""), "`root` requires `low`, which the archive does not carry"),
        (requires(high=">=2"), "`root` requires `high` >=2"),
        ("[requires.build]\nhigh = '<1'\n", "`root` requires `high` <1"),
        (requires(high="{ options = { x = 1 } }"),
         "`high` has no option `x`, and `root` asks for it"),
    ],
)  # fmt: skip
def test_a_requirement_that_is_not_met_is_told_with_both_sides(text: str, what: str) -> None:
    error = refusal(component("root", text + MADE), component("high"))
    assert error.what == what
    assert error.exit_code == 3


def test_an_optional_component_may_be_absent() -> None:
    """REQ-01."""
    root = component("root", requires(extra="{ optional = true }") + MADE)
    assert set(chosen(root)) == {"root"}
    assert set(chosen(root, component("extra"))) == {"extra", "root"}


def test_components_that_require_one_another_are_told() -> None:
    one = component("one", requires(two="") + MADE)
    two = component("two", requires(three="") + MADE)
    three = component("three", requires(one="") + MADE)
    error = refusal(one, two, three)
    assert error.what == "components require one another in a circle"
    assert error.why == ("one → two → three → one",)


def data(default: str = "50") -> Component:
    return component("data", IMAGES.replace("default = 50", f"default = {default}") + MADE)


def asks(name: str, images: str) -> Component:
    need = f"{{ options = {{ images = {images} }} }}"
    return component(name, requires(data=need) + MADE)


def test_the_value_of_an_option_is_the_users_else_the_askers_else_the_default() -> None:
    """PRM-05."""
    plain = component("root", requires(data="") + MADE)
    assert chosen(plain, data())["data"].options == (("images", "50"),)
    asking = asks("root", "5000")
    assert chosen(asking, data())["data"].options == (("images", "5000"),)
    user = {"data": {"images": "50"}}
    assert chosen(asking, data(), options=user)["data"].options == (("images", "50"),)


def test_two_askers_with_different_values_are_a_conflict() -> None:
    """PRM-05: which the user may decide."""
    left, right = asks("left", "50"), asks("right", "5000")
    root = component("root", requires(left="", right="") + MADE)
    error = refusal(root, left, right, data())
    assert error.what == "two components ask for different values of `data.images`"
    assert error.why == ("`left` asks for `50`", "`right` asks for `5000`")
    assert error.hint == "decide: `--option data.images=VALUE`"
    user = {"data": {"images": "5000"}}
    assert chosen(root, left, right, data(), options=user)["data"].options == (("images", "5000"),)


def test_the_option_of_the_asker_is_passed_down_the_whole_way() -> None:
    """REQ-02, PRM-05."""
    passing = IMAGES + requires(low='{ options = { images = "{option.images}" } }') + MADE
    top = component("top", passing.replace("low", "middle"))
    middle, low = component("middle", passing), component("low", IMAGES + MADE)
    found = chosen(top, middle, low, options={"top": {"images": "5000"}})
    assert {choice.options for choice in found.values()} == {(("images", "5000"),)}


def test_a_block_that_an_option_brings_in_is_followed() -> None:
    """DOC-04, DOC-05."""
    text = (
        f"{IMAGES}{MADE}[[when]]\nmatch = {{ option.images = 5000 }}\nrequires.big = '>=1'\n"
        "[[when]]\nmatch = { option.images = 50 }\nrequires.small = '>=1'\n"
    )
    held, big, small = component("held", text), component("big"), component("small")
    root = component("root", requires(held="{ options = { images = 5000 } }") + MADE)
    assert set(chosen(root, held, big, small)) == {"big", "held", "root"}
    assert set(chosen(root, held, big)) == {"big", "held", "root"}  # `small` is not needed at all


def test_an_option_may_be_the_askers_to_give() -> None:
    """PRM-05: without a default of its own."""
    bare = component("data", IMAGES.replace("default = 50\n", "") + MADE)
    assert chosen(asks("root", "50"), bare)["data"].options == (("images", "50"),)
    error = refusal(component("root", requires(data="") + MADE), bare)
    assert error.what == "`data` needs a value for its option `images`"


@pytest.mark.parametrize(
    ("options", "what", "hint"),
    [
        ({"dta": {"images": "50"}}, "there is no component `dta` here", "did you mean `data`?"),
        ({"data": {"image": "50"}}, "`data` has no option `image`", "did you mean `images`?"),
        ({"data": {"images": "51"}}, "`51` is no value for `images`", ""),
        ({"root": {"x": "1"}}, "`root` has no option `x`", "known are none"),
    ],
)
def test_an_option_that_is_none_is_refused(
    options: dict[str, dict[str, str]], what: str, hint: str
) -> None:
    """PRM-04, PRM-05."""
    error = refusal(component("root", requires(data="") + MADE), data(), options=options)
    assert (error.what, error.hint, error.exit_code) == (what, hint, 2)


def test_a_value_that_an_asker_gives_must_fit_too() -> None:
    """PRM-04."""
    assert refusal(asks("root", "51"), data()).what == "`51` is no value for `images`"


def test_options_that_depend_on_one_another_without_end_are_told() -> None:
    """PRM-05: with 50 images somebody asks for 5000, and with 5000 nobody does."""
    block = "[[when]]\nmatch = { option.images = 50 }\nrequires.asker = ''\n"
    doubtful = component("data", IMAGES + MADE + block)
    asker = component("asker", requires(data="{ options = { images = 5000 } }") + MADE)
    error = refusal(component("root", requires(data="") + MADE), doubtful, asker)
    assert error.what == "the options of this closure depend on one another in a circle"


def test_the_recipe_of_a_choice_is_merged_for_the_machine_and_the_options() -> None:
    """DOC-04."""
    text = f"{MADE}[[when]]\nmatch = {{ arch = 'aarch64' }}\nbuild.subdir = 'arm'\n"
    for platform, subdir in (("linux-aarch64-gnu2.36", "arm"), ("linux-x86_64-gnu2.36", "")):
        choice = chosen(component("root", text), facts=machine(platform=platform))["root"]
        assert choice.recipe.build is not None
        assert choice.recipe.build.subdir == subdir


def test_the_same_closure_gives_the_same_choices() -> None:
    root = component("root", requires(left="", right="", data="") + MADE)
    parts = (asks("left", "5000"), component("right", requires(data=">=1") + MADE), data())
    first = chosen(root, *parts)
    again = chosen(root, *reversed(parts))
    assert [(c.name, c.options, c.origin, c.range) for c in first.values()] == [
        (c.name, c.options, c.origin, c.range) for c in again.values()
    ]


def test_for_another_machine_tools_are_chosen_for_this_one() -> None:
    """ELS-02: what this machine has serves its tools, and nothing among the results."""
    there = machine(platform="linux-aarch64-gnu2.36")
    text = requires(zlib="") + "[requires.build]\nflat = ''\nzlib = ''\n" + MADE
    zlib, flat = component("zlib"), component("flat", MADE, Ready("linux-aarch64-gnu"), Ready())
    found = selection.choose(
        component("root", text), {"zlib": zlib, "flat": flat}, there, NOTHING,
        machine(have("zlib", "1.0")),
    )  # fmt: skip
    told = [(one.name, one.context, one.origin) for one in found]
    assert told == [
        ("zlib", "target", "source"),
        ("flat", "build", "binary"),
        ("zlib", "build", "detected"),
        ("root", "target", "source"),
    ]
    assert found[1].payload is not None
    assert found[1].payload.platform == "linux-x86_64-gnu2.36"


def test_what_another_machine_has_is_run_against_and_never_linked_here() -> None:
    """ELS-01."""
    zlib = have("zlib", "1.0")
    there = machine(replace(zlib, notes=(("provides", "runtime"),)), platform="linux-riscv64-gnu")
    others = {"zlib": component("zlib")}
    for table, origin in (("[requires]", "detected"), ("[requires.target]", "source")):
        root = component("root", f"{table}\nzlib = ''\n" + MADE)
        first, _ = selection.choose(root, others, there, NOTHING, machine(zlib))
        assert (first.origin, first.context) == (origin, "target")


def test_a_tool_that_neither_machine_can_have_is_told_with_its_machine() -> None:
    root = component("root", requires(gpu="") + "[requires.build]\nprobe = ''\n" + MADE)
    others = {name: component(name, PROBED) for name in ("gpu", "probe")}
    there = machine(platform="linux-aarch64-gnu2.36")
    with pytest.raises(NoSolution, match="not found on the `linux-aarch64"):
        selection.choose(root, others, there, NOTHING, machine(have("probe", "1.0")))
    with pytest.raises(NoSolution, match="not found on this machine"):
        selection.choose(root, others, replace(there, found=(have("gpu", "1.0"),)), NOTHING,
                         machine())  # fmt: skip
