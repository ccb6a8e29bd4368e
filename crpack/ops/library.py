"""crpack from Python: `crpack.load(NAME).run({...})`.

Rules: the same operations and errors as the command line; settings come from the
user's file and environment; programs' messages go to standard error.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import settings
from crpack.errors import CheckFailed
from crpack.install import generations
from crpack.ops import device, work
from crpack.session import Session
from crpack.work.executor import Local

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.ops.work import Report


@dataclass(frozen=True, slots=True)
class Solution:
    """An installed solution.

    Attributes:
        name: of the solution; `version` is that of the generation found by `load`.
        session: the settings and folders it was loaded with.
    """

    name: str
    version: str
    session: Session

    def run(
        self, inputs: Mapping[str, object] | None = None, *, action: str = "run", folder: str = ""
    ) -> dict[str, object]:
        """Run an action and return its outputs.

        Args:
            inputs: inputs and params by name; paths are taken from the working folder.
            action: one of the solution's actions.
            folder: run folder to make; empty for one below the prefix.

        Raises:
            UsageError: an input does not fit.
            CheckFailed: the action failed or answered nonsense.
        """
        document = json.dumps(dict(inputs or {}))
        request = work.Request(self.name, action, document, folder=folder)
        ran = work.run(self.session, request, executor=Local(listen=True))
        if ran.code != 0:
            error = work.failure(ran)
            raise CheckFailed(error.what, why=error.why, hint=error.hint, data=error.data)
        return ran.outputs

    def validate(self) -> Report:
        """Check the installation and the accuracy of its results; see the report's `faults`."""
        request = work.Request(self.name, "validate")
        return work.validate(self.session, request, executor=Local(listen=True))


def load(name: str, prefix: str = "") -> Solution:
    """Return an installed solution.

    Raises:
        InstallError: it is not installed.
    """
    session = _session(prefix)
    return Solution(name, generations.current(session.prefix, name).record.version, session)


def install(spec: str, prefix: str = "") -> device.Installed:
    """Install a solution by name from the trusted indexes.

    Raises:
        CrpackError: one of its children, as `crpack install` has them.
    """
    (done,) = device.install_named(_session(prefix), device.NameOrder((spec,)))
    return done


def install_file(place: str, prefix: str = "") -> device.Installed:
    """Install a solution from an archive file or URL.

    Raises:
        CrpackError: one of its children, as `crpack install` has them.
    """
    return device.install(_session(prefix), device.Order(place))


def _session(prefix: str) -> Session:
    settled, homes = settings.settle({"prefix": prefix or None})
    return Session(settled, homes, settings.prefix_of(settled, homes))
