"""The texts of `crpack help TOPIC`; the exit codes come from the error classes themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack import config, errors
from crpack.cli.verbs import VERBS
from crpack.errors import CrpackError
from crpack.model import parameters

if TYPE_CHECKING:
    from collections.abc import Callable

_JSON = """\
With `--json` a verb prints one object on standard output, on failure too:

  {"schema": "crpack-cli/1", "ok": true, "data": …, "warnings": []}
  {"schema": "crpack-cli/1", "ok": false, "data": null, "warnings": [],
   "error": {"code", "what", "why", "hint", "data"}}

`code` is a stable word (`crpack help exit-codes`); the exit code is the same as without."""

_TRUST = """\
Every archive is signed by its publisher, and crpack installs what a pinned key signed:

  crpack trust add alice.pub --names 'alice/*'    pin a key for the names it may sign
  crpack trust list                               show pinned keys and their names
  crpack trust remove KEYID                       stop trusting a key

A lone archive tells who signed it, not whether it is the newest: its freshness is unknown.
`--allow-unsigned` takes what nobody signed, says so loudly, and records it."""

_FILES = """\
Folders follow the XDG rules; CRPACK_HOME moves them all below one folder:

  config   settings (config.toml), pinned keys (trust.json), private keys (keys/)
  cache    wheels and detections; may be deleted at any time
  data     the default prefix: store/, solutions/, envs/, built/, stage/, trash/, runs/
  state    logs of builds

Below the prefix, `solutions/NAME/current` names the generation in use."""

_PLATFORMS = """\
A platform reads os-arch-abi with an optional floor, such as linux-x86_64-gnu2.28,
linux-aarch64-gnu, macos-arm64-11.0, windows-x86_64-mingw, wasi-wasm32, or any.
The floor is the oldest C library (or macOS, or Android API) that a result asks for.
`crpack detect` shows this machine's platform."""


def text(topic: str) -> str:
    """Return the text of a topic, or the list of topics.

    Raises:
        UsageError: there is no such topic.
    """
    makers: dict[str, Callable[[], str]] = {
        "exit-codes": exit_codes,
        "environment": environment,
        "json": lambda: _JSON,
        "trust": lambda: _TRUST,
        "files": lambda: _FILES,
        "platforms": lambda: _PLATFORMS,
    }
    if not topic:
        return "Topics: " + ", ".join(makers) + "\n\n`crpack help TOPIC` shows one."
    if topic not in makers:
        raise parameters.unknown(topic, (*makers, *VERBS), f"there is no topic `{topic}`")
    return makers[topic]()


def classes() -> list[type[CrpackError]]:
    """Return every error class, in the order of the exit codes."""
    found = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, CrpackError)
    ]
    return sorted(found, key=lambda cls: (cls.exit_code, cls.code))


def exit_codes() -> str:
    """Return the table of exit codes and error codes, made from the classes."""
    rows = ["exit  code           meaning", "0     -              done"]
    for cls in classes():
        meaning = (cls.__doc__ or "").partition("\n")[0].rstrip(".")
        rows.append(f"{cls.exit_code:<6}{cls.code:<15}{meaning}")
    return "\n".join([*rows, "", "`run` passes the exit code of the action's own program."])


def environment() -> str:
    """Return the table of environment variables, made from the settings."""
    rows = [
        f"{setting.variable:<24}{setting.meaning} [{setting.default or '-'}]"
        for setting in config.SETTINGS
    ]
    rows += [
        f"{'CRPACK_HOME':<24}one folder for configuration, cache, data and state",
        f"{'CRPACK_PASSPHRASE':<24}passphrase of the private key",
        f"{'NO_COLOR, CLICOLOR_FORCE':<24} no colours, or colours also into a pipe",
        f"{'SSL_CERT_FILE':<24}certificates to trust for downloads",
        f"{'HTTPS_PROXY, NO_PROXY':<24}proxies for downloads",
    ]
    return "\n".join(rows)
