from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crpack import config
from crpack.archive.reader import Archive
from crpack.model import recipe_document
from crpack.ops import drafts, packing, payloads, units
from crpack.ops.makings import Makings
from crpack.ops.packing import Bench, Packed
from crpack.ops.progress import silent
from crpack.ops.stock import Stock
from crpack.session import Session
from tests.flow.tool import lend
from tests.unit.model.written_recipes import HEAD, document

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.model.recipe import Recipe

pytestmark = pytest.mark.usefixtures("detected")

LOCAL = "[[source]]\nkind = 'local'\npath = 'src'\n"
INLINE = "[[source]]\nkind = 'inline'\npath = 'x'\ntext = 'y'\n"
URL = f"[[source]]\nkind = 'url'\nurls = ['https://example.org/x']\nsha256 = '{'a' * 64}'\n"
OPTION = "[options.o]\ntype = 'bool'\ndefault = true\n"


def recipe(text: str) -> Recipe:
    return recipe_document.open_json(document(HEAD + text))


@pytest.mark.parametrize(
    ("text", "everywhere"),
    [
        ("", False),
        ("[build]\ndriver = 'make'", False),
        ("[build]\ndriver = 'make'\nplatform = 'any'", True),
        ("[build]\ndriver = 'script'\nplatform = 'any'", True),
        ("[build]\ndriver = 'copy'", True),
        ("[build]\ndriver = 'headers'", True),
    ],
)
def test_some_results_are_the_same_on_every_platform(text: str, *, everywhere: bool) -> None:
    """RCP-04."""
    assert units.is_any(recipe(text)) is everywhere


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("[build]\ndriver = 'copy'\n" + LOCAL + INLINE, True),
        ("[build]\ndriver = 'headers'\n" + LOCAL, True),
        ("[build]\ndriver = 'copy'\n" + LOCAL + OPTION + "scope = 'run'", True),
        ("[build]\ndriver = 'copy'\n" + LOCAL + OPTION, False),
        ("[build]\ndriver = 'copy'\n" + LOCAL + URL, False),
        ("[build]\ndriver = 'make'\nplatform = 'any'\n" + LOCAL, False),
        (LOCAL, False),
    ],
)
def test_what_is_only_copied_travels_as_its_payload(text: str, *, bare: bool) -> None:
    """RCP-08."""
    assert packing._is_its_payload(recipe(text)) is bare


def packed(folder: Path, text: str, *, full: bool = True) -> Packed:
    """Pack a component with a folder `src`, and what it carries without being asked."""
    component = folder / "component"
    (component / "src").mkdir(parents=True, exist_ok=True)
    (component / "crpack.toml").write_text(HEAD + text)
    (component / "src/a.txt").write_text("a")
    lend(folder / "home/cache")
    homes = config.homes({"CRPACK_HOME": str(folder / "home")}, "/")
    session = Session(config.merge([]), homes, f"{folder}/prefix")
    draft = drafts.read(str(component))
    batch = payloads.plan(session, (draft,), (draft,), (), fetched=False)
    bench = Bench(session, (), f"{folder}/bench-{full}", 1, silent)
    stock = Stock(session, f"{folder}/bench-{full}", silent)
    with Makings(session, stock, silent, reuse=True) as makings:
        makings.make(batch.makings, frozenset(batch.linked), batch.facts)
        results = tuple((one, makings.of(one.unit)) for one in batch.wanted)
        return bench.pack(draft, stock.of(draft, fetched=False), results, full=full)


def names(made: Packed) -> list[str]:
    with open(made.path, "rb") as stream:
        archive = Archive.open(stream, size=made.size)
        return [name.partition("/")[0] for name in archive.names]


def test_a_component_that_is_copied_carries_its_payload_and_no_source(tmp_path: Path) -> None:
    """RCP-08."""
    made = packed(tmp_path, "[build]\ndriver = 'copy'\n" + LOCAL)
    assert names(made) == ["payload", "recipe.json", "toc", "manifest.json", "signatures.json"]
    assert [payload.platform for payload in made.manifest.payloads] == ["any"]
    assert made.manifest.sources == ()


def test_a_component_that_is_made_carries_its_sources(tmp_path: Path) -> None:
    """RCP-07: named by their digests, which its recipe tells too."""
    made = packed(tmp_path, "[build]\ndriver = 'make'\n" + LOCAL + INLINE)
    assert names(made) == ["source", "source", "recipe.json", "manifest.json", "signatures.json"]
    with open(made.path, "rb") as stream:
        archive = Archive.open(stream, size=made.size)
        told = recipe_document.open_json(archive.recipe_bytes).source
        for source in told:
            assert len(archive.read(f"source/{source.sha256}")) == source.size
    assert made.manifest.sources == tuple(sorted(source.sha256 for source in told))


def test_a_thin_copy_lacks_what_is_bulky_and_has_one_identity_with_the_full_one(
    tmp_path: Path,
) -> None:
    for text in ("[build]\ndriver = 'copy'\n" + LOCAL, "[build]\ndriver = 'make'\n" + LOCAL):
        full, thin = (packed(tmp_path / text[17:21], text, full=full) for full in (True, False))
        assert full.identity == thin.identity
        assert full.manifest == thin.manifest
        assert set(names(full)) - set(names(thin)) == {"payload" if "copy" in text else "source"}
