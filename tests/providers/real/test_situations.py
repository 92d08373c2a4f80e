"""Every situation of the corpus, brought about again: what the screens of today say is what the recorded ones say.

Readings are compared, not bytes: clocks, tips and versions differ from one day to the next.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.ports.reading import Reading
from reconciler.ports.tmux import Screen
from reconciler.providers import discover
from tests.loopback.server import LoopbackServer
from tests.providers.corpus import Said, readings, said_of
from tests.providers.real.agent import Agent
from tests.providers.real.recipes import RECIPES
from tests.providers.real.situations import QUESTIONS, SIZES, Question, ask_for, conversation
from tests.providers.real.terminal import Terminal

pytestmark = [pytest.mark.providers, pytest.mark.tmux, pytest.mark.timeout(400)]
ROLE = "You are a careful reviewer. role-mark:alpha-7"
FLEETING = ("start", "left")
"""Whatever these show at the moment of the look, it is no running turn; a program may be ready at its first picture."""
ENDED = ("crashed",)
"""tmux does not always write below a program that it is dead, and its last words are not always left: never ready."""


class Readings:
    """What the product's reader says of each situation as it comes up."""

    def __init__(self, name: str) -> None:
        self._read = discover()[name].reading
        self.seen: dict[str, Said] = {}
        self.pictures: dict[str, Screen] = {}

    def take(self, situation: str, terminal: Terminal) -> None:
        screen, title = terminal.look()
        self.pictures[situation] = Screen(screen, title)
        self.seen[situation] = said_of(self.reading(situation))

    def reading(self, situation: str) -> Reading:
        return self._read(self.pictures[situation])

    def compare(self, recorded: dict[str, Said]) -> None:
        for situation, said in self.seen.items():
            if situation in FLEETING:
                assert said["busy"] != "yes"
                assert said["state"] != "asking"
            elif situation in ENDED:
                assert said["state"] in ("crashed", "starting", "unknown"), self.pictures[situation].text
                assert said["accepting_input"] != "yes"
            else:
                assert said == recorded[situation], f"{situation}:\n{self.pictures[situation].text}"
        assert self.seen


@pytest.mark.parametrize("suffix", SIZES, ids=lambda suffix: suffix or "-110")
@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_conversation_reads_as_it_was_recorded(
    name: str, suffix: str, installed: Path, tmp_path: Path, loopback: LoopbackServer
) -> None:
    found = Readings(name)
    conversation(Agent(RECIPES[name], tmp_path / "a", installed, loopback.url, ROLE), found.take, loopback, suffix)
    found.compare(readings(name))


@pytest.mark.parametrize(
    ("name", "question"),
    [(name, question) for name in sorted(QUESTIONS) for question in QUESTIONS[name]],
    ids=lambda value: value.situation if isinstance(value, Question) else value,
)
def test_a_question_reads_as_it_was_recorded(
    name: str, question: Question, installed: Path, tmp_path: Path, loopback: LoopbackServer
) -> None:
    found = Readings(name)
    ask_for(question, Agent(RECIPES[name], tmp_path / "a", installed, loopback.url, ROLE), found.take)
    found.compare(readings(name))
