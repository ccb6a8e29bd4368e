"""Parsers: one verb's flags, and the global ones beside them.

Rules: argparse; only the asked verb's parser is built; an unknown flag is a usage
error with the nearest known one; at most ten options a verb beside the global ones.
"""

from __future__ import annotations

import argparse
import os
import re

from crpack.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


_WIDTH = 96  # columns of help texts, at most
SANDBOXES = ("best", "best-effort", "none")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal; asks the system itself, which is cheaper than `shutil`."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=_width())


def _width() -> int:
    try:
        return max(40, min(os.get_terminal_size(2).columns, _WIDTH))
    except OSError:
        return _WIDTH


class VerbParser(argparse.ArgumentParser):
    """A parser whose faults are `UsageError`s."""

    def read(self, words: list[str]) -> argparse.Namespace:
        """Return what the words of a command line mean; options may stand between arguments.

        Raises:
            UsageError: a word is unknown, wrong or missing.
        """
        self.usage = self.synopsis()  # now: while it reads options, argparse hides the arguments
        return self.parse_intermixed_args(words)

    def format_help(self) -> str:
        """Return the help text; its usage line names the arguments, not every option."""
        self.usage = self.synopsis()
        return super().format_help()

    def synopsis(self) -> str:
        """Return the verb with its arguments, in one line."""
        shapes = {"?": "[{}]", "*": "[{}...]", "+": "{}..."}
        words = [
            shapes.get(str(action.nargs), "{}").format(action.metavar)
            for action in self._actions
            if not action.option_strings
        ]
        return " ".join([self.prog, "[OPTIONS]", *words])

    def error(self, message: str) -> NoReturn:
        """Refuse the command line in our own words.

        Raises:
            UsageError: always; the hint names the nearest known word or the usage.
        """
        for pattern, tell in _FAULTS:
            match = re.fullmatch(pattern, message, re.DOTALL)
            if match:
                raise tell(self, *match.groups())
        raise self.refusal(message[:1].lower() + message[1:])

    def refusal(self, what: str, why: str = "", hint: str = "") -> UsageError:
        """Return the error of a wrong word; without a better hint it shows the usage."""
        hint = hint or f"usage: {self.usage}; `{self.prog} --help` tells more"
        return UsageError(what, why=[why] if why else (), hint=hint)

    def every(self) -> tuple[argparse.Action, ...]:
        """Return all options and arguments, in the order in which they were added."""
        return tuple(self._actions)

    def flags(self) -> list[str]:
        """Return the names of all options, without dashes."""
        return [flag.strip("-") for action in self._actions for flag in action.option_strings]

    def action_of(self, name: str) -> argparse.Action:
        """Return an option by its strings as argparse names it, or an argument by its metavar."""
        return next(
            action
            for action in self._actions
            if name in ("/".join(action.option_strings), action.metavar)
        )


def _missing(parser: VerbParser, names: str) -> UsageError:
    first = parser.action_of(names.partition(", ")[0])
    why = f"{first.metavar} is {_either(first)}" if first.choices else ""
    return parser.refusal(f"`{parser.prog}` needs {names.replace(', ', ' and ')}", why)


def _stray(parser: VerbParser, words: str) -> UsageError:
    if not words.startswith("-"):
        return parser.refusal(f"`{parser.prog}` takes no further argument `{words}`")
    word = re.split("[= ]", words)[0]
    close = _closest(word[2:], parser.flags()) if word.startswith("--") else ""
    hint = f"did you mean `--{close}`?" if close else ""
    return parser.refusal(f"`{parser.prog}` has no option `{word}`", hint=hint)


def _choice(parser: VerbParser, name: str, word: str) -> UsageError:
    action = parser.action_of(name)
    word = word.strip("'\"")
    close = _closest(word, [str(known) for known in action.choices or ()])
    hint = f"did you mean `{close}`?" if close else ""
    return parser.refusal(
        f"`{word}` is no {_what(parser, action)}", f"it must be {_either(action)}", hint
    )


def _number(parser: VerbParser, name: str, word: str) -> UsageError:
    action = parser.action_of(name)
    hint = f"write the arguments before `{name}`" if action.nargs == "?" else ""
    what = f"`{word.strip(chr(39))}` is no {_what(parser, action)}"
    return parser.refusal(what, "it must be a whole number", hint)


def _what(parser: VerbParser, action: argparse.Action) -> str:
    flags = action.option_strings
    return (
        f"value for `{flags[-1]}`" if flags else f"{str(action.metavar).lower()} of `{parser.prog}`"
    )


def _either(action: argparse.Action) -> str:
    *others, last = (f"`{word}`" for word in action.choices or ())
    return f"{', '.join(others)} or {last}"


def _closest(word: str, known: list[str]) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(word, known, 1)), "")


# What argparse says, and how we say it.
_FAULTS: tuple[tuple[str, Callable[..., UsageError]], ...] = (
    ("the following arguments are required: (.*)", _missing),
    ("unrecognized arguments: (.*)", _stray),
    (r"argument (\S+): invalid choice: (.*?)(?:, maybe .*)? \(choose from .*", _choice),
    (r"argument (\S+): invalid int value: (.*)", _number),
    (r"argument (\S+): expected .*", lambda self, flag: self.refusal(f"`{flag}` needs a value")),
    (
        r"argument (?:\S+/)?(\S+): ignored explicit argument .*",
        lambda self, flag: self.refusal(f"`{flag}` takes no value"),
    ),
)


def for_verb(verb: str, what: str) -> VerbParser:
    """Return a parser with the global options, for the verb's module to complete."""
    parser = VerbParser(
        prog=f"crpack {verb}",
        description=what[:1].upper() + what[1:] + ".",
        formatter_class=_Formatter,
        allow_abbrev=False,
        add_help=False,
    )
    group = parser.add_argument_group("global options")
    group.add_argument("-h", "--help", action="help", help="this text")
    group.add_argument("--json", action="store_true", help="one JSON object on standard output")
    group.add_argument("-q", "--quiet", action="count", default=0, help="errors only")
    group.add_argument("-v", "--verbose", action="count", default=0, help="say more")
    group.add_argument("--color", choices=("auto", "always", "never"), help="when to colour")
    group.add_argument("--progress", choices=("auto", "off", "json"), help="how to show progress")
    group.add_argument("--offline", action="store_true", help="open no network connection")
    group.add_argument("--prefix", metavar="DIR", help="folder of installations")
    group.add_argument("--index", metavar="NAME", help="ask only this index for names")
    group.add_argument("--config", metavar="FILE", help="settings from this file")
    group.add_argument("--sandbox", choices=SANDBOXES, help="how builds are confined")
    return parser
