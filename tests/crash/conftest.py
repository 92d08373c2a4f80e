"""Worlds to crash in."""

from collections.abc import Iterator

import pytest

from reconciler.testing.plugin import fake_world, real_world, world
from tests.crash import stage
from tests.crash.counts import pytest_terminal_summary

__all__ = ["fake_world", "pytest_terminal_summary", "real_world", "world"]


@pytest.fixture(scope="package", autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    stage.struck()
