"""Where evidence is looked for: the folders of one machine.

Rules (SPEC DET-18):
- Prefixes are the folders above `bin` and `sbin` on PATH that nobody else may change, those above
  `PKG_CONFIG_PATH`, then the usual ones; a folder counts once.
- Headers and `.pc` files are those of this machine's own target. Libraries of other targets are
  looked at too: they are findings that do not run here.
- With a root, all usual folders lie below it; folders that variables name do not.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.binary.image import Image
from crpack.detect import path as paths
from crpack.detect.evidence import above
from crpack.model import platforms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crpack.detect.eyes import Eyes

MAX_LOADER_BYTES = 64 * 1024  # bytes of one list of the loader's folders
MAX_SETTINGS_BYTES = 4096  # bytes of the settings of a virtual environment
_USUAL = ("/usr/local", "/usr", "/opt/homebrew", "/opt/local", "/home/linuxbrew/.linuxbrew")
_ROOT = re.compile(r"\{(prefix|home|data|env\.(?P<variable>\w+))\}(?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Places:
    """The folders that passive probes look through.

    Attributes:
        own: headers of this process's file; None where it has none.
        root: what stands before every usual folder; empty for this machine.
        triple: GNU name of this machine's target, such as `x86_64-linux-gnu`; may be empty.
        prefixes: folders that installations lie in.
        home: the user's; empty when not known.
        data: folders that the user named for models and data sets.
    """

    own: Image | None
    root: str
    triple: str
    prefixes: tuple[str, ...]
    home: str
    data: tuple[str, ...] = ()

    def include(self, eyes: Eyes) -> tuple[str, ...]:
        """Return the folders of headers for this machine."""
        return self._below(eyes, ("include",), (f"include/{self.triple}",))

    def pkgconfig(self, eyes: Eyes) -> tuple[str, ...]:
        """Return the folders of `.pc` files, those of the environment first."""
        named = [*_folders(eyes, "PKG_CONFIG_PATH")]
        instead = [*_folders(eyes, "PKG_CONFIG_LIBDIR")]
        usual = self._below(
            eyes,
            ("lib64/pkgconfig", "lib/pkgconfig", "share/pkgconfig"),
            (f"lib/{self.triple}/pkgconfig",),
        )
        return _distinct(eyes, [*named, *(instead or usual)])

    def libraries(self, eyes: Eyes) -> tuple[str, ...]:
        """Return the folders of libraries: this machine's first, then those of other targets."""
        named = [*_folders(eyes, "LD_LIBRARY_PATH"), *self._loader(eyes)]
        usual = self._below(eyes, ("lib64", "lib", "lib32"), (f"lib/{self.triple}",))
        top = [f"{self.root}/lib/{self.triple}", f"{self.root}/lib64", f"{self.root}/lib"]
        other = eyes.matches(f"{self.root}/usr/lib", "*-*-*")
        cross = [f"{at}/lib" for at in eyes.matches(f"{self.root}/usr", "*-linux-*")]
        return _distinct(eyes, [*named, *usual, *top, *other, *cross])

    def sites(self, eyes: Eyes) -> tuple[str, ...]:
        """Return the folders of Python distributions, of every interpreter on PATH first."""
        found = [
            site
            for prefix in (*self._interpreters(eyes), *self.prefixes)
            for base in (prefix, *_base(eyes, prefix))
            for pattern in ("lib/python3*/site-packages", "lib/python3*/dist-packages")
            for site in eyes.matches(base, pattern)
        ]
        if self.home:
            found += eyes.matches(self.home, ".local/lib/python3*/site-packages")
        return _distinct(eyes, found)

    def roots(self, eyes: Eyes, patterns: Iterable[str]) -> tuple[str, ...]:
        """Return the existing folders that the `roots` of a probe name."""
        found = [at for pattern in patterns for at in self._root(eyes, pattern)]
        return _distinct(eyes, found)

    def _root(self, eyes: Eyes, pattern: str) -> Iterator[str]:
        match = _ROOT.fullmatch(pattern)
        if match is None:
            yield from eyes.matches(self.root or "/", pattern)
            return
        for base in self._bases(eyes, match[1], match["variable"]):
            yield from eyes.matches(base, match["rest"])

    def _bases(self, eyes: Eyes, word: str, variable: str | None) -> tuple[str, ...]:
        if variable:
            return tuple(_folders(eyes, variable))
        home = (self.home,) if self.home else ()
        return {"prefix": self.prefixes, "home": home, "data": self.data}[word]

    def _below(
        self, eyes: Eyes, each: tuple[str, ...], of_target: tuple[str, ...]
    ) -> tuple[str, ...]:
        wanted = (*of_target, *each) if self.triple else each
        return _distinct(eyes, [f"{at}/{part}" for at in self.prefixes for part in wanted])

    def _interpreters(self, eyes: Eyes) -> Iterator[str]:
        """Yield the prefixes of interpreters that shims on PATH stand for."""
        for folder in _folders(eyes, "PATH"):
            if os.path.basename(folder) == "shims":
                yield from eyes.matches(os.path.dirname(folder), "versions/*")

    def _loader(self, eyes: Eyes) -> Iterator[str]:
        """Yield the folders that the loader's own lists name."""
        etc = f"{self.root}/etc"
        more = sorted(eyes.matches(etc, "ld.so.conf.d/*.conf"))  # in the loader's order
        for file in (f"{etc}/ld.so.conf", *more):
            for line in eyes.read(file, MAX_LOADER_BYTES).decode("utf-8", "replace").splitlines():
                if line.startswith("/") and line.isprintable():
                    yield self.root + line.strip()


def of(eyes: Eyes, own: Image | None, *, root: str = "", data: tuple[str, ...] = ()) -> Places:
    """Return the places of this machine, or of what lies below a root."""
    beside = [
        os.path.dirname(eyes.real(folder) or folder)  # /bin is /usr/bin, and no prefix is /
        for folder in _folders(eyes, "PATH")
        if os.path.basename(folder) in ("bin", "sbin") and not eyes.trust.folder(folder)
    ]
    named = [
        above(at)
        for at in _folders(eyes, "PKG_CONFIG_PATH")
        if os.path.basename(at) == "pkgconfig" and above(at) != "/"
    ]
    named += [at for name in ("CONDA_PREFIX", "VIRTUAL_ENV") for at in _folders(eyes, name)]
    usual = [root + at for at in _USUAL]
    home = next(_folders(eyes, "HOME"), "")
    prefixes = _distinct(eyes, [*beside, *named, *usual])
    return Places(own, root, _triple(own), prefixes, home, data)


def _base(eyes: Eyes, prefix: str) -> Iterator[str]:
    """Yield the installation whose distributions a virtual environment sees beside its own."""
    settings = eyes.read(f"{prefix}/pyvenv.cfg", MAX_SETTINGS_BYTES).decode("utf-8", "replace")
    pairs = (line.partition("=") for line in settings.splitlines())
    values = {name.strip(): value.strip() for name, _, value in pairs}
    home = values.get("home", "")
    if values.get("include-system-site-packages") == "true" and os.path.isabs(home):
        yield os.path.dirname(os.path.normpath(home))


def _triple(own: Image | None) -> str:
    if own is None:
        return ""
    arch = "armv7" if own.arch == "arm" else own.arch
    return platforms.spelling(platforms.Platform(own.os, arch, own.abi or "gnu"), "gnu")


def _folders(eyes: Eyes, variable: str) -> Iterator[str]:
    """Yield the absolute folders that a variable names; `/` is nobody's installation."""
    yield from (at for at in paths.folders(eyes.variable(variable)) if at != "/")


def _distinct(eyes: Eyes, folders: Iterable[str]) -> tuple[str, ...]:
    """Return the folders that exist, each once, also where links give it several names."""
    found: dict[tuple[int, ...], str] = {}
    for folder in folders:
        seen = eyes.identity(folder)
        if seen:
            found.setdefault(seen, folder)
    return tuple(found.values())
