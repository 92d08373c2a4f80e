"""`python -m bench.answers [--check] [--agents N]`: how long a person waits for an answer about a running fleet.

    agents-global-list   every agent of this user, from the registry, ms
    get-instances        the same agents as rows with their health, ms
    state                one agent of them, by name, ms

Each sample is a fresh process; the value is the median of seven. What a budget says in milliseconds is of a machine, so
a bare start of the interpreter stands beside it; with --check a miss is a failure.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys

from bench.fleet import Fleet
from bench.measure import Wrong, run

SAMPLES = 7
ROWS = (
    ("agents-global-list", 200.0, ("agents", "global", "list"), True),
    ("get-instances", 200.0, ("get", "instances"), True),
    ("state", 150.0, ("agents", "single", "--agent-name", "agent-0007", "state", "-o", "json"), False),
)
"""Name, must in ms, the words, and whether every agent is to be in the answer."""


def main(words: list[str]) -> int:
    """0; 1 where an answer was wrong, or where --check finds a miss."""
    parser = argparse.ArgumentParser(prog="python -m bench.answers", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where the budget is missed")
    parser.add_argument("--agents", type=int, default=1000, metavar="N", help="how many agents run")
    asked = parser.parse_args(words)
    if shutil.which("tmux") is None:
        print("bench: tmux is not on PATH, and nothing can be measured without it", file=sys.stderr)
        return 1
    missed = False
    with Fleet(asked.agents) as fleet:
        fleet.bring_up()
        for name, must, spoken, everyone in ROWS:
            taken = [_taken(fleet, spoken, everyone) for _ in range(SAMPLES + 1)][1:]  # the first warms the caches
            bare = run((sys.executable, "-c", "pass"), env={}, cwd="/").wall_s * 1000
            value = statistics.median(taken)
            missed = missed or value > must
            line = {"name": name, "n": asked.agents, "value": round(value, 1), "unit": "ms", "must": must}
            line |= {"min": round(min(taken), 1), "max": round(max(taken), 1), "bare_start": round(bare, 1)}
            print(json.dumps(line), flush=True)
    return 1 if asked.check and missed else 0


def _taken(fleet: Fleet, words: tuple[str, ...], everyone: bool) -> float:
    """Milliseconds of one answer, which must be one."""
    sample = fleet.houmao(*words)
    found = sample.out.count("agent-0")
    if found < (min(fleet.n, 1000) if everyone else 1):
        raise Wrong(f"{' '.join(words)} names {found} of {fleet.n} agents: {sample.out[-200:]!r}")
    return sample.wall_s * 1000


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Wrong, subprocess.SubprocessError) as wrong:
        print(f"bench: {wrong}", file=sys.stderr)
        sys.exit(1)
