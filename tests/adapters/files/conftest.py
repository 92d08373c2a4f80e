"""The suite runs on a real directory and on the fake's."""

from pathlib import Path

import pytest

from tests.adapters.files.world import Disk, Memory, Real


@pytest.fixture(params=["disk", "memory"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    return Real(tmp_path) if request.param == "disk" else Memory()
