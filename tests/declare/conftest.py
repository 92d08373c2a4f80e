"""What tests of loading share."""

from pathlib import Path

import pytest

from tests.declare.sources import Directory


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    path = tmp_path / "source"
    path.mkdir()
    return Directory(path)
