"""`python -m bench.watch [N] [SECONDS]`: what a watch of N agents costs while nothing happens, and how soon it acts.

Real sessions and processes of the stub provider. Prints one JSON line per figure: resident memory, CPU share over
SECONDS of idling, the catalog's writes meanwhile, the time from a save to the live session beside a floor that does
nothing else, and the delay from a save and from a kill to the first action.
"""

import json
import os
import select
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.fleet import FLOORS, HOUMAO, Fleet
from bench.measure import Wrong
from reconciler.adapters.inotify import Inotify

TIMES = 10
PAIRS = 7
SESSION = 5.0
"""From a save to the live session, over the floor, in a watch of ten agents: what it must be."""
DEADLINE_S = 60.0
STUB = "#!/bin/sh\n: > {started}/$$\nprintf '> '\nread -r line\n"
"""The program says that it lives: nobody has to ask for it."""


def main(words: list[str]) -> int:
    """Measure; 0, or 1 where the watch did not do what it is measured at."""
    n = int(words[0]) if words else 100
    idle_s = float(words[1]) if len(words) > 1 else 60.0
    with Fleet(n) as fleet:
        os.mkdir(started(fleet))
        with open(fleet.stub, "w") as stream:
            stream.write(STUB.format(started=started(fleet)))
        fleet.bring_up()
        log = f"{fleet.root}/events"
        with open(os.devnull, "wb") as nowhere:
            watch = subprocess.Popen(
                (HOUMAO, "watch", "-f", fleet.source, "--events", log), env=fleet.env, cwd=fleet.project, stdout=nowhere
            )
        try:
            measured(fleet, watch, log, n, idle_s)
        except Wrong as wrong:
            print(f"bench.watch: {wrong}", file=sys.stderr)
            return 1
        finally:
            watch.send_signal(signal.SIGTERM)
            watch.wait(DEADLINE_S)
    return 0


def measured(fleet: Fleet, watch: "subprocess.Popen[bytes]", log: str, n: int, idle_s: float) -> None:
    """All figures of one watch."""
    quiet(log)
    cpu, size = used(watch.pid), os.stat(f"{fleet.project}/.houmao/catalog.sqlite-wal").st_mtime_ns
    time.sleep(idle_s)
    share = 100 * (used(watch.pid) - cpu) / idle_s
    writes = os.stat(f"{fleet.project}/.houmao/catalog.sqlite-wal").st_mtime_ns != size
    said("watch-idle", n, {"cpu_percent": round(share, 3), "rss_mb": memory(watch.pid), "catalog_written": writes})
    sessions(fleet, log, n)
    saves, heals = [], []
    path = f"{fleet.source}/agent-0000.yaml"
    with open(path) as stream:
        text = stream.read()
    for turn in range(TIMES):
        with open(f"{fleet.source}/.new", "w") as stream:
            stream.write(
                text.replace("spec:\n", f"spec:\n  disruption: {{when: Immediate}}\n  reasoning: {turn % 2 + 1}\n")
            )
        saves.append(delay(log, lambda: os.rename(f"{fleet.source}/.new", path)))
    quiet(log)  # the agent that was saved last has its new program
    panes = fleet.tmux("list-panes", "-a", "-f", "#{@houmao_mark}", "-F", "#{pane_pid}").split()
    for pid in panes[-TIMES:]:
        heals.append(delay(log, lambda pid=int(pid): os.kill(pid, signal.SIGKILL)))  # type: ignore[misc]
    said("watch-save-to-action", n, spread(saves))
    said("watch-kill-to-heal", n, spread(heals))
    said("watch-after", n, {"rss_mb": memory(watch.pid)})


def sessions(fleet: Fleet, log: str, n: int) -> None:
    """The same file saved for a floor and for the watch, in turn: how long until its program runs."""
    path = f"{fleet.root}/followed"
    os.mkdir(path)
    words = (sys.executable, f"{FLOORS}/watch.py", path, fleet.socket, fleet.stub)
    with subprocess.Popen(words, env=fleet.env, cwd=fleet.project, stdout=subprocess.PIPE, text=True) as floor:
        try:
            assert floor.stdout is not None
            if floor.stdout.readline() != "ready\n":
                raise Wrong("the floor does not listen")
            theirs, ours = [], []
            for turn in range(PAIRS + 1):
                theirs.append(until_it_lives(fleet, path, turn))
                ours.append(until_it_lives(fleet, fleet.source, turn))
                quiet(log)
        finally:
            floor.kill()
    ratios = [mine / bare for mine, bare in zip(ours[1:], theirs[1:], strict=True)]  # the first pair warms up
    figures = {
        "pairs": PAIRS,
        "floor": spread(theirs[1:]),
        "project": spread(ours[1:]),
        "ratio": {"min": min(ratios), "median": statistics.median(ratios), "max": max(ratios)},
    }
    if n == 10:
        figures |= {"must": SESSION, "met": statistics.median(ratios) <= SESSION}
    figures["ratio"] = {name: round(value, 2) for name, value in figures["ratio"].items()}
    said("watch-save-to-session", n, figures)


def started(fleet: Fleet) -> str:
    """Where each program leaves a file when it begins."""
    return f"{fleet.root}/started"


def until_it_lives(fleet: Fleet, directory: str, turn: int) -> float:
    """Milliseconds from a save by rename to the first breath of the program."""
    ear = Inotify()
    try:
        ear.follow([started(fleet)])
        poll = select.poll()
        poll.register(ear.descriptor, select.POLLIN)
        with open(f"{fleet.root}/saved", "w") as stream:
            stream.write(
                f"apiVersion: houmao/v1alpha1\nkind: Instance\nmetadata: {{name: late-{turn}}}\n"
                "spec: {specialistRef: worker-00}\n"
            )
        at = time.perf_counter()
        os.rename(f"{fleet.root}/saved", f"{directory}/late-{turn}.yaml")
        if not poll.poll(DEADLINE_S * 1000):
            raise Wrong("no program was started")
        return 1000 * (time.perf_counter() - at)
    finally:
        ear.close()


def delay(log: str, act: Callable[[], object]) -> float:
    """Milliseconds from an act to the first action that follows, by the stamps of the events."""
    quiet(log)
    seen = len(events(log))
    at = time.time()
    act()
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        for event in events(log)[seen:]:
            if event["type"] == "action_start":
                from datetime import datetime

                return 1000 * (datetime.fromisoformat(str(event["ts"])).timestamp() - at)
        time.sleep(0.01)
    raise Wrong("nothing followed")


def quiet(log: str) -> None:
    """Wait until the watch has looked and found nothing to do, a little while ago."""
    deadline = time.monotonic() + DEADLINE_S
    before = -1
    while time.monotonic() < deadline:
        found = events(log)
        if found and len(found) == before and found[-1]["type"] in ("observe", "wait"):
            return
        before = len(found)
        time.sleep(1.5)
    raise Wrong("the watch never came to rest")


def events(log: str) -> list[dict[str, Any]]:
    """Every whole line."""
    if not os.path.exists(log):
        return []
    with open(log) as stream:
        return [json.loads(line) for line in stream if line.endswith("\n")]


def used(pid: int) -> float:
    """Seconds of processor, of the process and of the children it waited for."""
    with open(f"/proc/{pid}/stat") as stream:
        fields = stream.read().rpartition(")")[2].split()
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident, in MB."""
    with open(f"/proc/{pid}/status") as stream:
        return round(next(int(line.split()[1]) for line in stream if line.startswith("VmRSS")) / 1024, 1)


def spread(values: list[float]) -> dict[str, float]:
    """Median and the worst: with ten of them, the 95th percentile is that."""
    return {"median_ms": round(statistics.median(values), 1), "p95_ms": round(max(values), 1)}


def said(name: str, n: int, figures: dict[str, Any]) -> None:
    """One line."""
    print(json.dumps({"name": name, "n": n, **figures, "simulated": False}), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
