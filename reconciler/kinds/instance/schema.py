"""`Instance`: one desired running agent."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from reconciler.declare.node import REQUIRED
from reconciler.declare.rules import ExactlyOne, GoesWith, NeverWith
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.vocabulary import (
    END,
    AgentId,
    AnyRef,
    AuthRef,
    Duration,
    FilePath,
    Flag,
    Level,
    Line,
    Name,
    Pause,
    Period,
    ProfileRef,
    RecipeRef,
    SessionName,
    SpecialistRef,
    choice,
    pattern,
    whole,
)
from reconciler.model.field import Change, ListKind
from reconciler.ports.gateway import HOSTS

RECORD, LIVE, RELAUNCH = Change.RECORD, Change.LIVE, Change.RELAUNCH
SECTIONS = ("identity", "memo-cue", "houmao-runtime-guidance", "automation-notice", "task-reminder", "mail-ack")

DriftKey = Annotated[
    str,
    pattern(r"^[0-9a-f]{16}" + END, "the key of a difference", "`houmao drift -o json` prints the key of each"),
]
Probe = Annotated[
    str,
    choice(
        "session",
        "process",
        "prompt",
        "gateway",
        refused=dict.fromkeys(("mailbox", "exec"), "use session, process, prompt or gateway"),
    ),
]
HeaderPolicy = Annotated[str, choice("inherit", "enabled", "disabled")]
HeaderSection = Annotated[str, choice(*SECTIONS)]
HeaderSwitch = Annotated[str, choice("enabled", "disabled")]


class Resume(Spec):
    """Which conversation a relaunch continues (R-MOD-13)."""

    rules = (GoesWith("id", "mode", "exact"),)
    mode: Annotated[str, choice("tool_last_or_new", "new", "exact")] = field(
        "tool_last_or_new", change=RECORD, doc="The last one or else a new one, a new one, or the one with the id."
    )
    id: Line = field(None, change=RECORD, doc="The conversation, where mode is exact.")


class HeadlessDisplay(Spec):
    """How the turns of a headless agent are shown in its pane."""

    style: Annotated[str, choice("plain", "json", "fancy")] = field(
        "plain", change=RELAUNCH, doc="Text, a JSON object for each event, or text in colour."
    )
    detail: Annotated[str, choice("concise", "detail")] = field(
        "concise", change=RELAUNCH, doc="What it says and how each turn ends, or every event."
    )


class GatewayTimings(Spec):
    """How a gateway follows the agent's screen."""

    watch_poll_interval: Pause = field(None, change=LIVE, doc="Between two looks while something happens; else 500ms.")
    stability_threshold: Pause = field(None, change=LIVE, doc="Unchanged that long, a screen is stable; else 1s.")
    completion_stability: Pause = field(None, change=LIVE, doc="At rest that long, a turn is over; else 1s.")
    unknown_to_stalled_timeout: Pause = field(
        None, change=LIVE, doc="Unreadable that long, an agent is stalled; else 30s."
    )
    stale_active_recovery: Pause = field(
        None, change=LIVE, doc="A prompt that nothing answers is let go after this; else 5s."
    )
    final_stable_active_recovery: Pause = field(
        None, change=LIVE, doc="A busy sign that stands still is not believed after this; else 20s."
    )


class Gateway(Spec):
    """The agent's gateway: a process beside it that queues and delivers what is asked of it."""

    refused: ClassVar[Mapping[str, str]] = {"mailNotifierAppendix": "the mail notifier comes in a later release"}
    enabled: Flag = field(None, change=LIVE, doc="Whether it has one; else as the profile says, else false.")
    host: Annotated[str, choice(*HOSTS)] = field(
        None, change=LIVE, doc="The address it listens on; else the profile's, else 127.0.0.1."
    )
    port: Annotated[int, whole(1, 65_535)] = field(None, change=LIVE, doc="Its port; else one that is free.")
    background: Flag = field(
        None, change=LIVE, doc="In a process of its own; else in a window of the session, with which it ends."
    )
    tui: GatewayTimings = field({}, change=LIVE, doc="How it follows the agent's screen.")


class Lifecycle(Spec):
    """Protection that outlives the manifest's text (R-OWN-6)."""

    retain: Duration = field(
        None, change=RECORD, doc="How long it can be brought back once it was removed; else seven days."
    )
    prevent_destroy: Flag = field(False, change=RECORD, doc="Refuse whatever would remove it.")
    ignore_changes: list[Line] = field(
        [], change=RECORD, list_kind=ListKind.SET, doc="Paths below spec whose changes are never acted on."
    )


class Drift(Spec):
    """What drift leads to (R-DRF-1)."""

    policy: Annotated[str, choice("heal", "report", "ignore")] = field(
        "heal",
        change=RECORD,
        doc="Repair it; let a watch only report it, and an apply repair it; or leave it alone.",
    )
    ignore: list[Line] = field(
        [], change=RECORD, list_kind=ListKind.SET, doc="Paths below spec whose drift is left alone."
    )
    resync: Period = field(
        None, change=RECORD, doc="How soon a watch looks at it again though nothing happened; else with all others."
    )
    interval: Period = field(None, change=RECORD, doc="The shortest time between two repairs by a watch; else none.")
    window: Period = field(
        None, change=RECORD, doc="The time within which more than three repairs are a fight; else 10m."
    )
    baseline: list[DriftKey] = field(
        [],
        change=RECORD,
        list_kind=ListKind.SET,
        doc="Known drift, by its keys in `houmao drift -o json`: a watch leaves it, and it is no alarm.",
    )


class Retry(Spec):
    """Retries of failed actions (R-RET-3)."""

    limit: Annotated[int, whole(-1, 1_000)] = field(5, change=RECORD, doc="How often; 0 never, -1 without end.")
    base: Duration = field(1_000, change=RECORD, doc="The first delay.")
    max: Duration = field(300_000, change=RECORD, doc="The longest delay.")
    timeout: Duration = field(None, change=RECORD, doc="How long in all.")


class Dependency(Spec):
    """Something that must hold before this instance is started."""

    ref: AnyRef = field(REQUIRED, change=RECORD, ref="*", doc="Kind/name.")
    condition: Annotated[str, choice("Applied", "Ready", refused={"Healthy": "write Ready"})] = field(
        None, change=RECORD, doc="What must hold of it; Ready for instances and sets, Applied for the others."
    )
    timeout: Duration = field(None, change=RECORD, doc="How long to wait for it.")


class Disruption(Spec):
    """When a running agent may be disturbed: by a watch, and where any of it is declared by an apply too."""

    rules = (NeverWith(("maxWait", "onTimeout"), "when", "Immediate"),)
    when: Annotated[str, choice("Idle", "Immediate", "Window")] = field(
        None,
        change=RECORD,
        doc="Idle: when its turn is over; Immediate: at once; Window: in the windows of the Project. Else Idle.",
    )
    max_wait: Duration = field(None, change=RECORD, doc="How long it is waited for; else 10m.")
    on_timeout: Annotated[str, choice("Defer", "Force")] = field(
        None,
        change=RECORD,
        doc="After that: a watch waits on and an apply leaves it to a later one, or it is disturbed. Else Defer.",
    )


class Hook(Spec):
    """One command, run by whoever applies, in the directory of the project."""

    command: list[Line] = field(
        REQUIRED,
        change=RECORD,
        list_kind=ListKind.SEQUENCE,
        shortest=1,
        doc="Program and arguments; no shell reads them.",
    )
    timeout: Duration = field(60_000, change=RECORD, doc="It is ended after this.")
    on_error: Annotated[str, choice("Fail", "Warn", "Ignore")] = field(
        "Fail", change=RECORD, doc="What its failure means: the run or the action fails, it is said, or nothing."
    )


class AgentHooks(Spec):
    """Commands around the life of an agent (R-EXT-2)."""

    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("preApply", "postApply", "onFailure"), "these are of a whole run: declare them in the Project"
    )
    pre_stop: list[Hook] = field(
        [],
        change=RECORD,
        list_kind=ListKind.SEQUENCE,
        doc="Before its running program is ended; a failure means that it is not.",
    )
    post_ready: list[Hook] = field(
        [], change=RECORD, list_kind=ListKind.SEQUENCE, doc="Once it is Ready, after each time it was started."
    )


class MemberSpec(Spec):
    """What an Instance and the template of an InstanceSet have in common."""

    refused: ClassVar[Mapping[str, str]] = {
        "mailbox": "mailboxes come in a later release; leave it out",
        "placement": "other machines come in a later release; leave it out",
        "strategy": "an InstanceSet has one, beside its template",
        "env": "variables that last belong to the specialist, the recipe or the launch profile",
    }
    rules = (ExactlyOne(("profileRef", "specialistRef", "recipeRef")),)
    profile_ref: ProfileRef = field(
        None, change=RELAUNCH, ref="LaunchProfile", doc="The launch profile it is born from."
    )
    specialist_ref: SpecialistRef = field(None, change=RELAUNCH, ref="Specialist", doc="The specialist it is one of.")
    recipe_ref: RecipeRef = field(None, change=RELAUNCH, ref="Recipe", doc="The recipe it is built by.")
    agent_name: Name = field(None, change=RELAUNCH, doc="Name of the agent; else the profile's, else its own.")
    agent_id: AgentId = field(None, change=Change.REPLACE, doc="Id of the agent; else the profile's, else its uid.")
    session_name: SessionName = field(
        None, change=RELAUNCH, doc="Name of the tmux session; else made from name and time."
    )
    workdir: FilePath = field(None, change=RELAUNCH, doc="Work directory; relative ones begin at the project.")
    auth_ref: AuthRef = field(None, change=RELAUNCH, ref="AuthProfile", doc="The credential, over all others.")
    model: Line = field(None, change=RELAUNCH, doc="Model name, over all others.")
    reasoning: Level = field(None, change=RELAUNCH, doc="Reasoning level, over all others.")
    headless: Flag = field(
        None, change=RELAUNCH, doc="Without a terminal program; else as the profile says, else false."
    )
    headless_display: HeadlessDisplay = field(
        None, change=RELAUNCH, doc="How the pane of a headless agent shows its turns; without it none are shown there."
    )
    managed_header: HeaderPolicy = field("inherit", change=RELAUNCH, doc="Whether the prompt gets the managed header.")
    managed_header_sections: dict[HeaderSection, HeaderSwitch] = field(
        {}, change=RELAUNCH, doc="Single sections of the managed header."
    )
    state: Annotated[str, choice("Running", "Stopped")] = field("Running", change=LIVE, doc="Whether it shall run.")
    resume: Resume = field(
        None, change=RECORD, doc="Which conversation a relaunch continues; else as the profile says."
    )
    readiness: list[Probe] = field(
        ["process", "prompt"],
        change=RECORD,
        list_kind=ListKind.SET,
        shortest=1,
        doc="What must hold for it to be Ready.",
    )
    depends_on: list[Dependency] = field(
        [], change=RECORD, list_kind=ListKind.KEYED, merge_key="ref", doc="What must hold before it is started."
    )
    gateway: Gateway = field({}, change=LIVE, doc="Its gateway.")
    disruption: Disruption = field({}, change=RECORD, doc="When it may be disturbed.")
    hooks: AgentHooks = field(None, change=RECORD, doc="Commands around its life.")
    drift: Drift = field({}, change=RECORD, doc="What drift leads to.")
    retry: Retry = field({}, change=RECORD, doc="Retries of failed actions.")
    lifecycle: Lifecycle = field({}, change=RECORD, doc="Protection that outlives the manifest's text.")


class InstanceSpec(MemberSpec):
    """One desired running agent."""


SCHEMA = Schema("Instance", InstanceSpec, doc="One desired running agent, in one tmux session.")
