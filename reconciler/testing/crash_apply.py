"""`houmao apply` in a program of its own that kills itself: `python -m reconciler.testing.crash_apply --at POINT …`.

At the n-th passing of the fault point, before or after its write, it sends itself SIGKILL: no handler, no `finally`, no
lock released by hand. Without `--at` it runs to its end and exits as apply would; `--list` prints each point it passes.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from reconciler.app import apply as use_cases
from reconciler.app.request import PlanFlags, RunFlags, Source
from reconciler.model.errors import ReconcilerError
from reconciler.model.ref import Ref
from reconciler.testing.real_world import RealWorld


def main(words: list[str]) -> int:
    """Run it; the exit code is apply's."""
    parser = argparse.ArgumentParser(prog="crash_apply", description=__doc__)
    parser.add_argument("root", type=Path, help="directory of a RealWorld: source, registry, overlay and tmux socket")
    parser.add_argument("--at", default="", metavar="POINT", help="fault point, such as create/Instance:start-session")
    parser.add_argument("--phase", default="after", choices=("before", "after"))
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--prune", action="store_true")
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args(words)
    world = RealWorld(asked.root)
    passed = 0

    def probe(point: str, phase: str, ref: Ref) -> None:
        nonlocal passed
        if asked.list:
            sys.stdout.write(f"{point} {phase} {ref}\n")
        if (point, phase) == (asked.at, asked.phase):
            passed += 1
            if passed == asked.nth:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        report = use_cases.apply(
            world.flags,
            Source((str(world.source),)),
            PlanFlags(prune=asked.prune),
            RunFlags(yes=True, probe=probe),
            confirm=lambda plan: True,
            shown=lambda plan: None,
            emit=lambda kind, fields: None,
        )
    except ReconcilerError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return error.exit_code
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
