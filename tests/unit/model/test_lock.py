from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from crpack.errors import FormatError
from crpack.model import lock
from crpack.model.lock import (
    Choice,
    Lock,
    LockedIndex,
    LockedPackage,
    LockedSource,
    LockedTarget,
    Wheel,
)

ROOT = Path(__file__).resolve().parents[3]

LOCK = Lock(
    request=("demo", "zlib>=1.2"),
    request_hash="9" * 64,
    index=(LockedIndex("main", "7" * 64, "8" * 64),),
    package=(
        LockedPackage(
            "lab/zlib",
            "1.3.1",
            0,
            "software",
            identity="b" * 64,
            index="main",
            options=(("shared", "true"),),
            requires=(("tools/make", ">=4"),),
            source=(
                LockedSource("c" * 64, 1234, ("https://example.org/z.tar.gz",), first_use=True),
            ),
        ),
        LockedPackage(
            "demo", "1.0", 2, "solution", identity="a" * 64, signers=("d" * 64, "e" * 64)
        ),
    ),
    target=(
        LockedTarget(
            "linux-x86_64-gnu2.36",
            python="3.11.7",
            capabilities=(("@glibc", "2.36"),),
            wheels=("f" * 64,),
            package=(
                Choice(
                    "lab/zlib",
                    "binary",
                    version="1.3.1",
                    payload="0" * 16,
                    size=77,
                    options=(("shared", "false"),),
                ),
                Choice("gcc", "detected", range=">=9", tested="12.2.0", fallback="source"),
                Choice("lab/zlib", "source", "build", only_for=("gcc",)),
            ),
        ),
    ),
    wheel=(Wheel("numpy", "2.0.1", "numpy-2.0.1-cp311-cp311-linux_x86_64.whl", "f" * 64, 99),),
)

TEXT = """\
format = 1
critical = []
request = [
    "demo",
    "zlib>=1.2",
]
request-hash = "{nine}"

[[index]]
name = "main"
root = "{seven}"
snapshot = "{eight}"

[[package]]
name = "demo"
version = "1.0"
revision = 2
kind = "solution"
identity = "{a}"
signers = [
    "{d}",
    "{e}",
]

[[package]]
name = "lab/zlib"
version = "1.3.1"
revision = 0
kind = "software"
identity = "{b}"
index = "main"
options = {{ shared = "true" }}
requires = {{ "tools/make" = ">=4" }}

[[package.source]]
sha256 = "{c}"
size = 1234
urls = ["https://example.org/z.tar.gz"]
first-use = true

[[target]]
platform = "linux-x86_64-gnu2.36"
python = "3.11.7"
capabilities = {{ "@glibc" = "2.36" }}
wheels = ["{f}"]

[[target.package]]
name = "gcc"
origin = "detected"
range = ">=9"
tested = "12.2.0"
fallback = "source"

[[target.package]]
name = "lab/zlib"
origin = "source"
context = "build"
only-for = ["gcc"]

[[target.package]]
name = "lab/zlib"
origin = "binary"
version = "1.3.1"
payload = "0000000000000000"
size = 77
options = {{ shared = "false" }}

[[wheel]]
name = "numpy"
version = "2.0.1"
filename = "numpy-2.0.1-cp311-cp311-linux_x86_64.whl"
sha256 = "{f}"
size = 99
""".format(
    nine="9" * 64, seven="7" * 64, eight="8" * 64, **{letter: letter * 64 for letter in "abcdef"}
)


def test_a_lock_has_this_one_form() -> None:
    """LCK-01, LCK-02, LCK-05, LCK-06."""
    assert lock.encode(LOCK).decode() == TEXT
    assert lock.decode(TEXT.encode()) == lock.ordered(LOCK)


CHANGES = [
    ("another order of rows", ('"demo"\nversion', '"zz"\nversion'), 15, "one form"),
    ("a comment", ("format = 1\n", "format = 1\n# by hand\n"), 2, "one form"),
    ("other white space", ("format = 1", "format =  1"), 1, "one form"),
    ("a default value", ("revision = 2", 'revision = 2\nindex = ""'), 18, "one form"),
    ("no last line end", ("size = 99\n", "size = 99"), 73, "one form"),
    ("another order of keys", ("revision = 2\nkind", "kind"), 14, "is missing"),
    ("a text for a number", ("revision = 2", 'revision = "2"'), 17, "a whole number"),
    ("a number below zero", ("size = 99", "size = -1"), 73, "at least 0"),
    ("a digest too short", ("f" * 64 + '"\nsize', "f" * 63 + '"\nsize'), 72, "the form"),
    ("an unknown kind", ('"solution"', '"thing"'), 18, "one of"),
    ("a path in a file name", ('"numpy-2', '"../numpy-2'), 71, "the form"),
    ("a bad name", ('"gcc"', '"Gcc"'), 48, "not a component's name"),
    ("a bad platform", ("linux-x86_64", "linux-z80"), 42, "not a platform"),
    ("broken TOML", ("[[wheel]]", "[[wheel]"), 68, "is not TOML"),
    ("a critical feature", ("critical = []", 'critical = ["x"]'), 2, "needs"),
    ("a later format", ("format = 1", "format = 2"), 1, "format 1"),
    ("true for one", ("format = 1", "format = true"), 1, "format 1"),
]


@pytest.mark.parametrize(("_name", "change", "line", "words"), CHANGES, ids=[c[0] for c in CHANGES])
def test_any_other_form_is_refused_with_its_line(
    _name: str,
    change: tuple[str, str],
    line: int,
    words: str,
) -> None:
    """LCK-01, LCK-03."""
    assert change[0] in TEXT
    with pytest.raises(FormatError) as caught:
        lock.decode(TEXT.replace(*change, 1).encode())
    assert f"line {line}:" in caught.value.what, caught.value.what
    assert words in caught.value.what
    assert caught.value.hint
    assert caught.value.data["line"] == line


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"a\xff", b"[[[[" * 10_000, b"a=" + b"[" * 500 + b"]" * 500, b"x" * (2**20 + 1)],
)
def test_hostile_bytes_are_refused(data: bytes) -> None:
    """LCK-03."""
    with pytest.raises(FormatError):
        lock.decode(data)


def test_a_table_nested_too_deep_is_refused_before_it_is_looked_at() -> None:
    """LCK-03."""
    deep = "format = 1\ncritical = []\nx = " + "[" * 40 + "]" * 40
    with pytest.raises(FormatError, match="too deep"):
        lock.decode(deep.encode())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            (
                'name = "lab/zlib"\norigin = "source"\ncontext = "build"\nonly-for = ["gcc"]',
                'name = "gcc"\norigin = "source"',
            ),
            "twice",
        ),
        (('context = "build"\n', ""), "twice"),
        (
            ('origin = "binary"\nversion = "1.3.1"', 'origin = "binary"\nversion = "1.3"'),
            "not complete",
        ),
        (('index = "main"', 'index = "mine"'), "not complete"),
        (("wheels = [", 'wheels = [\n    "' + "a" * 64 + '",\n'), "not complete"),
        ((TEXT[TEXT.index("[[wheel]]") :],) * 2, "twice"),
    ],
)
def test_rows_stand_once_and_name_what_is_there(change: tuple[str, str], words: str) -> None:
    """LCK-04."""
    old, new = change
    text = TEXT + "\n" + new if old == new else TEXT.replace(old, new)
    with pytest.raises(FormatError, match=words):
        lock.decode(text.encode())


@pytest.mark.parametrize(
    "change",
    [
        ('name = "numpy"', 'name = "scipy"'),
        ('version = "2.0.1"\nfilename', 'version = "2.0"\nfilename'),
        ('filename = "numpy-2.0.1-cp311-cp311', 'filename = "numpy-2.0.1'),
        ('version = "2.0.1"\nfilename', 'version = "2.0.1\\n"\nfilename'),
        ('version = "2.0.1"\nfilename', 'version = " 2.0.1"\nfilename'),
    ],
)
def test_a_wheel_is_what_its_file_is_called(change: tuple[str, str]) -> None:
    """LCK-06."""
    assert change[0] in TEXT
    with pytest.raises(FormatError):
        lock.decode(TEXT.replace(*change).encode())


@pytest.mark.parametrize("url", ["https://u:p@h/x.whl", "file:///etc/shadow", "/etc/passwd", "x"])
def test_an_address_of_a_wheel_means_nothing(url: str) -> None:
    """LCK-06."""
    text = TEXT.replace("size = 99\n", f'size = 99\nurl = "{url}"\n')
    assert lock.decode(text.encode()) == lock.ordered(LOCK)


def test_keys_of_later_formats_are_ignored_behind_the_known_ones() -> None:
    """LCK-01."""
    text = TEXT.replace("size = 99\n", 'size = 99\nlater = "x"\n').replace(
        f'hash = "{"9" * 64}"\n', f'hash = "{"9" * 64}"\nlater = {{ a = [1, 2] }}\n'
    )
    assert text.count("later") == 2
    assert lock.decode(text.encode()) == lock.ordered(LOCK)
    with pytest.raises(FormatError, match="one form"):
        lock.decode(TEXT.replace("size = 99", 'later = "x"\nsize = 99').encode())


def test_what_could_not_be_read_is_not_written() -> None:
    with pytest.raises(FormatError):
        lock.encode(Lock(request=("a\nb",)))
    with pytest.raises(FormatError):
        lock.encode(Lock(request=("\ud800",)))
    with pytest.raises(FormatError):
        lock.encode(Lock(request=(), wheel=LOCK.wheel * 2))


def test_the_published_schema_is_that_of_the_code() -> None:
    """LCK-01."""
    with (ROOT / "spec/lock.schema.json").open(encoding="utf-8") as file:
        assert json.load(file) == lock.lock_schema()


def test_a_written_lock_satisfies_the_schema() -> None:
    """LCK-01."""
    Draft202012Validator.check_schema(lock.lock_schema())
    validator = Draft202012Validator(lock.lock_schema())
    assert list(validator.iter_errors(tomllib.loads(TEXT))) == []
    assert list(validator.iter_errors({**tomllib.loads(TEXT), "package": [{}]}))
