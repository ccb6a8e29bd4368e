"""What went wrong with signed metadata, in crpack's words.

Rules: an attack is told by its name (rollback, freeze, mix-and-match, too long, wrong signature);
whatever the library raises becomes a TrustError or keeps being the FetchError it came from.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from crpack.errors import CrpackError, FetchError, TrustError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HINT = "use another mirror, or ask the owner of the index"
_HINTS = {"freeze": f"check the clock of this machine; else {_HINT}"}


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn the errors of `tuf` inside of the block into crpack's.

    Args:
        what: what is verified, for the message, such as ``the head of `URL```.

    Raises:
        TrustError: the metadata is refused.
        FetchError: it cannot be had.
    """
    from tuf.api import exceptions

    try:
        yield
    except (CrpackError, OSError):
        raise
    except exceptions.DownloadLengthMismatchError as error:
        raise refuse(what, str(error), attack="endless-data", rule="TUF-05") from error
    except exceptions.DownloadError as error:
        raise _unfetched(what, error) from error
    except exceptions.RepositoryError as error:
        raise _refused(what, error) from error
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        raise refuse(what, f"{type(error).__name__}: {error}", attack="malformed") from error


def refuse(what: str, why: str, *, attack: str, rule: str = "TUF-01") -> TrustError:
    """Return the error that refuses signed metadata, with the name of the attack it may be."""
    lines = [*_MEANING.get(attack, ()), " ".join(why.split())[:300]]
    return TrustError(
        f"{what} is refused: {_TITLE[attack]}",
        why=lines,
        hint=_HINTS.get(attack, _HINT),
        data={"attack": attack},
        rule=rule,
    )


_TITLE = {
    "endless-data": "a file is longer than announced",
    "freeze": "it has expired",
    "malformed": "it is not well formed",
    "mix-and-match": "its files do not belong together",
    "rollback": "it goes back to an older version",
    "signature": "it is not signed by enough of the keys that it needs",
    "keys": "it names a key that crpack does not accept",
}
_MEANING = {
    "freeze": ("its owner did not renew it, or a mirror offers an old copy",),
    "rollback": ("a mirror offers an old copy, or the version was not raised by one",),
    "mix-and-match": ("files of several states of the index were mixed, or one was altered",),
}


def _refused(what: str, error: Exception) -> TrustError:
    from tuf.api import exceptions

    kinds = (
        (exceptions.ExpiredMetadataError, "freeze", "TUF-08"),
        (exceptions.BadVersionNumberError, "rollback", "TUF-11"),
        (exceptions.LengthOrHashMismatchError, "mix-and-match", "TUF-05"),
        (exceptions.UnsignedMetadataError, "signature", "TUF-04"),
    )
    for kind, attack, rule in kinds:
        if isinstance(error, kind):
            return refuse(what, str(error), attack=attack, rule=rule)
    return refuse(what, str(error.__cause__ or error), attack="malformed")


def _unfetched(what: str, error: Exception) -> CrpackError:
    """Return the transport's own error, or one around what the library says."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, CrpackError):
        cause = cause.__cause__
    if isinstance(cause, CrpackError):
        return cause
    return FetchError(f"{what} cannot be fetched", why=[str(error)])
