from __future__ import annotations

import pytest

from crpack import config
from crpack.config import Config, Homes, Layer
from crpack.errors import UsageError


def origin(settings: Config, key: str) -> str:
    return next(where for name, _, where in settings.values if name == key)


def refusal(*pairs: tuple[str, str]) -> UsageError:
    with pytest.raises(UsageError) as caught:
        config.merge([Layer("`config.toml`", pairs)])
    return caught.value


def test_without_any_layer_every_setting_has_its_default() -> None:
    """CFG-01."""
    settings = config.merge([])
    assert [key for key, _, _ in settings.values] == [one.key for one in config.SETTINGS]
    assert {where for _, _, where in settings.values} == {"default"}
    assert settings.text("color") == "auto"
    assert settings.number("keep") == 5
    assert settings.flag("offline") is False


def test_the_later_layer_wins_and_the_origin_is_known() -> None:
    """CFG-01."""
    settings = config.merge(
        [
            Layer("system", (("jobs", "1"), ("keep", "2"), ("color", "never"))),
            Layer("user", (("jobs", "3"), ("keep", "4"))),
            Layer("flags", (("jobs", "5"),)),
        ]
    )
    for key, value, where in (
        ("jobs", "5", "flags"),
        ("keep", "4", "user"),
        ("color", "never", "system"),
        ("progress", "auto", "default"),
    ):
        assert (settings.text(key), origin(settings, key)) == (value, where)


def test_every_setting_has_a_variable() -> None:
    """CFG-01: an empty one counts as not set, and other variables are none of our business."""
    environ = {"CRPACK_FETCH_TIMEOUT": "7", "CRPACK_JOBS": "", "CRPACK_HOME": "/x", "JOBS": "2"}
    layer = Layer("the variable `CRPACK_FETCH_TIMEOUT`", (("fetch-timeout", "7"),))
    assert config.from_environment(environ) == (layer,)
    every = {setting.variable: setting.default or "x" for setting in config.SETTINGS}
    assert len(config.from_environment(every)) == len(config.SETTINGS)


def test_a_misspelt_variable_is_told_with_the_nearest_one() -> None:
    """CFG-01: and those that are no settings are known too."""
    known = {"CRPACK_HOME": "x", "CRPACK_PASSPHRASE": "x", "CRPACK_KEEP": "3", "CRPACKED": "x"}
    assert config.strangers(known) == ()
    assert config.strangers({"CRPACK_PREFX": "/x", "CRPACK_QQQQQQQQQQ": ""}) == (
        "the variable `CRPACK_PREFX` means nothing; did you mean `CRPACK_PREFIX`?",
        "the variable `CRPACK_QQQQQQQQQQ` means nothing",
    )


def test_a_file_may_hold_texts_numbers_and_booleans() -> None:
    """CFG-01."""
    layer = config.from_table({"jobs": 3, "offline": True, "key": "me"}, "`f`")
    assert layer == Layer("`f`", (("jobs", "3"), ("offline", "true"), ("key", "me")))


@pytest.mark.parametrize(
    ("key", "value"),
    [("jobs", 1.5), ("jobs", []), ("jobs", {}), ("jobs", None), ("jobs", True), ("prefix", 3),
     ("prefix", False), ("python", 3.11), ("offline", 1), ("color", 1)],
)  # fmt: skip
def test_a_value_in_a_file_has_the_type_of_its_setting(key: str, value: object) -> None:
    """CFG-02: a number is no folder."""
    with pytest.raises(UsageError) as caught:
        config.from_table({key: value}, "`f`")
    assert caught.value.what == f"`{value}` is no value for the setting `{key}`"
    assert caught.value.why[0].endswith("; it comes from `f`")


def test_an_unknown_setting_is_told_before_its_value() -> None:
    """CFG-02."""
    with pytest.raises(UsageError) as caught:
        config.from_table({"tool": {"jobs": 1}}, "`f`")
    assert caught.value.what == "`tool` is not a known setting"


@pytest.mark.parametrize("setting", [one for one in config.SETTINGS if one.kind == "int"])
def test_a_number_has_bounds_and_both_are_allowed(setting: config.Setting) -> None:
    """CFG-02."""
    for number in (setting.low, setting.high, int(setting.default)):
        assert config.merge([Layer("x", ((setting.key, str(number)),))]).number(setting.key) == (
            number
        )
    for number in (setting.low - 1, setting.high + 1):
        assert f"from {setting.low} to {setting.high}" in refusal((setting.key, str(number))).why[0]


def test_an_unknown_setting_is_refused_with_its_origin_and_the_nearest_one() -> None:
    """CFG-02."""
    error = refusal(("ofline", "true"))
    assert error.what == "`ofline` is not a known setting"
    assert error.why == ("it stands in `config.toml`",)
    assert error.hint == "did you mean `offline`?"
    assert refusal(("zzzz", "1")).hint.startswith("known are prefix, key, offline")


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("offline", "maybe", "`true` or `false`"),
        ("offline", "", "`true` or `false`"),
        ("keep", "0", "a whole number from 1 to 1000"),
        ("fetch-timeout", "-1", "a whole number from 1 to 3600"),
        ("jobs", "-1", "a whole number from 0 to 1024"),
        ("jobs", "1.5", "a whole number from 0 to 1024"),
        ("jobs", "", "a whole number from 0 to 1024"),
        ("jobs", "\u0663", "a whole number from 0 to 1024"),
        ("jobs", "9" * 5000, "a whole number from 0 to 1024"),
        ("color", "blue", "`auto` or `always` or `never`"),
        ("sandbox", "", "`best` or `best-effort` or `none`"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_its_origin(
    key: str, value: str, wanted: str
) -> None:
    """CFG-02."""
    error = refusal((key, value))
    assert error.what == f"`{value[:80]}` is no value for the setting `{key}`"
    assert error.why == (f"it must be {wanted}; it comes from `config.toml`",)


@pytest.mark.parametrize(
    ("text", "flag"),
    [("true", True), ("1", True), ("yes", True), ("false", False), ("0", False), ("no", False)],
)
def test_a_boolean_has_several_spellings(text: str, *, flag: bool) -> None:
    """CFG-02."""
    assert config.merge([Layer("x", (("offline", text),))]).flag("offline") is flag


def test_folders_follow_xdg() -> None:
    """CFG-03."""
    assert config.homes({"HOME": "/home/me"}, "/here") == Homes(
        "/home/me/.config/crpack",
        "/home/me/.cache/crpack",
        "/home/me/.local/share/crpack",
        "/home/me/.local/state/crpack",
    )
    moved = {"HOME": "/home/me", "XDG_CACHE_HOME": "/c", "XDG_DATA_HOME": "relative"}
    homes = config.homes(moved, "/here")
    assert homes.cache == "/c/crpack"
    assert homes.data == "/home/me/.local/share/crpack"  # XDG: a relative path is ignored
    assert config.homes({}, "/here").config == "//.config/crpack"


@pytest.mark.parametrize(
    ("value", "root"), [("/x y", "/x y"), ("x", "/here/x"), ("./x", "/here/./x")]
)
def test_one_variable_moves_all_folders(value: str, root: str) -> None:
    """CFG-03: a relative one is meant from where the command was started."""
    environ = {"CRPACK_HOME": value, "HOME": "/home/me", "XDG_CACHE_HOME": "/c"}
    parts = ("config", "cache", "data", "state")
    assert config.homes(environ, "/here") == Homes(*(f"{root}/{part}" for part in parts))


def test_an_empty_variable_moves_nothing() -> None:
    """CFG-03."""
    assert config.homes({"CRPACK_HOME": "", "HOME": "/h"}, "/").data == "/h/.local/share/crpack"
