"""Stock: the sources of drafts as files in one folder, each got once and only when asked for.

Rules (SPEC RCP-07): what stands in the author's folder is packed at once, since its digest belongs
to the recipe; what the recipe states completely is fetched when a build or a full copy needs it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.install import listing
from crpack.make.plan import SourceItem
from crpack.model import recipe_document
from crpack.ops import sources
from crpack.ops.making import Material

if TYPE_CHECKING:
    from crpack.model.recipe import Source
    from crpack.ops.drafts import Draft
    from crpack.ops.progress import Tell
    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class Stocked:
    """The sources of one draft, in order, and its document with their digests.

    The path of a source that was not fetched is empty.
    """

    materials: tuple[Material, ...]
    document: bytes


class Stock:
    """Gets sources, from any thread."""

    def __init__(self, session: Session, folder: str, tell: Tell) -> None:
        self._session = session
        self._folder = folder
        self._tell = tell
        self._files: dict[tuple[str, int], Material] = {}
        self._turn = threading.Lock()

    def of(self, draft: Draft, *, fetched: bool) -> Stocked:
        """Return the sources of a draft (SPEC RCP-07).

        Args:
            draft: the component.
            fetched: all of them as files; else what is stated may not be one yet.

        Raises:
            FetchError, BuildFailed: a source cannot be had, or is another.
            UsageError: a local one is not there.
        """
        found = []
        digests: dict[int, tuple[str, int]] = {}
        for index, source in enumerate(draft.recipe.source):
            with self._turn:
                there = self._files.get((draft.name, index))
                if there is None and (fetched or not source.stated):
                    there = self._get(draft, index, source)
            stated = Material(SourceItem(source, source.sha256, source.size), "")
            found.append(there or stated)
            if source.kind != "url" and there is not None:
                digests[index] = there.item.sha256, there.item.size
        return Stocked(tuple(found), recipe_document.with_digests(draft.document, digests))

    def _get(self, draft: Draft, index: int, source: Source) -> Material:
        path = f"{self._folder}/{draft.name.replace('/', '@')}-{index}.source"
        sources.get(
            self._session, source, path, folder=draft.folder, owner=draft.name, tell=self._tell
        )
        made = Material(SourceItem(source, *listing.sha256(path)), path)
        self._files[draft.name, index] = made
        return made
