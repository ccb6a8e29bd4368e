from __future__ import annotations

import os
from pathlib import Path

import pytest

from crpack import config
from crpack.config import Layer
from crpack.errors import FormatError, UsageError
from crpack.session import Session
from crpack.trust import keys, pins


@pytest.fixture
def session(tmp_path: Path) -> Session:
    homes = config.homes({"CRPACK_HOME": str(tmp_path / "home")}, "/")
    return Session(config.merge([]), homes, f"{tmp_path}/prefix")


def saved(session: Session, name: str, passphrase: bytes | None = None) -> keys.PrivateKey:
    private = keys.generate()
    pem = keys.public_pem(keys.public(private))
    session.save_key(name, keys.to_pem(private, passphrase), pem)
    return private


def refusal(session: Session, name: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        session.private_bytes(name)
    return caught.value


def test_nothing_is_made_before_it_is_needed(session: Session, tmp_path: Path) -> None:
    assert session.pins() == ()
    assert session.key_names() == ()
    assert not (tmp_path / "home").exists()


def test_a_key_is_kept_with_its_public_half(session: Session) -> None:
    private = saved(session, "me")
    assert session.key_names() == ("me",)
    assert session.private_key("me", None) == private
    assert session.public_key("me") == keys.public(private)
    assert session.is_encrypted("me") is False


def test_a_private_key_is_for_its_owner_only(session: Session) -> None:
    saved(session, "me")
    assert os.stat(session.key_path("me")).st_mode & 0o777 == 0o600


def test_a_passphrase_protects_the_private_half_only(session: Session) -> None:
    private = saved(session, "me", b"secret")
    assert session.is_encrypted("me") is True
    assert session.public_key("me") == keys.public(private)
    assert session.private_key("me", b"secret") == private
    for wrong in (b"other", None):
        with pytest.raises(UsageError):
            session.private_key("me", wrong)


def test_a_private_key_is_never_overwritten(session: Session) -> None:
    saved(session, "me")
    before = Path(session.key_path("me")).read_bytes()
    with pytest.raises(UsageError, match="a key named `me` is there already"):
        saved(session, "me")
    assert Path(session.key_path("me")).read_bytes() == before


def test_a_missing_key_is_told_with_those_that_are_there(session: Session) -> None:
    assert refusal(session, "me").why == ("no key has been made yet",)
    saved(session, "b")
    saved(session, "a")
    error = refusal(session, "me")
    assert error.what == "there is no key named `me`"
    assert error.why == ("known are `a`, `b`",)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a b", "a\0", "a\n", "~", "-", "*"])
def test_a_name_of_a_key_leads_nowhere_else(session: Session, name: str) -> None:
    with pytest.raises(UsageError, match="is not a key's name"):
        session.key_path(name)


def test_other_files_beside_the_keys_are_no_keys(session: Session, tmp_path: Path) -> None:
    saved(session, "me")
    folder = tmp_path / "home/config/keys"
    for name in ("my key.pem", "..pem", "x.pub", "notes.txt", ".pem"):
        (folder / name).write_text("x")
    assert session.key_names() == ("me",)


def test_a_file_where_the_folder_of_keys_should_be_holds_none(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / "home/config").mkdir(parents=True)
    (tmp_path / "home/config/keys").write_text("")
    assert session.key_names() == ()


def test_pins_are_kept_as_they_were_given(session: Session, tmp_path: Path) -> None:
    pin = pins.Pin(keys.public(keys.generate()), ("lab/*",), "me")
    session.save_pins((pin,))
    assert session.pins() == (pin,)
    assert os.stat(tmp_path / "home/config/trust.json").st_mode & 0o777 == 0o600
    session.save_pins(())
    assert session.pins() == ()


def test_damaged_pins_are_no_pins_and_are_told(session: Session, tmp_path: Path) -> None:
    session.save_pins(())
    (tmp_path / "home/config/trust.json").write_text('{"pins":"all"}')
    with pytest.raises(FormatError):
        session.pins()


def test_as_many_jobs_as_the_setting_says_or_one_for_each_core(session: Session) -> None:
    assert session.jobs == os.cpu_count()
    settings = config.merge([Layer("x", (("jobs", "3"),))])
    assert Session(settings, session.homes, session.prefix).jobs == 3


def test_caches_and_logs_lie_in_their_folders(session: Session) -> None:
    """CFG-03."""
    assert session.cached("detect.json") == f"{session.homes.cache}/detect.json"
    assert session.logs == f"{session.homes.state}/logs"
