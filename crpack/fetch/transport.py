"""Transport: bytes of an address, over HTTP or from a local file; the one door of `requests`.

Rules (SPEC FET-01 to FET-05, FET-09):
- Bytes come as they are: no content encoding is asked for, and one that is sent is refused.
- A redirect stays on its host or goes to one that is allowed, and never from https to http.
  Credentials are those of the address, stay on its host, and are never shown.
- A transfer has limits: time to connect, time between bytes, a least rate, a deadline for all,
  and bytes. What arrives must be as long as was announced.
- A range may be asked for; what comes is that range, or the whole file, and says so.
- Proxies and certificates come from the environment, as the user's other tools have them.
- Offline, nothing is opened but local files.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import FetchError
from crpack.fetch import addresses
from crpack.fetch.addresses import shown
from crpack.fetch.answers import Answer, Question, judge
from crpack.fetch.body import CHUNK_BYTES, Body, open_file
from crpack.model.limits import KIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from urllib.parse import SplitResult

    import requests

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
    way to the first byte of the body, `deadline_s` for everything; `wait_s` passes before a
    download that broke off is tried again, and doubles.
    """

    connect_s: float = 10.0
    read_s: float = 30.0
    headers_s: float = 120.0
    deadline_s: float = 6 * 3600.0
    least_rate: int = 1 * KIB
    window_s: float = 30.0
    wait_s: float = 1.0


class Transport:
    """Opens addresses. One for a command: connections are kept and used again."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        offline: bool = False,
        patience: Patience = Patience(),
        redirect_hosts: AbstractSet[str] = frozenset(),
    ) -> None:
        """Prepare a transport; nothing is opened and nothing is imported yet.

        Args:
            environ: for the certificates' place; proxies are read by requests itself.
            offline: refuse everything but local files.
            patience: time limits.
            redirect_hosts: other hosts that a redirect may lead to, `name` or `name:port`.
        """
        self.offline = offline
        self.patience = patience
        self._environ = environ
        self._redirect_hosts = frozenset(host.lower() for host in redirect_hosts)
        self._session: requests.Session | None = None

    def open(
        self,
        url: str,
        *,
        limit: int,
        start: int = 0,
        end: int | None = None,
        etag: str = "",
        validator: str = "",
    ) -> Body:
        """Open an address: `http:`, `https:`, `file:`, or the path of a local file.

        Args:
            url: the address.
            limit: refuse to read more bytes than this.
            start: offset of the first byte. A server may ignore it: see the body's `start`.
            end: offset behind the last byte; None for the end of the file.
            etag: of the file as it is known; see the body's `unchanged`.
            validator: strong ETag of the file that the range must be of; of another file, the
                whole is sent.

        Raises:
            FetchError: refused, not reachable, too slow, too long, or offline. `data` has the
                `status` of an answer that is none, `transient` where trying again may help, and
                `unreachable` where nobody answered.
        """
        parts = addresses.split(url)
        if addresses.is_local(parts):
            path = addresses.local_path(parts, url)
            return open_file(path, start=start, end=end, limit=limit)
        started = time.monotonic()
        asked = Question(start, end, etag, validator)
        response, parts = self._answer("GET", parts, asked)
        try:
            answer = _judged(response, parts, asked, limit)
        except FetchError:
            response.close()
            raise
        chunks = self._chunks(response, parts, answer, limit, started)
        return Body(answer, chunks, response.close)

    def admits(self, url: str, base: str) -> bool:
        """Say whether a file that is listed at `base` may be fetched from `url` (SPEC IDX-09).

        Raises:
            FetchError: one of them is no address.
        """
        return addresses.is_near(url, base, self._redirect_hosts)

    def size(self, url: str) -> int:
        """Return the bytes behind an address without fetching them; -1 when it does not say.

        Raises:
            FetchError: refused, not reachable, or offline.
        """
        parts = addresses.split(url)
        if addresses.is_local(parts):
            path = addresses.local_path(parts, url)
            with open_file(path, start=0, end=None, limit=sys.maxsize) as body:
                return body.size
        asked = Question()
        response, parts = self._answer("HEAD", parts, asked)
        response.close()
        return _judged(response, parts, asked, sys.maxsize).size

    def _answer(
        self, method: str, parts: SplitResult, asked: Question
    ) -> tuple[requests.Response, SplitResult]:
        """Return the last response of a chain of redirects, body not read, and its address."""
        if parts.scheme not in ("http", "https"):
            raise FetchError(f"`{shown(parts)}` has a scheme that crpack does not fetch")
        if self.offline:
            raise FetchError(
                f"`{shown(parts)}` is not here, and crpack is offline",
                hint="run once without `--offline`",
            )
        for _ in range(MAX_REDIRECTS + 1):
            response = self._ask(method, parts, asked)
            if response.status_code not in REDIRECTS:
                return response, parts
            location = response.headers.get("Location", "")
            response.close()
            parts = addresses.redirected(parts, location, self._redirect_hosts)
        raise FetchError(f"`{shown(parts)}` redirects more than {MAX_REDIRECTS} times")

    def _ask(self, method: str, parts: SplitResult, asked: Question) -> requests.Response:
        """Send one request; a server that doles out its headers is given up."""
        answers: list[requests.Response] = []
        errors: list[Exception] = []
        given_up = threading.Event()

        def ask() -> None:
            try:
                answers.append(self._request(method, parts, asked))
            except Exception as error:  # noqa: BLE001 - raised again by the caller
                errors.append(error)
            if given_up.is_set() and answers:
                answers[0].close()

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(self.patience.headers_s)
        if errors:
            raise errors[0]
        if not answers:
            given_up.set()
            raise _too_slow(parts, f"no answer in {self.patience.headers_s:.0f} seconds")
        return answers[0]

    def _request(self, method: str, parts: SplitResult, asked: Question) -> requests.Response:
        import requests

        if self._session is None:
            self._session = requests.Session()
            self._session.headers["Accept-Encoding"] = "identity"
            self._session.headers["User-Agent"] = "crpack"
        try:
            return self._session.request(
                method,
                addresses.asked(parts).geturl(),
                headers=asked.headers(),
                auth=_authority(addresses.credentials(parts)),
                stream=True,
                allow_redirects=False,
                timeout=(self.patience.connect_s, self.patience.read_s),
                verify=ca_bundle(self._environ) or True,
            )
        except (requests.RequestException, ValueError, OSError) as error:
            raise _unreachable(parts, error) from error

    def _chunks(
        self,
        response: requests.Response,
        parts: SplitResult,
        answer: Answer,
        limit: int,
        started: float,
    ) -> Iterator[bytes]:
        """Yield the body, held against size, limit, deadline and least rate."""
        got = mark = 0
        most = limit if answer.size < 0 else answer.size
        since = time.monotonic()
        for chunk in () if answer.unchanged else _arriving(response, parts):
            got += len(chunk)
            if got > most:
                raise FetchError(f"`{shown(parts)}` is longer than {most} bytes", rule="FET-04")
            now = time.monotonic()
            if now - since >= self.patience.window_s:
                if got - mark < self.patience.least_rate * (now - since):
                    raise _too_slow(parts, f"less than {self.patience.least_rate} bytes a second")
                mark, since = got, now
            if now - started > self.patience.deadline_s:
                raise _too_slow(parts, f"not done in {self.patience.deadline_s:.0f} seconds")
            yield chunk
        if answer.size not in (-1, got):
            why = f"{got} of {answer.size} bytes arrived"
            raise _broken(f"the answer of `{shown(parts)}` is cut off", why)


def _authority(
    known: tuple[str, str] | None,
) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """Return what signs a request: with these credentials or none, never with `~/.netrc`'s."""
    if known is None:
        return lambda request: request
    from requests.auth import HTTPBasicAuth

    return HTTPBasicAuth(*known)


def _arriving(response: requests.Response, parts: SplitResult) -> Iterator[bytes]:
    """Yield bytes as soon as some are there, so that a slow sender is noticed."""
    from urllib3.exceptions import HTTPError

    raw = response.raw
    read, size = (raw.read1, CHUNK_BYTES) if hasattr(raw, "read1") else (raw.read, KIB)
    try:
        while chunk := read(size):
            yield chunk
    except (HTTPError, OSError, ValueError) as error:
        what = f"the transfer of `{shown(parts)}` broke off"
        raise _broken(what, _cause(error, parts)) from error


def _judged(response: requests.Response, parts: SplitResult, asked: Question, limit: int) -> Answer:
    reason = str(response.reason or "")[:80]
    return judge(
        shown(parts), response.status_code, reason, response.headers, asked=asked, limit=limit
    )


def ca_bundle(environ: Mapping[str, str]) -> str:
    """Return the file of trusted certificates; empty for requests' own (SPEC FET-05)."""
    named = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
    candidates = (*(environ.get(variable, "") for variable in named), *_BUNDLES)
    return next((path for path in candidates if path and os.path.exists(path)), "")


def _too_slow(parts: SplitResult, why: str) -> FetchError:
    return _broken(f"`{shown(parts)}` is too slow", why)


def _broken(what: str, why: str) -> FetchError:
    data = {"transient": True}
    return FetchError(what, why=[why], hint="try again", data=data, rule="FET-04")


def _unreachable(parts: SplitResult, error: Exception) -> FetchError:
    return FetchError(
        f"`{shown(parts)}` cannot be reached",
        why=[_cause(error, parts)],
        hint="check the network and its proxy, or use `--offline` with what is here",
        data={"unreachable": True},
    )


def _cause(error: BaseException, parts: SplitResult) -> str:
    """Return what went wrong at the bottom, in one line without credentials."""
    while below := error.__cause__ or error.__context__:
        error = below
    plain = error.strerror if isinstance(error, OSError) else None  # without its number
    text = plain or f"{type(error).__name__}: {error}"
    text = text.replace(f"?{parts.query}", "") if parts.query else text
    return " ".join(text.split())[:300]
