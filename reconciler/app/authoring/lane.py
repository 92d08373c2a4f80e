"""The gateway of an agent that is launched by hand, written into its declaration: flag over profile over lane.

    easy        a specialist, or a profile over one          on
    low-level   a recipe, or a profile over one              off

A default of the lane is no default of a kind: what it comes to stands in the Instance, where `export` and a plan show
it, and where a later release cannot change it. A manifest that says nothing has no gateway, whatever it is over.
"""

from reconciler.app.authoring.edits import put
from reconciler.model.json import JsonMap
from reconciler.model.resource import at_path


def decide_gateway(spec: JsonMap, profile: JsonMap | None, *, easy: bool) -> None:
    """Say in the spec of an Instance whether it has a gateway, where nobody said so yet."""
    said = at_path(spec, "gateway")
    if isinstance(said, dict) and "enabled" in said:
        return
    if said:
        put(spec, "gateway.enabled", True)  # whoever names its port, or how it looks, wants one
    elif easy and not isinstance(at_path(profile or {}, "gateway.enabled"), bool):
        put(spec, "gateway.enabled", True)
