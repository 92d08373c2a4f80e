"""What every test may use: waiting on a condition, and an honest word about the tiers this machine cannot run."""

import shutil
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import pytest
from hypothesis import HealthCheck, settings

# How long it takes to draw a value says something of the machine, and nothing of what is tested.
settings.register_profile("any-machine", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")

T = TypeVar("T")

# marker -> the program it needs, and what the summary says when the program is missing
NEEDS = {
    "tmux": ("tmux", "tmux is not on PATH: the tmux tier is not run"),
    "providers": ("npm", "npm is not on PATH: the tests with the vendors' own programs are not run"),
}


class WaitUntil(Protocol):
    """Look again until `condition` answers something true, and return it; AssertionError after `within_s` seconds."""

    def __call__(self, condition: Callable[[], T], *, within_s: float = 30.0, what: str = "") -> T: ...


@pytest.fixture(scope="session")
def wait_until() -> WaitUntil:
    def wait(condition: Callable[[], T], *, within_s: float = 30.0, what: str = "") -> T:
        deadline = time.monotonic() + within_s
        while True:
            answer = condition()
            if answer:
                return answer
            if time.monotonic() >= deadline:
                name = what or getattr(condition, "__name__", "condition")
                raise AssertionError(f"{name}: still {answer!r} after {within_s} s")
            time.sleep(0.02)

    return wait


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The long ones first: a worker that begins one last of all keeps the other waiting.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for marker, (program, why) in NEEDS.items():
        if shutil.which(program) is None:
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=why))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for _, why in NEEDS.values():
        count = sum(why in text for text in skipped)
        if count:
            terminalreporter.write_line(f"{why} ({count} tests)", yellow=True)
