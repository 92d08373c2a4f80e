"""Runs command lines in forks of itself, with the program's modules imported beforehand; see `tests.warm`.

A request is a packet of JSON with four descriptors: standard input, output and error, and where the process id and, at
the end, the exit code are written.
"""

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LEFT_OUT = ("reconciler.cli.top", "reconciler.servers", "reconciler.testing", "reconciler.providers.echo.")
"""What no short command imports."""
PARCEL = 1 << 20


def warmed() -> None:
    """Import what commands import."""
    for path in sorted((ROOT / "reconciler").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if not name.startswith(LEFT_OUT) and not name.endswith("__main__"):
            importlib.import_module(name)
    import reconciler.providers.echo  # noqa: F401  # the package, but not the agent in it


def served(line: socket.socket) -> Callable[[], None] | None:
    """Take requests until the other side is gone. In a fork: what it has to do."""
    running: dict[int, int] = {}
    ended, woken = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(ended, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is line:
                    parcel, descriptors, _, _ = socket.recv_fds(line, PARCEL, 4)
                    if not parcel:
                        return None
                    order = json.loads(parcel)
                    pid = os.fork()
                    if pid == 0:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        line.close()
                        for descriptor in (ended, woken, *running.values()):
                            os.close(descriptor)
                        return lambda: become(order, descriptors)
                    for descriptor in descriptors[:3]:
                        os.close(descriptor)
                    running[pid] = descriptors[3]
                    told(descriptors[3], f"{pid}\n")
                else:
                    os.read(ended, 4096)
            for pid in list(running):
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    descriptor = running.pop(pid)
                    told(descriptor, str(os.waitstatus_to_exitcode(status)))
                    os.close(descriptor)


def told(descriptor: int, text: str) -> None:
    """Say it to who waits for it, if somebody still does."""
    try:
        os.write(descriptor, text.encode())
    except BrokenPipeError:
        pass


def become(order: dict[str, Any], descriptors: list[int]) -> None:
    """Be the program that was ordered."""
    gc.enable()
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    kept = {name: os.environ[name] for name in ("LC_CTYPE",) if name in os.environ}
    os.environ.clear()
    os.environ.update({**kept, **order["env"]})
    os.chdir(order["cwd"])
    words = order["words"]
    if words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(words[1], "<string>", "exec"), vars(main))  # noqa: S102  # what `python -c` is
    else:
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    warmed()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as there:
        work = served(there)
    if work is not None:
        work()
