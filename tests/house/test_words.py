"""What may not stand in any file of the project, and what a document may point at."""

from __future__ import annotations

import re
import subprocess
import unicodedata

import pytest

from tests.house.source import ROOT, report

MAX_FILE_KB = 5000  # the models of the flagship in the bootstrap index

# Joined from halves, so that this file does not hold the words that it looks for.
NEEDLES = {
    "a path of one machine": ["/wor" + "k/", "/far" + "m/", "/roo" + "t/.", "/tm" + "p/plan"],
    "the host of a registry": [
        "pyp" + "i.org",
        "pythonhoste" + "d",
        "registry.npm" + "js",
        "deb.debia" + "n.org",
        "conda.anacon" + "da.org",
        "crates." + "io",
        "hub.dock" + "er.com",
    ],
    "how work was organised": ["far" + "m-studio", "far" + "m-bench", "sub" + "agent"],
    "unfinished work": ["TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImpl" + "ementedError"],
}
EXACT = {"TO" + "DO", "XX" + "X"}  # as words of their own, in this case

FORBIDDEN_FOLDERS = {"build", "dist"}  # ignored by the usual ignore files


def files() -> list[str]:
    """Return the files that git tracks or would track, below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    names = sorted(set(listed.stdout.split("\0")) - {""})
    return [name for name in names if (ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    """Return the files that are text, with their text."""
    found = []
    for name in files():
        data = (ROOT / name).read_bytes()
        if b"\0" not in data[:8192]:
            found.append((name, data.decode("utf-8", "replace")))
    return found


def forbidden(name: str, text: str) -> list[str]:
    found = []
    for reason, words in NEEDLES.items():
        for word in words:
            pattern = rf"\b{word}\b" if word in EXACT else re.escape(word)
            flags = 0 if word in EXACT else re.IGNORECASE
            for hit in re.finditer(pattern, text, flags):
                line = text.count("\n", 0, hit.start()) + 1
                found.append(f"{name}:{line}: {reason}: {hit.group()}")
    return found


def test_no_file_holds_a_forbidden_word() -> None:
    found = [line for name, text in texts() for line in forbidden(name, text)]
    assert not found, report(found)


@pytest.mark.parametrize("word", [word for words in NEEDLES.values() for word in words])
def test_the_law_of_words_bites(word: str) -> None:
    assert forbidden("sample", f"line\nsee {word} there") != []
    assert forbidden("sample", f"see {word} there")[0].startswith("sample:1: ")


def test_no_folder_has_a_name_that_tools_ignore() -> None:
    found = [name for name in files() if FORBIDDEN_FOLDERS & set(name.split("/")[:-1])]
    assert not found, report(found)


def test_no_file_is_large() -> None:
    sizes = {name: (ROOT / name).stat().st_size // 1024 for name in files()}
    found = [f"{name}: {size} KB" for name, size in sizes.items() if size > MAX_FILE_KB]
    assert not found, report(found)


def test_every_name_is_plain() -> None:
    found = [
        name
        for name in files()
        if unicodedata.normalize("NFC", name) != name or name.strip() != name or "\\" in name
    ]
    assert not found, report(found)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as forges make them."""
    found = set()
    for title in re.findall(r"^#+ +(.*)$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", title.strip().lower())
        found.add(plain.replace(" ", "-"))
    return found


def test_every_link_between_documents_leads_somewhere() -> None:
    found = []
    for name in files():
        if not name.endswith(".md"):
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" in target or target.startswith("mailto:"):
                continue
            path, _, anchor = target.partition("#")
            place = (ROOT / name).parent / path if path else ROOT / name
            there = place.exists()
            if anchor and there:
                there = anchor in anchors(place.read_text(encoding="utf-8"))
            if not there:
                found.append(f"{name}: {target}")
    assert not found, report(found)


def test_the_furniture_stands() -> None:
    wanted = {
        ".ci/run",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "SECURITY.md",
        "SPEC.md",
        "crpack/py.typed",
        "pyproject.toml",
    }
    assert not wanted - set(files())
