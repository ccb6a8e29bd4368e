"""A conflict: why there is no solution, as a graph of facts and of what follows from them.

Rules (SPEC SOL-12):
- A node stands behind all that it follows from, and the last one says that the requests fail, so
  the graph has no circle and one end. Ids count from `n1` in this order.
- Sentences, the tree and what programs read are the same nodes; nothing is worked out twice.
- The kinds of nodes and of changes, and the codes of what is excluded, are stable.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from crpack.errors import NoSolution

Kind: TypeAlias = Literal[
    "request",
    "dependency",
    "conflict",
    "replaces",
    "provides",
    "available",
    "excluded",
    "pin",
    "host",
    "missing",
    "derived",
]
Change: TypeAlias = Literal[
    "any-version", "pre-release", "option", "install", "detect", "add", "drop"
]


Code: TypeAlias = Literal[
    "yanked",
    "bound",
    "only-detected",
    "needs-crpack",
    "malformed",
    "option",
    "platform",
    "floor",
    "no-driver",
    "no-build",
    "thin",
    "pre-release",
]


@dataclass(frozen=True, slots=True)
class Node:
    """One fact, or what follows from others.

    Attributes:
        id: of it in its graph.
        kind: `request`: somebody asks for `package`; `dependency`, `conflict`, `replaces` and
            `provides`: what `package` says of `on`; `available`: an index has it; `excluded` and
            `pin`: an index has it, and it may not serve, a `pin` because of a lock; `host`: a
            machine has it; `missing`: nobody has it; `derived`: nothing of `package` serves all
            who ask for it, or, of no package, the requests fail.
        package: the component that it is about.
        context: in which: with the results, or where they are built.
        versions: of the package, oldest first.
        span: the same as people read it, what stands together as first and last.
        every: there are no other versions of the package.
        built: with these values of its options alone, `option=value`.
        on: the component that is asked for, excluded, replaced or provided.
        ranges: that are asked for, each once, what the newest version asks first.
        options: values of options that are asked for, `option=value`.
        wants: ranges and options as people read them.
        use: of a dependency: it runs beside the package, is linked, makes it, or only has to fit
            where it is there.
        origin: who asks, which index, or where on the machine it was found.
        code: why it is excluded: it is `yanked`; the lock has the name `bound` to another index;
            `only-detected` may serve; it `needs-crpack` of another version; its recipe is
            `malformed`; an `option` has no such value; its payloads are for another `platform`, or
            the machine does not reach a `floor` of them; it has no payload for here, and
            `no-driver` to make one, or a `no-build` problem; the index has a `thin` copy alone; it
            is a `pre-release`. Empty for other kinds.
        reason: why it is excluded, or does not serve.
        because: ids of what it follows from.
        text: the sentence for people.
    """

    id: str
    kind: Kind
    package: str
    context: Literal["target", "build"] = "target"
    versions: tuple[str, ...] = ()
    span: str = ""
    every: bool = False
    built: tuple[str, ...] = ()
    on: str = ""
    ranges: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    wants: str = ""
    use: Literal["", "run", "link", "tool", "optional"] = ""
    origin: str = ""
    code: Code | Literal[""] = ""
    reason: str = ""
    because: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A component and the version that comes out."""

    package: str
    version: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of what is asked for that was tried and would do.

    Attributes:
        change: `any-version` or `pre-release` of a request, an `option` that the user sets,
            `install` what `--only-detected` kept out, `detect` what `--no-detect` kept out, `add`
            or `drop` a request.
        request: the request or switch that it changes, as it was said; empty for none.
        instead: what to ask for or to set in its place, or beside; empty for nothing.
        result: what is asked for then, with the versions that come out.
        text: the sentence for people.
    """

    change: Change
    request: str
    instead: str
    result: tuple[Chosen, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The whole of it.

    Attributes:
        code: of the error.
        roots: ids of the requests.
        nodes: facts before what follows from them.
        fixes: at most three.
    """

    code: str
    roots: tuple[str, ...]
    nodes: tuple[Node, ...]
    fixes: tuple[Fix, ...] = ()

    @property
    def requests(self) -> tuple[Node, ...]:
        """The requests in conflict."""
        return tuple(node for node in self.nodes if node.kind == "request")

    def table(self) -> dict[str, object]:
        """Return it as plain JSON values (SPEC SOL-12)."""
        return {
            "code": self.code,
            "roots": list(self.roots),
            "nodes": [_row(node) for node in self.nodes],
            "fixes": [_row(fix) for fix in self.fixes],
        }


def of(nodes: tuple[Node, ...], fixes: tuple[Fix, ...] = ()) -> Conflict:
    """Return the conflict that nodes are of."""
    roots = tuple(node.id for node in nodes if node.kind == "request")
    return Conflict(NoSolution.code, roots, nodes, fixes)


def _row(value: Node | Fix) -> dict[str, object]:
    fields = asdict(value).items()
    return {name: list(item) if isinstance(item, tuple) else item for name, item in fields}
