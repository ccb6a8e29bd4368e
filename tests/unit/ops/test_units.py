"""What must be made for a payload: pure planning over drafts and facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crpack.errors import NoSolution, UsageError
from crpack.model import platforms
from crpack.model.facts import Facts, Found
from crpack.ops import drafts, units
from crpack.ops.units import Ground

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.ops.units import Making

HERE = platforms.parse("linux-x86_64-gnu2.36")
THERE = platforms.parse("linux-aarch64-gnu")
MAKE = "[build]\ndriver = 'make'\n"
HEADERS = "[build]\ndriver = 'headers'\n"
WORD = "[options.word]\ntype = 'enum'\ndefault = 'one'\nvalues = ['one', 'two']\n"
TOOL = Found(
    name="tool", path="/usr/bin/tool", realpath="/usr/bin/tool", version="2.0", how="PATH"
)  # fmt: skip


def ground(folder: Path, found: tuple[Found, ...] = (), **texts: str) -> Ground:
    """Write components; return what is planned on, for the closure of `top`."""
    for name, text in texts.items():
        (folder / name).mkdir()
        head = f"[package]\nname = '{name}'\nversion = '1.0'\nkind = 'software'\n"
        (folder / name / "crpack.toml").write_text(
            f"{head}summary = 'one'\nlicense = 'MIT'\n{text}"
        )
    closure = drafts.closure(drafts.read(str(folder / "top")), (str(folder),))
    return Ground(closure, HERE, Facts(str(HERE), found=found))


def plan(
    folder: Path, found: tuple[Found, ...] = (), target: platforms.Platform = THERE, **texts: str
) -> dict[str, Making]:
    """Plan a payload of `top`; return its makings as people read them, in order."""
    planned = units.plan(ground(folder, found, **texts), "top", target)
    return {str(one.unit): one for one in planned}


def test_what_is_linked_is_for_the_target_and_what_runs_for_this_machine(tmp_path: Path) -> None:
    """RCP-13: a component may be both, and brings what it needs itself."""
    made = plan(
        tmp_path,
        top=MAKE + "[requires]\nbuild.both = ''\ntarget.both = ''\n",
        both=MAKE + "[requires]\ntarget.low = ''\n",
        low=MAKE,
    )
    assert list(made) == [
        "low for linux-x86_64-gnu",
        "both for linux-x86_64-gnu",
        "low for linux-aarch64-gnu",
        "both for linux-aarch64-gnu",
        "top for linux-aarch64-gnu",
    ]
    uses = [(use.context, str(use.unit)) for use in made["top for linux-aarch64-gnu"].uses]
    assert uses == [
        ("build", "both for linux-x86_64-gnu"), ("target", "both for linux-aarch64-gnu")
    ]  # fmt: skip


def test_a_result_that_is_the_same_everywhere_is_made_once(tmp_path: Path) -> None:
    needs = "[requires]\nbuild.files = ''\ntarget.files = ''\n"
    made = plan(tmp_path, top=MAKE + needs, files=HEADERS)
    assert list(made) == ["files for linux-x86_64-gnu", "top for linux-aarch64-gnu"]


@pytest.mark.parametrize(
    ("need", "detected"),
    [
        ("tool = ''", True),
        ("tool = '>=1'", True),
        ("tool = { version = '<3', external = 'prefer' }", True),
        ("tool = { version = '<3', external = 'forbid' }", False),
        ("tool = '<2'", False),
    ],
)
def test_a_tool_of_this_machine_serves_where_the_recipe_lets_it(
    tmp_path: Path,
    need: str,
    detected: bool,  # noqa: FBT001
) -> None:
    made = plan(tmp_path, (TOOL,), top=MAKE + f"[requires]\nbuild.{need}\n", tool=MAKE)
    assert ("tool for linux-x86_64-gnu" not in made) is detected
    assert (made["top for linux-aarch64-gnu"].uses[0].found == TOOL) is detected


@pytest.mark.parametrize(
    ("target", "built", "served"),
    [(HERE, MAKE, False), (HERE, "", True), (THERE, MAKE, False)],
)
def test_a_library_of_this_machine_is_linked_only_where_it_cannot_be_built(
    tmp_path: Path,
    target: platforms.Platform,
    built: str,
    served: bool,  # noqa: FBT001
) -> None:
    """RCP-13: and whether it is a part of the platform, the audit says."""
    made = plan(
        tmp_path, (TOOL,), target, top=MAKE + "[requires]\ntarget.tool = ''\n", tool=built
    )  # fmt: skip
    (use,) = made[f"top for {target.base}"].uses
    assert (use.found is not None) is served


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("target.tool = ''", "`top` links `tool`, which cannot be made for `linux-aarch64-gnu`"),
        ("build.tool = '>=1'", "`top` needs `tool` >=1 to be built"),
    ],
)
def test_what_can_neither_be_made_nor_was_found_is_told(
    tmp_path: Path, needs: str, said: str
) -> None:
    with pytest.raises(NoSolution, match=said):
        plan(tmp_path, top=MAKE + f"[requires]\n{needs}\n", tool="")


def test_what_is_optional_may_be_missing(tmp_path: Path) -> None:
    needs = (
        "[requires]\nbuild.gone = { optional = true }\ntarget.gone = { optional = true }\n"
        "build.tool = { optional = true }\ntarget.tool = { optional = true }\n"
    )
    made = plan(tmp_path, top=MAKE + needs, tool="")
    assert [one.uses for one in made.values()] == [()]


def test_options_are_those_that_all_askers_ask_for(tmp_path: Path) -> None:
    """RCP-13, PRM-05: one that comes later in the walk asks for another than the default."""
    made = plan(
        tmp_path,
        top=MAKE + "[requires]\ntarget.a = ''\ntarget.z = ''\n",
        a=MAKE + "[requires]\ntarget.lib = ''\n",
        lib=MAKE + WORD,
        z=MAKE + "[requires]\ntarget.lib = { options = { word = 'two' } }\n",
    )
    assert made["lib for linux-aarch64-gnu"].unit.options == (("word", "two"),)


def test_two_that_ask_for_different_options_are_a_conflict(tmp_path: Path) -> None:
    """PRM-05."""
    with pytest.raises(NoSolution, match=r"different values of `lib\.word`") as caught:
        plan(
            tmp_path,
            top=MAKE + "[requires]\ntarget.a = ''\ntarget.lib = { options = { word = 'one' } }\n",
            a=MAKE + "[requires]\ntarget.lib = { options = { word = 'two' } }\n",
            lib=MAKE + WORD,
        )
    assert set(caught.value.why) == {"`top` asks for `one`", "`a` asks for `two`"}


def test_an_option_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSolution, match="`lib` has no option `x`"):
        plan(
            tmp_path,
            top=MAKE + "[requires]\ntarget.lib = { options = { x = '1' } }\n",
            lib=MAKE,
        )


CHOICE = "[options.choice]\ntype = 'string'\ndefault = 'two'\n"
ASKS = "{ options = { word = '{option.choice}' } }"


def options(ground: Ground, name: str, *wishes: tuple[str, str, str]) -> dict[str, str]:
    """Return the options of a payload in the closure of `top`, with what its author wishes."""
    given = units.asked(ground, "top", THERE, wishes)
    return dict(units.plan(ground, name, THERE, given)[-1].unit.options)


def test_payloads_have_the_options_that_the_closure_asks_for(tmp_path: Path) -> None:
    """RCP-13, PRM-05: over several steps, whatever a block for the options adds."""
    there = ground(
        tmp_path,
        top=HEADERS + CHOICE + f"[requires]\nmiddle = {ASKS}\n",
        middle=MAKE
        + WORD
        + "[[when]]\nmatch = { option.word = 'two' }\n"
        + "[when.requires.target]\nlib = { options = { word = '{option.word}' } }\n",
        lib=MAKE + WORD,
    )
    assert options(there, "top") == {"choice": "two"}
    assert options(there, "middle") == options(there, "lib") == {"word": "two"}
    one = ("", "choice", "one")
    assert options(there, "top", one) == {"choice": "one"}
    assert options(there, "middle", one) == options(there, "lib", one) == {"word": "one"}


def test_what_only_builds_need_keeps_its_defaults(tmp_path: Path) -> None:
    """RCP-13."""
    asks = "[requires]\nbuild.lib = { options = { word = 'two' } }\n"
    there = ground(tmp_path, top=MAKE + asks, lib=MAKE + WORD)
    assert options(there, "lib") == {"word": "one"}


def test_the_author_decides_between_two_that_ask_for_different_options(tmp_path: Path) -> None:
    """PRM-05."""
    there = ground(
        tmp_path,
        top=MAKE + CHOICE + f"[requires]\nlib = {ASKS}\na = ''\n",
        a=MAKE + "[requires]\nlib = { options = { word = 'one' } }\n",
        lib=MAKE + WORD,
    )
    with pytest.raises(NoSolution, match=r"different values of `lib\.word`") as caught:
        options(there, "lib")
    assert "--option lib.word=VALUE" in caught.value.hint
    assert options(there, "lib", ("lib", "word", "two")) == {"word": "two"}
    assert options(there, "lib", ("", "choice", "one")) == {"word": "one"}


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (("gone", "word", "one"), "there is no component `gone`"),
        (("lib", "wrod", "one"), "`lib` has no option `wrod`"),
        (("lib", "word", "six"), "`six` is no value for `word`"),
    ],
)
def test_a_wish_that_is_none_is_told(tmp_path: Path, wish: tuple[str, str, str], said: str) -> None:
    there = ground(tmp_path, top=MAKE + "[requires]\nlib = ''\n", lib=MAKE + WORD)
    with pytest.raises(UsageError, match=said):
        options(there, "lib", wish)


def test_only_the_failures_of_the_last_walk_count(tmp_path: Path) -> None:
    """PRM-05: by its default `middle` would ask for what `top` does not."""
    there = ground(
        tmp_path,
        top=MAKE
        + "[requires]\nmiddle = { options = { word = 'two' } }\n"
        + "lib = { options = { word = 'two' } }\n",
        middle=MAKE
        + WORD
        + "[[when]]\nmatch = { option.word = 'one' }\n"
        + "[when.requires]\nlib = { options = { word = 'one' } }\n",
        lib=MAKE + WORD,
    )
    assert options(there, "lib") == {"word": "two"}
