"""`crpack why`: every candidate, the evidence, the first constraint that it failed (SOL-11)."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.flow.index_room import Room, error_of
from tests.flow.tool import MAKEFILE, PROGRAM, component, head

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.index.entries import Release
    from tests.flow.tool import Tool

pytestmark = pytest.mark.slow  # `make sweep`

NEEDS = """
[requires]
ninja = {wants}
[[source]]
kind = "inline"
path = "run.sh"
text = 'echo "{{}}" > $1'
[build]
driver = "copy"
[action.run]
argv = ["/bin/sh", "{{self}}/run.sh", "{{output}}"]
"""
NINJAS = ("97.0", "99.0", "99.2rc1", "99.1")


@pytest.fixture(scope="module")
def room(lab: Room, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """The index with the tool `ninja` in some versions, and solutions that need it."""
    room = lab.copy(tmp_path_factory.mktemp("why") / "owner")
    parts, archives = room.owner.folder / "parts", []
    for version in NINJAS:
        source = f'#include <stdio.h>\nint main(void) {{ puts("{version}"); return 0; }}\n'
        makefile = MAKEFILE.replace("greet", "ninja")
        toml = head("ninja", version) + PROGRAM.replace("greet", "ninja")
        component(parts / "ninja", toml, src__Makefile=makefile, src__ninja_dot_c=source)
        archives.append(_built(room, "ninja", version))
    for name, wants in (
        ("tooled", '">=98"'),
        ("own", '{ version = ">=98", external = "forbid" }'),
        ("never", '">=1000"'),
    ):
        folder = component(parts / name, head(name, kind="solution") + NEEDS.format(wants=wants))
        if name == "never":  # what it needs is nowhere
            text = (folder / "crpack.toml").read_text()
            (folder / "crpack.toml").write_text(text.replace(">=1000", ">=98"))
        archives.append(_built(room, name, "1.0"))
    room.add(*archives)
    room.owner("index", "yank", room.index, "ninja==99.0", "--reason", "it miscounts")
    room.relist(_wanting, "never")
    return room


def _wanting(release: Release) -> Release:
    return replace(release, recipe=release.recipe.replace(b">=98", b">=1000"))


def _built(room: Room, name: str, version: str) -> Path:
    path = room.owner.folder / f"{name}-{version}.crpkg"
    room.owner("build", f"parts/{name}", "--with", "parts", "--full", "--out", path,
               "--key", "test")  # fmt: skip
    return path


@pytest.fixture
def user(room: Room, tmp_path: Path) -> Tool:
    """Somebody with four programs of that name on PATH, and nothing else."""
    user = room.user(tmp_path / "user")
    for folder, says in (("a", "98.5"), ("b", "1.2"), ("c", "no version at all"), ("d", "98.5")):
        file = user.folder / folder / "ninja"
        file.parent.mkdir()
        file.write_text(f"#!/bin/sh\necho {says}\n")
        file.chmod(0o755)
    (user.folder / "d").chmod(0o777)
    return user


def path(user: Tool, folders: str = "abcd") -> dict[str, str]:
    """Return an environment with these of the user's folders on PATH."""
    return {"PATH": os.pathsep.join(f"{user.folder}/{name}" for name in folders)}


def told(user: Tool, text: str) -> list[str]:
    """Return lines with the user's own folder left out, and what others say of it."""
    return [line.replace(str(user.folder), "~") for line in text.splitlines()]


def test_every_candidate_is_told_with_the_first_thing_that_it_failed(user: Tool) -> None:
    """SOL-11: as a solution needs it."""
    done = user("why", "ninja", "--in", "tooled", env=path(user))
    how = "(exec `ninja --version`)"
    listed = "lab (from its source; signed by test): "
    lines = told(user, done.out)
    refused = [line for line in lines if " refused " in line]
    assert [line for line in lines if line not in refused] == [
        "ninja in tooled 1.0: 98.5 (found)",
        "  needed by tooled 1.0: >=98",
        f"  * found    98.5     ~/a/ninja {how}: chosen",
        f"  - found    1.2      ~/b/ninja {how}: wrong version: `tooled 1.0` needs >=98",
        f"  - listed   99.2rc1  {listed}it is a pre-release, and `tooled 1.0` asks for none",
        f"  - listed   99.1     {listed}it would fit; 98.5 of this machine is preferred",
        "  - listed   99.0     lab (signed by test): it is yanked: it miscounts",
        f"  - listed   97.0     {listed}wrong version: `tooled 1.0` needs >=98",
    ]
    assert [line.split(": ")[0].split() for line in refused] == [
        ["-", "refused", "~/c/ninja"],
        ["-", "refused", "~/d/ninja"],
    ]
    assert "does not answer" in refused[0] or "version" in refused[0]
    assert "change" in refused[1]


def test_the_answer_for_programs_has_the_same(user: Tool) -> None:
    """SOL-11."""
    data = user("why", "ninja", "--in", "tooled", "--json", env=path(user)).json["data"]
    assert (data["name"], data["solution"], data["failure"]) == ("ninja", "tooled 1.0", [])
    (case,) = data["cases"]
    assert case["context"] == "target"
    assert case["needed"] == [{"by": "tooled 1.0", "wants": ">=98"}]
    chosen = [one for one in case["candidates"] if one["chosen"]]
    assert chosen == [
        {
            "kind": "found",
            "version": "98.5",
            "revision": 0,
            "place": f"{user.folder}/a/ninja",
            "evidence": "exec `ninja --version`",
            "chosen": True,
            "why": "",
        }
    ]
    assert [one["kind"] for one in case["candidates"]] == ["found"] * 2 + ["refused"] * 2 + [
        "listed"
    ] * len(NINJAS)
    assert all(one["why"] for one in case["candidates"] if not one["chosen"])


def verdicts(user: Tool, *words: str, folders: str = "a") -> dict[str, str]:
    """Return, by kind and version, what is said of each candidate."""
    data = user("why", "ninja", *words, "--json", env=path(user, folders)).json["data"]
    rows: list[dict[str, Any]] = [one for case in data["cases"] for one in case["candidates"]]
    return {
        f"{one['kind']} {one['version']}": "chosen" if one["chosen"] else one["why"] for one in rows
    }


def test_the_policy_decides_as_it_does_for_install(user: Tool) -> None:
    """SOL-06, SOL-11."""
    found = verdicts(user, "--in", "tooled", "--prefer", "newest")
    assert found["listed 99.1"] == "chosen"
    assert found["found 98.5"] == "it would fit; 99.1 of the index is preferred"
    found = verdicts(user, "--in", "tooled", "--no-detect")
    assert (found["listed 99.1"], found["found 98.5"]) == (
        "chosen",
        "nothing of the machine may serve: `--no-detect`",
    )
    found = verdicts(user, "--in", "tooled", "--only-detected")
    assert (found["found 98.5"], found["listed 99.1"]) == (
        "chosen",
        "only detected software may serve",
    )
    found = verdicts(user, "--in", "own")
    assert (found["listed 99.1"], found["found 98.5"]) == (
        "chosen",
        "`own 1.0` takes nothing of the machine",
    )


def test_without_a_solution_it_is_what_anybody_would_get(user: Tool) -> None:
    found = verdicts(user)
    assert found["found 98.5"] == "chosen"
    assert found["listed 99.1"] == "it would fit; 98.5 of this machine is preferred"
    assert user("why", "ninja", env=path(user)).out.startswith("ninja: 98.5 (found)\n")
    assert user("why", "ninja", env=path(user, "c")).out.startswith("ninja: 99.1 (listed)\n")


def test_a_copy_of_another_platform_is_no_candidate(user: Tool) -> None:
    """DET-09: the header of the file tells."""
    file = user.folder / "a/ninja"
    header = bytearray(64)
    header[:20] = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xf3\x00"  # RISC-V, 64 bits
    header[52:54] = (64).to_bytes(2, "little")
    file.write_bytes(bytes(header))
    data = user("why", "ninja", "--json", env=path(user, "a")).json["data"]
    one = data["cases"][0]["candidates"][0]
    assert one["place"] == str(file)
    assert not one["chosen"]


def test_where_nothing_can_be_chosen_everything_is_told(user: Tool) -> None:
    """SOL-10, SOL-11: the failure, and what each candidate lacks."""
    done = user("why", "ninja", "--in", "never", env=path(user, "a"))
    assert done.out.startswith("ninja in never: nothing\n")
    assert "  needed by never 1.0: >=1000\n" in done.out
    assert done.out.count("wrong version: `never 1.0` needs >=1000") == 4
    assert "nothing was chosen: `never` cannot be had\n" in done.out


def test_what_is_installed_from_an_archive_is_judged_by_its_lock(room: Room, user: Tool) -> None:
    """SOL-11: an archive brings one of each."""
    user("trust", "add", room.owner.home / "config/keys/test.pub", "--names", "*")
    archive = room.owner.folder / "tooled-1.0.crpkg"
    user("install", archive, env=path(user, "a"))
    lines = told(user, user("why", "ninja", "--in", "tooled", env=path(user, "ab")).out)
    assert lines[:3] == [
        "ninja in tooled 1.0: 98.5 (found)",
        "  needed by tooled 1.0: >=98",
        "  * found   98.5     ~/a/ninja (exec `ninja --version`): chosen",
    ]
    assert "needs >=98" in lines[3]
    user("why", "greet", "--in", "tooled", code=2)


def test_what_nobody_knows_is_exit_3(user: Tool) -> None:
    error = error_of(user("why", "ninjja", "--json", code=3).out)
    assert error["hint"] == "did you mean `ninja`?"
    user("why", "ninja", "--in", "nosuch", code=3)
    user("why", "ninja>=2", code=2)
    user("why", "..", code=2)
    user("why", code=2)


def test_what_a_solution_does_not_need_is_said(user: Tool) -> None:
    done = user("why", "greet", "--in", "tooled", env=path(user))
    assert done.out.startswith("greet in tooled 1.0: nothing of it asks for it\n")


def test_the_plan_shows_what_a_detected_pick_stands_in_for(user: Tool) -> None:
    """GEN-10, SOL-09: in lines and in JSON."""
    done = user("install", "tooled", "--dry-run", env=path(user, "a"))
    lines = [line.strip() for line in told(user, done.out)]
    at = next(number for number, line in enumerate(lines) if line.startswith("use "))
    assert lines[at] == "use    ninja 98.5  ~/a/ninja (exec `ninja --version`)"
    assert lines[at + 1] == "in place of 99.1 (source)"
    done = user("install", "tooled", "--dry-run", "--json", env=path(user, "a"))
    (step,) = [one for one in done.json["data"][0]["steps"] if one["name"] == "ninja"]
    assert (step["means"], step["version"], step["instead"]) == (
        "detected",
        "98.5",
        "99.1 (source)",
    )
    done = user("lock", "tooled", "--dry-run", "--json", env=path(user, "a"))
    (row,) = done.json["data"]["detected"]
    assert (row["name"], row["version"], row["instead"]) == ("ninja", "98.5", "99.1 (source)")
    done = user("lock", "tooled", "--dry-run", env=path(user, "a"))
    assert "ninja 98.5 detected, in place of 99.1 (source)" in done.out


def test_the_plan_of_an_archive_shows_it_too(room: Room, user: Tool) -> None:
    """GEN-10."""
    user("trust", "add", room.owner.home / "config/keys/test.pub", "--names", "*")
    archive = room.owner.folder / "tooled-1.0.crpkg"
    done = user("install", archive, "--dry-run", "--json", env=path(user, "a"))
    step = done.json["data"][0]["steps"][0]
    assert (step["means"], step["instead"]) == ("detected", "99.1 (source)")
    for words in (("--only-detected",), ("--prefer", "newest")):
        user("install", archive, *words, "--dry-run", code=2, env=path(user, "a"))


def test_the_words_of_the_command_decide_between_machine_and_index(user: Tool) -> None:
    """SOL-06."""
    kinds = {
        (): ("detected", "98.5"),
        ("--prefer", "detected"): ("detected", "98.5"),
        ("--prefer", "newest"): ("build", "99.1"),
        ("--no-detect",): ("build", "99.1"),
        ("--only-detected",): ("detected", "98.5"),
    }
    gcc = os.pathsep.join([path(user, "a")["PATH"], os.environ["PATH"]])
    for words, (means, version) in kinds.items():
        done = user("install", "tooled", *words, "--dry-run", "--json", env={"PATH": gcc})
        steps = {step["name"]: step for step in done.json["data"][0]["steps"]}
        assert (steps["ninja"]["means"], steps["ninja"]["version"]) == (means, version), words
    done = user("install", "tooled", "--only-detected", code=3, env=path(user, "b"))
    assert "ninja" in done.err
    user("install", "tooled", "--only-detected", "--no-detect", code=2)
