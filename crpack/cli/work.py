"""The verbs `run` and `validate`.

Rules: standard output holds the outputs alone, what the programs say goes to standard error; with
`--json` their last lines stand in a failure too. `run` ends with the code of its program.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from crpack.cli.console import plain
from crpack.cli.progress import reporter
from crpack.cli.sessions import session_of
from crpack.errors import CheckFailed, UsageError
from crpack.model.limits import MAX_JSON_BYTES
from crpack.ops import acting, validating, work

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `run` or `validate` and return its handler."""
    return {"run": _configure_run, "validate": _configure_validate}[verb](parser)


def _inputs(parser: VerbParser) -> None:
    add = parser.add_argument
    add("--input", metavar="FILE|-", help="JSON object with inputs and params; - reads it here")
    add("--set", action="append", default=[], dest="set_", metavar="KEY=VALUE",
        help="one input or param; wins over --input")  # fmt: skip
    add("--out", metavar="DIR", help="run folder to make (default: below the prefix)")
    add("--executor", metavar="WHERE", default="",
        help="local, emulator, ssh:HOST or adb (default: here, emulated if need be)")  # fmt: skip


def _configure_run(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("name", metavar="NAME", help="an installed solution")
    parser.add_argument("action", metavar="ACTION", nargs="?", default="run",
        help="one of its actions (default: run)")  # fmt: skip
    _inputs(parser)
    parser.add_argument("--dry-run", action="store_true", help="show the command; run nothing")
    return _run


def _configure_validate(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("name", metavar="NAME", help="an installed solution")
    _inputs(parser)
    parser.add_argument("--dry-run", action="store_true", help="show the commands; run nothing")
    return _validate


def request_of(call: Call, action: str) -> acting.Request:
    """Return what the words of `run`, `validate` or `benchmark` ask for."""
    return acting.Request(
        name=call.args.name,
        action=action,
        document=_document(call.args.input),
        settings=tuple(_pair(text) for text in call.args.set_),
        folder=call.args.out or "",
        source=call.args.input or "",
        executor=call.args.executor,
        listen=call.console.as_json,
    )


def _document(source: str | None) -> str:
    """Return the text of the input document; an empty object without one."""
    if source is None:
        return "{}"
    try:
        with open(0 if source == "-" else source, "rb", closefd=source != "-") as stream:
            data = stream.read(MAX_JSON_BYTES + 1)
        text = data.decode("utf-8-sig")  # JSON is UTF-8, whatever the terminal speaks
    except OSError as error:
        why = [error.strerror or "it cannot be opened"]
        hint = "name a file with a JSON object, or `-` for standard input"
        raise UsageError(f"the input `{source}` cannot be read", why=why, hint=hint) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the input `{source}` is not UTF-8", why=[str(error)]) from error
    if len(data) > MAX_JSON_BYTES:
        raise UsageError(f"the input `{source}` is longer than {MAX_JSON_BYTES} bytes")
    return text


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"`{text}` sets nothing", hint="write `--set KEY=VALUE`")
    return key, value


def _run(call: Call) -> int:
    session = session_of(call)
    request = request_of(call, call.args.action)
    if call.args.dry_run:
        planned = work.plan(session, request)
        call.console.plan(planned, _commands(planned))
        return 0
    ran = work.run(session, request)
    for warning in ran.warnings:
        call.console.warn(warning)
    if ran.code != 0:
        call.console.fail(acting.failure(ran))
        return ran.code
    call.console.answer(ran, json.dumps(ran.outputs, indent=2, ensure_ascii=False))
    call.console.say(f"run folder: {ran.folder}")
    return 0


def _commands(planned: acting.RunPlan) -> list[str]:
    elsewhere = "" if planned.executor in ("local", "emulator") else f"{planned.executor}: "
    return [elsewhere + shlex.join(argv) for argv in planned.argvs]


def _validate(call: Call) -> int:
    session, request = session_of(call), request_of(call, "validate")
    if call.args.dry_run:
        plans = validating.validation(session, request)
        commands = [line for planned in plans for line in _commands(planned)]
        call.console.plan(plans, [f"would hash the files of {request.name} again", *commands])
        return 0
    with reporter(call) as tell:
        report = validating.validate(session, request, tell=tell)
    for warning in report.warnings:
        call.console.warn(warning)
    if report.faults:
        raise CheckFailed(
            f"`{report.name}` is not valid",
            why=report.faults,
            hint=report.hint,
            data={"verdicts": plain(report.verdicts), "golden": plain(report.golden)},
        )
    lines = [f"ok   {report.files} files as installed"]
    lines += [verdict.sentence() for verdict in report.verdicts]
    lines += [f"ok   {one.name}" for one in report.golden]
    lines.append(f"{call.console.paint('valid', 'green')}: {report.name} {report.version}")
    call.console.answer(report, "\n".join(lines))
    return 0
