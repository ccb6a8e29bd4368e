"""The environment a step sees: an allow list, never the user's own (SPEC SBX-01).

Rules:
- Nothing of the caller's environment passes unless the caller names it: no CFLAGS, no
  LD_LIBRARY_PATH, no PKG_CONFIG_PATH, no CONDA_*, no token.
- Locale, time zone and dates are fixed, so that two machines print and pack the same bytes.
- HOME, TMPDIR and the XDG folders point into folders that the caller gives away.
- PATH holds absolute folders only: a relative or empty entry would mean "here".
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")
SOURCE_DATE_EPOCH = "315532800"  # 1980-01-01, the first date a ZIP can hold, in seconds

_FIXED = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C",
    "TZ": "UTC",
    "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
    "ZERO_AR_DATE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "TERM": "dumb",
}


def clean(
    keep: Mapping[str, str], *, home: str, tmp: str, path: tuple[str, ...] = SYSTEM_PATH
) -> dict[str, str]:
    """Return the whole environment of a step (SPEC SBX-01).

    Args:
        keep: variables that the caller wants to pass; they win over the fixed ones.
        home: an absolute folder that becomes HOME and holds the XDG folders.
        tmp: an absolute folder that becomes TMPDIR.
        path: folders of PATH, in order; those that are not absolute are dropped.
    """
    return {
        **_FIXED,
        "PATH": os.pathsep.join(folder for folder in path if os.path.isabs(folder)),
        "HOME": home,
        "TMPDIR": tmp,
        "XDG_CACHE_HOME": f"{home}/.cache",
        "XDG_CONFIG_HOME": f"{home}/.config",
        "XDG_DATA_HOME": f"{home}/.local/share",
        "XDG_STATE_HOME": f"{home}/.local/state",
        **keep,
    }
