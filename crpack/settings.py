"""Settings as they stand for one process: the files and variables that exist, merged.

Rules (SPEC CFG-01): system file < user file < environment < flags. A file that is named must be
there. It imports a TOML reader only when there is a file to read, since `list` comes through here.
"""

from __future__ import annotations

import os

from crpack import config
from crpack.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.config import Config, Homes, Layer

SYSTEM_FILE = "/etc/xdg/crpack/config.toml"


def settle(flags: Mapping[str, str | None], *, named: str = "") -> tuple[Config, Homes]:
    """Return the settings and folders of this process.

    Args:
        flags: setting and value as text; None where no flag was given.
        named: a settings file to read in place of the usual ones.

    Raises:
        UsageError: a file cannot be read or holds an unknown or wrong setting, or a flag is empty.
    """
    homes = config.homes(os.environ, os.getcwd())
    chosen = tuple((key, value) for key, value in flags.items() if value is not None)
    for key, value in chosen:
        if not value:
            raise UsageError(f"`--{key}` needs a value", hint="leave it out for the usual one")
    layers = [
        *_files(named, homes),
        *config.from_environment(os.environ),
        config.Layer("the command line", chosen),
    ]
    return config.merge(layers), homes


def strangers() -> tuple[str, ...]:
    """Return a sentence for each variable of this process that looks like a setting and is none."""
    return config.strangers(os.environ)


def prefix_of(settled: Config, homes: Homes) -> str:
    """Return the folder of installations, absolute."""
    return os.path.abspath(settled.text("prefix") or homes.data)


def _files(named: str, homes: Homes) -> list[Layer]:
    """Return the layers of the settings files that exist; a named one must."""
    usual = (SYSTEM_FILE, f"{homes.config}/config.toml")
    paths = [named] if named else [path for path in usual if os.path.exists(path)]
    hint = "name a file that is there, or leave `--config` out" if named else ""
    return [_file(path, hint) for path in paths]


def _file(path: str, hint: str = "") -> Layer:
    from crpack.model import toml

    try:
        with open(path, "rb") as stream:
            return config.from_table(toml.loads(stream.read().decode()), f"`{path}`")
    except OSError as error:
        why = [error.strerror or "it cannot be opened"]
        raise UsageError(
            f"the settings file `{path}` cannot be read", why=why, hint=hint
        ) from error
    except (ValueError, RecursionError) as error:  # what `tomllib` raises, and a long number
        raise UsageError(f"`{path}` is not TOML", why=[str(error)]) from error
