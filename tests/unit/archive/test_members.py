from __future__ import annotations

import pytest

from crpack.archive import members
from crpack.errors import ArchiveError
from crpack.model.limits import MAX_MEMBERS

ID, DIGEST = "0123456789abcdef", "a" * 64
ORDER = (
    f"payload/{ID}.tar.zst",
    f"source/{DIGEST}",
    f"component/{DIGEST}.crpkg",
    "recipe.json",
    "recipe/a/fix.patch",
    "recipe/b",
    f"toc/{ID}.json.zst",
    "manifest.json",
    "signatures.json",
)


def rule(*names: str) -> str:
    try:
        members.check(names)
    except ArchiveError as error:
        return error.rule
    return ""


def test_all_classes_in_their_order_are_taken() -> None:
    assert rule(*ORDER) == ""
    assert rule("recipe.json", "manifest.json", "signatures.json") == ""


@pytest.mark.parametrize(
    "name",
    [
        *("", "readme", "/recipe.json", "Recipe.json", "recipe.json/", "recipe/", "payload/"),
        *("payload/x.tar.zst", f"payload/{ID.upper()}.tar.zst", f"payload/{ID}.tar.zst\n"),
        *(f"payload/{ID}0.tar.zst", f"source/{DIGEST}x", f"component/{DIGEST}", "delta/x"),
        *(f"toc/{ID}.json", "manifest.json\0", "bundle.json"),
    ],
)
def test_a_name_of_no_class_is_refused(name: str) -> None:  # ARC-05
    assert rule(name) == "ARC-05"


def test_files_of_a_recipe_have_the_names_of_files() -> None:
    assert rule("recipe/../x") == "PTH-01"
    assert rule("recipe/nul") == "PTH-03"


def test_another_order_or_a_name_twice_is_refused() -> None:  # ARC-06
    for at in range(len(ORDER) - 1):
        swapped = [*ORDER[:at], ORDER[at + 1], ORDER[at], *ORDER[at + 2 :]]
        assert rule(*swapped) == "ARC-06"
        assert rule(*ORDER[:at], ORDER[at], *ORDER[at:]) == "ARC-06"
    assert rule(*ORDER, ORDER[-1]) == "ARC-06"


@pytest.mark.parametrize("name", ["recipe.json", "manifest.json", "signatures.json"])
def test_what_must_be_there_is_missed(name: str) -> None:  # ARC-07
    assert rule(*(other for other in ORDER if other != name)) == "ARC-07"


def test_too_many_members_are_refused() -> None:
    assert rule(*(f"recipe/{n:06}" for n in range(MAX_MEMBERS + 1))) == "ARC-07"


def test_bulk_is_what_a_thin_copy_lacks() -> None:  # ARC-08
    assert [name for name in ORDER if members.is_bulk(name)] == list(ORDER[:3])
    assert members.component_identity(ORDER[2]) == DIGEST
    assert members.component_member(DIGEST) == ORDER[2]
    assert [members.component_identity(name) for name in ORDER].count("") == len(ORDER) - 1
