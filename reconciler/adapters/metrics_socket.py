"""A socket that answers `GET /metrics` with text: a path that only this user can open, or a port of this host alone.

Whoever can read it learns what is counted and nothing else; it takes no orders.
"""

import os
import socket
import stat
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer, ThreadingTCPServer, ThreadingUnixStreamServer
from threading import Thread

from reconciler.model.errors import UsageFault

LOOPBACK = ("127.0.0.1", "localhost")
TYPE = "text/plain; version=0.0.4; charset=utf-8"
SLOWEST_S = 5.0


class MetricsSocket:
    """Answers until it is closed; raises UsageFault where it cannot listen."""

    def __init__(self, where: str, text: Callable[[], str]) -> None:
        self._path: str | None = None
        handler = _handler(text)
        try:
            if where.startswith("unix:"):
                self._path = where.removeprefix("unix:")
                self._server: BaseServer = _unix(self._path, handler)
                self.address = where
            else:
                host, _, port = where.rpartition(":")
                if host not in LOOPBACK or not port.isdecimal() or int(port) > 65_535:
                    raise UsageFault(
                        f"--metrics cannot listen at {where!r}",
                        hint="write a file, unix:PATH, or 127.0.0.1:PORT; other addresses are not listened on",
                    )
                server = _Tcp(("127.0.0.1", int(port)), handler)
                self._server = server
                self.address = f"127.0.0.1:{server.server_address[1]}"
        except OSError as error:
            raise UsageFault(
                f"--metrics cannot listen at {where!r}: {error.strerror}", hint="choose another"
            ) from error
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.5}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; a path is removed."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if self._path is not None:
            try:
                os.unlink(self._path)
            except FileNotFoundError:
                pass


class _Tcp(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Unix(ThreadingUnixStreamServer):
    daemon_threads = True


def _unix(path: str, handler: type[BaseHTTPRequestHandler]) -> _Unix:
    """Listen at a path; one that a killed watch left is taken over, one that answers is not."""
    try:
        left = stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        left = False
    if left:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(SLOWEST_S)
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)
    before = os.umask(0o177)
    try:
        return _Unix(path, handler)
    finally:
        os.umask(before)


def _handler(text: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One scrape."""

        timeout = SLOWEST_S
        server_version, sys_version = "houmao", ""

        def do_GET(self) -> None:
            if self.path.partition("?")[0] not in ("/", "/metrics"):
                self.send_error(404)
                return
            data = text().encode()
            self.send_response(200)
            self.send_header("Content-Type", TYPE)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """A scrape is nothing to tell."""

        def address_string(self) -> str:
            """A client at a path has no address."""
            return "local"

    return Handler
