"""The plan of one build: everything that will be run and written, before anything is.

Rules (SPEC BLD-06):
- Pure: the same arguments give the same plan; nothing is opened, read or asked.
- What toolchain and emulator generate is written below the build folder, and named by its place.
- The build key is made of the same values with placeholders for folders.
"""

from __future__ import annotations

import os.path
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.errors import ManifestError
from crpack.make import cpu, environment, equipment, globs
from crpack.make.dependencies import SYSTEM, Deps, below, placed, run_path
from crpack.make.drivers.table import DRIVERS
from crpack.make.key import Dependency, Ingredients, build_key
from crpack.make.steps import Folders, Link, Task, TextFile, Work, prefix_maps
from crpack.make.toolchains.chain import PARTS
from crpack.make.trial import Trial, trial
from crpack.model import placeholders, platforms
from crpack.model.platforms import Platform
from crpack.model.recipe import Outputs, Source

if TYPE_CHECKING:
    from crpack.make.toolbox import Toolbox
    from crpack.model.recipe import Build, Recipe

_GENERATED = "crpack-tools"  # folder of the build folder


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One source as fetched: the recipe's entry, and what its bytes must be."""

    source: Source
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class MakePlan:
    """Everything that one build will do.

    Attributes:
        component: name and version, for people.
        target: platform of the result; `any` where the recipe says so.
        folders: of this build.
        sources: what is unpacked into `folders.source`, in order.
        links: made before the first step.
        work: files, steps and copies.
        outputs: what must be there afterwards.
        test: steps on the result.
        roots: folders that the steps read: dependencies, and what compilers have elsewhere.
        trees: those of dependencies made by crpack; no result may name them.
        programs: compilers and tools that the steps may start.
        libraries: folders of libraries of linked dependencies made by crpack; those of Windows
            stand beside programs.
        caches: folders beside the build's own that the steps write, for later builds.
        ingredients: what the build key is made of.
    """

    component: str
    target: Platform
    folders: Folders
    sources: tuple[SourceItem, ...]
    links: tuple[Link, ...]
    work: Work
    outputs: Outputs
    test: Trial
    roots: tuple[str, ...]
    trees: tuple[str, ...]
    programs: tuple[str, ...]
    libraries: tuple[str, ...]
    caches: tuple[str, ...]
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
    deps: Deps,
    folders: Folders,
    sources: tuple[SourceItem, ...],
    jobs: int,
    python: str = "",
    ccache: str = "",
) -> MakePlan:
    """Return the plan of a build (SPEC BLD-06).

    Args:
        recipe: merged for the target and the options; it has a `[build]` table.
        recipe_sha256: of `recipe.json`, for the build key.
        options: build options, name and value as text.
        target: the platform to make for.
        toolbox: from `equipment.equip`.
        deps: dependencies by name; one name may stand once in each context.
        folders: five absolute paths; they need not exist yet.
        sources: in the recipe's order, with digests.
        jobs: how many compilers may run at once; at least 1.
        python: interpreter of the generation for tests; empty when there is none yet.
        ccache: folder of this component that outlives builds, for what compilers made; empty for
            none. Where ccache was not found it does nothing (SPEC BLD-28).

    Raises:
        BuildFailed: a program that the driver needs was not found.
        ManifestError: an unknown placeholder, a path that leaves its folder, `-march=native`.
    """
    build = _checked(recipe)
    result = platforms.ANY if build.platform == "any" else target
    compiled = toolbox.platform if build.platform == "any" else target
    beside = f"{folders.build}/{_GENERATED}"
    box = _at(toolbox, beside)
    near, links = placed(deps, folders)
    cache = ccache if toolbox.has("ccache") else ""
    task = _task(build, box, compiled, near, folders, options=options, jobs=jobs, cache=cache)
    work = DRIVERS[build.driver].work(task)
    cpu.refuse_native((" ".join(step.argv) for step in work.steps), where=f"build.{build.driver}")
    made = tuple(dep for _, dep in deps if dep.tree and dep.linked)
    libraries = (*below(made, "lib"), *(below(made, "bin") if target.os == "windows" else ()))
    return MakePlan(
        component=f"{recipe.package.name} {recipe.package.version}",
        target=result,
        folders=folders,
        sources=sources,
        links=links,
        work=replace(work, files=(*_generated(toolbox, beside), *work.files)),
        outputs=_outputs(recipe.outputs, task),
        test=trial(recipe.test, task, libraries=libraries, python=python),
        roots=(*(dep.path for _, dep in deps), *_folders(toolbox)),
        trees=tuple(dep.path for _, dep in deps if dep.tree),
        programs=_programs(build, toolbox),
        libraries=libraries,
        caches=(cache,) if cache else (),
        ingredients=Ingredients(
            recipe=recipe_sha256,
            options=options,
            sources=tuple(item.sha256 for item in sources),
            target=result,
            toolchain=toolbox.toolchain,
            tools=_versions(build, toolbox),
            environment=environment.symbolic(build, toolbox, compiled, deps),
            dependencies=tuple(Dependency(d.context, n, d.tree) for n, d in deps),
            externals=tuple(file for _, dep in deps for file in dep.externals),
        ),
    )


def _task(
    build: Build,
    toolbox: Toolbox,
    target: Platform,
    deps: Deps,
    folders: Folders,
    *,
    options: tuple[tuple[str, str], ...],
    jobs: int,
    cache: str,
) -> Task:
    values = {
        **_toolbox_values(toolbox, target),
        **_named_values(options, deps),
        "source": folders.source,
        "build": folders.build,
        "out": folders.out,
        "jobs": str(jobs),
    }
    env = dict(environment.of_steps(build, toolbox, target, deps, folders))
    env |= dict(toolbox.emulator.env)
    if cache:
        env |= environment.caching(cache, folders, toolbox.toolchain)
    elsewhere = tuple((name, dep) for name, dep in deps if dep.path not in SYSTEM)
    linked = tuple(dep for _, dep in elsewhere if dep.linked)
    return Task(
        build,
        folders,
        toolbox,
        target,
        tuple(sorted(values.items())),
        tuple(sorted(env.items())),
        prefixes=tuple(dep.path for _, dep in elsewhere),
        jobs=jobs,
        linked=tuple(dep.path for dep in linked),
        libraries=below(linked, "lib"),
        run_path=run_path(target, deps),
        maps=prefix_maps(folders, tuple((n, dep.path) for n, dep in elsewhere if dep.tree)),
        launcher=toolbox.path("ccache") if cache else "",
    )


def _at(toolbox: Toolbox, folder: str) -> Toolbox:
    """Return a toolbox whose generated files are named by their places in a folder."""
    chain = toolbox.toolchain
    return replace(
        toolbox,
        toolchain=chain.at(folder) if chain else None,
        emulator=toolbox.emulator.at(folder),
    )


def _folders(toolbox: Toolbox) -> tuple[str, ...]:
    """Return what compilers and emulator read beside their own installations."""
    chain = toolbox.toolchain
    return (*(chain.folders if chain else ()), *toolbox.emulator.folders)


def _generated(toolbox: Toolbox, folder: str) -> tuple[TextFile, ...]:
    """Return the files that toolchain and emulator bring along."""
    chain = toolbox.toolchain
    files = (*(chain.wrappers if chain else ()), *toolbox.emulator.files)
    return tuple(TextFile(f"{folder}/{one.name}", one.text, one.executable) for one in files)


def _checked(recipe: Recipe) -> Build:
    if recipe.build is None:
        raise ManifestError(
            f"`{recipe.package.name}` has no `[build]` table and cannot be made from source"
        )
    if recipe.build.subdir:
        globs.check(recipe.build.subdir, where="build.subdir")
    return recipe.build


def _outputs(outputs: Outputs, task: Task) -> Outputs:
    """Return the declared globs, rendered; what a target calls things is all they may ask for."""
    values = {name: text for name, text in task.values if name.startswith("target.")}
    rendered = {
        role: placeholders.render_all(patterns, values, where=f"outputs.{role}")
        for role, patterns in outputs.by_role()
    }
    for role, patterns in rendered.items():
        for pattern in patterns:
            globs.check(pattern, where=f"outputs.{role}")
    return replace(outputs, **rendered)


def _toolbox_values(toolbox: Toolbox, target: Platform) -> dict[str, str]:
    values = {f"tool.{name}": path for name, path in toolbox.tools}
    values |= {"target.os": target.os, "target.arch": target.arch}
    values["target.exe"] = ".exe" if target.os == "windows" else ""
    values["target.triple"] = platforms.spelling(target, "gnu")
    chain = toolbox.toolchain
    if chain is not None:
        values |= {f"tool.{part}": getattr(chain, part) for part in PARTS}
        values |= {"target.triple": chain.triple, "target.cpu_flags": " ".join(chain.cpu_flags)}
    return values


def _named_values(options: tuple[tuple[str, str], ...], deps: Deps) -> dict[str, str]:
    """Return the options and dependencies; of two with one name the linked one is meant."""
    named = {f"option.{name}": value for name, value in options}
    ordered = sorted(deps, key=lambda pair: pair[1].linked)
    return named | {f"dep.{name}": dep.path for name, dep in ordered}


def _programs(build: Build, toolbox: Toolbox) -> tuple[str, ...]:
    """Return the programs that the steps may start, by their PATH or by their path."""
    driver = DRIVERS[build.driver]
    emulator = tuple(word for word in toolbox.emulator.argv[:1] if os.path.isabs(word))
    if not driver.runs:
        return emulator
    names = (*environment.ON_PATH, *driver.tools, *equipment.tools(build), "ccache")
    return (*environment.started(toolbox, names), *emulator)


def _versions(build: Build, toolbox: Toolbox) -> tuple[tuple[str, str], ...]:
    """Return name and version of the tools that shape the result (SPEC KEY-07)."""
    driver = DRIVERS[build.driver]
    names = {*driver.tools, *equipment.tools(build)}
    own = ((f"driver {build.driver}", str(driver.revision)),) if driver.revision > 1 else ()
    return (*(pair for pair in toolbox.versions if pair[0] in names), *own)
