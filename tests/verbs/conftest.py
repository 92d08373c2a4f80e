"""Verbs are told to the worlds of the test kit."""

from reconciler.testing.plugin import fake_world, real_world, world

__all__ = ["fake_world", "real_world", "world"]
