"""`InstanceSet`: a number of like instances from one template (R-MOD-9)."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from reconciler.declare.node import REQUIRED
from reconciler.declare.rules import OnlyWith
from reconciler.declare.schema import Child, Schema, Spec, field
from reconciler.declare.vocabulary import Amount, Duration, Line, choice, whole
from reconciler.kinds.instance.schema import SCHEMA as INSTANCE
from reconciler.kinds.instance.schema import MemberSpec
from reconciler.model.field import Change, ListKind
from reconciler.model.json import JsonMap
from reconciler.model.resource import Resource

BOTH = "an agent has one process at a time in this release; use Rolling, Recreate, Canary or OnIdle"
SURGE = "an agent has one process at a time in this release; maxUnavailable says how many may be down"


class Analysis(Spec):
    """A command that says whether the first members are well."""

    exec: list[Line] = field(
        REQUIRED,
        change=Change.RECORD,
        list_kind=ListKind.SEQUENCE,
        shortest=1,
        doc="Program and arguments, run without a shell in the project directory; status 0 means well.",
    )
    timeout: Duration = field(60_000, change=Change.RECORD, doc="How long it may take; longer means not well.")


class Strategy(Spec):
    """How a change reaches the members that run (R-ROL-1)."""

    refused: ClassVar[Mapping[str, str]] = {"maxSurge": SURGE}
    rules = (OnlyWith(("partition", "pauseAfter", "analysis"), "type", "Canary"),)
    type: Annotated[str, choice("OnIdle", "Rolling", "Recreate", "Canary", refused={"BlueGreen": BOTH})] = field(
        "OnIdle",
        change=Change.RECORD,
        doc="Whoever is idle first; in order; all at once, each ended before any is started; "
        "or the first few, and the others when those are well.",
    )
    max_unavailable: Amount = field(
        "25%", change=Change.RECORD, doc="How many may be not Ready at a time; Recreate does not ask."
    )
    partition: Amount = field(None, change=Change.RECORD, doc="Of a Canary: how many go first, else 1.")
    pause_after: Duration = field(
        None, change=Change.RECORD, doc="Of a Canary: how long the first must have been Ready; else not at all."
    )
    analysis: Analysis = field(
        None, change=Change.RECORD, doc="Of a Canary: a command that must succeed before the others go."
    )
    on_failure: Annotated[str, choice("Stop", "Rollback")] = field(
        "Stop", change=Change.RECORD, doc="Start no more of them, or also go back to the revision before."
    )
    progress_deadline: Duration = field(
        600_000, change=Change.RECORD, doc="Waited so long for one to become Ready, the change has failed."
    )


class InstanceSetSpec(Spec):
    """How many instances, and what each of them is."""

    replicas: Annotated[int, whole(0, 10_000)] = field(
        1, change=Change.RECORD, doc="How many; they are called <name>-0, <name>-1 and so on."
    )
    strategy: Strategy = field(
        None,
        change=Change.RECORD,
        doc="How a change reaches the members; else OnIdle with 25%, which an apply does not make wait for a turn.",
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
