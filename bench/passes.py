"""`python -m bench.passes [N] [PASSES]`: does a watch of N agents stay as large as it is?

The whole loop of a watch on the simulated world, its clock running as fast as it can: each pass is a tick of the timer
that plans the fleet in full, which is more than a real one does. Prints one JSON line: resident memory after a tenth of
the passes and after all of them, and the growth in percent. It ends with 1 where that is 5 % or more.
"""

import json
import shutil
import sys
import time

from reconciler.adapters import memory
from reconciler.model.json import JsonMap
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.wakers import Script
from reconciler.testing.watching import watched

LIMIT = 5.0
FLEET = "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: You write code.}\n"
AGENT = "---\nkind: Instance\nmetadata: {name: agent-%04d}\nspec: {specialistRef: coder}\n"


class Passes(Script):
    """Counts the sleeps, and looks how large this process is at two of them."""

    def __init__(self, world: FakeWorld, passes: int) -> None:
        super().__init__(world.clock)
        self._passes = passes
        self.over_at = float("inf")
        self.sizes: list[float] = []

    def stopping(self) -> int | None:
        """Told to stop when all passes were made."""
        if self.waits in (self._passes // 10, self._passes) and len(self.sizes) < 1 + self.waits // self._passes:
            memory.give_back()
            self.sizes.append(resident_mb())
        return 15 if self.waits >= self._passes else None

    def rest(self) -> None:
        """As the real ones do."""
        memory.give_back()


def main(words: list[str]) -> int:
    """Run them all."""
    n, passes = int(words[0]) if words else 10, int(words[1]) if words[1:] else 10000
    world = FakeWorld()
    try:
        world.given(FLEET + "".join(AGENT % number for number in range(n)))
        world.when_applied()
        script = Passes(world, passes)
        looks = 0

        def emit(kind: str, fields: JsonMap) -> None:
            nonlocal looks
            looks += kind == "observe"

        begun = time.monotonic()
        watched(world, lambda ports: script, script.stopping, emit)
        took = time.monotonic() - begun
    finally:
        shutil.rmtree(world.root)
    first, last = script.sizes
    growth = 100 * (last - first) / first
    figures = {"passes": script.waits, "plans": looks, "rss_mb": [first, last], "growth_percent": round(growth, 2)}
    print(json.dumps({"name": "watch-passes", "n": n, **figures, "seconds": round(took, 1), "simulated": True}))
    return 1 if growth >= LIMIT else 0


def resident_mb() -> float:
    """Of this process."""
    with open("/proc/self/status") as stream:
        return round(next(int(line.split()[1]) for line in stream if line.startswith("VmRSS")) / 1024, 2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
