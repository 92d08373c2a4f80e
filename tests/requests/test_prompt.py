"""A prompt is typed at an agent that waits for one, once, and whoever sent it learns what became of it."""

from itertools import count

import pytest

from reconciler.app import messages
from reconciler.app.agents import AgentBroken
from reconciler.app.messages import NotAdmitted
from reconciler.model.errors import UsageFault
from reconciler.ports.requests import Outcome
from reconciler.ports.tmux import Failed
from reconciler.testing.real_world import RealWorld, until
from tests.requests.conftest import Scripted, named, prompts


@pytest.mark.tmux
def test_a_prompt_arrives_once_as_it_was_written(alice: RealWorld) -> None:
    text = "two lines\n\tof #{pane_pid} $HOME `x` — é漢"

    sent = messages.prompt(named(alice), text)

    assert (sent.outcome, sent.kind) == (Outcome.DELIVERED, "prompt")
    until(lambda: prompts(alice) == [text], f"{prompts(alice)}")


@pytest.mark.tmux
def test_a_busy_agent_is_not_typed_at(alice: RealWorld) -> None:
    messages.prompt(named(alice), "stall")

    with pytest.raises(NotAdmitted) as refused:
        messages.prompt(named(alice), "second")

    assert refused.value.code == "prompt.not_ready"
    assert "screen is busy; nothing was sent" in refused.value.message
    assert prompts(alice) == ["stall"]


@pytest.mark.tmux
def test_one_may_wait_until_it_is_ready(alice: RealWorld) -> None:
    messages.prompt(named(alice), "slow 0.3")

    sent = messages.prompt(named(alice), "second", within_s=30.0)

    assert sent.outcome is Outcome.DELIVERED
    until(lambda: prompts(alice) == ["slow 0.3", "second"], "it did not arrive")


@pytest.mark.tmux
def test_forced_it_is_typed_and_what_was_overridden_is_said(alice: RealWorld) -> None:
    messages.prompt(named(alice), "stall")

    sent = messages.prompt(named(alice), "second", force=True)

    assert sent.outcome is Outcome.DELIVERED
    assert sent.detail == "the prompt was submitted; forced, although its screen is busy"


@pytest.mark.tmux
def test_an_idle_shell_is_never_typed_at_not_even_forced(alice: RealWorld) -> None:
    agent, pane = named(alice), alice.session_of("alice")
    alice.tmux("respawn-pane", "-k", "-t", pane.pane_id, "exec sh")
    until(lambda: alice.session_of("alice").pid != pane.pid, "the shell does not start")

    with pytest.raises(AgentBroken) as broken:
        messages.prompt(named(alice), "rm -rf .", force=True)
    assert broken.value.code == "agent.degraded"

    sent = messages.prompt(agent, "rm -rf .", force=True)  # as seen before the shell was there

    assert sent.outcome is Outcome.UNDELIVERED
    assert "another program runs" in sent.detail


@pytest.mark.tmux
def test_a_dead_pane_is_never_typed_at_not_even_forced(alice: RealWorld) -> None:
    agent = named(alice)
    alice.kill_process_of("alice")

    sent = messages.prompt(agent, "hello", force=True)

    assert sent.outcome is Outcome.UNDELIVERED
    assert "has ended" in sent.detail


@pytest.mark.parametrize(
    ("text", "title", "why"),
    [
        ("… working (esc to interrupt)", "echo: busy", "busy"),
        ("Do you trust this folder? (y/N) ", "echo: asking", "asking"),
        ("", "echo: starting", "starting"),
        ("echo-agent: no home", "", "crashed"),
        ("$ ", "bash", "unknown"),
    ],
)
def test_only_a_prompt_that_waits_admits_one(scripted: Scripted, text: str, title: str, why: str) -> None:
    scripted.shows(text, title)

    with pytest.raises(NotAdmitted, match=f"screen is {why}"):
        messages.prompt(scripted.agent, "hello")

    assert scripted.pane.pasted == []
    assert messages.prompt(scripted.agent, "hello", force=True).success
    assert scripted.pane.pasted == ["hello"]


def test_a_screen_that_changes_in_between_is_judged_again(scripted: Scripted) -> None:
    agent, tmux = scripted.agent, scripted.world.tmux
    seen = tmux.capture

    def changing(pane_id: str, lines: int = 0) -> object:
        screen = seen(pane_id, lines)
        scripted.shows("… working (esc to interrupt)", "echo: busy")
        return screen

    tmux.capture = changing  # type: ignore[method-assign,assignment]

    with pytest.raises(NotAdmitted, match="screen is busy"):
        messages.prompt(agent, "hello")
    assert scripted.pane.pasted == []


def test_a_conversation_that_loads_behind_an_empty_box_is_waited_for(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that resumes may draw its box first: what is typed then would begin a conversation of its own."""
    agent, tmux = scripted.agent, scripted.world.tmux
    monkeypatch.setattr(type(agent.session.reader.providers["echo"]), "resume_settles_s", 1.0)
    seen, looks = tmux.capture, count()

    def loading(pane_id: str, lines: int = 0) -> object:
        if next(looks) == 5:
            scripted.shows("● one\none\n✓ done\necho> ", "echo: ready")
        return seen(pane_id, lines)

    tmux.capture = loading  # type: ignore[method-assign,assignment]
    began = scripted.world.clock.monotonic()
    assert messages.prompt(agent, "hello").success
    assert "one" in scripted.pane.text
    took = scripted.world.clock.monotonic() - began - messages.TAKEN_S  # this screen takes nothing up
    assert took < 1.0, "what is there by then is not waited for any longer"


def test_an_empty_conversation_is_believed_when_it_has_stood_still(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, clock = scripted.agent, scripted.world.clock
    monkeypatch.setattr(type(agent.session.reader.providers["echo"]), "resume_settles_s", 1.0)
    began = clock.monotonic()
    assert messages.prompt(agent, "hello").success
    assert clock.monotonic() - began >= 1.0


def test_the_last_prompt_must_have_been_taken_up(scripted: Scripted) -> None:
    assert messages.prompt(scripted.agent, "one").success

    # The clock of this world stands still but for what is waited: the screen has not moved since.
    scripted.world.clock.advance(-messages.TAKEN_S)
    with pytest.raises(NotAdmitted, match="taken up"):
        messages.prompt(scripted.agent, "two")

    scripted.shows("● one\none\n✓ done\necho> ", "echo: ready")
    assert messages.prompt(scripted.agent, "two").success
    assert scripted.pane.pasted == ["one", "two"]


def test_tmux_that_does_not_answer_leaves_an_unknown(scripted: Scripted) -> None:
    agent = scripted.agent
    scripted.world.tmux.fail_act(1, Failed("tmux did not answer within 5 s", unknown=True), carried_out=True)

    sent = messages.prompt(agent, "hello")

    assert (sent.outcome, sent.success) == (Outcome.UNKNOWN, False)
    assert sent.detail == "tmux did not answer within 5 s"


def test_tmux_that_refuses_leaves_an_undelivered(scripted: Scripted) -> None:
    agent = scripted.agent
    scripted.world.tmux.fail_act(1, Failed("no space for new pane"))

    sent = messages.prompt(agent, "hello")

    assert (sent.outcome, sent.success) == (Outcome.UNDELIVERED, False)
    assert scripted.pane.pasted == []


@pytest.mark.parametrize("text", ["", "  \n ", "a\x1b[201~\rb", "\x03", "half \ud800"], ids=repr)
def test_what_is_no_prompt_is_refused_before_anything_is_looked_at(scripted: Scripted, text: str) -> None:
    with pytest.raises(UsageFault):
        messages.prompt(scripted.agent, text)
    assert scripted.pane.pasted == []


def test_the_text_is_not_kept(scripted: Scripted) -> None:
    messages.prompt(scripted.agent, "the secret word")

    root = scripted.agent.session_root
    kept = [path.read_bytes() for path in scripted.world.overlay.rglob("*") if path.is_file()]
    assert root.startswith(str(scripted.world.overlay))
    assert not any(b"the secret word" in data for data in kept)
