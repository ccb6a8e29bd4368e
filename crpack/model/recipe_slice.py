"""The slice of a recipe that an index lists: what choosing a version needs, and no more.

Rules (SPEC IDX-06):
- It is the recipe's document with only the tables named here, in the base and in every
  `[[when]]` block; of `[build]` it keeps the driver and whether the result fits any platform.
- A block that is left with nothing but its `match` is left out.
- It is a recipe's document itself, so what reads those reads it. Cutting it again changes nothing.
- Releases mostly differ in version, revision and plain requirements; what is left without these is
  its shape, which many of them share and which is judged and read once.
- The index states it for convenience: the archive is signed, so a client compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crpack.errors import FormatError, TrustError
from crpack.model import canonical, names, recipe_document, versions

if TYPE_CHECKING:
    from crpack.model.tables import Table

KEPT = frozenset(
    {
        *("package", "options", "requires", "python", "probe"),
        *("provides", "conflicts", "replaces"),
    }
)
_BUILD = frozenset({"driver", "platform"})
_OWN = frozenset({"name", "version", "revision"})  # what a release states beside its recipe too


@dataclass(frozen=True, slots=True)
class Parts:
    """A slice without `[[when]]` blocks in two parts.

    Attributes:
        shape: all but name, version, revision and plain requirements, as canonical JSON.
        needs: names and ranges of the plain requirements, which are well formed, by name.
    """

    shape: bytes
    needs: tuple[tuple[str, str], ...]


def cut(document: bytes) -> bytes:
    """Return the slice of a recipe's document, which has been checked (SPEC IDX-06).

    Raises:
        FormatError: the bytes are not canonical JSON.
    """
    table: Table = canonical.decode(document, what="recipe.json")
    blocks = [{"match": block["match"], **_kept(block)} for block in table.get("when", [])]
    blocks = [block for block in blocks if len(block) > 1]
    return canonical.encode({**_kept(table), **({"when": blocks} if blocks else {})})


def parts(table: Table) -> Parts | None:
    """Return the parts of a decoded slice whose package is a table; None where it has no two.

    A plain requirement is a component's name with a range.
    """
    needs = table.get("requires", {})
    if "when" in table or not isinstance(needs, dict):
        return None
    plain = {name: wanted for name, wanted in needs.items() if _is_plain(name, wanted)}
    rest = {key: value for key, value in table.items() if key != "requires"}
    rest["package"] = {key: one for key, one in table["package"].items() if key not in _OWN}
    if len(plain) < len(needs):
        rest["requires"] = {key: value for key, value in needs.items() if key not in plain}
    return Parts(canonical.again(rest), tuple(sorted(plain.items())))


def _is_plain(name: str, wanted: object) -> bool:
    return isinstance(wanted, str) and names.is_name(name) and versions.is_range(wanted)


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
