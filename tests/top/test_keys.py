"""The keys of `houmao top`, pressed at the view without a terminal: each does what the command of its name does."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot
from textual.widgets import Static

from reconciler.cli.top.desk import Desk
from reconciler.cli.top.live import Note, Top
from reconciler.testing.fake_world import FakeWorld
from tests.top.conftest import BUSY, shows

Story = Callable[[Top, Pilot[int]], Awaitable[None]]
SELDOM_S = 3600.0


def told(world: FakeWorld, story: Story, size: tuple[int, int] = (80, 24)) -> int | None:
    """Tell a story of the view: it looks when something was done, and otherwise within the hour."""
    desk = Desk(world.flags)
    app = Top(desk, desk.look(), SELDOM_S)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await settled(app, pilot)
            await story(app, pilot)

    asyncio.run(run())
    return app.return_value


async def settled(app: Top, pilot: Pilot[int]) -> None:
    """Until nothing is under way."""
    await pilot.pause()
    while app.workers:
        await app.workers.wait_for_complete()
        await pilot.pause()
    await pilot.pause()


def text(app: Top, where: str) -> str:
    return str(app.screen_stack[0].query_one(f"#{where}", Static).content)


def test_the_first_agent_is_chosen_and_its_screen_is_shown(fleet: FakeWorld) -> None:
    async def story(app: Top, pilot: Pilot[int]) -> None:
        assert text(app, "title").startswith("alice: healthy in HOUMAO-alice-")
        assert text(app, "preview") == "echo>"
        await pilot.press("down", "down")
        await settled(app, pilot)
        assert text(app, "title").startswith("carol: stopped")
        assert text(app, "preview") == "(it does not run)"

    told(fleet, story)


def test_a_prompt_goes_to_whom_was_chosen_when_it_was_begun(fleet: FakeWorld) -> None:
    async def story(app: Top, pilot: Pilot[int]) -> None:
        await pilot.press("down", "p", *"quit q")
        assert text(app, "label") == "prompt to bob: "
        await pilot.press("enter")
        await settled(app, pilot)
        assert text(app, "answer") == "bob: delivered: the prompt was submitted"

    told(fleet, story)

    assert fleet.pane_of("bob").pasted == ["quit q"]
    assert fleet.pane_of("alice").pasted == []


def test_escape_sends_nothing(fleet: FakeWorld) -> None:
    async def story(app: Top, pilot: Pilot[int]) -> None:
        await pilot.press("p", *"hello", "escape")
        await settled(app, pilot)
        assert not app.query_one("#entry").display

    told(fleet, story)

    assert fleet.pane_of("alice").pasted == []


def test_a_busy_agent_is_not_typed_at_and_the_refusal_is_shown(fleet: FakeWorld) -> None:
    shows(fleet, "alice", BUSY)

    async def story(app: Top, pilot: Pilot[int]) -> None:
        await pilot.press("p", *"hello", "enter")
        await settled(app, pilot)
        assert text(app, "answer").startswith("alice: agent 'alice' is not ready: its screen is busy; nothing was sent")

    told(fleet, story)

    assert fleet.pane_of("alice").pasted == []


def test_an_interrupt_is_an_escape_to_a_running_turn(fleet: FakeWorld) -> None:
    shows(fleet, "alice", BUSY)

    async def story(app: Top, pilot: Pilot[int]) -> None:
        await pilot.press("i")
        await settled(app, pilot)
        assert text(app, "answer") == "alice: delivered: Escape was sent"
        await pilot.press("down", "i")
        await settled(app, pilot)
        assert text(app, "answer") == "bob: delivered: no turn runs: there is nothing to interrupt"

    told(fleet, story)

    assert fleet.pane_of("alice").keys == [("Escape", False)]
    assert fleet.pane_of("bob").keys == []


def test_a_relaunch_is_asked_for_once_and_then_done_by_the_engine(fleet: FakeWorld) -> None:
    before = fleet.session_of("alice").session_id

    async def story(app: Top, pilot: Pilot[int]) -> None:
        await pilot.press("r")
        assert isinstance(app.screen, Note)
        await pilot.press("n")
        await settled(app, pilot)
        assert fleet.session_of("alice").session_id == before
        await pilot.press("r", "y")
        await settled(app, pilot)
        assert text(app, "answer") == "alice: relaunched"

    told(fleet, story)

    assert fleet.session_of("alice").session_id != before


def test_a_broken_agent_says_what_was_found(fleet: FakeWorld) -> None:
    fleet.kill_process_of("alice")

    async def story(app: Top, pilot: Pilot[int]) -> None:
        await pilot.press("p", *"hello", "enter")
        await settled(app, pilot)
        assert text(app, "answer").startswith("alice: cannot prompt agent 'alice': it is degraded (ProviderExited)")

    told(fleet, story)


def test_there_is_nothing_to_attach_to_where_nothing_runs(fleet: FakeWorld) -> None:
    async def story(app: Top, pilot: Pilot[int]) -> None:
        await pilot.press("end", "down", "down", "a")
        await settled(app, pilot)
        assert text(app, "answer").startswith("carol: Instance/carol has no terminal")

    told(fleet, story)


def test_a_filter_hides_and_the_choice_stays_with_its_agent(fleet: FakeWorld) -> None:
    async def story(app: Top, pilot: Pilot[int]) -> None:
        await pilot.press("down", "slash", *"bob", "enter")
        await settled(app, pilot)
        assert app.query_one("#table").row_count == 1
        assert text(app, "title").startswith("bob:")
        assert "1 of 3 agents" in text(app, "headline")
        await pilot.press("slash", *"xyz", "enter")
        await settled(app, pilot)
        assert text(app, "preview") == "No agent's row holds that."
        await pilot.press("p", "i", "r", "a")
        await settled(app, pilot)
        assert app.screen is app.screen_stack[0]

    told(fleet, story)


def test_what_changed_since_the_last_look_is_shown(fleet: FakeWorld) -> None:
    async def story(app: Top, pilot: Pilot[int]) -> None:
        shows(fleet, "alice", BUSY)
        app._look()
        await settled(app, pilot)
        table = app.query_one("#table")
        assert [cell.plain for cell in table.get_row_at(0)][5:] == ["active", "turn began 0s ago"]
        assert "1 active" in text(app, "headline")

    told(fleet, story)


def test_a_look_that_fails_keeps_the_last_board(fleet: FakeWorld) -> None:
    async def story(app: Top, pilot: Pilot[int]) -> None:
        (fleet.overlay / "catalog.sqlite").write_bytes(b"no database")
        app._look()
        await settled(app, pilot)
        assert text(app, "answer").startswith("the last look failed: ")
        assert app.query_one("#table").row_count == 3

    told(fleet, story)


def test_help_names_every_key_and_any_key_closes_it(fleet: FakeWorld) -> None:
    async def story(app: Top, pilot: Pilot[int]) -> None:
        await pilot.press("question_mark")
        assert isinstance(app.screen, Note)
        await pilot.press("q")
        assert not isinstance(app.screen, Note)
        await pilot.press("q")

    assert told(fleet, story) == 0
