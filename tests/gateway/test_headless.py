"""A headless agent behind a gateway: prompts are turns, one at a time, and what needs a terminal is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.gateway_queue import SqliteGatewayQueue
from reconciler.app import turns
from reconciler.app.agents import Agent
from reconciler.app.gateway.admission import Policy, Refusal
from reconciler.app.gateway.core import Core
from reconciler.app.gateway.face import Asked
from reconciler.app.gateway.served import read_served
from reconciler.app.gateway.status import status
from reconciler.app.gateway.told import Told
from reconciler.app.gateway.turner import Turner
from reconciler.build import turn as build
from reconciler.ports.build import ModelConfig
from reconciler.ports.gateway import ExecutionMode, Kind, ReminderRow, Row, Running, State
from reconciler.ports.turn import Chat
from reconciler.servers.gateway.front import Front
from reconciler.testing.fake_world import FakeWorld
from tests.gateway.test_hostile_http import DOOR, sent
from tests.requests.conftest import named

FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
---
kind: Instance
metadata: {name: bob}
spec: {specialistRef: coder, headless: true, gateway: {enabled: true}}
"""


class Booth:
    """A headless agent of the fake world, and the gateway that the engine ordered for it; programs end as a test says.

    `restart` is a kill -9 and a new gateway on the same files.
    """

    def __init__(self, world: FakeWorld) -> None:
        self.world = world
        world.given(FLEET)
        assert world.when_applied().settled
        self.ports = self.agent.ports()
        self.told = Told()
        self.cores: list[Core] = []
        self.core = self.restart()

    @property
    def agent(self) -> Agent:
        return named(self.world, "bob")

    def restart(self) -> Core:
        served = read_served(self.ports.files, self.agent.session_root)
        queue = SqliteGatewayQueue(f"{served.root}/gateway/queue.sqlite")
        face = Turner(served, self.ports, self.world.tmux, queue, self.told, look_s=0.5)
        self.core = Core(served, face, queue, self.ports.files, self.ports.clock, self.told)
        self.core.start()
        self.core.looked()
        self.cores.append(self.core)
        return self.core

    def submit(self, asked: Asked | str) -> Row:
        asked = Asked(asked) if isinstance(asked, str) else asked
        return self.core.submit(Kind.SUBMIT_PROMPT, asked.to_json())[0]

    def state(self, row: Row) -> State:
        return self.row(row).state

    def row(self, row: Row) -> Row:
        found = self.core.request(row.id)
        assert found is not None
        return found

    def turn(self, number: int) -> turns.Turn:
        return turns.status(self.agent, f"turn-{number:04}")

    def script(self, number: int) -> str:
        """The words its program was started with, empty where the home's own script was."""
        path = Path(self.turn(number).directory) / build.SCRIPT
        return path.read_text() if path.exists() else ""

    def answers(self, number: int, *, session: str = "") -> None:
        """The program of a turn says which conversation it is in, and is done."""
        turn = self.turn(number)
        lines = [{"type": "session", "id": session}] if session else []
        text = "".join(f"{json.dumps(line)}\n" for line in [*lines, {"type": "result"}])
        (Path(turn.directory) / build.STDOUT).write_text(text)
        (Path(turn.directory) / build.EXITCODE).write_text("0\n")
        self.world.process.exit(turn.row.pid)

    def close(self) -> None:
        for core in self.cores:
            core.stop()
        self.ports.catalog.close()


@pytest.fixture
def booth(fake_world: FakeWorld) -> Iterator[Booth]:
    made = Booth(fake_world)
    try:
        yield made
    finally:
        made.close()


def test_the_queue_runs_one_turn_at_a_time_and_says_which(booth: Booth) -> None:
    rows = [booth.submit(text) for text in ("one", "two")]

    booth.core.step()
    booth.core.step()
    assert [booth.state(row) for row in rows] == [State.COMPLETED, State.ACCEPTED]
    first = booth.row(rows[0]).to_json()
    assert (first["headless_turn_id"], first["headless_turn_index"]) == ("turn-0001", 1)
    assert booth.turn(1).status == "active"
    assert (Path(booth.turn(1).directory) / build.PROMPT).read_text() == "one"
    booth.answers(1, session="c1")
    booth.core.step()

    assert booth.state(rows[1]) is State.COMPLETED
    assert booth.turn(2).status == "active"
    assert (Path(booth.turn(1).directory) / build.EVENTS).exists(), "what the turn said is kept when it is over"
    told = [event.body for event in booth.told.after(0) if event.kind == "turn"]
    assert [(body["turn_id"], body["status"]) for body in told] == [
        ("turn-0001", "active"), ("turn-0001", "completed"), ("turn-0002", "active"),
    ]  # fmt: skip


def test_a_turn_that_somebody_else_began_is_not_disturbed(booth: Booth) -> None:
    turns.submit(booth.agent, "by hand", wait=False)

    refused = booth.core.prompt("hello", Policy.READY_ONLY)
    waiting = booth.submit("later")
    booth.core.step()

    assert isinstance(refused, Refusal)
    assert (refused.code, refused.status, "turn-0001" in refused.detail) == ("not_ready", 409, True)
    assert booth.state(waiting) is State.ACCEPTED
    booth.answers(1)
    booth.core.step()
    assert booth.row(waiting).result["headless_turn_id"] == "turn-0002"


def test_each_choice_of_conversation_is_one_way_to_start_the_program(booth: Booth) -> None:
    def run(asked: Asked, number: int, session: str = "") -> str:
        row = booth.core.prompt(asked, Policy.READY_ONLY)
        assert isinstance(row, Row)
        assert row.state is State.COMPLETED, row.detail
        booth.answers(number, session=session)
        return booth.script(number)

    assert run(Asked("a"), 1, "c1") == "", "the first turn starts as the home is made"
    assert "--resume c1" in run(Asked("b"), 2)
    assert "--resume" not in run(Asked("c", Chat("new")), 3, "c2")
    assert "--resume c2" in run(Asked("d", Chat("current")), 4)
    assert "--resume c1" in run(Asked("e", Chat("exact", "c1")), 5, "c1")
    assert "--resume latest" in run(Asked("f", Chat("tool_last_or_new")), 6)
    assert "--model other" in run(Asked("g", model=ModelConfig("other")), 7)


def test_the_next_prompt_can_be_told_to_begin_a_conversation_also_over_a_restart(booth: Booth) -> None:
    booth.core.prompt("a", Policy.READY_ONLY)
    booth.answers(1, session="c1")
    told = booth.core.next_prompt_session("new")["chat_session"]
    assert told == {
        "current": {"id": "c1"},
        "startup_default": {"mode": "tool_last_or_new"},
        "next_prompt_override": {"mode": "new"},
    }

    booth.restart()
    booth.submit("b")
    booth.core.step()
    booth.answers(2, session="c2")
    booth.submit("c")
    booth.core.step()

    assert "--resume" not in booth.script(2)
    assert "--resume c2" in booth.script(3)


def test_there_is_no_current_conversation_before_the_first(booth: Booth) -> None:
    refused = booth.core.unfit(Asked("a", Chat("current")), Policy.READY_ONLY)

    assert isinstance(refused, Refusal)
    assert (refused.code, refused.status) == ("missing_current_chat_session", 409)
    row = booth.submit(Asked("a", Chat("current")))
    booth.core.step()
    assert booth.state(row) is State.FAILED
    assert turns.running(booth.agent) is None


def test_a_chosen_turn_id_is_given_out_once(booth: Booth) -> None:
    first, second = (booth.submit(Asked("a", turn_id="mine")) for _ in range(2))

    booth.core.step()
    booth.world.process.exit(turns.status(booth.agent, "mine").row.pid)
    booth.core.step()

    assert booth.row(first).result["headless_turn_id"] == "mine"
    assert (booth.state(second), "turn.taken" in booth.row(second).detail) == (State.FAILED, True)


def test_an_interrupt_ends_the_turn_that_runs_and_not_the_one_that_waits(booth: Booth) -> None:
    booth.submit("one")
    booth.core.step()
    waiting = booth.submit("two")
    row = booth.core.submit(Kind.INTERRUPT, {})[0]

    booth.core.step()

    assert (booth.state(row), booth.row(row).detail) == (State.COMPLETED, "turn turn-0001 is interrupted")
    assert booth.turn(1).status == "interrupted"
    booth.core.step()
    assert booth.state(waiting) is State.COMPLETED
    booth.answers(2)
    idle = booth.core.submit(Kind.INTERRUPT, {})[0]
    booth.core.step()
    assert booth.row(idle).detail == "no turn runs: there is nothing to interrupt"


def test_a_gateway_that_is_killed_in_the_middle_of_a_turn_finds_it_again(booth: Booth) -> None:
    booth.submit("one")
    booth.core.step()
    waiting = booth.submit("two")

    booth.restart()
    booth.core.step()
    assert booth.state(waiting) is State.ACCEPTED
    assert booth.core.headless()["active_turn_id"] == "turn-0001"
    booth.answers(1)
    booth.core.step()

    assert booth.row(waiting).result["headless_turn_id"] == "turn-0002"


def test_an_agent_that_is_gone_takes_no_turn(booth: Booth) -> None:
    booth.world.kill_session_of("bob")

    refused = booth.core.prompt("hello", Policy.READY_ONLY)

    assert isinstance(refused, Refusal)
    assert (refused.code, refused.status) == ("unavailable", 503)
    assert turns.running(booth.agent) is None


def test_a_reminder_is_a_turn(booth: Booth) -> None:
    now = booth.core.now()
    booth.core.put_reminder(
        ReminderRow(booth.core.reminder_id(), "one_off", "t", "look", "", True, 0, False, 0.0, now, now)
    )

    booth.core.step()

    assert (Path(booth.turn(1).directory) / build.PROMPT).read_text() == "look"


@pytest.fixture
def front(booth: Booth) -> Front:
    from reconciler.servers.gateway.api import application

    run = Running(1, 1, "127.0.0.1", 8123, ExecutionMode.DETACHED)
    return Front(
        DOOR,
        lambda: application(booth.core, lambda: status(booth.core.served, run, booth.core.standing())),
        lambda: None,
        lambda: None,
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/control/tui/state", None),
        ("GET", "/v1/control/tui/history", None),
        ("POST", "/v1/control/tui/note-prompt", {"prompt": "x"}),
        ("POST", "/v1/control/send-keys", {"sequence": "x"}),
        (
            "POST", "/v1/reminders",
            {"reminders": [
                {"mode": "one_off", "title": "t", "send_keys": {"sequence": "x"}, "start_after_seconds": 1}]},
        ),
    ],
)  # fmt: skip
def test_what_needs_a_terminal_is_refused(front: Front, method: str, path: str, body: object) -> None:
    answer = sent(front, method, path, body)

    assert answer.status == 422
    assert "this agent is headless" in answer.json()["detail"]


def test_over_http_a_prompt_is_a_turn_with_its_model_and_conversation(front: Front, booth: Booth) -> None:
    body = {"prompt": "a", "execution": {"model": {"name": "other"}}, "chat_session": {"mode": "new"}}

    answer = sent(front, "POST", "/v1/control/prompt", body).json()

    assert (answer["sent"], answer["headless_turn_id"], answer["headless_turn_index"]) == (True, "turn-0001", 1)
    assert "--model other" in booth.script(1)
    state = sent(front, "GET", "/v1/control/headless/state").json()
    assert list(state) == [
        "runtime_resumable", "tmux_session_live", "can_accept_prompt_now", "interruptible", "chat_session",
        "request_admission", "active_execution", "queue_depth", "active_turn_id",
    ]  # fmt: skip
    assert (state["can_accept_prompt_now"], state["interruptible"], state["active_turn_id"]) == (
        False,
        True,
        "turn-0001",
    )
    told = sent(front, "GET", "/v1/status").json()
    assert (told["active_execution"], told["terminal_surface_eligibility"]) == ("running", "not_ready")
    again = sent(front, "POST", "/v1/control/prompt", {"prompt": "b"})
    assert (again.status, again.json()["detail"]["error_code"]) == (409, "not_ready")
    chosen = sent(front, "POST", "/v1/control/headless/next-prompt-session", {"mode": "new"}).json()
    assert chosen["chat_session"]["next_prompt_override"] == {"mode": "new"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"prompt": "x", "admission_policy": "always"}, "invalid_admission_policy"),
        ({"prompt": "x", "chat_session": {"mode": "current"}}, "missing_current_chat_session"),
    ],
)
def test_what_a_headless_agent_cannot_do_has_its_code(front: Front, booth: Booth, body: object, code: str) -> None:
    answer = sent(front, "POST", "/v1/control/prompt", body)

    assert answer.json()["detail"]["error_code"] == code
    assert turns.running(booth.agent) is None


def test_turns_that_cannot_be_read_are_no_reason_to_fall_and_none_to_begin_another(front: Front, booth: Booth) -> None:
    root = Path(booth.agent.session_root)
    for path in root.glob("requests.sqlite*"):
        path.unlink()
    (root / "requests.sqlite").write_text("this is no database\n" * 100)

    interrupt = booth.core.submit(Kind.INTERRUPT, {})[0]
    booth.core.step()
    assert booth.state(interrupt) is State.FAILED
    refused = booth.core.prompt("hello", Policy.READY_ONLY)
    answer = sent(front, "GET", "/v1/control/headless/state")

    assert isinstance(refused, Refusal)
    assert (refused.code, "cannot be looked at" in refused.detail) == ("not_ready", True)
    assert (answer.status, answer.json()["detail"].startswith("requests.")) == (503, True)
    assert sent(front, "GET", "/v1/status").json()["terminal_surface_eligibility"] == "unknown"
    assert not booth.world.process.started_for("houmao-turn")


@pytest.mark.parametrize("conversation", ["--dangerous", "../../etc", "a b", "$(x)", "", "a\n", "\u202e"])
def test_a_conversation_is_no_way_to_other_words_or_files(front: Front, booth: Booth, conversation: str) -> None:
    body = {"prompt": "x", "chat_session": {"mode": "exact", "id": conversation}}

    assert sent(front, "POST", "/v1/control/prompt", body).status == 422
    assert turns.running(booth.agent) is None
