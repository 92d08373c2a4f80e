"""A fake world for the catalog that a run needs."""

from reconciler.testing.plugin import fake_world

__all__ = ["fake_world"]
