"""The loopback server as pytest fixtures; a folder's conftest imports them by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.loopback.server import LoopbackServer


@pytest.fixture
def loopback() -> Iterator[LoopbackServer]:
    """A server of the test's own, with an empty log."""
    with LoopbackServer() as server:
        yield server


@pytest.fixture(scope="session")
def shared_loopback() -> Iterator[LoopbackServer]:
    """One server for many tests; look at the log from a number on (`since`)."""
    with LoopbackServer() as server:
        yield server
