"""What indexes say: the verb `search`, and the lines of a name that `info` shows.

Rules: the index that says it and its date are told with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.cli.console import table
from crpack.cli.sessions import session_of
from crpack.model.quantity import counted, size
from crpack.ops import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser

_SHOWN = 10  # releases of a name that are listed


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `search` and return its handler."""
    return {"search": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="all must stand in name or summary; none: all names",
    )
    return _search


def _search(call: Call) -> int:
    hits = catalogue.search(session_of(call), tuple(call.args.words))
    rows = [(hit.name, hit.version, hit.kind, f"{hit.summary}{_standing(hit)}") for hit in hits]
    call.console.answer(hits, table(rows))
    if not hits:
        call.console.say("nothing was found; `crpack trust list` shows the indexes that are asked")
    return 0


def _standing(hit: catalogue.Hit) -> str:
    return f" (installed: {hit.installed})" if hit.installed else ""


def lines(card: catalogue.NameCard) -> list[str]:
    """Return what an index says of a name, as people read it."""
    newest = card.releases[0]
    found = [
        f"{card.name} {newest.version} ({card.kind}), not installed",
        f"  {card.summary}",
        f"  license   {card.license}",
        *(f"  author    {author}" for author in card.authors),
        *(f"  see       {link}" for link in (card.homepage, card.paper) if link),
        f"  index     {card.index}, as of {card.date}",
        f"  publisher {', '.join(card.publishers) or 'nobody'}",
        *(f"  needs     {text}" for text in card.requires),
        *(f"  python    {text}" for text in card.python),
        *(f"  option    {text}" for text in card.options),
    ]
    for release in card.releases[:_SHOWN]:
        made = ", ".join(release.platforms) or "made from source"
        yanked = f"; yanked: {release.yanked}" if release.yanked else ""
        what = f"{release.version}  {release.date[:10]}  {size(release.bytes)}"
        found.append(f"  release   {what}, {made}{yanked}")
    more = len(card.releases) - _SHOWN
    return [*found, *([f"  and {counted(more, 'older release')}"] if more > 0 else [])]
