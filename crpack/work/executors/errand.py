"""The seam between an action and the place where its programs run.

Rules (SPEC EXE-01, EXE-02):
- An action sees only an `Executor`: it visits the place with an errand, and the `Stay` tells where
  things are there, runs programs, and brings back what they wrote.
- Paths of this machine are named to a stay as they are here; `at` tells them as they are there.
- A stay ends with its `with`: then nothing of the run is left there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from crpack.process.environment import SYSTEM_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        code: exit status.
        said: its last lines, where they were kept.
        wall_s, cpu_s: seconds, the latter of all its processes; 0 where they are not known.
        peak_bytes: most memory that one of its processes held; 0 where it is not known.
    """

    code: int
    said: tuple[str, ...] = ()
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """A component of the generation: its folder as actions name it, and its tree's digest."""

    root: str
    digest: str


@dataclass(frozen=True, slots=True)
class Errand:
    """What one run of an action needs where it runs; all paths are absolute and of this machine.

    Attributes:
        name: of the solution; `platform` is what it is installed for.
        folder: the run folder.
        trees: the components that have files in the store.
        given: files and folders that the inputs name.
        bound: what of the generation stays on this machine, as people read it.
    """

    name: str
    platform: str
    folder: str
    trees: tuple[Tree, ...] = ()
    given: tuple[str, ...] = ()
    bound: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a program finds: its home folder, one for temporary files, the system's programs."""

    home: str
    tmp: str
    path: tuple[str, ...] = SYSTEM_PATH


class Stay(Protocol):
    """One run of an action at its place."""

    @property
    def ground(self) -> Ground:
        """What the environment of its programs begins with."""

    def at(self, path: str) -> str:
        """Return where something of the errand is there."""

    def back(self, text: str) -> str:
        """Return a path in the run folder as it is here, whatever else as it stands."""

    def give(self, document: bytes) -> None:
        """Hand over the input document, with the paths as they are there."""

    def run(self, argv: Sequence[str], *, env: Mapping[str, str], timeout_s: float) -> Ended:
        """Run a program in the run folder to its end and tell how it ended."""

    def collect(self) -> None:
        """Bring what the programs wrote into the run folder here."""


class Executor(Protocol):
    """A place that runs programs."""

    @property
    def name(self) -> str:
        """Its name in records: `local`, `emulator`, `ssh` or `adb`; never that of a machine."""

    @property
    def here(self) -> bool:
        """Whether programs run on this machine, so that its state is theirs."""

    def words(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return how a program is started there, for people."""

    def visit(self, errand: Errand) -> AbstractContextManager[Stay]:
        """Go there with an errand."""
