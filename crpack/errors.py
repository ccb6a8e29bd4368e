"""The one tree of errors.

Rules:
- An error says who is at fault by its class, what happened in one sentence (`what`, no full
  stop), why as a chain of causes (`why`), and one action that helps (`hint`, may be empty).
- `code` is a stable kebab-case word for programs; `exit_code` is the process's
  answer. `rule` names the SPEC rule that was broken, where one was.
- Nothing below `cli` prints; nothing above raises a bare `Exception`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is not needed at run time, and start-up counts
    from collections.abc import Iterable, Mapping
    from typing import ClassVar


class CrpackError(Exception):
    """It failed for a reason that has no code of its own.

    The base of all errors.

    Args:
        what: one sentence without a full stop; literals in backticks.
        why: causes, outermost first, one sentence each.
        hint: one command or action that helps; empty when there is none.
        data: plain JSON values for programs.
        rule: id of the broken SPEC rule, such as `ARC-07`; empty when none applies.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        why: Iterable[str] = (),
        hint: str = "",
        data: Mapping[str, object] | None = None,
        rule: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = tuple(why)
        self.hint = hint
        self.data: dict[str, object] = dict(data or {})
        self.rule = rule


class UsageError(CrpackError):
    """The user's words are off: unknown verb, flag, file or configuration value."""

    code = "usage"
    exit_code = 2


class Fault:
    """One fault in a text that a person wrote.

    `path` is the dotted key and `keys` the same in parts; `line` and `column` count from 1
    (0: not known); `text` is the line.
    """

    __slots__ = ("column", "hint", "keys", "line", "message", "path", "text")

    def __init__(
        self,
        path: str,
        message: str,
        *,
        line: int = 0,
        column: int = 0,
        text: str = "",
        hint: str = "",
        keys: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self.keys = keys
        self.message = message
        self.line = line
        self.column = column
        self.text = text
        self.hint = hint


class ManifestError(CrpackError):
    """The author's file is wrong; every fault of it is told."""

    code = "manifest"
    exit_code = 2

    def __init__(self, what: str, *, file: str = "", faults: Iterable[Fault] = ()) -> None:
        self.file = file
        self.faults = tuple(faults)
        super().__init__(
            what,
            data={
                "file": file,
                "faults": [
                    {"path": f.path, "message": f.message, "line": f.line, "column": f.column}
                    for f in self.faults
                ],
            },
        )


class NoSolution(CrpackError):  # noqa: N818 - the name says what happened
    """No set of versions satisfies the request."""

    code = "no-solution"
    exit_code = 3


class Undecided(CrpackError):  # noqa: N818
    """Neither a solution nor the proof that there is none was found within the limits."""

    code = "undecided"


class TrustError(CrpackError):
    """A signature, digest, threshold, name scope or freshness rule refused the input."""

    code = "trust"
    exit_code = 4


class ArchiveError(TrustError):
    """An archive is not exactly what the format allows: cut, extended, altered or hostile."""

    code = "archive"


class FormatError(TrustError):
    """A machine-written document (JSON, lock, facts) breaks its format."""

    code = "format"


class FetchError(CrpackError):
    """Something is not reachable, or not there while offline."""

    code = "fetch"
    exit_code = 5


class BuildFailed(CrpackError):  # noqa: N818
    """A recipe's step failed, or did not make what it declares."""

    code = "build-failed"
    exit_code = 6


class DetectError(CrpackError):
    """Recognition of the machine or its software failed."""

    code = "detect"


class InstallError(CrpackError):
    """An installation could not be changed; the message says what was."""

    code = "install"


class CheckFailed(CrpackError):  # noqa: N818
    """A check found a fault: `validate`, `verify`, `build --check`."""

    code = "check-failed"
    exit_code = 7


class RunFailed(CrpackError):  # noqa: N818
    """An action could not be started, or did not end in time; no code of its own program."""

    code = "run-failed"
    exit_code = 125


class Interrupted(CrpackError):  # noqa: N818
    """The user stopped the command."""

    code = "interrupted"
    exit_code = 130
