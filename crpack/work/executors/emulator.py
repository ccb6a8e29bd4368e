"""An emulator on this machine as a place where programs for another platform run.

Rules (SPEC EXE-03):
- A compiled program is started by the emulator; a script as it is, by its own interpreter.
- What a program starts by itself is not emulated, unless the system does so.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.make.emulators import Emulator
from crpack.work.executors.local import Here

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crpack.work.executors.errand import Errand


@dataclass(frozen=True, slots=True)
class Emulated:
    """Programs run under an emulator, which was found and has all that it needs.

    Attributes:
        emulator: how it is started.
        listen: keep the last lines of a program.
    """

    emulator: Emulator
    listen: bool = False

    @property
    def name(self) -> str:
        """Its name in records."""
        return "emulator"

    @property
    def here(self) -> bool:
        """Programs run on this machine."""
        return True

    def words(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return how a program is started: by the emulator, unless it is a script."""
        return tuple(argv) if _is_script(argv[0]) else (*self.emulator.argv, *argv)

    @contextmanager
    def visit(self, errand: Errand) -> Iterator[Here]:
        """Stay here; what the emulator needs beside it is laid into the run folder."""
        for file in self.emulator.files:
            disk.write_file(f"{errand.folder}/{file.name}", [file.text.encode()])
        there = Emulated(self.emulator.at(errand.folder), self.listen)
        yield Here(there, errand.folder, listen=self.listen, more=self.emulator.env)


def _is_script(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False
