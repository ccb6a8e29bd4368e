"""Metadata: what a wheel says of itself, read from its file without unpacking it.

Rules (SPEC PYE-10):
- A wheel is hostile: its list of members and its metadata are read up to a limit, members that
  are not stored or deflated not at all.
- There is one `METADATA`, in the one folder `….dist-info`: tools that read the file in other ways
  must find the same one.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

from crpack.errors import FormatError, TrustError
from crpack.model import distribution
from crpack.model.limits import MAX_METADATA_BYTES, MAX_WHEEL_LISTING

if TYPE_CHECKING:
    from crpack.model.distribution import Distribution
    from crpack.model.lock import Wheel

_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


class _Bounded:
    """A file that gives a limited number of bytes at once; `zipfile` takes its listing in one."""

    def __init__(self, stream: BinaryIO) -> None:
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable
        self._stream = stream

    def read(self, count: int = -1) -> bytes:
        """Read; raises ValueError beyond the limit."""
        data = self._stream.read(MAX_WHEEL_LISTING + 1 if count < 0 else count)
        if count > MAX_WHEEL_LISTING or len(data) > MAX_WHEEL_LISTING:
            raise ValueError("it lists too many members")
        return data


def read(stream: BinaryIO, wheel: Wheel) -> Distribution:
    """Return what a wheel says of itself, held against its row in the lock.

    Args:
        stream: the file, seekable.
        wheel: the row.

    Raises:
        TrustError: it is no wheel, or another than the row says.
    """
    try:
        found = distribution.decode(_metadata(stream))
    except (FormatError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise _refused(wheel, str(error)) from error
    except (ValueError, EOFError, OSError, LookupError) as error:
        raise _refused(wheel, str(error) or "it is damaged") from error
    if not distribution.same(found, wheel.name, wheel.version):
        said = f"it says that it is `{found.name[:64]}` {found.version[:64]}"
        raise _refused(wheel, said)
    return found


def _metadata(stream: BinaryIO) -> bytes:
    with zipfile.ZipFile(cast("BinaryIO", _Bounded(stream))) as archive:
        members = archive.infolist()
        folders = {
            folder
            for one in members
            if (folder := one.filename.partition("/")[0]).lower().endswith(".dist-info")
        }
        found = [one for one in members if _is_metadata(one.filename)]
        if len(folders) != 1 or len(found) != 1 or found[0].filename[-9:] != "/METADATA":
            raise ValueError("it has no one folder with metadata")
        (info,) = found
        if info.compress_type not in _PLAIN or info.flag_bits & _ENCRYPTED:
            raise ValueError("its metadata is not stored or deflated")
        with archive.open(info) as member:
            data = member.read(MAX_METADATA_BYTES + 1)
    if len(data) > MAX_METADATA_BYTES:
        raise ValueError(f"its metadata has more than {MAX_METADATA_BYTES} bytes")
    return data


def _is_metadata(name: str) -> bool:
    folder, _, rest = name.lower().partition("/")
    return folder.endswith(".dist-info") and rest == "metadata"


def _refused(wheel: Wheel, why: str) -> TrustError:
    return TrustError(
        f"the wheel `{wheel.filename}` is not what the lock says", why=[why], rule="PYE-10"
    )
