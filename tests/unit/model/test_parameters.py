from __future__ import annotations

import json
from typing import get_args

import pytest

from crpack.errors import UsageError
from crpack.model import parameters
from crpack.model.parameters import Parameter, Type

INT = Parameter("int", name="n")
FLOAT = Parameter("float", name="x")
RATIO = Parameter("float", range=("0.0", "1.0"), name="ratio")
ENUM = Parameter("enum", values=("50", "5000"), name="images")


def refusal(parameter: Parameter, text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parameters.from_text(parameter, text)
    return caught.value


def test_parameters_have_these_types() -> None:
    """PRM-01."""
    types = ["bool", "enum", "string", "int", "float", "path", "array", "object"]
    assert list(get_args(Type)) == types


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (Parameter("bool"), "true", True),
        (Parameter("bool"), "No", False),
        (Parameter("bool"), "1", True),
        (Parameter("bool"), "0", False),
        (INT, "50", 50),
        (INT, "-3", -3),
        (INT, "1e3", 1000),
        (INT, "2.0", 2),
        (FLOAT, "0.3", 0.3),
        (FLOAT, "1", 1.0),
        (FLOAT, "1e-7", 1e-7),
        (ENUM, "50", "50"),
        (Parameter("string"), "50", "50"),
        (Parameter("string"), '"50"', '"50"'),
        (Parameter("string"), "", ""),
        (Parameter("string"), "[1]", "[1]"),
        (Parameter("path"), "a/b c", "a/b c"),
        (Parameter("array"), '[1, "a", null]', [1, "a", None]),
        (Parameter("object"), '{"a": [1]}', {"a": [1]}),
    ],
)
def test_a_text_means_the_json_value_of_its_type(
    parameter: Parameter, text: str, value: object
) -> None:
    """PRM-02: so `--set n=50` is a number for an `int`, and a text for a `string`."""
    meant = parameters.from_text(parameter, text)
    assert meant == value
    assert type(meant) is type(value)
    assert parameters.check(parameter, meant) is meant


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (50, "50"),
        (-1, "-1"),
        (0.3, "0.3"),
        (1.0, "1.0"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        ("50", "50"),
        ("", ""),
        ([1, "ä"], '[1, "ä"]'),
    ],
)
def test_in_keys_and_locks_a_value_is_a_text(value: object, text: str) -> None:
    """PRM-03: decimal numbers are written without an exponent."""
    assert parameters.to_text(value) == text


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Parameter("bool"), 1),
        (Parameter("bool"), "true"),
        (INT, True),
        (INT, 1.0),
        (INT, "1"),
        (INT, None),
        (FLOAT, "1"),
        (FLOAT, False),
        (Parameter("string"), 1),
        (Parameter("string"), None),
        (Parameter("path"), ["a"]),
        (Parameter("array"), {"a": 1}),
        (Parameter("object"), [1]),
        (ENUM, 50),
    ],
)
def test_a_value_of_another_type_is_refused(parameter: Parameter, value: object) -> None:
    """PRM-04: what is shown is JSON, as the user wrote it."""
    with pytest.raises(UsageError) as caught:
        parameters.check(parameter, value)
    assert caught.value.why == (f"it must be of type `{parameter.type}`",)
    shown = value if isinstance(value, str) else json.dumps(value)
    assert caught.value.what == f"`{shown}` is no value for `{parameter.name}`"


def test_a_value_must_be_among_those_of_an_enum() -> None:
    """PRM-04."""
    assert refusal(ENUM, "500").why == ("it must be one of `50`, `5000`",)


@pytest.mark.parametrize(
    ("text", "fits"),
    [("0", True), ("1.0", True), ("0.5", True), ("-0.1", False), ("1.01", False), ("1e300", False)],
)
def test_a_number_must_lie_within_its_range(text: str, *, fits: bool) -> None:
    """PRM-04."""
    if fits:
        assert parameters.from_text(RATIO, text) == float(text)
    else:
        assert refusal(RATIO, text).why == ("it must lie within 0 and 1",)


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1e400", "1e5000", "1e999999999",
                                  "1e-999999999x", "9" * 5000, "1e" + "9" * 40, "", "x", "0x10",
                                  "1,5", "1/2"])  # fmt: skip
@pytest.mark.parametrize("parameter", [INT, FLOAT], ids=["int", "float"])
def test_what_is_no_finite_number_is_refused_at_once(parameter: Parameter, text: str) -> None:
    """PRM-04: a large exponent is not worked out, which would take hours and all memory."""
    error = refusal(parameter, text)
    assert len(error.what) < 120


def test_a_fraction_is_no_whole_number() -> None:
    """PRM-04."""
    assert refusal(INT, "1.5").why == ("it must be of type `int`",)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (FLOAT, float("nan")),
        (FLOAT, float("inf")),
        (Parameter("array"), [1, [float("nan")]]),
        (Parameter("object"), {"a": {"b": float("-inf")}}),
        (Parameter("string"), "half of a pair \ud800"),
        (Parameter("path"), "bytes \udcff"),
        (Parameter("string"), "nul \0"),
        (Parameter("array"), ["nul \0"]),
        (Parameter("object"), {"key \udcff": 1}),
    ],
)
def test_what_no_file_and_no_program_could_take_is_refused(
    parameter: Parameter, value: object
) -> None:
    """PRM-04: the reader of JSON lets `NaN` and lone surrogates pass."""
    with pytest.raises(UsageError) as caught:
        parameters.check(parameter, value)
    assert "finite" in caught.value.why[0]


@pytest.mark.parametrize("text", ["[1", "1", "[" * 100_000, "[" + "1" * 5000 + "]", "[NaN]"])
def test_a_text_that_is_no_array_is_refused(text: str) -> None:
    """PRM-02."""
    refusal(Parameter("array"), text)


def test_an_option_has_the_value_given_or_else_its_default() -> None:
    """PRM-05."""
    options = (
        Parameter("enum", values=("50", "5000"), default="50", name="images"),
        Parameter("bool", default="yes", name="fast"),
        Parameter("float", default="1", name="scale"),
    )
    settled = parameters.settle(options, {"images": "5000"}, owner="data")
    assert settled == (("fast", "true"), ("images", "5000"), ("scale", "1.0"))


def test_an_unknown_option_is_refused_with_the_nearest_one() -> None:
    """PRM-05."""
    with pytest.raises(UsageError) as caught:
        parameters.settle((ENUM,), {"image": "50"}, owner="data")
    assert caught.value.what == "`data` has no option `image`"
    assert caught.value.hint == "did you mean `images`?"


def test_an_option_without_any_value_is_asked_for() -> None:
    """PRM-05."""
    with pytest.raises(UsageError) as caught:
        parameters.settle((ENUM,), {}, owner="data")
    assert caught.value.hint == "set it: `--option data.images=VALUE`"


def test_a_word_far_from_all_known_ones_is_told_what_there_is() -> None:
    assert parameters.unknown("zzz", ("b", "a"), "no").hint == "known are `a`, `b`"
    assert parameters.unknown("zzz", (), "no").hint == "known are none"
