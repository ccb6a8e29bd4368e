"""What a result must not say: whose machine it was, and where on it things are.

Rules (SPEC RES-05):
- Words that name somebody are told by who asks: the host's name, the user's, the home folder.
- Absolute paths, network addresses and mail addresses are known by their form.
- A text that holds such a thing is kept with a mark in its place.
Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = "[removed]"

_LEAST = 2  # characters of a word that is looked for; a single letter names nobody
# Control characters, breaks of lines, and what turns the direction of the text around it.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
_FORMS = (
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",  # mail
    r"\b\w[\w+.-]*://[^\s\"'<>]+",  # address of a page or a share
    r"(?<![\w.])~?(?:/[\w.@+~-]+){2,}/?|(?<![\w.])~/[\w./@+-]+",  # path of Unix
    r"\b[A-Za-z]:\\[^\s\"'<>]+",  # path of Windows
    r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b",  # IPv4
    r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b",  # MAC
    r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{0,4}(?![\w:])",  # IPv6
    r"(?<![\w:])[0-9A-Fa-f]{0,4}::[0-9A-Fa-f]{1,4}(?![\w:])",  # a short one
)
_FORM = re.compile("|".join(_FORMS))


def clean(text: str, words: Iterable[str], *, most: int = 300) -> str:
    """Return a text in one line without what names somebody or some place.

    Args:
        text: of any kind, hostile too.
        words: such as the host's name and the user's; case does not matter.
        most: characters kept.
    """
    text = _UNFIT.sub(" ", text[: 16 * most]).encode("utf-8", "replace").decode()
    text = _FORM.sub(MARK, text)
    for word in sorted({word for word in words if len(word) >= _LEAST}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", MARK, text, flags=re.IGNORECASE)
    return text[:most]
