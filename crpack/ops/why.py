"""The verb `why`: every candidate of a name, the evidence, and the first constraint that it failed.

Rules (SPEC SOL-11):
- For a solution that is chosen from an index the choice is made again, as `install` makes it; what
  is installed is kept. One that came from an archive is judged by its lock.
- Without a solution: what anybody who needs the name without a range would get.
- What was looked at on the machine and refused is told too, with the reason. Nothing is changed.
- A capability is asked for by its name, `@glibc`; `python` in a solution is the interpreter of its
  environment, which recipes ask for in `[python]`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from crpack.errors import NoSolution, UsageError
from crpack.install import documents, generations
from crpack.model import capabilities, platforms, recipe_document, versions
from crpack.model import lock as locks
from crpack.model.parameters import unknown
from crpack.model.recipe_document import Context as Resolution
from crpack.ops import catalogue, detection, indexes, naming, pythons, resolving
from crpack.ops.naming import NameOrder
from crpack.ops.progress import silent
from crpack.ops.resolving import Wish
from crpack.solve import candidacy, order, solver
from crpack.solve.candidates import Candidate, Edge
from crpack.solve.conflict import Conflict
from crpack.solve.fitting import enough
from crpack.solve.pool import Pool
from crpack.solve.problem import Context, Policy, Slot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.model.facts import Facts
    from crpack.model.lock import Lock
    from crpack.model.recipe import Recipe
    from crpack.ops.progress import Tell
    from crpack.ops.resolving import Posed
    from crpack.session import Session
    from crpack.solve.candidacy import Judged

ANYBODY = "anybody"
ANY = "any version"
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked.

    Attributes:
        name: of the component.
        solution: a name with a range, as for `install`; empty for no solution.
        options: component (empty for the solution), option, value as text.
        policy: how to choose where several would do.
    """

    name: str
    solution: str = ""
    options: tuple[tuple[str, str, str], ...] = ()
    policy: Policy = Policy()  # noqa: RUF009 - a frozen value


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for the name, and what."""

    by: str
    wants: str


@dataclass(frozen=True, slots=True)
class Told:
    """One candidate.

    Attributes:
        kind: `found` on the machine, `refused` there, `listed` in an index, or `provided`.
        version: empty where it could not be determined.
        revision: of a listed one.
        place: path, or name of the index.
        evidence: how it is known: the probe, or how it would be had and who signed it.
        chosen: it serves.
        why: the first constraint that it failed, or what is preferred to it.
    """

    kind: Literal["found", "refused", "listed", "provided"]
    version: str
    revision: int
    place: str
    evidence: str
    chosen: bool
    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """The name in one context.

    Attributes:
        context: `target`: with the results; `build`: where they are built.
        needed: who asks for it; empty: nobody.
        candidates: in the order in which machine and index have them.
    """

    context: Context
    needed: tuple[Asked, ...]
    candidates: tuple[Told, ...]

    @property
    def chosen(self) -> Told | None:
        """The candidate that serves; None for nothing."""
        return next((one for one in self.candidates if one.chosen), None)


@dataclass(frozen=True, slots=True)
class Why:
    """The answer.

    Attributes:
        name: of the component.
        solution: for which; empty for none.
        stated: what the user said of the machine.
        cases: one a context.
        failure, conflict: why nothing was chosen at all, in sentences and as a graph (SPEC SOL-12).
    """

    name: str
    solution: str
    stated: tuple[str, ...]
    cases: tuple[Case, ...]
    failure: tuple[str, ...] = ()
    conflict: Conflict | None = None


def why(session: Session, asked: Order, *, tell: Tell = silent) -> Why:
    """Return every candidate of a name with its verdict.

    Raises:
        NoSolution: nobody knows the name, or the solution.
        UsageError: a word is no name.
        FetchError, TrustError: an index cannot be read.
    """
    if asked.name[:1] == "@":
        capabilities.check(asked.name, "")
    elif (name := resolving.request(asked.name)).range:
        what = f"`{asked.name}` has a range"
        raise UsageError(what, hint=f"ask for all of it: `crpack why {name.name}`")
    if not asked.solution:
        return _alone(session, asked, tell)
    request = resolving.request(asked.solution)
    had = indexes.installed(session, request.name)
    if had is not None and not any(row.index for row in had.package):
        return _by_lock(session, asked, had, tell)
    return _chosen_again(session, asked, had, tell)


def _alone(session: Session, asked: Order, tell: Tell) -> Why:
    posed = resolving.pose(session, Wish((), policy=asked.policy), tell=tell)
    stated = detection.told(session, posed.facts)
    if asked.name[:1] == "@":
        return Why(asked.name, "", stated, (_capability(posed.facts, asked.name, ()),))
    pool = _looked_up(posed, asked.name)
    slot = Slot(asked.name)
    edge = Edge(slot, Candidate(Slot(ANYBODY), "binary"))
    case = _case(session, posed, pool, slot, edges=(edge,), chosen=_first(pool, slot, (edge,)))
    _known(posed, asked.name, case)
    return Why(asked.name, "", stated, (case,))


def _by_lock(session: Session, asked: Order, had: Lock, tell: Tell) -> Why:
    """Judge by the lock of what was installed from an archive."""
    posed = resolving.pose(session, Wish((), policy=asked.policy), tell=tell)
    pool = _looked_up(posed, asked.name)
    solution = resolving.request(asked.solution).name
    generation = generations.current(session.prefix, solution)
    recorded = generation.record
    part = next((one.node for one in recorded.parts if one.node.name == asked.name), None)
    cases = []
    for context in _contexts(had, asked.name):
        slot = Slot(asked.name, context)
        edges = tuple(
            Edge(slot, Candidate(Slot(row.name), "binary", row.version), text)
            for row in had.package
            for name, text in row.requires
            if name == asked.name
        )
        choice = next(c for c in had.target[0].package if (c.name, c.context) == slot)
        if not edges:
            by = Candidate(Slot(solution), "binary", recorded.version)
            edges = (Edge(slot, by, choice.range),)
        files = {file.path for file in part.files} if part else set()
        served = (
            c for c in pool.found(slot) if c.found and files & {c.found.path, c.found.library}
        )
        chosen = next(served, None)
        case = _case(session, posed, pool, slot, edges=edges, chosen=chosen)
        if chosen is None and part is not None:
            row = locks.package_of(had, choice)
            told = Told(
                "listed",
                part.version,
                part.revision,
                recorded.request,
                part.origin,
                chosen=True,
                why="" if row else "it was there when it was installed",
            )
            case = Case(context, case.needed, (*case.candidates, told))
        cases.append(case)
    if not cases:
        own = recipe_document.resolve(
            documents.recipe(generation), Resolution(platforms.parse(recorded.platform), ())
        )
        cases += _machine_case(session, posed, asked.name, ((recorded.name, own),))
    if not cases:
        _unneeded(had, asked)
    stated = detection.told(session, posed.facts)
    return Why(asked.name, f"{solution} {recorded.version}", stated, tuple(cases))


def _chosen_again(session: Session, asked: Order, had: Lock | None, tell: Tell) -> Why:
    """Choose as `install` does, and judge by that."""
    request = resolving.request(asked.solution)
    kept = resolving.preferences(indexes.in_own_words(session, had) if had else None)
    wish = naming.wish_of(NameOrder((), asked.options, asked.policy), request)
    posed = resolving.pose(session, wish, locked=kept, tell=tell)
    if posed.indexes.offers([request.name])[request.name].shard is None:
        raise catalogue.missing(posed.indexes, request.name)
    explored = resolving.driven(solver.explore(posed.problem), posed.indexes)
    pool = explored.pool
    names = pool.lacking([asked.name])
    pool.take(posed.indexes.offers(names))
    chosen = {one.slot: one for one in (explored.walk.reached if explored.walk else ())}
    cases = []
    for context in ("target", "build"):
        slot = Slot(asked.name, context)
        edges = candidacy.asking(explored, slot)
        if edges and asked.name[:1] == "@":
            pairs = candidacy.together(pool, edges)
            facts = posed.problem.machine(context)
            cases.append(_capability(facts, asked.name, pairs, context))
        elif edges:
            cases.append(_case(session, posed, pool, slot, edges=edges, chosen=chosen.get(slot)))
    solution = chosen.get(Slot(request.name))
    label = f"{request.name} {solution.version}" if solution else str(request)
    if not cases:
        reached = explored.walk.reached if explored.walk else ()
        recipes = [(_label(one), one.recipe) for one in reached if one.slot.context == "target"]
        cases += _machine_case(session, posed, asked.name, recipes)
    if not cases:
        case = _case(session, posed, pool, Slot(asked.name), edges=(), chosen=None)
        _known(posed, asked.name, case)
        cases.append(case)
    words = (failure.what, *failure.why) if (failure := explored.failure) else ()
    told = detection.told(session, posed.facts)
    return Why(asked.name, label, told, tuple(cases), words, getattr(failure, "conflict", None))


def _looked_up(posed: Posed, name: str) -> Pool:
    pool = Pool(posed.problem)
    pool.take(posed.indexes.offers([name]))
    return pool


def _first(pool: Pool, slot: Slot, edges: tuple[Edge, ...]) -> Candidate | None:
    return next(iter(order.matches(pool, slot, edges)), None)


def _case(
    session: Session,
    posed: Posed,
    pool: Pool,
    slot: Slot,
    *,
    edges: tuple[Edge, ...],
    chosen: Candidate | None,
) -> Case:
    index = pool.offers[slot.name].index
    signers = _signers(posed, index, slot.name)
    judged = candidacy.judged(pool, slot, edges, chosen)
    told = [_told(one, index, signers, posed.problem.machine(slot.context)) for one in judged]
    last = len([one for one in told if one.kind == "found"])
    told[last:last] = _refused(session, slot.name)
    needed = tuple(Asked(by, wants) for by, wants in candidacy.together(pool, edges))
    return Case(slot.context, tuple(one for one in needed if one.by != ANYBODY), tuple(told))


def _label(one: Candidate) -> str:
    return f"{one.slot.name} {one.version or ''}".rstrip()


def _machine_case(
    session: Session, posed: Posed, name: str, recipes: Iterable[tuple[str, Recipe | None]]
) -> list[Case]:
    """Return what recipes need of the machine under a name: a capability, or Python."""
    known = [(by, recipe) for by, recipe in recipes if recipe is not None]
    if name == "python":
        asks = [
            (by, one.python.python or ANY)
            for by, one in known
            if one.python.python or one.python.requires
        ]
        return [_interpreter(session, posed, tuple(asks))] if asks else []
    if name[:1] != "@":
        return []
    needs = [(by, need) for by, one in known for need in one.requires.machine]
    wanted = [(by, need.version or ANY) for by, need in needs if need.name == name]
    return [_capability(posed.facts, name, tuple(wanted))]


def _capability(facts: Facts, name: str, pairs: Pairs, context: Context = "target") -> Case:
    """Return what a machine has of a capability, and who needs what of it."""
    have, why_not = facts.capability(name), dict(facts.absent).get(name, "")
    unmet = [
        f"`{by}` needs {wanted}"
        for by, wanted in pairs
        if not enough(name, "" if wanted == ANY else wanted, facts)
    ]
    why_not = why_not if not have else unmet[0] if unmet else "" if pairs else "nobody asks for it"
    told = Told("found", have, 0, facts.platform, "", chosen=not why_not, why=why_not)
    there = (
        told if have else replace(told, kind="refused", chosen=False, why=why_not or "not there")
    )
    return Case(context, tuple(Asked(*pair) for pair in pairs), (there,))


def _interpreter(session: Session, posed: Posed, pairs: Pairs) -> Case:
    """Return the interpreters of this machine, and which an environment is made with."""
    ranges = tuple(wanted for _, wanted in pairs if wanted != ANY)
    try:
        chosen = pythons.choose(session, posed.facts, ranges)
    except NoSolution:
        chosen = None
    every = {one.path: (one.version or "", one.how) for one in posed.facts.all("python")}
    if chosen is not None:
        every = {chosen.path: (chosen.version, "runs crpack"), **every}
    rows = []
    for path, (version, how) in every.items():
        unmet = [
            f"wrong version: `{by}` needs {wanted}"
            for by, wanted in pairs
            if wanted != ANY and not versions.parse_range(wanted).admits(version, early=True)
        ]
        serves = chosen is not None and path == chosen.path
        rest = "it would fit; another one comes first" if chosen else ""
        said = "" if serves else unmet[0] if unmet else rest
        rows.append(Told("found", version, 0, path, how, chosen=serves, why=said))
    return Case("target", tuple(Asked(*pair) for pair in pairs), tuple(rows))


def _told(one: Judged, index: str, signers: str, facts: Facts) -> Told:
    if one.found is not None:
        evidence = "; ".join(filter(None, (one.found.how, dict(one.found.notes).get("disagrees"))))
        said = detection.verdict(one.found, facts, one.why)
        return Told("found", one.version, 0, one.found.path, evidence, one.chosen, said)
    if one.release is not None:
        way = {"binary": "a payload", "source": "from its source"}.get(one.way, "")
        evidence = "; ".join(text for text in (way, signers) if text)
        revision = one.release.revision
        return Told("listed", one.version, revision, index, evidence, one.chosen, one.why)
    return Told("provided", one.version, 0, index, "", one.chosen, one.why)


def _refused(session: Session, name: str) -> list[Told]:
    seen = detection.facts(session)[1]
    return [
        Told("refused", "", 0, one.path, "", chosen=False, why=one.why)
        for one in seen.refused
        if one.name == name
    ]


def _signers(posed: Posed, index: str, name: str) -> str:
    if not index:
        return ""
    pins = posed.indexes.named(index).publishers.pins_for(name)
    return "signed by " + ", ".join(pin.label or pin.keyid[:16] for pin in pins)


def _known(posed: Posed, name: str, case: Case) -> None:
    """See that the name is one that an index or a probe knows."""
    probed = {recipe.package.name for recipe in detection.shipped()}
    probed |= set(detection.probed())
    if not case.candidates and name not in probed:
        raise catalogue.missing(posed.indexes, name)


def _contexts(had: Lock, name: str) -> tuple[Context, ...]:
    rows = [choice for target in had.target[:1] for choice in target.package]
    return tuple(choice.context for choice in rows if choice.name == name)


def _unneeded(had: Lock, asked: Order) -> None:
    names = tuple(choice.name for target in had.target[:1] for choice in target.package)
    raise unknown(asked.name, names, f"`{asked.solution}` does not consist of `{asked.name}`")
