from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING

import pytest

from crpack.cli import secrets
from crpack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

NOWHERE = "a passphrase is needed and there is no terminal to ask on"


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(secrets.VARIABLE, raising=False)


def answers(monkeypatch: pytest.MonkeyPatch, *lines: str | None) -> list[str]:
    """Answer on a terminal; None ends the input. Returns the prompts that were shown."""
    prompts: list[str] = []
    given: Iterator[str | None] = iter(lines)

    def ask(prompt: str, _stream: object) -> str:
        prompts.append(prompt)
        line = next(given)
        if line is None:
            raise EOFError
        return line

    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", ask)
    return prompts


def pipe(data: bytes) -> int:
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    return read


@pytest.mark.parametrize(
    ("data", "passphrase"),
    [
        (b"secret", b"secret"),
        (b"secret\n", b"secret"),
        (b"secret\r\nmore\n", b"secret"),
        (b" with blanks ", b" with blanks "),
        (b"\xff\xfe\n", b"\xff\xfe"),
        (b"", b""),
        (b"\n", b""),
    ],
)
def test_a_passphrase_is_read_up_to_the_end_of_the_line(data: bytes, passphrase: bytes) -> None:
    fd = pipe(data)
    assert secrets.passphrase("x", fd=fd) == passphrase
    os.close(fd)


def test_a_passphrase_may_come_in_pieces() -> None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        for piece in (b"sec", b"ret", b"\n"):
            os.write(write, piece)
        os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    assert secrets.passphrase("x", fd=read) == b"secret"
    os.close(read)


@pytest.mark.parametrize("fd", [-1, 987_654, 2**31, 2**80])
def test_a_descriptor_that_is_not_open_is_told(fd: int) -> None:
    with pytest.raises(UsageError) as caught:
        secrets.passphrase("x", fd=fd)
    assert caught.value.what == f"file descriptor {fd} cannot be read"


@pytest.mark.parametrize(("value", "passphrase"), [("secret", b"secret"), ("é", "é".encode()),
                                                   ("\udcff", b"\xff")])  # fmt: skip
def test_the_environment_may_give_it(
    value: str, passphrase: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(secrets.VARIABLE, value)
    assert secrets.passphrase("x", fd=None) == passphrase


def test_a_descriptor_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(secrets.VARIABLE, "variable")
    fd = pipe(b"descriptor")
    assert secrets.passphrase("x", fd=fd) == b"descriptor"
    os.close(fd)


@pytest.mark.parametrize("stream", ["stdin", "stderr"])
@pytest.mark.parametrize("closed", [True, False])
def test_nothing_is_asked_without_a_terminal(
    stream: str, *, closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLI-04."""
    prompts = answers(monkeypatch, "secret")
    if closed:
        monkeypatch.setattr(sys, stream, None)
    else:
        monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: False)
    with pytest.raises(UsageError) as caught:
        secrets.passphrase("x", fd=None)
    assert caught.value.what == NOWHERE
    assert "--no-passphrase" not in caught.value.hint
    assert prompts == []


def test_without_a_terminal_a_new_key_may_go_without_a_passphrase() -> None:
    """CLI-04: the hint says how."""
    with pytest.raises(UsageError) as caught:
        secrets.passphrase("x", fd=None, new=True)
    assert caught.value.hint.endswith("or use `--no-passphrase`")


def test_on_a_terminal_it_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = answers(monkeypatch, "secret")
    assert secrets.passphrase("Passphrase of `me`", fd=None) == b"secret"
    assert prompts == ["Passphrase of `me`: "]


def test_a_new_one_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = answers(monkeypatch, "secret", "secret")
    assert secrets.passphrase("New", fd=None, new=True) == b"secret"
    assert prompts == ["New: ", "Once more: "]
    answers(monkeypatch, "secret", "other")
    with pytest.raises(UsageError, match="the two passphrases differ"):
        secrets.passphrase("New", fd=None, new=True)


def test_the_end_of_the_input_is_no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, None)
    with pytest.raises(UsageError, match="no passphrase was given"):
        secrets.passphrase("x", fd=None)
