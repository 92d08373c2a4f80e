"""The suite runs on the host's processes, with pidfds and without, and on the fake's."""

from collections.abc import Iterator

import pytest

from tests.adapters.process.world import Fake, Host, Table


@pytest.fixture(params=["pidfd", "signals", "fake"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    if request.param == "fake":
        yield Fake()
        return
    host = Host(pidfds=request.param == "pidfd")
    try:
        yield host
    finally:
        host.close()
