"""What is installed below a prefix, read from its small state files and nothing heavy.

Rules (SPEC GEN-01, GEN-02):
- `solutions/<name>/current` is a link to `gen/<number>`, which holds `generation.json`.
- A solution without `current` is not installed, whatever else its folder holds.
- A record that cannot be read is reported as damaged and hides no other.

`list` and the check "is there anything to do" load this module only; so its value is a plain
class and its parser the standard one.
"""

from __future__ import annotations

import json
import os

from crpack.errors import InstallError
from crpack.install import layout
from crpack.model import names

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is not needed at run time, and start-up counts
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

MAX_NUMBER_DIGITS = 9


class Installed:
    """One installed solution: what `list` shows of it.

    `date` is UTC as written by `install`; `number` is that of the current generation; `request`
    is what the user asked for; `platform` is of the machine that it is for; `unsigned` names the
    components that nobody vouches for; `damage` says why the rest is empty.
    """

    __slots__ = (
        "damage",
        "date",
        "identity",
        "name",
        "number",
        "path",
        "platform",
        "request",
        "revision",
        "unsigned",
        "version",
    )

    def __init__(self, name: str, path: str, number: int) -> None:
        self.name = name
        self.path = path
        self.number = number
        self.version = ""
        self.revision = 0
        self.identity = ""
        self.date = ""
        self.request = ""
        self.platform = ""
        self.unsigned: tuple[str, ...] = ()
        self.damage = ""


def check_prefix(prefix: str) -> None:
    """See that the folder of installations is one, or can be made.

    Raises:
        InstallError: something else has its name.
    """
    if os.path.lexists(prefix) and not os.path.isdir(prefix):
        raise InstallError(
            f"the prefix `{prefix}` is not a folder", hint="name another one with `--prefix`"
        )


def is_installed(prefix: str, name: str) -> bool:
    """Say whether a solution is installed, damaged or not (SPEC GEN-02).

    Raises:
        InstallError: the user may not look.
    """
    link = layout.current(prefix, name)
    try:
        os.lstat(link)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(link, error) from error
    return True


def current_number(prefix: str, name: str) -> int:
    """Return the number of the current generation; 0 when the solution is not installed.

    Raises:
        InstallError: `current` is not a link to a generation.
    """
    link = layout.current(prefix, name)
    try:
        target = os.readlink(link)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise _unreadable(link, error) from error
    number = os.path.basename(target)
    if not is_number(number) or target != layout.to_generation(int(number)):
        raise damaged(link, f"it points to `{target[:80]}`")
    return int(number)


def is_number(text: str) -> bool:
    """Say whether a text is the number of a generation, as its folder is called."""
    plain = text.isascii() and text.isdecimal() and not text.startswith("0")
    return plain and len(text) <= MAX_NUMBER_DIGITS


def installed(prefix: str) -> tuple[Installed, ...]:
    """Return what is installed, sorted by name.

    Raises:
        InstallError: the prefix is not a folder, or the user may not look.
    """
    check_prefix(prefix)
    place = layout.solutions(prefix)
    try:
        folders = sorted(os.listdir(place))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise _unreadable(place, error) from error
    found = (_installed(prefix, folder) for folder in folders)
    return tuple(item for item in found if item is not None)


def _installed(prefix: str, folder: str) -> Installed | None:
    name = names.from_folder(folder)
    path = os.path.join(layout.solutions(prefix), folder)
    try:
        return settled(prefix, name, lambda number: _read(name, path, number))
    except InstallError as error:
        item = Installed(name, path, 0)
        item.damage = error.what
        return item


def _read(name: str, path: str, number: int) -> Installed | None:
    if number == 0:
        return None
    item = Installed(name, path, number)
    folder = os.path.join(path, layout.to_generation(number))
    record = record_of(folder)
    try:
        item.version = str(record["version"])
        item.revision = int(record["revision"])
        item.identity = str(record["identity"])
        item.date = str(record["date"])
        item.request = str(record["request"])
        item.platform = str(record["platform"])
        item.unsigned = tuple(map(str, record["unsigned"]))
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(f"{folder}/{layout.RECORD}", "a value has the wrong form") from error
    return item


def is_foreign(platform: str) -> bool:
    """Say whether a platform's system or processor are others than those of this machine.

    A cheap look: where it says so, who must know asks `detect`.
    """
    uname = os.uname()
    system = {"Linux": "linux", "Darwin": "macos"}.get(uname.sysname, uname.sysname)
    processor = {"armv7l": "armv7", "armv6l": "armv6"}.get(uname.machine, uname.machine)
    return platform not in ("", "any") and platform.split("-")[:2] != [system, processor]


def settled(prefix: str, name: str, look: Callable[[int], T]) -> T:
    """Return what `look` makes of the current generation's number (0: not installed).

    A failure counts only if `current` still is what it was: else a new generation came, and the
    old one was collected, while `look` was at it.
    """
    while True:
        number = current_number(prefix, name)
        try:
            return look(number)
        except InstallError:
            if current_number(prefix, name) == number:
                raise


def record_of(folder: str) -> dict[str, Any]:
    """Return the plain JSON table of a generation's folder.

    Raises:
        InstallError: not there, not JSON, or not of format 1.
    """
    path = os.path.join(folder, layout.RECORD)
    try:
        with open(path, "rb") as file:
            record = json.loads(file.read())
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, RecursionError) as error:
        raise damaged(path, "it is not JSON") from error
    if not isinstance(record, dict) or record.get("format") != 1 or record.get("critical"):
        raise damaged(path, "it is not of format 1")
    return record


def damaged(path: str, why: str) -> InstallError:
    """Return the error for a state file that is not as crpack writes it."""
    return InstallError(
        f"the state file `{path}` is damaged", why=[why], hint="install the solution again"
    )


def _unreadable(path: str, error: OSError) -> InstallError:
    """Return the error for a state file that the system does not give."""
    why = error.strerror or "it cannot be read"
    if isinstance(error, PermissionError):
        return InstallError(
            f"`{path}` is not yours to read", why=[why], hint="check who owns the prefix"
        )
    return damaged(path, why)
