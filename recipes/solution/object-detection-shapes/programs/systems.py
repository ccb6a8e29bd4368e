"""Systems under test: what runs a query, with the images already in its memory.

A query is the numbers of some images; its time leads from their resized bytes to the logits and
offsets of all anchors, the numbers that every backend ends with.
"""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Protocol

from detector import frame
from faults import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engines import Engine
    from library import Library
    from settings import Settings


class System(Protocol):
    """Something that answers queries."""

    @property
    def name(self) -> str:
        """Of the engine, with its version."""

    @property
    def load_ns(self) -> int:
        """From nothing to a network that is ready."""

    @property
    def prepare_ns(self) -> int:
        """Of one image: decoding and resizing."""

    @property
    def boxes_ns(self) -> int:
        """Of one image: boxes and their suppression."""

    def run(self, query: Sequence[int]) -> int:
        """Run the images of these numbers; how long it took, in nanoseconds."""

    def peak_bytes(self) -> int:
        """The most memory of the engine's own process; 0 where it has none of its own."""

    def close(self) -> None:
        """End it."""


class Module:
    """An engine in this process."""

    def __init__(self, settings: Settings, library: Library) -> None:
        from engines import open_engine

        start = time.perf_counter_ns()
        self.engine = open_engine(settings)
        self.load_ns = time.perf_counter_ns() - start
        self.name = self.engine.name
        self.pixels = library.pixels
        self.prepare_ns = library.decode_ns + library.resize_ns
        self.boxes_ns = boxes_ns(self.engine, settings, library)

    def run(self, query: Sequence[int]) -> int:
        """See `System`. A batch is put together before the clock starts."""
        batch = self.pixels[query[0] : query[0] + 1] if len(query) == 1 else self.pixels[[*query]]
        self.engine.make_room(len(query))
        start = time.perf_counter_ns()
        self.engine.run(batch)
        return time.perf_counter_ns() - start

    def peak_bytes(self) -> int:
        """See `System`."""
        return 0

    def close(self) -> None:
        """See `System`."""


class Child:
    """ssd-native, which is told the numbers of images by a pipe and tells what they took."""

    name = "ssd-native"

    def __init__(self, settings: Settings, library: Library) -> None:
        argv = [settings.program, "benchmark", "--weights", settings.file, "--queries"]
        argv += ["--count", str(len(library.images))]
        try:
            self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise UserError(f"cannot start `{settings.program}`: {error.strerror}") from error
        for image in library.images:
            self.send(frame(image))
        self.load_ns, resize_ns, self.boxes_ns = map(int, self.hear().split())
        self.prepare_ns = library.decode_ns + resize_ns

    def send(self, data: bytes) -> None:
        """Write to it; where it has ended, the missing answer tells."""
        try:
            if self.process.stdin is not None:
                self.process.stdin.write(data)
                self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def hear(self) -> bytes:
        """Its next line.

        Raises:
            UserError: it ended; it has said why on stderr.
        """
        line = self.process.stdout.readline() if self.process.stdout is not None else b""
        if not line.endswith(b"\n"):
            raise UserError(f"ssd-native ended with status {self.process.wait()}")
        return line

    def run(self, query: Sequence[int]) -> int:
        """See `System`."""
        self.send(b" ".join(b"%d" % index for index in query) + b"\n")
        return int(self.hear())

    def peak_bytes(self) -> int:
        """See `System`; 0 where the machine does not tell."""
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
                peak = next((line for line in file if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        except OSError:
            return 0
        return int(peak.split()[1]) * 1024

    def close(self) -> None:
        """See `System`."""
        self.process.kill()
        self.process.communicate()


def boxes_ns(engine: Engine, settings: Settings, library: Library) -> int:
    """Of one image: what making boxes takes in this process."""
    from boxes import Decoder
    from ssd_shapes import read_model

    architecture, _ = read_model(os.path.join(settings.model, "weights.bin"))
    decoder = Decoder(architecture, threshold=0.3, most=100)
    spent = 0
    for image, pixels in zip(library.images, library.pixels, strict=True):
        scores, offsets = engine.run(pixels[None])
        start = time.perf_counter_ns()
        decoder.run(scores[0], offsets[0], image.size)
        spent += time.perf_counter_ns() - start
    return spent // len(library.images)


def open_system(settings: Settings, library: Library) -> System:
    """The system of a backend.

    Raises:
        UserError: it cannot be had.
    """
    return (Child if settings.backend == "native" else Module)(settings, library)


def cut(order: Sequence[int], batch: int) -> list[list[int]]:
    """Images in queries of a batch; the last may be smaller."""
    return [list(order[at : at + batch]) for at in range(0, len(order), batch)]
