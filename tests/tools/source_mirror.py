"""`make mirror`: a folder of source archives, named by sha256, out of Debian source packages.

Usage: source_mirror.py FOLDER [COMPONENT ...]

- What is wanted is what `recipes/` state: digests of sources and of their alternatives.
- The packages come from where this machine's own apt gets packages, through lists of its own in
  the folder; nothing of the system is changed, and no privileges are needed.
- Snapshots of Git repositories are packed by Debian in its own way. Their files are written again
  as `git archive` and `gzip -n -6` write them, which gives the bytes that upstream publishes.
- A file counts only with the wanted digest. What is there already is not fetched again; what could
  not be had is told, and makes the exit status 1.
"""

from __future__ import annotations

import fcntl
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "recipes"
USUAL = ROOT / ".mirror"

# Debian's names of source packages.
PACKAGES = {
    "bzip2": "bzip2",
    "darknet": "darknet",
    "eigen": "eigen3",
    "flatbuffers": "flatbuffers",
    "fp16": "fp16",
    "fxdiv": "fxdiv",
    "googletest": "googletest",
    "libbz2": "bzip2",
    "libffi": "libffi",
    "libjpeg-turbo": "libjpeg-turbo",
    "liblz4": "lz4",
    "libpng": "libpng1.6",
    "libzstd": "libzstd",
    "lz4": "lz4",
    "nlohmann-json": "nlohmann-json3",
    "pixman": "pixman",
    "psimd": "psimd",
    "zlib": "zlib",
    "zstd": "libzstd",
}


@dataclass(frozen=True)
class Snapshot:
    """A Git snapshot: digest of Debian's file, name of the repository, commit and its time."""

    debian: str
    name: str
    commit: str
    time: int


SNAPSHOTS = (
    Snapshot(
        "ec536ae11853846aab96183d8ec18730a46cce71f7d935768d235029329f9e93",
        "darknet",
        "61c9d02ec461e30d55762ec7669d6a1d3c356fb2",
        1536937400,
    ),
    Snapshot(
        "7d7782b37b74136e0e12593a2a93ccbe7db831f4374cc408e44623d9b708b54e",
        "FP16",
        "4dfe081cf6bcd15db339cf2680b9281b8451eeb3",
        1589444574,
    ),
    Snapshot(
        "7953482badaf4cb34026c3487c257b8e4ab2df061c019bd6fabbbc12ad52c44b",
        "FXdiv",
        "b408327ac2a15ec3e43352421954f5b1967701d1",
        1587107178,
    ),
    Snapshot(
        "32bbce81289866e3419e36cab6541bbddb6d45d3db10a7dcd2598dc9d0c8c6f4",
        "psimd",
        "072586a71b55b7f8c584153d223e95687148a900",
        1589713121,
    ),
)


class Lacking(Exception):  # noqa: N818 - the name says what happened
    """The mirror cannot be filled; the text says why."""


def wanted(component: str) -> list[tuple[str, ...]]:
    """Return the digests of each source of a component; one of them is enough."""
    for path in RECIPES.glob("*/*/crpack.toml"):
        table: dict[str, Any] = tomllib.loads(path.read_text())
        if table["package"]["name"] == component:
            rows = [row for row in table.get("source", []) if row["kind"] in ("url", "git")]
            return [_digests(row) for row in rows if row.get("sha256")]
    raise Lacking(f"there is no recipe `{component}`")


def _digests(row: dict[str, Any]) -> tuple[str, ...]:
    return (row["sha256"], *(other["sha256"] for other in row.get("alternatives", [])))


def lacking(folder: Path, component: str) -> bool:
    """Say whether a source of a component is not in the folder."""
    digests = wanted(component)
    return not all(any((folder / one).is_file() for one in source) for source in digests)


def ready(*components: str) -> Path:
    """Return a folder that has the sources of some components, filled if need be.

    It is the folder of the variable `CRPACK_SOURCE_MIRROR`, or `.mirror` in the checkout.

    Raises:
        Lacking: some could not be had.
    """
    folder = Path(os.environ.get("CRPACK_SOURCE_MIRROR") or USUAL)
    try:
        if any(lacking(folder, name) for name in components):
            fill(folder, components)
    except (OSError, subprocess.SubprocessError) as error:
        raise Lacking(str(error)) from error
    return folder


def fill(folder: Path, components: tuple[str, ...]) -> None:
    """Put the sources of some components into a folder.

    Raises:
        Lacking: some could not be had; the others are there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        names = tuple(name for name in components if lacking(folder, name))
        if names:
            _fill(folder, names)
    missing = [name for name in components if lacking(folder, name)]
    if missing:
        raise Lacking("no source with the stated digest was found of " + ", ".join(missing))


def _fill(folder: Path, names: tuple[str, ...]) -> None:
    digests = {one for name in names for source in wanted(name) for one in source}
    apt = _Apt(folder.resolve() / ".apt")
    with tempfile.TemporaryDirectory(dir=folder.resolve()) as scratch:
        for package in sorted({PACKAGES[name] for name in names}):
            for path in apt.fetch(package, Path(scratch)):
                _take(folder, path, digests)


def _take(folder: Path, path: Path, digests: set[str]) -> None:
    """Put a file into the folder, as it is or as upstream packs it, if that is what is wanted."""
    digest = _sha256(path)
    snapshot = next((one for one in SNAPSHOTS if one.debian == digest), None)
    if snapshot is not None:
        path = wrapped(path, snapshot, path.with_suffix(".again"))
        digest = _sha256(path)
    if digest in digests:
        path.replace(folder / digest)
        sys.stdout.write(f"{digest}  {path.name}\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def wrapped(archive: Path, snapshot: Snapshot, out: Path) -> Path:
    """Write the files of a Debian archive again, as `git archive` and `gzip -n -6` do."""
    members = {}
    with lzma.open(archive) as stream, tarfile.open(fileobj=stream) as tar:
        for one in tar:
            content = tar.extractfile(one) if one.isreg() else None
            name = f"{snapshot.name}-{snapshot.commit}/{one.name.partition('/')[2]}"
            name = name.rstrip("/") + "/" * one.isdir()
            members[name] = (one.mode & 0o100, content.read() if content else b"")
    comment = f"52 comment={snapshot.commit}\n".encode()
    data = _header("pax_global_header", b"g", 0o666, len(comment), snapshot.time) + _blocks(comment)
    for name, (executable, body) in sorted(members.items()):
        kind, mode = (b"5", 0o775) if name.endswith("/") else (b"0", 0o775 if executable else 0o664)
        data += _header(name, kind, mode, len(body), snapshot.time) + _blocks(body)
    data += bytes(2 * tarfile.BLOCKSIZE)
    data += bytes(-len(data) % tarfile.RECORDSIZE)
    done = subprocess.run(["gzip", "-n", "-6"], input=data, stdout=subprocess.PIPE, check=True)
    out.write_bytes(done.stdout)
    return out


def _header(name: str, kind: bytes, mode: int, size: int, time: int) -> bytes:
    """Return a header of the tar format as Git writes it: seven digits and a zero as checksum."""
    before, after = name.encode(), b""
    if len(before) > 100:
        cut = before.rindex(b"/", 0, 155)
        after, before = before[:cut], before[cut + 1 :]
    fields = (
        before.ljust(100, b"\0"),
        b"%07o\0" % mode,
        b"0000000\0" * 2,  # owner and group
        b"%011o\0" % size,
        b"%011o\0" % time,
        b" " * 8,
        kind.ljust(101, b"\0"),
        b"ustar\0" + b"00",
        b"root".ljust(32, b"\0") * 2,
        b"0000000\0" * 2,  # device
        after.ljust(167, b"\0"),
    )
    header = b"".join(fields)
    return header[:148] + b"%07o\0" % sum(header) + header[156:]


def _blocks(data: bytes) -> bytes:
    return data + bytes(-len(data) % tarfile.BLOCKSIZE)


class _Apt:
    """This machine's apt with lists of its own."""

    def __init__(self, folder: Path) -> None:
        for part in ("parts", "lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        if not shutil.which("apt-get"):
            raise Lacking("there is no `apt-get` on this machine")
        sources = folder / "parts" / "source.sources"
        sources.write_text("\n".join(_sources()))
        self._options = [
            *("-o", "Dir::Etc::SourceList=/dev/null"),
            *("-o", f"Dir::Etc::SourceParts={folder / 'parts'}"),
            *("-o", f"Dir::State::Lists={folder / 'lists'}"),
            *("-o", f"Dir::Cache={folder / 'cache'}"),
            *("-o", "APT::Sandbox::User=root"),  # another user could not write to the folder
            *("-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=1"),
        ]
        if not any("Sources" in path.name for path in (folder / "lists").iterdir()):
            self._run("update", cwd=folder)

    def fetch(self, package: str, folder: Path) -> list[Path]:
        """Download the upstream archive of a source package; return the new files."""
        before = set(folder.iterdir())
        try:
            self._run("source", "--download-only", "--tar-only", package, cwd=folder)
        except Lacking as error:
            sys.stderr.write(f"{package}: {error}\n")
        return sorted(set(folder.iterdir()) - before)

    def _run(self, *words: str, cwd: Path) -> None:
        argv = ["apt-get", "-q", *self._options, *words]
        done = subprocess.run(
            argv, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("E:")]
            raise Lacking(lines[0] if lines else f"apt-get {words[0]} failed")


def _sources() -> list[str]:
    """Return this machine's Debian sources as apt's tables, for source packages."""
    found = []
    folder = Path("/etc/apt")
    for path in sorted((folder / "sources.list.d").glob("*.sources")):
        for table in re.split(r"\n\s*\n", path.read_text()):
            if re.search(r"^URIs:.*debian/?\s*$", table, re.MULTILINE):
                found.append(re.sub(r"^Types:.*$", "Types: deb-src", table, flags=re.MULTILINE))
                found.append("")
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))]:
        for line in path.read_text().splitlines() if path.is_file() else []:
            match = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+debian/?)\s+(\S+)\s+(.+)", line)
            if match:
                found += ["Types: deb-src", f"URIs: {match[1]}", f"Suites: {match[2]}"]
                found += [f"Components: {match[3]}", ""]
    if not found:
        raise Lacking("apt has no Debian source on this machine")
    return found


def main(words: list[str]) -> int:
    """Fill a folder with the sources of the named components, or of all; return the exit status."""
    folder, names = Path(words[0]), tuple(words[1:]) or tuple(sorted(PACKAGES))
    try:
        fill(folder, names)
    except Lacking as error:
        sys.stderr.write(f"source_mirror: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
