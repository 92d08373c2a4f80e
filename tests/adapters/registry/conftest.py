"""The suite runs on a real directory and on the fake."""

from pathlib import Path

import pytest

from tests.adapters.registry.world import InMemory, OnDisk, Shelf


@pytest.fixture(params=["disk", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return OnDisk(tmp_path / "registry") if request.param == "disk" else InMemory()
