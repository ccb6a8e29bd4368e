"""Engines that are Python modules: pixels in, scores and offsets of all anchors out.

A module comes from the solution's own environment, else from the Python that this environment was
made of, where the machine's owner has installed it.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import os
import site
import sys
from typing import TYPE_CHECKING, Any, Protocol

from faults import UserError

if TYPE_CHECKING:
    from types import ModuleType

    from settings import Settings
    from ssd_shapes import Floats, Pixels

SCORES, BOXES = 0, 1


class Engine(Protocol):
    """A network that is ready."""

    @property
    def name(self) -> str:
        """Name and version; `of the machine` and a digest where it is the machine's own."""

    def make_room(self, batch: int) -> None:
        """Make ready for batches of this size, so that no run has to."""

    def run(self, pixels: Pixels) -> tuple[Floats, Floats]:
        """Logits [batch, anchors, classes] and offsets [batch, anchors, 4] of resized images.

        `pixels` is [batch, side, side, 3]. The answers live until the next run.
        """


def find_module(name: str, distribution: str) -> tuple[ModuleType, str]:
    """A module, and how its distribution is to be called.

    Raises:
        UserError: neither the environment nor the machine has it.
    """
    own = tuple(sys.path)
    for origin, folders in (("", ()), (" of the machine", site.getsitepackages([sys.base_prefix]))):
        sys.path[:] = [*own, *folders]  # what the environment has comes first
        importlib.invalidate_caches()
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return module, f"{distribution} {importlib.metadata.version(distribution)}{origin}" + (
            f", sha256 of its RECORD {record(distribution)}" if origin else ""
        )
    sys.path[:] = own
    raise UserError(
        f"`{distribution}` is not installed: install this solution with `--option engines=all`, "
        f"or `{distribution}` for `{os.path.realpath(sys.executable)}`"
    )


def record(distribution: str) -> str:
    """The digest of the list of a distribution's files, which has theirs; `unknown` without one.

    Nothing else names a module of the machine: what the environment has, the lock knows by digest.
    """
    text = importlib.metadata.distribution(distribution).read_text("RECORD")
    return hashlib.sha256(text.encode()).hexdigest() if text else "unknown"


def other_contract(settings: Settings) -> UserError:
    """The fault of a model that is well, but takes or gives something else."""
    side = settings.side
    return UserError(
        f"`{settings.file}` is another model: it does not take `image`, 8-bit RGB of {side} x "
        f"{side} pixels, and give scores and boxes"
    )


class Onnx:
    """onnxruntime on the processor."""

    def __init__(self, settings: Settings) -> None:
        module, self.name = find_module("onnxruntime", "onnxruntime")
        options = module.SessionOptions()
        options.intra_op_num_threads = settings.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = module.InferenceSession(
            settings.file, options, providers=["CPUExecutionProvider"]
        )
        taken, given = self.session.get_inputs(), self.session.get_outputs()
        shapes = [(one.name, *one.shape[1:], one.type) for one in taken]
        if shapes != [("image", settings.side, settings.side, 3, "tensor(uint8)")] or {
            one.name for one in given
        } != {"scores", "boxes"}:
            raise other_contract(settings)

    def make_room(self, batch: int) -> None:
        """See `Engine`; it needs nothing."""

    def run(self, pixels: Pixels) -> tuple[Floats, Floats]:
        """See `Engine`."""
        scores, boxes = self.session.run(["scores", "boxes"], {"image": pixels})
        return scores, boxes


class Lite:
    """LiteRT with its XNNPACK kernels."""

    def __init__(self, settings: Settings) -> None:
        module, self.name = find_module("ai_edge_litert.interpreter", "ai-edge-litert")
        self.interpreter: Any = module.Interpreter(settings.file, num_threads=settings.threads)
        taken, given = self.interpreter.get_input_details(), self.interpreter.get_output_details()
        shapes = [(*one["shape"][1:].tolist(), one["dtype"].__name__) for one in taken]
        if shapes != [(settings.side, settings.side, 3, "uint8")] or len(given) != 2:
            raise other_contract(settings)
        self.input = taken[0]["index"]
        self.outputs: tuple[int, int] = (0, 0)
        self.batch = 0
        self.make_room(1)

    def make_room(self, batch: int) -> None:
        """See `Engine`."""
        if batch == self.batch:
            return
        if self.batch:
            side = self.interpreter.get_input_details()[0]["shape"][1]
            self.interpreter.resize_tensor_input(self.input, [batch, side, side, 3], strict=False)
        self.interpreter.allocate_tensors()
        found = sorted(self.interpreter.get_output_details(), key=lambda one: -one["shape"][-1])
        self.outputs = found[SCORES]["index"], found[BOXES]["index"]  # more classes than sides
        self.batch = batch

    def run(self, pixels: Pixels) -> tuple[Floats, Floats]:
        """See `Engine`."""
        self.make_room(len(pixels))
        self.interpreter.set_tensor(self.input, pixels)
        self.interpreter.invoke()
        scores, boxes = (self.interpreter.get_tensor(index) for index in self.outputs)
        return scores, boxes


def open_engine(settings: Settings) -> Engine:
    """The engine of a backend that is a Python module, ready to run.

    Raises:
        UserError: it is not installed, or cannot read its file.
    """
    try:
        return Onnx(settings) if settings.backend == "onnxruntime" else Lite(settings)
    except UserError:
        raise
    except Exception as error:  # engines have exceptions of their own
        reason = str(error).strip().splitlines()
        raise UserError(
            f"`{settings.file}` cannot be read: {reason[0] if reason else error!r}"
        ) from error
