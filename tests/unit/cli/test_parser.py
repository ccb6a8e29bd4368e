from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from crpack.cli import parser as parsers
from crpack.cli.verbs import VERBS
from crpack.errors import UsageError

if TYPE_CHECKING:
    from crpack.cli.parser import VerbParser

GLOBAL = 9  # options that every verb has


def parser(verb: str) -> VerbParser:
    made = parsers.for_verb(verb, VERBS[verb][2])
    importlib.import_module(f"crpack.cli.{VERBS[verb][0]}").configure(verb, made)
    return made


def refusal(verb: str, *words: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parser(verb).parse_args(list(words))
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
    """Ten at most: `--dry-run` is not counted; the rest is configuration."""
    flags = [action.option_strings for action in parser(verb)._actions if action.option_strings]
    assert len(flags) - flags.count(["--dry-run"]) - GLOBAL <= 10


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
        ("list", ["--ofline"], "unrecognized arguments: --ofline", "did you mean `--offline`?"),
        ("list", ["--colour=always"], "unrecognized arguments: --colour=always",
         "did you mean `--color`?"),
        ("list", ["--zzz"], "unrecognized arguments: --zzz",
         "`crpack list --help` tells what it takes"),
        ("list", ["-x"], "unrecognized arguments: -x", "`crpack list --help` tells what it takes"),
        ("list", ["x"], "unrecognized arguments: x", "`crpack list --help` tells what it takes"),
        ("list", [""], "unrecognized arguments: ", "`crpack list --help` tells what it takes"),
        ("list", [" "], "unrecognized arguments:  ", "`crpack list --help` tells what it takes"),
        ("key", ["nwe"], "argument action: invalid choice: 'nwe'", "did you mean `new`?"),
        ("trust", ["ad"], "argument action: invalid choice: 'ad'", "did you mean `add`?"),
        ("new", ["x", "--kind", "solutoin"], "argument --kind: invalid choice: 'solutoin'",
         "did you mean `solution`?"),
        ("list", ["--color", "alway"], "argument --color: invalid choice: 'alway'",
         "did you mean `always`?"),
        ("list", ["--color", ""], "argument --color: invalid choice: ''",
         "`crpack list --help` tells what it takes"),
        ("install", [], "the following arguments are required: FILE|URL",
         "`crpack install --help` tells what it takes"),
        ("list", ["--prefix"], "argument --prefix: expected one argument",
         "`crpack list --help` tells what it takes"),
        ("build", ["--passphrase-fd", "x"], "argument --passphrase-fd: invalid int value: 'x'",
         "`crpack build --help` tells what it takes"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_a_usage_error_with_the_nearest_one(
    verb: str, words: list[str], what: str, hint: str
) -> None:
    """CLI-03."""
    error = refusal(verb, *words)
    assert error.what.startswith(what)
    assert error.hint == hint
    assert error.exit_code == 2


@pytest.mark.parametrize("flag", ["--js", "--verb", "--off", "--conf=x", "--pre=x", "--pr=off"])
def test_a_flag_is_never_guessed_from_its_beginning(flag: str) -> None:
    """So that a new flag changes the meaning of no script."""
    assert refusal("list", flag).what == f"unrecognized arguments: {flag}"


def test_short_flags_may_stand_together() -> None:
    args = parser("list").parse_args(["-qvv"])
    assert (args.quiet, args.verbose) == (1, 2)


def test_help_is_as_wide_as_the_terminal_within_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for columns, width in ((20, 40), (70, 70), (500, 96)):
        size = os.terminal_size((columns, 24))
        monkeypatch.setattr(os, "get_terminal_size", lambda _fd, size=size: size)
        lines = parser("build").format_help().splitlines()
        assert max(map(len, lines)) <= max(width, 64)  # a long flag is not broken
