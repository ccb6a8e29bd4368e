from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from crpack.cli import work
from crpack.errors import UsageError
from crpack.model.limits import MAX_JSON_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Path]:
    """Give a file that stands in the place of standard input."""
    path = tmp_path / "input"
    path.touch()
    kept, given = os.dup(0), os.open(path, os.O_RDONLY)
    os.dup2(given, 0)
    yield path
    os.dup2(kept, 0)
    os.close(kept)
    os.close(given)


def refusal(source: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        work._document(source)
    return caught.value


def test_without_a_source_the_input_is_an_empty_object() -> None:
    """ACT-02."""
    assert work._document(None) == "{}"


@pytest.mark.parametrize(
    ("data", "text"),
    [(b'{"a":1}', '{"a":1}'), (b'\xef\xbb\xbf{"a":1}', '{"a":1}'), ('"é世"'.encode(), '"é世"')],
)
def test_json_is_utf_8_whatever_the_terminal_speaks(data: bytes, text: str, feed: Path) -> None:
    """ACT-02: from a file and from standard input alike."""
    feed.write_bytes(data)
    assert work._document(str(feed)) == text
    assert work._document("-") == text


def test_what_cannot_be_read_whole_is_refused(feed: Path, tmp_path: Path) -> None:
    """ACT-02: an input is never judged by its beginning alone."""
    feed.write_bytes(b" " * (MAX_JSON_BYTES + 1))
    assert refusal("-").what == f"the input `-` is longer than {MAX_JSON_BYTES} bytes"
    assert refusal(str(feed)).what.endswith(f"is longer than {MAX_JSON_BYTES} bytes")
    feed.write_bytes(b'"\xff"')
    assert refusal(str(feed)).what == f"the input `{feed}` is not UTF-8"
    missing = f"{tmp_path}/missing"
    error = refusal(missing)
    assert (error.what, error.why) == (
        f"the input `{missing}` cannot be read",
        ("No such file or directory",),
    )
    assert refusal(str(tmp_path)).why == ("Is a directory",)


@pytest.mark.parametrize(
    ("text", "pair"),
    [("a=b", ("a", "b")), ("a=", ("a", "")), ("a=b=c", ("a", "b=c")), ("a= b ", ("a", " b "))],
)
def test_a_setting_is_a_key_and_all_behind_the_first_equals(
    text: str, pair: tuple[str, str]
) -> None:
    """PRM-02."""
    assert work._pair(text) == pair


@pytest.mark.parametrize("text", ["", "a", "=", "=b"])
def test_what_sets_nothing_is_refused(text: str) -> None:
    """CLI-03."""
    with pytest.raises(UsageError, match="sets nothing"):
        work._pair(text)
