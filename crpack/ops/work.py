"""The verbs that work: `run` and `validate`.

Rules:
- A run holds its generation, so that an update or a clean-up cannot take it away meanwhile.
- Detected files are looked at before a run: one that changed and still serves is told and
  recorded.
- A run folder holds input, output, and the run record; nothing is overwritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import CheckFailed, CrpackError, InstallError, RunFailed, UsageError
from crpack.install import documents, generations, layout, listing
from crpack.install.generations import Generation
from crpack.model import platforms, recipe_document, records
from crpack.model.dates import utc
from crpack.model.limits import MAX_OUTPUT_BYTES
from crpack.model.recipe import Action, Recipe
from crpack.model.recipe_document import Context
from crpack.model.records import FileDigest, RunRecord
from crpack.ops import detected, detection, elsewhere, inquire
from crpack.ops.progress import News, Tell, silent
from crpack.process import environment
from crpack.work import action as actions
from crpack.work.executor import Ended, Executor, Local
from crpack.work.judge import Verdict, judge

if TYPE_CHECKING:
    from crpack.model.realisation import Node
    from crpack.session import Session

_SPARE = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Request:
    """What to run.

    Attributes:
        name: of an installed solution.
        action: one of its actions.
        document: text of the JSON input; `source` is the file it comes from, for messages.
        settings: name and text of single inputs; they win.
        folder: run folder to make; empty for one below the prefix.
    """

    name: str
    action: str
    document: str = "{}"
    settings: tuple[tuple[str, str], ...] = ()
    folder: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run of an action would start: argvs in order, and the checked input as JSON text."""

    action: str
    argvs: tuple[tuple[str, ...], ...]
    input: str


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that came to its end.

    Attributes:
        outputs: the checked answer as JSON text's value; an empty object when it failed.
        folder: the run folder.
        code: exit status of the last program.
        said: its last lines, where the executor listened.
    """

    name: str
    version: str
    action: str
    outputs: dict[str, object]
    folder: str
    code: int
    warnings: tuple[str, ...]
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What `validate` found: `files` re-hashed, verdicts on metrics; with faults a hint."""

    name: str
    version: str
    files: int
    verdicts: tuple[Verdict, ...]
    faults: tuple[str, ...]
    hint: str
    folder: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Bound:
    """An action bound to a generation: all that is needed to run it."""

    generation: Generation
    recipe: Recipe
    action: Action
    values: dict[str, object]
    options: dict[str, str]


def plan(session: Session, request: Request) -> RunPlan:
    """Return what a run would start."""
    generation, held = generations.hold(session.prefix, request.name)
    with held:
        return _plan(generation, request)


def validation(session: Session, request: Request) -> tuple[RunPlan, ...]:
    """Return what `validate` would start, after it has hashed the files."""
    generation, held = generations.hold(session.prefix, request.name)
    with held:
        names = _judged(_recipe(generation))
        return tuple(_plan(generation, replace(request, action=name)) for name in names)


def run(session: Session, request: Request, *, executor: Executor | None = None) -> Ran:
    """Run an action of an installed solution.

    Raises:
        InstallError: it is not installed.
        UsageError: no such action, or an input does not fit.
        RunFailed: the program cannot be started, or did not end in time.
        CheckFailed: its answer is not what it declares.
    """
    generation, held = generations.hold(session.prefix, request.name)
    with held:
        if not elsewhere.is_here(generation.record.platform):
            raise _not_here(generation, RunFailed)
        return _run(session, request, generation, executor or Local())


def failure(ran: Ran) -> CrpackError:
    """Return the error that tells of a run whose program failed."""
    return CrpackError(
        f"the action `{ran.action}` of `{ran.name}` ended with exit status {ran.code}",
        why=ran.said,
        hint=_where(ran),
        data={"code": ran.code, "folder": ran.folder},
    )


def _where(ran: Ran) -> str:
    files = f"its files are in `{ran.folder}`"
    return files if ran.said else f"its messages are above; {files}"


def validate(
    session: Session, request: Request, *, executor: Executor | None = None, tell: Tell = silent
) -> Report:
    """Check that an installation is as it was made, and its results as good as declared.

    Raises:
        InstallError: it is not installed.
        RunFailed, CheckFailed: the action cannot be run, or answers nonsense.
    """
    generation, held = generations.hold(session.prefix, request.name)
    with held:
        tell(News("Checking", f"the files of {request.name}"))
        files, faults = inquire.rehash(session, generation)
        bound_recipe = _recipe(generation)
        warnings = tuple(map(detected.warning, detected.changed(session, generation)))
        report = Report(
            request.name, generation.record.version, files, (), faults, "", "", warnings
        )
        if faults:
            hint = f"repair it: `crpack install --reinstall {generation.record.request}`"
            return replace(report, hint=hint)
        if not bound_recipe.metrics:
            return report
        if not elsewhere.is_here(generation.record.platform):
            raise _not_here(generation, CheckFailed)
        answers: dict[str, object] = {}
        ran = None
        for name in _judged(bound_recipe):
            tell(News("Running", f"the action {name}"))
            ran = _run(session, replace(request, action=name), generation, executor or Local())
            if ran.code != 0:
                raise CheckFailed(
                    f"the action `{name}` of `{request.name}` failed",
                    why=[f"its exit status is {ran.code}", *ran.said],
                    hint=_where(ran),
                )
            answers |= ran.outputs
        verdicts = judge(bound_recipe.metrics, answers)
        faults = tuple(v.sentence().removeprefix("FAIL ") for v in verdicts if not v.passed)
        hint = "results on this machine are not those of the author; do not trust its speed"
        return replace(
            report,
            verdicts=verdicts,
            faults=faults,
            hint=hint if faults else "",
            folder=ran.folder if ran else "",
        )


def _not_here(
    generation: Generation, kind: type[RunFailed | CheckFailed]
) -> RunFailed | CheckFailed:
    """Return the error for a solution whose programs this machine does not run (SPEC ELS-05)."""
    record = generation.record
    return kind(
        f"`{record.name}` is installed for `{record.platform}`, and its programs do not run here",
        why=[f"this machine is `{detection.platform()}`"],
        hint="copy the prefix to such a machine and run it there",
        rule="ELS-05",
    )


def _judged(recipe: Recipe) -> tuple[str, ...]:
    """Return the actions whose answers hold metrics."""
    return tuple(sorted({metric.action for metric in recipe.metrics}))


def _plan(generation: Generation, request: Request) -> RunPlan:
    bound = _bind(generation, request)
    roots = _roots(generation, "{run}")
    argvs = (*bound.action.pre, bound.action.argv, *bound.action.post)
    rendered = tuple(actions.render(a, roots, bound.values, bound.options) for a in argvs)
    return RunPlan(request.action, rendered, json.dumps(bound.values, ensure_ascii=False))


def _run(session: Session, request: Request, generation: Generation, executor: Executor) -> Ran:
    bound = _bind(generation, request)
    folder = _folder(session, request)
    roots = _roots(generation, folder)
    changed = detected.changed(session, generation)
    disk.write_file(f"{folder}/{actions.INPUT}", [_json(bound.values)])
    argvs = (*bound.action.pre, bound.action.argv, *bound.action.post)
    rendered = [actions.render(argv, roots, bound.values, bound.options) for argv in argvs]
    env = _environment(generation)
    started, clock = time.time(), time.monotonic()
    ended, answer, outputs = Ended(RunFailed.exit_code), b"", {}
    try:
        for argv in rendered:
            ended = executor.run(argv, cwd=folder, env=env, timeout_s=float(bound.action.timeout))
            if ended.code != 0:
                break
        if ended.code == 0:
            answer = _answer_bytes(folder)
            outputs = actions.answer(bound.action, answer, folder)
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
        disk.write_file(f"{folder}/run.json", [records.encode(record)])
    warnings = tuple(detected.warning(path) for path in changed)
    made = generation.record
    return Ran(
        made.name,
        made.version,
        bound.action.name,
        outputs,
        folder,
        ended.code,
        warnings,
        ended.said,
    )


def _bind(generation: Generation, request: Request) -> _Bound:
    recipe = _recipe(generation)
    action = actions.find(recipe, request.action)
    values = actions.settle(action, _document(request), dict(request.settings), os.getcwd())
    return _Bound(generation, recipe, action, values, dict(_own(generation).options))


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


def _recipe(generation: Generation) -> Recipe:
    here = platforms.parse(generation.record.platform)
    return recipe_document.resolve(
        documents.recipe(generation), Context(here, _own(generation).options)
    )


def _own(generation: Generation) -> Node:
    name = generation.record.name
    return next(part.node for part in generation.record.parts if part.node.name == name)


def _roots(generation: Generation, folder: str) -> actions.Roots:
    own = generation.record.name
    names = [part.node.name for part in generation.record.parts if generations.target(part)]
    deps = tuple((name, generation.root(name)) for name in names if name != own)
    return actions.Roots(generation.root(own), deps, _python(generation), folder)


def _python(generation: Generation) -> str:
    return f"{generation.environment}/bin/python" if generation.environment else ""


def _environment(generation: Generation) -> dict[str, str]:
    """Return the environment of an action: the user's basics, and what components export."""
    keep = {name: os.environ[name] for name in _SPARE if name in os.environ}
    folders, libraries = [], []
    for part in generation.record.parts:
        root = generation.root(part.node.name)
        folders += [f"{root}/{folder}" for folder in part.bin if part.node.tree]
        libraries += [f"{root}/{folder}" for folder in part.lib]
        keep |= {key: text.replace("{prefix}", root) for key, text in part.env}
    keep |= {"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {}
    path = (*folders, *environment.SYSTEM_PATH)
    home = os.environ.get("HOME", "/")
    return environment.clean(keep, home=home, tmp=tempfile.gettempdir(), path=path)


def _folder(session: Session, request: Request) -> str:
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


def _digests(bound: _Bound, outputs: dict[str, object]) -> tuple[FileDigest, ...]:
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
