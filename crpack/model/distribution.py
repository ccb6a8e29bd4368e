"""A Python distribution: what its metadata says, and the name of a wheel's file.

Rules (SPEC PYE-10, PEP 427, PEP 566):
- Name and version have one meaning, however they are written: `My_Pkg` is `my-pkg`, `1.0.0` is
  `1.0`. File name, metadata and the row of a lock must mean the same.
- Metadata is hostile. It states its name and version once; its dependencies are judged where they
  are asked (`model/dependencies`).
"""

from __future__ import annotations

from dataclasses import dataclass

from crpack.errors import FormatError
from crpack.model.dependencies import plain


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution.

    Attributes:
        name: in its plain form.
        version: as it is written.
        requires: its dependencies, with markers.
        python: the versions of Python that it runs on, as it is written; empty for all.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    python: str = ""

    def runs_on(self, version: str) -> bool:
        """Say whether a version of Python will do; what is no range counts as none, as in pip."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            return SpecifierSet(self.python).contains(version, prereleases=True)
        except InvalidSpecifier:
            return True


def decode(data: bytes) -> Distribution:
    """Return what the bytes of a `METADATA` say.

    Raises:
        FormatError: name or version is not there once.
    """
    from email.parser import BytesHeaderParser

    headers = BytesHeaderParser().parsebytes(data)

    def texts(key: str) -> tuple[str, ...]:
        return tuple(str(value).strip() for value in headers.get_all(key, ()))

    names, versions, pythons = texts("Name"), texts("Version"), texts("Requires-Python")
    if len(names) != 1 or len(versions) != 1 or len(pythons) > 1:
        raise FormatError("a distribution's metadata has no one name and version", rule="PYE-10")
    return Distribution(plain(names[0]), versions[0], texts("Requires-Dist"), "".join(pythons))


def of_filename(filename: str) -> Distribution:
    """Return name and version in the name of a wheel's file (PEP 427).

    Raises:
        FormatError: it is no such name.
    """
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except (InvalidWheelFilename, ValueError) as error:
        raise FormatError(f"`{filename}` is not the name of a wheel", rule="PYE-10") from error
    return Distribution(str(name), str(version))


def check_row(filename: str, name: str, version: str) -> None:
    """See that a row of a lock means what the name of its file says (SPEC LCK-06).

    Raises:
        FormatError: it does not, or the name is not that of a wheel.
    """
    if not same(of_filename(filename), name, version):
        raise FormatError(f"`{filename}` is not {name} {version}", rule="LCK-06")


def same(one: Distribution, name: str, version: str) -> bool:
    """Say whether a distribution is that of a name and version, however they are written."""
    from packaging.version import InvalidVersion, Version

    try:
        return one.name == plain(name) and Version(one.version) == Version(version)
    except InvalidVersion:
        return False
