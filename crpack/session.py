"""One user's hand: settings, folders, keys and pins together.

Rules: the only place that wires configuration to files; it reads and writes the
user's own small files and builds what costs time on first use only.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.config import Config, Homes
from crpack.errors import FormatError, UsageError
from crpack.fetch.transport import Patience, Transport
from crpack.install import layout
from crpack.model.limits import MAX_JSON_BYTES, MAX_KEY_BYTES
from crpack.trust import keys
from crpack.trust import pins as pinning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from crpack.index.client import Rooms
    from crpack.trust.indexes import IndexPin
    from crpack.trust.pins import Pin

INDEX_KEYS = ("-root-1", "-root-2", "-root-3", "-targets", "-online")  # ends of their names
_PRIVATE = 0o600

# Folders for models and data sets where people and libraries usually have them (SPEC DAT-01).
USUAL_DATA = (
    "~/datasets",
    "~/models",
    "~/.cache/huggingface/hub",
    "~/.cache/torch/hub",
    "/data",
    "/datasets",
)


@dataclass(frozen=True, slots=True)
class Session:
    """What an operation may use: settings, the user's folders, the folder of installations."""

    config: Config
    homes: Homes
    prefix: str

    def cached(self, name: str) -> str:
        """Return a file or folder of the cache: it may be lost at any time."""
        return f"{self.homes.cache}/{name}"

    @property
    def parts(self) -> str:
        """Folder of downloads that were cut, for a later command to go on with."""
        return f"{self.homes.cache}/parts"

    @property
    def logs(self) -> str:
        """Folder of build logs."""
        return f"{self.homes.state}/logs"

    @property
    def jobs(self) -> int:
        """How many compilers may run at once: the setting, else one for each core."""
        return self.config.number("jobs") or os.cpu_count() or 1

    def transport(self) -> Transport:
        """Return what opens addresses, as the settings say."""
        patience = Patience(read_s=max(1.0, float(self.config.number("fetch-timeout"))))
        named = self.config.text("redirect-hosts").split(",")
        return Transport(
            os.environ,
            offline=self.config.flag("offline"),
            patience=patience,
            redirect_hosts={host.strip() for host in named} - {""},
        )

    @property
    def source_mirror(self) -> str:
        """Folder or address of files named by their sha256; empty for none (SPEC RCP-12)."""
        named = self.config.text("source-mirror").rstrip("/")
        return named if "://" in named or not named else os.path.abspath(os.path.expanduser(named))

    def data_folders(self) -> tuple[str, ...]:
        """Return where models and data sets are looked for, the user's own first (SPEC DAT-01).

        Raises:
            UsageError: one of the setting `data-folders` is not absolute.
        """
        named = [text for text in self.config.text("data-folders").split(":") if text]
        found = [os.path.normpath(os.path.expanduser(text)) for text in (*named, *USUAL_DATA)]
        for path in found[: len(named)]:
            if not os.path.isabs(path):
                hint = "write each folder from `/` or `~` on, with colons between"
                raise UsageError(f"the data folder `{path}` is not absolute", hint=hint)
        return tuple(path for path in dict.fromkeys(found) if os.path.isabs(path))

    @property
    def data_cache(self) -> str:
        """File of remembered digests of models and data sets."""
        return f"{self.homes.cache}/data.json"

    def private_folders(self) -> tuple[str, ...]:
        """Return the folders that no step or probe may read, but for what is given below them.

        Homes of people, crpack's own folders, and records of runs; each, also below another, so
        that none of them is given by mistake.
        """
        asked = [os.path.expanduser("~"), _account_home(), "/root", "/home", self.homes.config]
        asked += [self.homes.cache, self.homes.state, layout.runs(self.prefix)]
        found = {os.path.realpath(path) for path in asked if os.path.isdir(path)}
        return tuple(sorted(found - {"/"}))

    def is_encrypted(self, name: str) -> bool:
        """Say whether a private key's file asks for a passphrase."""
        return keys.recognise(self.private_bytes(name)) == "encrypted"

    def pins(self) -> tuple[Pin, ...]:
        """Return the pinned publisher keys, sorted by key id."""
        path = f"{self.homes.config}/trust.json"
        if not os.path.lexists(path):
            return ()
        with _damaged(path, "the trusted keys and their names"):
            return pinning.decode(disk.read(path, limit=MAX_JSON_BYTES))

    def save_pins(self, pinned: tuple[Pin, ...]) -> None:
        """Write the pinned keys, whole or not at all."""
        disk.make_folders(self.homes.config)
        disk.atomic_write(f"{self.homes.config}/trust.json", pinning.encode(pinned), _PRIVATE)

    def trust_lock(self, *, dry_run: bool = False) -> AbstractContextManager[object]:
        """Wait for the lock of what is trusted: held from reading it until it is written."""
        if dry_run:
            return nullcontext()
        disk.make_folders(self.homes.config)
        return disk.lock(f"{self.homes.config}/trust.lock")

    def indexes(self) -> tuple[IndexPin, ...]:
        """Return the pinned indexes, the first to ask first."""
        from crpack.trust import indexes

        path = f"{self.homes.config}/indexes.json"
        if not os.path.lexists(path):
            return ()
        with _damaged(path, "the trusted indexes and their order"):
            return indexes.decode(disk.read(path, limit=MAX_JSON_BYTES))

    def save_indexes(self, pinned: tuple[IndexPin, ...]) -> None:
        """Write the pinned indexes, whole or not at all."""
        from crpack.trust import indexes

        disk.make_folders(self.homes.config)
        disk.atomic_write(f"{self.homes.config}/indexes.json", indexes.encode(pinned), _PRIVATE)

    def rooms(self, fingerprint: str) -> Rooms:
        """Return where an index is remembered, by the fingerprint of its root."""
        from crpack.index.client import Rooms

        state = f"{self.homes.state}/index/{fingerprint}"
        return Rooms(state, f"{self.homes.cache}/index/{fingerprint}")

    def key_path(self, name: str) -> str:
        """Return the file of a private key by its name.

        Raises:
            UsageError: the name is no plain word.
        """
        if not _is_key_name(name):
            raise UsageError(f"`{name}` is not a key's name", hint="use letters, digits and `-`")
        return f"{self.homes.config}/keys/{name}.pem"

    def new_key_path(self, name: str) -> str:
        """Return the file of a private key that is to be made.

        Raises:
            UsageError: the name is no plain word, or a key of that name exists.
        """
        path = self.key_path(name)
        if os.path.lexists(path):
            raise UsageError(
                f"a key named `{name}` is there already",
                hint="choose another name; crpack never overwrites a private key",
            )
        return path

    def key_names(self) -> tuple[str, ...]:
        """Return the names of the private keys, sorted."""
        try:
            files = os.listdir(f"{self.homes.config}/keys")
        except (FileNotFoundError, NotADirectoryError):
            return ()
        names = (file[:-4] for file in files if file.endswith(".pem"))
        return tuple(sorted(name for name in names if _is_key_name(name)))

    def archive_keys(self) -> tuple[str, ...]:
        """Return the names of the keys that may be meant to sign archives.

        Those that `index new` made are meant for an index.
        """
        return tuple(name for name in self.key_names() if not name.endswith(INDEX_KEYS))

    def save_key(self, name: str, private: bytes, public: bytes) -> str:
        """Write a new private key, mode 0600, and its public half; return the private's path.

        Raises:
            UsageError: a key of that name exists.
        """
        path = self.new_key_path(name)
        disk.make_folders(os.path.dirname(path))
        disk.atomic_write(path[:-4] + ".pub", public)
        disk.atomic_write(path, private, _PRIVATE)
        return path

    def private_key(self, name: str, passphrase: bytes | None) -> keys.PrivateKey:
        """Return a private key by its name.

        Raises:
            UsageError: there is no such key, or the passphrase is wrong or missing.
        """
        return keys.from_pem(self.private_bytes(name), passphrase)

    def private_bytes(self, name: str) -> bytes:
        """Return the file of a private key.

        Raises:
            UsageError: there is no such key.
        """
        path = self.key_path(name)
        if not os.path.lexists(path):
            known = ", ".join(f"`{key}`" for key in self.key_names())
            raise UsageError(
                f"there is no key named `{name}`",
                why=[f"known are {known}" if known else "no key has been made yet"],
                hint="make one with `crpack key new NAME`",
            )
        return disk.read(path, limit=MAX_KEY_BYTES)

    def public_key(self, name: str) -> keys.PublicKey:
        """Return the public half of a private key, without its passphrase."""
        path = self.key_path(name)[:-4] + ".pub"
        self.private_bytes(name)
        return keys.public_from_pem(disk.read(path, limit=MAX_KEY_BYTES))


@contextmanager
def _damaged(path: str, held: str) -> Iterator[None]:
    """Name a file that cannot be understood, and say what is lost without it."""
    try:
        yield
    except FormatError as error:
        error.why = (*error.why, f"the file is `{path}`")
        error.hint = f"restore it, or delete it and trust anew: it held {held}, nothing else"
        raise


def _is_key_name(name: str) -> bool:
    return name.replace("-", "").replace("_", "").replace(".", "").isalnum()


def _account_home() -> str:
    """Return the home folder of the account, whatever HOME says; empty without one."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""
