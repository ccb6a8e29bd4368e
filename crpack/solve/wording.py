"""A conflict in words: the first sentence, those below it, the tree, and each node's own.

Rules (SPEC SOL-10):
- The first sentence names the requests in conflict and nothing else, and fits in `WIDTH` columns.
- A plain request of the user that it names in full is not told again.
- A long story keeps its beginning and its end, and says how much lies between; so does a sentence.
- The tree has the same sentences from the requests down, each component once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crpack.solve.conflict import Chosen, Conflict, Node

WIDTH = 73  # columns of the first sentence, which stands behind `error: `
WIDTHS = (30, 18)  # columns of a request in it where not all of them fit
MAX_SENTENCE = 320  # characters of a sentence
MAX_REQUESTS = 4  # sentences about what was asked for
MAX_ASKS = 8  # about who asks what
MAX_FACTS = 6  # about what there is
MAX_DEPTH = 16  # steps of the tree that are shown by blanks
MAX_LINES = 500  # of the tree
YOU = "you"
PYTHON = "@python"
TOGETHER = " cannot be had together"
ASKING = ("request", "dependency", "conflict", "replaces", "provides")
_VERBS = {
    "conflict": ("conflicts with", "conflict with"),
    "replaces": ("replaces", "replace"),
    "run": ("requires", "require"),
    "link": ("links", "link"),
    "tool": ("needs", "need"),
    "optional": ("works only with", "work only with"),
}
_LAST = {"replaces": ", so not both", "tool": " to be built"}


def headline(conflict: Conflict) -> str:
    """Return the first sentence."""
    roots = [asked(node) for node in conflict.requests]
    if len(roots) > 1:
        return series(_shown(roots, WIDTH - len(TOGETHER))) + TOGETHER
    name = conflict.requests[0].package
    missing = any(one.kind == "missing" and one.package == name for one in conflict.nodes)
    said = "there is no `{}`" if missing else "`{}` cannot be had"
    return said.format(_cut(name if missing else roots[0], WIDTH - len(said) + 2))


def sentences(conflict: Conflict) -> tuple[str, ...]:
    """Return what stands below the first sentence."""
    named = headline(conflict)
    told: dict[str, list[str]] = {"request": [], "asks": [], "facts": []}
    for node in conflict.nodes:
        plain = node.kind == "request" and node.origin == YOU and not node.options
        if node.kind == "derived" or (plain and f"`{asked(node)}`" in named):
            continue
        kind = "facts" if node.kind not in ASKING else "asks"
        told["request" if node.kind == "request" else kind].append(node.text)
    return (
        *_shortened(told["request"], MAX_REQUESTS, 0),
        *_shortened(told["asks"], MAX_ASKS, MAX_ASKS // 2 - 1),
        *_shortened(told["facts"], MAX_FACTS, 0),
    )


def hint(conflict: Conflict) -> str:
    """Return the changes that would do, a line each."""
    return "\n".join(fix.text for fix in conflict.fixes)


def tree(conflict: Conflict) -> tuple[str, ...]:
    """Return the lines of the tree: requests, who asks what below them, what there is."""
    below: dict[tuple[str, str], list[Node]] = {}
    there: dict[tuple[str, str], list[Node]] = {}
    for node in conflict.nodes:
        if node.kind in ASKING[1:]:
            below.setdefault(_asker(node), []).append(node)
        elif node.kind not in ("request", "derived"):
            there.setdefault((node.package, node.context), []).append(node)
    lines = list(_branches(conflict.requests, below, there))
    more = len(lines) - MAX_LINES
    return (*lines[:MAX_LINES], *([_more(more)] if more > 0 else []))


def _branches(
    roots: tuple[Node, ...],
    below: dict[tuple[str, str], list[Node]],
    there: dict[tuple[str, str], list[Node]],
) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    waiting = [(0, node) for node in reversed(roots)]
    while waiting:
        depth, node = waiting.pop()
        key, blanks = _target(node), "  " * min(depth, MAX_DEPTH)
        known = key in seen and (key in below or key in there)
        yield f"{blanks}{node.text}{', see above' if known else ''}"
        if known or node.kind in ("conflict", "replaces"):
            continue
        seen.add(key)
        yield from (f"{blanks}  {fact.text}" for fact in there.get(key, ()))
        waiting += [(depth + 1, one) for one in reversed(below.get(key, []))]


def _asker(node: Node) -> tuple[str, str]:
    """Return the component below which a node stands in the tree."""
    return (node.on if node.kind == "provides" else node.package, node.context)


def _target(node: Node) -> tuple[str, str]:
    """Return the component that a node leads to."""
    if node.kind in ("request", "provides"):
        return node.package, node.context
    return node.on, "build" if node.use == "tool" else node.context


def sentence(node: Node) -> str:
    """Return what a node says, without its middle where that is very long."""
    return _cut(_sentence(node), MAX_SENTENCE)


def _sentence(node: Node) -> str:
    name, several = _name(node.package), len(node.versions) > 1
    if node.kind in ("host", "missing"):
        return node.reason
    if node.kind == "derived":
        return f"no {name} serves all who ask for it" if node.package else node.reason
    if node.kind == "request":
        return f"{node.origin} asked for `{asked(node)}`{_wants(node)}"
    if node.kind == "provides":
        return f"{name} provides {_name(node.on)} {node.span}".rstrip()
    if node.kind == "available":
        at = f"the index `{node.origin}` has" if node.origin else "there is"
        return f"{at} {name} {node.span}"
    if node.kind in ("excluded", "pin"):
        left = "are left out, each" if several else "is left out"
        return f"{name} {node.span} {left} because {node.reason}"
    verb = _VERBS[node.use or node.kind][several and not node.every]
    last = _LAST.get(node.use or node.kind, "")
    return f"{_who(node)} {verb} {_name(node.on)}{_wants(node)}{last}"


def outcome(chosen: Sequence[Chosen], rest: str = "the rest") -> str:
    """Return what a change comes to."""
    some = [f"{_name(one.package)} {one.version}".rstrip() for one in chosen[:2]]
    return f"{series(some) if some and len(chosen) <= 2 else rest} would do"


def asked(node: Node) -> str:
    """Return a request as it was asked for."""
    return node.package + "".join(node.ranges)


def series(texts: Iterable[str]) -> str:
    """Return texts as a sentence has them: `a, b and c`."""
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last


def _wants(node: Node) -> str:
    return node.wants if node.wants[:1] in ("", ",") else f" {node.wants}"


def _who(node: Node) -> str:
    built = f" with {series(f'`{one}`' for one in node.built)}" if node.built else ""
    if node.every and len(node.versions) > 1:
        return f"every {_name(node.package)} ({node.span}){built}"
    return f"{_name(node.package)} {node.span}".rstrip() + built


def _name(name: str) -> str:
    return "Python" if name == PYTHON else f"`{name}`"


def _shown(names: list[str], room: int) -> list[str]:
    """Return requests in backticks, as many as there is room for."""
    every = [f"`{name}`" for name in names]
    if len(series(every)) <= room:
        return every
    for width in WIDTHS:
        every = [f"`{_cut(name, width)}`" for name in names]
        for most in range(len(every), 1, -1):
            left = len(every) - most
            shown = every[:most] + ([f"{left} more"] if left else [])
            if len(series(shown)) <= room:
                return shown
    return [every[0], f"{len(every) - 1} more"]


def _cut(text: str, room: int) -> str:
    """Return a text without its middle where it is too long."""
    if len(text) <= room:
        return text
    end = (room - 1) // 2
    return f"{text[: room - 1 - end]}…{text[-end:]}"


def _shortened(texts: list[str], most: int, tail: int) -> list[str]:
    """Return at most so many texts, of them the last ones, and how many were left out."""
    left = len(texts) - (most - 1)
    if left <= 1:
        return texts
    return [*texts[: most - 1 - tail], _more(left), *texts[len(texts) - tail :]]


def _more(count: int) -> str:
    return f"and {count} more of this kind: see `--json`"
