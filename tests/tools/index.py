"""`make index`, `make index-sign` and `make index-check`: the bootstrap index out of `recipes/`.

- `make` builds the archive of every recipe, unsigned, into a folder, and tells what is new.
- `sign` builds them with the publisher's signature, which changes no identity, lists what is new in
  `index/`, signs its head, and writes the two digests that crpack trusts its own copy by.
- `check` needs no keys: every recipe is built again, and what comes out must be what `index/` has,
  byte for byte but for the signatures; then all of it is read as `crpack index check` does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from crpack import settings
from crpack.archive import members
from crpack.archive.reader import Archive
from crpack.index import bootstrap, client, places
from crpack.index.blobs import digest
from crpack.ops import author, examine
from crpack.session import Session
from crpack.trust.keys import PrivateKey, from_pem

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "index"
RECIPES = ROOT / "recipes"
UNSIGNED = ROOT / ".index"
BOOTSTRAP = ROOT / "crpack" / "index" / "bootstrap.py"
NAMES = ("root-1", "root-2", "root-3", "targets", "online", "publisher")


def crpack(home: Path, *words: str) -> None:
    """Run one crpack command."""
    subprocess.run(
        [sys.executable, "-m", "crpack", "-q", *words],
        env={**os.environ, "CRPACK_HOME": str(home), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def folders() -> list[Path]:
    """Return the folder of every recipe, in the order of their paths."""
    return sorted(path.parent for path in RECIPES.glob("*/*/crpack.toml"))


def build(home: Path, out: Path, *keys: PrivateKey) -> list[Path]:
    """Build every recipe's archive into a folder, signed by the keys."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    os.environ["CRPACK_HOME"] = str(home)
    settled, homes = settings.settle({})
    session = Session(settled, homes, settings.prefix_of(settled, homes))
    made = []
    for folder in folders():
        path = out / f"{folder.name}.crpkg"
        order = author.Order(folder=str(folder), with_=(str(RECIPES),), out=str(path))
        author.build(session, order, keys)
        made.append(path)
    return made


def identity(path: Path) -> str:
    """Return the identity of an archive file."""
    with path.open("rb") as stream:
        return Archive.open(stream, size=path.stat().st_size).identity


def listed() -> dict[str, Path]:
    """Return the full copies in the index, by identity."""
    found: dict[str, Path] = {}
    for path in sorted((INDEX / "a").glob("*.crpkg")):
        same = found.get(identity(path), path)
        found[identity(path)] = max(path, same, key=lambda one: one.stat().st_size)
    return found


def make() -> None:
    """Build all, and tell which archives the index does not list yet."""
    with tempfile.TemporaryDirectory() as home:
        made = build(Path(home), UNSIGNED)
    known = listed()
    for path in made:
        state = "listed" if identity(path) in known else "new"
        sys.stdout.write(f"{state:>7}  {path.name}  {identity(path)}\n")


def sign(folder: str) -> None:
    """Build all with the publisher's signature and list it; make the index where there is none."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        for name in NAMES:
            crpack(
                home, "key", "import", str(Path(folder).resolve() / f"{name}.pem"), "--name", name
            )
        if not (INDEX / "metadata").is_dir():
            roots = [word for name in NAMES[:3] for word in ("--root-key", name)]
            crpack(
                home, "index", "new", str(INDEX), *roots, "--threshold", "2",
                "--targets-key", "targets", "--online-key", "online",
                "--publisher", "*=publisher",
            )  # fmt: skip
        key = from_pem((Path(folder) / "publisher.pem").read_bytes(), None)
        made = build(home, Path(temporary) / "signed", key)
        known = listed()
        fresh = [str(path) for path in made if identity(path) not in known]
        named = [word for name in NAMES[:5] for word in ("--key", name)]
        if fresh:
            crpack(home, "index", "add", str(INDEX), *fresh, *named)
        crpack(home, "index", "refresh", str(INDEX), *named)
    pin()


def pins() -> dict[str, str]:
    """Return the digests that crpack should trust its own copy by."""
    newest = max(
        (INDEX / "metadata").glob("*.snapshot.json"), key=lambda path: int(path.name.split(".")[0])
    )
    root = INDEX / "metadata" / "1.root.json"
    digests = {"ROOT_SHA256": root, "SNAPSHOT_SHA256": newest}
    return {name: digest(path.read_bytes()) for name, path in digests.items()}


def pin() -> None:
    """Write these digests."""
    text = BOOTSTRAP.read_text()
    for name, value in pins().items():
        text = re.sub(rf'^{name} = "[^"]*"', f'{name} = "{value}"', text, flags=re.MULTILINE)
    BOOTSTRAP.write_text(text)


def check() -> None:
    """Build all again and compare; see that the index is whole and is the one crpack carries.

    No clock is asked: what is in a checkout does not grow wrong with time.
    """
    with tempfile.TemporaryDirectory() as home:
        made = build(Path(home), Path(home) / "unsigned")
        known = listed()
        faults = [fault for path in made for fault in differences(path, known)]
    if pins() != {
        "ROOT_SHA256": bootstrap.ROOT_SHA256,
        "SNAPSHOT_SHA256": bootstrap.SNAPSHOT_SHA256,
    }:
        faults.append(f"  {BOOTSTRAP.relative_to(ROOT)} has other digests than index/")
    else:
        index = client.open_embedded(
            bootstrap.NAME,
            places.read_folder(str(INDEX)),
            root_sha256=bootstrap.ROOT_SHA256,
            snapshot_sha256=bootstrap.SNAPSHOT_SHA256,
        )
        audit = examine.check(index, lambda path: (INDEX / path).open("rb"))
        faults += [f"  {fault}" for fault in audit.faults]
    if faults:
        sys.exit("\n".join(["index/ is not what recipes/ make:", *faults, "run `make index-sign`"]))
    sys.stdout.write(f"index/ is what {len(made)} recipes make\n")


def differences(path: Path, known: dict[str, Path]) -> list[str]:
    """Return in what a new archive differs from the listed one of the same identity."""
    with path.open("rb") as stream:
        new = Archive.open(stream, size=path.stat().st_size)
        old_path = known.get(new.identity)
        if old_path is None:
            return [f"  {path.name}: no archive of the identity {new.identity} is listed"]
        with old_path.open("rb") as other:
            old = Archive.open(other, size=old_path.stat().st_size)
            lacking = set(new.names) ^ set(old.names)
            faults = [f"  {path.name}: `{name}` is in one only" for name in sorted(lacking)]
            for name in set(new.names) & set(old.names) - {members.SIGNATURES}:
                if members.component_identity(name):
                    continue  # the same by its name; its signatures differ
                with new.stream(name) as one, old.stream(name) as two:
                    if one.read() != two.read():
                        faults.append(f"  {path.name}: `{name}` differs")
    return faults


def main(words: list[str]) -> None:
    """Run one of the three."""
    if words[0] == "sign":
        sign(words[1])
    else:
        {"make": make, "check": check}[words[0]]()


if __name__ == "__main__":
    main(sys.argv[1:])
