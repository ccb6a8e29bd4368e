"""SPEC.md and the code say the same: rule ids, and the table of limits."""

from __future__ import annotations

import functools
import re

from crpack.model import limits
from tests.house.source import ROOT, modules, report

# A rule begins with its id in bold; a reference is the bare id.
RULE = re.compile(r"\*\*([A-Z]{3}-\d{2})\*\*")
REFERENCE = re.compile(r"\b[A-Z]{3}-\d{2}\b")


@functools.cache
def spec() -> str:
    return (ROOT / "SPEC.md").read_text(encoding="utf-8")


def rules() -> set[str]:
    return set(RULE.findall(spec()))


def named_in(*folders: str) -> dict[str, str]:
    """Return the ids that files below some folders name, each with one file."""
    found = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if not path.is_file() or "__pycache__" in path.parts:
                continue
            data = path.read_bytes()
            if b"\0" not in data[:8192]:
                for name in REFERENCE.findall(data.decode("utf-8", "replace")):
                    found[name] = path.relative_to(ROOT).as_posix()
    return found


def test_the_specification_defines_each_rule_once() -> None:
    every = RULE.findall(spec())
    assert every
    assert sorted(every) == sorted(set(every))


def test_every_rule_is_named_by_a_test_or_a_vector() -> None:
    found = rules() - set(named_in("tests", "spec/vectors"))
    assert not found, report(sorted(found))


def test_no_test_vector_or_module_names_an_unknown_rule() -> None:
    prefixes = {rule[:4] for rule in rules()}
    named = named_in("tests", "spec", "crpack")
    found = [
        f"{path}: {name}"
        for name, path in named.items()
        if name[:4] in prefixes and name not in rules()
    ]
    assert not found, report(found)


def test_every_error_names_a_rule_that_exists() -> None:
    found = [
        f"{module.path}: {name}"
        for module in modules()
        for name in re.findall(r'rule="([^"]+)"', module.text)
        if name not in rules()
    ]
    assert not found, report(sorted(set(found)))


def number(text: str) -> int:
    """Return the number of a cell: `4,194,304`, `4 MiB`, `2^53 - 1`."""
    plain = text.replace(",", "").replace("_", "").replace("`", "").strip()
    if hit := re.fullmatch(r"2\^(\d+)( - 1)?", plain):
        return (1 << int(hit[1])) - (1 if hit[2] else 0)
    value, _, unit = plain.partition(" ")
    scale = {"": 1, "KiB": limits.KIB, "MiB": limits.MIB}[unit]
    return int(value) * scale


def test_every_limit_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(MAX_[A-Z_]+)` \| ([^|]+?) \|", spec(), re.MULTILINE)
    written = {name: number(cell) for name, cell in rows}
    held = {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}
    assert written == held
