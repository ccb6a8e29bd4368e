"""Chooser: uv or pip, asked which wheels satisfy lines of requirements.

Rules (SPEC PYE-03, PYE-04, PYE-09):
- It chooses for an interpreter of this machine, or for a target, whose platform and Python it is
  told. It installs nothing.
- A line that asks for a variable of the environment is refused before anybody is asked.
- A failure is told apart by its cause: the network, an empty cache, or that nothing fits.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import CrpackError, FetchError, NoSolution
from crpack.install.python import tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crpack.install.python.target import Target
    from crpack.install.python.tools import Interpreter, Tool
    from crpack.process.run import Outcome

_NETWORK = re.compile(
    r"connection|retrying|timed out|unreachable|resolve host|dns error", re.IGNORECASE
)
_OTHER = "try another Python version, or another index in the configuration of pip or uv"
_FLOOR = "state the platform's floor, as in `linux-aarch64-gnu2.28` or `macos-arm64-14.0`"


class Chooser:
    """Who chooses wheels, and for whom."""

    def __init__(
        self,
        tool: Tool,
        interpreter: Interpreter,
        *,
        folder: str,
        environ: Mapping[str, str],
        target: Target | None = None,
    ) -> None:
        """Engage a tool.

        Args:
            tool: `uv` or `pip`.
            interpreter: for which the wheels must be, unless there is a target; the tool works
                with it.
            folder: a private folder for the tool.
            environ: the user's environment, for the tool's own configuration.
            target: another machine, for which the wheels must be.
        """
        self.tool, self.target, self.folder = tool, target, folder
        self._interpreter, self._environ = interpreter, environ

    def ask(self, lines: Sequence[str], *extra: str, closed: bool = False) -> Outcome:
        """Run the tool on lines of a file of requirements and return how it ended.

        Args:
            lines: of the file.
            extra: options of the tool.
            closed: without the user's configuration and the network.

        Raises:
            NoSolution: a line asks for a variable of the environment.
        """
        for line in lines:
            if "${" in line:  # pip and uv would put a variable's value there
                raise NoSolution(f"the requirement `{line}` asks for a variable of the environment")
        asked = os.path.join(self.folder, "requirements.txt")
        disk.remove_tree(asked)  # of the question before
        disk.write_file(asked, ["".join(f"{line}\n" for line in lines).encode()])
        seen = (tools.closed_environment if closed else tools.own_environment)(self._environ)
        told = dict(self.target.variables) if self.target else {}
        return tools.call([*self.command(), asked, *extra], self.folder, {**seen, **told})

    def command(self) -> tuple[str, ...]:
        """Return the command up to the file of requirements."""
        binary = ("--quiet", "--only-binary", ":all:")
        python = ("--python", self._interpreter.path)
        if self.tool.kind == "uv":
            form = ("--format", "pylock.toml")
            return (*self.tool.argv, "pip", "compile", *python, *binary, *self._told_uv(), *form)
        report = ("--dry-run", "--ignore-installed", "--no-user", "--report", "-", "--requirement")
        return (*self.tool.argv, *python, "install", *binary, *self._told_pip(), *report)

    def _told_uv(self) -> Iterator[str]:
        if self.target is not None:
            yield from ("--python-platform", self.target.uv)
            yield from ("--python-version", self.target.version)

    def _told_pip(self) -> Iterator[str]:
        """Yield what pip is told of a target; it wants a folder, which a dry run does not make."""
        if self.target is not None:
            yield from ("--target", "target", "--python-version", self.target.version)
            yield from ("--implementation", "cp")
            for abi in (self.target.abi, "abi3", "none"):
                yield from ("--abi", abi)
            for tag in self.target.tags:
                yield from ("--platform", tag)

    def failure(self, outcome: Outcome, *, offline: bool = False) -> CrpackError:
        """Return the error of a tool that chose nothing, by the cause that it tells."""
        why = tools.reasons(outcome)
        if offline:
            return FetchError(
                "the Python packages are not all in the cache, and crpack is offline",
                why=why,
                hint="run once without `--offline`",
            )
        if _NETWORK.search(outcome.stderr.decode("utf-8", "replace")):
            return FetchError(
                "the Python index cannot be reached", why=why, hint="check the network"
            )
        there = f" for {self.target}" if self.target else ""
        return NoSolution(
            f"no wheels{there} satisfy what the components ask of Python",
            why=why,
            hint=_FLOOR if self.target and not self.target.platform.floor else _OTHER,
        )
