from __future__ import annotations

import pytest

from crpack.model import limits
from tests.unit.model.written_recipes import HEAD, WHOLE, document, faults, messages

OPTION = '[options.o]\ntype = "enum"\nvalues = ["a", "b"]\ndefault = "a"\n'
MAKE = '[build]\ndriver = "make"\n'
ACTION = '[action.a]\nargv = ["x"]\n'
URL = '[[source]]\nkind = "url"\nurls = ["https://example.org/x"]\n'


def test_a_good_recipe_has_no_fault() -> None:
    assert document(WHOLE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[option.o]", "option is not a known key"),
        ("[[build]]", "build must be a table, not an array"),
        ("build = 3", "package.build is not a known key"),
        ('[build]\ndriver = "mak"', ("build.driver must be one of `make`, `cmake`, `copy`, "
         "`headers`, `script`, `autotools`, `configure`, `meson`, `python`, `cargo`")),
        (MAKE + "[build.cmake]", "build.cmake is a table of another driver than `make`"),
        (MAKE + "[build.autotools]", "build.autotools is a table of another driver than `make`"),
        (MAKE + "[build.bazel]", "build.bazel is not a known key"),
        ('[build]\ndriver = "autotools"\nautotools.bootstrap = [[]]',
         "build.autotools.bootstrap[0] must name a program"),
        ('[[source]]\nkind = "local"', "source[0].path is missing"),
        ('[[source]]\nkind = "inline"\ntext = "x"', "source[0].path is missing"),
        ('[[source]]\nkind = "hg"',
         "source[0].kind must be one of `local`, `inline`, `url`, `git`"),
        ('[[source]]\nkind = "git"\nurls = ["u"]',
         "source[0] of kind `git` needs `urls`, `commit` and `tree`"),
        (f'[[source]]\nkind = "git"\nurls = ["u"]\ncommit = "{"c" * 40}"\ntree = "abc"',
         "source[0].tree `abc` does not have the form `(?:[0-9a-f]{40})?`"),
        (f'{URL}sha256 = "{"a" * 64}"\ncommit = "{"c" * 40}"',
         "source[0].commit means nothing for a source of kind `url`"),
        (f'{URL}sha256 = "{"a" * 64}"\nalternatives = [{{ size = 1 }}]',
         "source[0].alternatives[0].sha256 is missing"),
        (URL, "source[0] of kind `url` needs `urls` and `sha256`"),
        (URL + 'sha256 = "abc"', ("source[0].sha256 `abc` does not have the form "
         "`(?:[0-9a-f]{64})?`")),
        (f'[[source]]\nkind = "url"\nsha256 = "{"a" * 64}"',
         "source[0] of kind `url` needs `urls` and `sha256`"),
        (f'{URL}sha256 = "{"A" * 64}"', (f"source[0].sha256 `{'A' * 64}` does not have the form "
         "`(?:[0-9a-f]{64})?`")),
        ('[[source]]\nkind = "local"\npath = "/etc"', ("source[0].path `/etc` does not have the "
         "form `(?:[^/\\0][^\\0]*)?`")),
        ('[[source]]\nkind = "local"\npath = "../x"', "source[0].path must stay inside its folder"),
        ('[[source]]\nkind = "local"\npath = "a/../../x"',
         "source[0].path must stay inside its folder"),
        ('[[source]]\nkind = "local"\npath = "x"\ninto = ".."',
         "source[0].into must stay inside its folder"),
        ('[[probe]]\nkind = "elf"\nnames = ["x"]\nversion = "("',
         ("probe[0].version is not a regular "
          "expression: missing ), unterminated subpattern at position 0")),
        ('[[probe]]\nkind = "exec"\nnames = ["x"]\nversion = "(?P<version>x)"\nreject = "*"',
         ("probe[0].reject is not a regular expression: "
          "nothing to repeat at position 0")),
        ('[test]\nsteps = [["x"]]\nexpect = "["', ("test.expect is not a regular expression: "
         "unterminated character set at position 0")),
        ("[test]\nsteps = [[]]", "test.steps[0] must name a program"),
        ('[test]\nsteps = []\nneeds = "gpu"', ("test.needs must be one of `native`, `emulator`, "
         "`device`")),
        ("[test]\nsteps = []\ntimeout = 0", "test.timeout must be at least 1"),
        ("[test]\nsteps = []\ntimeout = 1000001", "test.timeout must be at most 1000000"),
        ("[python]\nrequires = ['-e .']", ("python.requires[0] `-e .` is not a plain Python "
         "requirement; it is a name with a range: no address, no marker, no option of an "
         "installer")),
        ('[exports]\nenv = { "A=B" = "x" }', 'exports.env."A=B" is not the name of a variable'),
        ('[exports]\nenv = { "" = "x" }', 'exports.env."" is not the name of a variable'),
        ('[build]\ndriver = "configure"\n[build.configure]\nvars = { "A=B" = "x" }',
         'build.configure.vars."A=B" is not the name of a variable'),
        ('[build]\ndriver = "script"\n[build.script]\nsteps = [["x"], []]',
         "build.script.steps[1] must name a program"),
    ],
)  # fmt: skip
def test_a_fault_of_a_build_is_told(text: str, message: str) -> None:
    """SCH-01, RCP-03, RCP-06."""
    assert messages(HEAD + text) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type = 'boolean'", "must be one of"),
        ("type = 'enum'", "is missing"),
        ("type = 'enum'\nvalues = ['a']\ndefault = 'b'", "it must be one of `a`"),
        ("type = 'bool'\ndefault = 'maybe'", "it must be of type `bool`"),
        ("type = 'int'\ndefault = 1.5", "it must be of type `int`"),
        ("type = 'int'\ndefault = 1e400", "it must be of type `int`"),
        ("type = 'int'\ndefault = 0x1" + "0" * 4000, "is a number beyond"),
        ("type = 'float'\ndefault = nan", "it must be of type `float`"),
        ("type = 'float'\ndefault = inf", "it must be of type `float`"),
        ("type = 'float'\nrange = [0, 1]\ndefault = 2", "it must lie within 0 and 1"),
        ("type = 'float'\nrange = [1, 0]", "must be two numbers, lowest and highest"),
        ("type = 'float'\nrange = [1]", "must be two numbers, lowest and highest"),
        ("type = 'float'\nrange = ['a', 'b']", "must be two numbers, lowest and highest"),
        ("type = 'float'\nrange = [nan, nan]", "must be two numbers, lowest and highest"),
        ("type = 'string'\ndefault = 1979-05-27", "must be a text, not a date"),
        ("type = 'string'\ndefault = 07:32:00", "must be a text, not a time"),
        ("type = 'string'\ndefault = ['a']", "must be a text, not an array"),
        ("type = 'string'\ndefault = 'a'\nscope = 'both'", "must be one of `build`, `run`"),
    ],
)
@pytest.mark.parametrize("head", ["[options.p]\n", f"{ACTION}[action.a.params.p]\n"])
def test_a_parameter_that_fits_nothing_is_a_fault(head: str, text: str, message: str) -> None:
    """PRM-04: of options, inputs, params and outputs alike."""
    if "scope" in text and "action" in head:
        text = text.partition("scope")[0] + "required = 3"
        message = "must be true or false, not a whole number"
    (found,) = messages(HEAD + head + text)
    assert message in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[options.p]\ntype = 'int'\ndefault = 1\nrequired = false",
         "options.p.required means nothing for options"),
        (ACTION + "inputs.p = { type = 'int', scope = 'build' }",
         "action.a.inputs.p.scope means nothing for inputs"),
        (ACTION + "params.p = { type = 'int', scope = 'run' }",
         "action.a.params.p.scope means nothing for params"),
        (ACTION + "outputs.p = { type = 'int', scope = 'run' }",
         "action.a.outputs.p.scope means nothing for outputs"),
        (ACTION + "outputs.p = { type = 'int', default = 1 }",
         "action.a.outputs.p.default means nothing for outputs"),
        (ACTION + "params.p = { type = 'string', values = ['a'] }",
         "action.a.params.p.values means nothing for the type `string`"),
        (ACTION + "outputs.p = { type = 'array', range = [0, 1] }",
         "action.a.outputs.p.range means nothing for the type `array`"),
    ],
)  # fmt: skip
def test_a_key_that_means_nothing_for_a_parameter_is_refused(text: str, message: str) -> None:
    """PRM-06."""
    assert messages(HEAD + text) == [message]


DIGEST = "a" * 64
LOCAL = '[[source]]\nkind = "local"\npath = "x"\n'
INLINE = '[[source]]\nkind = "inline"\npath = "x"\ntext = "y"\n'
COMPUTED = "is not stated but computed, for a source that is packed"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LOCAL + f"sha256 = '{DIGEST}'", f"source[0].sha256 {COMPUTED}"),
        (LOCAL + "size = 0", f"source[0].size {COMPUTED}"),
        (INLINE + "size = 3", f"source[0].size {COMPUTED}"),
        (f"[[when]]\nmatch = {{}}\n[[when.{LOCAL[2:]}size = 3",
         f"when[0].source[0].size {COMPUTED}"),
        (f"[[versions.'1.1'.{LOCAL[2:]}size = 3", f'versions."1.1".source[0].size {COMPUTED}'),
        (LOCAL + "urls = ['https://example.org']",
         "source[0].urls means nothing for a source of kind `local`"),
        (LOCAL + "text = 'x'", "source[0].text means nothing for a source of kind `local`"),
        (INLINE + "urls = ['https://example.org']",
         "source[0].urls means nothing for a source of kind `inline`"),
        (URL + f"sha256 = '{DIGEST}'\npath = 'x'",
         "source[0].path means nothing for a source of kind `url`"),
    ],
)  # fmt: skip
def test_what_a_source_does_not_use_is_refused(text: str, message: str) -> None:
    """RCP-09."""
    assert messages(HEAD + text) == [message]


@pytest.mark.parametrize("type_", ["array", "object"])
def test_an_option_is_a_single_value(type_: str) -> None:
    """PRM-03: it stands in build keys."""
    text = f"[options.p]\ntype = '{type_}'\ndefault = 'x'\n"
    assert "options.p.type is no type of an option" in messages(HEAD + text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[action.a]", "action.a.argv is missing"),
        ("[action.a]\nargv = []", "action.a.argv must name a program"),
        (ACTION + "pre = [[]]", "action.a.pre[0] must name a program"),
        (ACTION + 'post = [["x"], []]', "action.a.post[1] must name a program"),
        (ACTION + "timeout = 0", "action.a.timeout must be at least 1"),
        (ACTION + "timeout = 0x7fffffff", "action.a.timeout must be at most 1000000"),
        (ACTION + "inputs.x = {type = 'int'}\nparams.x = {type = 'int'}",
         "action.a.params.x is an input and a param at once"),
        (ACTION + "inputs.x = 'int'", "action.a.inputs.x must be a table, not a text"),
        ("[metrics.m]\nreference = 1\ntolerance = 0", ("metrics.m is no output of the action "
         "`validate`")),
        (ACTION + '[metrics.m]\naction = "a"\nreference = 1\ntolerance = 0',
         "metrics.m is no output of the action `a`"),
        ("[metrics.m]\nreference = 1", "metrics.m.tolerance is missing"),
        ("[metrics.m]\nreference = 1\ntolerance = -1", ("metrics.m.tolerance `-1` does not have "
         "the form `[0-9]+(?:\\.[0-9]+)?`")),
        ("[metrics.m]\nreference = nan\ntolerance = 1", ("metrics.m.reference `NaN` does not have "
         "the form `-?[0-9]+(?:\\.[0-9]+)?`")),
    ],
)  # fmt: skip
def test_a_fault_of_an_action_or_metric_is_told(text: str, message: str) -> None:
    """ACT-01, MET-01."""
    assert messages(HEAD + text) == [message]


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a=b", "-a", "a/b", "é", "a\\u0000", "a" * 65])
@pytest.mark.parametrize(
    "head",
    ["[options.{}]\ntype = 'bool'\ndefault = true", "[action.{}]\nargv = ['x']",
     ACTION + "[action.a.inputs.{}]\ntype = 'int'", ACTION + "[action.a.outputs.{}]\ntype = 'int'"],
    ids=["option", "action", "input", "output"],
)  # fmt: skip
def test_what_is_named_on_a_command_line_has_a_plain_name(head: str, name: str) -> None:
    (found,) = messages(HEAD + head.replace("{}", f'"{name}"'))
    assert found.endswith("does not have the form `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[requires]\nZlib = ''", "requires.Zlib is not a component's name"),
        ("[requires.build]\nbuild = ''", "requires.build.build is not a component's name"),
        ("[requires.build]\n'@cpu' = ''", 'requires.build."@cpu" is not a component\'s name'),
        ("[requires]\n'@cpus' = ''", ('requires."@cpus" cannot be required: there is no '
         "capability `@cpus`")),
        ("[requires]\nzlib = '1.2'", ("requires.zlib.version `1.2` is not a range of versions; "
         "`1.2` is not a clause")),
        ("[requires]\nzlib = 1", "requires.zlib must be a table, not a whole number"),
        ("[requires]\nzlib = {version = '', extern = ''}", ("requires.zlib.extern is not a known "
         "key")),
        ("[requires]\nbuild = 3", "requires.build must be a table of tables, not a whole number"),
        ("[requires]\nzlib = {external = 'no'}", ("requires.zlib.external must be one of `allow`, "
         "`prefer`, `forbid`")),
        (OPTION + "[requires]\nzlib = {options = {x = '{option.p}'}}",
         "requires.zlib.options.x names the option `p`, which this component does not have"),
        ("[requires.target]\nzlib = {options = {x = 'a{option.p}'}}",
         "requires.target.zlib.options.x names the option `p`, which this component does not have"),
    ],
)  # fmt: skip
def test_a_fault_of_a_requirement_is_told(text: str, message: str) -> None:
    """REQ-01, REQ-02, NAM-02, NAM-03."""
    assert messages(HEAD + text) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[provides]\nX = '1'", "provides.X is not a component's name"),
        ("[conflicts]\n'@cpu' = ''", "conflicts.\"@cpu\" is not a component's name"),
        ("[replaces]\nbuild = ''", "replaces.build is not a component's name"),
        ("[provides]\n'lab/sample' = '1'", 'provides."lab/sample" is the component itself'),
        ("[conflicts]\n'lab/sample' = '<1'", 'conflicts."lab/sample" is the component itself'),
        ("[provides]\nx = '>=1'", "provides.x `>=1` is not a version"),
        ("[conflicts]\nx = '1'", ("conflicts.x `1` is not a range of versions; `1` is not a "
         "clause")),
        ("[replaces]\nx = true", ("replaces.x `true` is not a range of versions; `true` is not a "
         "clause")),
        ("[provides]\nx = {}", "provides.x must be a text, not a table"),
        ("provides = ['x']", "package.provides is not a known key"),
        ("[[provides]]\nx = ''", "provides must be a table, not an array"),
        ("[[when]]\nmatch = {}\nconflicts.X = ''", ("when[0].conflicts.X is not a component's "
         "name")),
    ],
)  # fmt: skip
def test_a_fault_of_what_is_provided_or_excluded_is_told(text: str, message: str) -> None:
    """REQ-05, REQ-06, REQ-07."""
    assert messages(HEAD + text) == [message]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("", "when[0] needs a `match` table"),
        ("match = 3", "when[0] needs a `match` table"),
        ("match = { oss = 'linux' }", "when[0].match.oss is not a known key"),
        ("match = { os = 3.5 }\n[when.match2]", "when[0].match2 is not a known key"),
        ("match = { os = { a = 1 } }", "when[0].match.os must be a text or an array of texts"),
        ("match = { libc = 'glibc' }", "when[0].match.libc must read like `gnu>=2.28` or `musl`"),
        ("match = { libc = 'gnu>=x' }", "when[0].match.libc must read like `gnu>=2.28` or `musl`"),
        ("match = { option = 3 }", "when[0].match.option must be a table of options"),
        ("match = { option.p = 'a' }", "when[0].match.option.p is not a known key"),
        ("match = { option.o = 'c' }", ("when[0].match.option.o `c` is no value for `o`; it must "
         "be one of `a`, `b`")),
        ("match = { option.o = ['a', 'c'] }", ("when[0].match.option.o `c` is no value for `o`; it "
         "must be one of `a`, `b`")),
        ("match = { option.o = 1979-05-27 }", ("when[0].match.option.o must be a value or an array "
         "of values")),
        ("match = { option.o = { a = 1 } }", ("when[0].match.option.o must be a value or an array "
         "of values")),
        ("match = { option.o = 0x1" + "0" * 4000 + " }", ("when[0].match.option.o must be a value "
         "or an array of values")),
        ("match = {}\noptions.q = { type = 'bool', default = true }",
         "when[0].options cannot depend on the platform or an option"),
        ("match = {}\npackage.version = '2'",
         "when[0].package cannot depend on the platform or an option"),
        ("match = {}\nversions.x = {}",
         "when[0].versions cannot depend on the platform or an option"),
        ("match = {}\nwhen = []", "when[0].when cannot depend on the platform or an option"),
        ("match = {}\nbuilt = {}", "when[0].built is not a known key"),
        ("match = {}\nbuild = 3", "when[0].build must be a table, not a whole number"),
        ("match = {}\nbuild.driver = 'make'\nbuild.cmake = {}",
         "when[0].build.cmake is a table of another driver than `make`"),
        ("match = {}\n[[when.source]]\nkind = 'local'", "when[0].source[0].path is missing"),
        ("match = {}\nrequires.x = '1'", ("when[0].requires.x.version `1` is not a range of "
         "versions; `1` is not a clause")),
    ],
)  # fmt: skip
def test_a_fault_of_a_block_is_told_at_the_block(block: str, message: str) -> None:
    """DOC-04, DOC-05."""
    text = f'{HEAD}{OPTION}[[source]]\nkind = "local"\npath = "x"\n[[when]]\n{block}'
    assert messages(text) == [message]


def test_what_stands_behind_the_base_is_counted_from_the_block() -> None:
    """SCH-01: the second source of the merged list is the first one of the block."""
    text = f'{HEAD}[[source]]\nkind = "local"\npath = "x"\n[[when]]\nmatch = {{}}\n'
    text += '[[when.source]]\nkind = "local"\npath = "y"\ninto = ".."\n'
    (fault,) = faults(text)
    assert (fault.path, fault.line) == ("when[0].source[0].into", 15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when = 3\n", "when must be an array of tables, written `[[when]]`"),
        ("when = {}\n", "when must be an array of tables, written `[[when]]`"),
        ("when = [3]\n", "when[0] needs a `match` table"),
        ("requires = 3\n", "requires must be a table"),
        ("package = 3\n", "package must be a table, not a whole number"),
        ("versions = 3\n", "versions must be a table of tables"),
        ("versions = { a = 3 }\n", "versions must be a table of tables"),
    ],
)
def test_a_table_that_is_none_is_a_fault(text: str, message: str) -> None:
    """SCH-01."""
    assert message in messages(text + ("" if "package" in text else HEAD))


def test_a_fault_of_a_version_is_told_whichever_version_is_made() -> None:
    """SCH-01, DOC-02."""
    text = HEAD + '[versions."1.3"]\nbuild.driver = "nmake"\n[versions.x]\n'
    assert messages(text) == [
        (
            'versions."1.3".build.driver must be one of `make`, `cmake`, `copy`, `headers`, '
            "`script`, `autotools`, `configure`, `meson`, `python`, `cargo`"
        ),
        "versions.x.package.version `x` is not a version",
    ]


def test_every_fault_is_told_once() -> None:
    """SCH-01: not again for each block that the faulty base is merged with."""
    text = HEAD + "[bild]\n[build]\ndriver = 'make'\n[build.cmake]\n" + "[[when]]\nmatch = {}\n" * 3
    assert messages(text) == ["bild is not a known key"]
    assert messages(text.replace("[bild]\n", "")) == [
        "build.cmake is a table of another driver than `make`"
    ]


def test_the_number_of_blocks_is_limited() -> None:
    """DOC-04: each block is judged as merged into the whole recipe."""
    most = HEAD + "[[when]]\nmatch = {}\n" * limits.MAX_WHEN_BLOCKS
    assert document(most)
    assert messages(most + "[[when]]\nmatch = {}") == [
        f" has more than {limits.MAX_WHEN_BLOCKS} blocks `[[when]]`"
    ]


def test_tables_are_not_nested_without_end() -> None:
    """LCK-03: a long key is refused before it is read, since each of its parts would be kept."""
    assert messages(HEAD + "[" + ".".join("a" * 100) + "]") == [
        f" a key has more than {limits.MAX_TOML_DEPTH} parts"
    ]
    assert messages(HEAD + "a = " + "[" * 50 + "]" * 50) == [
        f" tables are nested deeper than {limits.MAX_TOML_DEPTH} levels"
    ]
