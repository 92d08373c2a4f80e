"""Half an hour of bad luck on real tmux: `SOAK_MINUTES=30 SOAK_SEED=7 python tools/soak.py`.

A fleet is declared, perhaps watched, and typed at by two shells, while its processes, sessions, records, homes and
files are killed, edited and renamed, its writers are stopped and killed, and its disk is full for seconds. After each
round it is left alone: one apply must bring it to what is declared then, whatever was done before.

Prints a report. Exit 1 unless every round converged, nothing of anybody else's was ended, and no program said what it
may never say.
"""

import os
import sys
import threading
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent))

from reconciler.testing.invariants import check_invariants
from tests.soak.deeds import Deeds, Source
from tests.soak.ground import FOREIGN, Ground

ROUND_S = (8.0, 25.0)
APPLIES = 3
"""So many applies a round may need to converge; how many it did is in the report."""


class Soak:
    """Rounds of bad luck and rest, and what came of them."""

    def __init__(self, seed: str, minutes: float) -> None:
        self.seed = seed
        self.until = time.monotonic() + minutes * 60
        self.ground = Ground()
        self.draw = Random(seed)
        self.source = Source(self.ground)
        self.deeds = Deeds(self.ground, self.source, Random(f"{seed} deeds"))
        self.rounds = self.converged = self.verbs = self.foreign_kills = 0
        self.applies: list[int] = []
        self.took_s: list[float] = []

    def run(self) -> int:
        """Until the time is over; the exit code."""
        began = time.monotonic()
        try:
            while time.monotonic() < self.until:
                self.rounds += 1
                self._bad_luck(self.draw.uniform(*ROUND_S))
                self._rest()
        finally:
            self.ground.close()
        return self._report(time.monotonic() - began)

    def _bad_luck(self, seconds: float) -> None:
        quiet = threading.Event()
        if self.draw.random() < 0.6:
            self.deeds.start_watch()
        shells = [
            threading.Thread(target=self._shell, args=(quiet, Random(f"{self.seed} {self.rounds} {number}")))
            for number in range(2)
        ]
        for shell in shells:
            shell.start()
        over = min(time.monotonic() + seconds, self.until)
        while time.monotonic() < over:
            self.deeds.one(quiet)
            quiet.wait(self.deeds.draw.uniform(0.05, 1.0))
        quiet.set()
        for shell in shells:
            shell.join()

    def _shell(self, quiet: threading.Event, draw: Random) -> None:
        while not quiet.is_set():
            program = self.deeds.verb(draw)
            self.deeds.shell = program
            self.ground.ended(program)
            self.verbs += 1
            quiet.wait(draw.uniform(0.1, 1.5))

    def _rest(self) -> None:
        """Nobody does anything any more: what is declared must come true."""
        began = time.monotonic()
        self.ground.free()
        self.source.repair()
        self.deeds.end_watch()
        self._release()
        wrong: list[str] = []
        for count in range(1, APPLIES + 1):
            self.ground.ended(
                self.ground.start("apply", "--yes", "--prune", "--prune-limit", "99", "--wait", "--timeout", "120s",
                                  "--allow-kind-removal", "Instance", source=True)
            )  # fmt: skip
            wrong = self._wrong()
            if not wrong:
                self.converged += 1
                self.applies.append(count)
                self.took_s.append(time.monotonic() - began)
                break
        for line in wrong:
            self.ground.findings.append(f"round {self.rounds}: {line}")
        killed = self.ground.killed()
        self.foreign_kills += len(killed)
        for name in killed:
            self.ground.findings.append(f"round {self.rounds}: the session {name!r} of somebody else was ended")
            if name not in self.ground.foreign():
                self.ground.world.foreign_session(name)
        self.ground.theirs = self.ground.foreign()
        state = f"{len(wrong)} findings: {wrong[0]}" if wrong else f"converged after {self.applies[-1]} apply"
        print(f"round {self.rounds}: {state}", flush=True)

    def _release(self) -> None:
        """Whatever was held by hand goes back to what is declared."""
        reader = self.ground.world.look()
        if not reader.catalog.present():
            return
        names = {row.uid: str(row.ref) for row in reader.catalog.inventory()}
        held = {names[one.uid] for one in reader.catalog.overrides() if one.uid in names}
        held |= {str(one.ref) for one in reader.catalog.absences()}
        if held:
            self.ground.ended(self.ground.start("release", *sorted(held), "--yes"))

    def _wrong(self) -> list[str]:
        """What is not as declared."""
        world = self.ground.world
        plan = world.when_planned(prune=True, prune_limit=99, allow_kind_removal=("Instance",))
        wrong = [f"the plan is not empty: {line}" for line in plan.lines]
        if world.running != self.source.expected:
            wrong.append(f"{sorted(world.running)} run, {sorted(self.source.expected)} are declared")
        wrong += check_invariants(world, foreign=frozenset(FOREIGN))
        for name in sorted(world.running):
            if (count := len(world.processes_of(name))) != 1:
                wrong.append(f"{count} processes are {name}'s")
        return wrong

    def _report(self, seconds: float) -> int:
        codes: dict[str, list[str]] = {}
        for (verb, code, told), count in sorted(self.ground.codes.items()):
            codes.setdefault(verb, []).append(f"{count} times {code}{f' ({told})' if told else ''}")
        share = 100 * self.converged / self.rounds if self.rounds else 100.0
        disk = (
            "a small one, filled" if self.ground.small_disk else "a quota on applies, for nothing could be mounted here"
        )
        print(f"\nseed {self.seed}, {seconds / 60:.1f} minutes, disk: {disk}")
        print(
            f"convergence {share:.0f} % ({self.converged} of {self.rounds} rounds), foreign kills {self.foreign_kills}"
        )
        if self.applies:
            print(f"applies per round: {max(self.applies)} at most; rest took {max(self.took_s):.1f} s at most")
        print(f"{self.verbs} verbs typed, {sum(self.deeds.done.values())} deeds:")
        for name, count in sorted(self.deeds.done.items()):
            print(f"  {count:4}  {name.replace('_', ' ')}")
        print("exit codes:")
        for verb, lines in codes.items():
            print(f"  {verb}: {', '.join(lines)}")
        for finding in self.ground.findings:
            print(f"FINDING {finding}")
        return 1 if self.ground.findings or self.converged < self.rounds or self.foreign_kills else 0


def main() -> int:
    """Seed and length come from the environment; both are printed."""
    seed = os.environ.get("SOAK_SEED") or str(time.time_ns() % 1_000_000)
    minutes = float(os.environ.get("SOAK_MINUTES") or 30)
    print(f"soak of {minutes:g} minutes, SOAK_SEED={seed}", flush=True)
    return Soak(seed, minutes).run()


if __name__ == "__main__":
    sys.exit(main())
