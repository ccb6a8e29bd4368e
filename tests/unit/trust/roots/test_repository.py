from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tuf.api.metadata import Metadata

from crpack.errors import FormatError, UsageError
from crpack.model import canonical
from crpack.trust import keys
from crpack.trust.roots import repository
from crpack.trust.roots.repository import Roles, Signers
from tests.unit.trust.roots.owner import key, signed, signers

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ROOTS = (key(1), key(2), key(3))
ONLINE = signers(key(6))
ROLES = Roles(signers(*ROOTS, threshold=2), signers(key(4)), ONLINE, ONLINE)


def files() -> dict[str, bytes]:
    root = signed(repository.root(1, NOW, ROLES), key(1), key(3))
    targets = signed(repository.targets(1, NOW, b"{}", signers(key(5))), key(4))
    index = signed(repository.index(1, NOW, b"zst"), key(5))
    snapshot = signed(repository.snapshot(1, NOW, targets, index), key(6))
    timestamp = signed(repository.timestamp(1, NOW, snapshot), key(6))
    return {
        "root": root,
        "targets": targets,
        "index": index,
        "snapshot": snapshot,
        "timestamp": timestamp,
    }


def test_another_library_writes_the_same_bytes() -> None:
    # TUF-15
    for data in files().values():
        parsed = Metadata.from_bytes(data)
        assert parsed.to_bytes() == data
        assert parsed.signed_bytes == canonical.encode(json.loads(data)["signed"])


def test_the_same_content_gives_the_same_bytes_in_any_order() -> None:
    # TUF-15
    unsigned = repository.root(1, NOW, ROLES)
    assert signed(unsigned, key(1), key(3)) == signed(unsigned, key(3), key(1), key(3))
    mixed = Roles(signers(*reversed(ROOTS), threshold=2), *[signers(key(4)), ONLINE, ONLINE])
    assert repository.root(1, NOW, mixed) == unsigned


def test_the_head_of_an_index_is_small() -> None:
    assert sum(map(len, files().values())) < 5000
    assert len(files()["timestamp"]) < 600


def test_roles_expire_after_a_year_and_a_timestamp_after_a_month() -> None:
    # TUF-06
    for role, data in files().items():
        days = 30 if role == "timestamp" else 365
        assert repository.stated(data).expires == NOW + timedelta(days=days)
        assert repository.stated(data).version == 1


def test_files_lie_where_a_client_looks_for_them() -> None:
    # TUF-01
    assert repository.path("root", 3) == "metadata/3.root.json"
    assert repository.path("timestamp", 3) == "metadata/timestamp.json"
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert repository.target_path("publishers.json", b"{}") == f"targets/{digest}.publishers.json"


def test_a_role_tells_which_signatures_it_lacks() -> None:
    # TUF-15
    unsigned = repository.root(1, NOW, ROLES)
    (none,) = repository.missing_root(unsigned, None)
    assert (none.count, none.signed, len(none.waiting)) == (2, (), 3)
    (one,) = repository.missing_root(signed(unsigned, key(2)), None)
    assert (one.count, one.signed) == (1, (keys.public(key(2)).keyid,))
    (stranger,) = repository.missing_root(signed(unsigned, key(9)), None)
    assert stranger.count == 2
    (done,) = repository.missing_root(signed(unsigned, *ROOTS), None)
    assert (done.count, len(done.signed), done.waiting) == (0, 3, ())


def test_a_new_root_waits_for_both_thresholds() -> None:
    # TUF-15, TUF-04
    old = files()["root"]
    fresh = Roles(signers(key(11), key(12), threshold=2), signers(key(4)), ONLINE, ONLINE)
    new = repository.root(2, NOW, fresh)
    counts = []
    for private in (key(11), key(1), key(12), key(2)):
        new = repository.add_signature(new, private)
        counts.append(tuple(one.count for one in repository.missing_root(new, old)))
    assert counts == [(1, 2), (1, 1), (0, 1), (0, 0)]
    with pytest.raises(FormatError):
        repository.missing_root(signed(repository.root(3, NOW, fresh), key(1)), old)


def test_the_role_index_is_signed_by_the_word_of_targets() -> None:
    # TUF-02
    made = files()
    assert repository.missing(made["index"], "index", made["targets"]).count == 0
    assert repository.missing(made["targets"], "targets", made["root"]).count == 0
    assert repository.role_signers(made["targets"], "index") == signers(key(5))
    assert repository.root_roles(made["root"]) == ROLES
    with pytest.raises(FormatError):
        repository.role_signers(made["root"], "index")
    with pytest.raises(FormatError):
        repository.role_signers(made["targets"], "snapshot")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"signatures":[],"signed":[]}',
        b'{"signatures":{},"signed":{}}',
        b'{"signatures":[{"keyid":"x","sig":""}],"signed":{}}',
        b'{"signatures":[{"keyid":"' + b"0" * 64 + b'","sig":"zz"}],"signed":{}}',
        b'{ "signatures":[],"signed":{}}',
    ],
)
def test_what_is_no_metadata_is_not_signed(data: bytes) -> None:
    # TUF-15
    with pytest.raises(FormatError):
        repository.add_signature(data, key(1))


@pytest.mark.parametrize(
    ("names", "threshold"), [((), 1), ((), 0), ((1,), 0), ((1,), 2), ((1, 1), 1), ((1, 1, 2), 3)]
)
def test_a_threshold_that_cannot_be_met_is_refused(names: tuple[int, ...], threshold: int) -> None:
    # TUF-15
    with pytest.raises(UsageError):
        Signers(tuple(keys.public(key(number)) for number in names), threshold)
