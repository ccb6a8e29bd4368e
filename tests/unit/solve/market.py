"""A market of components for the solver: shards from a few lines of recipe each."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from crpack.index.entries import Copy, IndexSource, Release, Shard
from crpack.model import manifest as manifests
from crpack.model import platforms, recipe_document, recipe_slice
from crpack.model.facts import Facts, Found
from crpack.model.manifest import Payload
from crpack.solve import solver
from crpack.solve.problem import Answer, Offer, Problem, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

LINUX = "linux-x86_64-gnu2.36"
HERE = Facts(LINUX, capabilities=(("@glibc", "2.36"),))
MADE = "[build]\ndriver = 'make'\n"


def payload(
    platform: str = LINUX,
    options: tuple[tuple[str, str], ...] = (),
    floors: tuple[tuple[str, str], ...] = (),
    packed: int = 10,
) -> Payload:
    """Return a payload; its tree is told by all that it is made of."""
    tree = hashlib.sha256(repr((platform, options, floors, packed)).encode()).hexdigest()
    return Payload(
        manifests.payload_id(platform, options, tree),
        platform,
        options,
        tree,
        "0" * 64,
        packed,
        10 * packed,
        1,
        floors,
    )


def release(
    name: str,
    version: str,
    text: str = "",
    *,
    payloads: tuple[Payload, ...] = (),
    build: bool = True,
    revision: int = 0,
    yanked: str = "",
    copies: Iterable[str] = ("full",),
    sources: tuple[IndexSource, ...] = (),
    needs: str = "",
) -> Release:
    """Return a release whose recipe is a head, a text and maybe a way to be built."""
    head = f"[package]\nname = '{name}'\nversion = '{version}'\nrevision = {revision}\n"
    head += f"kind = 'software'\nsummary = ''\nlicense = ''\nneeds-crpack = '{needs}'\n"
    document = recipe_document.read(head + text + (MADE if build else ""), file="crpack.toml")
    return Release(
        version,
        revision,
        hashlib.sha256(document).hexdigest(),
        "2026-01-31T12:00:00Z",
        (),
        recipe_slice.cut(document),
        payloads,
        sources,
        tuple(_copy(kind) for kind in copies),
        yanked,
    )


def _copy(kind: Any) -> Copy:
    return Copy(kind, "a/x.crpkg", "0" * 64, 100, 10)


def shard(name: str, *releases: Release) -> Shard:
    """Return a shard, newest first."""
    return Shard(name, tuple(sorted(releases, key=lambda one: one.order, reverse=True)))


def needs(context: str = "", **wanted: str) -> str:
    """Return the table of requirements; a value is a range, or a table's text."""
    rows = [
        f"{name.replace('_', '-')} = {text if text.startswith('{') else repr(text)}\n"
        for name, text in wanted.items()
    ]
    return f"[requires{context and '.' + context}]\n" + "".join(rows)


def market(*shards: Shard) -> dict[str, Shard]:
    """Return shards by name."""
    return {one.name: one for one in shards}


def have(name: str, version: str | None, *, runnable: bool = True) -> Found:
    """Return software that was found."""
    return Found(name, version, path=f"/usr/bin/{name}", runnable=runnable)


def problem(
    *requests: str | Request, facts: Facts = HERE, target: str = "", **rest: Any
) -> Problem:
    """Return a problem; a text asks for a name."""
    asked = tuple(Request(one) if isinstance(one, str) else one for one in requests)
    return Problem(asked, facts, platforms.parse(target or facts.platform), **rest)


def solved(shards: dict[str, Shard], what: Problem) -> Answer:
    """Return the answer to a problem on a market."""
    return waves(shards, what)[0]


def waves(shards: dict[str, Shard], what: Problem) -> tuple[Answer, list[tuple[str, ...]]]:
    """Return the answer to a problem on a market, and what was looked up wave by wave."""
    run, asked = solver.solve(what), []
    try:
        need = next(run)
        while True:
            asked.append(need.names)
            need = run.send({name: Offer("main", shards.get(name)) for name in need.names})
    except StopIteration as end:
        answer: Answer = end.value
        return answer, asked


def shown(answer: Answer) -> list[str]:
    """Return each pick in short: `name version origin`, build tools with `!` before them."""
    return [
        f"{'!' if one.context == 'build' else ''}{one.name} {one.version} {one.origin}"
        for one in answer.picks
    ]
