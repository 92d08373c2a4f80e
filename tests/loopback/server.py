"""A pretended model on 127.0.0.1 that answers three vendors' protocols and remembers what it was asked.

What it answers is decided by the prompt text alone (`grammar`), so tests share no state with it but the log. The
log holds method, path, role texts, tool names, prompt and *names* of headers; query strings and header values never
reach it, since that is where keys travel. A CONNECT, or a request for another host, is refused and logged: point the
proxy variables of a CLI here and the log shows what it would have fetched.

    python -m tests.loopback.server [--port N] [--log FILE]      FILE gets one JSON line per finished request
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TextIO
from urllib.parse import urlsplit

from tests.loopback import grammar
from tests.loopback.grammar import JsonObject, Piece, Refuse, Stall, Wait
from tests.loopback.wires import Frame, Request, Wire, anthropic, google, openai

Entry = JsonObject
"""One logged request: number, method, path, host, headers (names), wire, model, stream, role, tools, prompt,
earlier (prompts), result, wants_json, answer (the verb it got, or why it was refused), status, finished (the whole
answer was written), ended (nothing more will be)."""

LONGEST_BODY = 64 * 1024 * 1024
TICK_S = 0.05


class LoopbackServer:
    """The server, its log and its end. A context manager; `close` ends stalled answers too."""

    def __init__(self, port: int = 0, log_file: TextIO | None = None) -> None:
        self._entries: list[Entry] = []
        self._news = threading.Condition()
        self._log_file = log_file
        self.closing = threading.Event()
        self._http = _Http(("127.0.0.1", port), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(TICK_S,), name="loopback", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, no path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> list[Entry]:
        """A copy of the log so far, oldest first."""
        with self._news:
            return [dict(entry) for entry in self._entries]

    def wait_for(self, predicate: Callable[[Entry], bool], timeout_s: float = 10.0, since: int = 0) -> Entry:
        """The first entry from number `since` on that the predicate accepts; TimeoutError tells what came instead."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while True:
                for entry in self._entries[since:]:
                    if predicate(entry):
                        return dict(entry)
                left = deadline - time.monotonic()
                if left <= 0:
                    came = [f"{e['method']} {e['path']} {e['prompt'][:40]!r} {e['answer']}" for e in self._entries]
                    raise TimeoutError(f"no such request within {timeout_s:g} s; logged: {came[since:] or 'nothing'}")
                self._news.wait(left)

    def wait_for_prompt(self, prompt: str, timeout_s: float = 10.0, since: int = 0) -> Entry:
        """The first completely answered request of the conversation (not a side request) with this prompt."""
        return self.wait_for(
            lambda entry: entry["prompt"] == prompt and entry["finished"] and not entry["wants_json"], timeout_s, since
        )

    def turns(self) -> list[Entry]:
        """Conversation requests: model requests that are no side request, token count or refusal."""
        return [e for e in self.log if e["wire"] and not e["wants_json"] and e["answer"] not in ("count", "refused")]

    def outside(self) -> list[str]:
        """`host` of each request that was meant for another machine, in order."""
        return [entry["host"] for entry in self.log if entry["host"]]

    def note(self, entry: Entry) -> int:
        """Append an entry; returns its number."""
        with self._news:
            entry["number"] = len(self._entries)
            self._entries.append(entry)
            self._news.notify_all()
            return len(self._entries)

    def settle(self, entry: Entry, **fields: object) -> None:
        """Say how the request of a noted entry ended."""
        with self._news:
            entry.update(fields, ended=True)
            self._news.notify_all()
            if self._log_file is not None:
                self._log_file.write(json.dumps(entry) + "\n")
                self._log_file.flush()

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> LoopbackServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _Http(ThreadingHTTPServer):
    owner: LoopbackServer
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up in the middle is ordinary; anything else is a fault of this server and is shown."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Gone(ConnectionError):
    """The client hung up, or the server is closing, before the answer was complete."""


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    server_version = "loopback"
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr: the default line would carry the query string."""

    def _entry(self) -> Entry:
        parts = urlsplit(self.path) if self.command != "CONNECT" else None
        other = self.path if parts is None else parts.netloc
        entry: Entry = {
            "method": self.command,
            "path": parts.path if parts is not None else "",
            "host": "" if other == f"127.0.0.1:{self.server.owner.port}" else other,
            "headers": sorted({name.lower() for name in self.headers}),
            "wire": "",
            "model": "",
            "stream": False,
            "role": [],
            "tools": [],
            "prompt": "",
            "earlier": [],
            "result": None,
            "wants_json": False,
            "answer": "",
            "status": None,
            "finished": False,
            "ended": False,
        }
        return entry

    def _simple(self, status: int, body: JsonObject, answer: str) -> None:
        entry = self._entry() | {"answer": answer, "status": status}
        self.server.owner.note(entry)
        self._json(status, body)
        self.server.owner.settle(entry, finished=True)

    def _json(self, status: int, body: JsonObject) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_CONNECT(self) -> None:
        self.close_connection = True
        self._simple(403, {"error": "this server opens no tunnels"}, "refused")

    def do_GET(self) -> None:
        if urlsplit(self.path).netloc not in ("", f"127.0.0.1:{self.server.owner.port}"):
            self._simple(403, {"error": "this server fetches nothing"}, "refused")
        else:
            self._simple(404, {"error": {"message": "no such page", "type": "not_found_error"}}, "unknown")

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET

    def do_HEAD(self) -> None:
        self._simple(200, {}, "alive")

    def do_POST(self) -> None:
        data = self._body()
        path = urlsplit(self.path)
        wire = _wire(path.path) if path.netloc in ("", f"127.0.0.1:{self.server.owner.port}") else None
        if data is None or wire is None:
            self.do_GET()
            return
        try:
            body = json.loads(data)
            request = wire[1].read(path.path, body)
        except (ValueError, AttributeError, KeyError, TypeError) as fault:
            self._simple(400, wire[1].error(400, f"not a request this server can read: {fault}"), "unreadable")
            return
        self._answer(*wire, request)

    def _body(self) -> bytes | None:
        """The decoded request body; None when it cannot be read."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            data = b"".join(chunks)
        else:
            size = int(self.headers.get("content-length") or 0)
            if size > LONGEST_BODY:
                self.close_connection = True
                return None
            data = self.rfile.read(size)
        coding = self.headers.get("content-encoding", "identity").lower()
        return {"identity": lambda: data, "gzip": lambda: gzip.decompress(data)}.get(coding, lambda: None)()

    def _answer(self, name: str, wire: Wire, request: Request) -> None:
        owner, pieces, verb = self.server.owner, *_scripted(request)
        entry = self._entry() | {
            "wire": name,
            "model": request.model,
            "stream": request.stream,
            "role": [f"{passage.where}: {passage.text}" for passage in request.heard.passages],
            "tools": list(request.tools),
            "prompt": request.heard.prompt,
            "earlier": list(request.heard.earlier),
            "result": request.heard.result,
            "wants_json": request.schema is not None,
            "answer": verb,
        }
        refusal = next((piece for piece in pieces if isinstance(piece, Refuse)), None)
        entry["status"] = status = refusal.status if refusal else 200
        serial = owner.note(entry)
        try:
            if refusal is not None:
                self._json(status, wire.error(status, f"asked for by the prompt: http {status}"))
            elif request.stream:
                self._stream(wire.frames(request, pieces, serial))
            else:
                for piece in pieces:
                    self._patience(piece)
                self._json(200, wire.whole(request, pieces, serial))
        except ConnectionError:
            self.close_connection = True
            owner.settle(entry, finished=False)
            return
        owner.settle(entry, finished=True)

    def _stream(self, frames: Iterator[Frame]) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.send_header("connection", "close")
        self.end_headers()
        for frame in frames:
            if isinstance(frame, bytes):
                self.wfile.write(frame)
            else:
                self._patience(frame)

    def _patience(self, piece: Frame | Piece) -> None:
        """Honour Wait and Stall; _Gone as soon as nobody listens any more."""
        if not isinstance(piece, (Wait, Stall)):
            return
        deadline = time.monotonic() + piece.seconds if isinstance(piece, Wait) else float("inf")
        while (left := deadline - time.monotonic()) > 0:
            if self.server.owner.closing.wait(min(left, TICK_S)) or self._hung_up():
                raise _Gone

    def _hung_up(self) -> bool:
        # poll, not select: a test process may have more than 1,024 descriptors open.
        waiting = select.poll()
        waiting.register(self.connection, select.POLLIN)
        readable = waiting.poll(0)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""


def _wire(path: str) -> tuple[str, Wire] | None:
    if path.endswith(("/v1/messages", "/v1/messages/count_tokens")):
        return "anthropic", anthropic
    if path.endswith("/responses"):
        return "openai", openai
    if path.rpartition(":")[2] in ("streamGenerateContent", "generateContent", "countTokens"):
        return "google", google
    return None


def _scripted(request: Request) -> tuple[tuple[Piece, ...], str]:
    """The pieces of the answer and the verb that chose them."""
    if request.count_only:
        return (), "count"
    if request.schema is not None:
        return (grammar.Say(json.dumps(grammar.filled(request.schema))),), "json"
    return grammar.answer(request.heard), grammar.verb_of(request.heard.prompt)[0]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.loopback.server", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--log", default=None, metavar="FILE", help="append one JSON line per request; no keys in it")
    options = parser.parse_args(argv)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open(options.log, "a", encoding="utf-8")) if options.log else None
        server = stack.enter_context(LoopbackServer(options.port, log))
        print(server.url, flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
