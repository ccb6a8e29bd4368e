"""Making one component from its sources: unpack, equip, plan, execute.

Rules:
- Authors and devices make results by this one path.
- The sources are files already fetched; the build itself has no network.
- Every build has fresh folders below a stage; its log is kept outside of it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, product
from typing import TYPE_CHECKING, BinaryIO

from crpack import disk
from crpack.errors import BuildFailed
from crpack.fetch import unpack as unpacking
from crpack.make import plan as planning
from crpack.make import runner, warming
from crpack.make.dependencies import DepRoot
from crpack.make.plan import MakePlan, SourceItem
from crpack.make.steps import Folders, is_plain
from crpack.model import platforms, recipe_document
from crpack.model.platforms import Platform
from crpack.ops import detection, policy
from crpack.ops.progress import News
from crpack.process import reach, sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crpack.model.facts import Facts
    from crpack.ops.progress import Tell
    from crpack.session import Session

ROOM = "crpack-make"  # tells a path of a build wherever it stands (SPEC AUD-07)
_MAX_WAYS = 16  # to have alternative sources, that a remembered build is looked for by


@dataclass(frozen=True, slots=True)
class Material:
    """One fetched source: what the recipe says of it, and the file that holds it."""

    item: SourceItem
    path: str


@dataclass(frozen=True, slots=True)
class Job:
    """One component to make.

    Attributes:
        document: its `recipe.json`, with the digests of its sources.
        sha256: of the document.
        options: build options, name and value as text.
        target: the platform it is made for.
        materials: its fetched sources, in the recipe's order.
        deps: name and place of what it requires to be built.
        python: an interpreter for its test; empty for none.
        trusted: its signer may build here in any sandbox; so may an author.
    """

    document: bytes
    sha256: str
    options: tuple[tuple[str, str], ...]
    target: Platform
    materials: tuple[Material, ...]
    deps: tuple[tuple[str, DepRoot], ...] = ()
    python: str = ""
    trusted: bool = False


def ways(materials: Iterable[Material]) -> Iterator[tuple[Material, ...]]:
    """Yield the ways to have sources: as they were fetched, else each that the recipe states.

    By them a remembered build is looked for before anything is fetched.
    """
    every = ((one,) if one.path else _stated(one) for one in materials)
    return islice(product(*every), _MAX_WAYS)


def _stated(one: Material) -> tuple[Material, ...]:
    source = one.item.source
    items = (SourceItem(source, archive.sha256, archive.size) for archive in source.archives())
    return tuple(Material(item, "") for item in items)


def plan(job: Job, facts: Facts, folder: str, jobs: int, *, ccache: str = "") -> MakePlan:
    """Return the plan of a job whose five folders stand below `folder`.

    What compilers made is kept below `ccache`, for each component; without it, nothing is.

    Raises:
        BuildFailed: a tool is missing.
        ManifestError: the recipe asks for what is not there.
    """
    context = recipe_document.Context(job.target, job.options)
    recipe = recipe_document.resolve(job.document, context)
    if recipe.build is None:
        name = recipe.package.name
        raise BuildFailed(
            f"`{name}` cannot be made here: its recipe has no `[build]` table",
            hint=f"install `{name}` by other means, so that it is detected",
        )
    target = job.target
    if recipe.build.platform == "any":  # whatever makes it runs here
        target = platforms.parse(facts.platform)
    try:
        return planning.plan(
            recipe,
            recipe_sha256=job.sha256,
            options=job.options,
            target=target,
            toolbox=detection.toolbox(recipe.build, facts, target),
            deps=job.deps,
            folders=Folders(
                *(f"{folder}/{part}" for part in ("source", "build", "out", "home", "tmp"))
            ),
            sources=tuple(material.item for material in job.materials),
            jobs=jobs,
            python=job.python,
            ccache=f"{ccache}/{recipe.package.name}" if ccache else "",
        )
    except BuildFailed as error:
        unfit = detection.unfit(str(error.data.get("tool", "")))
        error.why = (*error.why, unfit) if unfit else error.why
        raise


def make(
    job: Job, facts: Facts, *, folder: str, session: Session, tell: Tell, jobs: int = 0
) -> tuple[MakePlan, runner.Built]:
    """Make a component and return its plan and what was made; the result stands below `folder`.

    Args:
        job: what to make.
        facts: of this machine, compilers included.
        folder: below a stage; does not exist yet.
        session: for settings and the place of logs.
        tell: takes the news.
        jobs: how many compilers may run at once; 0 for as many as the session says.

    Raises:
        BuildFailed: a tool is missing, a step failed, or the result is not right.
    """
    ccache = session.cached("ccache") if session.config.flag("ccache") else ""
    made = plan(job, facts, folder, jobs or session.jobs, ccache=ccache)
    foreign = job.target.base != platforms.parse(facts.platform).base
    what = f"{made.component} for {job.target.base}" if foreign else made.component
    tell(News("Building", what))
    paths = {material.item: material.path for material in job.materials}

    def open_source(item: SourceItem) -> BinaryIO:
        return open(paths[item], "rb")

    def unpack(item: SourceItem, _: BinaryIO, folder: str) -> None:
        into = os.path.join(folder, item.source.into) if item.source.into else folder
        disk.make_folders(into)
        unpacking.unpack(paths[item], into, strip=item.source.strip)

    places = (folder, *made.roots, *made.programs, *made.caches)
    walls = sandbox.NONE
    if made.work.steps or made.test.steps:
        walls = policy.walls(session, made.component, trusted=job.trusted, places=places, tell=tell)
    disk.make_folders(session.logs)
    log = f"{session.logs}/{made.component.replace('/', '@').replace(' ', '-')}-{made.key[:12]}"
    log = f"{log}-{os.urandom(3).hex()}.log"  # two installs at once have a log each
    seeds = _warmed(made, folder, session, walls, tell)
    return made, runner.execute(
        made,
        open_source=open_source,
        unpack=unpack,
        sandbox=walls,
        log=log,
        tell=lambda line: tell(News("Running", line, detail=True)),
        seeds=seeds,
    )


def _warmed(
    made: MakePlan, folder: str, session: Session, walls: sandbox.Sandbox, tell: Tell
) -> tuple[tuple[str, str], ...]:
    """Return what the build gets copies of: what a compiler makes once for each target (BLD-32)."""
    chain = made.ingredients.toolchain
    if chain is None or not chain.wrappers or not made.work.steps:
        return ()
    news = News("Building", f"the libraries of {chain}, once")
    kept = warming.warm(
        chain,
        kept=session.cached("zig"),
        room=f"{folder}/zig",
        walls=walls,
        tell=lambda: tell(news),
    )
    return ((kept, f"{made.folders.home}/{warming.CACHE}"),) if kept else ()


@contextmanager
def room(folder: str, session: Session) -> Iterator[str]:
    """Give a folder for one build below a private one, whose path no makefile trips over.

    Makefiles commonly break on spaces; a folder below such a path is made elsewhere. So is one
    that the user who runs the steps has no way to, unless walls make the way.
    """
    place = f"{os.path.realpath(folder)}/{ROOM}"
    user = policy.builder(session)
    closed = user and sandbox.best("L3", user).level != "L3" and reach.shut(place, user)
    if is_plain(place) and not closed:
        yield place
        return
    stage = disk.temporary_stage(0o711 if user else 0o700)
    try:
        yield f"{stage.path}/{ROOM}"
    finally:
        stage.close()
