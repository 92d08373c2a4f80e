"""Worlds to crash in."""

from reconciler.testing.plugin import fake_world, real_world, world

__all__ = ["fake_world", "real_world", "world"]
