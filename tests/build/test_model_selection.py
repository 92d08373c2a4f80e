"""Layers of a model's choice, merged half by half; and what a level becomes in a provider's words."""

import pytest

from reconciler.build import model_selection
from reconciler.build.model_selection import select
from reconciler.model.errors import ActionFailed
from reconciler.ports.build import ModelConfig
from reconciler.providers import discover


def projection(provider: str, name: str | None, level: int | None) -> tuple[str | None, bool]:
    found = discover()[provider].model_projection(select(None, ModelConfig(name, level), None, None))
    return found.effort, bool(found.record.get("saturated"))


def test_each_half_comes_from_its_highest_layer() -> None:
    chosen = select(ModelConfig("base"), ModelConfig("recipe", 1), ModelConfig(None, 9), None)
    assert (chosen.name, chosen.name_source) == ("recipe", "source_launch")
    assert (chosen.reasoning_level, chosen.reasoning_source) == (9, "launch_profile")


def test_a_name_the_setup_chose_is_not_said_again() -> None:
    assert model_selection.projected_name(select(ModelConfig("base"), None, None, None)) is None
    assert model_selection.projected_name(select(ModelConfig("base"), ModelConfig("base"), None, None)) == "base"


@pytest.mark.parametrize(
    ("provider", "name", "level", "value", "saturated"),
    [
        ("claude", "sonnet", 1, "low", False),
        ("claude", "sonnet", 4, "high", True),
        ("claude", "claude-opus-4-6", 4, "max", False),
        ("codex", None, 4, "xhigh", False),
        ("codex", None, 5, "xhigh", True),
        ("gemini", "gemini-3-pro", 9, "HIGH", True),
        ("gemini", "gemini-2.5-pro", 0, "0", False),
        ("gemini", "gemini-2.5-pro", 5, "16384", False),
        ("echo", None, 0, "off", False),
        ("echo", None, None, None, False),
    ],
)
def test_a_level_lands_on_its_ladder(
    provider: str, name: str | None, level: int | None, value: str, saturated: bool
) -> None:
    assert projection(provider, name, level) == (value, saturated)


@pytest.mark.parametrize(("provider", "name"), [("claude", "x"), ("codex", "x"), ("gemini", "gemini-3-pro")])
def test_some_models_cannot_be_told_not_to_think(provider: str, name: str) -> None:
    with pytest.raises(ActionFailed) as caught:
        projection(provider, name, 0)
    assert caught.value.code == "build.reasoning_off"


def test_the_manifest_reads_back() -> None:
    chosen = select(None, ModelConfig("gemini-3-pro", 1), ModelConfig(None, 9), None)
    found = discover()["gemini"].model_projection(chosen)
    written = model_selection.to_json(chosen, found.record, "1.2.3")
    assert model_selection.of_json(written) == chosen
    native = written["native_projection"]
    assert isinstance(native, dict)
    assert isinstance(native["reasoning"], dict)
    assert native["reasoning"]["effective_level"] == 3
