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
    from typing import NoReturn


_WIDTH = 96  # columns of help texts, at most


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

    def format_help(self) -> str:
        """Return the help text; its usage line names the arguments, not every option."""
        words = [
            f"[{action.metavar or action.dest}]" if action.nargs in ("?", "*")
            else str(action.metavar or action.dest)
            for action in self._actions
            if not action.option_strings
        ]  # fmt: skip
        self.usage = " ".join([self.prog, "[OPTIONS]", *words])
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            UsageError: always; the hint names the nearest known flag or the verb's help.
        """
        hint = f"`{self.prog} --help` tells what it takes"
        flag = re.search(r"unrecognized arguments: (--[^\s=]+)", message)
        choice = re.search(r"invalid choice: '([^']*)'", message)
        known: list[str] = []
        for action in self._actions:
            known += action.option_strings if flag else [str(word) for word in action.choices or ()]
        word = flag or choice
        if word:
            import difflib

            close = difflib.get_close_matches(word[1], known, 1)
            if close:
                hint = f"did you mean `{close[0]}`?"
        raise UsageError(message[:1].lower() + message[1:], hint=hint)


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
    group.add_argument("--config", metavar="FILE", help="settings from this file")
    return parser
