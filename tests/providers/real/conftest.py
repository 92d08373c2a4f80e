"""The loopback model server for the tests in this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loopback.fixtures import loopback, shared_loopback
from tests.loopback.install import bin_dir, cache_prefix, lacking

__all__ = ["loopback", "shared_loopback"]


@pytest.fixture(scope="session")
def installed() -> Path:
    """The folder of the pinned executables; nothing is downloaded here."""
    reason = lacking(cache_prefix())
    if reason is not None:
        pytest.skip(reason)
    return bin_dir(cache_prefix())
