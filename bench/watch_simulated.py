"""`python -m bench.watch_simulated [N] [TIMES]`: how soon a watch of N agents acts, with tmux and processes in memory.

Catalog, files, registry, compile, plan and journal are real; wake-ups come the moment something happened, and a clock
that stands still takes their pauses away. What is left is the work between a wake-up and the first action. Wall and CPU
time in milliseconds, a JSON line each; on a busy machine the second is the one to look at.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

from reconciler.model.json import JsonMap
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.wakers import Script
from reconciler.testing.watching import watched

MUST_MS = {"watch-save-to-action": 500, "watch-kill-to-heal": 1000}


class Timed:
    """What began when, and how long it took until the next action began."""

    def __init__(self) -> None:
        self.taken: dict[str, list[tuple[float, float]]] = {name: [] for name in MUST_MS}
        self._began: tuple[str, float, float] | None = None

    def begins(self, name: str, act: Callable[[], object]) -> Callable[[], None]:
        """The same act, timed from its end."""

        def timed() -> None:
            act()
            self._began = name, time.perf_counter(), time.process_time()

        return timed

    def heard(self, kind: str, fields: JsonMap) -> None:
        """An event of the watch."""
        del fields
        if kind == "action_start" and self._began is not None:
            name, wall, cpu = self._began
            self._began = None
            self.taken[name].append((1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)))


def main(words: list[str]) -> int:
    """Measure; 1 where something did not follow."""
    from reconciler.adapters import memory

    memory.little_garbage()  # as the program has it
    n, times = int(words[0]) if words else 1000, int(words[1]) if len(words) > 1 else 20
    timed = Timed()
    with FakeWorld() as world:
        world.initialised()
        world.given("kind: Specialist\nmetadata: {name: worker}\nspec: {provider: echo, prompt: Work.}", "worker.yaml")
        for number in range(n):
            text = f"kind: Instance\nmetadata: {{name: agent-{number:05}}}\nspec: {{specialistRef: worker}}"
            world.given(text, f"agent-{number:05}.yaml")
        world.when_applied(parallelism=64, timeout_s=3600.0)
        script = Script(world.clock)
        for turn in range(times):
            name = f"agent-{turn % n:05}"
            text = (
                f"kind: Instance\nmetadata: {{name: {name}}}\n"
                f"spec: {{specialistRef: worker, disruption: {{when: Immediate}}, reasoning: {turn % 2 + 1}}}"
            )
            path = str(world.source / f"{name}.yaml")
            saved = timed.begins("watch-save-to-action", lambda text=text, name=name: world.given(text, f"{name}.yaml"))  # type: ignore[misc]
            killed = timed.begins("watch-kill-to-heal", lambda turn=turn: world.kill_process_of(victim(n, turn)))  # type: ignore[misc]
            script.at(100.0 + 200 * turn, saved, Woken(Waker.SOURCE, path, True))
            script.at(200.0 + 200 * turn, killed, Woken(Waker.PROCESS))
        script.over_at = 200.0 + 200 * times
        watched(world, lambda ports: script, script.stopping, timed.heard)
    failed = False
    for name, taken in timed.taken.items():
        failed = failed or len(taken) != times
        said = {"name": name, "n": n, "times": len(taken), "must_ms": MUST_MS[name], "simulated": True}
        for at, kind in enumerate(("wall", "cpu")):
            values = sorted(pair[at] for pair in taken)
            if values:
                p95 = values[min(len(values) - 1, int(0.95 * len(values)))]
                said[kind] = {"median_ms": round(statistics.median(values), 1), "p95_ms": round(p95, 1)}  # type: ignore[assignment]
        print(json.dumps(said), flush=True)
    return 1 if failed else 0


def victim(n: int, turn: int) -> str:
    """Another agent each time, from the end."""
    return f"agent-{n - 1 - turn % n:05}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
