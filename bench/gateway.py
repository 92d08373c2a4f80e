"""`python -m bench.gateway [--check]`: what a gateway costs, one JSON line each: start, memory, idle CPU, hand-over.

    gateway-start      from starting the process to the first answer of /health, ms
    gateway-idle       resident memory and CPU of one that nobody has asked for more than its health
    gateway-used       the same after prompts: FastAPI and pydantic are loaded by then
    gateway-handover   a prompt through the gateway beside the same text pasted by tmux's own client, ms more

The agent is the built-in `echo` on a private tmux server. Figures are of this machine in this moment; the budget is in
`must`, and with --check a miss is a failure.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from reconciler.adapters.gateway_local import LocalGateways
from reconciler.ports.gateway import Reply, Running
from reconciler.testing.real_world import RealWorld, until

STARTS, PROMPTS, IDLE_S = 7, 15, 30.0
MUST = {
    "gateway-start": 500.0,
    "gateway-idle-mb": 45.0,
    "gateway-idle-cpu": 0.3,
    "gateway-handover": 50.0,
    "gateway-used-mb": 45.0,
    "gateway-used-cpu": 0.3,
}
FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
---
kind: Instance
metadata: {name: alice}
spec:
  specialistRef: coder
  gateway: {enabled: true, background: true, tui: {stabilityThreshold: 100ms, completionStability: 100ms}}
"""


class Bench:
    """One agent with a gateway, and what is measured at it."""

    def __init__(self, world: RealWorld) -> None:
        self.world = world
        world.given(FLEET)
        world.until_ready()
        self.root = world.rows["Instance/alice"].live["session_manifest"].rpartition("/")[0]
        self.gateways = LocalGateways((sys.executable, "-m", "reconciler.servers.gateway"))
        self.missed = False

    def line(self, name: str, value: float, unit: str, **more: object) -> None:
        must = MUST.get(name)
        self.missed = self.missed or (must is not None and value > must)
        print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, "must": must, **more}), flush=True)

    def running(self) -> Running:
        found = self.gateways.seen([self.root])[self.root]
        assert isinstance(found, Running), found
        return found

    def stopped(self) -> None:
        run = self.running()
        os.kill(run.pid, 15)
        until(lambda: not isinstance(self.gateways.seen([self.root])[self.root], Running), "it does not end")
        try:
            os.waitpid(run.pid, 0)
        except ChildProcessError:
            pass

    def start(self) -> None:
        """Start it again and again."""
        taken: list[float] = []
        floors: list[float] = []
        for _ in range(STARTS):
            self.stopped()
            began = time.perf_counter()
            subprocess.run((sys.executable, "-c", "pass"), check=True)
            floors.append((time.perf_counter() - began) * 1000)
            began = time.perf_counter()
            self.gateways.start((*self.gateways.program, "--root", self.root), self.root)
            while not isinstance(self.gateways.seen([self.root])[self.root], Running):
                assert time.perf_counter() - began < 60
                time.sleep(0.002)
            taken.append((time.perf_counter() - began) * 1000)
        self.line(
            "gateway-start",
            statistics.median(taken),
            "ms",
            min=round(min(taken), 1),
            max=round(max(taken), 1),
            bare_start=round(statistics.median(floors), 1),
        )

    def idle(self, name: str) -> None:
        """Nothing is asked of it for a while; what its children used is its own."""
        pid = self.running().pid
        time.sleep(20.0)  # until it looks as seldom as it ever will
        before, began = _ticks(pid), time.monotonic()
        time.sleep(IDLE_S)
        used = (_ticks(pid) - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began) * 100
        resident = next(
            int(line.split()[1]) / 1024
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
        self.line(f"{name}-mb", resident, "MB")
        self.line(f"{name}-cpu", used, "% of a core")

    def handover(self) -> None:
        """The same text by hand and through the gateway, in turn, each when the agent is ready."""
        token = (Path(self.root) / "gateway/token").read_text().strip()
        run = self.running()
        raw: list[float] = []
        ours: list[float] = []
        for number in range(PROMPTS + 1):
            self._ready(token, run)
            raw_ms = self._raw(f"raw {number}")
            self._ready(token, run)
            began = time.perf_counter()
            reply = self.gateways.call(
                (run.host, run.port), "POST", "/v1/control/prompt", {"prompt": f"gateway {number}"}, token=token
            )
            took = (time.perf_counter() - began) * 1000
            assert isinstance(reply, Reply), reply
            assert reply.status == 200, reply
            if number:  # the first one loads what the others use
                raw.append(raw_ms)
                ours.append(took)
        over = [mine - theirs for mine, theirs in zip(ours, raw, strict=True)]
        self.line(
            "gateway-handover",
            statistics.median(over),
            "ms more",
            raw_ms=round(statistics.median(raw), 1),
            gateway_ms=round(statistics.median(ours), 1),
            max=round(max(over), 1),
        )

    def _ready(self, token: str, run: Running) -> None:
        def ready() -> bool:
            reply = self.gateways.call((run.host, run.port), "GET", "/v1/control/tui/state", token=token)
            if not isinstance(reply, Reply) or reply.status != 200:
                return False
            state = json.loads(reply.body)
            return bool(state["turn"]["phase"] == "ready" and state["stability"]["stable"])

        until(ready, "the agent does not become ready", 60)

    def _raw(self, text: str) -> float:
        pane = self.world.session_of("alice").pane_id
        words = ("tmux", "-S", str(self.world.tmux_socket), "load-buffer", "-b", "bench", "-", ";")
        paste = ("paste-buffer", "-p", "-d", "-b", "bench", "-t", pane, ";", "send-keys", "-t", pane, "Enter")
        began = time.perf_counter()
        subprocess.run((*words, *paste), input=text.encode(), check=True)
        return (time.perf_counter() - began) * 1000


def _ticks(pid: int) -> int:
    """CPU time of a process and the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])


def main(words: list[str]) -> int:
    """0, or 1 where --check finds a miss."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where the budget is missed")
    asked = parser.parse_args(words)
    if shutil.which("tmux") is None:
        print("bench: tmux is not on PATH, and nothing can be measured without it", file=sys.stderr)
        return 1
    with RealWorld() as world:
        bench = Bench(world)
        bench.start()
        bench.idle("gateway-idle")
        bench.handover()
        bench.idle("gateway-used")
    return 1 if asked.check and bench.missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
