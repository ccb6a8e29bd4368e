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
from crpack.cli.verbs import MEANT, VERBS, help_screen, split_verb
from crpack.errors import CrpackError, Interrupted, UsageError

TYPE_CHECKING = False  # `typing` costs as much as `json`, and `list` needs neither
if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Call:
    """What a verb's handler gets: its words, the console, and the settled configuration."""

    verb: str
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
    argv, command = _parted(argv)
    console = Console(as_json="--json" in argv)
    try:
        return _run(argv, console, command)
    except CrpackError as error:
        console.fail(error)
        return error.exit_code
    except KeyboardInterrupt:
        console.fail(Interrupted(f"interrupted; {_state(split_verb(argv)[0])}"))
        return Interrupted.exit_code
    except Exception as error:  # noqa: BLE001 - the last net: one sentence, never a bare trace
        return _unforeseen(error, console, argv)


def _parted(argv: list[str]) -> tuple[list[str], list[str]]:
    """Part the command that `shell` starts from crpack's own words."""
    if "--" not in argv or split_verb(argv)[0] != "shell":
        return argv, []
    border = argv.index("--")
    return argv[:border], argv[border + 1 :]


def _run(argv: list[str], console: Console, command: Sequence[str] = ()) -> int:
    verb, rest = split_verb(argv)
    if verb == "help" or not verb:
        return _help(verb, rest, console)
    if verb not in VERBS:
        raise _no_verb(verb)
    module = importlib.import_module(f"crpack.cli.{VERBS[verb][0]}")
    parser = parsers.for_verb(verb, VERBS[verb][2])
    handler = module.configure(verb, parser)
    if "--help" in rest or "-h" in rest:
        console.answer({"topic": verb, "text": parser.format_help()}, parser.format_help().rstrip())
        return 0
    args = parser.read(rest)
    args.command = command
    call = _call(verb, args, console)
    code: int = handler(call)
    return code


def _no_verb(word: str) -> UsageError:
    import difflib

    close = [MEANT[word]] if word in MEANT else difflib.get_close_matches(word, VERBS, 1)
    hint = f"did you mean `crpack {close[0]}`?" if close else "`crpack --help` lists the verbs"
    return UsageError(f"`{word}` is not a verb of crpack", hint=hint)


def _help(verb: str, rest: list[str], console: Console) -> int:
    asked = "--help" in rest or "-h" in rest
    if verb == "help":
        parser = parsers.for_verb("help", "tell of a verb or a topic")
        parser.add_argument("topic", metavar="TOPIC", nargs="?", default="")
        args = parser.read([word for word in rest if word not in ("-h", "--help")])
        if args.topic == "help":
            args.topic = ""
        if args.topic in VERBS:
            return _run([args.topic, "--help"], console)
        from crpack.cli import topics

        settled = _call(verb, args, console).settings if args.topic == topics.CONFIG else None
        text = topics.text(args.topic, settled)
        console.answer({"topic": args.topic, "text": text}, text)
    elif asked:
        console.answer({"topic": "", "text": help_screen()}, help_screen())
    elif "--version" in rest or "-V" in rest:
        console.answer({"version": __version__}, f"crpack {__version__}")
    else:
        raise UsageError("a verb is missing", hint="`crpack --help` lists the verbs")
    return 0


def _state(verb: str) -> str:
    """Say what state an interrupted verb left things in."""
    if verb in ("install", "update", "remove"):
        return "each solution is whole, as it was or as asked; `crpack list` shows which"
    if verb in ("run", "validate", "benchmark"):
        return "the program was ended; the installation is as it was"
    return "nothing was left half written"


def _call(verb: str, args: argparse.Namespace, console: Console) -> Call:
    flags = {"offline": "true" if args.offline else None}
    plain = ("color", "progress", "prefix", "index", "sandbox")
    flags |= {key: getattr(args, key) for key in plain}
    stated = getattr(args, "fact", None)
    flags["fact"] = ",".join(stated) if stated else None
    settled, homes = settings.settle(flags, named=args.config or "")
    console.settle(
        as_json=args.json, loudness=args.verbose - args.quiet, color=settled.text("color")
    )
    for text in settings.strangers():
        console.warn(text)
    return Call(verb, args, console, settled, homes)


def _unforeseen(error: Exception, console: Console, argv: list[str]) -> int:
    if "-v" in argv or "--verbose" in argv:
        import traceback

        console.say("".join(traceback.format_exception(error)))
    sentence = f"crpack met a fault of its own: {type(error).__name__}: {error}"
    hint = "run it again with `-v` and report what it shows; nothing of yours is to blame"
    console.fail(CrpackError(sentence, hint=hint))
    return 1
