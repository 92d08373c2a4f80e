"""The loopback model server for the tests in this folder."""

from tests.loopback.fixtures import loopback, shared_loopback

__all__ = ["loopback", "shared_loopback"]
