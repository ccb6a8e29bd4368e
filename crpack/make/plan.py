"""The plan of one build: everything that will be run and written, before anything is.

Rules (SPEC BLD-06):
- Pure: the same arguments give the same plan; nothing is opened, read or asked.
- The environment is built from nothing: fixed values, the build's own folders, and what the
  dependencies export. Nothing of the user's environment is in it (SPEC BLD-08).
- The build key is made of the same values with placeholders for folders.
"""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crpack.errors import Fault, ManifestError
from crpack.make import cpu, equipment, globs
from crpack.make.drivers.table import DRIVERS
from crpack.make.key import Dependency, External, Ingredients, build_key
from crpack.make.steps import Folders, Step, Task, Work
from crpack.make.toolchains import Toolbox
from crpack.model import placeholders, platforms
from crpack.model.platforms import Platform
from crpack.model.recipe import Exports, Outputs, Source
from crpack.process import environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crpack.model.recipe import Build, Recipe, Test

_SYMBOLIC = Folders("{source}", "{build}", "{out}", "{home}", "{tmp}")
_ON_PATH = ("cmake", "make", "ninja", "pkg-config")
_NOT_HERE = {"device": "the device", "emulator": "an emulator, which this version does not run"}
_SYSTEM = ("/", "/usr", "/usr/local")


@dataclass(frozen=True, slots=True)
class DepRoot:
    """A dependency as a build sees it.

    Attributes:
        path: its root folder, absolute.
        tree: digest of its tree; empty for detected software.
        exports: what it offers.
        context: `build` for a tool that runs here, `target` for what is linked in.
        externals: the files it consists of, for detected software.
    """

    path: str
    tree: str = ""
    exports: Exports = field(default_factory=Exports)
    context: str = "target"
    externals: tuple[External, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One source as fetched: the recipe's entry, and what its bytes must be."""

    source: Source
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Trial:
    """The test of a result: steps, or the reason why it is not run.

    `expect` is a regular expression searched in the last step's standard output; `timeout` is in
    seconds for each step.
    """

    steps: tuple[Step, ...] = ()
    expect: str = ""
    timeout: int = 60
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class MakePlan:
    """Everything that one build will do.

    Attributes:
        component: name and version, for people.
        target: platform of the result; `any` where the recipe says so.
        folders: of this build.
        sources: what is unpacked into `folders.source`, in order.
        work: files, steps and copies.
        outputs: what must be there afterwards.
        test: steps on the result.
        roots: folders of the dependencies, which the steps read.
        programs: compilers and tools that the steps may start.
        libraries: folders of libraries of dependencies made by crpack.
        ingredients: what the build key is made of.
    """

    component: str
    target: Platform
    folders: Folders
    sources: tuple[SourceItem, ...]
    work: Work
    outputs: Outputs
    test: Trial
    roots: tuple[str, ...]
    programs: tuple[str, ...]
    libraries: tuple[str, ...]
    ingredients: Ingredients

    @property
    def key(self) -> str:
        """The build key (SPEC KEY-01)."""
        return build_key(self.ingredients)


def plan(
    recipe: Recipe,
    *,
    recipe_sha256: str,
    options: tuple[tuple[str, str], ...],
    target: Platform,
    toolbox: Toolbox,
    deps: Mapping[str, DepRoot],
    folders: Folders,
    sources: tuple[SourceItem, ...],
    jobs: int,
    python: str = "",
) -> MakePlan:
    """Return the plan of a build (SPEC BLD-06).

    Args:
        recipe: merged for the target and the options; it has a `[build]` table.
        recipe_sha256: of `recipe.json`, for the build key.
        options: build options, name and value as text.
        target: the platform to make for.
        toolbox: from `equipment.equip`.
        deps: dependencies by name.
        folders: five absolute paths; they need not exist yet.
        sources: in the recipe's order, with digests.
        jobs: how many compilers may run at once; at least 1.
        python: interpreter of the generation for tests; empty when there is none yet.

    Raises:
        BuildFailed: a program that the driver needs was not found.
        ManifestError: an unknown placeholder, a path that leaves its folder, `-march=native`.
    """
    build = _checked(recipe)
    result = platforms.ANY if build.platform == "any" else target
    values = {
        **_toolbox_values(toolbox, target),
        **_named_values(options, deps),
        "source": folders.source,
        "build": folders.build,
        "out": folders.out,
        "jobs": str(jobs),
    }
    env = _environment(toolbox, deps, folders)
    prefixes = tuple(dep.path for dep in deps.values() if dep.path not in _SYSTEM)
    task = Task(build, folders, toolbox, target, tuple(sorted(values.items())), env, prefixes, jobs)
    work = DRIVERS[build.driver].work(task)
    cpu.refuse_native((" ".join(step.argv) for step in work.steps), where=f"build.{build.driver}")
    return MakePlan(
        component=f"{recipe.package.name} {recipe.package.version}",
        target=result,
        folders=folders,
        sources=sources,
        work=work,
        outputs=recipe.outputs,
        test=_test(recipe.test, toolbox, task, python),
        roots=tuple(dep.path for dep in deps.values()),
        programs=_programs(build, toolbox),
        libraries=tuple(
            f"{dep.path}/{folder}"
            for dep in deps.values()
            if dep.tree
            for folder in dep.exports.lib
        ),
        ingredients=Ingredients(
            recipe=recipe_sha256,
            options=options,
            sources=tuple(item.sha256 for item in sources),
            target=result,
            toolchain=toolbox.toolchain,
            tools=_versions(build, toolbox),
            environment=_symbolic_environment(deps),
            dependencies=tuple(Dependency(d.context, n, d.tree) for n, d in deps.items()),
            externals=tuple(file for dep in deps.values() for file in dep.externals),
        ),
    )


def _checked(recipe: Recipe) -> Build:
    if recipe.build is None:
        raise ManifestError(
            f"`{recipe.package.name}` has no `[build]` table and cannot be made from source"
        )
    if recipe.build.subdir:
        globs.check(recipe.build.subdir, where="build.subdir")
    for role, patterns in recipe.outputs.by_role():
        for pattern in patterns:
            globs.check(pattern, where=f"outputs.{role}")
    return recipe.build


def _toolbox_values(toolbox: Toolbox, target: Platform) -> dict[str, str]:
    values = {f"tool.{name}": path for name, path in toolbox.tools}
    chain = toolbox.toolchain
    if chain is None:
        return {**values, "target.triple": platforms.spelling(target, "gnu")}
    for name in ("cc", "cxx", "ar", "ranlib", "strip"):
        values[f"tool.{name}"] = getattr(chain, name)
    flags = " ".join(chain.cpu_flags)
    return {**values, "target.triple": chain.triple, "target.cpu_flags": flags}


def _named_values(
    options: tuple[tuple[str, str], ...], deps: Mapping[str, DepRoot]
) -> dict[str, str]:
    named = {f"option.{name}": value for name, value in options}
    return named | {f"dep.{name}": dep.path for name, dep in deps.items()}


def _environment(
    toolbox: Toolbox, deps: Mapping[str, DepRoot], folders: Folders
) -> tuple[tuple[str, str], ...]:
    exported = {
        name: placeholders.render(text, {"prefix": dep.path}, where="exports.env")
        for dep in deps.values()
        for name, text in dep.exports.env
    }
    linked = [dep for dep in deps.values() if dep.context != "build"]
    search = {
        "CPATH": _below(linked, "include"),
        "LIBRARY_PATH": _below(linked, "lib"),
        "PKG_CONFIG_LIBDIR": _below(linked, "pkgconfig"),
    }
    keep = {name: os.pathsep.join(paths) for name, paths in search.items()}
    tools = tuple(dep for dep in deps.values() if dep.context == "build")
    path = (*_below(tools, "bin"), *environment.SYSTEM_PATH, *_tool_folders(toolbox))
    fixed = environment.clean(keep, home=folders.home, tmp=folders.tmp, path=path)
    return tuple(sorted({**exported, **fixed}.items()))


def _below(deps: Iterable[DepRoot], export: str) -> tuple[str, ...]:
    """Return the folders of one export; what compilers search anyway is left out."""
    return tuple(
        f"{dep.path}/{folder}"
        for dep in deps
        if dep.path not in _SYSTEM or export == "pkgconfig"
        for folder in getattr(dep.exports, export)
    )


def _tool_folders(toolbox: Toolbox) -> tuple[str, ...]:
    """Return the folders of build tools outside of the system's, each once, in order.

    Of other programs only those that a recipe names by `{tool.NAME}` are used.
    """
    folders = dict.fromkeys(os.path.dirname(path) for path in _started(toolbox, _ON_PATH))
    return tuple(folder for folder in folders if folder not in environment.SYSTEM_PATH)


def _started(toolbox: Toolbox, names: Iterable[str]) -> tuple[str, ...]:
    """Return the paths of the compilers and of the tools with these names."""
    chain = toolbox.toolchain
    compilers = (chain.cc, chain.cxx) if chain else ()
    return (*compilers, *(path for name, path in toolbox.tools if name in names))


def _programs(build: Build, toolbox: Toolbox) -> tuple[str, ...]:
    """Return the programs that the steps may start, by their PATH or by their path."""
    if not DRIVERS[build.driver].runs:
        return ()
    return _started(toolbox, (*_ON_PATH, *equipment.tools(build)))


def _versions(build: Build, toolbox: Toolbox) -> tuple[tuple[str, str], ...]:
    """Return name and version of the tools that shape the result (SPEC KEY-07)."""
    names = {*DRIVERS[build.driver].tools, *equipment.tools(build)}
    return tuple(pair for pair in toolbox.versions if pair[0] in names)


def _test(test: Test | None, toolbox: Toolbox, task: Task, python: str) -> Trial:
    if test is None or not test.steps:
        return Trial(skipped="the recipe has no test")
    _check_pattern(test.expect)
    if test.needs != "native":
        return Trial(skipped=f"the test needs {_NOT_HERE[test.needs]}")
    if not toolbox.platform.accepts(task.target.base):
        return Trial(skipped=f"a result for `{task.target}` cannot run on `{toolbox.platform}`")
    words = [word for argv in test.steps for word in argv]
    if "python" in placeholders.names(words) and not python:
        return Trial(skipped="the test needs the interpreter of an installed solution")
    values = {"self": task.folders.out, "python": python}
    values |= {name: text for name, text in task.values if name.startswith(("option.", "dep."))}
    argvs = (
        placeholders.render_all(argv, values, where=f"test.steps.{number}")
        for number, argv in enumerate(test.steps)
    )
    steps = tuple(
        Step(f"test {number}", argv, task.folders.tmp, task.env)
        for number, argv in enumerate(argvs, 1)
    )
    return Trial(steps, test.expect, test.timeout)


def _check_pattern(expect: str) -> None:
    try:
        re.compile(expect)
    except (re.error, RecursionError, OverflowError) as error:
        fault = Fault("test.expect", f"is not a regular expression: {error}")
        raise ManifestError("`test.expect` is not a regular expression", faults=[fault]) from error


def _symbolic_environment(deps: Mapping[str, DepRoot]) -> tuple[tuple[str, str], ...]:
    """Return the environment as it enters the build key: no folder of this machine."""
    symbolic = {name: replace(dep, path=f"{{dep.{name}}}") for name, dep in deps.items()}
    return _environment(Toolbox(), symbolic, _SYMBOLIC)
