"""The shape of modules, classes and functions."""

from __future__ import annotations

import ast
import statistics
from typing import TYPE_CHECKING

import pytest

from tests.house.source import Module, decorator, dotted, functions, modules, parse, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_LINES = 400  # of a module
MEDIAN, P90 = 12, 35  # lines of a function, its docstring not counted
DRAWERS = {"base", "common", "helper", "helpers", "misc", "util", "utils"}
# `main` writes two constants before anything is imported.
PRINTERS = {"crpack.cli.console", "crpack.cli.main", "crpack.cli.progress"}

# Dataclass fields that are dicts and yet do not travel: class and field, with the reason.
DICTS = {
    "Fields.value",  # model/document: the cursor over one decoded object, used up where it is made
    "Bound.values",  # ops/acting: the JSON object that the program gets, checked and completed
    "Ran.outputs",  # ops/acting: the JSON object that the program answered, shown as it is
}


def long_modules(module: Module) -> list[str]:
    lines = len(module.text.splitlines())
    return [f"{module.path}: {lines} lines"] if lines > MAX_LINES else []


def drawers(module: Module) -> list[str]:
    found = DRAWERS & set(module.name.split("."))
    return [f"{module.path}: `{name}` says nothing" for name in sorted(found)]


def unannotated(module: Module) -> list[str]:
    found = []
    for function in functions(module):
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [one for one in (arguments.vararg, arguments.kwarg) if one]
        bare = [one.arg for one in every if not one.annotation and one.arg not in {"self", "cls"}]
        if bare or function.returns is None:
            found.append(module.at(function, f"`{function.name}` is not annotated"))
    return found


def public(module: Module) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public functions, classes and methods of a module."""
    definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in module.tree.body:
        if isinstance(node, definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, definition) and not inner.name.startswith("_"):
                        yield inner


def undocumented(module: Module) -> list[str]:
    found = [
        module.at(node, f"`{node.name}` has no docstring")
        for node in public(module)
        if not ast.get_docstring(node)
    ]
    text = ast.get_docstring(module.tree) or ""
    if not text:
        found.append(f"{module.path}: no docstring")
    elif len(module.text.splitlines()) > 120 and len(text.splitlines()) < 3:
        found.append(f"{module.path}: the docstring states no rules")
    return found


def printing(module: Module) -> list[str]:
    found = []
    for node in ast.walk(module.tree):
        if module.name in PRINTERS or not isinstance(node, ast.Call):
            continue
        if dotted(node.func) in {"print", "sys.stdout.write", "sys.stderr.write"}:
            found.append(module.at(node, "only the console and progress print"))
    return found


def loose_dataclasses(module: Module) -> list[str]:
    found = []
    for node in ast.walk(module.tree):
        one = decorator(node, "dataclass") if isinstance(node, ast.ClassDef) else None
        if one is None:
            continue
        words = {word.arg: word.value for word in one.keywords} if isinstance(one, ast.Call) else {}
        for name in ("frozen", "slots"):
            value = words.get(name)
            if not isinstance(value, ast.Constant) or value.value is not True:
                found.append(module.at(node, f"the dataclass is not {name}"))
    return found


def travelling_dicts(module: Module) -> list[str]:
    found = []
    for node in module.tree.body:
        if not isinstance(node, ast.ClassDef) or not decorator(node, "dataclass"):
            continue
        for field in node.body:
            if not isinstance(field, ast.AnnAssign) or node.name.startswith("_"):
                continue
            text = ast.unparse(field.annotation).lower()
            if text.startswith("callable["):
                continue
            name = f"{node.name}.{ast.unparse(field.target)}"
            if ("dict[" in text or "mapping[" in text or text == "dict") and name not in DICTS:
                found.append(module.at(field, f"`{name}` is a dict"))
    return found


def lengths(module: Module) -> list[int]:
    """Return the lines of each function, from `def` to its end, without its docstring."""
    found = []
    for function in functions(module):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        first = function.body[0]
        if ast.get_docstring(function) and first.end_lineno:
            lines -= first.end_lineno - first.lineno + 1
        found.append(lines)
    return found


LAWS: list[tuple[Callable[[Module], list[str]], str]] = [
    (long_modules, "x = 1\n" * 401),
    (drawers, ""),
    (unannotated, "def f(a: int, *b): ..."),
    (unannotated, "def f(a: int): ..."),
    (unannotated, "class A:\n    def f(self, a) -> None: ..."),
    (undocumented, "def f(): ..."),
    (undocumented, '"""Text."""\nclass A: ...'),
    (undocumented, '"""Text."""\nclass A:\n    """Text."""\n    def f(self): ...'),
    (undocumented, '"""Text."""\n' + "x = 1\n" * 121),
    (printing, "def f():\n    print(1)"),
    (printing, "sys.stdout.write('x')"),
    (loose_dataclasses, "@dataclass\nclass A: ..."),
    (loose_dataclasses, "@dataclasses.dataclass(frozen=True)\nclass A: ..."),
    (loose_dataclasses, "@dataclass(slots=True, frozen=False)\nclass A: ..."),
    (travelling_dicts, "@dataclass(frozen=True)\nclass A:\n    x: dict[str, int]"),
    (travelling_dicts, "@dataclass\nclass A:\n    x: tuple[Mapping[str, int], ...]"),
]


@pytest.mark.parametrize("law", dict.fromkeys(law for law, _ in LAWS), ids=lambda law: law.__name__)
def test_the_law_holds_in_every_module(law: Callable[[Module], list[str]]) -> None:
    found = [finding for module in modules() for finding in law(module)]
    assert not found, report(found)


@pytest.mark.parametrize(("law", "text"), LAWS)
def test_the_law_bites(law: Callable[[Module], list[str]], text: str) -> None:
    assert law(parse(text, "crpack.model.utils"))


def test_the_laws_let_good_code_pass() -> None:
    module = parse(
        '"""Values."""\n'
        "@dataclass(frozen=True, slots=True)\n"
        "class A:\n"
        '    """One value."""\n'
        "    x: int\n"
        "    def f(self, a: int) -> int:\n"
        '        """Return more."""\n'
        "        return self.x + a\n"
        "def _f(a: int) -> None: ...\n"
    )
    for law, _ in LAWS:
        assert not law(module)


def test_functions_are_short() -> None:
    every = sorted(length for module in modules() for length in lengths(module))
    assert statistics.median(every) <= MEDIAN
    assert every[len(every) * 9 // 10] <= P90
