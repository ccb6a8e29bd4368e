"""From an archive to what an index says of it.

Rules (SPEC IDX-06 to IDX-09, PUB-06):
- All of it is taken from the signed archive; the owner of an index adds the date, and where the
  copies are.
- An archive is listed only when the publishers of its name signed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from crpack.errors import ArchiveError
from crpack.index import blobs
from crpack.index.entries import Copy, IndexSource, Release
from crpack.model import canonical, recipe_document, recipe_slice, signatures

if TYPE_CHECKING:
    from crpack.archive.reader import Archive
    from crpack.index.publishers import Publishers


CopyKind = Literal["full", "thin"]


def signers_of(archive: Archive, publishers: Publishers) -> tuple[str, ...]:
    """Return the publishers that vouch for an archive under its own name (SPEC PUB-04, PUB-06).

    Raises:
        TrustError: nobody may publish the name, or those who may have not signed it.
    """
    found = signatures.decode(archive.signatures_bytes)
    return publishers.check(archive.manifest.name, archive.manifest_bytes, found)


def copy_of(archive: Archive, kind: CopyKind, sha256: str) -> Copy:
    """Return how an index lists a copy of an archive that it serves itself (SPEC IDX-09)."""
    return Copy(kind, blobs.archive_path(sha256), sha256, archive.size, archive.tail)


def of_archive(
    archive: Archive, copies: tuple[Copy, ...], signers: tuple[str, ...], date: str
) -> Release:
    """Return what an index says of an archive (SPEC IDX-07).

    Args:
        archive: opened, its signatures judged.
        copies: where it is, best first.
        signers: who vouches for it.
        date: UTC, when it is listed.

    Raises:
        ArchiveError: its manifest and its recipe differ.
        FormatError: it has no recipe.
    """
    said = archive.manifest
    package = recipe_document.open_json(archive.recipe_bytes).package
    if (package.name, package.version, package.revision) != (
        said.name,
        said.version,
        said.revision,
    ):
        what = f"the manifest and the recipe of `{said.name}` are those of different releases"
        raise ArchiveError(what, rule="MAN-08")
    return Release(
        version=said.version,
        revision=said.revision,
        identity=archive.identity,
        date=date,
        signers=signers,
        recipe=recipe_slice.cut(archive.recipe_bytes),
        payloads=said.payloads,
        sources=_sources(archive),
        copies=copies,
    )


def _sources(archive: Archive) -> tuple[IndexSource, ...]:
    """Return the sources of every `[[source]]`, those of `[[when]]` blocks too (SPEC IDX-07)."""
    table = canonical.decode(archive.recipe_bytes, what="recipe.json")
    rows = [row for block in [table, *table.get("when", [])] for row in block.get("source", [])]
    packed = set(archive.manifest.sources)
    found = {
        row["sha256"]: IndexSource(row["sha256"], row.get("size", 0), _web(row))
        for row in rows
        if row.get("sha256")
        and (row["kind"] in ("url", "git") or (row["kind"] == "local" and row["sha256"] in packed))
    }
    return tuple(found[sha256] for sha256 in sorted(found))


def _web(row: dict[str, list[str]]) -> tuple[str, ...]:
    """Return the web addresses of a source; others are the author's own business."""
    return tuple(url for url in row.get("urls", []) if url.startswith(("http://", "https://")))
