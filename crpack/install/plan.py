"""The plan of an installation: what will be done, before anything is.

Rules (SPEC GEN-10):
- Pure: made of values, compared as a value, printed as lines or as a table for JSON.
- It names every component and how it is satisfied: found on the machine (with its path), in the
  store already, unpacked from the archive, or built from source here.
- It says how many bytes will be written and fetched, so that free space is checked before the
  first of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from crpack.errors import InstallError
from crpack.model.limits import MIB
from crpack.model.quantity import counted, size

Means = Literal["detected", "stored", "unpack", "build"]

SPARE_BYTES = 16 * MIB  # beyond what is counted: records, folders, blocks half filled
WHEEL_FACTOR = 4  # an installed wheel with its byte code, to its packed size; measured 2 to 4

_WORDS: dict[Means, str] = {
    "detected": "use",
    "stored": "have",
    "unpack": "unpack",
    "build": "build",
}


@dataclass(frozen=True, slots=True)
class Step:
    """How one component is satisfied.

    Attributes:
        means: found here, in the store already, unpacked, or built.
        name: of the component; `version` likewise.
        kind: of the component.
        size: bytes that will be written; an estimate for `build`.
        detail: the path that was found, or the compiler that builds.
        tree: its name in the store; empty before it is built.
        instead: of what was found: what would be installed without it, and how; empty for nothing.
    """

    means: Means
    name: str
    version: str
    kind: str
    size: int = 0
    detail: str = ""
    tree: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class WheelStep:
    """One wheel: file name, bytes (0: not known), and whether it is in the cache already."""

    filename: str
    size: int
    cached: bool


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """One installation.

    Attributes:
        name: of the solution; `version` is its own.
        prefix: where it goes.
        signers: labels or ids of the keys that vouch for it; empty when it is unsigned.
        before: the version installed now; empty when there is none.
        generation: the number of the generation that will be made.
        steps: the components, dependencies first.
        interpreter: path and version of the Python interpreter; empty without Python.
        environment: whether the Python environment is there (`stored`) or made (`make`).
        wheels: its wheels.
        stated: what the user said of the machine in place of what was detected.
        unchanged: all of it is installed already; nothing would be done.
        platform: of the machine that it is for, where that is another one; else empty.
    """

    name: str
    version: str
    prefix: str
    signers: tuple[str, ...] = ()
    before: str = ""
    generation: int = 1
    steps: tuple[Step, ...] = ()
    interpreter: str = ""
    environment: Literal["", "stored", "make"] = ""
    wheels: tuple[WheelStep, ...] = ()
    stated: tuple[str, ...] = ()
    unchanged: bool = False
    platform: str = ""

    @property
    def fetched(self) -> int:
        """Bytes of wheels that come over the network."""
        return sum(wheel.size for wheel in self.wheels if not wheel.cached)

    @property
    def written(self) -> int:
        """Bytes that will be written below the prefix."""
        installed = 0
        if self.environment == "make":
            installed = WHEEL_FACTOR * sum(wheel.size for wheel in self.wheels)
        return sum(step.size for step in self.steps) + installed


def check_space(plan: InstallPlan, free: int) -> None:
    """Check that the plan fits (SPEC GEN-10); `free` is in bytes.

    What is fetched counts too: cache and prefix usually share a disk.

    Raises:
        InstallError: it does not; nothing has changed.
    """
    needed = plan.written + plan.fetched + SPARE_BYTES
    if needed > free:
        raise InstallError(
            f"there is no space left for `{plan.name}` in `{plan.prefix}`",
            why=[f"it needs {size(needed)}, and {size(free)} are free"],
            hint="free some space, or use another folder with `--prefix`",
            data={"needed": needed, "free": free, "changed": False},
            rule="GEN-10",
        )


def lines(plan: InstallPlan) -> tuple[str, ...]:
    """Return the plan as lines for people."""
    change = f" (now {plan.before})" if plan.before else ""
    head = f"{plan.name} {plan.version}{change} into {plan.prefix}, generation {plan.generation}"
    signed = f"signed by {', '.join(plan.signers)}" if plan.signers else "not signed"
    width = max((len(f"{step.name} {step.version}") for step in plan.steps), default=0)
    stated = [f"  take   {text}" for text in plan.stated]
    if plan.platform:
        stated.append(f"  for    {plan.platform}, which is another machine")
    steps = (line for step in plan.steps for line in _step(step, width))
    return (head, f"  {signed}", *stated, *steps, *_python(plan), _sums(plan))


def _step(step: Step, width: int) -> tuple[str, ...]:
    name = f"{step.name} {step.version}"
    notes = ", ".join(note for note in (size(step.size) if step.size else "", step.detail) if note)
    line = f"  {_WORDS[step.means]:<6} {name:<{width}}  {notes or step.kind}".rstrip()
    if not step.instead:
        return (line,)
    return (line, f"         {'':<{width}}  in place of {step.instead}")


def _python(plan: InstallPlan) -> tuple[str, ...]:
    if not plan.interpreter:
        return ()
    fetched = [wheel for wheel in plan.wheels if not wheel.cached]
    what = "have" if plan.environment == "stored" else "make"
    wheels = counted(len(plan.wheels), "wheel")
    text = f"  {what:<6} Python environment of {wheels} with {plan.interpreter}"
    return (text, *(f"  fetch  {wheel.filename}  {_known(wheel.size)}" for wheel in fetched))


def _sums(plan: InstallPlan) -> str:
    unknown = any(not wheel.size and not wheel.cached for wheel in plan.wheels)
    fetched = f"at least {size(plan.fetched)}" if unknown else size(plan.fetched)
    return f"  writes {size(plan.written)}, fetches {fetched}"


def table(plan: InstallPlan) -> dict[str, Any]:
    """Return the plan as plain values for JSON, with the sums of bytes."""
    return {**asdict(plan), "fetched": plan.fetched, "written": plan.written}


def _known(count: int) -> str:
    return size(count) if count else "size not known"
