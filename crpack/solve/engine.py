"""The engine: clauses over finite domains, propagation, and learning from conflicts.

Rules (SPEC SOL-08):
- A domain is a whole number: each bit is one value that a variable may still have. A clause says
  that its variables do not all lie within its masks; facts and what was learned are clauses alike.
- When all variables of a clause but one lie within, that one leaves its mask. When all do, the
  clause is resolved with what led there, back to the first point that alone implies it; what
  results is learned, and the search jumps back to where it says something.
- Each learned clause keeps the clauses that it was resolved from: the proof.
- No recursion, no clock, no randomness, no order of hashes.
"""

from __future__ import annotations

from typing import TypeAlias

Literal: TypeAlias = tuple[int, int]  # a variable and a mask


class Clause:
    """Not all variables lie within their masks.

    Attributes:
        lits: variables, each once, with their masks; of more than two the first two are watched.
        why: of a fact: what it is of. None for a learned one.
        steps: of a learned one: the first clause, then (variable, clause) resolved in turn.
    """

    __slots__ = ("lits", "steps", "why")

    def __init__(
        self, lits: list[Literal], why: object = None, steps: tuple[Step, ...] = ()
    ) -> None:
        self.lits = lits
        self.why = why
        self.steps = steps


Step: TypeAlias = tuple[int, Clause]


class Row:
    """The clauses that have something to say when a variable loses the last of some values.

    Attributes:
        out: the values.
        pairs: of clauses of two variables: the other one, its mask, and the clause.
        clauses: of more variables, those that watch this one.
    """

    __slots__ = ("clauses", "out", "pairs")

    def __init__(self, out: int) -> None:
        self.out = out
        self.pairs: list[tuple[int, int, Clause]] = []
        self.clauses: list[Clause] = []


class Engine:
    """Domains, clauses and the trail of what was decided and derived.

    Attributes:
        domain: of each variable, as far as it is narrowed.
        full: of each variable, as it began.
        level: number of decisions made.
        single: variables that became single-valued, to be looked at by the search.
        steps: clauses that were visited.
    """

    def __init__(self) -> None:
        self.domain: list[int] = []
        self.full: list[int] = []
        self.single: list[int] = []
        self.steps = 0
        self.conflicts = 0
        self._seen: list[int] = []  # of each variable: what its clauses were looked at for
        self._rows: list[dict[int, Row]] = []  # by what lies outside of the mask
        self._watched: list[dict[int, list[Row]]] = []  # by one value of that which is left
        self._trail: list[tuple[int, int, Clause | None]] = []  # variable, domain before, reason
        self._places: list[list[int]] = []  # of each variable on the trail
        self._marks: list[int] = []  # length of the trail before each decision
        self._head = 0
        self._late: list[Clause] = []  # that would have said something before what was decided
        self._again: list[Clause] = []  # of those, what is to be concluded anew

    @property
    def level(self) -> int:
        """Number of decisions made."""
        return len(self._marks)

    def variable(self, full: int) -> int:
        """Add a variable with its domain; return its number."""
        self.domain.append(full)
        self.full.append(full)
        self._seen.append(full)
        self._rows.append({})
        self._watched.append({})
        self._places.append([])
        return len(self.full) - 1

    def ground(self, variable: int) -> int:
        """Return the domain of a variable without the decisions."""
        first = self._marks[0] if self._marks else len(self._trail)
        for place in self._places[variable]:
            if place >= first:
                return self._trail[place][1]
        return self.domain[variable]

    def decide(self, variable: int, mask: int) -> None:
        """Try a narrower domain of a variable."""
        self._marks.append(len(self._trail))
        self._assign(variable, self.domain[variable] & mask, None)

    def assume(self, variable: int, mask: int) -> None:
        """Narrow a domain without a reason, before anything is decided."""
        self._assign(variable, self.domain[variable] & mask, None)

    def add(self, lits: list[Literal], why: object) -> Clause | None:
        """Add a fact; return it if it is violated as things stand."""
        said = [(variable, mask) for variable, mask in lits if mask != self.full[variable]]
        return self._attach(Clause(said, why))

    def propagate(self) -> Clause | None:
        """Draw all conclusions; return a clause that is violated."""
        while self._again:
            clause = self._again.pop()
            if self._conclude(clause):
                return clause
        trail = self._trail
        while self._head < len(trail):
            place, self._head = self._head, self._head + 1
            changed = trail[place][0]
            if self._places[changed][-1] == place:  # else it is narrowed again further on
                violated = self._visit(changed)
                if violated is not None:
                    return violated
        return None

    def _visit(self, changed: int) -> Clause | None:
        """Look at the clauses that watch what a variable lost; return one that is violated."""
        domain, rows = self.domain, self._watched[changed]
        have = domain[changed]
        lost = self._seen[changed] & ~have
        self._seen[changed] = have
        while lost:
            bit = lost & -lost
            lost ^= bit
            here = rows.get(bit)
            if not here:
                continue
            self.steps += 1 + len(here) // 8
            rows[bit] = stay = []
            for place, row in enumerate(here):
                if not row.pairs and not row.clauses:
                    del self._rows[changed][row.out]
                    continue
                left = row.out & have
                if left:
                    rows.setdefault(left & -left, []).append(row)
                    continue
                stay.append(row)
                violated = None
                for other, mask, clause in row.pairs:
                    there = domain[other]
                    if there & mask:
                        rest = there & ~mask
                        if not rest:
                            violated = clause
                            break
                        self._assign(other, rest, clause)
                if violated is None and row.clauses:
                    violated = self._follow(changed, row.clauses)
                if violated is not None:
                    stay += here[place + 1 :]
                    return violated
        return None

    def _follow(self, changed: int, clauses: list[Clause]) -> Clause | None:
        """Draw the conclusions of clauses, or let them watch another variable; see `_visit`."""
        domain = self.domain
        moved = []
        violated = None
        for place, clause in enumerate(clauses):
            lits = clause.lits
            if lits[0][0] == changed:
                lits[0], lits[1] = lits[1], lits[0]
            other, mask = lits[0]
            there = domain[other]
            if not there & mask:
                continue
            self.steps += 1
            if self._moves(clause):
                moved.append(place)
                continue
            rest = there & ~mask
            if not rest:
                violated = clause
                break
            self._assign(other, rest, clause)
        for place in reversed(moved):
            del clauses[place]
        return violated

    def _moves(self, clause: Clause) -> bool:
        """Watch a variable outside of its mask in place of the second one; say if there is one."""
        lits, domain = clause.lits, self.domain
        for place in range(2, len(lits)):
            variable, mask = lits[place]
            if domain[variable] & ~mask:
                lits[1], lits[place] = lits[place], lits[1]
                self._row(variable, mask).clauses.append(clause)
                return True
        return False

    def _row(self, variable: int, mask: int) -> Row:
        """Return the row of the clauses that watch a variable leave a mask for good."""
        out = self.full[variable] & ~mask
        rows = self._rows[variable]
        if out not in rows:
            rows[out] = Row(out)
            left = out & self.domain[variable]
            if not left:  # those that went last come back first
                left = out & self._trail[self._place(variable, mask)][1]
            self._watched[variable].setdefault(left & -left, []).append(rows[out])
        return rows[out]

    def learn(self, clause: Clause) -> Clause | None:
        """Learn from a violated clause and jump back; return the last clause where nothing is left.

        That one holds assumptions alone: they contradict the facts.
        """
        self.conflicts += 1
        lits = dict(clause.lits)
        steps: list[Step] = [(-1, clause)]
        places = {variable: self._place(variable, mask) for variable, mask in clause.lits}
        while True:
            top, second = self._highest(places)
            level = self._level_of(top)
            if level == 0:
                top = self._derived(places)
                if top < 0:
                    return Clause(list(lits.items()), None, tuple(steps))
            elif self._level_of(second) < level:
                break
            variable, _, reason = self._trail[top]
            if reason is None:
                raise AssertionError("a decision follows from nothing")
            steps.append((variable, reason))
            self._resolve(lits, places, variable, reason)
        self._jump(self._level_of(second))
        ordered = sorted(lits.items(), key=lambda one: places[one[0]], reverse=True)
        self._attach(Clause(ordered, None, tuple(steps)))
        return None

    def blame(self, variable: int, mask: int) -> list[int]:
        """Return the variables whose assumptions and decisions alone led one into a mask."""
        places = {variable: self._place(variable, mask)}
        lits = {variable: mask}
        while (top := self._derived(places)) >= 0:
            pivot, _, reason = self._trail[top]
            if reason is not None:
                self._resolve(lits, places, pivot, reason)
        return [variable for variable, place in places.items() if place >= 0]

    def back(self, level: int) -> None:
        """Take back the decisions above a level."""
        if level < self.level:
            self._jump(level)

    def _attach(self, clause: Clause) -> Clause | None:
        """Watch a clause and draw its conclusion; return it if it is violated."""
        end, domain = len(self._trail), self.domain
        clause.lits.sort(
            key=lambda one: end if domain[one[0]] & ~one[1] else self._place(*one), reverse=True
        )
        if len(clause.lits) == 2:
            for (variable, mask), other in zip(clause.lits, reversed(clause.lits), strict=True):
                self._row(variable, mask).pairs.append((*other, clause))
        elif len(clause.lits) > 2:
            for variable, mask in clause.lits[:2]:
                self._row(variable, mask).clauses.append(clause)
        return clause if self._conclude(clause) else None

    def _conclude(self, clause: Clause) -> bool:
        """Draw the conclusion of one clause; say whether it is violated.

        One that could have been drawn with fewer decisions is drawn again when some are taken back.
        """
        domain = self.domain
        loose = [(v, m) for v, m in clause.lits if domain[v] & ~m]
        if len(loose) > 1:
            return False
        held = [self._place(v, m) for v, m in clause.lits if not domain[v] & ~m]
        if self._level_of(max(held, default=-1)) < self.level:
            self._late.append(clause)
        if loose and domain[loose[0][0]] & loose[0][1]:
            variable, mask = loose[0]
            self._assign(variable, domain[variable] & ~mask, clause)
        return not loose

    def _assign(self, variable: int, rest: int, reason: Clause | None) -> None:
        self._places[variable].append(len(self._trail))
        self._trail.append((variable, self.domain[variable], reason))
        self.domain[variable] = rest
        if not rest & (rest - 1):
            self.single.append(variable)

    def _place(self, variable: int, mask: int) -> int:
        """Return where on the trail a variable came to lie within a mask; -1: it always did."""
        for place in reversed(self._places[variable]):
            if self._trail[place][1] & ~mask:
                return place
        return -1

    def _highest(self, places: dict[int, int]) -> tuple[int, int]:
        """Return the two highest places."""
        top = second = -1
        for place in places.values():
            if place > top:
                top, second = place, top
            elif place > second:
                second = place
        return top, second

    def _derived(self, places: dict[int, int]) -> int:
        """Return the highest place that has a reason; -1 for none."""
        trail = self._trail
        return max((p for p in places.values() if p >= 0 and trail[p][2] is not None), default=-1)

    def _level_of(self, place: int) -> int:
        low, high = 0, len(self._marks)
        while low < high:
            middle = (low + high) // 2
            if self._marks[middle] <= place:
                low = middle + 1
            else:
                high = middle
        return low

    def _resolve(
        self, lits: dict[int, int], places: dict[int, int], pivot: int, reason: Clause
    ) -> None:
        """Replace what a clause says of a variable by why it came to that."""
        for variable, mask in reason.lits:
            have = lits.get(variable)
            if variable == pivot:
                said = mask | lits[pivot]
                if said == self.full[pivot]:
                    del lits[pivot], places[pivot]
                    continue
            else:
                said = mask if have is None else mask & have
                if said == have:
                    continue
            lits[variable] = said
            places[variable] = self._place(variable, said)

    def _jump(self, level: int) -> None:
        start = self._marks[level]
        del self._marks[level:]
        trail, domain = self._trail, self.domain
        while len(trail) > start:
            variable, before, _ = trail.pop()
            domain[variable] = self._seen[variable] = before
            self._places[variable].pop()
        self._head = min(self._head, start)
        self._again += self._late
        self._late.clear()
        self.single.clear()
