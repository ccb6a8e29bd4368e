from __future__ import annotations

from pathlib import Path

import pytest

from crpack.errors import TrustError
from crpack.index import bootstrap, client, places
from crpack.ops import examine, indexes
from tests.house.source import ROOT

FOLDER = ROOT / "index"
SHIPPED = {"root_sha256": bootstrap.ROOT_SHA256, "snapshot_sha256": bootstrap.SNAPSHOT_SHA256}


def test_the_index_that_comes_with_crpack_is_whole() -> None:
    """IDX-15: opened by its digests, whatever the clock says."""
    index = client.open_embedded("crpack", places.read_folder(str(FOLDER)), **SHIPPED)
    audit = examine.check(index, lambda path: (FOLDER / path).open("rb"))
    assert audit.faults == ()
    assert audit.archives >= audit.releases >= audit.names > 0


def test_every_recipe_is_listed_in_it() -> None:
    """IDX-15: `make index-check` compares the bytes."""
    (index,) = indexes.embedded()
    names = {path.parent.name for path in Path(ROOT / "recipes").glob("*/*/crpack.toml")}
    assert {card.name for card in index.search(())} == names


def test_another_index_in_its_place_is_refused() -> None:
    """TUF-10."""
    read = places.read_folder(str(FOLDER))
    for key in SHIPPED:
        with pytest.raises(TrustError):
            client.open_embedded("crpack", read, **{**SHIPPED, key: "0" * 64})
