r"""Addresses: what one is, how it is shown, and where a redirect may lead.

Rules (SPEC FET-01, FET-03):
- An address is `http:`, `https:`, `file:` on this host, or the path of a file.
- A web address is plain enough that all who read it find the same host in it: no blank, control
  character or `\\`, and a host of letters, digits, `.`, `-` and `_`, or an IP address.
- User name, password and query are never shown; what may be secret stands in no message.
- A redirect stays on its host and port, unless the user named the host that it leads to; it may
  go from http to https, never back, and brings no user name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from crpack.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_PORTS = {"http": 80, "https": 443}
_ODD = re.compile(r"[\x00-\x20\x7f\\]")
_HOST = re.compile(
    r"(?:[^@]*@)?(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9.])?|\[[0-9a-f:.]+\])(?::[0-9]*)?",
    re.ASCII | re.IGNORECASE,
)
_STEPS = frozenset({("http", "http"), ("http", "https"), ("https", "https")})


def split(url: str) -> SplitResult:
    """Return an address in its parts.

    Raises:
        FetchError: it is none, or a web address that others may read as one of another host.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is no number
    except ValueError as error:
        raise _none(url, "its host or port is not one") from error
    if parts.scheme in _PORTS:
        if odd := _ODD.search(url):
            raise _none(url, f"it has the character {odd[0]!r}")
        if not _HOST.fullmatch(parts.netloc):
            raise _none(url, "its host is not a plain one")
    return parts


def _none(url: str, why: str) -> FetchError:
    plain = re.sub(r"//.*@", "//", url[:200]).partition("?")[0]
    return FetchError(f"`{plain}` is not an address", why=[why], rule="FET-01")


def shown(url: str | SplitResult) -> str:
    """Return an address without user name, password and query, for messages and records."""
    parts = split(url) if isinstance(url, str) else url
    plain = asked(parts)
    return (plain if is_local(parts) else plain._replace(query="", fragment="")).geturl()


def asked(parts: SplitResult) -> SplitResult:
    """Return an address without user name and password, as a request names it."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2])


def credentials(parts: SplitResult) -> tuple[str, str] | None:
    """Return user name and password of an address; None where it has none."""
    if parts.username is None:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def is_local(parts: SplitResult) -> bool:
    """Tell whether an address is a file of this host, so that nothing is connected to."""
    return parts.scheme in ("", "file")


def local_path(parts: SplitResult, url: str) -> str:
    """Return the path of a local address.

    Raises:
        FetchError: the file is another host's.
    """
    if not parts.scheme:
        return url
    if parts.netloc not in ("", "localhost"):
        raise FetchError(f"`{url}` names a file of another host")
    return unquote(parts.path)


def redirected(parts: SplitResult, location: str, hosts: AbstractSet[str]) -> SplitResult:
    """Return where a redirect leads (SPEC FET-03).

    Args:
        parts: the address that redirects.
        location: what it answered.
        hosts: other hosts that a redirect may lead to, `name` or `name:port`, lower case.

    Raises:
        FetchError: it leads nowhere, or where it may not.
    """
    target = _joined(parts, location)
    schemes = (parts.scheme, target.scheme)
    upgraded = target.hostname == parts.hostname and schemes == ("http", "https")
    stays = upgraded or _host(target) == _host(parts)
    followed = stays or _named(target) in hosts
    if schemes not in _STEPS or not followed or "@" in split(location).netloc:
        raise FetchError(
            f"`{shown(parts)}` redirects to `{shown(target)}`",
            why=["crpack follows a redirect on the same host, or to one that you allow"],
            hint="name the last address itself, or add its host to `redirect-hosts`",
            rule="FET-03",
        )
    return target


def is_near(url: str, base: str, hosts: AbstractSet[str]) -> bool:
    """Say whether a file that is listed at `base` may lie at `url` (SPEC IDX-09).

    Args:
        url: a web address, or the path of a local file.
        base: address or folder of what lists it.
        hosts: as for `redirected`.
    """
    parts, home = split(url), split(base)
    return is_local(parts) or _host(parts) == _host(home) or _named(parts) in hosts


def _joined(parts: SplitResult, location: str) -> SplitResult:
    try:
        return split(urljoin(parts.geturl(), location))
    except (ValueError, FetchError) as error:
        why = ["it redirects to what is not an address"]
        raise FetchError(f"`{shown(parts)}` redirects nowhere", why=why) from error


def _host(parts: SplitResult) -> tuple[str | None, int]:
    return parts.hostname, parts.port or _PORTS.get(parts.scheme, 0)


def _named(parts: SplitResult) -> str:
    """Return a host as users name it: its port only where it is not the scheme's own."""
    name, port = _host(parts)
    return f"{name}" if port == _PORTS.get(parts.scheme) else f"{name}:{port}"
