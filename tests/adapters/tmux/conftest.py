"""A private tmux server per test, on a socket with a short path; its twin; and either, for the contract suite."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.tmux.driver import FakeTerminal, RealTerminal, Terminal


@pytest.fixture
def real() -> Iterator[RealTerminal]:
    # A socket's path has about a hundred bytes, and pytest's own directories can be longer.
    with tempfile.TemporaryDirectory(prefix="tmux-") as directory:
        terminal = RealTerminal(Path(directory) / "socket")
        try:
            yield terminal
        finally:
            terminal.close()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.tmux)])
def terminal(request: pytest.FixtureRequest) -> Terminal:
    if request.param == "fake":
        return FakeTerminal()
    found: RealTerminal = request.getfixturevalue("real")
    return found
