"""A web server inside the test process, which keeps what it is sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """One request: its path and its body, unpacked."""

    path: str
    body: bytes


@dataclass
class WebServer:
    """`asked` are the requests so far; `url` and `port` are where it listens."""

    port: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def web_server(status: Callable[[list[Asked]], int] = lambda _: 200) -> Iterator[WebServer]:
    """Run a server whose status for a request, the last of those given, is what `status` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            packed = self.headers.get("Content-Encoding") == "gzip"
            seen.asked.append(Asked(self.path, gzip.decompress(body) if packed else body))
            self.send_response(status(list(seen.asked)))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET  # noqa: N815 a name that http.server calls

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        seen = WebServer(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield seen
        finally:
            server.shutdown()
            thread.join()
