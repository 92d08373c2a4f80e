"""The signs of the recipes tell the recorded screens apart; no vendor program is needed for that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.providers.real.recipes import RECIPES

PROVIDERS = Path(__file__).parents[1]
RECORDED = sorted((path.parents[1].name, path.stem) for path in PROVIDERS.glob("*/screens/*.txt"))
REAL = [(name, state) for name, state in RECORDED if name in RECIPES]


def recorded(name: str, state: str) -> tuple[str, str]:
    """(screen, title)"""
    folder = PROVIDERS / name / "screens"
    titles: dict[str, str] = json.loads((folder / "titles.json").read_text(encoding="utf-8"))
    return (folder / f"{state}.txt").read_text(encoding="utf-8"), titles[state]


@pytest.mark.parametrize(("name", "state"), REAL)
def test_a_screen_is_ready_or_busy_or_blocked_as_it_was_recorded(name: str, state: str) -> None:
    recipe, (screen, title) = RECIPES[name], recorded(name, state)

    blocked = any(text in screen for text in recipe.dialogs)
    kind = state.partition("-")[0]
    expected = {"busy": (False, True, False), "dialog": (False, False, True)}.get(kind, (True, False, False))
    assert (recipe.signs.ready(screen, title), recipe.signs.busy(screen, title), blocked) == expected


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_state_a_driver_must_know_is_recorded(name: str) -> None:
    states = {state for of, state in REAL if of == name}

    assert states >= {"ready", "busy", "busy-silent", "done", "interrupted", "tool", "error", "dialog-trust"}


@pytest.mark.parametrize(("name", "state"), REAL)
def test_no_recorded_screen_names_the_machine_it_was_made_on(name: str, state: str) -> None:
    assert not [path for path in ("/root", "/tmp", "/var/", "houmao-capture") if path in "".join(recorded(name, state))]
