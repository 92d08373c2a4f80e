"""`Project`: the overlay itself, its defaults and limits."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from reconciler.declare.node import REQUIRED
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.vocabulary import (
    END,
    FilePath,
    Name,
    PromptMode,
    choice,
    number,
    pattern,
    whole,
)
from reconciler.kinds.instance.schema import Drift, Hook, Probe, Retry
from reconciler.model.field import Change, ListKind

RECORD = Change.RECORD
DayTime = Annotated[
    str, pattern(r"^([01][0-9]|2[0-3]):[0-5][0-9]" + END, "a time of day, such as 22:00", 'write it in quotes: "22:00"')
]
Day = Annotated[str, choice("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
Enforcement = Annotated[str, choice("deny", "warn")]


class Defaults(Spec):
    """Values for fields that a document leaves out; a profile's or an instance's own value wins."""

    prompt_mode: PromptMode = field("unattended", change=RECORD, doc="Prompt mode of specialists and recipes.")
    readiness: list[Probe] = field(
        ["process", "prompt"], change=RECORD, list_kind=ListKind.SET, shortest=1, doc="Readiness probes of instances."
    )
    retry: Retry = field({}, change=RECORD, doc="Retries of instances.")
    drift: Drift = field({}, change=RECORD, doc="What drift of an instance leads to.")


class Rate(Spec):
    """A token bucket."""

    per_second: Annotated[float, number(0, 1_000)] = field(
        REQUIRED, change=RECORD, doc="Launches a second, on average."
    )
    burst: Annotated[int, whole(1, 10_000)] = field(1, change=RECORD, doc="Launches at once after a pause.")


class Limits(Spec):
    """Policies over the whole set (R-VAL-4)."""

    enforcement: Enforcement = field("deny", change=RECORD, doc="Whether a broken limit refuses the plan or warns.")
    instances: Annotated[int, whole(0, 100_000)] = field(
        None, change=RECORD, doc="How many instances may be declared, members of sets included."
    )
    replicas: Annotated[int, whole(0, 10_000)] = field(None, change=RECORD, doc="How many members one set may have.")
    launch_concurrency: Annotated[int, whole(1, 1_000)] = field(None, change=RECORD, doc="Launches at the same time.")
    launch_rate: Rate = field(None, change=RECORD, doc="Launches in the course of time.")


class Window(Spec):
    """A time of day on some days of the week, at which agents may or may not be disturbed."""

    name: Name = field(REQUIRED, change=RECORD, doc="What it is called.")
    policy: Annotated[str, choice("allow", "deny")] = field(
        "allow",
        change=RECORD,
        doc="allow: agents are disturbed in windows that allow it alone; deny: never in this one.",
    )
    days: list[Day] = field([], change=RECORD, list_kind=ListKind.SET, doc="Days it begins on; else every day.")
    begin: DayTime = field(REQUIRED, change=RECORD, doc="When it begins, such as 22:00.")
    end: DayTime = field(
        REQUIRED, change=RECORD, doc="When it ends; on the next day where that is not after its begin."
    )
    timezone: Annotated[
        str,
        pattern(
            r"^[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,2}" + END,
            "the name of a time zone, such as Europe/Berlin",
            "write UTC, or Area/City",
        ),
    ] = field("UTC", change=RECORD, doc="Whose clock is meant; a name of the zone database.")


class Hooks(Spec):
    """Commands around a run that does something, and around the life of every agent (R-EXT-2)."""

    pre_apply: list[Hook] = field(
        [],
        change=RECORD,
        list_kind=ListKind.SEQUENCE,
        doc="Before the first action; a failure means that nothing is done.",
    )
    post_apply: list[Hook] = field(
        [],
        change=RECORD,
        list_kind=ListKind.SEQUENCE,
        doc="After the last action, if all of them settled.",
    )
    on_failure: list[Hook] = field(
        [],
        change=RECORD,
        list_kind=ListKind.SEQUENCE,
        doc="After the last action, if any of them did not settle.",
    )
    pre_stop: list[Hook] = field(
        None,
        change=RECORD,
        list_kind=ListKind.SEQUENCE,
        doc="Of every agent: before its running program is ended; a failure means that it is not.",
    )
    post_ready: list[Hook] = field(
        None,
        change=RECORD,
        list_kind=ListKind.SEQUENCE,
        doc="Of every agent: once it is Ready, after each time it was started.",
    )


class ProjectSpec(Spec):
    """Overlay-wide defaults and policies; at most one."""

    refused: ClassVar[Mapping[str, str]] = {
        "policies": "predicates of your own come later; use limits",
        "predicates": "predicates of your own come later; use limits",
    }
    defaults: Defaults = field({}, change=RECORD, doc="Values for fields that documents leave out.")
    limits: Limits = field({}, change=RECORD, doc="Policies over the whole set.")
    prune_policy: Annotated[str, choice("off", "report", "auto")] = field(
        None, change=RECORD, doc="What a watch does about what is no longer declared: report, where nothing is said."
    )
    drift_policy: Annotated[str, choice("heal", "report")] = field(
        None, change=RECORD, doc="What a watch does about drift of definitions: report, where nothing is said."
    )
    windows: list[Window] = field(
        [],
        change=RECORD,
        list_kind=ListKind.KEYED,
        merge_key="name",
        doc="When a watch may disturb running agents, and an apply those that wait for it; else at any time.",
    )
    hooks: Hooks = field({}, change=RECORD, doc="Commands around a run, and around the life of agents.")
    tmux_socket: FilePath = field(
        None, change=RECORD, doc="Name or path of the tmux server's socket; the flag and the environment win."
    )


SCHEMA = Schema("Project", ProjectSpec, doc="The overlay itself: defaults and limits for everything declared with it.")
