"""Looking at a bundle: what it carries, and whether all of it is as it says.

Rules (SPEC BUN-05, BUN-06): nothing is believed for being listed; who vouches for what is in it is
asked when it is installed, by its indexes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from crpack.archive.bundle import Bundle
from crpack.model.quantity import counted
from crpack.ops import opening
from crpack.ops.inquire import Checked


@dataclass(frozen=True, slots=True)
class BundleCard:
    """What a bundle says of itself; nothing of it is believed yet.

    Attributes:
        date: when it was made.
        requests: what it installs.
        platforms: where.
        size: its bytes.
        archives, wheels: identities, and file names.
        roots: fingerprints of the indexes that it has slices of.
    """

    date: str
    requests: tuple[str, ...]
    platforms: tuple[str, ...]
    size: int
    archives: tuple[str, ...]
    wheels: tuple[str, ...]
    roots: tuple[str, ...]


def bundle_card(path: str) -> BundleCard:
    """Return what a bundle carries.

    Raises:
        ArchiveError, FormatError: it is not exactly a bundle.
    """
    with opening.opened_file(path) as stream, opening.named(path):
        found = Bundle.open(stream, size=os.fstat(stream.fileno()).st_size)
        said = found.listing
        return BundleCard(
            date=said.date,
            requests=said.requests,
            platforms=said.platforms,
            size=found.size,
            archives=found.identities,
            wheels=tuple(n.rpartition("/")[2] for n in found.names if n.startswith("wheel/")),
            roots=tuple(
                dict.fromkeys(n.split("/")[1] for n in found.names if n.startswith("index/"))
            ),
        )


def verify_bundle(path: str) -> Checked:
    """Read every byte of a bundle and of the archives in it (SPEC BUN-05, BUN-06).

    Who vouches for it is asked when it is installed: by its indexes.

    Raises:
        ArchiveError, FormatError: something in it is not as it says.
    """
    with opening.opened_file(path) as stream, opening.named(path):
        found = Bundle.open(stream, size=os.fstat(stream.fileno()).st_size)
        found.read_through()
        for identity in found.identities:
            opening.recipe_of(found.archive(identity))
        summary = f"{counted(len(found.names), 'member')}, {found.size} bytes, not judged"
        return Checked(f"bundle of {', '.join(found.listing.requests)}", summary, ())
