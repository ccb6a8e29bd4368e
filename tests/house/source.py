"""The source of crpack as syntax trees: what the laws of the house look at."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Module:
    """One file: its dotted name, its place below the root, its text and its tree."""

    name: str
    path: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The package of crpack that the module belongs to; empty for crpack itself."""
        return [*self.name.split("."), ""][1]

    def at(self, node: ast.AST, what: str) -> str:
        """Return a finding: file, line and what is wrong there."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {what}"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module; `late` when start-up does not import it; the statement."""

    target: str
    late: bool
    node: ast.stmt


def parse(text: str, name: str = "crpack.model.sample") -> Module:
    """Return a module made of a text, for trying a law."""
    return Module(name, name.replace(".", "/") + ".py", text, ast.parse(text))


@functools.cache
def modules() -> tuple[Module, ...]:
    """Return every module of crpack, sorted by name."""
    found = []
    for path in sorted((ROOT / "crpack").rglob("*.py")):
        place = path.relative_to(ROOT)
        parts = place.with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        found.append(Module(name, place.as_posix(), text, ast.parse(text)))
    return tuple(found)


def imports(module: Module, known: frozenset[str]) -> Iterator[Import]:
    """Yield what a module imports, type-only and late imports included.

    Args:
        module: the importing module.
        known: the names of all modules; `from a import b` means `a.b` where that is a module.
    """
    for node, late in _statements(module.tree, late=False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, late, node)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(full if full in known else base, late, node)


def _statements(node: ast.AST, *, late: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield every statement, and whether it stands in a function or a type-only block."""
    for child in ast.iter_child_nodes(node):
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        typing = isinstance(child, ast.If) and dotted(child.test).endswith("TYPE_CHECKING")
        if isinstance(child, ast.stmt):
            yield child, late
        yield from _statements(child, late=late or function or typing)


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method, nested ones included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for a chain of names; empty for another expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return ""


def decorator(node: ast.ClassDef, name: str) -> ast.expr | None:
    """Return the decorator of that name, called or bare."""
    for one in node.decorator_list:
        plain = one.func if isinstance(one, ast.Call) else one
        if dotted(plain).split(".")[-1] == name:
            return one
    return None


def report(findings: list[str]) -> str:
    """Return the text of a failed law."""
    return "\n" + "\n".join(findings)
