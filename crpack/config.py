"""Settings: a pure merge of defaults < system < user < environment < flags.

Rules (SPEC CFG-01…):
- One table of settings; each has a key, a default, a kind and a sentence. The file's key
  `source-mirror` is the variable `CRPACK_SOURCE_MIRROR` and, where there is one, the flag.
- An unknown key is refused with the nearest known one. The origin of every value is kept.
- Folders follow XDG; `CRPACK_HOME` moves them all below one folder.
- This module reads no file and no environment: texts and mappings come in as values.
"""

from __future__ import annotations

from dataclasses import dataclass

from crpack.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key, default as text, kind (`text`, `bool`, `int` or words), and meaning."""

    key: str
    default: str
    kind: str
    meaning: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "CRPACK_" + self.key.upper().replace("-", "_")


SETTINGS = (
    Setting("prefix", "", "text", "folder of installations; empty: the data folder"),
    Setting("key", "", "text", "name of the private key that signs what `build` makes"),
    Setting("offline", "false", "bool", "never open a network connection"),
    Setting("color", "auto", "auto|always|never", "when to colour messages"),
    Setting("progress", "auto", "auto|off|json", "how to show progress on standard error"),
    Setting("jobs", "0", "int", "parallel jobs of a build; 0: one for each core"),
    Setting("sandbox", "best", "best|none", "how builds are confined; `none` is loud and recorded"),
    Setting("keep", "5", "int", "generations kept of each solution"),
    Setting("python", "", "text", "interpreter for solutions' environments; empty: detected"),
    Setting("fetch-timeout", "30", "int", "seconds without a byte before a download fails"),
)
_KNOWN = {setting.key: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of settings: its name for people, and key and value pairs as texts."""

    origin: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting with its value and where the value came from.

    Attributes:
        values: key, value and origin, in the order of `SETTINGS`.
    """

    values: tuple[tuple[str, str, str], ...]

    def text(self, key: str) -> str:
        """Return a setting's value."""
        return next(value for name, value, _ in self.values if name == key)

    def flag(self, key: str) -> bool:
        """Return a setting of kind `bool`."""
        return self.text(key) == "true"

    def number(self, key: str) -> int:
        """Return a setting of kind `int`."""
        return int(self.text(key))


@dataclass(frozen=True, slots=True)
class Homes:
    """The four folders of a user (XDG base directories), absolute."""

    config: str
    cache: str
    data: str
    state: str


def merge(layers: Sequence[Layer]) -> Config:
    """Return the settings of several layers, the last one winning (SPEC CFG-01).

    Raises:
        UsageError: an unknown key, or a value that is not of its kind.
    """
    chosen = {setting.key: (setting.default, "default") for setting in SETTINGS}
    for layer in layers:
        for key, value in layer.values:
            if key not in _KNOWN:
                raise _unknown(key, layer.origin)
            chosen[key] = (_checked(_KNOWN[key], value, layer.origin), layer.origin)
    return Config(tuple((key, *chosen[key]) for key in chosen))


def from_environment(environ: Mapping[str, str]) -> Layer:
    """Return the layer of the `CRPACK_*` variables that name settings."""
    values = tuple(
        (setting.key, environ[setting.variable])
        for setting in SETTINGS
        if environ.get(setting.variable)
    )
    return Layer("environment", values)


def from_table(table: Mapping[str, object], origin: str) -> Layer:
    """Return the layer of a configuration file's table.

    Raises:
        UsageError: a value that is no text, number or boolean.
    """
    values = []
    for key, value in table.items():
        if not isinstance(value, (str, int)):
            raise UsageError(f"the setting `{key}` in {origin} must be a text, number or boolean")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        values.append((key, text))
    return Layer(origin, tuple(values))


def homes(environ: Mapping[str, str], cwd: str) -> Homes:
    """Return the user's folders (SPEC CFG-03); a relative `CRPACK_HOME` lies below `cwd`."""
    moved = environ.get("CRPACK_HOME")
    if moved:
        moved = moved if moved.startswith("/") else f"{cwd}/{moved}"
        return Homes(*(f"{moved}/{part}" for part in ("config", "cache", "data", "state")))
    home = environ.get("HOME", "/")

    def folder(variable: str, fallback: str) -> str:
        base = environ.get(variable, "")
        return (base if base.startswith("/") else f"{home}/{fallback}") + "/crpack"

    return Homes(
        folder("XDG_CONFIG_HOME", ".config"),
        folder("XDG_CACHE_HOME", ".cache"),
        folder("XDG_DATA_HOME", ".local/share"),
        folder("XDG_STATE_HOME", ".local/state"),
    )


def _checked(setting: Setting, value: str, origin: str) -> str:
    if setting.kind == "bool":
        value = {"1": "true", "yes": "true", "0": "false", "no": "false"}.get(value, value)
        fits = value in ("true", "false")
    elif setting.kind == "int":
        fits = value.isascii() and value.isdigit() and len(value) < 10
    else:
        fits = setting.kind == "text" or value in setting.kind.split("|")
    if fits:
        return value
    wanted = {"bool": "`true` or `false`", "int": "a whole number"}.get(
        setting.kind, " or ".join(f"`{word}`" for word in setting.kind.split("|"))
    )
    raise UsageError(
        f"`{value}` is no value for the setting `{setting.key}`",
        why=[f"it must be {wanted}; it comes from {origin}"],
    )


def _unknown(key: str, origin: str) -> UsageError:
    import difflib

    close = difflib.get_close_matches(key, _KNOWN, 1)
    hint = f"did you mean `{close[0]}`?" if close else "known are " + ", ".join(_KNOWN)
    return UsageError(f"`{key}` is not a known setting", why=[f"it stands in {origin}"], hint=hint)
