"""The search: which slots there are, what is decided next, and when it is done.

Rules (SPEC SOL-06, SOL-08):
- Slots are decided breadth first from the requests, each with the best candidate that is left.
  Nothing is excluded but what follows from the facts, so the first answer is the best one.
- What a candidate asks becomes clauses when it is the only one left, or about to be chosen. Where
  it is refuted, all candidates that are refuted by the same are ruled out at once; and from the
  first conflict on, what it asks is said of all that ask the same.
- In a closed universe each candidate that needs somebody to ask for it has a clause that says who
  could; in an open one who chooses such a one without it must close the universe.
- No recursion, no clock: the budget counts what is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.solve import check
from crpack.solve.candidates import Unloaded
from crpack.solve.domains import ABSENT, sign
from crpack.solve.engine import Engine
from crpack.solve.facts import Fact, Outcome, Stale, Unclosed

if TYPE_CHECKING:
    from crpack.solve.candidates import Candidate, Edge
    from crpack.solve.domains import Domain
    from crpack.solve.engine import Clause
    from crpack.solve.problem import Slot
    from crpack.solve.universe import Universe

MANY = 4  # candidates that one clause must rule out to be worth it
SMALL = 64  # candidates of a slot whose requirements are all compared at once
ON = 2  # the bit of a request that counts


class Search:
    """One search in one universe; `run` may be called again after a name was looked up."""

    def __init__(self, universe: Universe) -> None:
        self.universe, self.pool = universe, universe.pool
        self.engine = Engine()
        self.owners: list[Domain | int] = []  # of each variable: a domain, or a request
        self.numbers: dict[Slot, int] = {}
        self._roots = 0  # requests that were added
        self._expanded: set[Candidate] = set()
        self._said: set[tuple[int, int, int, int]] = set()
        self._pending: dict[Slot, list[tuple[Domain, Candidate, Edge]]] = {}
        self._lone: list[tuple[Domain, Candidate, Edge]] = []  # said of one candidate so far
        self._unbacked: list[Domain] = []
        self._queue: list[Domain] = []  # slots, breadth first
        self._queued: set[Slot] = set()
        self._at = 0  # place in the queue: those before it are decided
        self._asked: dict[Slot, list[Edge]] = {}
        self._log: list[Slot] = []
        self._saved: list[tuple[int, int, int]] = []
        self._violated: Clause | None = None
        self._seen = 0  # steps of the engine that were counted

    def run(self) -> Outcome:
        """Search to the end.

        Raises:
            Unloaded: a name must be looked up first.
            Stale: a search must begin anew in the same universe.
            Unclosed: and the universe be closed before.
            Spent: the budget is used up.
        """
        self._begin()
        while True:
            last = self._settle()
            if last is not None:
                return self._refuted(last)
            outcome = self._step()
            if outcome is not None:
                return outcome

    def _settle(self) -> Clause | None:
        """Draw all conclusions and learn from conflicts; return the last clause of a refutation."""
        while True:
            violated = self._violated or self.engine.propagate()
            self.pool.spend(self.engine.steps - self._seen)
            self._seen = self.engine.steps
            if violated is not None:
                self._violated = None
                last = self.engine.learn(violated)
                if last is not None:
                    return last
                self._restore()
            elif self._lone and self.engine.conflicts:
                self._impose(*self._lone.pop())
            elif not self._drain():
                return None

    def _begin(self) -> None:
        for edge in self.pool.roots[self._roots :]:
            target = self._open(edge.slot)
            request = self.engine.variable(ON | 1)
            self.owners.append(self._roots)
            self.engine.assume(request, ON)
            self._roots += 1
            domain = self.universe.domain(edge.slot)
            out = domain.full & ~domain.admitted(edge)
            self._add([(request, ON), (target, out)], Fact("asks", None, 0, (edge,)))
            self._enqueue(edge)

    def _step(self) -> Outcome | None:
        """Decide the next slot, or see whether all is done."""
        domain = self._next()
        if domain is None:
            return self._complete()
        one = self._best(domain)
        if one is None:
            self._decide(domain, ABSENT)
        elif one in self._expanded:
            self._decide(domain, domain.bit(one))
        else:
            self._expand(domain, one)
        return None

    def _next(self) -> Domain | None:
        """Return the first slot that is not decided, breadth first."""
        while self._at < len(self._queue):
            domain = self._queue[self._at]
            have = self._have(domain)
            if have & (have - 1):
                return domain
            self._at += 1
            for one in domain.of(have):
                for edge in self.pool.edges(one):
                    self._enqueue(edge)
        return None

    def _enqueue(self, edge: Edge) -> None:
        if edge.mode == "avoid":
            return
        self._asked.setdefault(edge.slot, []).append(edge)
        self._log.append(edge.slot)
        if edge.slot not in self._queued:
            self._queued.add(edge.slot)
            self._queue.append(self.universe.domain(edge.slot))

    def _best(self, domain: Domain) -> Candidate | None:
        """Return the best candidate that is left; None for nothing (SPEC SOL-06)."""
        have = self._have(domain)
        asked = self._asked[domain.slot]
        if not have & domain.needy:
            return next(domain.of(have & -(have & ~ABSENT)), None)
        left = list(domain.of(have))
        first: dict[int, int] = {}
        for place, one in enumerate(left):
            first.setdefault(id(one.release or one), place)
        left.sort(
            key=lambda one: (
                self._late(one, asked),
                first[id(one.release or one)],
                one.origin == "open",
                not self.pool.settled(one, asked),
            )
        )
        return left[0] if left else None

    def _late(self, one: Candidate, asked: list[Edge]) -> bool:
        """Say whether a candidate comes last because nobody asked for it yet."""
        if one.origin == "detected" and self.universe.prefers(one.slot):
            return False
        return not self.pool.supported(one, asked)

    def _decide(self, domain: Domain, bit: int) -> None:
        self._saved.append((self._at, len(self._queue), len(self._log)))
        self.engine.decide(self.numbers[domain.slot], bit)

    def _restore(self) -> None:
        """Take back what was seen after the decisions that were taken back."""
        level = self.engine.level
        if level == len(self._saved):
            return
        self._at, queue, log = self._saved[level]
        del self._saved[level:]
        for domain in self._queue[queue:]:
            self._queued.remove(domain.slot)
        del self._queue[queue:]
        for slot in reversed(self._log[log:]):
            self._asked[slot].pop()
        del self._log[log:]

    def _drain(self) -> bool:
        """Say of each slot with one candidate left what that asks; say whether there were any."""
        single, some = self.engine.single, False
        while single and self._violated is None:
            number = single.pop()
            owner = self.owners[number]
            have = self.engine.domain[number]
            if isinstance(owner, int) or have & (have - 1):
                continue
            for one in owner.of(have):
                if one not in self._expanded:
                    some = True
                    try:
                        self._expand(owner, one)
                    except Unloaded:
                        single.append(number)
                        raise
        return some

    def _expand(self, domain: Domain, one: Candidate) -> None:
        """Add what a candidate asks."""
        if one.origin == "open":
            raise Unclosed
        edges = self.pool.edges(one)
        if [slot for edge in edges for slot in self.universe.note(edge)]:
            raise Stale
        wanted = [edge.slot for edge in edges if edge.mode != "avoid"]
        if lacking := self.pool.lacking(slot.name for slot in wanted):
            raise Unloaded(*lacking)
        for slot in wanted:
            self._open(slot)
        for edge in edges:
            self._impose(domain, one, edge)
            if self._violated is not None:
                return
        self._expanded.add(one)

    def _open(self, slot: Slot) -> int:
        """Return the variable of a slot, backed where the universe is closed."""
        number = self._variable(slot)
        while self._unbacked:
            self._back(self._unbacked.pop())
        return number

    def _impose(self, domain: Domain, one: Candidate, edge: Edge) -> None:
        """Add the clause of an edge; where it refutes the candidate, of others like it too."""
        if edge.slot not in self.numbers:
            self._pending.setdefault(edge.slot, []).append((domain, one, edge))
            return
        target = self.universe.domain(edge.slot)
        allowed = target.admitted(edge)
        if allowed == target.full:
            return
        number, other = self.numbers[domain.slot], self.numbers[edge.slot]
        who = domain.bit(one)
        edges: tuple[Edge, ...] = (edge,)
        if number == other:
            if who & ~allowed:
                self._add([(number, who)], Fact("asks", domain, who, edges))
            return
        there = self.engine.domain[other]
        if not there & allowed:
            rows = domain.asking(edge.slot, self.engine.ground(number))
            alike = [(mask, e) for mask, e in rows if not target.admitted(e) & there]
            many = 0
            for mask, _ in alike:
                many |= mask
            if many.bit_count() >= MANY:
                union = 0
                for _, e in alike:
                    union |= target.admitted(e)
                every = tuple(e for _, e in alike)
                if union == allowed:
                    who, edges = many, every
                else:  # all of them are ruled out, by less than what each one asks
                    self._say(domain, many, edge.slot, union, every)
        small = len(domain.candidates) <= SMALL
        if small and who == domain.bit(one) and there & allowed and not self.engine.conflicts:
            self._lone.append((domain, one, edge))
        elif who == domain.bit(one) and (small or not there & allowed):
            rows = domain.asking(edge.slot, domain.full)
            who = next(mask for mask, e in rows if sign(e) == sign(edge))
        self._say(domain, who, edge.slot, allowed, edges)

    def _say(
        self, domain: Domain, who: int, slot: Slot, allowed: int, edges: tuple[Edge, ...]
    ) -> None:
        """Add, once, that who lies in a mask leaves a slot what is allowed."""
        number, other = self.numbers[domain.slot], self.numbers[slot]
        key = (number, who, other, allowed)
        if key not in self._said:
            self._said.add(key)
            out = self.universe.domain(slot).full & ~allowed
            self._add([(number, who), (other, out)], Fact("asks", domain, who, edges))

    def _add(self, lits: list[tuple[int, int]], why: Fact) -> None:
        violated = self.engine.add(lits, why)
        self._violated = self._violated or violated

    def _back(self, domain: Domain) -> None:
        """Say of each candidate that needs somebody who asks for it who could (SPEC SOL-05)."""
        pool, number = self.pool, self.numbers[domain.slot]
        for one in domain.of(domain.needy):
            leading = [
                edge
                for edge in self.universe.leading.get(domain.slot, ())
                if edge.mode != "avoid" and pool.admits(edge, one)
            ]
            wanted = [] if pool.supported(one, ()) else [""]
            bare = dict(pool.plain(one))
            wanted += [option for option, value in one.options if bare.get(option) != value]
            for option in wanted:
                backers = [
                    edge
                    for edge in leading
                    if (option in dict(edge.options) if option else pool.supported(one, (edge,)))
                ]
                self._led(number, domain.bit(one), backers, Fact("backed", domain, domain.bit(one)))

    def _led(self, number: int, mask: int, edges: list[Edge], why: Fact) -> None:
        """Add that who lies in a mask needs somebody who has one of some edges."""
        who: dict[Slot, int] = {}
        for edge in edges:
            if isinstance(edge.source, int):
                return
            slot = edge.source.slot
            who[slot] = who.get(slot, 0) | self.universe.domain(slot).bit(edge.source)
        lits = {number: mask}
        for slot, bits in who.items():
            other = self._variable(slot)
            rest = self.universe.domain(slot).full & ~bits
            lits[other] = lits.get(other, rest) & rest
        if lits[number]:
            self._add(list(lits.items()), why)

    def _variable(self, slot: Slot) -> int:
        """Return the variable of a slot that may have to be backed later."""
        if slot not in self.numbers:
            domain = self.universe.domain(slot)
            self.numbers[slot] = self.engine.variable(domain.full)
            self.owners.append(domain)
            for owner, one, edge in self._pending.pop(slot, ()):
                self._impose(owner, one, edge)
            if domain.needy and self.universe.closed:
                self._unbacked.append(domain)
        return self.numbers[slot]

    def _complete(self) -> Outcome | None:
        """Return the answer when everything that is reached is decided."""
        rest = [
            domain
            for domain in self.owners
            if not isinstance(domain, int) and domain.slot not in self._queued
        ]
        if self.universe.closed:
            for domain in rest:
                have = self._have(domain)
                if have & ABSENT and have != ABSENT:
                    self._decide(domain, ABSENT)
                    return None
            adrift = [domain for domain in rest if self._have(domain) != ABSENT]
            if adrift:
                self._reach(adrift)
                return None
        chosen = {
            domain.slot: one for domain in self._queue for one in domain.of(self._have(domain))
        }
        walk = check.walk(self.pool, chosen)
        if walk.holds:
            return Outcome(walk)
        if not self.universe.closed:
            raise Unclosed
        lits = [
            (self.numbers[one.slot], self._have(self.universe.domain(one.slot)))
            for one in chosen.values()
        ]
        self._add(lits, Fact("wrong"))
        return None

    def _reach(self, adrift: list[Domain]) -> None:
        """Say that one of the slots that nobody leads to needs somebody who does."""
        slots = [domain.slot for domain in adrift]
        edges = [
            edge
            for slot in slots
            for edge in self.universe.leading.get(slot, ())
            if edge.mode != "avoid"
            and (isinstance(edge.source, int) or edge.source.slot not in slots)
        ]
        first = adrift[0]
        fact = Fact("reached", first, first.full & ~ABSENT)
        self._led(self.numbers[first.slot], fact.mask, edges, fact)
        while self._unbacked:
            self._back(self._unbacked.pop())

    def _refuted(self, last: Clause) -> Outcome:
        requests = (self.owners[number] for number, _ in last.lits)
        numbers = frozenset(one for one in requests if isinstance(one, int))
        return Outcome(None, last, numbers, tuple(self.engine.full))

    def _have(self, domain: Domain) -> int:
        return self.engine.domain[self.numbers[domain.slot]]
