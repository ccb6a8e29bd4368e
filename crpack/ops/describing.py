"""What a result says beside its numbers: the software, the machine, whether it counts.

Rules (SPEC RES-02, RES-05, RES-06):
- The software is named by digests, the machine by what it is.
- What programs say, and what people set, is cleaned of names of this machine and its people, of
  paths and of addresses; a file that is set is named by its digest.
- A result counts when metrics or golden runs were checked and all passed, and the harness itself
  does not call its run invalid.
"""

from __future__ import annotations

import hashlib
import os
from decimal import Decimal
from typing import TYPE_CHECKING

from crpack.install import listing
from crpack.install.store import Store
from crpack.model import canonical, parameters, privacy
from crpack.model.results import Check, Machine, Metric, Part, Software, Validity
from crpack.ops import detection
from crpack.work import conditions, statistics

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crpack.install.generations import Generation
    from crpack.model.realisation import Node
    from crpack.model.recipe import Action
    from crpack.ops.validating import Judged
    from crpack.session import Session
    from crpack.work.executors.errand import Executor
    from crpack.work.judge import Verdict
    from crpack.work.measures import Repeat

_SETTINGS = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
_NOBODY = frozenset({"linux", "localhost", "root"})  # words that name no one
_DIGITS = 9
_TOO_LARGE = 10**17


def names(session: Session) -> tuple[str, ...]:
    """Return the words that name this machine and its user (SPEC RES-05)."""
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = ""
    host = socket.gethostname()
    home = os.path.expanduser("~")
    every = {user, host, host.partition(".")[0], home, os.path.basename(home), session.prefix}
    return tuple(sorted(word for word in every if word.strip("/").lower() not in {*_NOBODY, ""}))


def software(generation: Generation, options: Iterable[tuple[str, str]]) -> Software:
    """Return what names the software of a generation."""
    record = generation.record
    return Software(
        name=record.name,
        version=record.version,
        revision=record.revision,
        identity=record.identity,
        lock=record.lock,
        realisation=record.realisation,
        options=tuple((name, privacy.clean(text, ())) for name, text in sorted(options)),
    )


def parts(generation: Generation) -> tuple[Part, ...]:
    """Return the components of a generation, sorted by name."""
    nodes = (part.node for part in generation.record.parts)
    found = [Part(one.name, one.version, one.kind, one.origin, _content(one)) for one in nodes]
    return tuple(sorted(found, key=lambda one: one.name))


def _content(node: Node) -> str:
    """Return the tree of a component, or what says the same of files used in place."""
    if node.tree or not node.files or not all(file.sha256 for file in node.files):
        return node.tree
    rows = sorted([file.size, file.sha256] for file in node.files)
    return hashlib.sha256(canonical.encode(rows)).hexdigest()


def machine(
    session: Session, generation: Generation, executor: Executor, words: Sequence[str]
) -> Machine:
    """Return what the machine is; of another one no more than the platform of the programs."""
    if not executor.here:
        return Machine(generation.record.platform)
    facts = detection.facts(session)[0]
    gpu = facts.capability("@gpu")
    return Machine(
        platform=facts.platform if executor.name == "local" else generation.record.platform,
        kernel=privacy.clean(conditions.kernel(), words),
        cpu=privacy.clean(facts.cpu.model, words),
        level=facts.capability("@cpu"),
        cores=facts.cpu.cores,
        memory=int(facts.capability("@memory") or 0),
        accelerators=(gpu,) if gpu else (),
        virtual=conditions.virtual(),
    )


def settings(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the environment variables that a run sees and that change its speed."""
    found = ((name, os.environ[name]) for name in _SETTINGS if name in os.environ)
    return tuple((name, privacy.clean(text, words)) for name, text in found)


def params(
    action: Action, values: dict[str, object], words: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Return every input and param as text; a file by its digest, a folder not at all."""
    types = {one.name: one.type for one in (*action.inputs, *action.params)}
    return tuple(
        (name, _param(types[name], value, words)) for name, value in sorted(values.items())
    )


def _param(kind: str, value: object, words: Sequence[str]) -> str:
    if kind != "path":
        return privacy.clean(parameters.to_text(value), words)
    path = os.path.realpath(str(value))
    return f"sha256:{listing.sha256(path)[0]}" if os.path.isfile(path) else privacy.MARK


def size(session: Session, generation: Generation) -> Metric:
    """Return the bytes that the solution takes on the disk, its Python environment aside."""
    store = Store(session.prefix)
    nodes = [part.node for part in generation.record.parts]
    trees = {node.tree for node in nodes if node.tree}
    total = sum(entry.size for tree in trees for entry in store.entries(tree))
    total += sum(file.size for node in nodes if not node.tree for file in node.files)
    return Metric("size", "size", "By", "lower", str(total))


def quality(verdicts: Iterable[Verdict], taken: frozenset[str]) -> tuple[Metric, ...]:
    """Return the metrics of a validation as metrics of its result."""
    return tuple(
        Metric(
            name=f"quality.{one.name}" if one.name in taken else one.name,
            kind="quality",
            unit=privacy.clean(one.unit, ()),
            direction="higher" if one.direction == "higher" else "lower",
            value=_decimal(one.value),
        )
        for one in verdicts
        if one.value is not None and _decimal(one.value)
    )


def _decimal(value: float) -> str:
    """Return a number as decimal text; empty for one that is beyond all measures."""
    if abs(value) >= _TOO_LARGE:
        return ""
    return statistics.text(Decimal(repr(value)), _DIGITS)


def validity(
    judged: Judged, repeats: Sequence[Repeat], notes: Iterable[str], words: Sequence[str]
) -> Validity:
    """Return whether a result counts, and why not (SPEC RES-06)."""
    checks = tuple(_check(one) for one in judged.verdicts)
    checks += tuple(
        Check(f"golden-{place}", str(int(one.passed)), "1", "0", "higher", passed=one.passed)
        for place, one in enumerate(judged.golden, 1)
    )
    reasons = list(judged.faults)
    if not checks and not reasons:
        reasons.append("the solution declares no metric and no golden run: nothing was validated")
    reasons += [
        f"{one.harness or 'the program'} calls its run invalid: {one.reason}"
        for one in repeats
        if not one.valid
    ]
    told = [text for one in repeats for text in one.told]
    told += [one.reason for one in repeats if one.valid and one.reason]

    def cleaned(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(privacy.clean(text, words) for text in texts))

    return Validity(not reasons, cleaned(reasons), cleaned((*notes, *told)), checks)


def _check(one: Verdict) -> Check:
    return Check(
        name=one.name,
        value="" if one.value is None else _decimal(one.value),
        reference=_decimal(one.reference),
        tolerance=_decimal(one.tolerance),
        direction="higher" if one.direction == "higher" else "lower",
        passed=one.passed,
    )
