"""What verbs that choose have in common: build options, and how to choose.

Rules: nothing heavy is imported before a choice is really made.
"""

from __future__ import annotations

from crpack.errors import NoSolution, UsageError

TYPE_CHECKING = False  # `typing` costs as much as `json`
if TYPE_CHECKING:
    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser
    from crpack.solve.problem import Policy

LOCK = "crpack.lock"  # where no other file is named
PREFER = ("detected", "newest", "locked", "lowest")  # the first is the default


def add_choices(parser: VerbParser) -> None:
    """Add the options of `install` and `update`."""
    add = parser.add_argument
    add("--option", action="append", default=[], metavar="[NAME.]KEY=VALUE",
        help="value of a build option; without NAME of what is asked for")  # fmt: skip
    add("--allow-unsigned", action="store_true", help="take what nobody signed (loud, recorded)")
    add_policy(parser)
    add_fact(parser)
    add_tree(parser)
    add("--reinstall", action="store_true", help="hash what is there; make again what is damaged")
    add("--dry-run", action="store_true", help="show what would be done; change nothing")


def add_policy(parser: VerbParser) -> None:
    """Add the options that say how to choose."""
    add = parser.add_argument
    add("--prefer", choices=PREFER, default="detected",
        help="what machines have, the newest, what is here, or the oldest "
             "(default: detected)")  # fmt: skip
    add("--no-detect", action="store_true",
        help="use nothing that the machine has, compilers aside")  # fmt: skip
    add("--only-detected", action="store_true",
        help="what is asked for may need only what the machine has")  # fmt: skip


def add_tree(parser: VerbParser) -> None:
    """Add the option that says how a failure to choose is told; see `AsTree`."""
    add = parser.add_argument
    add("--tree", action="store_true", help="tell why there is no solution as a tree")


class AsTree:
    """Within it, a failure to choose is told as a tree where the command line says so."""

    def __init__(self, call: Call) -> None:
        self._wanted: bool = call.args.tree

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, place: object) -> None:
        """Put the tree in place of the causes."""
        tree: tuple[str, ...] = getattr(error, "tree", ())
        if self._wanted and tree and isinstance(error, NoSolution):
            plain: tuple[str, ...] = getattr(error, "sentences", ())
            error.why = (*tree, *(one for one in error.why if one not in plain))


def add_fact(parser: VerbParser) -> None:
    """Add the option that states what the machine to choose for can do."""
    parser.add_argument(
        "--fact", action="append", default=[], metavar="@NAME=VALUE",
        help="choose as if so: @glibc, @musl, @cpu, @cuda, @gpu, @memory; may be repeated",
    )  # fmt: skip


def add_elsewhere(parser: VerbParser) -> None:
    """Add the options that say which machine it is for."""
    add = parser.add_argument
    add("--platform", metavar="P", default="",
        help="make it here for a machine of this platform (default: this machine)")  # fmt: skip
    add("--facts", metavar="FILE", default="", help="make it here for the machine of these facts")


def policy(call: Call) -> Policy:
    """Return how to choose, as a command line says.

    Raises:
        UsageError: two of its words exclude each other.
    """
    args = call.args
    if args.no_detect and args.only_detected:
        raise UsageError("`--no-detect` and `--only-detected` exclude each other")
    from crpack.solve.problem import Policy

    return Policy(args.prefer, detect=not args.no_detect, only_detected=args.only_detected)


def options(call: Call) -> tuple[tuple[str, str, str], ...]:
    """Return the build options of a command line: component, option, value.

    Raises:
        UsageError: a word is none.
    """
    return tuple(_option(text) for text in call.args.option)


def _option(text: str) -> tuple[str, str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"`{text}` is not an option", hint="write `--option KEY=VALUE`")
    name, _, option = key.rpartition(".")
    return name, option, value
