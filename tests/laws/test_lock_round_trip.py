"""What is written as a lock is read as the same, and back to the same bytes (LCK-02, LCK-03)."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import FormatError
from crpack.model import lock, toml
from crpack.model.lock import (
    Choice,
    Lock,
    LockedIndex,
    LockedPackage,
    LockedSource,
    LockedTarget,
    Wheel,
)

WORD = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
SHA256 = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
VERSION = st.sampled_from(["1", "1.2", "0.1rc1", "2!3.4.post1", "1.0+local"])
RANGE = st.sampled_from(["", ">=1", ">=1,<2", "~=1.4||==3.*"])
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
PAIRS = st.dictionaries(LINE, LINE, max_size=3).map(lambda table: tuple(sorted(table.items())))

SOURCES = st.builds(
    LockedSource,
    sha256=SHA256,
    size=st.integers(0, 2**53 - 1),
    urls=st.lists(LINE, max_size=3).map(tuple),
    first_use=st.booleans(),
)
PACKAGES = st.builds(
    LockedPackage,
    name=WORD,
    version=VERSION,
    revision=st.integers(0, 9),
    kind=st.sampled_from(["solution", "software", "program", "model", "dataset"]),
    identity=st.one_of(st.just(""), SHA256),
    signers=st.lists(SHA256, max_size=2).map(tuple),
    index=st.sampled_from(["", "main", "mine"]),
    options=PAIRS,
    requires=PAIRS,
    source=st.lists(SOURCES, max_size=2).map(tuple),
)
CHOICES = st.builds(
    Choice,
    name=WORD,
    origin=st.sampled_from(["binary", "source", "detected", "virtual"]),
    context=st.sampled_from(["target", "build"]),
    size=st.integers(0, 2**53 - 1),
    options=PAIRS,
    only_for=st.lists(WORD, max_size=2).map(tuple),
    payload=st.one_of(st.just(""), st.from_regex(r"[0-9a-f]{16}", fullmatch=True)),
    range=RANGE,
    tested=LINE,
    fallback=st.sampled_from(["", "binary", "source"]),
)
WHEELS = st.builds(
    lambda name, version, *rest: Wheel(name, version, f"{name}-{version}-py3-none-any.whl", *rest),
    WORD,
    VERSION,
    SHA256,
    st.integers(0, 2**53 - 1),
)


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    wheels = draw(st.lists(WHEELS, max_size=4, unique_by=lambda wheel: wheel.sha256))
    digests = [wheel.sha256 for wheel in wheels]
    targets = st.builds(
        LockedTarget,
        platform=st.sampled_from(["any", "linux-x86_64-gnu2.36", "linux-aarch64-gnu"]),
        python=LINE,
        capabilities=PAIRS,
        wheels=st.sets(st.sampled_from(digests)).map(tuple) if digests else st.just(()),
        package=st.lists(CHOICES, max_size=3, unique_by=lambda c: (c.name, c.context)).map(tuple),
    )
    key = lambda package: (package.name, package.version, package.revision)  # noqa: E731
    return Lock(
        request=tuple(draw(st.lists(LINE, max_size=3))),
        request_hash=draw(st.one_of(st.just(""), SHA256)),
        index=tuple(LockedIndex(name, draw(SHA256)) for name in ("main", "mine")),
        package=tuple(draw(st.lists(PACKAGES, max_size=4, unique_by=key))),
        target=tuple(draw(st.lists(targets, max_size=2, unique_by=lambda t: t.platform))),
        wheel=tuple(wheels),
    )


@given(locks())
def test_a_lock_reads_as_it_was_written(value: Lock) -> None:
    data = lock.encode(value)
    assert lock.decode(data) == lock.ordered(value)
    assert lock.encode(lock.decode(data)) == data


@given(locks(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_to_the_bytes(value: Lock, dice: Any) -> None:
    def mixed(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dice.sample(rows, len(rows)))

    groups = (value.index, value.package, value.target, value.wheel)
    rows = (mixed(group) for group in groups)
    assert lock.encode(Lock(value.request, value.request_hash, *rows)) == lock.encode(value)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_lock_or_a_format_error(data: bytes) -> None:
    try:
        value = lock.decode(data)
    except FormatError:
        return
    assert lock.encode(value) == data


@given(locks(), st.data())
def test_a_lock_with_one_byte_changed_is_another_lock_or_none(value: Lock, data: Any) -> None:
    good = lock.encode(value)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    try:
        read = lock.decode(bad)
    except FormatError:
        return
    assert read != lock.ordered(value)


PLAIN = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers(), st.booleans())
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
TABLES = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8), VALUES, max_size=5
)


@given(TABLES)
def test_any_table_of_plain_values_is_written_as_toml_that_means_the_same(
    table: dict[str, Any],
) -> None:
    assert tomllib.loads(toml.encode(table).decode()) == table
