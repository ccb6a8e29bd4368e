"""Verbs with an action of their own as first word: `key new NAME`, `trust add KEYFILE`.

Rules: each action states the one word that it needs, as people call it; empty where it takes none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from crpack.errors import UsageError

if TYPE_CHECKING:
    from crpack.cli.dispatch import Call

Action = tuple[str, Callable[..., None]]


def handler(actions: dict[str, Action]) -> Callable[[Call], int]:
    """Return the handler of a verb: it hands its word to one of the actions."""

    def handle(call: Call) -> int:
        action, word = call.args.action, call.args.word
        needs, act = actions[action]
        if bool(needs) != (word is not None):
            what = f"needs {needs}" if needs else f"takes no argument `{word}`"
            hint = f"`crpack {call.verb} --help` tells more"
            raise UsageError(f"`crpack {call.verb} {action}` {what}", hint=hint)
        act(call, *([word] if needs else []))
        return 0

    return handle
