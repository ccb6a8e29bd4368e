"""One value has one byte form, and only that form is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import FormatError
from crpack.model import canonical
from crpack.model.limits import MAX_JSON_DEPTH, MAX_JSON_INTEGER

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | st.integers(-MAX_JSON_INTEGER, MAX_JSON_INTEGER),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_encoded_is_decoded(value: Any) -> None:
    data = canonical.encode(value)
    assert canonical.decode(data, what="it") == value
    assert json.loads(data) == value


@given(st.dictionaries(TEXTS, VALUES, max_size=6), st.randoms())
def test_the_order_of_keys_does_not_count(value: dict[str, Any], chance: Any) -> None:
    keys = list(value)
    chance.shuffle(keys)
    assert canonical.encode({key: value[key] for key in keys}) == canonical.encode(value)


@given(VALUES, st.sampled_from([" ", "\n", "\t"]), st.data())
def test_white_space_anywhere_is_refused(value: Any, space: str, data: st.DataObject) -> None:
    text = canonical.encode(value).decode()
    at = data.draw(st.integers(0, len(text)))
    bent = (text[:at] + space + text[at:]).encode()
    try:
        again = canonical.decode(bent, what="it")
    except FormatError:
        return
    assert again != value  # it fell into a text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_canonical_json_or_refused(text: str) -> None:
    try:
        value = canonical.decode(text.encode(), what="it")
    except FormatError:
        return
    assert canonical.encode(value) == text.encode()


@given(st.binary(max_size=64))
def test_any_bytes_are_canonical_json_or_refused(data: bytes) -> None:
    try:
        value = canonical.decode(data, what="it")
    except FormatError:
        return
    assert canonical.encode(value) == data


@given(VALUES, st.data())
def test_a_byte_changed_gives_another_value_or_none(value: Any, data: st.DataObject) -> None:
    whole = canonical.encode(value)
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
    try:
        again = canonical.decode(whole[:at] + bytes([byte]) + whole[at + 1 :], what="it")
    except FormatError:
        return
    assert again != value or repr(again) != repr(value)


@given(st.floats())
def test_no_float_is_encoded(number: float) -> None:
    with pytest.raises(FormatError):
        canonical.encode({"a": [number]})


@given(st.lists(st.sampled_from(list('[]{}"\\a,:')), max_size=40).map("".join))
def test_nesting_is_counted_outside_of_strings_alone(text: str) -> None:
    """JSN-06: the quick count of levels, against one bracket after the other."""
    depth = deepest = 0
    inside = escaped = False
    for sign in text:
        if inside:
            inside, escaped = escaped or sign != '"', sign == "\\" and not escaped
        elif sign == '"':
            inside = True
        else:
            depth += (sign in "[{") - (sign in "]}")
            deepest = max(deepest, depth)
    assert canonical._depth(text.encode()) == min(deepest, MAX_JSON_DEPTH + 1)


@pytest.mark.parametrize("opened", ["[", '{"a":'])
def test_one_level_more_than_allowed_is_refused(opened: str) -> None:
    """JSN-06."""
    shut = "]" if opened == "[" else "}"
    for levels, good in ((MAX_JSON_DEPTH, True), (MAX_JSON_DEPTH + 1, False)):
        data = (opened * levels + "1" + shut * levels).encode()
        if good:
            canonical.decode(data, what="it")
        else:
            with pytest.raises(FormatError, match="nested deeper"):
                canonical.decode(data, what="it")
