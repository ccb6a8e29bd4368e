"""An Android device behind adb, reached by the user's own `adb`.

Rules (SPEC EXE-09):
- Files go below `/data/local/tmp`, the one folder where adb's user may write and start programs.
- The device's shell tells exit statuses and takes bytes as they are: Android 7 or newer.
- This was written against a stand-in of `adb`; it has not been run on a device.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = ("HOME", "USER", "PATH", "LANG", "ANDROID_SERIAL", "ANDROID_ADB_SERVER_PORT",
         "ADB_SERVER_SOCKET", "ADB_VENDOR_KEYS")  # fmt: skip
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", re.ASCII)
_BASE = "/data/local/tmp/crpack"


@dataclass(frozen=True, slots=True)
class Adb:
    """A device that `adb` knows.

    Attributes:
        serial: of the device; empty for the only one.
        program: path of `adb`.
    """

    serial: str
    program: str

    @property
    def name(self) -> str:
        """Its name in records."""
        return "adb"

    @property
    def place(self) -> str:
        """How people call the machine."""
        return f"the device `{self.serial}`" if self.serial else "the device"

    @property
    def trial(self) -> str:
        """A command for the user to try the line with."""
        return f"adb -s {self.serial} shell uname" if self.serial else "adb shell uname"

    @property
    def base(self) -> str:
        """Folder of crpack there."""
        return _BASE

    @property
    def path(self) -> tuple[str, ...]:
        """Where Android has its programs."""
        return ("/system/bin", "/system/xbin")

    @property
    def env(self) -> Mapping[str, str]:
        """What `adb` needs of the user's environment."""
        return {key: os.environ[key] for key in _KEPT if key in os.environ}

    def words(self, script: str, *, feed: bool) -> list[str]:
        """Return the argv that runs a script there; with `feed` it gets standard input."""
        chosen = ("-s", self.serial) if self.serial else ()
        listen = () if feed else ("-n",)
        return [self.program, *chosen, "shell", *listen, "-T", f"exec sh -c {shlex.quote(script)}"]


def line(serial: str) -> Adb:
    """Return the device with a serial number; empty for the only one.

    Raises:
        UsageError: it is no serial number, or there is no `adb`.
    """
    if serial and not _SERIAL.fullmatch(serial):
        hint = "`adb devices` lists them"
        raise UsageError(f"`{serial}` is no serial number of a device", hint=hint, rule="EXE-09")
    program = shutil.which("adb")
    if program is None:
        hint = "install Android's platform tools"
        raise UsageError("`adb` was not found on PATH", hint=hint)
    return Adb(serial, program)
