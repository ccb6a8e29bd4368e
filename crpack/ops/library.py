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
from crpack.ops import acting, benchmarks, device, validating, work
from crpack.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.ops.benchmarks import Done
    from crpack.ops.validating import Report


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
        self,
        inputs: Mapping[str, object] | None = None,
        *,
        action: str = "run",
        folder: str = "",
        executor: str = "",
    ) -> dict[str, object]:
        """Run an action and return its outputs.

        Args:
            inputs: inputs and params by name; paths are taken from the working folder.
            action: one of the solution's actions.
            folder: run folder to make; empty for one below the prefix.
            executor: where to run it, as `--executor` says it; empty for this machine.

        Raises:
            UsageError: an input does not fit.
            CheckFailed: the action failed or answered nonsense.
        """
        document = json.dumps(dict(inputs or {}))
        request = acting.Request(
            self.name, action, document, folder=folder, executor=executor, listen=True
        )
        ran = work.run(self.session, request)
        if ran.code != 0:
            error = acting.failure(ran)
            raise CheckFailed(error.what, why=error.why, hint=error.hint, data=error.data)
        return ran.outputs

    def benchmark(
        self, inputs: Mapping[str, object] | None = None, *, repeats: int = 3, executor: str = ""
    ) -> Done:
        """Measure it and validate what was measured; see the `validity` of its `result`.

        Args:
            inputs: inputs and params by name.
            repeats: how often its program is started and measured.
            executor: where to run it, as `--executor` says it; empty for this machine.

        Raises:
            UsageError: it has no benchmark, or an input does not fit.
            CheckFailed: its files are not as installed, or its program fails.
        """
        document = json.dumps(dict(inputs or {}))
        request = acting.Request(self.name, "", document, executor=executor, listen=True)
        return benchmarks.benchmark(self.session, benchmarks.Order(request, repeats))

    def validate(self, *, executor: str = "") -> Report:
        """Check the installation and the accuracy of its results; see the report's `faults`."""
        request = acting.Request(self.name, "validate", executor=executor, listen=True)
        return validating.validate(self.session, request)


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
