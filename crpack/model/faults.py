"""The faults of a recipe's document: what is wrong in it, all of it.

Rules (SPEC DOC-01):
- Found are unknown and missing keys, wrong values, and what does not fit together: an option
  whose default is none of its values, a metric that is no output, a block that matches on an
  option that does not exist.
- A `[[when]]` block is judged as merged into the base, and its faults are told at the block.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

from crpack.errors import Fault, UsageError
from crpack.model import constraints, extent, limits, names, parameters, schema, tables
from crpack.model import probe as probes
from crpack.model import recipe as recipes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.model.recipe import Action, Argv, Constraint, Golden, Recipe, Source
    from crpack.model.tables import Table

LIBC = re.compile(r"(gnu|musl)(?:>=([0-9]+(?:\.[0-9]+)*))?")
OPTION = re.compile(r"\{option\.([A-Za-z0-9_-]+)\}")
_MATCHES = ("os", "arch", "abi", "libc", "option")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SOURCE_KEYS = ("path", "text", "urls", "commit", "tree", "alternatives")
_KEYS_OF_KIND: dict[str, tuple[str, ...]] = {
    "local": ("path",),
    "inline": ("path", "text"),
    "url": ("urls", "alternatives"),
    "git": ("urls", "commit", "tree"),
}
# Keys of parameters that mean nothing in some places (SPEC PRM-06).
_IDLE: dict[str, tuple[str, ...]] = {
    "options": ("required",),
    "inputs": ("scope",),
    "params": ("scope",),
    "outputs": ("default", "scope"),
}


def find(table: Table) -> list[Fault]:
    """Return every fault of a whole document (SPEC DOC-01)."""
    if tables.too_deep(table):
        return [Fault("", f"tables are nested deeper than {limits.MAX_TOML_DEPTH} levels")]
    too_much = extent.excess(table)
    if too_much:
        return [Fault("", too_much)]
    found: list[Fault] = []
    recipe = tables.recipe(table, found)
    blocks = table.get("when", [])
    if not isinstance(blocks, list):
        schema.fault(found, ("when",), "must be an array of tables, written `[[when]]`")
        return found
    if recipe is not None:
        _whole(recipe, table, found)
    for index, block in enumerate(blocks):
        _when(table, block, ("when", str(index)), recipe, found)
    return found


def _when(
    table: Table, block: object, path: schema.Path, recipe: Recipe | None, found: list[Fault]
) -> None:
    if not isinstance(block, dict) or not isinstance(block.get("match"), dict):
        schema.fault(found, path, "needs a `match` table")
        return
    extra = {key: value for key, value in block.items() if key != "match"}
    for key in sorted(tables.FIXED & extra.keys()):
        schema.fault(found, (*path, key), "cannot depend on the platform or an option")
    if recipe is None:
        return
    if _names_run_option(block["match"], recipe):
        for key in sorted(extra.keys() - tables.FIXED - {"metrics"}):
            message = "cannot depend on an option of runs; only `metrics` can"
            schema.fault(found, (*path, key), message)
    _match(block["match"], (*path, "match"), recipe, found)
    inner: list[Fault] = []
    allowed = {key: value for key, value in extra.items() if key not in tables.FIXED}
    merged = tables.recipe(tables.merge(table, allowed), inner)
    if merged is not None:
        _whole(merged, tables.merge(table, allowed), inner)
    known = {(fault.keys, fault.message) for fault in found}
    for fault in inner:
        if (fault.keys, fault.message) not in known:
            own = _in_block(fault.keys, table)
            schema.fault(found, (*path, *own), fault.message, fault.hint)


def _in_block(keys: schema.Path, base: Any) -> schema.Path:
    """Return the path in a block of what stands at `keys` when it is merged into the base."""
    own = []
    for key in keys:
        if isinstance(base, list):
            own.append(str(max(0, int(key) - len(base))))  # a block's items stand behind the base's
            base = None
        else:
            own.append(key)
            base = base.get(key) if isinstance(base, dict) else None
    return tuple(own)


def _match(match: Table, path: schema.Path, recipe: Recipe, found: list[Fault]) -> None:
    for key, value in match.items():
        if key not in _MATCHES:
            schema.unknown(found, (*path, key), _MATCHES)
        elif key == "option":
            _match_options(value, (*path, key), recipe, found)
        elif not all(isinstance(text, str) for text in texts(value)):
            schema.fault(found, (*path, key), "must be a text or an array of texts")
        elif key == "libc" and not all(LIBC.fullmatch(str(text)) for text in texts(value)):
            schema.fault(found, (*path, key), "must read like `gnu>=2.28` or `musl`")


def _names_run_option(match: Table, recipe: Recipe) -> bool:
    named = match.get("option")
    run = {option.name for option in recipe.options if option.scope == "run"}
    return isinstance(named, dict) and bool(run & named.keys())


def _match_options(value: object, path: schema.Path, recipe: Recipe, found: list[Fault]) -> None:
    if not isinstance(value, dict):
        schema.fault(found, path, "must be a table of options")
        return
    options = {option.name: option for option in recipe.options}
    for name, wanted in value.items():
        if name not in options:
            schema.unknown(found, (*path, name), tuple(options))
            continue
        for text in texts(wanted):
            if isinstance(text, str):
                _value(options[name], text, (*path, name), found)
            else:
                schema.fault(found, (*path, name), "must be a value or an array of values")


def texts(value: object) -> Sequence[object]:
    """Return the values that a match names: one, or those of an array, as texts."""
    items = value if isinstance(value, list) else [value]
    return [schema.as_text(item) for item in items]


def _whole(recipe: Recipe, table: Table, found: list[Fault]) -> None:
    """Find what one key says against another."""
    _idle(table.get("options", {}), "options", ("options",), found)
    for option in recipe.options:
        _parameter(option, ("options", option.name), found)
        if option.type in ("array", "object"):
            schema.fault(found, ("options", option.name, "type"), "is no type of an option")
    for action in recipe.action:
        path = ("action", action.name)
        for group in ("inputs", "params", "outputs"):
            _idle(table["action"][action.name].get(group, {}), group, (*path, group), found)
        _action(action, path, found)
    _requires(recipe, found)
    _relations(recipe, found)
    for index, constraint in enumerate(recipe.constraint):
        _constraint(constraint, recipe, ("constraint", str(index)), found)
    _metrics(recipe, found)
    for index, golden in enumerate(recipe.golden):
        _golden(golden, recipe, ("golden", str(index)), found)
    for index, source in enumerate(recipe.source):
        _source(source, ("source", str(index)), found)
    _build(recipe, table, found)
    for index, probe in enumerate(recipe.probe):
        probes.judge(probe, ("probe", str(index)), found)
    if recipe.test is not None:
        _steps(recipe.test.steps, ("test", "steps"), found)
        _regex(recipe.test.expect, ("test", "expect"), found)
    _variables(recipe.exports.env, ("exports", "env"), found)


def _variables(pairs: tuple[tuple[str, str], ...], path: schema.Path, found: list[Fault]) -> None:
    for name, _ in pairs:
        if not _VARIABLE.fullmatch(name):
            schema.fault(found, (*path, name), "is not the name of a variable")


def _requires(recipe: Recipe, found: list[Fault]) -> None:
    known = {option.name for option in recipe.build_options}
    groups = {"run": recipe.requires.run, "build": recipe.requires.build}
    groups["target"] = recipe.requires.target
    for context, needs in groups.items():
        path = ("requires",) if context == "run" else ("requires", context)
        for need in needs:
            for key, value in need.options:
                for name in sorted(set(OPTION.findall(value)) - known):
                    message = f"names the option `{name}`, which this component does not have"
                    schema.fault(found, (*path, need.name, "options", key), message)


def _relations(recipe: Recipe, found: list[Fault]) -> None:
    """Find names that cannot be provided, replaced or excluded (SPEC REQ-05 to REQ-07)."""
    for group in ("provides", "conflicts", "replaces"):
        for name, _ in getattr(recipe, group):
            if not names.is_name(name):
                schema.fault(found, (group, name), "is not a component's name")
            elif name == recipe.package.name:
                schema.fault(found, (group, name), "is the component itself")


def _constraint(one: Constraint, recipe: Recipe, path: schema.Path, found: list[Fault]) -> None:
    """Find constraints on what the recipe does not have, or that the defaults break (RCP-15)."""
    before = len(found)
    actions = [(*action.inputs, *action.params) for action in recipe.action]
    every = [*recipe.options, *(each for group in actions for each in group)]
    declared = [each for each in every if not each.range or _is_range(each.range)]
    known = {each.name for each in every}
    for group in ("match", "only"):
        for name, values in getattr(one, group):
            where = (*path, group, name)
            if name not in known:
                schema.unknown(found, where, tuple(sorted(known)))
            if not values:
                schema.fault(found, where, "must name a value")
            for each, text in ((each, text) for each in declared for text in values):
                if each.name == name:
                    _value(each, text, where, found)
    if not one.only:
        schema.fault(found, (*path, "only"), "must name an option or a param")
    for group_of in (actions or [()]) if len(found) == before else ():
        here = [each for each in (*recipe.options, *group_of) if each in declared]
        defaults = {each.name: _default(each) for each in here}
        texts = {name: text for name, text in defaults.items() if text is not None}
        if constraints.clash((one,), here, texts):
            schema.fault(found, path, "refuses the defaults")
            return


def _default(parameter: parameters.Parameter) -> str | None:
    """Return a default as the text of its type; None where there is none that fits."""
    try:
        text = parameter.default
        return None if text is None else parameters.to_text(parameters.from_text(parameter, text))
    except UsageError:
        return None


def _metrics(recipe: Recipe, found: list[Fault]) -> None:
    outputs = {action.name: {o.name for o in action.outputs} for action in recipe.action}
    for metric in recipe.metrics:
        if metric.name not in outputs.get(metric.action, set()):
            message = f"is no output of the action `{metric.action}`"
            schema.fault(found, ("metrics", metric.name), message)


def _golden(golden: Golden, recipe: Recipe, path: schema.Path, found: list[Fault]) -> None:
    """Find golden runs of what the recipe does not have (SPEC GLD-01, GLD-02)."""
    actions = {action.name: action for action in recipe.action}
    action = actions.get(golden.action)
    if action is None:
        schema.fault(found, (*path, "action"), f"names no action: `{golden.action}`")
        return
    shared = tuple(option for option in recipe.options if option.scope == "run")
    inputs = {one.name for one in (*action.inputs, *action.params, *shared)}
    outputs = {one.name: one for one in action.outputs}
    for name, _ in golden.input:
        if name not in inputs:
            schema.unknown(found, (*path, "input", name), tuple(inputs))
    if not golden.expect:
        schema.fault(found, (*path, "expect"), "must say what an output has to be")
    for expected in golden.expect:
        where = (*path, "expect", expected.name)
        output = outputs.get(expected.name)
        if output is None:
            schema.unknown(found, where, tuple(outputs))
        elif (expected.value is not None) + bool(expected.file) + bool(expected.sha256) != 1:
            schema.fault(found, where, "needs one of `value`, `file` and `sha256`")
        elif expected.value is not None:
            _value(output, expected.value, (*where, "value"), found)
        elif expected.sha256 and output.type != "path":
            schema.fault(found, (*where, "sha256"), "is for outputs of type `path`")
        elif ".." in expected.file.split("/"):
            schema.fault(found, (*where, "file"), "must stay inside the component's result")


def _build(recipe: Recipe, table: Table, found: list[Fault]) -> None:
    if recipe.build is None:
        return
    for driver in get_args(recipes.Driver):
        if driver in table["build"] and driver != recipe.build.driver:
            message = f"is a table of another driver than `{recipe.build.driver}`"
            schema.fault(found, ("build", driver), message)
    _steps(recipe.build.script.steps, ("build", "script", "steps"), found)
    _steps(recipe.build.autotools.bootstrap, ("build", "autotools", "bootstrap"), found)
    _variables(recipe.build.configure.vars, ("build", "configure", "vars"), found)


def _steps(steps: tuple[Argv, ...], path: schema.Path, found: list[Fault]) -> None:
    for index, argv in enumerate(steps):
        if not argv:
            schema.fault(found, (*path, str(index)), "must name a program")


def _regex(text: str, path: schema.Path, found: list[Fault]) -> None:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        schema.fault(found, path, f"is not a regular expression: {error}")


def _action(action: Action, path: schema.Path, found: list[Fault]) -> None:
    if not action.argv:
        schema.fault(found, (*path, "argv"), "must name a program")
    _steps(action.pre, (*path, "pre"), found)
    _steps(action.post, (*path, "post"), found)
    for output in action.outputs:
        _parameter(output, (*path, "outputs", output.name), found)
    seen: set[str] = set()
    for group, items in (("inputs", action.inputs), ("params", action.params)):
        for parameter in items:
            where = (*path, group, parameter.name)
            if parameter.name in seen:
                schema.fault(found, where, "is an input and a param at once")
            seen.add(parameter.name)
            _parameter(parameter, where, found)


def of_sources(table: Table) -> list[Fault]:
    """Return the digests that a person gives for sources that `build` packs and hashes itself.

    A document that travels has them (SPEC RCP-07).
    """
    found: list[Fault] = []
    blocks = [(("when", str(index)), block) for index, block in enumerate(_items(table, "when"))]
    for path, part in [((), table), *blocks]:
        for index, source in enumerate(_items(part, "source")):
            if isinstance(source, dict) and source.get("kind") in ("local", "inline"):
                for key in sorted({"sha256", "size"} & source.keys()):
                    message = "is not stated but computed, for a source that is packed"
                    schema.fault(found, (*path, "source", str(index), key), message)
    return found


def _items(table: object, key: str) -> list[Any]:
    """Return the items of an array of a table; none where there is no such thing."""
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, list) else []


def _source(source: Source, path: schema.Path, found: list[Fault]) -> None:
    if source.kind in ("local", "inline") and not source.path:
        schema.fault(found, (*path, "path"), "is missing")
    for key in _SOURCE_KEYS:
        if getattr(source, key) and key not in _KEYS_OF_KIND[source.kind]:
            schema.fault(found, (*path, key), f"means nothing for a source of kind `{source.kind}`")
    if source.kind == "url" and not (source.urls and source.sha256):
        schema.fault(found, path, "of kind `url` needs `urls` and `sha256`")
    if source.kind == "git" and not (source.urls and source.commit and source.tree):
        schema.fault(found, path, "of kind `git` needs `urls`, `commit` and `tree`")
    for key in ("path", "into"):
        if ".." in getattr(source, key).split("/"):
            schema.fault(found, (*path, key), "must stay inside its folder")


def _idle(group: Table, kind: str, path: schema.Path, found: list[Fault]) -> None:
    """Find keys of parameters that are known but mean nothing for this kind (SPEC PRM-06)."""
    for name in sorted(group):
        for key in _IDLE[kind]:
            if key in group[name]:
                schema.fault(found, (*path, name, key), f"means nothing for {kind}")


def _parameter(parameter: parameters.Parameter, path: schema.Path, found: list[Fault]) -> None:
    if parameter.type == "enum" and not parameter.values:
        schema.fault(found, (*path, "values"), "is missing")
    elif parameter.range and not _is_range(parameter.range):
        schema.fault(found, (*path, "range"), "must be two numbers, lowest and highest")
    elif parameter.values and parameter.type != "enum":
        schema.fault(found, (*path, "values"), f"means nothing for the type `{parameter.type}`")
    elif parameter.range and parameter.type not in ("int", "float"):
        schema.fault(found, (*path, "range"), f"means nothing for the type `{parameter.type}`")
    elif parameter.default is not None:
        _value(parameter, parameter.default, (*path, "default"), found)


def _is_range(bounds: tuple[str, ...]) -> bool:
    try:
        low, high = (float(bound) for bound in bounds)
    except ValueError:
        return False
    return low <= high


def _value(
    parameter: parameters.Parameter, text: str, path: schema.Path, found: list[Fault]
) -> None:
    try:
        parameters.from_text(parameter, text)
    except UsageError as error:
        schema.fault(found, path, "; ".join((error.what, *error.why)))
