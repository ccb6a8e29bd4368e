from __future__ import annotations

import pytest

from crpack.errors import UsageError
from crpack.model import names
from crpack.model.limits import MAX_NAME_LENGTH

LONGEST = "a" * MAX_NAME_LENGTH


@pytest.mark.parametrize(
    "text",
    ["a", "7", "zlib", "lab/zlib", "a.b_c-d", "0x", LONGEST,
     f"{LONGEST}/{LONGEST}", "build-tools", "lab/build", "target/x"],
)  # fmt: skip
def test_a_name_is_a_word_or_a_scope_and_a_word(text: str) -> None:
    """NAM-01."""
    assert names.is_name(text)
    assert names.check_name(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "/", "a/", "/a", "a//b", "a/b/c", "A", "Zlib", "é", "a b", " a", "a\n", "a\0", "-a", "a-",
     ".a", "a.", "_a", "a/-b", "..", "a/..", "a+b", LONGEST + "a", f"a/{LONGEST}a", "\udcff",
     "١", "a\u0301"],  # noqa: RUF001 - a digit of another script is no ASCII digit
)  # fmt: skip
def test_anything_else_is_no_name(text: str) -> None:
    """NAM-01."""
    assert not names.is_name(text)
    with pytest.raises(UsageError) as caught:
        names.check_name(text)
    assert caught.value.rule == "NAM-01"
    assert caught.value.hint


@pytest.mark.parametrize("text", ["@cpu", "@", "lab/@cpu", "@lab/x"])
def test_facts_of_a_machine_are_never_names_of_components(text: str) -> None:
    """NAM-02."""
    assert not names.is_name(text)


@pytest.mark.parametrize("text", ["build", "target"])
def test_the_contexts_are_never_names_of_components(text: str) -> None:
    """NAM-03."""
    assert not names.is_name(text)
    with pytest.raises(UsageError):
        names.check_name(text)


def test_a_refused_name_is_shown_only_in_part() -> None:
    with pytest.raises(UsageError) as caught:
        names.check_name("A" * 10_000)
    assert len(caught.value.what) < 200


@pytest.mark.parametrize("text", ["zlib", "lab/zlib"])
def test_a_folder_of_a_prefix_is_named_by_the_component(text: str) -> None:
    assert "/" not in names.folder(text)
    assert names.from_folder(names.folder(text)) == text
