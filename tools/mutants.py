"""Make the program worse in one way after the other, and see that the tests notice: `python tools/mutants.py [NAME…]`.

For each mutant its killers are run twice, as they are and with the mutant. It is killed when they pass without it and
fail by an assertion with it. Exit 1 when one survives.
"""

import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.mutants.every import MUTANTS
from tests.mutants.kit import Mutant, died


def main(wanted: list[str]) -> int:
    """Run them, print a line each and the counts."""
    unknown = set(wanted) - {mutant.name for mutant in MUTANTS}
    if unknown:
        sys.stderr.write(f"no such mutant: {', '.join(sorted(unknown))}\n")
        return 64
    began, killed, survived = time.monotonic(), 0, []
    for mutant in MUTANTS:
        if wanted and mutant.name not in wanted:
            continue
        wrong = judged(mutant)
        if wrong:
            survived.append(mutant.name)
        else:
            killed += 1
        print(f"{'SURVIVED' if wrong else 'killed  '}  {mutant.name}: {mutant.says}{wrong}", flush=True)
    print(f"{killed} killed, {len(survived)} survived, {time.monotonic() - began:.1f} s")
    return 1 if survived else 0


def judged(mutant: Mutant) -> str:
    """What is wrong with it; empty when each of its killers does its work."""
    wrong = ""
    for killer in mutant.killers:
        if killer.tmux and not shutil.which("tmux"):
            return "\n            tmux is not here, which its killer needs"
        if sober := died(killer):
            wrong += f"\n            {killer.name} fails without it: {sober}"
            continue
        with mutant.on():
            noticed = died(killer)
        wrong += "" if noticed else f"\n            {killer.name} passes with it"
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
