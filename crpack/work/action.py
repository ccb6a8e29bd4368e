"""An action of a solution: typed JSON in, argv, typed JSON out.

Rules (SPEC ACT-01…):
- Inputs and params are one flat object. Every value is checked against its declaration before
  anything starts; defaults are filled in; relative paths are made absolute.
- The program gets two files, `{input}` and `{output}`, in a run folder that is its working
  folder. What it must answer is declared and checked as hostile input.
- An output of type `path` lies inside the run folder and exists.
Pure but for asking whether a path exists.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.errors import CheckFailed, ManifestError, RunFailed, UsageError
from crpack.model import constraints, parameters, placeholders
from crpack.model.limits import MAX_OUTPUT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crpack.model.parameters import Parameter
    from crpack.model.recipe import Action, Recipe

INPUT, OUTPUT = "input.json", "output.json"


@dataclass(frozen=True, slots=True)
class Roots:
    """Where things are for an action: absolute paths.

    Attributes:
        own: root of the component whose action it is.
        deps: name and root of every other component of the generation.
        python: interpreter of the generation's environment; empty when it has none.
        run: the run folder.
    """

    own: str
    deps: tuple[tuple[str, str], ...]
    python: str
    run: str


def find(recipe: Recipe, name: str) -> Action:
    """Return an action by its name; options of scope `run` are params of every action.

    Raises:
        UsageError: the solution has no such action; the hint names those it has.
    """
    for action in recipe.action:
        if action.name == name:
            taken = {parameter.name for parameter in (*action.inputs, *action.params)}
            shared = (option for option in recipe.options if option.scope == "run")
            extra = tuple(option for option in shared if option.name not in taken)
            return replace(action, params=action.params + extra)
    known = tuple(action.name for action in recipe.action)
    owner = recipe.package.name
    raise parameters.unknown(name, known, f"`{owner}` has no action `{name}`")


def settle(
    action: Action, document: Mapping[str, object], settings: Mapping[str, str], cwd: str
) -> dict[str, object]:
    """Return the whole input of an action: what was given, checked, and the defaults.

    Args:
        action: with its declared inputs and params.
        document: the JSON object from `--input`, or an empty one.
        settings: name and text of each `--set`; they win.
        cwd: relative paths are taken from here.

    Raises:
        UsageError: an unknown name, a value that does not fit, a required input that is missing.
    """
    declared = {p.name: p for p in (*action.inputs, *action.params)}
    for name in (*document, *settings):
        if name not in declared:
            what = f"the action `{action.name}` has no input `{name}`"
            raise parameters.unknown(name, tuple(declared), what)
    values = {}
    for name, parameter in declared.items():
        value = _value(parameter, document, settings)
        if value is None and (parameter.required or parameter.default is not None):
            raise UsageError(
                f"the action `{action.name}` needs the input `{name}`",
                why=[parameter.help] if parameter.help else (),
                hint=f"give it with `--set {name}=VALUE`",
                rule="ACT-03",
            )
        if value is not None:
            values[name] = _absolute(parameter, value, cwd)
    return values


def agree(
    recipe: Recipe, action: Action, values: Mapping[str, object], options: Mapping[str, str]
) -> None:
    """Refuse values that a constraint of the recipe says do not go together (SPEC RCP-15).

    Args:
        recipe: whose constraints count.
        action: as `find` returns it.
        values: its whole input.
        options: name and text of the options that the component was built with.

    Raises:
        UsageError: two values do not go together; the hint names one that does.
    """
    declared = (*recipe.options, *action.inputs, *action.params)
    texts = {name: parameters.to_text(value) for name, value in values.items()}
    found = constraints.clash(recipe.constraint, declared, {**options, **texts})
    if found is None:
        return
    allowed = " or ".join(f"`{found.name}={text}`" for text in found.allowed)
    others = " and ".join(f"`{name}={text}`" for name, text in found.others)
    if not others:
        what = f"`{found.name}={found.text}` is refused by `{recipe.package.name}`"
        raise UsageError(what, hint=f"set {allowed}", rule="RCP-15")
    raise UsageError(
        f"`{found.name}={found.text}` does not go with {others}",
        why=[f"with {others} `{recipe.package.name}` takes only {allowed}"],
        hint=f"set {allowed}, or another `{found.others[0][0]}`",
        rule="RCP-15",
    )


def _value(
    parameter: Parameter, document: Mapping[str, object], settings: Mapping[str, str]
) -> object:
    if parameter.name in settings:
        return parameters.from_text(parameter, settings[parameter.name])
    if parameter.name in document:
        return parameters.check(parameter, document[parameter.name])
    if parameter.default is not None:
        return parameters.from_text(parameter, parameter.default)
    return None


def _absolute(parameter: Parameter, value: object, cwd: str) -> object:
    if parameter.type != "path" or not isinstance(value, str):
        return value
    if not value:
        why = [f"the input `{parameter.name}` is empty"]
        raise UsageError("an empty text names no file or folder", why=why, rule="ACT-03")
    path = os.path.normpath(os.path.join(cwd, os.path.expanduser(value)))
    if not os.path.exists(path):
        raise UsageError(
            f"there is no file or folder `{value}`",
            why=[f"it was given as the input `{parameter.name}`"],
            rule="ACT-03",
        )
    return path


def render(
    argv: tuple[str, ...], roots: Roots, values: Mapping[str, object], options: Mapping[str, str]
) -> tuple[str, ...]:
    """Return an argv of the action with its placeholders filled (SPEC ACT-04).

    Raises:
        RunFailed: it names something that this generation does not have.
    """
    known = {
        "self": roots.own,
        "run": roots.run,
        "input": f"{roots.run}/{INPUT}",
        "output": f"{roots.run}/{OUTPUT}",
    }
    if roots.python:
        known["python"] = roots.python
    known |= {f"dep.{name}": path for name, path in roots.deps}
    known |= {f"param.{name}": parameters.to_text(value) for name, value in values.items()}
    known |= {f"option.{name}": text for name, text in options.items()}
    try:
        return placeholders.render_all(argv, known, where="action")
    except ManifestError as error:
        why = [error.what, *(fault.message for fault in error.faults)]
        raise RunFailed("the action asks for what is not installed", why=why) from error


def answer(
    action: Action, data: bytes, run: str, back: Callable[[str], str] = str
) -> dict[str, object]:
    """Return what an action answered, checked against its declaration (SPEC ACT-05).

    Args:
        action: with its declared outputs.
        data: bytes of its output file.
        run: the run folder.
        back: tells where a path that the program names is here.

    Raises:
        CheckFailed: not JSON, an output missing or of the wrong type, a path outside.
    """
    if len(data) > MAX_OUTPUT_BYTES:
        raise CheckFailed(f"the action `{action.name}` answered more than {MAX_OUTPUT_BYTES} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        why = [str(error)]
        raise CheckFailed(f"the action `{action.name}` did not answer JSON", why=why) from error
    if not isinstance(document, dict):
        raise CheckFailed(f"the action `{action.name}` did not answer a JSON object")
    answers: dict[str, object] = {}
    for parameter in action.outputs:
        if parameter.name not in document:
            if parameter.required:
                what = f"the action `{action.name}` did not answer `{parameter.name}`"
                raise CheckFailed(what, rule="ACT-05")
            continue
        answers[parameter.name] = _output(action, parameter, document[parameter.name], run, back)
    return answers


def _output(
    action: Action, parameter: Parameter, value: object, run: str, back: Callable[[str], str]
) -> object:
    try:
        parameters.check(parameter, value)
    except UsageError as error:
        what = f"the output `{parameter.name}` of the action `{action.name}` does not fit"
        raise CheckFailed(what, why=[error.what, *error.why], rule="ACT-05") from error
    if parameter.type != "path":
        return value
    folder = os.path.realpath(run)
    path = os.path.realpath(os.path.join(folder, back(str(value))))
    if not path.startswith(f"{folder}/") or not os.path.exists(path):
        what = f"the output `{parameter.name}` names no file of the run folder"
        raise CheckFailed(what, why=[f"it is `{value}`"], rule="ACT-05")
    return path
