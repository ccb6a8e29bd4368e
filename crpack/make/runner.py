"""Executing a plan: sources verified, steps run in a sandbox, the result read and audited.

Rules (SPEC BLD-14…):
- Every source is hashed again before anything is unpacked (SPEC BLD-14).
- Steps run in order with the plan's environment, in their own process group, under limits, with
  no network and without rights outside of the build's folders, as far as the sandbox level holds;
  the level is part of the answer (SPEC BLD-15).
- One log takes the output of all steps; what exceeds the limit of a step is dropped, and said.
- A failing step ends the build with its name, how it ended, its first error and the log's path
  (SPEC BLD-16).
- The caller owns the folders and removes them; nothing is written outside of them and the log.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import signal
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from crpack import disk
from crpack.errors import BuildFailed, CrpackError, RunFailed
from crpack.make import result
from crpack.make.audit import Audit, audit, refuse_newer
from crpack.make.log import OWN, Log, telling
from crpack.make.steps import Copy
from crpack.model import tree
from crpack.model.limits import MIB
from crpack.process import installation, matching
from crpack.process.run import Limits, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.make.plan import MakePlan, SourceItem
    from crpack.make.steps import Step
    from crpack.process.run import Outcome
    from crpack.process.sandbox import Sandbox

# Generous to real builds, and an end to runaway ones.
BUILD_LIMITS = Limits(
    wall_s=4 * 3600.0,
    cpu_s=4 * 3600,
    file_bytes=8 * 1024 * MIB,
    processes=2048,
    output_bytes=64 * MIB,
)
TEST_OUTPUT_BYTES = MIB  # of each stream of a test's last step
_ERROR = re.compile(
    r"\berror(?:\[\w+\])?:|undefined reference|CMake Error|No space left on device", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of the test: `passed`, or `not run` with the reason (SPEC BLD-17)."""

    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Built:
    """One finished build.

    Attributes:
        key: the build key.
        folder: where the result stands; still the caller's to take.
        entries: its tree.
        tree: the tree's digest.
        audit: what its binaries need.
        test: what became of the recipe's test.
        sandbox: the level that stood around the steps; empty when no step ran.
        network: `none` or `open`; empty when no step ran.
        log: path of the log.
    """

    key: str
    folder: str
    entries: tuple[tree.Entry, ...]
    tree: str
    audit: Audit
    test: Tested
    sandbox: str
    network: str
    log: str


def execute(
    plan: MakePlan,
    *,
    open_source: Callable[[SourceItem], BinaryIO],
    unpack: Callable[[SourceItem, BinaryIO, str], None],
    sandbox: Sandbox,
    log: str,
    limits: Limits = BUILD_LIMITS,
    tell: Callable[[str], None] = lambda _: None,
    seeds: tuple[tuple[str, str], ...] = (),
) -> Built:
    """Carry out a plan and return what was made (SPEC BLD-14…17).

    Args:
        plan: from `plan.plan`; its folders are missing or empty.
        open_source: opens a fetched source for reading; called twice for each.
        unpack: puts an open source where the plan's entry says below a folder.
        sandbox: level, hidden and readable folders, user; the build's folders are added.
        log: path of a file that does not exist yet.
        limits: of each step.
        tell: called with each line of the log, as it is written.
        seeds: folders that the build gets copies of, and where to: below its own folders.

    Raises:
        BuildFailed: a source is not what it must be, a step failed, or the result is not right.
        InstallError: the disk refused (no space, no rights).
    """
    with disk.open_log(log) as file:
        stream = Log(file, tell)
        folders = plan.folders.all()
        walls = sandbox.reading(*plan.roots, *_installed(plan))
        walls = replace(walls, writable=(*folders, *plan.caches))
        run_ = _Run(plan, stream, path=log, walls=walls, limits=limits)
        try:
            _prepare(plan, open_source, unpack)
            for seed, into in seeds:
                disk.make_folders(into)
                result.copy((Copy("**", "", ""),), seed, into)
            if sandbox.user is not None:
                stream.write(b"# all steps run as user %d\n" % sandbox.user[0])
                for folder in (*folders, *plan.caches):
                    disk.give_tree(folder, *sandbox.user)
            run_.steps(plan.work.steps)
            if plan.work.copies:
                result.copy(plan.work.copies, plan.folders.source, plan.folders.out)
            if plan.work.steps:
                for done in result.tidy(plan.folders.out):
                    stream.write(f"# {done}\n".encode("utf-8", "replace"))
            found = result.read(plan.folders.out, build_paths=(*folders, *plan.trees))
            result.verify(plan.outputs, found.entries, component=plan.component)
            audited = audit(
                plan.folders.out,
                found.entries,
                plan.target,
                provided=_provided(plan.libraries),
                leaks=found.leaks,
            )
            refuse_newer(audited, plan.target)
            tested = run_.test()
        except CrpackError as error:
            with contextlib.suppress(OSError):  # the first failure is the news
                stream.write(f"# failed: {error.what}\n".encode("utf-8", "replace"))
            if isinstance(error, BuildFailed) and "log" not in error.data:
                error.why = (*error.why, f"the log of the build is `{log}`")
                error.data["log"] = log
            raise
    return Built(
        key=plan.key,
        folder=plan.folders.out,
        entries=found.entries,
        tree=tree.digest(found.entries),
        audit=audited,
        test=tested,
        sandbox=run_.level,
        network=run_.network,
        log=log,
    )


def _installed(plan: MakePlan) -> Iterator[str]:
    """Yield what the programs of a build read of where they are installed (SPEC SBX-14)."""
    chain = plan.ingredients.toolchain
    for program in plan.programs:
        yield from installation.around(program, chain.triple if chain else "")


def _prepare(
    plan: MakePlan,
    open_source: Callable[[SourceItem], BinaryIO],
    unpack: Callable[[SourceItem, BinaryIO, str], None],
) -> None:
    """Make the folders, verify and unpack the sources, write the generated files."""
    for item in plan.sources:
        with open_source(item) as stream:
            _check_source(item, stream)
    for folder in plan.folders.all():
        disk.make_folders(folder)
        if os.listdir(folder):
            raise BuildFailed(f"the build folder `{folder}` is not empty", rule="BLD-14")
    for item in plan.sources:
        with open_source(item) as stream:
            unpack(item, stream, plan.folders.source)
    for folder in plan.caches:
        disk.make_folders(folder)
    for link in plan.links:
        disk.make_folders(os.path.dirname(link.path))
        disk.make_link(link.path, link.target)
    for file in plan.work.files:
        disk.make_folders(os.path.dirname(file.path))
        disk.write_file(file.path, [file.text.encode()], 0o755 if file.executable else 0o644)


def _check_source(item: SourceItem, stream: BinaryIO) -> None:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(MIB):
        digest.update(chunk)
        size += len(chunk)
    if (digest.hexdigest(), size) != (item.sha256, item.size):
        name = item.source.path or next(iter(item.source.urls), item.source.kind)
        raise BuildFailed(
            f"the source `{name}` is not what was fetched for this build",
            why=[
                f"it has {size} bytes with sha256 {digest.hexdigest()}",
                f"the build needs {item.size} bytes with sha256 {item.sha256}",
            ],
            hint="fetch it again",
            rule="BLD-14",
        )


def _provided(folders: tuple[str, ...]) -> frozenset[str]:
    """Return the file names of the libraries that dependencies bring along."""
    try:
        return frozenset(name for folder in folders for name in os.listdir(folder))
    except OSError as error:
        raise BuildFailed("a dependency cannot be read", why=[str(error)]) from error


class _Run:
    """The steps of one build."""

    def __init__(
        self,
        plan: MakePlan,
        log: Log,
        *,
        path: str,
        walls: Sandbox,
        limits: Limits,
    ) -> None:
        self.plan = plan
        self.log = log
        self.path = path
        self.walls = walls
        self.limits = limits
        self.level = self.network = ""

    def steps(self, steps: tuple[Step, ...]) -> None:
        """Run the steps of the build; the first that fails ends it (SPEC BLD-15)."""
        for step in steps:
            start = self.log.file.tell()
            outcome = self._one(step, self.limits, log=self.log)
            self.level, self.network = outcome.sandbox, outcome.network
            if outcome.truncated:
                self.log.write(b"\n# more output was dropped\n")
            if outcome.code != 0 or outcome.timed_out:
                with open(self.path, "rb") as file:
                    file.seek(start)
                    raise self._failed(step, outcome, file)

    def test(self) -> Tested:
        """Run the test on the result (SPEC BLD-17)."""
        trial = self.plan.test
        if not trial.steps:
            return Tested("not run", trial.skipped)
        folders = self.plan.folders
        walls = replace(self.walls, writable=(folders.home, folders.tmp))
        given = (folders.source, folders.build, folders.out)
        self.walls = replace(walls, readable=(*walls.readable, *given))
        limits = replace(self.limits, wall_s=float(trial.timeout), output_bytes=TEST_OUTPUT_BYTES)
        shown = b""
        for step in trial.steps:
            outcome = self._one(step, limits, log=None)
            shown = outcome.stdout
            self.log.write(outcome.stdout + outcome.stderr)
            if outcome.code != 0 or outcome.timed_out:
                raise self._failed(step, outcome, BytesIO(outcome.stdout + outcome.stderr))
        self._expect(trial.expect, shown)
        return Tested("passed")

    def _expect(self, pattern: str, shown: bytes) -> None:
        try:
            lines = shown.replace(b"\r\n", b"\n").decode("utf-8", "replace")
            matched = matching.search(pattern, lines)
            last = telling(BytesIO(shown), re.compile("(?!)"))
            why = [f"the last step's output has no match of `{pattern}`", f"it ends: {last}"]
        except RunFailed as error:
            matched, why = False, [error.what, *error.why]
        if not matched:
            raise BuildFailed(
                f"the test of `{self.plan.component}` did not print what it must",
                why=why,
                hint=f"read the whole log: `{self.path}`",
                data={"log": self.path},
                rule="BLD-17",
            )

    def _one(self, step: Step, limits: Limits, *, log: Log | None) -> Outcome:
        line = f"{step.title}: {shlex.join(step.argv)}\n".encode("utf-8", "replace")
        self.log.write(OWN + line)
        try:
            outcome = run(
                step.argv,
                cwd=step.cwd,
                env=dict(step.env),
                limits=limits,
                log=log,
                sandbox=self.walls,
            )
        except RunFailed as error:
            raise BuildFailed(
                f"the step `{step.title}` of `{self.plan.component}` cannot be started",
                why=[error.what, *error.why],
                hint=error.hint,
                rule="BLD-16",
            ) from error
        except OSError as error:  # the log's disk
            raise disk.failure(error, self.path) from error
        return outcome

    def _failed(self, step: Step, outcome: Outcome, output: BinaryIO) -> BuildFailed:
        ending = _ending(outcome)
        return BuildFailed(
            f"the step `{step.title}` of `{self.plan.component}` {ending}",
            why=[telling(output, _ERROR)],
            hint=f"read the whole log: `{self.path}`",
            data={"step": step.title, "code": outcome.code, "log": self.path},
            rule="BLD-16",
        )


def _ending(outcome: Outcome) -> str:
    if outcome.timed_out:
        return f"did not end within {outcome.wall_s:.0f} seconds"
    if outcome.code >= 0:
        return f"failed with exit status {outcome.code}"
    try:
        name = signal.Signals(-outcome.code).name
    except ValueError:
        name = "unknown"
    return f"was ended by signal {-outcome.code} ({name})"
