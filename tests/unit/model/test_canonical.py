from __future__ import annotations

import pytest

from crpack.errors import FormatError
from crpack.model import canonical
from crpack.model.limits import MAX_JSON_DEPTH, MAX_JSON_INTEGER


def rule_of(data: bytes, limit: int = 1000) -> str:
    with pytest.raises(FormatError) as caught:
        canonical.decode(data, what="it", limit=limit)
    return caught.value.rule


def test_keys_are_sorted_by_code_point_and_nothing_is_escaped_needlessly() -> None:  # JSN-02
    value = {"é": 'ü/"\\', "\U0001f600": "\x7f\u2028", "\uffff": "\b\f\n\r\t\x1f", "a": None}
    text = '{"a":null,"é":"ü/\\"\\\\","\uffff":"\\b\\f\\n\\r\\t\\u001f","\U0001f600":"\x7f\u2028"}'
    assert canonical.encode(value) == text.encode()
    assert canonical.decode(text.encode(), what="it") == value


def test_tuples_are_lists_and_booleans_are_not_numbers() -> None:
    assert canonical.encode(((), [True, 1, False, 0, -1])) == b"[[],[true,1,false,0,-1]]"


@pytest.mark.parametrize("value", [0.5, float("nan"), b"x", {1, 2}, object()])
def test_a_value_without_canonical_form_is_not_encoded(value: object) -> None:
    with pytest.raises(FormatError) as caught:
        canonical.encode([value])
    assert caught.value.rule == "JSN-03"


def test_a_key_that_is_no_text_is_not_encoded() -> None:
    with pytest.raises(FormatError, match="key"):
        canonical.encode({1: 2})


@pytest.mark.parametrize("sign", [1, -1])
def test_integers_end_where_doubles_are_exact(sign: int) -> None:
    last = sign * MAX_JSON_INTEGER
    assert canonical.decode(canonical.encode(last), what="it") == last
    with pytest.raises(FormatError):
        canonical.encode(last + sign)
    assert rule_of(str(last + sign).encode()) == "JSN-03"


def test_depth_is_held_alike_by_encoder_and_decoder() -> None:
    deepest: object = 0
    for _ in range(MAX_JSON_DEPTH):
        deepest = [deepest]
    assert canonical.decode(canonical.encode(deepest), what="it") == deepest
    with pytest.raises(FormatError) as caught:
        canonical.encode([deepest])
    assert caught.value.rule == "JSN-06"
    for empty in (b"[]", b"{}"):
        data = b"[" * MAX_JSON_DEPTH + empty + b"]" * MAX_JSON_DEPTH
        assert rule_of(data) == "JSN-06"


def test_brackets_inside_of_texts_are_no_depth() -> None:
    value = ["[" * 99, '\\"[' * 99]
    assert canonical.decode(canonical.encode(value), what="it", limit=9999) == value


def test_a_document_beyond_its_limit_is_not_parsed() -> None:
    assert rule_of(b'"' + b"x" * 9 + b'"', limit=10) == "JSN-06"
    assert canonical.decode(b'"' + b"x" * 8 + b'"', what="it", limit=10) == "x" * 8


def test_half_of_a_surrogate_pair_is_refused_both_ways() -> None:
    with pytest.raises(FormatError) as caught:
        canonical.encode("\udc80")
    assert caught.value.rule == "JSN-04"
    assert rule_of(b'"\\udc80"') == "JSN-04"


def test_the_message_names_the_document() -> None:
    with pytest.raises(FormatError, match="the manifest is not canonical JSON"):
        canonical.decode(b"[ ]", what="the manifest")
