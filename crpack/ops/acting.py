"""An action carried out in its generation: its input, its programs, its answer, its record.

Rules (SPEC ACT-02 to ACT-06):
- Detected files are looked at before a run: one that changed and still serves is told and
  recorded.
- A run folder holds input, output, and the run record; nothing is overwritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import CheckFailed, CrpackError, InstallError, RunFailed, UsageError
from crpack.install import documents, layout, listing
from crpack.install.generations import Generation
from crpack.model import parameters, platforms, recipe_document, records
from crpack.model.dates import utc
from crpack.model.limits import MAX_OUTPUT_BYTES
from crpack.model.recipe import Action, Recipe
from crpack.model.recipe_document import Context
from crpack.model.records import FileDigest, RunRecord
from crpack.ops import detected, surroundings
from crpack.work import action as actions
from crpack.work.executors.errand import Ended, Executor, Stay

if TYPE_CHECKING:
    from crpack.model.realisation import Node
    from crpack.session import Session

_RECORD = "run.json"  # of a run, in its folder


@dataclass(frozen=True, slots=True)
class Request:
    """What to run.

    Attributes:
        name: of an installed solution.
        action: one of its actions.
        document: text of the JSON input; `source` is the file it comes from, for messages.
        settings: name and text of single inputs; they win.
        folder: run folder to make; empty for one below the prefix.
        executor: where to run it (SPEC EXE-01); empty for wherever its programs run here.
        listen: keep the last lines of its programs, which then have no terminal.
    """

    name: str
    action: str
    document: str = "{}"
    settings: tuple[tuple[str, str], ...] = ()
    folder: str = ""
    source: str = ""
    executor: str = ""
    listen: bool = False


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run of an action would start.

    Attributes:
        action: its name; `executor` where it would run.
        argvs: in order; elsewhere than here their paths are others.
        input: the checked input as JSON text.
    """

    action: str
    argvs: tuple[tuple[str, ...], ...]
    input: str
    executor: str = "local"


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that came to its end.

    Attributes:
        outputs: the checked answer as JSON text's value; an empty object when it failed.
        folder: the run folder.
        code: exit status of the last program.
        said: its last lines, where the executor listened.
        wall_s, cpu_s, peak_bytes: what the action's own program used (see `Ended`).
    """

    name: str
    version: str
    action: str
    outputs: dict[str, object]
    folder: str
    code: int
    warnings: tuple[str, ...]
    said: tuple[str, ...] = ()
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Bound:
    """An action bound to a generation: all that is needed to run it."""

    generation: Generation
    recipe: Recipe
    action: Action
    values: dict[str, object]
    options: tuple[tuple[str, str], ...]


def failure(ran: Ran) -> CrpackError:
    """Return the error that tells of a run whose program failed."""
    return CrpackError(
        f"the action `{ran.action}` of `{ran.name}` ended with {status(ran.code)}",
        why=ran.said,
        hint=where(ran),
        data={"code": ran.code, "folder": ran.folder},
    )


def status(code: int) -> str:
    """Return how people read an exit status; beyond 128 it may be that of a signal."""
    import signal

    if code - 128 in set(signal.Signals):
        return f"exit status {code} ({signal.Signals(code - 128).name})"
    return f"exit status {code}"


def where(ran: Ran) -> str:
    """Return where to look after a run that failed."""
    files = f"its files are in `{ran.folder}`"
    return files if ran.said else f"its messages are above; {files}"


def plan(generation: Generation, request: Request, executor: Executor) -> RunPlan:
    """Return what a run of an action would start; `{run}` is its folder."""
    bound = bind(generation, request)
    roots = surroundings.roots(generation, "{run}")
    argvs = (*bound.action.pre, bound.action.argv, *bound.action.post)
    options = dict(bound.options)
    rendered = tuple(actions.render(a, roots, bound.values, options) for a in argvs)
    if executor.here:
        rendered = tuple(executor.words(argv) for argv in rendered)
    text = json.dumps(bound.values, ensure_ascii=False)
    return RunPlan(request.action, rendered, text, executor.name)


def act(session: Session, request: Request, generation: Generation, executor: Executor) -> Ran:
    """Run an action of a generation that is held, and leave its record.

    Raises:
        UsageError: no such action, or an input does not fit.
        RunFailed: the program cannot be started, or did not end in time.
        CheckFailed: detected software serves no more, or the answer is not what is declared.
    """
    bound = bind(generation, request)
    folder = fresh_folder(session, request)
    changed = detected.changed(session, generation)
    disk.write_file(f"{folder}/{actions.INPUT}", [_json(bound.values)])
    started, clock = time.time(), time.monotonic()
    ended, answer, outputs = Ended(RunFailed.exit_code), b"", {}
    main = ended
    try:
        errand = surroundings.errand(generation, folder, tuple(_paths(bound).values()))
        with executor.visit(errand) as stay:
            ended, main = _carry_out(bound, stay, folder, here=executor.here)
            if ended.code == 0:
                stay.collect()
                answer = _answer_bytes(folder)
                outputs = actions.answer(bound.action, answer, folder, stay.back)
    finally:  # a run that ended badly leaves its record too
        record = RunRecord(
            solution=generation.record.name,
            version=generation.record.version,
            generation=generation.record.number,
            lock=generation.record.lock,
            realisation=generation.record.realisation,
            action=bound.action.name,
            executor=executor.name,
            argv=bound.action.argv,
            input=hashlib.sha256(_json(bound.values)).hexdigest(),
            output=hashlib.sha256(answer).hexdigest() if answer else "",
            files=_digests(bound, outputs),
            started=utc(started),
            milliseconds=round(1000 * (time.monotonic() - clock)),
            code=ended.code,
            changed=changed,
        )
        _leave(folder, record)
    return Ran(
        name=generation.record.name,
        version=generation.record.version,
        action=bound.action.name,
        outputs=outputs,
        folder=folder,
        code=ended.code,
        warnings=tuple(detected.warning(path) for path in changed),
        said=ended.said,
        wall_s=main.wall_s,
        cpu_s=main.cpu_s,
        peak_bytes=main.peak_bytes,
    )


def _leave(folder: str, record: RunRecord) -> None:
    """Write the record of a run, whose programs may have changed their folder in any way."""
    try:
        disk.write_file(f"{folder}/{_RECORD}", [records.encode(record)])
    except InstallError as error:
        what = f"the action `{record.action}` leaves no place for the record of its run"
        why = [error.what, f"its program ended with {status(record.code)}"]
        hint = f"`{_RECORD}` and the run folder itself are crpack's"
        raise CheckFailed(what, why=why, hint=hint, rule="ACT-06") from error


def _carry_out(bound: Bound, stay: Stay, folder: str, *, here: bool) -> tuple[Ended, Ended]:
    """Run the programs of an action until one fails; return how that and its own one ended."""
    action, generation = bound.action, bound.generation
    roots = surroundings.roots(generation, stay.at(folder), stay.at)
    values = bound.values | {name: stay.at(path) for name, path in _paths(bound).items()}
    stay.give(_json(values))
    env = surroundings.variables(generation, stay.ground, stay.at, here=here)
    argvs = (*action.pre, action.argv, *action.post)
    options = dict(bound.options)
    rendered = [actions.render(argv, roots, values, options) for argv in argvs]
    ended = main = Ended(RunFailed.exit_code)
    for place, argv in enumerate(rendered):
        ended = stay.run(argv, env=env, timeout_s=float(action.timeout))
        main = ended if place == len(action.pre) else main
        if ended.code != 0:
            break
    return ended, main


def _paths(bound: Bound) -> dict[str, str]:
    """Return the inputs and params of an action that name files or folders."""
    declared = (*bound.action.inputs, *bound.action.params)
    paths = {one.name for one in declared if one.type == "path"}
    return {name: str(value) for name, value in bound.values.items() if name in paths}


def bind(generation: Generation, request: Request) -> Bound:
    """Return an action with its checked input (SPEC ACT-02).

    Raises:
        UsageError: no such action, an input does not fit, or two do not go together.
    """
    recipe = recipe_of(generation)
    action = actions.find(recipe, request.action)
    values = actions.settle(action, _document(request), dict(request.settings), os.getcwd())
    options = own(generation).options
    actions.agree(recipe, action, values, dict(options))
    return Bound(generation, recipe, action, values, options)


def _document(request: Request) -> dict[str, object]:
    name = f"the input `{request.source}`" if request.source else "the input"
    try:
        document = json.loads(request.document)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not JSON", why=[str(error)], rule="ACT-02") from error
    if not isinstance(document, dict):
        hint = 'write it as `{"name": value}`'
        raise UsageError(f"{name} is not a JSON object", hint=hint, rule="ACT-02")
    return document


def run_options(bound: Bound) -> tuple[tuple[str, str], ...]:
    """Return name and text of the options of runs that an action is given."""
    names = {one.name for one in bound.recipe.options if one.scope == "run"}
    values = bound.values.items()
    return tuple((name, parameters.to_text(value)) for name, value in values if name in names)


def recipe_of(generation: Generation, chosen: tuple[tuple[str, str], ...] = ()) -> Recipe:
    """Return the recipe of a generation for its platform and options, and for those of a run."""
    here = platforms.parse(generation.record.platform)
    context = Context(here, (*own(generation).options, *chosen))
    return recipe_document.resolve(documents.recipe(generation), context)


def own(generation: Generation) -> Node:
    """Return the solution's own component."""
    name = generation.record.name
    return next(part.node for part in generation.record.parts if part.node.name == name)


def fresh_folder(session: Session, request: Request) -> str:
    """Make and return a fresh run folder."""
    if request.folder:
        path = os.path.abspath(request.folder)
        if os.path.lexists(path) and (not os.path.isdir(path) or os.listdir(path)):
            raise UsageError(f"the run folder `{path}` is not empty", hint="name a new one")
        disk.make_folders(path)
        return path
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    name = f"{request.name.replace('/', '@')}-{request.action}-{stamp}-{os.urandom(3).hex()}"
    path = os.path.join(layout.runs(session.prefix), name)
    disk.make_folders(os.path.dirname(path))
    disk.make_private(path)
    return path


def _answer_bytes(folder: str) -> bytes:
    try:
        return disk.read(f"{folder}/{actions.OUTPUT}", limit=MAX_OUTPUT_BYTES)
    except InstallError as error:
        what = "the action ended well and wrote no answer"
        raise CheckFailed(what, why=[error.what], rule="ACT-04") from error


def _digests(bound: Bound, outputs: dict[str, object]) -> tuple[FileDigest, ...]:
    found = []
    inputs = {f"input.{p.name}": bound.values.get(p.name) for p in bound.action.inputs
              if p.type == "path"}  # fmt: skip
    answers = {f"output.{p.name}": outputs.get(p.name) for p in bound.action.outputs
               if p.type == "path"}  # fmt: skip
    for name, path in {**inputs, **answers}.items():
        if isinstance(path, str) and os.path.isfile(path):
            digest, size = listing.sha256(os.path.realpath(path))
            found.append(FileDigest(name, size, digest))
    return tuple(found)


def _json(values: dict[str, object]) -> bytes:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, indent=1).encode()
