"""One installed package, as a package manager's database tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package.

    Attributes:
        name: in the words of its manager.
        version: of what is in it, without the manager's own additions.
        raw: the version as the manager writes it.
        prefix: folder that it is installed in.
        arch: processor that it is for, in crpack's words; empty for every one.
        evidence: file that tells of it; empty for the database itself.
    """

    name: str
    version: str
    raw: str
    prefix: str
    arch: str = ""
    evidence: str = ""
