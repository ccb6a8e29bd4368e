"""Settings: a pure merge of defaults < system < user < environment < flags.

Rules (SPEC CFG-01…):
- One table of settings; each has a key, a default, a kind and a sentence. The file's key
  `source-mirror` is the variable `CRPACK_SOURCE_MIRROR` and, where there is one, the flag.
- An unknown key is refused with the nearest known one. The origin of every value is kept: the
  file, the very variable, or the command line.
- A file's value has the type of its setting: `prefix = 3` is a mistake, not a folder.
- Folders follow XDG; `CRPACK_HOME` moves them all below one folder.
- This module reads no file and no environment: texts and mappings come in as values.
"""

from __future__ import annotations

from dataclasses import dataclass

from crpack.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_DIGITS = 10  # longer numbers fit no setting
_SHOWN = 80  # characters of a refused value that are shown


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        key: its name in a file.
        default: its value as text.
        kind: `text`, `bool`, `int`, or the words that it may be.
        meaning: one sentence.
        low, high: bounds of an `int`, both included.
    """

    key: str
    default: str
    kind: str
    meaning: str
    low: int = 0
    high: int = 0

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "CRPACK_" + self.key.upper().replace("-", "_")

    @property
    def wanted(self) -> str:
        """What its value must be, for people."""
        plain = {
            "text": "a text",
            "bool": "`true` or `false`",
            "int": f"a whole number from {self.low} to {self.high}",
        }
        words = " or ".join(f"`{word}`" for word in self.kind.split("|"))
        return plain.get(self.kind, words)


SETTINGS = (
    Setting("prefix", "", "text", "folder of installations; empty: the data folder"),
    Setting("key", "", "text", "name of the private key that signs what `build` makes"),
    Setting("offline", "false", "bool", "never open a network connection"),
    Setting("color", "auto", "auto|always|never", "when to colour messages"),
    Setting("progress", "auto", "auto|off|json", "how to show progress on standard error"),
    Setting("jobs", "0", "int", "parallel jobs of a build; 0: one for each core", 0, 1024),
    Setting("ccache", "false", "bool", "let a detected `ccache` keep what compilers made"),
    Setting(
        "sandbox",
        "best",
        "best|best-effort|none",
        "how builds are confined; the last two are loud and recorded",
    ),
    Setting(
        "fact",
        "",
        "text",
        "what the machine can do, in place of what is detected: `@glibc=2.28,@cuda=`",
    ),
    Setting("keep", "5", "int", "generations kept of each solution", 1, 1000),
    Setting("index", "", "text", "the only index to ask for names; empty: all that are trusted"),
    Setting(
        "max-offline-age",
        "180",
        "int",
        "days since its owner signed it that an index serves offline",
        1,
        3650,
    ),
    Setting(
        "bundle-wheels",
        "warn",
        "warn|signed",
        "Python wheels of a bundle whose lock no pinned key signed: warned of, or refused",
    ),
    Setting(
        "redirect-hosts",
        "",
        "text",
        "other hosts that a download may be redirected to, with commas between",
    ),
    Setting(
        "source-mirror",
        "",
        "text",
        "folder or address of files named by their sha256 that is asked for sources first",
    ),
    Setting(
        "data-folders",
        "",
        "text",
        "folders with models and data sets that are used in place, with colons between",
    ),
    Setting("python", "", "text", "interpreter for solutions' environments; empty: detected"),
    Setting(
        "fetch-timeout", "30", "int", "seconds without a byte before a download fails", 1, 3600
    ),
)
_KNOWN = {setting.key: setting for setting in SETTINGS}
_TYPES = {"bool": bool, "int": int}  # of a value in a file; a text may stand for any

# Variables that are no settings.
OTHERS = {
    "CRPACK_HOME": "one folder for configuration, cache, data and state",
    "CRPACK_PASSPHRASE": "passphrase of the private key",
    "CRPACK_SHELL": "set by `crpack shell`: the solution whose environment this is",
}


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


def from_environment(environ: Mapping[str, str]) -> tuple[Layer, ...]:
    """Return a layer for each `CRPACK_*` variable that sets something."""
    return tuple(
        Layer(f"the variable `{setting.variable}`", ((setting.key, environ[setting.variable]),))
        for setting in SETTINGS
        if environ.get(setting.variable)
    )


def strangers(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each `CRPACK_*` variable that means nothing, since it is misspelt."""
    known = {setting.variable for setting in SETTINGS} | set(OTHERS)
    found = sorted(name for name in environ if name.startswith("CRPACK_") and name not in known)
    return tuple(f"the variable `{name}` means nothing{_close(name, known)}" for name in found)


def from_table(table: Mapping[str, object], origin: str) -> Layer:
    """Return the layer of a configuration file's table.

    Raises:
        UsageError: an unknown key, or a value of another type than the setting's.
    """
    values = []
    for key, value in table.items():
        if key not in _KNOWN:
            raise _unknown(key, origin)
        if not isinstance(value, str) and type(value) is not _TYPES.get(_KNOWN[key].kind):
            raise _refusal(_KNOWN[key], str(value)[:_SHOWN], origin)
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
        digits = value.isascii() and value.isdigit() and len(value) < _DIGITS
        fits = digits and setting.low <= int(value) <= setting.high
    else:
        fits = setting.kind == "text" or value in setting.kind.split("|")
    if not fits:
        raise _refusal(setting, value, origin)
    return value


def _refusal(setting: Setting, value: str, origin: str) -> UsageError:
    return UsageError(
        f"`{value[:_SHOWN]}` is no value for the setting `{setting.key}`",
        why=[f"it must be {setting.wanted}; it comes from {origin}"],
        hint="`crpack help config` shows every setting and where it comes from",
    )


def _unknown(key: str, origin: str) -> UsageError:
    hint = _close(key, _KNOWN).removeprefix("; ") or "known are " + ", ".join(_KNOWN)
    return UsageError(f"`{key}` is not a known setting", why=[f"it stands in {origin}"], hint=hint)


def _close(word: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word, known, 1)
    return f"; did you mean `{close[0]}`?" if close else ""
