"""The recipes as text: what they render to can be read back, whatever the paths and role texts hold."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from tests.providers.real.recipes import COMMON_ENV, RECIPES, Recipe, rendered, substituted

AWKWARD = {
    "root": '/srv/a "quoted" and back\\slashed folder',
    "cwd": '/srv/a "quoted" and back\\slashed folder/project',
    "home": "/srv/home",
    "url": "http://127.0.0.1:1",
    "key": "made-up",
    "key_tail": "made-up",
    "role": 'You are "careful".\nSecond line \\ end.',
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_every_file_reads_back_with_awkward_values_in_it(recipe: Recipe) -> None:
    files = rendered(recipe, AWKWARD)

    parsed: dict[str, Callable[[str], Any]] = {"json": json.loads, "toml": tomllib.loads, "md": str.strip}
    values = {path: parsed[path.rpartition(".")[2]](text) for path, text in files.items()}
    assert values[recipe.role_file] == AWKWARD["role"]
    assert all("${" not in text for text in files.values())


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_the_working_directory_is_trusted_by_its_exact_path(recipe: Recipe) -> None:
    files = rendered(recipe, AWKWARD)

    if recipe.name == "claude":
        assert json.loads(files[".claude.json"])["projects"][AWKWARD["cwd"]]["hasTrustDialogAccepted"] is True
    elif recipe.name == "codex":
        assert tomllib.loads(files["config.toml"])["projects"][AWKWARD["cwd"]]["trust_level"] == "trusted"
    else:
        assert json.loads(files[".gemini/settings.json"])["security"]["folderTrust"]["enabled"] is False


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_no_key_stands_in_a_command_line_or_a_file_but_claude_s_approval(recipe: Recipe) -> None:
    keyed = {name for name, value in {**COMMON_ENV, **recipe.env}.items() if "${key" in value}

    assert len(keyed) == 1
    assert not any("${" in word for word in (*recipe.argv, *recipe.resume))
    holding = [path for path, text in recipe.files.items() if "${key" in json.dumps(text)]
    assert holding == ([".claude.json"] if recipe.name == "claude" else [])


def test_an_unknown_placeholder_is_left_to_be_seen() -> None:
    assert substituted("${root}/${typo}", {"root": "/srv"}) == "/srv/${typo}"
