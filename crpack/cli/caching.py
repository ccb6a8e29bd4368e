"""The verb `cache`.

Rules: `dir` answers with a path alone, for scripts; the others tell sizes as people read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.cli import subverbs
from crpack.cli.console import table
from crpack.cli.sessions import session_of
from crpack.model.quantity import counted, size
from crpack.ops import caching

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser
    from crpack.cli.subverbs import Action
    from crpack.ops.caching import Cleared

_ACTIONS = """\
actions:
  dir     tell the folder of the cache
  size    tell what it holds
  prune   remove what no installed solution came from
  clean   remove all of it
  gc      remove what of the prefix nothing needs any more"""


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `cache` and return its handler."""
    return {"cache": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("action", metavar="ACTION", choices=tuple(_CACHE), help=", ".join(_CACHE))
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed")
    parser.set_defaults(word=None)
    parser.epilog = _ACTIONS
    return subverbs.handler(_CACHE)


def _dir(call: Call) -> None:
    call.console.answer({"path": call.homes.cache}, call.homes.cache)


def _size(call: Call) -> None:
    items = caching.contents(session_of(call))
    rows = [(item.path.rpartition("/")[2], size(item.bytes), counted(item.files, "file"), item.what)
            for item in items]  # fmt: skip
    total = sum(item.bytes for item in items)
    rows.append(("all", size(total), counted(sum(item.files for item in items), "file"), ""))
    call.console.answer(items, table(rows))


def _clean(call: Call) -> None:
    _tell(call, caching.clean(session_of(call), dry_run=call.args.dry_run))


def _prune(call: Call) -> None:
    _tell(call, caching.prune(session_of(call), dry_run=call.args.dry_run))


def _gc(call: Call) -> None:
    _tell(call, caching.gc(session_of(call), dry_run=call.args.dry_run))


def _tell(call: Call, done: Cleared) -> None:
    for text in done.kept:
        call.console.warn(f"kept {text}")
    files = counted(sum(item.files for item in done.items), "file")
    if call.args.dry_run:
        lines = [f"would remove {item.path} ({size(item.bytes)})" for item in done.items]
        call.console.plan(done, [*lines, f"in all {files}, {size(done.bytes)}"])
    else:
        call.console.answer(done, f"removed {files}, {size(done.bytes)}")


_CACHE: dict[str, Action] = {
    "dir": ("", _dir),
    "size": ("", _size),
    "prune": ("", _prune),
    "clean": ("", _clean),
    "gc": ("", _gc),
}
