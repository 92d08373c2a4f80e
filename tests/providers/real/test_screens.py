"""The signs of the recipes tell the recorded screens apart; no vendor program is needed for that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.providers.corpus import RECORDED, readings, recorded
from tests.providers.real.recipes import RECIPES
from tests.providers.real.situations import QUESTIONS

SIGNED = ("ready", "busy", "busy-silent", "done", "interrupted", "tool", "error")
"""The situations the recipes' few signs are meant to tell apart; what imitates a sign, or hides one, fools them."""
REAL = [path for path in RECORDED if path.parents[1].name in RECIPES]
IDS = [f"{path.parents[1].name}-{path.stem}" for path in REAL]
SITUATIONS = {
    *("start", "ready", "typed", "typed-wide", "typed-lines", "cleared", "busy", "busy-typed", "busy-silent", "done"),
    *("quoting", "interrupted", "interrupted-silent", "tool", "error", "left", "resumed"),
    *("dialog-trust", "dialog-permission", "dialog-menu"),
    *(f"{situation}-{width}" for width in (80, 200) for situation in ("ready", "typed", "busy", "done", "quoting")),
}


@pytest.mark.parametrize("path", REAL, ids=IDS)
def test_a_screen_is_ready_or_busy_or_blocked_as_it_was_recorded(path: Path) -> None:
    name, situation = path.parents[1].name, re.sub(r"-(80|200)$", "", path.stem)
    recipe, screen = RECIPES[name], recorded(path)
    ready, busy = recipe.signs.ready(screen.text, screen.title), recipe.signs.busy(screen.text, screen.title)
    if situation in SIGNED:
        assert (ready, busy) == ((False, True) if situation.startswith("busy") else (True, False))
    if situation.startswith("dialog-"):
        assert not ready


@pytest.mark.parametrize("path", [path for path in REAL if path.stem in ("dialog-trust", "dialog-sign-in")])
def test_the_start_dialogs_are_those_of_the_recipe(path: Path) -> None:
    assert any(text in recorded(path).text for text in RECIPES[path.parents[1].name].dialogs)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_situation_a_driver_must_know_is_recorded(name: str) -> None:
    situations = {path.stem for path in REAL if path.parents[1].name == name}
    assert situations >= SITUATIONS
    assert situations >= {question.situation for question in QUESTIONS[name]}


@pytest.mark.parametrize("name", ["claude", "codex", "echo", "gemini"])
def test_every_screen_has_its_reading_and_every_reading_its_screen(name: str) -> None:
    assert readings(name).keys() == {path.stem for path in RECORDED if path.parents[1].name == name}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_no_recorded_screen_names_the_machine_it_was_made_on(path: Path) -> None:
    text = "\n".join(recorded(path))
    assert not [found for found in ("/root", "/tmp", "/var/", "houmao-capture", "root@") if found in text]
