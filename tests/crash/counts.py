"""How many faults were played, kind by kind, and how much was wrong: printed at the end of a run of the suite."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.crash.scenarios import Scenario

KEY = "faults"
Record = Callable[[str, object], None]


def counted(record: Record, scenario: Scenario, what: str, runs: int, wrong: list[str]) -> None:
    """Note what one test did; it comes back with its report, whichever process ran it."""
    record(KEY, [scenario.name, what, runs, len(wrong)])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The sum."""
    runs: Counter[str] = Counter()
    scenarios: dict[str, set[str]] = {}
    wrong = 0
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for key, found in getattr(report, "user_properties", ()):
                if key == KEY and report.when == "call":
                    name, what, count, bad = found
                    runs[what] += count
                    scenarios.setdefault(what, set()).add(name)
                    wrong += bad
    if not runs:
        return
    terminalreporter.write_line("")
    for what, count in sorted(runs.items()):
        terminalreporter.write_line(f"{what}: {count} disturbed runs of {len(scenarios[what])} scenarios")
    terminalreporter.write_line(f"{sum(runs.values())} disturbed runs in all, {wrong} violations")
