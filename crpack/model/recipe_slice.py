"""The slice of a recipe that an index lists: what choosing a version needs, and no more.

Rules (SPEC IDX-06):
- It is the recipe's document with only the tables named here, in the base and in every
  `[[when]]` block; of `[build]` it keeps the driver and whether the result fits any platform.
- A block that is left with nothing but its `match` is left out.
- It is a recipe's document itself, so what reads those reads it. Cutting it again changes nothing.
- The index states it for convenience: the archive is signed, so a client compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crpack.errors import FormatError, TrustError
from crpack.model import canonical, recipe_document

if TYPE_CHECKING:
    from crpack.model.tables import Table

KEPT = frozenset(
    {
        *("package", "options", "requires", "python", "probe"),
        *("provides", "conflicts", "replaces"),
    }
)
_BUILD = frozenset({"driver", "platform"})


def cut(document: bytes) -> bytes:
    """Return the slice of a recipe's document, which has been checked (SPEC IDX-06).

    Raises:
        FormatError: the bytes are not canonical JSON.
    """
    table: Table = canonical.decode(document, what="recipe.json")
    blocks = [{"match": block["match"], **_kept(block)} for block in table.get("when", [])]
    blocks = [block for block in blocks if len(block) > 1]
    return canonical.encode({**_kept(table), **({"when": blocks} if blocks else {})})


def check_form(data: bytes, *, what: str) -> None:
    """Refuse what is no slice of a recipe (SPEC IDX-06).

    Raises:
        FormatError: it is no recipe's document, or more than a slice of one.
    """
    recipe_document.open_json(data, what=what)
    if cut(data) != data:
        raise FormatError(f"{what} holds more than a slice of a recipe", rule="IDX-06")


def check(document: bytes, listed: bytes, *, name: str) -> None:
    """See that an archive's recipe is the one that an index chose by (SPEC IDX-06).

    Args:
        document: `recipe.json` of the archive.
        listed: the slice that the index states.
        name: the component, for the message.

    Raises:
        TrustError: they differ.
    """
    if cut(document) != listed:
        raise TrustError(
            f"the recipe of `{name}` is not the one that the index lists",
            why=["the archive is what its publisher signed; the index says something else of it"],
            hint="tell the owner of the index; until then install the archive file itself",
            rule="IDX-06",
        )


def _kept(table: Table) -> dict[str, Any]:
    kept = {key: value for key, value in table.items() if key in KEPT}
    if "build" in table:
        kept["build"] = {key: value for key, value in table["build"].items() if key in _BUILD}
    return kept
