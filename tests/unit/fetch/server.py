"""A web server on the loopback that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = bytes(range(256)) * 40


class Handler(BaseHTTPRequestHandler):
    """Answers each path in its own way; remembers the headers it was asked with."""

    protocol_version = "HTTP/1.1"
    asked: list[dict[str, str]] = []  # noqa: RUF012 - the class is the server's memory

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer by the path."""
        Handler.asked.append(dict(self.headers))
        getattr(self, self.path.strip("/").split("?")[0].replace("-", "_"), self.missing)()

    def _send(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def good(self) -> None:
        """Send the body as it should be."""
        self._send(200, {"Content-Length": str(len(BODY))}, BODY)

    def chunked(self) -> None:
        """Send the body in pieces of unannounced length."""
        pieces = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (BODY[:100], BODY[100:]))
        self._send(200, {"Transfer-Encoding": "chunked"}, pieces + b"0\r\n\r\n")

    def chunked_cut(self) -> None:
        """Stop in the middle of a piece."""
        self._send(200, {"Transfer-Encoding": "chunked"}, b"%x\r\n%s" % (len(BODY), BODY[:9]))
        self.close_connection = True

    def unannounced(self) -> None:
        """Send the body and close."""
        self._send(200, {"Connection": "close"}, BODY)
        self.close_connection = True

    def cut(self) -> None:
        """Announce more than is sent."""
        self._send(200, {"Content-Length": str(len(BODY) + 5)}, BODY)
        self.close_connection = True

    def bad_length(self) -> None:
        """Announce nonsense."""
        self._send(200, {"Content-Length": "-5"}, BODY)
        self.close_connection = True

    def packed(self) -> None:
        """Compress although nobody asked."""
        packed = gzip.compress(BODY)
        self._send(200, {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}, packed)

    def missing(self) -> None:
        """Have nothing."""
        self._send(404, {"Content-Length": "0"})

    def partial(self) -> None:
        """Send a part that nobody asked for."""
        self._send(206, {"Content-Length": "3"}, b"abc")

    def moved(self) -> None:
        """Point to the same host."""
        self._send(302, {"Location": "/good", "Content-Length": "0"})

    def away(self) -> None:
        """Point to another host."""
        host = self.headers["Host"].replace("127.0.0.1", "localhost")
        self._send(302, {"Location": f"http://{host}/good", "Content-Length": "0"})

    def to_file(self) -> None:
        """Point into the file system."""
        self._send(302, {"Location": "file:///etc/passwd", "Content-Length": "0"})

    def in_circles(self) -> None:
        """Point to itself."""
        self._send(302, {"Location": "/in-circles", "Content-Length": "0"})

    def nowhere(self) -> None:
        """Point nowhere."""
        self._send(302, {"Content-Length": "0"})

    def dripping(self) -> None:
        """Send a byte now and then."""
        self._send(200, {"Content-Length": "1000"})
        with contextlib.suppress(OSError):
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.02)
        self.close_connection = True

    def stalling(self) -> None:
        """Send half and then nothing."""
        self._send(200, {"Content-Length": "1000"}, b"x" * 500)
        time.sleep(1.0)
        self.close_connection = True

    def dripping_headers(self) -> None:
        """Send headers now and then."""
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for at in range(30):
                self.wfile.write(b"X-%d: y\r\n" % at)
                time.sleep(0.02)
        self.close_connection = True


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Serve on a free port; give the address, without a slash at its end."""
    Handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
