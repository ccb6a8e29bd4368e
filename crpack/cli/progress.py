"""Progress on standard error: a bar on a terminal, plain lines off it, NDJSON on request.

Rules: `tqdm` is imported only when a bar is really drawn; a pipe never gets carriage
returns; `-q` and `--progress off` are silent.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crpack.cli.console import emit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.cli.dispatch import Call
    from crpack.ops.progress import News, Tell

_BAR_BYTES = 8 * 2**20  # a transfer above this many bytes gets a bar


@contextmanager
def reporter(call: Call) -> Iterator[Tell]:
    """Give the function that an operation tells its news to."""
    how = call.settings.text("progress")
    if how == "json":
        yield lambda news: _as_json(call, news)
    elif how == "off" or call.console.loudness < 0:
        yield lambda _news: None
    else:
        lines = _Lines(call, bars=sys.stderr is not None and sys.stderr.isatty())
        try:
            yield lines.tell
        finally:
            lines.close()


def _as_json(call: Call, news: News) -> None:
    if news.detail and call.console.loudness <= 0:
        return
    event = {"verb": news.verb, "subject": news.subject, "done": news.done, "total": news.total}
    emit(sys.stderr, json.dumps(event))


class _Lines:
    """One line for every step; on a terminal a bar for a large transfer."""

    def __init__(self, call: Call, *, bars: bool) -> None:
        self._call = call
        self._bars = bars
        self._bar: Any = None
        self._now = ("", "")

    def tell(self, news: News) -> None:
        """Take one piece of news."""
        if news.detail:
            self._call.console.detail(news.subject)
            return
        if (news.verb, news.subject) != self._now:
            self.close()
            self._now = (news.verb, news.subject)
            self._start(news)
        if self._bar is not None:
            self._bar.update(news.done - self._bar.n)

    def _start(self, news: News) -> None:
        if self._bars and news.total >= _BAR_BYTES:
            import tqdm

            self._bar = tqdm.tqdm(
                total=news.total, desc=f"{news.verb} {news.subject}", unit="B", unit_scale=True,
                disable=None, leave=False,
            )  # fmt: skip
            return
        verb = self._call.console.paint(f"{news.verb:>10}", "green", error=True)
        self._call.console.say(f"{verb} {news.subject}")

    def close(self) -> None:
        """End the bar that is drawn, if any."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
