"""The gateway of an agent that is launched by hand, written into its declaration: flag over profile over lane.

    easy        a specialist, or a profile over one          on
    low-level   a recipe, or a profile over one              off

A default of the lane is no default of a kind: what it comes to stands in the Instance, where `export` and a plan show
it, and where a later release cannot change it. A manifest that says nothing has no gateway, whatever it is over.
"""

from reconciler.model.json import JsonMap
from reconciler.model.resource import at_path


def decide_gateway(spec: JsonMap, profile: JsonMap | None, *, easy: bool) -> None:
    """Say in the spec of an Instance whether it has a gateway, where nobody said so yet."""
    declared, stored = spec.get("gateway"), at_path(profile or {}, "gateway")
    said = declared if isinstance(declared, dict) else {}
    if "enabled" in said:
        return
    decided = isinstance(stored, dict) and isinstance(stored.get("enabled"), bool)
    # Whoever names its port, or how it looks, wants one.
    if said or (easy and not decided):
        spec["gateway"] = {**said, "enabled": True}
