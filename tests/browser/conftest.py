"""A browser for the tests of the page: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from crpack.cli import dispatch
from tests.tools.sample_results import hostile, invalid, sample, store, store_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Make = Callable[..., Path]

_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--no-first-run", "--disable-quic"),
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser; skipped with the reason where it is not there.

    Not longer than a module: while it is open, an event loop runs in this thread.
    """
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("the program `chromium` is not installed")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_FLAGS])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 36 valid results, two that are INVALID, one full of markup, and the official."""
    folder = tmp_path_factory.mktemp("site")
    store(folder / "r", *[sample(place) for place in range(36)], hostile())
    store(folder / "r", *[invalid(sample(place)) for place in (40, 41)])
    store_lock(folder / "r")
    old = os.environ.get("CRPACK_HOME")
    os.environ["CRPACK_HOME"] = str(folder / "home")
    try:
        words = ["dashboard", str(folder / "r"), "--out", str(folder / "page"), "-q"]
        assert dispatch.run(words) == 0
    finally:
        os.environ.pop("CRPACK_HOME")
        os.environ |= {"CRPACK_HOME": old} if old is not None else {}
    return folder / "page"


class Page:
    """One open page; what its console said and asked for is kept."""

    def __init__(self, tab: Any, site: Path) -> None:
        self.tab = tab
        self.site = site
        self.said: list[str] = []
        self.asked: list[str] = []
        tab.on("console", lambda message: self.said.append(message.text))
        tab.on("pageerror", lambda error: self.said.append(str(error)))
        tab.on("request", lambda request: self.asked.append(request.url))

    def open(self, fragment: str = "") -> Page:
        """Open the page from its file, in a state."""
        self.tab.goto("about:blank")
        self.tab.goto(f"file://{self.site}/index.html{fragment}")
        return self

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all elements that a selector finds."""
        found: list[str] = self.tab.locator(selector).all_inner_texts()
        return found

    def text(self, selector: str) -> str:
        """Return the text of one element."""
        return str(self.tab.locator(selector).inner_text())

    @property
    def fragment(self) -> str:
        """The fragment of the address."""
        return str(self.tab.evaluate("location.hash"))

    def js(self, expression: str) -> Any:
        """Return the value of an expression."""
        return self.tab.evaluate(expression)


@pytest.fixture
def page(chromium: Any, site: Path) -> Iterator[Page]:
    """The page, wide and light; at its end its console must have been silent."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    one = Page(context.new_page(), site)
    yield one
    said = one.said
    context.close()
    assert said == []
