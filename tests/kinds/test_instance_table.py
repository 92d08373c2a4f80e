"""The one table that decides about an instance, row by row: what is declared and seen, and the verb that follows."""

from datetime import UTC, datetime

import pytest

from reconciler.engine.handler import Absent, Case, Part, Present, Seen, Unknown
from reconciler.engine.lookup import View
from reconciler.engine.observe import Snapshot
from reconciler.kinds.instance import mark
from reconciler.kinds.instance.health import health_of, reachable
from reconciler.kinds.instance.plan import plan_instance
from reconciler.kinds.instance.resolve import launch_of
from reconciler.kinds.instance.schema import SCHEMA
from reconciler.kinds.specialist.schema import SCHEMA as SPECIALIST
from reconciler.model.action import Code, Reason
from reconciler.model.health import Health
from reconciler.model.json import JsonMap, digest
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Resource
from reconciler.ports.catalog import Intent, InventoryRow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
UID = Uid("0" * 31 + "1")
ALICE = Ref("Instance", "alice")
CODER = Resource(
    Ref("Specialist", "coder"),
    SPECIALIST.canonical({"provider": "echo", "prompt": {"digest": "sha256:p", "size": 1}}),
    "sha256:coder",
)
GONE, THERE = Part(False, {}, "gone"), Part(True, {"digest": "sha256:r"})


def declared(**spec: object) -> Resource:
    canonical = SCHEMA.canonical({"specialistRef": "coder", **spec})  # type: ignore[dict-item]
    return Resource(ALICE, canonical, digest(canonical))


def view() -> View:
    return View({CODER.ref: CODER, ALICE: declared()}, Snapshot({}, {}, {}, {}, 0), {})


LAUNCH = launch_of(declared(), view()).digest


def row(want: Resource, state: str = "running", **live: str) -> InventoryRow:
    found = {"state": state, "record": "sha256:r", "launch_digest": LAUNCH, **live}
    return InventoryRow(
        UID, ALICE, "default", None, "/s", None, want.digest, 1, {}, {}, launch_digest=LAUNCH, live=found
    )


def session(launch: str = LAUNCH) -> Part:
    facts: JsonMap = {"id": "$1", "name": "n", "mark": str(mark.SessionMark(1, launch, "o", 2)), "pane": "%1"}
    return Part(True, facts)


def present(
    session_: Part | None = None, process: Part | None = None, record: Part = THERE, home: Part = THERE, **stamp: object
) -> Present:
    parts = {
        "session": session_ or session(),
        "process": process or Part(True, {"pid": 5, "ticks": 6}),
        "record": record,
        "home": home,
    }
    return Present({}, dict(stamp), parts)  # type: ignore[arg-type]


def case(want: Resource | None, seen: Seen, recorded: InventoryRow | None, **more: object) -> Case:
    made = Case(ALICE, UID if recorded else None, want, recorded, seen, (), None, (), NOW)
    return made._replace(**more)  # type: ignore[arg-type]


ABSENT = Absent("tmux listed 0 panes", {"process": GONE, "session": GONE})
INTENT = Intent("r", UID, ALICE, "create", 1, {}, "")
RUNNING, STOPPED = declared(), declared(state="Stopped")
DELETED = Reason(Code.DELETE_ASKED, "deletion was asked for")

TABLE: dict[str, tuple[Case, list[str]]] = {
    "new": (case(RUNNING, ABSENT, None), ["create New none"]),
    "in sync": (case(RUNNING, present(), row(RUNNING)), []),
    "session gone": (case(RUNNING, ABSENT, row(RUNNING)), ["create SessionMissing none"]),
    "rebooted": (case(RUNNING, Absent("x", {}, {"rebooted": True}), row(RUNNING)), ["create Rebooted none"]),
    "survivor": (case(RUNNING, present(GONE), row(RUNNING)), ["create Survivor restart"]),
    "provider exited": (
        case(RUNNING, present(process=Part(False, {"reason": "ProviderExited"})), row(RUNNING)),
        ["relaunch ProviderExited restart"],
    ),
    "no agent pane": (
        case(RUNNING, present(process=Part(False, {"reason": "MissingPrimary"})), row(RUNNING)),
        ["relaunch SessionMissing restart"],
    ),
    "started from something else": (
        case(RUNNING, present(session("sha256:other")), row(RUNNING)),
        ["relaunch Drifted restart"],
    ),
    "a mark nobody can read": (
        case(RUNNING, present(Part(True, {"id": "$1", "mark": "scribble"})), row(RUNNING)),
        ["relaunch Drifted restart"],
    ),
    "started and not settled": (
        case(RUNNING, present(), None, intent=INTENT),
        ["create Interrupted record"],
    ),
    "begun and not started": (case(RUNNING, ABSENT, None, intent=INTENT), ["create Interrupted none"]),
    "started from another declaration and not settled": (
        case(RUNNING, present(session("sha256:other")), None, intent=INTENT),
        ["relaunch Interrupted restart"],
    ),
    "record missing": (case(RUNNING, present(record=GONE), row(RUNNING)), ["update RecordMissing record"]),
    "record edited": (
        case(RUNNING, present(record=Part(True, {"digest": "sha256:x"})), row(RUNNING)),
        ["update RecordEdited record"],
    ),
    "record unreadable": (
        case(RUNNING, present(record=Part(True, {"corrupt": "half of it"})), row(RUNNING)),
        ["update RecordCorrupt record"],
    ),
    "registry unreadable": (case(RUNNING, present(record=Part(None, {}, "denied")), row(RUNNING)), []),
    "home gone": (case(RUNNING, present(home=GONE), row(RUNNING)), ["relaunch HomeMissing restart"]),
    "to be stopped": (case(STOPPED, present(), row(RUNNING)), ["stop StopDeclared restart"]),
    "stopped": (case(STOPPED, ABSENT, row(STOPPED, "stopped")), []),
    "stopped by itself": (case(STOPPED, ABSENT, row(STOPPED)), ["update AlreadyGone record"]),
    "a survivor of a stopped one": (
        case(STOPPED, present(GONE), row(STOPPED, "stopped")),
        ["stop StopDeclared restart"],
    ),
    "declared stopped from the start": (case(STOPPED, ABSENT, None), ["update New record"]),
    "to be started again": (case(RUNNING, ABSENT, row(RUNNING, "stopped")), ["create StartDeclared none"]),
    "removed while it runs": (
        case(None, present(), row(RUNNING), removal=DELETED),
        ["remove DeleteAsked loses-conversation"],
    ),
    "removed while it does not": (case(None, ABSENT, row(RUNNING), removal=DELETED), ["remove DeleteAsked record"]),
    "resume new": (
        case(declared(resume={"mode": "new"}), present(process=GONE), row(declared(resume={"mode": "new"}))),
        ["relaunch ProviderExited loses-conversation"],
    ),
    "its session name is taken": (
        case(RUNNING, Absent("x", {}, {"session_taken": "work"}), None),
        ["blocked Unmanaged none"],
    ),
    "its specialist is nowhere": (
        case(declared(specialistRef="nobody"), ABSENT, None),
        ["blocked Dependency none"],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_each_row_of_the_table(name: str) -> None:
    this, expected = TABLE[name]

    actions = plan_instance(this, view())

    assert [f"{a.verb} {a.reasons[0].code} {a.disruption}" for a in actions] == expected
    assert tuple(plan_instance(this, view())) == tuple(actions)


def test_unmet_preconditions_hold_a_start_back_and_nothing_else() -> None:
    missing = Reason(Code.BINARY_MISSING, "'codex' is not on PATH")
    absent = ABSENT._replace(unmet=(missing,))

    (action,) = plan_instance(case(RUNNING, absent, None), view())
    assert (action.verb.value, action.held, action.reasons[0]) == ("blocked", "create", missing)

    unmet = present(record=GONE)._replace(unmet=(missing,))
    (update,) = plan_instance(case(RUNNING, unmet, row(RUNNING)), view())
    assert update.verb.value == "update"
    assert plan_instance(case(STOPPED, unmet, row(RUNNING)), view())[0].verb.value == "stop"


def test_a_first_create_leaves_time_and_uid_to_the_intent() -> None:
    (action,) = plan_instance(case(RUNNING, ABSENT, None), view())

    assert action.uid is None
    assert action.post["session_name"] == "HOUMAO-alice-<launch>"
    assert action.post["home_id"] == "echo-brain-<stamp>-<uid>"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (present(), (Health.HEALTHY, "Running")),
        (present(process=Part(False, {"reason": "ProviderExited"})), (Health.DEGRADED, "ProviderExited")),
        (present(process=Part(False, {"reason": "MissingPrimary"})), (Health.DEGRADED, "MissingPrimary")),
        (present(process=Part(False, {"reason": "StaleHandles"})), (Health.DEGRADED, "StaleHandles")),
        (present(record=GONE), (Health.DEGRADED, "RecordMissing")),
        (present(record=Part(True, {"corrupt": "no JSON"})), (Health.DEGRADED, "RecordCorrupt")),
        (present(home=GONE), (Health.DEGRADED, "HomeMissing")),
        (present(GONE), (Health.STALE, "Survivor")),
        (ABSENT, (Health.STALE, "SessionMissing")),
    ],
)
def test_health_comes_from_the_same_parts(seen: Seen, expected: tuple[Health, str]) -> None:
    assert health_of(seen, recorded_running=True) == expected


def test_what_is_stopped_and_not_there_is_stopped() -> None:
    assert health_of(ABSENT, recorded_running=False) == (Health.STOPPED, "Stopped")


def test_what_is_retired_and_what_never_ran() -> None:
    assert health_of(ABSENT, recorded_running=False, retired=True) == (Health.RETIRED, "Retired")
    assert health_of(Absent("never", {}), recorded_running=False, started=False) == (Health.ABSENT, "NeverStarted")


def test_who_can_be_talked_to() -> None:
    assert reachable(present())
    assert reachable(present(record=GONE, home=GONE))
    assert not reachable(present(process=GONE))
    assert not reachable(present(GONE))
    assert not reachable(ABSENT)
    assert not reachable(Unknown("tmux did not answer"))


@pytest.mark.parametrize("text", ["", "1 d o", "x d o 2", "1 d o x", "1 d o 2 3", None, 7])
def test_a_mark_that_is_none_is_no_mark(text: object) -> None:
    assert mark.parse(text) is None


def test_a_mark_is_read_as_it_was_written() -> None:
    found = mark.SessionMark(3, "sha256:abc", "overlay", 7)
    assert mark.parse(str(found)) == found
