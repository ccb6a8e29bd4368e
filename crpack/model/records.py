"""Records: what a run was, so that it can be repeated and told apart from another.

Rules (SPEC ACT-06):
- A run record names the software by the digests of its lock and realisation, inputs and outputs by
  digest, and says how it ended. It holds no host, no user and no environment.
- It is canonical JSON, written once, when the run has ended.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from crpack.model import document


@dataclass(frozen=True, slots=True)
class FileDigest:
    """One file of a run: its name in the record, its bytes, sha256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of an action.

    Attributes:
        solution, version: what ran; `generation` is its number.
        lock, realisation: digests of the software.
        action: its name; `executor` is where it ran (SPEC EXE-01).
        argv: the command, folders written as placeholders.
        input: digest of the input document; `output` of the answer; empty when there is none.
        files: outputs that are files, and files given as inputs.
        started: UTC, `YYYY-MM-DDTHH:MM:SSZ`.
        milliseconds: of wall time.
        code: exit status.
        changed: detected files that were not as recorded, when the run began.
    """

    solution: str
    version: str
    generation: int
    lock: str
    realisation: str
    action: str
    executor: str
    argv: tuple[str, ...]
    input: str
    output: str
    files: tuple[FileDigest, ...]
    started: str
    milliseconds: int
    code: int
    changed: tuple[str, ...] = ()


def encode(record: RunRecord) -> bytes:
    """Return the bytes of `run.json` (SPEC ACT-06)."""
    return document.encode(asdict(record))
