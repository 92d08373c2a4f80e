"""The answer to a prompt, put together from looks at a screen that scrolls and is drawn anew."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from reconciler.app import messages
from reconciler.app.answer import Answer
from reconciler.app.transcript import UNSETTLED, Transcript
from tests.requests.conftest import Scripted

MARK = "❯ "


def lines(first: int, last: int) -> list[str]:
    return [f"line {number}" for number in range(first, last + 1)]


def test_a_screen_that_scrolls_loses_nothing_and_tells_nothing_twice() -> None:
    """A full-screen program keeps no history: what left its upper end is known from earlier looks."""
    found = Transcript(["banner"])
    found.see(["banner", "❯ count"])
    for last in range(3, 100, 3):
        found.see(["banner", "❯ count", *lines(1, last)][-20:])
    assert found.answer("count", MARK, over=True) == lines(1, 99)
    assert found.answer("count", MARK, over=False) == lines(1, 99 - UNSETTLED)


def test_a_line_that_is_still_written_is_told_when_it_is_done() -> None:
    found = Transcript(["old", "", "answer"])
    for answer in (["●"], ["● some"], ["● some words"]):
        found.see(["old", "", "answer", "", "❯ go on", *answer, "", "", ""])
        assert found.answer("go on", MARK, over=False) == ()
    assert found.answer("go on", MARK, over=True) == ["● some words"]


def test_what_is_drawn_anew_replaces_what_was_there() -> None:
    found = Transcript(["loading"])
    found.see(["❯ hello", "banner"])
    found.see(["banner", "version 2", "❯ hello", "● hi"])
    assert found.answer("hello", MARK, over=True) == ["● hi"]


@pytest.mark.parametrize(
    ("drawn", "prompt"),
    [
        (["❯ one two three"], "one two three"),
        (["❯ one", "  two three"], "one two three"),
        (["❯ one two th", "ree"], "one two three"),
        (["❯ one", "", "  two"], "one\n\ntwo"),
        (["❯ [Pasted text #1 +40 lines]"], "x\n" * 40),
    ],
    ids=["whole", "wrapped", "broken", "of lines", "in short"],
)
def test_the_prompt_itself_is_no_part_of_it(drawn: Sequence[str], prompt: str) -> None:
    found = Transcript(["❯ before", "● one two three"])
    found.see(["❯ before", "● one two three", *drawn, "● the answer", "", "● goes on"])
    assert found.answer(prompt, MARK, over=True) == ["● the answer", "", "● goes on"]


def showing(scripted: Scripted, *screens: tuple[str, str]) -> None:
    """One screen after the other, each at a look of its own; the last one stays."""
    tmux = scripted.world.tmux
    seen: Callable[..., object] = tmux.capture
    left: Iterator[tuple[str, str]] = iter(screens)

    def capture(pane_id: str, count: int = 0) -> object:
        if count == 0 and (following := next(left, None)) is not None:
            scripted.shows(*following)
        return seen(pane_id, count)

    tmux.capture = capture  # type: ignore[method-assign,assignment]


def test_an_idle_box_before_the_turn_began_is_not_its_end(scripted: Scripted) -> None:
    agent = scripted.agent
    answer = Answer(agent, "hello")
    sent = messages.prompt(agent, "hello")
    idle, busy = ("echo> ", "echo: ready"), ("● hello\n… working (esc to interrupt)", "echo: busy")
    done = ("● hello\nhello\n✓ done\necho> ", "echo: ready")
    showing(scripted, *[idle] * 8, busy, busy, done)
    assert list(answer.lines(sent, 60.0)) == ["hello"]
    assert (answer.over, answer.result) == (True, "success")


def test_what_takes_nothing_up_is_not_waited_for_without_end(scripted: Scripted) -> None:
    agent = scripted.agent
    answer = Answer(agent, "hello")
    sent = messages.prompt(agent, "hello")
    began = scripted.world.clock.monotonic()
    assert list(answer.lines(sent, 60.0)) == []
    assert answer.over
    assert scripted.world.clock.monotonic() - began < 10


def test_a_question_ends_it(scripted: Scripted) -> None:
    agent = scripted.agent
    answer = Answer(agent, "hello")
    sent = messages.prompt(agent, "hello")
    showing(
        scripted,
        ("● hello\n… working (esc to interrupt)", "echo: busy"),
        ("Do you trust this folder? (y/N)", "echo: asking"),
    )
    list(answer.lines(sent, 60.0))
    assert (answer.over, answer.result) == (False, "asking")
