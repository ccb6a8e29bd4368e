"""Versions have one total order, that of `packaging`; ranges are sets under it."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from crpack.errors import UsageError
from crpack.model import limits, versions

NUMBERS = st.integers(0, 12)


@st.composite
def published(draw: st.DrawFn, *, local: bool = True) -> str:
    """Return a PEP 440 version in one of its spellings."""
    epoch = draw(st.sampled_from(["", "", "0!", "1!"]))
    release = ".".join(map(str, draw(st.lists(NUMBERS, min_size=1, max_size=4))))
    pre = draw(st.sampled_from(["", "", "a1", "b2", "rc1", "-RC2", ".alpha.3"]))
    post = draw(st.sampled_from(["", "", ".post0", ".post1", "-1", ".rev2"]))
    dev = draw(st.sampled_from(["", "", ".dev0", ".dev3"]))
    tail = draw(st.sampled_from(["", "", "+x", "+cu118", "+1.2"])) if local else ""
    return f"{epoch}{release}{pre}{post}{dev}{tail}"


@given(published(), published())
def test_the_order_is_that_of_packaging(one: str, two: str) -> None:
    """VER-01, VER-02."""
    first, second = versions.parse(one), versions.parse(two)
    assert (first < second) is (Version(one) < Version(two))
    assert (first == second) is (Version(one) == Version(two))
    assert (first < second) + (first == second) + (second < first) == 1


@given(published(), published(), published())
def test_the_order_is_transitive(one: str, two: str, three: str) -> None:
    """VER-02."""
    low, middle, high = sorted(versions.parse(text) for text in (one, two, three))
    assert low <= middle <= high
    assert low <= high


@given(published())
def test_the_canonical_form_is_the_same_version(text: str) -> None:
    """VER-01."""
    canonical = str(versions.parse(text))
    assert versions.parse(canonical) == versions.parse(text)
    assert str(versions.parse(canonical)) == canonical


@given(published(), published(local=False))
def test_exactly_one_of_less_equal_and_greater_admits(version: str, bound: str) -> None:
    """VER-03, where pre-releases are not in question (VER-04)."""
    assume(not versions.parse(version).is_prerelease)
    one, two = versions.parse(version), versions.parse(bound)
    assert versions.parse_range(f"<{bound}").admits(version) is (one < two)
    assert versions.parse_range(f">{bound}").admits(version) is (one > two)


@given(published(local=False), published(local=False), st.sampled_from(["==", "!=", ">=", "<="]))
def test_other_clauses_mean_what_they_mean_to_packaging(
    version: str, bound: str, operator: str
) -> None:
    """VER-03."""
    assume(not versions.parse(version).is_prerelease)
    expected = SpecifierSet(operator + bound).contains(version, prereleases=True)
    assert versions.parse_range(operator + bound).admits(version) is expected


@given(published(local=False), st.lists(NUMBERS, min_size=1, max_size=3))
def test_a_star_admits_what_begins_alike(version: str, release: list[int]) -> None:
    """VER-03."""
    parsed = versions.parse(version)
    assume(not parsed.is_prerelease)
    prefix = ".".join(map(str, release))
    padded = (*parsed.release, *[0] * len(release))[: len(release)]
    alike = parsed.epoch == 0 and padded == tuple(release)
    assert versions.parse_range(f"=={prefix}.*").admits(version) is alike
    assert versions.parse_range(f"!={prefix}.*").admits(version) is not alike


CLAUSES = st.builds(str.__add__, st.sampled_from(["==", "!=", ">=", "<=", ">", "<"]),
                    published(local=False))  # fmt: skip
LISTS = st.lists(CLAUSES, min_size=1, max_size=3).map(",".join)


@given(LISTS, LISTS, published())
def test_a_comma_is_and_and_bars_are_or(one: str, two: str, version: str) -> None:
    """VER-03, VER-04: each list judges pre-releases for itself."""
    first, second = (versions.parse_range(text).admits(version) for text in (one, two))
    assert versions.parse_range(f"{one} || {two}").admits(version) is (first or second)
    if not versions.parse(version).is_prerelease:
        assert versions.parse_range(f"{one},{two}").admits(version) is (first and second)


RANGES = st.lists(LISTS, min_size=1, max_size=2).map(" || ".join) | st.just("")


@given(RANGES, RANGES, published())
def test_a_conjunction_admits_what_both_ranges_admit(one: str, two: str, version: str) -> None:
    """DOC-04."""
    assume(not versions.parse(version).is_prerelease)
    both = versions.conjunction(one, two)
    assume(len(both) <= limits.MAX_RANGE_LENGTH)
    first, second = (versions.parse_range(text).admits(version) for text in (one, two))
    assert versions.parse_range(both).admits(version) is (first and second)


@given(published(local=False), st.lists(NUMBERS, min_size=2, max_size=4))
def test_a_compatible_clause_means_what_it_means_to_packaging(
    version: str, release: list[int]
) -> None:
    """VER-03."""
    assume(not versions.parse(version).is_prerelease)
    text = "~=" + ".".join(map(str, release))
    expected = SpecifierSet(text).contains(version, prereleases=True)
    assert versions.parse_range(text).admits(version) is expected


@given(LISTS, published())
def test_a_pre_release_needs_a_clause_that_names_one(text: str, version: str) -> None:
    """VER-04."""
    names_one = any(Version(clause.lstrip("=!<>")).is_prerelease for clause in text.split(","))
    if versions.parse(version).is_prerelease and not names_one:
        assert not versions.parse_range(text).admits(version)


@given(published())
def test_the_empty_range_admits_all(version: str) -> None:
    """VER-03."""
    assert versions.parse_range("").admits(version)


@given(st.text() | st.text("0123456789.!+*abcdevrpost-_=<>~,| ", max_size=200))
def test_any_text_is_judged(text: str) -> None:
    """VER-01, VER-03, VER-05: accepted, or refused with a sentence; nothing else happens."""
    try:
        versions.parse(text)
        assert text.isascii()
    except UsageError:
        pass
    try:
        wanted = versions.parse_range(text)
    except UsageError:
        wanted = versions.parse_range("")
    try:
        Version(text)
    except InvalidVersion:
        assert not wanted.admits(text)
