"""What a solution needs of Python: an interpreter, wheels, and whose word there is for them.

Rules (SPEC BUN-12 to BUN-14):
- The wheels of a bundle are in it. Nothing else is asked for them, and they are kept in the stage
  of the installation alone.
- Who vouches for them is who signed the bundle's lock, or nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crpack.archive.bundle import Bundle
from crpack.errors import TrustError
from crpack.install.python.lock import Located
from crpack.install.python.tools import Interpreter
from crpack.install.python.wheels import WheelCache
from crpack.model import bundle as bundles
from crpack.model.quantity import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from crpack.model.lock import Wheel

UNVOUCHED = "python wheels"  # in the record of a generation; no component has such a name
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Carried:
    """A bundle that is installed from, and the ids of the pinned keys that signed its lock."""

    bundle: Bundle
    signers: tuple[str, ...]

    def open(self, wheel: Wheel) -> BinaryIO:
        """Open a wheel where it lies.

        Raises:
            TrustError: it is not there.
        """
        name = bundles.wheel_member(wheel.sha256, wheel.filename)
        if not self.bundle.has(name):
            what = f"the bundle lacks the wheel `{wheel.filename}` of its lock"
            raise TrustError(what, hint="ask who made it for a new one", rule="BUN-12")
        return self.bundle.view(name)

    def source(self, digests: Iterable[str]) -> BinaryIO | None:
        """Open the first source that is there, by its sha256 (SPEC BUN-16)."""
        names = map(bundles.source_member, digests)
        name = next((name for name in names if self.bundle.has(name)), "")
        return self.bundle.stream(name) if name else None

    def unpacked(self, wheels: tuple[Wheel, ...], folder: str) -> WheelCache:
        """Return a cache below a private folder that holds wheels.

        Raises:
            TrustError: one is not there, or not what the lock says.
        """
        cache = WheelCache(folder)
        for wheel in wheels:
            with self.open(wheel) as stream:
                cache.put(wheel, _chunks(stream))
        return cache


@dataclass(frozen=True, slots=True)
class Needs:
    """What a solution needs of Python.

    Attributes:
        interpreter: for its environment; None where none is needed.
        wheels: with their addresses.
        own: what its recipes ask for.
        every: what all recipes of its lock ask for, its own among them.
        stated: the environment of markers that its lock states; empty without one.
        carried: where the wheels are, and nowhere else; None for the user's cache and index.
    """

    interpreter: Interpreter | None = None
    wheels: tuple[Located, ...] = ()
    own: tuple[str, ...] = ()
    every: tuple[str, ...] = ()
    stated: tuple[tuple[str, str], ...] = ()
    carried: Carried | None = field(default=None, repr=False)

    @property
    def vouched(self) -> bool:
        """Whether the user's own index, or a pinned key, vouches for the wheels."""
        return not self.wheels or self.carried is None or bool(self.carried.signers)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to tell loudly."""
        if self.vouched:
            return ()
        wheels = counted(len(self.wheels), "Python wheel")
        return (f"nobody but the bundle's maker vouches for its {wheels}",)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
