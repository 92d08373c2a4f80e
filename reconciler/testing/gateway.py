"""Gateways in memory: one lives where the process table has a process that was started for its session root."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.model.json import JsonMap
from reconciler.ports.gateway import (
    DESIRED_FILE,
    FOLDER,
    Down,
    ExecutionMode,
    GatewaySeen,
    NoReply,
    Reply,
    Running,
    Silent,
    order_of,
)
from reconciler.testing.process import FakeProcess

PORT = 42_001
"""The port the kernel of this world chooses."""


class FakeGateways:
    """`ports.gateway.Gateways` over a FakeProcess.

    To be set by a test: `stalled` (roots whose gateways start and never answer), `silent` (root to why nothing can be
    said of it). `replies` answers `call`, by method and path.
    """

    program = ("/fake/python", "-m", "reconciler.servers.gateway")

    def __init__(self, process: FakeProcess) -> None:
        self._process = process
        self.stalled = False
        self.silent: dict[str, str] = {}
        self.replies: dict[tuple[str, str], Reply] = {}
        self.calls: list[tuple[str, str, JsonMap | None]] = []

    def seen(self, roots: Sequence[str]) -> Mapping[str, GatewaySeen]:
        return {root: self._seen(root) for root in roots}

    def _seen(self, root: str) -> GatewaySeen:
        if root in self.silent:
            return Silent(self.silent[root])
        found = self._process.started_for(root)
        if not found:
            return Down("its process is gone")
        if self.stalled:
            return Silent("it does not answer in time")
        order = order_of(json.loads((Path(root) / FOLDER / DESIRED_FILE).read_text()))
        window = ("@9", "1", "%9") if order.mode is ExecutionMode.AUXILIARY else ("", "", "")
        return Running(found[0].pid, found[0].start_ticks, order.host, order.port or PORT, order.mode, 1, "", *window)

    def call(
        self,
        at: tuple[str, int],
        method: str,
        path: str,
        body: JsonMap | None = None,
        *,
        token: str = "",
        headers: Mapping[str, str] = {},
        timeout_s: float = 30.0,
    ) -> Reply | NoReply:
        del at, token, headers, timeout_s
        self.calls.append((method, path, body))
        return self.replies.get((method, path), NoReply("nobody answers here", sent=False))

    def start(self, argv: Sequence[str], root: str) -> int:
        return self._process.spawn(tuple(argv), {}, root)
