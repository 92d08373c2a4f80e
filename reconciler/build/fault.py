"""How a build says no: one action fails, others go on; never retried, for equal input fails again."""

from reconciler.model.errors import ActionFailed


def refuse(what: str, message: str, hint: str = "") -> ActionFailed:
    """An error with code `build.<what>`."""
    return ActionFailed(message, hint=hint, code=f"build.{what}")
