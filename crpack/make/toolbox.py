"""The toolbox of one build: its toolchain, its other programs, its emulator (SPEC BLD-02)."""

from __future__ import annotations

from dataclasses import dataclass

from crpack.errors import BuildFailed
from crpack.make.advice import CXX, install_command, listed
from crpack.make.emulators import NATIVE, Emulator
from crpack.make.toolchains.chain import Toolchain
from crpack.model import platforms
from crpack.model.platforms import Platform


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What the steps of a build may start.

    Attributes:
        toolchain: None where the recipe compiles nothing.
        tools: name and path of the other programs found, such as `make`.
        platform: the build platform; `os_release` is the text of its `/etc/os-release`.
        searched: the folders that were looked through.
        versions: name and version of each of `tools`.
        emulator: how programs for the target run here.
    """

    toolchain: Toolchain | None = None
    tools: tuple[tuple[str, str], ...] = ()
    platform: Platform = platforms.ANY
    os_release: str = ""
    searched: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    emulator: Emulator = NATIVE

    def has(self, name: str) -> bool:
        """Say whether a program was found."""
        return name in dict(self.tools)

    def compilers(self) -> Toolchain:
        """Return the toolchain (SPEC BLD-02).

        Raises:
            BuildFailed: there is none.
        """
        if self.toolchain is None:
            raise self._missing(CXX, CXX)
        return self.toolchain

    def path(self, name: str) -> str:
        """Return the path of a program (SPEC BLD-02).

        Raises:
            BuildFailed: it was not found.
        """
        tools = dict(self.tools)
        if name not in tools:
            raise self._missing(name, f"`{name}`")
        return tools[name]

    def _missing(self, tool: str, words: str) -> BuildFailed:
        return BuildFailed(
            f"this build needs {words}, which is not on this machine",
            why=[f"looked for {words} in {listed(self.searched)}"],
            hint=install_command(tool, os_release=self.os_release, os=self.platform.os),
            data={"tool": tool},
            rule="BLD-02",
        )
