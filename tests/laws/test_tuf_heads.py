"""Whatever stands in the files of a head, the answer is a head or an error of crpack."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crpack.errors import FetchError, FormatError, TrustError
from crpack.trust import keys
from crpack.trust.roots import chain, repository, state
from tests.unit.trust.roots.owner import Owner

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FILES = ("2.root", "timestamp", "1.snapshot", "1.targets", "1.index")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)


def made() -> tuple[Owner, dict[str, bytes]]:
    with TemporaryDirectory() as folder:
        owner = Owner(Path(folder), NOW)
        owner.root()
        found = {path.stem: path.read_bytes() for path in owner.folder.rglob("*.json")}
    return owner, found


OWNER, HEAD = made()
SIGNERS = {
    "2.root": OWNER.roots,
    "timestamp": (OWNER.online,),
    "1.snapshot": (OWNER.online,),
    "1.targets": (OWNER.offline,),
    "1.index": (OWNER.index,),
}


def walk(files: dict[str, bytes]) -> state.Head | None:
    """Return the head, or None when it is refused as it should be."""

    def read(path: str, limit: int) -> bytes:
        try:
            return files[Path(path).stem][: limit + 1]
        except KeyError:
            raise FileNotFoundError(path) from None

    try:
        found = chain.walk(read, files["1.root"])
    except (TrustError, FetchError):
        return None
    state.decode(state.encode(found.head.versions))
    return found.head


GOOD = walk(HEAD)


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
@settings(max_examples=60)
def test_changed_bytes_change_nothing_or_are_refused(name: str, data: st.DataObject) -> None:
    assert GOOD is not None
    held = HEAD[name]
    start = data.draw(st.integers(0, len(held)))
    end = data.draw(st.integers(start, min(len(held), start + 4)))
    fresh = held[:start] + data.draw(st.binary(max_size=4)) + held[end:]
    assert walk(HEAD | {name: fresh}) in (GOOD, None)


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_thieves_of_all_keys_write_what_they_like_and_never_see_a_traceback(
    name: str, data: st.DataObject
) -> None:
    # TUF-01: what follows from a changed file is signed again too
    files = dict(HEAD)
    files[name] = signed(name, changed(json.loads(files[name])["signed"], data))
    if name in {"1.index", "1.targets"}:
        files["1.snapshot"] = follow(files, "1.snapshot", name)
    if name in {"1.index", "1.targets", "1.snapshot"}:
        files["timestamp"] = follow(files, "timestamp", "1.snapshot")
    walk(files)


def changed(signed: Any, data: st.DataObject) -> Any:
    """Replace, remove or add one value somewhere in a document."""
    top = place = copy.deepcopy(signed)
    while True:
        inner = list(place) if isinstance(place, dict) else range(len(place))
        if not inner:
            return top
        where = data.draw(st.sampled_from(inner))
        below = place[where]
        if isinstance(below, dict | list) and below and data.draw(st.integers(0, 3)):
            place = below
            continue
        if data.draw(st.integers(0, 3)):
            place[where] = data.draw(json_values)
        else:
            del place[where]
        return top


def signed(name: str, part: Any) -> bytes:
    text = json.dumps(part, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    message = text.encode("utf-8", "replace")
    rows = [
        {"keyid": keys.public(one).keyid, "sig": keys.sign(one, message).hex()}
        for one in SIGNERS[name]
    ]
    return json.dumps({"signatures": rows, "signed": part}).encode()


def follow(files: dict[str, bytes], name: str, stated: str) -> bytes:
    """Return the file that states another one, with that one's length and digest."""
    part = json.loads(files[name])["signed"]
    row = part["meta"][stated.partition(".")[2] + ".json"]
    row["length"] = len(files[stated])
    row["hashes"]["sha256"] = chain.fingerprint(files[stated])
    return signed(name, part)


@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_owners_see_no_traceback_either(data: bytes) -> None:
    # TUF-15
    for act in (repository.stated, repository.root_roles):
        with pytest.raises(FormatError):
            act(data)
