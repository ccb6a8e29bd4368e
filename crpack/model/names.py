"""Names of components, and patterns that cover them.

Rules (SPEC NAM-01…):
- A name is `word` or `scope/word`; each half is lower-case ASCII letters, digits, `.`, `_`
  and `-`, begins and ends with a letter or digit, and has at most `MAX_NAME_LENGTH` characters.
- Names that begin with `@` are facts of a machine and are never published.
- `build` and `target` are the names of contexts and cannot be names of components.
- A pattern is a name, `scope/*`, or `*`.
"""

from __future__ import annotations

import re

from crpack.errors import UsageError
from crpack.model.limits import MAX_NAME_LENGTH

WORD = r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?"
NAME = rf"(?:{WORD}/)?{WORD}"
_NAME = re.compile(NAME, re.ASCII)
_RESERVED = frozenset({"build", "target"})


def is_name(text: str) -> bool:
    """Say whether a text is a component's name (SPEC NAM-01, NAM-03)."""
    return _NAME.fullmatch(text) is not None and text not in _RESERVED


def check_name(text: str) -> str:
    """Return the name, or refuse it.

    Raises:
        UsageError: the text is not a component's name (SPEC NAM-01).
    """
    if is_name(text):
        return text
    raise UsageError(
        f"`{text[: 2 * MAX_NAME_LENGTH]}` is not a component's name",
        hint="use lower-case letters, digits, `.`, `_` and `-`, as in `zlib` or `lab/zlib`",
        rule="NAM-01",
    )


def folder(name: str) -> str:
    """Return the name of a component's folder in a prefix: `/` becomes `@` (SPEC GEN)."""
    return name.replace("/", "@")


def from_folder(text: str) -> str:
    """Return the component's name of a folder made by `folder`."""
    return text.replace("@", "/")
