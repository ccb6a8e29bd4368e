"""The verb `completion`: scripts that let shells complete crpack's words.

Rules (SPEC CLI-11):
- They are made from the parsers: verbs, options and their words, topics of `help`. So they fit the
  crpack that printed them.
- Names of installed solutions are asked for when they are wanted, with `crpack list`; nothing else
  is. Where crpack knows no words, files are completed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from crpack.cli import parser as parsers
from crpack.cli import scripts
from crpack.cli.shell import SHELLS
from crpack.cli.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser

_WHERE = """\
where its output goes:
  bash   ~/.local/share/bash-completion/completions/crpack
  zsh    _crpack in a folder of $fpath
  fish   ~/.config/fish/completions/crpack.fish
or, for the running shell alone: source <(crpack completion bash); likewise with zsh;
crpack completion fish | source. Print it again after an update of crpack."""

# Verbs whose first argument is the name of an installed solution, and those that take several.
_ONE = ("benchmark", "info", "run", "shell", "validate")
_MANY = ("remove", "update", "verify")


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `completion` and return its handler."""
    return {"completion": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    parser.epilog = _WHERE
    return _completion


def _completion(call: Call) -> int:
    text = scripts.MAKERS[call.args.shell](tuple(known()))
    call.console.answer({"shell": call.args.shell, "text": text}, text)
    return 0


def known() -> Iterator[scripts.Words]:
    """Yield every verb with what may follow it."""
    from crpack.cli.topics import TOPICS

    for verb, (module, _, what) in VERBS.items():
        parser = parsers.for_verb(verb, what)
        importlib.import_module(f"crpack.cli.{module}").configure(verb, parser)
        yield _words(verb, what, parser)
    parser = parsers.for_verb("help", "")
    yield _words("help", "tell of a verb or a topic", parser, (*VERBS, *TOPICS))


def _words(verb: str, what: str, parser: VerbParser, first: tuple[str, ...] = ()) -> scripts.Words:
    actions = parser.every()
    options = tuple(
        scripts.Option(
            tuple(one.option_strings), one.help or "", one.nargs != 0, _choices(one.choices)
        )
        for one in actions
        if one.option_strings
    )
    arguments = [one for one in actions if not one.option_strings]
    first = first or (_choices(arguments[0].choices) if arguments else ())
    names: scripts.Names = "one" if verb in _ONE else "many" if verb in _MANY else ""
    return scripts.Words(verb, what, options, first, names)


def _choices(choices: object) -> tuple[str, ...]:
    return tuple(map(str, choices)) if isinstance(choices, (tuple, list)) else ()
