from __future__ import annotations

import pytest

from crpack.model.privacy import MARK, clean

WORDS = ("ann", "anns-laptop", "/home/ann", "x")


@pytest.mark.parametrize(
    "text",
    [
        "file of Ann here",
        "host anns-laptop: busy",
        "host ANNS-LAPTOP.local",
        "no file /home/ann/images/1.png",
        "no file /etc/passwd",
        "see ~/images/1.png",
        r"see C:\Users\ann\x.png",
        "mail ann@example.org",
        "at https://user:pw@example.org/x?y=z",
        "from 192.168.1.17:80",
        "from fe80::1ff:fe23:4567:890a",
        "from ::1",
        "card 00:1b:63:84:45:e6",
    ],
)
def test_who_and_where_is_taken_out(text: str) -> None:
    """RES-05."""
    found = clean(text, WORDS)
    assert MARK in found
    for word in ("ann", "/home", "/etc", "example", "192.168", "fe80", "63:84", "::1", "pw"):
        assert word not in found.lower().replace(MARK, "")


@pytest.mark.parametrize(
    "text",
    [
        "native 1.2.3",
        "Intel(R) Xeon(R) CPU @ 2.20GHz",
        "score = 0.5 (reference 0.51 ± 0.01, higher is better)",
        "an annotated planned scanner",
        "12:30:05",
        "images/s and 1/s",
        "lab/shapes-dataset",
        "linux-x86_64-gnu2.36",
        "min_duration 10 s not met",
    ],
)
def test_ordinary_texts_stay(text: str) -> None:
    assert clean(text, WORDS) == text


def test_a_text_becomes_one_short_line() -> None:
    """RES-05: whatever it holds."""
    assert clean("a\r\nb\x1b[31m\u2028c\ud800", ()) == "a b [31m c?"
    assert len(clean("y" * 10**6, WORDS)) == 300
    assert clean("/a/b " * 10**5, WORDS).count(MARK) < 100
