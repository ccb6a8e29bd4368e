"""Addresses: what one is, how it is shown, and where a redirect may lead.

Rules (SPEC FET-01, FET-03):
- An address is `http:`, `https:`, `file:` on this host, or the path of a file.
- User name and password are never shown.
- A redirect stays on its host and port, unless the user named the host that it leads to; it may
  go from http to https, never back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from crpack.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_PORTS = {"http": 80, "https": 443}
_STEPS = frozenset({("http", "http"), ("http", "https"), ("https", "https")})


def split(url: str) -> SplitResult:
    """Return an address in its parts.

    Raises:
        FetchError: it is none.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is no number
    except ValueError as error:
        raise FetchError(f"`{url[:200]}` is not an address", why=[str(error)]) from error
    return parts


def shown(url: str | SplitResult) -> str:
    """Return an address without user name and password, for messages and records."""
    parts = split(url) if isinstance(url, str) else url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl()


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
    if schemes not in _STEPS or not (stays or _named(target) in hosts):
        raise FetchError(
            f"`{shown(parts)}` redirects to `{shown(target)}`",
            why=["crpack follows a redirect on the same host, or to one that you allow"],
            hint="name the last address itself, or add its host to `redirect-hosts`",
            rule="FET-03",
        )
    return target


def _joined(parts: SplitResult, location: str) -> SplitResult:
    try:
        return split(urljoin(parts.geturl(), location))
    except ValueError as error:
        why = [f"it redirects to `{location[:200]}`"]
        raise FetchError(f"`{shown(parts)}` redirects nowhere", why=why) from error


def _host(parts: SplitResult) -> tuple[str | None, int]:
    return parts.hostname, parts.port or _PORTS.get(parts.scheme, 0)


def _named(parts: SplitResult) -> str:
    """Return a host as users name it: its port only where it is not the scheme's own."""
    name, port = _host(parts)
    return f"{name}" if port == _PORTS.get(parts.scheme) else f"{name}:{port}"
