"""Machines for the tests of refused input: a fresh one, and one where a fleet is at work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.bad_input.case import INSTANCE, SPECIALIST
from tests.contracts.bad_input.machine import Machine, machine


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Machine]:
    """Nothing was ever applied here."""
    with machine(tmp_path / "fresh") as found:
        yield found


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One agent is at work, declared by `applied.yaml`, beside a session of the user's own."""
    with machine(tmp_path_factory.mktemp("peopled") / "peopled") as found:
        found.declare("applied/applied.yaml", SPECIALIST, INSTANCE)
        found.run("apply", "-f", "applied", "--wait").succeeds()
        found.ask_tmux("new-session", "-d", "-s", "mine", "sleep 1000")
        assert len(found.sessions()) == 2
        yield found
