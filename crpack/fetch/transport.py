"""Transport: bytes of an address, over HTTP or from a local file; the one door of `requests`.

Rules (SPEC FET-01…):
- Bytes come as they are: no content encoding is asked for, and one that is sent is refused.
- A redirect stays on its host and never goes from https to http. Credentials stay on their host,
  and are never shown.
- A transfer has limits: time to connect, time between bytes, a least rate, a deadline for all,
  and bytes. What arrives must be as long as was announced.
- Proxies and certificates come from the environment, as the user's other tools have them.
- Offline, nothing is opened but local files.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from crpack.errors import FetchError
from crpack.model.limits import KIB

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    import requests

CHUNK_BYTES = 256 * KIB
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})

# Where systems keep their certificates; requests' own bundle is the last resort.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a transfer may take: seconds, and bytes a second over `window_s`.

    `connect_s` and `read_s` are for each connection and each silence, `headers_s` for the whole
    way to the first byte of the body, `deadline_s` for everything.
    """

    connect_s: float = 10.0
    read_s: float = 30.0
    headers_s: float = 120.0
    deadline_s: float = 6 * 3600.0
    least_rate: int = 1 * KIB
    window_s: float = 30.0


class Body:
    """An open transfer: iterate over its chunks, inside of `with`.

    `size` is the length that was announced, -1 when none was.
    """

    def __init__(self, size: int, chunks: Iterator[bytes], close: Any) -> None:
        self.size = size
        self._chunks = chunks
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


class Transport:
    """Opens addresses. One for a command: connections are kept and used again."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        offline: bool = False,
        patience: Patience = Patience(),
    ) -> None:
        """Prepare a transport; nothing is opened and nothing is imported yet.

        Args:
            environ: for the certificates' place; proxies are read by requests itself.
            offline: refuse everything but local files.
            patience: time limits.
        """
        self.offline = offline
        self._environ = environ
        self._patience = patience
        self._session: requests.Session | None = None

    def open(self, url: str, *, limit: int) -> Body:
        """Open an address: `http:`, `https:`, `file:`, or the path of a local file.

        Args:
            url: the address.
            limit: refuse to read more bytes than this.

        Raises:
            FetchError: refused, not reachable, too slow, too long, or offline.
        """
        parts = _split(url)
        if parts.scheme in ("", "file"):
            return _open_file(_local_path(parts, url), limit)
        started = time.monotonic()
        response, parts = self._answer("GET", parts)
        try:
            size = _announced(response, parts, limit)
        except FetchError:
            response.close()
            raise
        chunks = self._chunks(response, parts, size, limit, started)
        return Body(size, chunks, response.close)

    def size(self, url: str) -> int:
        """Return the bytes behind an address without fetching them; -1 when it does not say.

        Raises:
            FetchError: refused, not reachable, or offline.
        """
        parts = _split(url)
        if parts.scheme in ("", "file"):
            with _open_file(_local_path(parts, url), sys.maxsize) as body:
                return body.size
        response, parts = self._answer("HEAD", parts)
        response.close()
        return _announced(response, parts, sys.maxsize)

    def _answer(self, method: str, parts: SplitResult) -> tuple[requests.Response, SplitResult]:
        """Return the last response of a chain of redirects, body not read, and its address."""
        if parts.scheme not in ("http", "https"):
            raise FetchError(f"`{shown(parts)}` has a scheme that crpack does not fetch")
        if self.offline:
            raise FetchError(
                f"`{shown(parts)}` is not here, and crpack is offline",
                hint="run once without `--offline`",
            )
        for _ in range(MAX_REDIRECTS + 1):
            response = self._ask(method, parts)
            if response.status_code not in REDIRECTS:
                return response, parts
            location = response.headers.get("Location", "")
            response.close()
            parts = self._redirected(parts, location)
        raise FetchError(f"`{shown(parts)}` redirects more than {MAX_REDIRECTS} times")

    def _ask(self, method: str, parts: SplitResult) -> requests.Response:
        """Send one request; a server that doles out its headers is given up."""
        answers: list[requests.Response] = []
        errors: list[Exception] = []
        given_up = threading.Event()

        def ask() -> None:
            try:
                answers.append(self._request(method, parts))
            except Exception as error:  # noqa: BLE001 - raised again by the caller
                errors.append(error)
            if given_up.is_set() and answers:
                answers[0].close()

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(self._patience.headers_s)
        if errors:
            raise errors[0]
        if not answers:
            given_up.set()
            raise _too_slow(parts, f"no answer in {self._patience.headers_s:.0f} seconds")
        return answers[0]

    def _request(self, method: str, parts: SplitResult) -> requests.Response:
        import requests

        if self._session is None:
            self._session = requests.Session()
            self._session.headers["Accept-Encoding"] = "identity"
            self._session.headers["User-Agent"] = "crpack"
        try:
            return self._session.request(
                method,
                parts.geturl(),
                stream=True,
                allow_redirects=False,
                timeout=(self._patience.connect_s, self._patience.read_s),
                verify=ca_bundle(self._environ) or True,
            )
        except (requests.RequestException, ValueError, OSError) as error:
            raise _unreachable(parts, error) from error

    def _redirected(self, parts: SplitResult, location: str) -> SplitResult:
        target = _joined(parts, location)
        schemes = (parts.scheme, target.scheme)
        upgraded = target.hostname == parts.hostname and schemes == ("http", "https")
        allowed = upgraded or _host(target) == _host(parts)
        known = schemes in (("http", "http"), ("http", "https"), ("https", "https"))
        if not allowed or not known:
            raise FetchError(
                f"`{shown(parts)}` redirects to `{shown(target)}`",
                why=["crpack follows a redirect only on the same host"],
                hint="name the last address itself",
                rule="FET-03",
            )
        return target

    def _chunks(
        self, response: requests.Response, parts: SplitResult, size: int, limit: int, started: float
    ) -> Iterator[bytes]:
        """Yield the body, held against size, limit, deadline and least rate."""
        got = mark = 0
        since = time.monotonic()
        for chunk in _arriving(response, parts):
            got += len(chunk)
            if got > limit:
                raise FetchError(f"`{shown(parts)}` is longer than {limit} bytes", rule="FET-04")
            now = time.monotonic()
            if now - since >= self._patience.window_s:
                if got - mark < self._patience.least_rate * (now - since):
                    raise _too_slow(parts, f"less than {self._patience.least_rate} bytes a second")
                mark, since = got, now
            if now - started > self._patience.deadline_s:
                raise _too_slow(parts, f"not done in {self._patience.deadline_s:.0f} seconds")
            yield chunk
        if size not in (-1, got):
            why = [f"{got} of {size} bytes arrived"]
            raise FetchError(f"the answer of `{shown(parts)}` is cut off", why=why, rule="FET-04")


def _arriving(response: requests.Response, parts: SplitResult) -> Iterator[bytes]:
    """Yield bytes as soon as some are there, so that a slow sender is noticed."""
    from urllib3.exceptions import HTTPError

    raw = response.raw
    read, size = (raw.read1, CHUNK_BYTES) if hasattr(raw, "read1") else (raw.read, KIB)
    try:
        while chunk := read(size):
            yield chunk
    except (HTTPError, OSError, ValueError) as error:
        raise FetchError(
            f"the transfer of `{shown(parts)}` broke off",
            why=[_cause(error, parts)],
            hint="try again",
            rule="FET-04",
        ) from error


def _host(parts: SplitResult) -> tuple[str | None, int]:
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _announced(response: requests.Response, parts: SplitResult, limit: int) -> int:
    """Return the announced length after checking status and headers; -1 without one."""
    url = shown(parts)
    if response.status_code != 200:
        what = f"`{url}` answered {response.status_code} {response.reason or ''}".rstrip()
        raise FetchError(what, data={"status": response.status_code})
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        why = [f"it answered with the content encoding `{encoding[:40]}`"]
        raise FetchError(f"`{url}` does not send its bytes as they are", why=why, rule="FET-02")
    length = response.headers.get("Content-Length", "")
    if not length:
        return -1
    if not (length.isascii() and length.isdecimal() and len(length) < 19):
        raise FetchError(f"`{url}` announced the length `{length[:40]}`", rule="FET-04")
    if int(length) > limit:
        what = f"`{url}` has {int(length)} bytes, more than {limit}"
        raise FetchError(what, rule="FET-04")
    return int(length)


def ca_bundle(environ: Mapping[str, str]) -> str:
    """Return the file of trusted certificates; empty for requests' own (SPEC FET-05)."""
    named = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
    candidates = (*(environ.get(variable, "") for variable in named), *_BUNDLES)
    return next((path for path in candidates if path and os.path.exists(path)), "")


def shown(url: str | SplitResult) -> str:
    """Return an address without user name and password, for messages and records."""
    parts = _split(url) if isinstance(url, str) else url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is no number
    except ValueError as error:
        raise FetchError(f"`{url[:200]}` is not an address", why=[str(error)]) from error
    return parts


def _joined(parts: SplitResult, location: str) -> SplitResult:
    try:
        return _split(urljoin(parts.geturl(), location))
    except ValueError as error:
        why = [f"it redirects to `{location[:200]}`"]
        raise FetchError(f"`{shown(parts)}` redirects nowhere", why=why) from error


def _local_path(parts: SplitResult, url: str) -> str:
    if not parts.scheme:
        return url
    if parts.netloc not in ("", "localhost"):
        raise FetchError(f"`{url}` names a file of another host")
    return unquote(parts.path)


def _open_file(path: str, limit: int) -> Body:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        file = os.fdopen(fd, "rb", buffering=0)
        status = os.fstat(fd)
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(getattr(error, "strerror", error))) from error
    problem = "" if stat.S_ISREG(status.st_mode) else "it is not a file"
    if status.st_size > limit:
        problem = f"it has {status.st_size} bytes, more than {limit}"
    if problem:
        file.close()
        raise _unreadable(path, problem)
    return Body(status.st_size, _file_chunks(file, path, limit), file.close)


def _file_chunks(file: Any, path: str, limit: int) -> Iterator[bytes]:
    got = 0
    try:
        while chunk := file.read(CHUNK_BYTES):
            got += len(chunk)
            if got > limit:
                raise _unreadable(path, f"it has grown beyond {limit} bytes")
            yield chunk
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from error


def _unreadable(path: str, why: str) -> FetchError:
    return FetchError(f"the file `{path}` cannot be read", why=[why])


def _too_slow(parts: SplitResult, why: str) -> FetchError:
    return FetchError(f"`{shown(parts)}` is too slow", why=[why], hint="try again", rule="FET-04")


def _unreachable(parts: SplitResult, error: Exception) -> FetchError:
    return FetchError(
        f"`{shown(parts)}` cannot be reached",
        why=[_cause(error, parts)],
        hint="check the network and its proxy, or use `--offline` with what is here",
    )


def _cause(error: BaseException, parts: SplitResult) -> str:
    """Return what went wrong at the bottom, in one line without credentials."""
    while below := error.__cause__ or error.__context__:
        error = below
    text = f"{type(error).__name__}: {error}".replace(parts.geturl(), shown(parts))
    return " ".join(text.split())[:300]
