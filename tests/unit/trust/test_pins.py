from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import FormatError, UsageError
from crpack.model import canonical
from crpack.model.limits import MAX_LABEL_LENGTH
from crpack.model.signatures import to_base64
from crpack.trust import keys, pins
from crpack.trust.pins import Pin

KEYS = [keys.public(keys.PrivateKey(bytes([number]) * 32)) for number in range(1, 9)]
PATTERNS = ["zlib", "lab/zlib", "lab/*", "*", "a.b_c-d/e"]


def entry(**fields: object) -> dict[str, object]:
    key = KEYS[0]
    plain = {"key": to_base64(key.raw), "keyid": key.keyid, "label": "", "names": ["*"]}
    return plain | fields


def document(*rows: object, **fields: object) -> bytes:
    return canonical.encode({"format": 1, "critical": [], "pins": list(rows)} | fields)


@pytest.mark.parametrize(
    ("pattern", "covered", "not_covered"),
    [
        ("zlib", ["zlib"], ["zlib2", "lab/zlib", "zli", "ZLIB"]),
        ("lab/zlib", ["lab/zlib"], ["zlib", "lab/zlib2", "lab"]),
        ("lab/*", ["lab/zlib", "lab/x"], ["lab", "lab/", "labs/x", "lab/x/y", "x", "lab/../x"]),
        ("*", ["zlib", "lab/zlib"], ["", "@glibc", "build", "a/b/c", "x\n"]),
    ],
)
def test_a_pattern_covers_its_names_and_no_others(
    pattern: str, covered: list[str], not_covered: list[str]
) -> None:
    # PIN-01, PIN-02
    pin = Pin(KEYS[0], (pattern,))
    assert [name for name in covered + not_covered if pin.covers(name)] == covered


@pytest.mark.parametrize("pattern", PATTERNS)
def test_names_scopes_and_the_star_are_patterns(pattern: str) -> None:
    assert pins.check_pattern(pattern) == pattern


@pytest.mark.parametrize(
    "pattern",
    ["", "**", "*/*", "*/x", "lab/", "lab/x*", "lab*", "la?", "[a]", "lab/*/x", "Lab/*", "lab/*\n"],
)
def test_nothing_else_is_a_pattern(pattern: str) -> None:
    with pytest.raises(UsageError) as error:
        pins.check_pattern(pattern)
    assert error.value.rule == "PIN-02"
    assert error.value.hint


def test_a_pin_names_something() -> None:
    with pytest.raises(UsageError) as error:
        Pin(KEYS[0], ())
    assert error.value.rule == "PIN-01"


def test_the_names_of_a_pin_are_sorted_and_distinct() -> None:
    assert Pin(KEYS[0], ("b", "a", "b")).names == ("a", "b")


@pytest.mark.parametrize("label", ["x" * (MAX_LABEL_LENGTH + 1), "a\nb", "\x1b[31mred", "a\u202eb"])
def test_a_label_cannot_move_the_cursor(label: str) -> None:
    with pytest.raises(UsageError) as error:
        Pin(KEYS[0], ("*",), label)
    assert error.value.rule == "PIN-07"


@given(
    st.dictionaries(
        st.sampled_from(KEYS),
        st.tuples(
            st.lists(st.sampled_from(PATTERNS), min_size=1).map(tuple),
            st.text(st.characters(categories=["L", "N", "P"]), max_size=MAX_LABEL_LENGTH),
        ),
    )
)
def test_what_is_written_is_read(rows: dict[keys.PublicKey, tuple[tuple[str, ...], str]]) -> None:
    values = [Pin(key, names, label) for key, (names, label) in rows.items()]
    assert set(pins.decode(pins.encode(values))) == set(values)
    assert pins.encode(pins.decode(pins.encode(values))) == pins.encode(reversed(values))


def test_the_file_is_canonical() -> None:
    # PIN-03
    key = KEYS[0]
    assert pins.encode([Pin(key, ("lab/*", "a"), "me")]) == (
        b'{"critical":[],"format":1,"pins":[{"key":"%b","keyid":"%b","label":"me",'
        b'"names":["a","lab/*"]}]}' % (to_base64(key.raw).encode(), key.keyid.encode())
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        document(format=2),
        canonical.encode({"format": 1, "critical": []}),
        document("text"),
        document({}),
        document(entry(key="AAAA")),
        document(entry(key=1)),
        document(entry(names=[])),
        document(entry(names="*")),
        document(entry(names=[1])),
        document(entry(names=["b", "a"])),
        document(entry(names=["a", "a"])),
        document(entry(names=["a*"])),
        document(entry(label=None)),
        document(entry(label="\n")),
        document(entry(), entry()),
        document(entry(key=to_base64(b"\1" + bytes(31)))),
        document(entry(), critical=["quorum"]),
    ],
)
def test_another_shape_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        pins.decode(data)


def test_a_key_id_of_another_key_is_refused() -> None:
    with pytest.raises(FormatError) as error:
        pins.decode(document(entry(keyid=KEYS[1].keyid)))
    assert error.value.rule == "PIN-04"


def test_one_key_is_not_written_twice() -> None:
    with pytest.raises(FormatError):
        pins.encode([Pin(KEYS[0], ("a",)), Pin(KEYS[0], ("b",))])


def test_pinning_again_adds_names_and_keeps_the_label() -> None:
    # PIN-05
    first = pins.add((), Pin(KEYS[0], ("a",), "me"))
    second = pins.add(first, Pin(KEYS[0], ("lab/*",)))
    assert second == (Pin(KEYS[0], ("a", "lab/*"), "me"),)
    assert pins.add(second, Pin(KEYS[0], ("a",), "you"))[0].label == "you"


def test_pins_stay_sorted() -> None:
    values: tuple[Pin, ...] = ()
    for key in KEYS:
        values = pins.add(values, Pin(key, ("*",)))
    assert [pin.keyid for pin in values] == sorted(key.keyid for key in KEYS)


def test_a_pin_is_removed_by_the_start_of_its_key_id() -> None:
    values = tuple(Pin(key, ("*",)) for key in KEYS)
    left = pins.remove(values, KEYS[3].keyid[:8])
    assert set(values) - set(left) == {Pin(KEYS[3], ("*",))}
    assert pins.find(values, KEYS[0].keyid).public == KEYS[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0" * 7, "nothing that is trusted is called"),
        ("0" * 65, "nothing that is trusted is called"),
        ("*", "nothing that is trusted is called"),
        ("0" * 64, "no pinned key begins"),
    ],
)
def test_what_names_no_pin_removes_nothing(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as error:
        pins.remove([Pin(key, ("*",)) for key in KEYS], text)
    assert error.value.rule == "PIN-06"
    assert error.value.hint


def test_an_ambiguous_start_removes_nothing() -> None:
    one = Pin(KEYS[0], ("a",))
    with pytest.raises(UsageError, match="several pinned keys"):
        pins.remove([one, Pin(KEYS[0], ("b",))], one.keyid[:8])


def test_that_a_key_may_build_is_kept_and_written_where_it_holds() -> None:
    """PIN-08, PIN-05."""
    plain, building = Pin(KEYS[0], ("a",)), Pin(KEYS[1], ("a",), may_build=True)
    data = pins.encode([plain, building])
    assert data.count(b"may_build") == 1
    assert set(pins.decode(data)) == {plain, building}
    (again,) = pins.add([building], Pin(KEYS[1], ("b",)))
    assert again == Pin(KEYS[1], ("a", "b"), may_build=True)
    (gained,) = pins.add([plain], Pin(KEYS[0], ("b",), may_build=True))
    assert gained.may_build


def test_what_is_neither_true_nor_false_lets_nobody_build() -> None:
    """PIN-08."""
    data = pins.encode([Pin(KEYS[1], ("a",), may_build=True)])
    with pytest.raises(FormatError):
        pins.decode(data.replace(b'"may_build":true', b'"may_build":"yes"'))
