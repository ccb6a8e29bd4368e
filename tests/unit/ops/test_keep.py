from __future__ import annotations

from pathlib import Path

import pytest

from crpack import config
from crpack.errors import UsageError
from crpack.ops import keep
from crpack.session import Session
from crpack.trust import keys


@pytest.fixture
def session(tmp_path: Path) -> Session:
    homes = config.homes({"CRPACK_HOME": str(tmp_path / "home")}, "/")
    return Session(config.merge([]), homes, f"{tmp_path}/prefix")


def exported(session: Session, name: str, folder: Path, *, private: bool = False) -> str:
    path = folder / f"{name}.{'pem' if private else 'pub'}"
    path.write_bytes(keep.key_export(session, name, private=private))
    return str(path)


def test_a_new_key_is_listed_with_what_may_be_shown(session: Session) -> None:
    open_card = keep.key_new(session, "ci", None)
    closed_card = keep.key_new(session, "me", b"secret")
    assert keep.key_list(session) == (open_card, closed_card)
    assert (open_card.encrypted, closed_card.encrypted) == (False, True)
    assert open_card.keyid != closed_card.keyid
    assert len(open_card.keyid) == 64


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b"])
def test_a_name_that_is_none_makes_no_key(name: str, session: Session) -> None:
    with pytest.raises(UsageError):
        keep.key_new(session, name, None)
    assert keep.key_list(session) == ()


def test_an_empty_passphrase_makes_no_key(session: Session) -> None:
    with pytest.raises(UsageError):
        keep.key_new(session, "me", b"")
    assert keep.key_list(session) == ()


def test_what_is_exported_is_public_unless_asked_otherwise(session: Session) -> None:
    keep.key_new(session, "me", b"secret")
    public = keep.key_export(session, "me", private=False)
    assert keys.public_from_pem(public).keyid == keep.key_card(session, "me").keyid
    private = keep.key_export(session, "me", private=True)
    assert keys.recognise(private) == "encrypted"


@pytest.mark.parametrize("passphrase", [None, b"secret"])
def test_an_imported_key_is_kept_as_it_is(
    passphrase: bytes | None, session: Session, tmp_path: Path
) -> None:
    keep.key_new(session, "old", passphrase)
    path = exported(session, "old", tmp_path, private=True)
    assert keep.is_encrypted(path) is (passphrase is not None)
    card = keep.key_import(session, path, "new", passphrase)
    assert card.keyid == keep.key_card(session, "old").keyid
    assert Path(card.path).read_bytes() == Path(path).read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        keep.key_import(session, path, "new", passphrase)


def test_what_is_no_private_key_is_not_imported(session: Session, tmp_path: Path) -> None:
    keep.key_new(session, "me", b"secret")
    private = exported(session, "me", tmp_path, private=True)
    public = exported(session, "me", tmp_path)
    (tmp_path / "junk").write_bytes(b"\xff" * 100)
    for path, passphrase in (
        (private, b"other"), (private, None), (public, None), (str(tmp_path / "junk"), None),
        (str(tmp_path / "no"), None), (str(tmp_path), None),
    ):  # fmt: skip
        with pytest.raises(UsageError):
            keep.key_import(session, path, "new", passphrase)
    assert [card.name for card in keep.key_list(session)] == ["me"]


def test_a_key_is_trusted_for_the_names_that_are_told(session: Session, tmp_path: Path) -> None:
    card = keep.key_new(session, "me", None)
    path = exported(session, "me", tmp_path)
    pinned = keep.trust_add(session, path, ("lab/*",), "")
    assert (pinned.keyid, pinned.names, pinned.label) == (card.keyid, ("lab/*",), "me")
    again = keep.trust_add(session, path, ("lab/*", "zlib"), "Alice")
    assert keep.trust_list(session) == (again,)
    assert set(again.names) >= {"lab/*", "zlib"}


def test_a_key_may_lie_behind_a_link(session: Session, tmp_path: Path) -> None:
    keep.key_new(session, "me", None)
    path = exported(session, "me", tmp_path)
    (tmp_path / "alice.pub").symlink_to(path)
    assert keep.trust_add(session, str(tmp_path / "alice.pub"), ("*",), "").label == "alice"


@pytest.mark.parametrize("pattern", ["", "Lab/*", "lab*", "*/x", "@cpu", "a/b/*"])
def test_a_pattern_that_is_none_pins_nothing(
    pattern: str, session: Session, tmp_path: Path
) -> None:
    keep.key_new(session, "me", None)
    path = exported(session, "me", tmp_path)
    with pytest.raises(UsageError):
        keep.trust_add(session, path, (pattern,), "")
    assert keep.trust_list(session) == ()


def test_trust_ends_by_the_id_or_its_beginning(session: Session, tmp_path: Path) -> None:
    card = keep.key_new(session, "me", None)
    path = exported(session, "me", tmp_path)
    for text in (card.keyid, card.keyid[:8]):
        keep.trust_add(session, path, ("*",), "")
        assert keep.trust_remove(session, text).keyid == card.keyid
        assert keep.trust_list(session) == ()
    with pytest.raises(UsageError):
        keep.trust_remove(session, card.keyid)


def test_a_private_key_is_never_pinned(session: Session, tmp_path: Path) -> None:
    keep.key_new(session, "me", None)
    path = exported(session, "me", tmp_path, private=True)
    with pytest.raises(UsageError):
        keep.trust_add(session, path, ("*",), "")
