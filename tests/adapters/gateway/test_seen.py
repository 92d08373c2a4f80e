"""Who is taken for a gateway: run file, process and `/health` must agree, and one liar harms nobody else."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters import gateway_local, procfs
from reconciler.adapters.gateway_local import LocalGateways
from reconciler.ports.gateway import Down, ExecutionMode, NoReply, Reply, Running, Silent
from reconciler.ports.process import ProcessFacts

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'


class Server:
    """Answers each connection with the same bytes; None keeps it open and says nothing."""

    def __init__(self, said: bytes | None) -> None:
        self.said = said
        self.heard: list[bytes] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listening.getsockname()[1])
        self.held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self.listening.accept()
            except OSError:
                return
            self.held.append(one)
            if self.said is None:
                continue
            self.heard.append(one.recv(65536))
            one.sendall(self.said)
            one.close()

    def close(self) -> None:
        self.listening.close()
        for one in self.held:
            one.close()


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    made: list[Server] = []
    yield made
    for each in made:
        each.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_local, "HEALTH_S", 0.3)


def ticks(pid: int) -> int:
    found = procfs.facts(pid)
    assert isinstance(found, ProcessFacts)
    return found.start_ticks


def root(folder: Path, name: str, port: int, **changes: object) -> str:
    run = Running(os.getpid(), ticks(os.getpid()), "127.0.0.1", port, ExecutionMode.DETACHED).to_json()
    path = folder / name / "gateway/run/current-instance.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**run, **changes}))
    return str(folder / name)


def gateways() -> LocalGateways:
    return LocalGateways((sys.executable,))


def test_one_that_answers_is_running(tmp_path: Path, servers: list[Server]) -> None:
    servers.append(Server(OK))
    where = root(tmp_path, "a", servers[0].port)

    seen = gateways().seen([where])[where]

    assert isinstance(seen, Running)
    assert (seen.port, seen.pid) == (servers[0].port, os.getpid())
    assert servers[0].heard[0].startswith(b"GET /health HTTP/1.0\r\nHost: 127.0.0.1:")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "said",
    [None, b"", b"garbage", b"HTTP/1.1 500 X\r\n\r\n", b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"status":"ok"}',
     b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n{}", b"\xff" * 100],
)  # fmt: skip
def test_a_process_that_lives_and_does_not_answer_well_is_silent(
    tmp_path: Path, servers: list[Server], said: bytes | None
) -> None:
    servers += [Server(said), Server(OK)]
    odd, fine = root(tmp_path, "odd", servers[0].port), root(tmp_path, "fine", servers[1].port)

    seen = gateways().seen([odd, fine])

    assert isinstance(seen[odd], Silent), seen[odd]
    assert isinstance(seen[fine], Running)


def test_a_process_that_is_gone_is_down_whoever_listens_on_its_port(tmp_path: Path, servers: list[Server]) -> None:
    servers.append(Server(OK))
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = ticks(child.pid)
    where = root(tmp_path, "a", servers[0].port, pid=child.pid, start_ticks=born)
    reused = root(tmp_path, "b", servers[0].port, start_ticks=ticks(os.getpid()) - 1)
    assert isinstance(gateways().seen([where])[where], Running)

    child.kill()
    child.wait()
    if child.stdin is not None:
        child.stdin.close()

    assert isinstance(gateways().seen([where])[where], Down)
    assert isinstance(gateways().seen([reused])[reused], Down), "another process has the pid now"


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 50_000, '{"pid": 1}', '{"pid": true, "port": 80}', "\x00"])
def test_a_run_file_that_is_none_is_nobodys(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gateway/run/current-instance.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)

    assert isinstance(gateways().seen([str(tmp_path)])[str(tmp_path)], Down)


def test_without_a_run_file_there_is_none(tmp_path: Path) -> None:
    assert gateways().seen([str(tmp_path)]) == {str(tmp_path): Down("it has no run file")}
    assert gateways().seen([]) == {}


def test_a_refused_connection_sent_nothing_and_a_broken_one_may_have(servers: list[Server]) -> None:
    servers += [Server(b""), Server(OK)]
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = int(nobody.getsockname()[1])

    refused = gateways().call(("127.0.0.1", port), "POST", "/x", {"a": 1})
    broken = gateways().call(("127.0.0.1", servers[0].port), "POST", "/x", {"a": 1})
    fine = gateways().call(("0.0.0.0", servers[1].port), "POST", "/x", {"a": "é"}, token="t")

    assert isinstance(refused, NoReply)
    assert not refused.sent
    assert isinstance(broken, NoReply)
    assert broken.sent
    assert isinstance(fine, Reply)
    assert b"Authorization: Bearer t\r\n" in servers[1].heard[0]
