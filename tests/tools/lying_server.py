"""A web server on the loopback that lies: `/LIE/NAME` serves a file in the way that LIE says.

By hand: `python tests/tools/lying_server.py FOLDER [PORT]`, then ask for
`http://127.0.0.1:PORT/cut/some.crpkg`. The lies are the methods of `Handler` below, with `-` for
`_`; `good` is honest: it knows ranges, `If-Range` and `If-None-Match`.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BODY = bytes(range(256)) * 40
BUSY = 2  # answers that `busy` refuses before it serves


class LyingServer(ThreadingHTTPServer):
    """Serves files from memory; remembers what it was asked and how many bytes it sent."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, files: Mapping[str, bytes], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.files = dict(files)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.sent = 0
        self.redirect = ""  # where `told` leads
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing when a client goes away."""

    def forget(self) -> None:
        """Forget what was asked and sent."""
        self.asked.clear()
        self.sent = 0

    def times(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(asked == path for asked, _ in self.asked)


class Handler(BaseHTTPRequestHandler):
    """Answers each path in its own way."""

    protocol_version = "HTTP/1.1"
    site: LyingServer
    data: bytes

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer by the path."""
        self.site = cast("LyingServer", self.server)
        self.site.asked.append((self.path, dict(self.headers)))
        lie, _, name = self.path.strip("/").partition("/")
        self.data = self.site.files.get(name, b"")
        known = name in self.site.files
        lies = getattr(self, lie.replace("-", "_"), None) if known else None
        with contextlib.suppress(OSError):  # the client had enough
            (lies or self.missing)()

    def _send(self, status: int, headers: Mapping[str, object], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self._write(body)

    def _write(self, body: bytes) -> None:
        self.wfile.write(body)
        self.wfile.flush()
        self.site.sent += len(body)

    def _range(self, data: bytes, etag: str) -> tuple[int, int] | None:
        """Return the range that was asked for and may be sent."""
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not found or self.headers.get("If-Range", etag) != etag:
            return None
        return int(found[1]), min(int(found[2] or len(data)) + 1, len(data))

    def _serve(self, data: bytes, *, share: float = 1.0, lie: Mapping[str, object] = {}) -> None:
        """Serve a file or a range of it; `share` of the body arrives, `lie` replaces headers."""
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self._send(304, {"ETag": etag})
            return
        asked = self._range(data, etag)
        first, end = asked or (0, len(data))
        if asked and first >= len(data):
            self.unsatisfiable()
            return
        headers: dict[str, object] = {"ETag": etag, "Content-Length": end - first}
        if asked:
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
        status = 206 if asked else 200
        whole = data[first:end]
        self._send(status, headers | dict(lie), whole[: int(len(whole) * share)])
        self.close_connection = self.close_connection or share < 1

    def good(self) -> None:
        """Serve the file as it should be."""
        self._serve(self.data)

    def told(self) -> None:
        """Redirect to where the test says."""
        self._send(302, {"Location": self.site.redirect, "Content-Length": 0})

    def whole(self) -> None:
        """Send the whole file whatever range is asked for."""
        self._send(200, {"Content-Length": len(self.data)}, self.data)

    def weak(self) -> None:
        """Vouch for the file by a weak ETag."""
        self._serve(self.data, lie={"ETag": 'W/"1"'})

    def chunked(self) -> None:
        """Send the file in pieces of unannounced length."""
        pieces = b"".join(
            b"%x\r\n%s\r\n" % (len(p), p) for p in (self.data[:100], self.data[100:]) if p
        )
        self._send(200, {"Transfer-Encoding": "chunked"}, pieces + b"0\r\n\r\n")

    def chunked_cut(self) -> None:
        """Stop in the middle of a piece."""
        piece = b"%x\r\n%s" % (len(self.data), self.data[:9])
        self._send(200, {"Transfer-Encoding": "chunked"}, piece)
        self.close_connection = True

    def endless(self) -> None:
        """Send pieces without end."""
        self._send(200, {"Transfer-Encoding": "chunked"})
        while True:
            self._write(b"1000\r\n" + bytes(4096) + b"\r\n")

    def unannounced(self) -> None:
        """Send the file and close."""
        self._send(200, {"Connection": "close"}, self.data)
        self.close_connection = True

    def cut(self) -> None:
        """Send three quarters of what is announced."""
        self._serve(self.data, share=0.75)

    def cut_once(self) -> None:
        """Send half of the first answer."""
        self._serve(self.data, share=0.5 if self.site.times(self.path) == 1 else 1)

    def unsteady(self) -> None:
        """Send half of every other answer."""
        self._serve(self.data, share=0.5 if self.site.times(self.path) % 2 else 1)

    def cut_whole(self) -> None:
        """Send half of the first answer, and know no ranges."""
        share = 0.5 if self.site.times(self.path) == 1 else 1
        part = self.data[: int(len(self.data) * share)]
        self._send(200, {"Content-Length": len(self.data)}, part)
        self.close_connection = True

    def silent(self) -> None:
        """Announce the file and close."""
        self._serve(self.data, share=0)

    def long(self) -> None:
        """Send more than is announced."""
        self._serve(self.data)
        self._write(b"more")
        self.close_connection = True

    def long_part(self) -> None:
        """Send more than the range that is announced."""
        first, end = self._range(self.data, "") or (0, 1)
        body = self.data[first:end] + b"more"
        where = f"bytes {first}-{end - 1}/{len(self.data)}"
        headers = {"Transfer-Encoding": "chunked", "Content-Range": where}
        self._send(206, headers, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    def bad_length(self) -> None:
        """Announce nonsense."""
        self._send(200, {"Content-Length": "-5"}, self.data)
        self.close_connection = True

    def packed(self) -> None:
        """Compress although nobody asked."""
        packed = gzip.compress(self.data)
        self._send(200, {"Content-Encoding": "gzip", "Content-Length": len(packed)}, packed)

    def partial(self) -> None:
        """Send a part, asked or not."""
        self._send(206, {"Content-Length": 3, "Content-Range": "bytes 0-2/3"}, b"abc")

    def other_place(self) -> None:
        """Say that the part begins one byte later."""
        self._lying_range(1, 0, 0)

    def other_end(self) -> None:
        """Say that the part ends one byte earlier."""
        self._lying_range(0, -1, 0)

    def other_size(self) -> None:
        """Say that the file is one byte longer."""
        self._lying_range(0, 0, 1)

    def _lying_range(self, first: int, end: int, size: int) -> None:
        asked = self._range(self.data, "") or (0, len(self.data))
        where = f"bytes {asked[0] + first}-{asked[1] - 1 + end}/{len(self.data) + size}"
        self._serve(self.data, lie={"Content-Range": where} if "Range" in self.headers else {})

    def no_size(self) -> None:
        """Do not say how large the file is."""
        self._serve(self.data, lie={"Content-Range": "bytes 0-9/*"})

    def several(self) -> None:
        """Send parts wrapped in a message."""
        lie = {"Content-Type": "multipart/byteranges; boundary=x", "Content-Range": ""}
        self._serve(self.data, lie=lie)

    def unsatisfiable(self) -> None:
        """Have no such range."""
        self._send(416, {"Content-Length": 0, "Content-Range": f"bytes */{len(self.data)}"})

    def never(self) -> None:
        """Serve whole files, and no range of them."""
        if "Range" in self.headers:
            self.unsatisfiable()
        else:
            self._serve(self.data, share=0.5 if self.site.times(self.path) == 1 else 1)

    def flipped(self) -> None:
        """Change one bit of every byte."""
        self._serve(bytes(byte ^ 1 for byte in self.data))

    def other_rest(self) -> None:
        """Send half, and other bytes to who goes on, vouching for them as for the first."""
        etag = '"same"'
        other = bytes(byte ^ 1 for byte in self.data)
        if "Range" in self.headers:
            del self.headers["If-Range"]
            self._serve(other, lie={"ETag": etag})
        else:
            first = self.site.times(self.path) == 1
            self._serve(self.data, share=0.5 if first else 1, lie={"ETag": etag})

    def alternating(self) -> None:
        """Serve a stale and the new file by turns, the first answer cut."""
        times = self.site.times(self.path)
        stale = bytes(len(self.data))
        self._serve(stale if times % 2 else self.data, share=0.5 if times == 1 else 1)

    def busy(self) -> None:
        """Refuse some times, then serve."""
        if self.site.times(self.path) > BUSY:
            self._serve(self.data)
        else:
            self._send(503, {"Content-Length": 0, "Retry-After": 3600})

    def broken(self) -> None:
        """Fail always."""
        self._send(500, {"Content-Length": 0})

    def missing(self) -> None:
        """Have nothing."""
        self._send(404, {"Content-Length": 0})

    def reset(self) -> None:
        """Send half, then reset the connection."""
        self._serve(self.data, share=0.5)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def moved(self) -> None:
        """Point to the same host."""
        self._to(f"/good/{self.path.rpartition('/')[2]}")

    def away(self) -> None:
        """Point to another host."""
        host = self.headers["Host"].replace("127.0.0.1", "localhost")
        self._to(f"http://{host}/good/{self.path.rpartition('/')[2]}")

    def to_file(self) -> None:
        """Point into the file system."""
        self._to("file:///etc/passwd")

    def in_circles(self) -> None:
        """Point to itself."""
        self._to(self.path)

    def nowhere(self) -> None:
        """Point nowhere."""
        self._send(302, {"Content-Length": 0})

    def _to(self, location: str) -> None:
        self._send(302, {"Location": location, "Content-Length": 0})

    def dripping(self) -> None:
        """Send a byte now and then."""
        self._send(200, {"Content-Length": len(self.data)})
        for at in range(100):
            self._write(self.data[at : at + 1])
            time.sleep(0.02)
        self.close_connection = True

    def stalling(self) -> None:
        """Send half and then nothing."""
        self._serve(self.data, share=0.5)
        time.sleep(1.0)

    def dripping_headers(self) -> None:
        """Send headers now and then."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for at in range(30):
            self.wfile.write(b"X-%d: y\r\n" % at)
            time.sleep(0.02)
        self.close_connection = True


@contextlib.contextmanager
def lying(files: Mapping[str, bytes] = {"x": BODY}, port: int = 0) -> Iterator[LyingServer]:
    """Serve files on a free port; give the server."""
    server = LyingServer(files, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main(folder: str, port: str = "0") -> None:
    """Serve the files of a folder until Ctrl-C."""
    files = {}
    for name in os.listdir(folder):
        if os.path.isfile(os.path.join(folder, name)):
            with open(os.path.join(folder, name), "rb") as file:
                files[name] = file.read()
    with lying(files, int(port)) as server, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{server.url}/good/NAME\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
