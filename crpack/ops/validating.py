"""The verb `validate`: is an installation as it was made, are its results as good as declared?

Rules (SPEC MET-02, MET-03, GLD-01 to GLD-03):
- A validation holds its generation, so that nothing takes it away meanwhile.
- Files are hashed and detected software is looked at first. What is not as it was installed is not
  run; else every action with metrics and every golden run is.
- All that failed is told, not the first alone.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import CheckFailed, CrpackError, InstallError, RunFailed
from crpack.install import generations, listing
from crpack.model import parameters
from crpack.model.limits import MAX_OUTPUT_BYTES
from crpack.ops import acting, detected, executors, inquire, surroundings
from crpack.ops.progress import News, Tell, silent
from crpack.work import action as actions
from crpack.work import golden as goldens
from crpack.work.judge import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.install.generations import Generation
    from crpack.model.parameters import Parameter
    from crpack.model.recipe import Expected, Golden, Recipe
    from crpack.ops.acting import Ran, Request, RunPlan
    from crpack.session import Session
    from crpack.work.executors.errand import Executor


@dataclass(frozen=True, slots=True)
class Compared:
    """One golden run: its name, and what of its answer is not as its author saw it."""

    name: str
    passed: bool
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """The results of a generation, judged; `folder` is the run folder of the last action."""

    verdicts: tuple[Verdict, ...] = ()
    golden: tuple[Compared, ...] = ()
    faults: tuple[str, ...] = ()
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What `validate` found: `files` re-hashed, verdicts on metrics; with faults a hint."""

    name: str
    version: str
    files: int
    verdicts: tuple[Verdict, ...]
    golden: tuple[Compared, ...]
    faults: tuple[str, ...]
    hint: str
    folder: str
    warnings: tuple[str, ...]


def validation(session: Session, request: Request) -> tuple[RunPlan, ...]:
    """Return what `validate` would start, after it has hashed the files."""
    generation, held = generations.hold(session.prefix, request.name)
    with held:
        recipe = acting.recipe_of(generation)
        own = [replace(request, action=name) for name in _judged(recipe)]
        own += [_golden_request(generation, request, one) for one in recipe.golden]
        executor = executors.choose(session, generation, request, CheckFailed)
        return tuple(acting.plan(generation, one, executor) for one in own)


def validate(session: Session, request: Request, *, tell: Tell = silent) -> Report:
    """Check that an installation is as it was made, and its results as good as declared.

    Raises:
        InstallError: it is not installed.
        UsageError: no such executor, or an input does not fit.
        CheckFailed: its programs do not run on this machine.
    """
    generation, held = generations.hold(session.prefix, request.name)
    with held:
        recipe = acting.recipe_of(generation)
        for name in _judged(recipe):  # what does not fit is told before files are hashed
            acting.bind(generation, replace(request, action=name))
        tell(News("Checking", f"the files of {request.name}"))
        files, faults, warnings = intact(session, generation)
        hint = ""
        found = Judged()
        if faults:
            hint = f"repair it: `crpack install --reinstall {generation.record.request}`"
        elif recipe.metrics or recipe.golden:
            executor = executors.choose(session, generation, request, CheckFailed)
            found = results(session, request, generation, executor, tell)
            hint = "results on this machine are not those of the author; do not trust its speed"
        faults += found.faults
        return Report(
            name=request.name,
            version=generation.record.version,
            files=files,
            verdicts=found.verdicts,
            golden=found.golden,
            faults=faults,
            hint=hint if faults else "",
            folder=found.folder,
            warnings=warnings,
        )


def intact(
    session: Session, generation: Generation
) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """Return how many files were hashed, what is not as it was installed, and warnings."""
    files, faults = inquire.rehash(session, generation)
    try:
        changed = detected.changed(session, generation)
    except CheckFailed as error:
        return files, (*faults, *error.why), ()
    return files, faults, tuple(map(detected.warning, changed))


def results(
    session: Session,
    request: Request,
    generation: Generation,
    executor: Executor,
    tell: Tell = silent,
    *,
    lenient: bool = False,
) -> Judged:
    """Run the actions with metrics and the golden runs of a held generation, and judge them.

    Args:
        session: for folders.
        request: its action does not matter; its inputs go to every action with metrics.
        generation: whose files are as they were installed.
        executor: where programs run.
        tell: hears what is run.
        lenient: leave out settings that an action does not have.

    Raises:
        UsageError: an input does not fit.
    """
    recipe = acting.recipe_of(generation)
    answers: dict[str, object] = {}
    faults: list[str] = []
    failed: set[str] = set()
    chosen: dict[str, str] = {}
    folder = ""
    for name in _judged(recipe):
        tell(News("Running", f"the action {name}"))
        own = replace(request, action=name)
        own = _fitting(own, recipe) if lenient else own
        chosen |= dict(acting.run_options(acting.bind(generation, own)))
        ran = _ran(session, own, generation, executor)
        if isinstance(ran, str):
            faults.append(f"the action `{name}` {ran}")
            failed.add(name)
        else:
            answers |= ran.outputs
            folder = ran.folder
    metrics = acting.recipe_of(generation, tuple(chosen.items())).metrics  # SPEC DOC-07
    verdicts = judge(metrics, answers)
    lost = {metric.name for metric in recipe.metrics if metric.action in failed}
    bad = [one for one in verdicts if not one.passed and one.name not in lost]
    faults += [one.sentence().removeprefix("FAIL ") for one in bad]
    compared = tuple(_goldens(session, request, generation, executor, tell))
    faults += [f"{one.name}: {why}" for one in compared for why in one.faults]
    return Judged(verdicts, compared, tuple(faults), folder)


def heeded(recipe: Recipe, settings: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return those of some settings that a validation takes note of."""
    judging = {*_judged(recipe), *(one.action for one in recipe.golden)}
    found = [actions.find(recipe, name) for name in judging]
    known = {one.name for action in found for one in (*action.inputs, *action.params)}
    return tuple((name, text) for name, text in settings if name in known)


def _judged(recipe: Recipe) -> tuple[str, ...]:
    """Return the actions whose answers hold metrics."""
    return tuple(sorted({metric.action for metric in recipe.metrics}))


def _fitting(request: Request, recipe: Recipe) -> Request:
    """Return a request without the settings that its action does not have."""
    action = actions.find(recipe, request.action)
    known = {one.name for one in (*action.inputs, *action.params)}
    kept = tuple((name, text) for name, text in request.settings if name in known)
    return replace(request, settings=kept)


def _ran(
    session: Session, request: Request, generation: Generation, executor: Executor
) -> Ran | str:
    """Run an action; return what it did, or why it failed."""
    try:
        ran = acting.act(session, request, generation, executor)
    except (RunFailed, CheckFailed) as error:
        return "; ".join(("failed: " + error.what, *error.why))
    if ran.code != 0:
        return ": ".join((f"ended with {acting.status(ran.code)}", "; ".join(ran.said))).rstrip(
            ": "
        )
    return ran


def _goldens(
    session: Session, request: Request, generation: Generation, executor: Executor, tell: Tell
) -> Iterator[Compared]:
    recipe = acting.recipe_of(generation)
    for place, golden in enumerate(recipe.golden, 1):
        name = f"golden run {place} of `{golden.action}`"
        tell(News("Running", name))
        try:
            asked = _golden_request(generation, request, golden)
            ran = _ran(session, asked, generation, executor)
        except CrpackError as error:  # an input that is not there
            ran = "; ".join((error.what, *error.why))
        faults = (ran,) if isinstance(ran, str) else _faults(recipe, golden, generation, ran)
        yield Compared(name, not faults, faults)


def _golden_request(generation: Generation, request: Request, golden: Golden) -> Request:
    """Return what a golden run asks: its own input, and of the request what it leaves open."""
    asked = replace(request, action=golden.action, document="{}", folder="")
    own = _fitting(asked, acting.recipe_of(generation)).settings
    roots = surroundings.roots(generation, "")
    options = dict(acting.own(generation).options)
    given = [(name, actions.render((text,), roots, {}, options)[0]) for name, text in golden.input]
    return replace(asked, settings=tuple({**dict(own), **dict(given)}.items()))


def _faults(recipe: Recipe, golden: Golden, generation: Generation, ran: Ran) -> tuple[str, ...]:
    outputs = {one.name: one for one in actions.find(recipe, golden.action).outputs}
    found = []
    for expected in golden.expect:
        if expected.name not in ran.outputs:
            found.append(f"`{expected.name}` is missing")
            continue
        why = _unlike(expected, outputs[expected.name], ran.outputs[expected.name], generation)
        found += [f"`{expected.name}`: {why}"] if why else []
    return tuple(found)


def _unlike(expected: Expected, output: Parameter, answer: object, generation: Generation) -> str:
    """Return how an output differs from what is expected; empty where it does not."""
    if expected.value is not None:
        wanted = parameters.from_text(output, expected.value)
        return goldens.difference(wanted, answer, expected.tolerance)
    if expected.sha256:
        digest = listing.sha256(str(answer))[0] if os.path.isfile(str(answer)) else ""
        return "" if digest == expected.sha256 else "the file holds other bytes"
    try:
        file = f"{generation.root(generation.record.name)}/{expected.file}"
        wanted = json.loads(disk.read(file, limit=MAX_OUTPUT_BYTES))
        if output.type == "path":
            answer = json.loads(disk.read(str(answer), limit=MAX_OUTPUT_BYTES))
    except (InstallError, ValueError, RecursionError) as error:
        return f"it cannot be compared: {error}"
    return goldens.difference(wanted, answer, expected.tolerance)
