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
    assert config.from_environment(environ) == Layer("environment", (("fetch-timeout", "7"),))
    every = {setting.variable: setting.default or "x" for setting in config.SETTINGS}
    assert len(config.from_environment(every).values) == len(config.SETTINGS)


def test_a_file_may_hold_texts_numbers_and_booleans() -> None:
    """CFG-01."""
    layer = config.from_table({"jobs": 3, "offline": True, "key": "me"}, "`f`")
    assert layer == Layer("`f`", (("jobs", "3"), ("offline", "true"), ("key", "me")))


@pytest.mark.parametrize("value", [1.5, [], {}, None, ["a"]])
def test_a_file_holds_nothing_else(value: object) -> None:
    """CFG-02."""
    with pytest.raises(UsageError) as caught:
        config.from_table({"jobs": value}, "`f`")
    assert caught.value.what == "the setting `jobs` in `f` must be a text, number or boolean"


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
        ("jobs", "-1", "a whole number"),
        ("jobs", "1.5", "a whole number"),
        ("jobs", "", "a whole number"),
        ("jobs", "\u0663", "a whole number"),
        ("jobs", "9" * 5000, "a whole number"),
        ("color", "blue", "`auto` or `always` or `never`"),
        ("sandbox", "", "`best` or `none`"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_its_origin(
    key: str, value: str, wanted: str
) -> None:
    """CFG-02."""
    error = refusal((key, value))
    assert error.what == f"`{value}` is no value for the setting `{key}`"
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
