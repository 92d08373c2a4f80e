"""A real world for the sample."""

from reconciler.testing.plugin import real_world

__all__ = ["real_world"]
