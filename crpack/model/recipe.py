"""The recipe: what an author writes in `crpack.toml`.

Rules (SPEC RCP-01…):
- One file a component. Unknown keys are faults; all faults are reported, with their places.
- What a recipe says for one platform and one choice of options is its base with every matching
  `[[when]]` block merged in file order: arrays append, other values replace.
- Commands are arrays of texts, never a shell's line.
- The document travels in an archive as canonical JSON (`recipe.json`), decimals as texts; the
  values here are made from it again for the machine that installs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crpack.model import names, versions
from crpack.model.limits import MAX_TIMEOUT
from crpack.model.manifest import Kind
from crpack.model.parameters import Parameter
from crpack.model.probe import Probe
from crpack.model.requirements import Requirement, check_distribution
from crpack.model.schema import hidden, spec

Driver = Literal[
    "make",
    "cmake",
    "copy",
    "headers",
    "script",
    "autotools",
    "configure",
    "meson",
    "python",
    "cargo",
]
Argv = tuple[str, ...]
Choices = tuple[tuple[str, tuple[str, ...]], ...]  # names, each with the values that it may have
LINE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*"  # nothing that ends a line or moves a cursor
RELATIVE = r"[^/\0][^\0]*"
_SHA256 = "(?:[0-9a-f]{64})?"
_GIT_ID = "(?:[0-9a-f]{40})?"
WORD = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"  # name of an option, an action, a parameter, a metric


@dataclass(frozen=True, slots=True)
class Package:
    """The `[package]` table: who the component is."""

    kind: Kind
    summary: str = spec(pattern=LINE)
    license: str = spec(pattern=LINE)
    name: str = spec(check=names.check_name)
    version: str = spec(check=versions.parse)
    revision: int = spec(0, minimum=0)
    upstream_version: str = spec("", pattern=LINE)
    authors: tuple[str, ...] = spec((), pattern=LINE)
    homepage: str = spec("", pattern=LINE)
    paper: str = spec("", pattern=LINE)
    needs_crpack: str = spec("", check=versions.parse_range)


@dataclass(frozen=True, slots=True)
class Python:
    """The `[python]` table: distributions for the generation's environment, PEP 508."""

    requires: tuple[str, ...] = spec((), check=check_distribution)
    python: str = spec("", check=versions.parse_range)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another archive of a source; without `urls` only mirrors and archives have it."""

    sha256: str = spec(pattern="[0-9a-f]{64}")
    urls: tuple[str, ...] = ()
    size: int = spec(0, minimum=0)


@dataclass(frozen=True, slots=True)
class Source:
    """One `[[source]]`: where the material comes from and what it must be.

    `size` is in bytes (0: not stated); `sha256` is of the file as fetched, or of the plain tar
    made of local files (SPEC RCP-07). `commit` and `tree` are Git's ids of what an archive of the
    kind `git` holds (SPEC RCP-11).
    """

    kind: Literal["local", "inline", "url", "git"]
    path: str = spec("", pattern=f"(?:{RELATIVE})?")
    into: str = spec("", pattern=f"(?:{RELATIVE})?")
    text: str = ""
    urls: tuple[str, ...] = ()
    size: int = spec(0, minimum=0)
    sha256: str = spec("", pattern=_SHA256)
    strip: int = spec(0, minimum=0)
    commit: str = spec("", pattern=_GIT_ID)
    tree: str = spec("", pattern=_GIT_ID)
    alternatives: tuple[Alternative, ...] = ()

    @property
    def elsewhere(self) -> bool:
        """Whether it is fetched, not the author's own file."""
        return self.kind in ("url", "git")

    @property
    def stated(self) -> bool:
        """Whether the recipe alone tells what file it is, so that it need not be fetched."""
        return self.elsewhere and bool(self.sha256)

    def archives(self) -> tuple[Alternative, ...]:
        """Return the archives that serve as this source and whose digests are stated, best first.

        Of a packed source this is its tar.
        """
        first = (Alternative(self.sha256, self.urls, self.size),) if self.sha256 else ()
        return (*first, *self.alternatives)


@dataclass(frozen=True, slots=True)
class MakeTable:
    """`[build.make]`: variables and targets; installed with `DESTDIR` and an empty `PREFIX`."""

    vars: tuple[tuple[str, str], ...] = ()
    targets: tuple[str, ...] = ()
    install: tuple[str, ...] = ("install",)


@dataclass(frozen=True, slots=True)
class CMakeTable:
    """`[build.cmake]`: cache definitions and targets."""

    defines: tuple[tuple[str, str], ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CopyRule:
    """Files of the source tree by glob, and the folder of the result that they go to."""

    from_: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class CopyTable:
    """`[build.copy]`; without rules the whole source tree is the result."""

    files: tuple[CopyRule, ...] = ()


@dataclass(frozen=True, slots=True)
class HeadersTable:
    """`[build.headers]`: the folder whose files become `include/`."""

    from_: str = "include"


@dataclass(frozen=True, slots=True)
class ScriptTable:
    """`[build.script]`: steps, each an argv."""

    steps: tuple[Argv, ...] = ()


@dataclass(frozen=True, slots=True)
class AutotoolsTable:
    """`[build.autotools]`: arguments of `configure` and targets of make.

    `bootstrap` are steps in the source tree that make `configure`, such as `autoreconf -fi`.
    """

    args: tuple[str, ...] = ()
    bootstrap: tuple[Argv, ...] = ()
    targets: tuple[str, ...] = ()
    install: tuple[str, ...] = ("install",)


@dataclass(frozen=True, slots=True)
class ConfigureTable:
    """`[build.configure]`: a script written by hand, as zlib's; `vars` are its environment."""

    args: tuple[str, ...] = ()
    vars: tuple[tuple[str, str], ...] = ()
    targets: tuple[str, ...] = ()
    install: tuple[str, ...] = ("install",)


@dataclass(frozen=True, slots=True)
class MesonTable:
    """`[build.meson]`: options of the project and of Meson."""

    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PythonTable:
    """`[build.python]`: a wheel of the source tree; `settings` go to its build backend."""

    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CargoTable:
    """`[build.cargo]`: features, and programs (all without any)."""

    features: tuple[str, ...] = ()
    bins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Build:
    """The `[build]` table: one driver and its one table.

    `platform = "any"` says that the result is the same on every platform.
    """

    driver: Driver
    platform: Literal["", "any"] = ""
    subdir: str = spec("", pattern=f"(?:{RELATIVE})?")
    make: MakeTable = MakeTable()
    cmake: CMakeTable = CMakeTable()
    copy: CopyTable = CopyTable()
    headers: HeadersTable = HeadersTable()
    script: ScriptTable = ScriptTable()
    autotools: AutotoolsTable = AutotoolsTable()
    configure: ConfigureTable = ConfigureTable()
    meson: MesonTable = MesonTable()
    python: PythonTable = PythonTable()
    cargo: CargoTable = CargoTable()


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files that must exist after the build, as globs by role."""

    exe: tuple[str, ...] = ()
    lib: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    cmake: tuple[str, ...] = ()
    pkgconfig: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    dataset: tuple[str, ...] = ()
    script: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    wheel: tuple[str, ...] = ()

    def by_role(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return role and globs of every role that declares some."""
        roles = tuple((role, getattr(self, role)) for role in Outputs.__slots__)
        return tuple((role, globs) for role, globs in roles if globs)


@dataclass(frozen=True, slots=True)
class Exports:
    """What a result offers to builds and runs: folders relative to it, and environment."""

    bin: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    lib: tuple[str, ...] = ()
    cmake: tuple[str, ...] = ()
    pkgconfig: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """The `[test]` table: steps run on the result; `timeout` in seconds for each."""

    steps: tuple[Argv, ...]
    expect: str = ""
    timeout: int = spec(60, minimum=1, maximum=MAX_TIMEOUT)
    needs: Literal["native", "emulator", "device"] = "native"


@dataclass(frozen=True, slots=True)
class Action:
    """One `[action.NAME]`: what a solution can do; `timeout` in seconds."""

    argv: Argv
    help: str = spec("", pattern=LINE)
    inputs: tuple[Parameter, ...] = spec((), named=True, pattern=WORD)
    params: tuple[Parameter, ...] = spec((), named=True, pattern=WORD)
    outputs: tuple[Parameter, ...] = spec((), named=True, pattern=WORD)
    pre: tuple[Argv, ...] = ()
    post: tuple[Argv, ...] = ()
    timeout: int = spec(3600, minimum=1, maximum=MAX_TIMEOUT)
    name: str = hidden()


@dataclass(frozen=True, slots=True)
class Constraint:
    """One `[[constraint]]`: with all values of `match`, those of `only` alone (SPEC RCP-15)."""

    match: Choices
    only: Choices


@dataclass(frozen=True, slots=True)
class Metric:
    """One `[metrics.NAME]`: what makes a result valid; numbers are decimal texts."""

    reference: str = spec(scalar=True, pattern=r"-?[0-9]+(?:\.[0-9]+)?")
    tolerance: str = spec(scalar=True, pattern=r"[0-9]+(?:\.[0-9]+)?")
    action: str = "validate"
    unit: str = "1"
    direction: Literal["higher", "lower"] = "higher"
    name: str = hidden()


@dataclass(frozen=True, slots=True)
class Expected:
    """One output of a golden run, and what it must be (SPEC GLD-02).

    `value` is its text, `file` a file of the component's result that holds it as JSON, `sha256`
    that of the file that it names. Numbers may differ by `tolerance`.
    """

    value: str | None = spec(None, scalar=True)
    file: str = spec("", pattern=f"(?:{RELATIVE})?")
    sha256: str = spec("", pattern=_SHA256)
    tolerance: str = spec("0", scalar=True, pattern=r"[0-9]+(?:\.[0-9]+)?")
    name: str = hidden()


@dataclass(frozen=True, slots=True)
class Golden:
    """One `[[golden]]`: an action with its input, and what it must answer (SPEC GLD-01)."""

    action: str = "run"
    input: tuple[tuple[str, str], ...] = ()
    expect: tuple[Expected, ...] = spec((), named=True, pattern=WORD)


@dataclass(frozen=True, slots=True)
class Requires:
    """The three contexts: run time on the target, tools of the build, libraries linked in.

    `machine` has what is required of capabilities of the machine that it runs on (SPEC REQ-08).
    """

    run: tuple[Requirement, ...] = ()
    build: tuple[Requirement, ...] = ()
    target: tuple[Requirement, ...] = ()
    machine: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe for one platform and one choice of options.

    `provides` pairs names with versions (empty: none), `conflicts` and `replaces` with ranges
    (SPEC REQ-05 to REQ-07); all are sorted by name.
    """

    package: Package
    options: tuple[Parameter, ...] = spec((), named=True, pattern=WORD)
    provides: tuple[tuple[str, str], ...] = spec((), check=versions.check_provided)
    conflicts: tuple[tuple[str, str], ...] = spec((), check=versions.parse_range)
    replaces: tuple[tuple[str, str], ...] = spec((), check=versions.parse_range)
    python: Python = Python()
    source: tuple[Source, ...] = ()
    build: Build | None = None
    outputs: Outputs = Outputs()
    exports: Exports = Exports()
    probe: tuple[Probe, ...] = ()
    test: Test | None = None
    action: tuple[Action, ...] = spec((), named=True, pattern=WORD)
    constraint: tuple[Constraint, ...] = ()
    metrics: tuple[Metric, ...] = spec((), named=True, pattern=WORD)
    golden: tuple[Golden, ...] = ()
    requires: Requires = hidden(Requires())  # noqa: RUF009 - a frozen value

    @property
    def build_options(self) -> tuple[Parameter, ...]:
        """The options that enter the build key."""
        return tuple(option for option in self.options if option.scope == "build")
