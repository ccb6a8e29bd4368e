from __future__ import annotations

import hashlib
import json

import pytest

from crpack.errors import FormatError, ManifestError
from crpack.model import canonical, limits, platforms, recipe_document
from crpack.model.recipe_document import Context
from crpack.model.requirements import Requirement
from tests.unit.model.written_recipes import (
    HEAD,
    LINUX,
    WHOLE,
    document,
    faults,
    messages,
    resolved,
)

OPTION = '[options.o]\ntype = "enum"\nvalues = ["a", "b"]\ndefault = "a"\n'
BUILD = '[build]\ndriver = "make"\n[build.make]\ntargets = ["base"]\nvars = { A = "1", B = "2" }\n'


def failure(text: str) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        document(text)
    return caught.value


def targets(text: str, platform: str = LINUX, **options: str) -> tuple[str, ...]:
    """Return the make targets of a recipe for a platform."""
    build = resolved(HEAD + text, platform, **options).build
    assert build is not None
    return build.make.targets


def block(match: str, target: str) -> str:
    return f'[[when]]\nmatch = {{ {match} }}\nbuild.make.targets = ["{target}"]\n'


def test_the_document_is_canonical_json_of_the_tables() -> None:
    """DOC-01."""
    data = document(WHOLE)
    table = canonical.decode(data, what="it")
    assert canonical.encode(table) == data
    assert table["package"]["revision"] == 3
    assert table["action"]["run"]["params"]["threshold"]["default"] == "0.3"
    assert document(WHOLE) == data


def test_what_does_not_change_the_tables_does_not_change_the_document() -> None:
    """DOC-01: comments, order, line ends, the mark that some editors begin a file with."""
    text = HEAD + "[build]\ndriver = 'make'\nplatform = 'any'\n"
    other = '# a comment\nbuild = { platform = "any", driver = "make" }\n' + HEAD
    assert document(text) == document(other)
    assert document(text) == document(text.replace("\n", "\r\n"))
    assert document(text) == document("\ufeff" + text)


@pytest.mark.parametrize(
    ("written", "kept"),
    [("0.3", "0.3"), ("0.30", "0.30"), ("1e-7", "0.0000001"), ("0.0000001", "0.0000001"),
     ("1e3", "1000"), ("-2.5", "-2.5"), ("1", 1)],
)  # fmt: skip
def test_decimals_travel_as_texts(written: str, kept: object) -> None:
    """SCH-02."""
    text = HEAD + f"[options.x]\ntype = 'float'\ndefault = {written}\n"
    assert canonical.decode(document(text), what="it")["options"]["x"]["default"] == kept


@pytest.mark.parametrize("number", ["0.0000001", "1e-7", "0.01", "10"])
def test_a_small_tolerance_is_a_decimal_like_any_other(number: str) -> None:
    """SCH-02, MET-01."""
    text = HEAD + "[action.validate]\nargv = ['x']\noutputs.m = { type = 'float' }\n"
    assert document(f"{text}[metrics.m]\nreference = 0.5\ntolerance = {number}\n")


@pytest.mark.parametrize(
    ("text", "line", "column", "shown"),
    [
        ("versoin = 1\n", 7, 1, "versoin = 1"),
        ("\tversoin = 1\n", 7, 1 + 1, "\tversoin = 1"),
        ("# é\u2028\x85\nversoin = 1\n", 8, 1, "versoin = 1"),
        ("# \u2028\n# '\x85'\nversoin = 1", 9, 1, "versoin = 1"),
        ("[options.x]\ntype = 'string'\ndefault = '''\n\n'''\nvaleus = 1\n", 12, 1, "valeus = 1"),
        ("[build]\ndriver = 'make'\nmake = { vars = {}, tragets = [] }\n", 9, 21,
         "make = { vars = {}, tragets = [] }"),
    ],
)  # fmt: skip
def test_a_fault_has_line_column_and_the_line_itself(
    text: str, line: int, column: int, shown: str
) -> None:
    """SCH-01."""
    for written in (HEAD + text, (HEAD + text).replace("\n", "\r\n"), "\ufeff" + HEAD + text):
        (fault,) = faults(written)
        assert (fault.line, fault.column, fault.text) == (line, column, shown)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a = \n", 1, 5, "invalid value"),
        ("a = 1\n\nb\n", 3, 2, "expected '=' after a key in a key/value pair"),
        ("a = 1\r\n\r\nb\r\n", 3, 2, "expected '=' after a key in a key/value pair"),
        ("a = 1\na = 2\n", 2, 6, "cannot overwrite a value"),
        ("a = [1,\n", 1, 8, "invalid value"),
        ('a = "\u2028x\n', 1, 8, "illegal character '\\n'"),
        ("[t", 1, 3, "expected ']' at the end of a table declaration"),
        ("a = '''x", 1, 9, "expected \"'''\""),
    ],
)
def test_what_is_no_toml_is_told_with_its_place(
    text: str, line: int, column: int, message: str
) -> None:
    """SCH-01."""
    error = failure(text)
    assert error.what == "`crpack.toml` is not TOML"
    (fault,) = error.faults
    assert (fault.line, fault.column, fault.message) == (line, column, message)
    assert fault.text == text.replace("\r", "").split("\n")[line - 1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x = " + "1" * 5000, "`crpack.toml` holds a number that is too long"),
        ("x = 1e" + "9" * 30, "`crpack.toml` holds a number that is too long"),
        ("x = " + "[" * 5000, "`crpack.toml` is nested too deep"),
        ("x = " + "{a=" * 5000, "`crpack.toml` is nested too deep"),
        ("#" * (limits.MAX_TOML_BYTES + 1), "`crpack.toml` is longer than 1048576 bytes"),
        ("# " + "é" * (limits.MAX_TOML_BYTES // 2), "`crpack.toml` is longer than 1048576 bytes"),
    ],
)
def test_what_is_too_much_is_refused(text: str, what: str) -> None:
    error = failure(text)
    assert error.what == what
    assert error.exit_code == 2


@pytest.mark.parametrize("depth", [30, 31, 32, 33, 100, 200, 300, 400, 450, 480, 500])
def test_any_depth_of_nesting_is_judged(depth: int) -> None:
    for text in ("x = " + "[" * depth + "]" * depth, "x = " + "{a=" * depth + "1" + "}" * depth):
        assert failure(text).what in (
            "`crpack.toml` has 2 faults",
            "`crpack.toml` has a fault",
            "`crpack.toml` is nested too deep",
        )


def test_all_faults_are_told_in_one_go_by_line() -> None:
    """SCH-01."""
    error = failure('[package]\nname = "A"\nversion = "x"\nkind = "progam"\nsumary = ""\n')
    assert error.what == "`crpack.toml` has 6 faults"
    data = error.data["faults"]
    assert isinstance(data, list)
    assert [(fault["path"], fault["line"]) for fault in data] == [
        ("package.summary", 1),
        ("package.license", 1),
        ("package.name", 2),
        ("package.version", 3),
        ("package.kind", 4),
        ("package.sumary", 5),
    ]


def test_an_archive_is_judged_as_strictly_as_a_text() -> None:
    """DOC-03."""
    table = canonical.decode(document(WHOLE), what="it")
    assert recipe_document.open_json(canonical.encode(table)).package.name == "lab/sample"
    table["package"]["kind"] = "progam"
    table["test"]["timeout"] = 0
    table["more"] = 1
    with pytest.raises(FormatError) as caught:
        recipe_document.open_json(canonical.encode(table))
    assert caught.value.rule == "DOC-03"
    assert caught.value.what == "recipe.json has 3 faults"
    assert caught.value.why[0] == "`more` is not a known key"


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"3", b"null", b'"x"', b"{}", b'{"package":3}', b'{"package":{}}', b"{", b"\xff",
     b'{"a":1.5}', b'{"a":' + b"1" * 5000 + b"}", b"[" * 100_000, b'{"when":[{"match":{}}]}',
     b'{"package":{"name":"\\ud800"}}'],
)  # fmt: skip
def test_what_is_no_recipe_is_refused(data: bytes) -> None:
    """DOC-03."""
    with pytest.raises(FormatError):
        recipe_document.open_json(data)


@pytest.mark.parametrize("unknown", ["versions", "option", "When", "require"])
def test_a_document_has_no_other_keys_than_a_text(unknown: str) -> None:
    """DOC-02, DOC-03: also `versions` never travels."""
    table = {**json.loads(document(HEAD)), unknown: {}}
    with pytest.raises(FormatError, match=r"recipe\.json has a fault"):
        recipe_document.open_json(canonical.encode(table))


VERSIONS = (
    HEAD
    + BUILD
    + '[versions."1.1".build.make]\nvars = { A = "old" }\n'
    + '[versions."1.0"]\npackage.revision = 4\nbuild.subdir = "x"\n'
)


def test_another_version_is_the_same_recipe_with_its_own_differences() -> None:
    """DOC-02."""
    now = recipe_document.open_json(document(VERSIONS))
    assert now.package.version == "1.2.0"
    old = recipe_document.open_json(document(VERSIONS, version="1.1"))
    assert old.package.version == "1.1"
    assert old.build is not None
    assert old.build.make.vars == (("A", "old"), ("B", "2"))
    oldest = recipe_document.open_json(document(VERSIONS, version="1.0"))
    assert (oldest.package.version, oldest.package.revision) == ("1.0", 4)


def test_another_version_has_its_own_sources_and_requirements() -> None:
    """DOC-02: arrays replace, or a version could not change where its source is."""
    one, two = ("https://example.org/1", "a" * 64), ("https://example.org/2", "b" * 64)
    source = '[[{}source]]\nkind = "url"\nurls = ["{}"]\nsha256 = "{}"\n'
    text = f"{HEAD}[requires]\nx = '>=2'\n{source.format('', *one)}"
    text += "[versions.'1.1']\nrequires.x = '>=1'\n" + source.format("versions.'1.1'.", *two)
    for version, (url, sha256), need in (("", one, ">=2"), ("1.1", two, ">=1")):
        recipe = recipe_document.open_json(document(text, version=version))
        assert [(s.urls, s.sha256) for s in recipe.source] == [((url,), sha256)]
        assert recipe.requires.run == (Requirement("x", need),)


@pytest.mark.parametrize(
    ("base", "block", "merged"),
    [
        ("'>=1'", "'<2'", Requirement("x", ">=1,<2")),
        ("'>=1'", "''", Requirement("x", ">=1")),
        ("''", "'<2'", Requirement("x", "<2")),
        ("'>=1'", "'>=1'", Requirement("x", ">=1")),
        ("'>=1'", "{ optional = true }", Requirement("x", ">=1", optional=True)),
        ("{ version = '>=1', external = 'forbid' }", "'<2'",
         Requirement("x", ">=1,<2", external="forbid")),
        ("{ options = { a = '1', b = '1' } }", "{ options = { b = '2' } }",
         Requirement("x", options=(("a", "1"), ("b", "2")))),
        ("'<1 || >=3'", "'!=0.5||>=4'",
         Requirement("x", "<1,!=0.5||<1,>=4||>=3,!=0.5||>=3,>=4")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("context", ["", ".build", ".target"])
def test_a_block_adds_to_what_a_requirement_asks(
    context: str, base: str, block: str, merged: Requirement
) -> None:
    """DOC-04: both ranges hold."""
    text = f"[requires{context}]\nx = {base}\n[[when]]\nmatch = {{}}\n"
    requires = resolved(f"{HEAD}{text}requires{context}.x = {block}\n").requires
    assert getattr(requires, context[1:] or "run") == (merged,)


@pytest.mark.parametrize("block", ["'>=1 || || >=2'", "'nonsense'", "'>=1,'", "3"])
def test_a_range_that_is_none_is_told_though_it_is_merged(block: str) -> None:
    """DOC-04, VER-03."""
    text = f"[requires]\nx = '>=1 || >=2'\n[[when]]\nmatch = {{}}\nrequires.x = {block}\n"
    (message,) = messages(HEAD + text)
    assert message.startswith("when[0].requires.x")


def test_ranges_that_multiply_are_refused() -> None:
    """DOC-04, VER-03."""
    block = "[[when]]\nmatch = {}\nrequires.x = '<1||>=2'\n"
    text = f"{HEAD}[requires]\nx = '<1||>=3'\n"
    data = document(text + block * 64)
    with pytest.raises(FormatError, match="does not hold together") as caught:
        recipe_document.resolve(data, Context(platforms.parse(LINUX)))
    assert "it is too long" in caught.value.why[0]


def test_adding_a_version_changes_no_other_ones_document() -> None:
    """DOC-02: so it changes no identity."""
    more = VERSIONS + '[versions."0.9"]\nbuild.subdir = "y"\n'
    for version in ("", "1.2.0", "1.1", "1.0"):
        assert document(more, version=version) == document(VERSIONS, version=version)
        assert b"versions" not in document(more, version=version)


def test_a_version_that_is_not_there_is_told_with_those_that_are() -> None:
    """DOC-02."""
    for text, known in ((VERSIONS, "`1.2.0`, `1.1`, `1.0`"), (HEAD, "`1.2.0`"),
                        ("versions = 3\n" + HEAD, "`1.2.0`")):  # fmt: skip
        with pytest.raises(ManifestError) as caught:
            document(text, version="3")
        assert caught.value.what == f"`crpack.toml` has no version `3`; it has {known}"


def test_blocks_that_match_are_merged_in_order() -> None:
    """DOC-04: arrays append, tables merge, other values replace."""
    text = BUILD + (
        '[[when]]\nmatch = { os = "linux" }\n'
        'build.make = { targets = ["one"], vars = { B = "3", C = "4" } }\n'
        '[[when]]\nmatch = { os = "macos" }\nbuild.make.targets = ["never"]\n'
        '[[when]]\nmatch = { arch = "x86_64" }\nbuild.subdir = "x"\n'
        'build.make = { targets = ["two"], vars = { C = "5" } }\n'
    )
    build = resolved(HEAD + text).build
    assert build is not None
    assert build.make.targets == ("base", "one", "two")
    assert build.make.vars == (("A", "1"), ("B", "3"), ("C", "5"))
    assert build.subdir == "x"
    assert targets(text, "macos-arm64-11.0") == ("base", "never")


def test_resolving_again_changes_nothing() -> None:
    """DOC-04: a block is merged once, however often a recipe is asked for."""
    data = document(HEAD + BUILD + block('os = "linux"', "linux"))
    context = Context(platforms.parse(LINUX))
    first = recipe_document.resolve(data, context)
    assert recipe_document.resolve(data, context) == first
    assert first.build is not None
    assert first.build.make.targets == ("base", "linux")


@pytest.mark.parametrize(
    ("match", "platform", "matches"),
    [
        ("", LINUX, True),
        ('os = "linux"', LINUX, True),
        ('os = "linux"', "macos-arm64-11.0", False),
        ('os = ["macos", "linux"]', LINUX, True),
        ("os = []", LINUX, False),
        ('arch = "x86_64"', LINUX, True),
        ('arch = ["aarch64", "armv7"]', LINUX, False),
        ('os = "linux", arch = "aarch64"', LINUX, False),
        ('abi = "gnu"', LINUX, True),
        ('abi = "musl"', LINUX, False),
        ('abi = ""', "macos-arm64-11.0", True),
        ('libc = "gnu"', LINUX, True),
        ('libc = "gnu>=2.28"', LINUX, True),
        ('libc = "gnu>=2.37"', LINUX, False),
        ('libc = "gnu>=2.4"', LINUX, True),
        ('libc = "gnu>=2.28"', "linux-x86_64-gnu", False),
        ('libc = "gnu"', "linux-x86_64-gnu", True),
        ('libc = "musl"', LINUX, False),
        ('libc = ["musl", "gnu>=2.28"]', LINUX, True),
        ('libc = "musl"', "linux-x86_64-musl", True),
    ],
)
def test_a_block_matches_when_every_key_matches(
    match: str, platform: str, *, matches: bool
) -> None:
    """DOC-05."""
    got = targets(BUILD + block(match, "here"), platform)
    assert got == (("base", "here") if matches else ("base",))


@pytest.mark.parametrize(
    ("declared", "match", "value", "matches"),
    [
        ("type = 'enum'\nvalues = ['a', 'b']\ndefault = 'a'", "'b'", "b", True),
        ("type = 'enum'\nvalues = ['a', 'b']\ndefault = 'a'", "'b'", "a", False),
        ("type = 'enum'\nvalues = ['a', 'b']\ndefault = 'a'", "['a', 'b']", "a", True),
        ("type = 'enum'\nvalues = [50, 5000]\ndefault = 50", "50", "50", True),
        ("type = 'bool'\ndefault = true", "true", "true", True),
        ("type = 'bool'\ndefault = true", "'yes'", "true", True),
        ("type = 'bool'\ndefault = true", "false", "true", False),
        ("type = 'int'\ndefault = 1", "10", "10", True),
        ("type = 'float'\ndefault = 1", "1", "1.0", True),
        ("type = 'float'\ndefault = 0.5", "0.50", "0.5", True),
        ("type = 'float'\ndefault = 0.5", "1e-7", "0.0000001", True),
        ("type = 'string'\ndefault = ''", "'1.0'", "1", False),
    ],
)
def test_a_block_matches_by_the_value_of_an_option(
    declared: str, match: str, value: str, *, matches: bool
) -> None:
    """DOC-05: `1` and `1.0` are one value of a `float`."""
    text = f"[options.o]\n{declared}\n" + BUILD + block(f"option.o = {match}", "here")
    assert targets(text, o=value) == (("base", "here") if matches else ("base",))


def test_a_block_that_matches_on_an_option_of_runs_holds_metrics_only() -> None:
    """DOC-07: nothing that is made may depend on it."""
    text = HEAD + OPTION + 'scope = "run"\n' + BUILD + block("option.o = 'a'", "here")
    message = "when[0].build cannot depend on an option of runs; only `metrics` can"
    assert messages(text) == [message]


def test_the_reference_of_a_metric_depends_on_an_option_of_runs() -> None:
    """DOC-07: it counts where a value is given, and where none is the base does."""
    text = HEAD + OPTION + 'scope = "run"\n'
    text += "[action.validate]\nargv = ['x']\n[action.validate.outputs.m]\ntype = 'float'\n"
    text += "[metrics.m]\nreference = 1\ntolerance = 0\n"
    text += "[[when]]\nmatch = { option.o = 'b' }\n[when.metrics.m]\nreference = 2\n"
    references = {
        value: resolved(text, **chosen).metrics[0].reference
        for value, chosen in (("a", {"o": "a"}), ("b", {"o": "b"}), ("none", dict[str, str]()))
    }
    assert references == {"a": "1", "b": "2", "none": "1"}


def test_two_blocks_that_do_not_fit_together_are_told_when_they_meet() -> None:
    """DOC-04."""
    text = (
        "[[when]]\nmatch = {}\nrequires.zlib.version = '>=1'\n"
        "[[when]]\nmatch = {}\nrequires.zlib.options = { a = 1 }\n"
    )
    need = resolved(HEAD + text).requires.run[0]
    assert (need.version, need.options) == (">=1", (("a", "1"),))


def test_the_option_of_who_asks_is_passed_on() -> None:
    """REQ-02."""
    text = OPTION + '[requires]\nx = { options = { k = "is-{option.o}", n = 3 } }\n'
    for value in ("a", "b"):
        need = resolved(HEAD + text, o=value).requires.run[0]
        assert need.options == (("k", f"is-{value}"), ("n", "3"))


def test_the_digest_of_a_packed_source_is_written_into_the_document() -> None:
    """RCP-07."""
    data = document(WHOLE)
    sha256 = hashlib.sha256(b"x").hexdigest()
    made = recipe_document.with_digests(data, {0: (sha256, 10240)})
    sources = recipe_document.open_json(made).source
    assert (sources[0].sha256, sources[0].size) == (sha256, 10240)
    assert sources[1:] == recipe_document.open_json(data).source[1:]
    assert recipe_document.with_digests(data, {}) == data


def test_every_requirement_is_found_whatever_the_machine() -> None:
    """DOC-04: each different one, because a block may ask for more than the base."""
    text = (
        "[requires]\na = '>=1'\nb = { optional = true }\n"
        "[requires.build]\na = '>=1'\n[requires.target]\nc = ''\n"
        "[[when]]\nmatch = { os = 'wasi' }\nrequires.a = '>=2'\nrequires.b.optional = false\n"
        "[[when]]\nmatch = { os = 'macos' }\nrequires.build.d = ''\n"
    )
    assert recipe_document.every_requirement(document(HEAD + text)) == (
        Requirement("a", ">=1"),
        Requirement("a", ">=1,>=2"),
        Requirement("b", optional=True),
        Requirement("b"),
        Requirement("c"),
        Requirement("d"),
    )
