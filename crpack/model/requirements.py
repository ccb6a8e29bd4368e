"""Requirements: what one component asks of another.

Rules (SPEC REQ-01…):
- A requirement names a component, a range of versions, values for some of its options, whether
  software that the machine has already may serve (`external`), and whether it is optional.
- A value of an option may name an option of the asking component: `{option.images}`.
- Python distributions are required by PEP 508, without markers.
- A person writes `name`, `name>=1.2`, or `name@1.2`, which means exactly that version; capital
  letters of the name count as small ones.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

from crpack.errors import UsageError
from crpack.model import names, versions
from crpack.model.limits import MAX_REQUIREMENT_LENGTH
from crpack.model.schema import hidden, spec

_SPEC = re.compile(rf"(?P<name>{names.NAME})\s*(?P<rest>.*)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One name with what it must be.

    Attributes:
        name: the component's name.
        version: a range of versions as text; empty admits all.
        options: option name and value, as text, sorted by name.
        external: whether detected software may (`allow`), should (`prefer`) or must not serve.
        optional: the asking component works without it.
    """

    name: str = hidden()
    version: str = spec("", check=versions.parse_range)
    options: tuple[tuple[str, str], ...] = ()
    external: Literal["allow", "prefer", "forbid"] = "allow"
    optional: bool = False


def parse(text: str) -> Requirement:
    """Read what a person asks for: `name`, `name>=1.2` or `name@1.2` (SPEC REQ-03).

    Raises:
        UsageError: the text names no component or its range is not understood.
    """
    match = _SPEC.fullmatch(text.strip())
    if match is None:
        names.check_name(text.strip())
        raise UsageError(f"`{text[:128]}` is not a requirement", rule="REQ-03")
    rest = match["rest"]
    if rest.startswith("@"):
        rest = f"=={versions.parse(rest[1:])}"
    versions.parse_range(rest)
    return Requirement(names.check_name(match["name"].lower()), rest)


@functools.lru_cache(maxsize=1024)
def check_distribution(text: str) -> str:
    """Return a Python requirement (PEP 508), or refuse it.

    It is passed on in a requirements file, whose other lines are options of the installer.

    Raises:
        UsageError: the text is none, or has a marker or an address, which would be built here.
    """
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Distribution

    try:
        if len(text) <= MAX_REQUIREMENT_LENGTH and text.isprintable():
            found = Distribution(text)
            if not found.marker and not found.url:
                return text
    except InvalidRequirement:
        pass
    raise UsageError(
        f"`{text[:128]}` is not a plain Python requirement",
        why=["it is a name with a range: no address, no marker, no option of an installer"],
        hint="write `numpy>=2`; what depends on the platform belongs into a `[[when]]` block",
    )
