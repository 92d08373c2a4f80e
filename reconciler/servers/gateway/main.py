"""Start, run and end one gateway process.

The socket listens before anything heavy is imported, so a caller that waits for `/health` waits in its queue instead of
being refused. The run file appears when requests can be taken, and goes with the process; what a `kill -9` leaves
behind names a pid and start ticks that no longer live together.
"""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence

from reconciler.app import wiring
from reconciler.app.gateway.served import read_served
from reconciler.app.settings import environment
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import canonical, parse_map
from reconciler.ports.gateway import (
    DESIRED_FILE,
    FOLDER,
    RUN_FILE,
    STATE_FILE,
    TOKEN_FILE,
    ExecutionMode,
    GatewayFault,
    GatewayOrder,
    Running,
    order_of,
)
from reconciler.ports.process import ProcessFacts

BACKLOG = 128


def main(words: Sequence[str]) -> int:
    """The exit code: 0 told to end, 1 could not start, 3 another gateway has this root."""
    parser = argparse.ArgumentParser(prog="houmao gateway", description=__doc__)
    parser.add_argument("--root", required=True, help="session root of the agent")
    asked = parser.parse_args(words)
    os.umask(0o077)
    try:
        return _run(asked.root)
    except ReconcilerError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return 3 if error.code == "gateway.running" else 1


def _run(root: str) -> int:
    files = wiring.local_files()
    folder = f"{root}/{FOLDER}"
    files.make_dir(f"{folder}/run")
    lock = files.lock(f"{folder}/run/lock")
    if not hasattr(lock, "release"):
        raise GatewayFault(f"another gateway runs on {root}", code="gateway.running")
    served = read_served(files, root)
    order = order_of(parse_map(files.read(f"{folder}/{DESIRED_FILE}")))
    listening = _listen(order)
    host, port = order.host, int(listening.getsockname()[1])
    token = _token(folder)
    from reconciler.servers.gateway.serving import Serving

    quiet()
    serving = Serving(served, order, _self(order, host, port), token)
    try:
        files.write(f"{folder}/{DESIRED_FILE}", (canonical(order._replace(port=port).to_json()) + "\n").encode())
        return serving.run(listening)
    finally:
        listening.close()
        _clear(folder)


def _listen(order: GatewayOrder) -> socket.socket:
    """A listening socket on the port asked for; where that is taken, on one that the kernel chooses."""
    for port in dict.fromkeys((order.port, 0) if not order.fixed else (order.port,)):
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((order.host, port))
            made.listen(BACKLOG)
            return made
        except OSError as fault:
            made.close()
            why = fault.strerror
    raise GatewayFault(
        f"{order.host}:{order.port} cannot be listened on: {why}",
        hint="declare another gateway.port, or none",
        code="gateway.port_taken",
    )


def _token(folder: str) -> str:
    """The token of this agent's gateways: made once, kept in a file that only its owner can read."""
    path = f"{folder}/{TOKEN_FILE}"
    files = wiring.local_files()
    if files.stamp(path) is not None:
        found = files.read(path).decode("ascii", "replace").strip()
        if len(found) >= 32 and found.isalnum():
            return found
    made = os.urandom(32).hex()
    files.write(path, f"{made}\n".encode(), mode=0o600)
    return made


def _self(order: GatewayOrder, host: str, port: int) -> Running:
    """This process, as its run file names it."""
    pid = os.getpid()
    facts = wiring.local_process().facts([pid]).get(pid)
    ticks = facts.start_ticks if isinstance(facts, ProcessFacts) else 0
    pane = environment().get("TMUX_PANE", "") if order.mode is ExecutionMode.AUXILIARY else ""
    return Running(pid, ticks, host, port, order.mode, pane_id=pane)


def _clear(folder: str) -> None:
    """Our own run files go with us."""
    files = wiring.local_files()
    for name in (RUN_FILE, STATE_FILE):
        files.remove(f"{folder}/{name}")


def quiet() -> None:
    """A closed terminal ends a gateway in its window as a polite signal does."""
    signal.signal(signal.SIGHUP, lambda number, frame: os.kill(os.getpid(), signal.SIGTERM))
