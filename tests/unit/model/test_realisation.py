from __future__ import annotations

from dataclasses import replace

from crpack.model import canonical, realisation
from crpack.model.realisation import DetectedFile, Node, Realisation, RealWheel

GCC = Node(
    "gcc",
    "12.2.0",
    0,
    "software",
    "detected",
    files=(
        DetectedFile("/usr/bin/gcc", 10, 1_700_000_000_123_456_789, "a" * 64),
        DetectedFile("/usr/bin/cc1", 20, 1, "b" * 64),
    ),
)
PROG = Node("a-prog", "1", 0, "program", "source", "c" * 64, "d" * 64, (("b", "2"), ("a", "1")))
REAL = Realisation(
    "linux-x86_64-gnu2.36", "cpython-3.11.7", (GCC, PROG), (RealWheel("n", "1", "e" * 64),)
)


def test_it_is_canonical_and_sorted() -> None:
    """GEN-06."""
    table = canonical.decode(realisation.encode(REAL), what="it")
    assert [node["name"] for node in table["nodes"]] == ["a-prog", "gcc"]
    assert table["nodes"][1]["files"][0] == {
        "path": "/usr/bin/cc1",
        "size": 20,
        "mtime_ns": "1",
        "sha256": "b" * 64,
    }
    assert (table["format"], table["critical"]) == (1, [])


def test_the_digest_does_not_know_where_and_when() -> None:
    """GEN-06."""
    moved = tuple(
        replace(file, path=f"/opt{file.path}", mtime_ns=5) for file in reversed(GCC.files)
    )
    other = replace(REAL, nodes=(PROG, replace(GCC, files=moved)))
    assert realisation.encode(other) != realisation.encode(REAL)
    assert realisation.digest(other) == realisation.digest(REAL)


def test_the_digest_knows_everything_else() -> None:
    """GEN-06."""
    changed = replace(GCC, files=(replace(GCC.files[0], sha256="f" * 64), GCC.files[1]))
    others = [
        replace(REAL, platform="any"),
        replace(REAL, python="cpython-3.12.0"),
        replace(REAL, wheels=()),
        replace(REAL, nodes=(GCC,)),
        replace(REAL, nodes=(changed, PROG)),
        replace(REAL, nodes=(GCC, replace(PROG, tree="0" * 64))),
        replace(REAL, nodes=(GCC, replace(PROG, options=()))),
    ]
    digests = {realisation.digest(one) for one in (REAL, *others)}
    assert len(digests) == 8
