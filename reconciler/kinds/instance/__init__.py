"""Instance: one desired running agent. Observed in parts, planned by one table, acted on in named steps."""

from reconciler.kinds.instance.handler import handler

__all__ = ["handler"]
