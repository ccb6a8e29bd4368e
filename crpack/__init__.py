"""crpack: package an ML solution once; install it natively on any machine.

Rules: importing this costs nothing; the functions import what they need when they
are called.
"""

from __future__ import annotations

__version__ = "0.1.0"
RELEASED = "2026-11-01T00:00:00Z"  # no clock is believed to be before (SPEC TUF-07)
__all__ = ["__version__", "install", "install_file", "load"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from crpack.ops.device import Installed
    from crpack.ops.library import Solution


def load(name: str, *, prefix: str = "") -> Solution:
    """Return an installed solution, ready to run.

    Args:
        name: of the solution.
        prefix: folder of installations; empty for the user's.

    Raises:
        InstallError: it is not installed.
    """
    from crpack.ops import library

    return library.load(name, prefix)


def install(spec: str, *, prefix: str = "") -> Installed:
    """Install a solution by name from the trusted indexes.

    Args:
        spec: its name, with a range where not every version will do: `demo>=1.2`.
        prefix: folder of installations; empty for the user's.

    Raises:
        CrpackError: one of its children, as `crpack install` has them.
    """
    from crpack.ops import library

    return library.install(spec, prefix)


def install_file(place: str, *, prefix: str = "") -> Installed:
    """Install a solution from an archive file or URL.

    Args:
        place: file name or URL.
        prefix: folder of installations; empty for the user's.

    Raises:
        CrpackError: one of its children, as `crpack install` has them.
    """
    from crpack.ops import library

    return library.install_file(place, prefix)
