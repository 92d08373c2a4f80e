"""`python -m bench [--quick] [--check] [NAME…]`: measure, print a JSON line each, then a table.

NAME, or the variable BENCH, chooses benchmarks: a part of the name, `name/n`, or `/n`. `--check` makes the exit code 1
when a budget's must column is missed, and `--against FILE` when a ratio is more than a tenth above the one that
`--save FILE` stored; a benchmark that could not be run is always a failure.
"""

import argparse
import json
import math
import os
import platform
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Callable

from bench.cases import LARGEST, Case, Fleets, cases
from bench.measure import Pairs, Sample, Wrong, cpu, run, spread, wall
from bench.simulated import LIMIT

PAIRS = 7
QUICK = 3
MEMORY_MB = 120
EXPONENT = 1.1
GROWTH = (5.0, 2.0)
"""From 100 to 1,000 agents: must, want."""
WORSE = 0.1
SERIES = ("plan-unchanged", "plan-parsed", "list", "list-json")

Line = dict[str, object]


def main(words: list[str]) -> int:
    """Run what is asked for; 0, or 1 where something failed or, with --check, missed its budget."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="part of a name, name/n or /n; the default is everything"
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} pairs instead of {PAIRS}")
    parser.add_argument("--check", action="store_true", help="fail where a must is missed")
    parser.add_argument("--save", metavar="FILE", help="store the median ratios, to compare a later run with")
    parser.add_argument(
        "--against", metavar="FILE", help="fail where a ratio is a tenth worse than the one stored there"
    )
    asked = parser.parse_args(words)
    wanted = asked.names or os.environ.get("BENCH", "").split()
    if shutil.which("tmux") is None:
        print("bench: tmux is not on PATH, and nothing can be measured without it", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # fleets are taken down on the way out
    bench = Bench(QUICK if asked.quick else PAIRS)
    chosen = [case for case in cases() if not wanted or any(chosen_by(part, case) for part in wanted)]
    if not chosen:
        print(f"bench: nothing is called {' '.join(wanted)}", file=sys.stderr)
        return 1
    try:
        for case in chosen:
            bench.take(case)
    finally:
        bench.fleets.close()
    bench.derive()
    table(bench.lines)
    missed = [line for line in bench.lines if not line["met"]]
    worse = regressions(bench.lines, asked.against) if asked.against else []
    for text in worse:
        print(f"worse than before: {text}", file=sys.stderr)
    if asked.save:
        with open(asked.save, "w") as stream:
            json.dump(medians(bench.lines), stream, indent=1, sort_keys=True)
            stream.write("\n")
    return 1 if bench.failed or worse or (asked.check and missed) else 0


def chosen_by(part: str, case: Case) -> bool:
    """`list` is every size of `list` and `list-json`, `list/100` that one, `/100` all of that size."""
    name, slash, n = part.partition("/")
    return (name == case.name if slash and name else name in case.name) and (not slash or n == str(case.n))


class Bench:
    """One run: lines in the order they were made."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.fleets = Fleets()
        self.lines: list[Line] = []
        self.measured: dict[tuple[str, int], Pairs] = {}
        self.failed = False
        self.versions = versions()
        self.start_s = bare_start()

    def take(self, case: Case) -> None:
        """Measure one case and print its line."""
        try:
            found = case.measure(self.fleets, self.count)
        except Wrong as wrong:
            self.failed = True
            print(f"bench: {case.name}/{case.n}: {wrong}", file=sys.stderr)
            return
        self.measured[case.name, case.n] = found
        ratio = found.ratio(wall)
        self._print(
            {
                "name": case.name,
                "n": case.n,
                "pairs": self.count,
                "floor": self._side(found.floor),
                "project": self._side(found.project),
                "ratio": ratio.to_json(),
                "ratio_cpu": found.ratio(cpu).to_json(),
                "must": case.must,
                "want": case.want,
                "met": case.must is None or ratio.median <= case.must,
                "wanted": case.want is None or ratio.median <= case.want,
                "simulated": case.n > LIMIT,
                "versions": self.versions,
            }
        )

    def derive(self) -> None:
        """What follows from several cases: how cost grows, and peak memory."""
        for name in SERIES:
            few, many = self.measured.get((name, 100)), self.measured.get((name, 1000))
            if few and many:
                self._growth(name, few, many)
            if few and (most := self.measured.get((name, LARGEST))):
                self._exponent(name, few, most)
        for name in ("plan-unchanged", "plan-parsed"):
            if found := self.measured.get((name, 1000)):
                self._memory(name, found)

    def _growth(self, name: str, few: Pairs, many: Pairs) -> None:
        """By CPU time, which another program on the machine does not stretch; by wall time beside it."""
        at = {of.__name__: growth(few.project, many.project, of) for of in (cpu, wall)}
        exponent = math.log10(at["cpu"])
        must, want = GROWTH
        self._print(
            {
                "name": f"growth-{name}",
                "n": 1000,
                "ratio": {"cpu": round(at["cpu"], 2), "wall": round(at["wall"], 2)},
                "floor": {"cpu": round(growth(few.floor, many.floor, cpu), 2)},
                "project": {"cpu": round(at["cpu"], 2), "exponent": round(exponent, 2)},
                "must": must,
                "want": want,
                "met": at["cpu"] <= must and exponent <= EXPONENT,
                "wanted": at["cpu"] <= want,
                "simulated": False,
                "versions": self.versions,
            }
        )

    def _exponent(self, name: str, few: Pairs, most: Pairs) -> None:
        """From 100 to the largest: the exponent alone is asked for, by CPU time."""
        times, floor = growth(few.project, most.project, cpu), growth(few.floor, most.floor, cpu)
        exponent = math.log(times, LARGEST / 100)
        self._print(
            {
                "name": f"growth-{name}",
                "n": LARGEST,
                "ratio": {"cpu": round(times, 2), "wall": round(growth(few.project, most.project, wall), 2)},
                "floor": {"cpu": round(floor, 2)},
                "project": {"cpu": round(times, 2), "exponent": round(exponent, 2)},
                "must": None,
                "want": None,
                "met": exponent <= EXPONENT,
                "wanted": exponent <= EXPONENT,
                "simulated": True,
                "versions": self.versions,
            }
        )

    def _memory(self, name: str, found: Pairs) -> None:
        peak = spread([sample.rss_mb for sample in found.project])
        self._print(
            {
                "name": f"memory-{name}",
                "n": 1000,
                "unit": "MB",
                "ratio": None,
                "floor": {"rss_mb": spread([sample.rss_mb for sample in found.floor]).to_json(1)},
                "project": {"rss_mb": peak.to_json(1)},
                "must": MEMORY_MB,
                "want": None,
                "met": peak.max <= MEMORY_MB,
                "wanted": True,
                "simulated": False,
                "versions": self.versions,
            }
        )

    def _side(self, samples: tuple[Sample, ...]) -> Line:
        walls, cpus = [sample.wall_s for sample in samples], [sample.cpu_s for sample in samples]
        return {
            "wall_ms": spread([value * 1000 for value in walls]).to_json(1),
            "cpu_ms": spread([value * 1000 for value in cpus]).to_json(1),
            "starts": round(statistics.median(walls) / self.start_s, 2),
            "rss_mb": round(max(sample.rss_mb for sample in samples), 1),
        }

    def _print(self, line: Line) -> None:
        self.lines.append(line)
        print(json.dumps(line), flush=True)


def medians(lines: list[Line]) -> dict[str, float]:
    """Median ratio by `name/n`, of what has one."""
    found = {f"{line['name']}/{line['n']}": _map(line["ratio"]).get("median") for line in lines}
    return {name: ratio for name, ratio in found.items() if isinstance(ratio, float)}


def regressions(lines: list[Line], path: str) -> list[str]:
    """What costs more than a tenth more than the run stored at `path`, measured against the same floor."""
    with open(path) as stream:
        before = json.load(stream)
    now = medians(lines)
    return [
        f"{name} is {now[name]:g} times its floor, it was {before[name]:g}"
        for name in sorted(now.keys() & before.keys())
        if now[name] > before[name] * (1 + WORSE)
    ]


def growth(few: tuple[Sample, ...], many: tuple[Sample, ...], of: Callable[[Sample], float]) -> float:
    """How many times the median grew from one size to the other."""
    return statistics.median(map(of, many)) / statistics.median(map(of, few))


def bare_start() -> float:
    """Seconds of one bare start of the interpreter: the unit of the budget, for comparing machines only."""
    argv = (sys.executable, "-c", "pass")
    return statistics.median(run(argv, env={}, cwd="/").wall_s for _ in range(PAIRS + 2))


def versions() -> dict[str, str]:
    """What was measured, on what."""
    from reconciler import __version__

    tmux = subprocess.run(("tmux", "-V"), capture_output=True, text=True).stdout.strip()
    return {
        "houmao": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "tmux": tmux.removeprefix("tmux "),
        "system": f"{platform.system()} {platform.release()}",
        "cpus": str(os.cpu_count()),
    }


def table(lines: list[Line]) -> None:
    """The lines again, for people."""
    rows: list[tuple[str, ...]] = [
        ("benchmark", "n", "floor", "project", "ratio", "(min-max)", "cpu", "must", "want", "")
    ]
    rows += [_row(line) for line in lines]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    print(file=sys.stderr)
    for row in rows:
        pairs = list(zip(row, widths, strict=True))
        cells = [cell.ljust(width) if at in (0, 9) else cell.rjust(width) for at, (cell, width) in enumerate(pairs)]
        print("  ".join(cells).rstrip(), file=sys.stderr)


def _row(line: Line) -> tuple[str, ...]:
    floor, project, ratio = _map(line["floor"]), _map(line["project"]), _map(line["ratio"])
    wanted = "met, wanted" if line["wanted"] else "met"
    verdict = "MISSED" if not line["met"] else "" if line["must"] is None else wanted
    limits = (_text(line["must"]), _text(line["want"]), verdict)
    name, n = str(line["name"]), str(line["n"] or "")
    if "rss_mb" in project and "wall_ms" not in project:
        peaks = (f"{_map(side['rss_mb'])['max']} MB" for side in (floor, project))
        return (name, n, *peaks, "", "", "", *limits)
    if "exponent" in project:
        return (name, n, "", f"n^{project['exponent']}", _text(ratio["wall"]), "", _text(ratio["cpu"]), *limits)
    return (
        name,
        n,
        f"{_map(floor['wall_ms'])['median']} ms",
        f"{_map(project['wall_ms'])['median']} ms",
        _text(ratio["median"]),
        f"({ratio['min']}-{ratio['max']})",
        _text(_map(line["ratio_cpu"])["median"]),
        *limits,
    )


def _map(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float | int) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
