from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from crpack.cli import parser as parsers
from crpack.cli.verbs import VERBS
from crpack.errors import UsageError

if TYPE_CHECKING:
    from crpack.cli.parser import VerbParser

GLOBAL = 11  # options that every verb has


def usage(shape: str) -> str:
    verb = shape.partition(" ")[0]
    return f"usage: crpack {shape}; `crpack {verb} --help` tells more"


COMMON = ("--dry-run", "--yes", "--platform", "--locked", "--frozen")
LIST = usage("list [OPTIONS]")


def parser(verb: str) -> VerbParser:
    made = parsers.for_verb(verb, VERBS[verb][2])
    importlib.import_module(f"crpack.cli.{VERBS[verb][0]}").configure(verb, made)
    return made


def refusal(verb: str, *words: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parser(verb).read(list(words))
    return caught.value


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_takes_the_global_options(verb: str) -> None:
    made = parser(verb)
    flags = {flag for action in made._actions for flag in action.option_strings}
    assert flags >= {
        "-h", "--help", "--json", "-q", "--quiet", "-v", "--verbose", "--color", "--progress",
        "--offline", "--prefix", "--config",
    }  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_at_most_ten_options_of_its_own(verb: str) -> None:
    """Ten at most: what many verbs have in common is not counted; the rest is configuration."""
    flags = [action.option_strings for action in parser(verb)._actions if action.option_strings]
    own = [one for one in flags if one[-1] not in COMMON]
    assert len(own) - GLOBAL <= 10


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_tells_all_it_takes(verb: str) -> None:
    made = parser(verb)
    text = made.format_help()
    for action in made._actions:
        assert action.help or action.choices
        for flag in action.option_strings:
            assert flag in text
    assert text.startswith(f"usage: crpack {verb} [OPTIONS]")
    assert VERBS[verb][2] in text.replace("\n", " ").lower() or VERBS[verb][2][1:] in text


@pytest.mark.parametrize(
    ("verb", "words", "what", "hint"),
    [
        ("list", ["--ofline"], "`crpack list` has no option `--ofline`",
         "did you mean `--offline`?"),
        ("list", ["--colour=always"], "`crpack list` has no option `--colour`",
         "did you mean `--color`?"),
        ("list", ["--zzz"], "`crpack list` has no option `--zzz`", LIST),
        ("list", ["--foo"], "`crpack list` has no option `--foo`", LIST),
        ("list", ["-x"], "`crpack list` has no option `-x`", LIST),
        ("list", ["x"], "`crpack list` takes no further argument `x`", LIST),
        ("list", [""], "`crpack list` takes no further argument ``", LIST),
        ("list", [" "], "`crpack list` takes no further argument ` `", LIST),
        ("key", ["nwe"], "`nwe` is no action of `crpack key`", "did you mean `new`?"),
        ("trust", ["ad"], "`ad` is no action of `crpack trust`", "did you mean `add`?"),
        ("new", ["x", "--kind", "solutoin"], "`solutoin` is no value for `--kind`",
         "did you mean `solution`?"),
        ("list", ["--color", "alway"], "`alway` is no value for `--color`",
         "did you mean `always`?"),
        ("list", ["--color", ""], "`` is no value for `--color`", LIST),
        ("list", ["--json=1"], "`--json` takes no value", LIST),
        ("remove", [], "`crpack remove` needs NAME", usage("remove [OPTIONS] NAME...")),
        ("run", [], "`crpack run` needs NAME", usage("run [OPTIONS] NAME [ACTION]")),
        ("list", ["--prefix"], "`--prefix` needs a value", LIST),
        ("build", ["--passphrase-fd", "x"], "`x` is no value for `--passphrase-fd`",
         usage("build [OPTIONS] [FOLDER]")),
        ("update", ["--rollback", "x"], "`x` is no value for `--rollback`",
         "write the arguments before `--rollback`"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_a_usage_error_with_the_nearest_one(
    verb: str, words: list[str], what: str, hint: str
) -> None:
    """CLI-03."""
    error = refusal(verb, *words)
    assert error.what == what
    assert error.hint == hint
    assert error.exit_code == 2


@pytest.mark.parametrize("flag", ["--js", "--verb", "--off", "--conf=x", "--pre=x", "--pr=off"])
def test_a_flag_is_never_guessed_from_its_beginning(flag: str) -> None:
    """So that a new flag changes the meaning of no script."""
    assert refusal("list", flag).what == f"`crpack list` has no option `{flag.partition('=')[0]}`"


def test_what_is_allowed_is_told() -> None:
    """CLI-03."""
    assert refusal("key").why == ("ACTION is `new`, `list`, `export` or `import`",)
    assert refusal("key", "x").why == ("it must be `new`, `list`, `export` or `import`",)
    assert refusal("update", "--rollback", "x").why == ("it must be a whole number",)


@pytest.mark.parametrize("verb", VERBS)
def test_the_usage_names_arguments_in_capitals(verb: str) -> None:
    words = parser(verb).synopsis().removeprefix(f"crpack {verb} ").split()
    assert all(word == word.upper() for word in words)


@pytest.mark.parametrize(
    ("verb", "words", "found"),
    [
        ("trust", ["remove", "--json", "abc"], {"action": "remove", "word": "abc"}),
        ("run", ["demo", "--set", "a=b", "test"], {"name": "demo", "action": "test"}),
        ("run", ["--json", "demo"], {"name": "demo", "action": "run"}),
        ("remove", ["a", "-q", "b"], {"names": ["a", "b"]}),
        ("detect", ["--no-exec"], {"names": []}),
        ("build", ["--full"], {"folder": "."}),
        ("build", ["--full", "x"], {"folder": "x"}),
    ],
)
def test_options_may_stand_between_arguments(
    verb: str, words: list[str], found: dict[str, object]
) -> None:
    args = vars(parser(verb).read(words))
    assert {key: args[key] for key in found} == found


def test_short_flags_may_stand_together() -> None:
    args = parser("list").read(["-qvv"])
    assert (args.quiet, args.verbose) == (1, 2)


def test_help_is_as_wide_as_the_terminal_within_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for columns, width in ((20, 40), (70, 70), (500, 96)):
        size = os.terminal_size((columns, 24))
        monkeypatch.setattr(os, "get_terminal_size", lambda _fd, size=size: size)
        lines = parser("build").format_help().splitlines()
        assert max(map(len, lines)) <= max(width, 64)  # a long flag is not broken
