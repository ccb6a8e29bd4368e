"""One verb from its words to its exit code: parse, settle the configuration, call, answer.

Rules: errors are printed here and turned into exit codes; an unforeseen one says where to
report it and shows its trace with `-v` only.
"""

from __future__ import annotations

import argparse
import importlib
from dataclasses import dataclass

from crpack import __version__, config, settings
from crpack.cli import parser as parsers
from crpack.cli.console import Console
from crpack.cli.verbs import VERBS, help_screen, split_verb
from crpack.errors import CrpackError, Interrupted, UsageError

TYPE_CHECKING = False  # `typing` costs as much as `json`, and `list` needs neither


@dataclass(frozen=True, slots=True)
class Call:
    """What a verb's handler gets: its words, the console, and the settled configuration."""

    args: argparse.Namespace
    console: Console
    settings: config.Config
    homes: config.Homes

    @property
    def prefix(self) -> str:
        """The folder of installations, absolute."""
        return settings.prefix_of(self.settings, self.homes)


def run(argv: list[str]) -> int:
    """Run one verb and return its exit code."""
    console = Console(as_json="--json" in argv)
    try:
        return _run(argv, console)
    except CrpackError as error:
        console.fail(error)
        return error.exit_code
    except KeyboardInterrupt:
        console.fail(Interrupted("interrupted"))
        return Interrupted.exit_code
    except Exception as error:  # noqa: BLE001 - the last net: one sentence, never a bare trace
        return _unforeseen(error, console, argv)


def _run(argv: list[str], console: Console) -> int:
    verb, rest = split_verb(argv)
    if verb == "help" or not verb:
        return _help(verb, rest, console)
    if verb not in VERBS:
        import difflib

        close = difflib.get_close_matches(verb, VERBS, 1)
        hint = f"did you mean `crpack {close[0]}`?" if close else "`crpack --help` lists the verbs"
        raise UsageError(f"`{verb}` is not a verb of crpack", hint=hint)
    module = importlib.import_module(f"crpack.cli.{VERBS[verb][0]}")
    parser = parsers.for_verb(verb, VERBS[verb][2])
    handler = module.configure(verb, parser)
    if "--help" in rest or "-h" in rest:
        console.answer({"topic": verb, "text": parser.format_help()}, parser.format_help().rstrip())
        return 0
    call = _call(parser.parse_args(rest), console)
    code: int = handler(call)
    return code


def _help(verb: str, rest: list[str], console: Console) -> int:
    if verb == "help":
        topic = next((word for word in rest if not word.startswith("-")), "")
        if topic in VERBS:
            return _run([topic, "--help"], console)
        from crpack.cli import topics

        text = topics.text(topic)
        console.answer({"topic": topic, "text": text}, text)
    elif "--help" in rest or "-h" in rest:
        console.answer({"topic": "", "text": help_screen()}, help_screen())
    elif "--version" in rest or "-V" in rest:
        console.answer({"version": __version__}, f"crpack {__version__}")
    else:
        raise UsageError("a verb is missing", hint="`crpack --help` lists the verbs")
    return 0


def _call(args: argparse.Namespace, console: Console) -> Call:
    flags = {"offline": "true" if args.offline else None}
    flags |= {key: getattr(args, key) for key in ("color", "progress", "prefix")}
    settled, homes = settings.settle(flags, named=args.config or "")
    console.settle(
        as_json=args.json, loudness=args.verbose - args.quiet, color=settled.text("color")
    )
    return Call(args, console, settled, homes)


def _unforeseen(error: Exception, console: Console, argv: list[str]) -> int:
    if "-v" in argv or "--verbose" in argv:
        import traceback

        console.say("".join(traceback.format_exception(error)))
    sentence = f"crpack met a fault of its own: {type(error).__name__}: {error}"
    hint = "run it again with `-v` and report what it shows; nothing of yours is to blame"
    console.fail(CrpackError(sentence, hint=hint))
    return 1
