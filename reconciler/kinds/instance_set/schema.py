"""`InstanceSet`: a number of like instances from one template (R-MOD-9)."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from reconciler.declare.node import REQUIRED
from reconciler.declare.schema import Child, Schema, Spec, field
from reconciler.declare.vocabulary import whole
from reconciler.kinds.instance.schema import SCHEMA as INSTANCE
from reconciler.kinds.instance.schema import MemberSpec
from reconciler.model.field import Change
from reconciler.model.json import JsonMap
from reconciler.model.resource import Resource


class InstanceSetSpec(Spec):
    """How many instances, and what each of them is."""

    refused: ClassVar[Mapping[str, str]] = {"strategy": "rollouts come in a later release; leave it out"}
    replicas: Annotated[int, whole(0, 10_000)] = field(
        1, change=Change.RECORD, doc="How many; they are called <name>-0, <name>-1 and so on."
    )
    template: MemberSpec = field(REQUIRED, change=Change.RECORD, doc="What each of them is: the spec of an Instance.")


def members(resource: Resource) -> tuple[Child, ...]:
    """The instances of a set, by ordinal; each with a spec of its own."""
    template, count = resource.spec["template"], resource.spec["replicas"]
    assert isinstance(template, dict)
    assert isinstance(count, int)
    spec: JsonMap = INSTANCE.canonical(template)
    return tuple(
        Child("Instance", f"{resource.ref.name}-{ordinal}", INSTANCE.canonical(spec), (("", "template"),), full=True)
        for ordinal in range(count)
    )


SCHEMA = Schema("InstanceSet", InstanceSetSpec, doc="A number of like instances from one template.", children=members)
