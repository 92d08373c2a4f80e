"""Which model an agent runs: four layers merged half by half, and ladders of native reasoning values."""

from collections.abc import Mapping

from reconciler.build.fault import refuse
from reconciler.build.merge import at
from reconciler.model.json import Json, JsonMap
from reconciler.ports.build import ModelConfig, ModelSelection

LAYERS = ("baseline_native", "source_launch", "launch_profile", "direct_launch")
"""Lowest first."""


def select(
    baseline: ModelConfig | None,
    source: ModelConfig | None,
    profile: ModelConfig | None,
    direct: ModelConfig | None,
) -> ModelSelection:
    """Name and level independently come from the highest layer that has one."""
    given = zip(LAYERS, (baseline, source, profile, direct), strict=True)
    layers = {name: config for name, config in given if config is not None}
    model, model_from, level, level_from = None, None, None, None
    for layer, config in layers.items():
        if config.name is not None:
            model, model_from = config.name, layer
        if config.reasoning_level is not None:
            level, level_from = config.reasoning_level, layer
    return ModelSelection(layers, model, level, model_from, level_from)


def projected_name(selection: ModelSelection) -> str | None:
    """The name to hand to the provider: none where it already has it from its own setup."""
    return None if selection.name_source == "baseline_native" else selection.name


class Rung:
    """Where a level lands on a ladder of native values."""

    __slots__ = ("effective", "record", "value")

    def __init__(self, effective: int, value: str, record: Mapping[str, Json]) -> None:
        self.effective = effective
        self.value = value
        self.record = record


def climb(
    tool: str,
    selection: ModelSelection,
    ladder: tuple[str, ...],
    *,
    scale: str,
    targets: tuple[tuple[str, str], ...],
    off: str | None = None,
) -> Rung | None:
    """The native value of the selected level, or None where no level was asked for.

    `ladder[0]` is level 1; a level above it saturates. Level 0 is `off`, and an error where that is None. `targets` are
    (file in the home, key path) of each place the value is written to.
    """
    level = selection.reasoning_level
    if level is None:
        return None
    if level == 0 and off is None:
        raise refuse(
            "reasoning_off",
            f"{tool} cannot switch reasoning off for model {selection.name or 'of its own choice'!r}",
            f"choose a level from 1 to {len(ladder)}",
        )
    effective = min(level, len(ladder))
    value = off if level == 0 and off is not None else ladder[effective - 1]
    native: list[Json] = [
        {
            "native_scale": scale,
            "native_value": value,
            "projection_target": {"surface": "home_file", "path": path, "key_path": key},
        }
        for path, key in targets
    ]
    record: JsonMap = {
        "tool": tool,
        "requested_level": level,
        "effective_level": effective,
        "model_name": selection.name,
        "saturated": level > len(ladder),
        "off_requested": level == 0,
        "native_settings": native,
        "native_scale": scale,
        "native_value": value,
        "projection_target": f"{targets[0][0]}:{targets[0][1]}" if targets else None,
    }
    return Rung(effective, value, record)


def to_json(selection: ModelSelection, projection: Mapping[str, Json], tool_version: str | None) -> JsonMap:
    """`model_selection` of the manifest."""
    layers: JsonMap = dict.fromkeys(LAYERS)
    for name, config in selection.layers.items():
        if config != ModelConfig():
            layers[name] = config_json(config)
    reasoning = {**projection, "tool_version": tool_version} if projection else None
    return {
        "requested_layers": layers,
        "resolved": {
            "effective": config_json(ModelConfig(selection.name, selection.reasoning_level)),
            "sources": {"name": selection.name_source, "reasoning_level": selection.reasoning_source},
        },
        "native_projection": {"model": projected_name(selection), "reasoning": reasoning},
    }


def config_json(config: ModelConfig) -> JsonMap:
    """`{name, reasoning: {level}}`, each half only when it is there."""
    out: JsonMap = {}
    if config.name is not None:
        out["name"] = config.name
    if config.reasoning_level is not None:
        out["reasoning"] = {"level": config.reasoning_level}
    return out


def config_of(value: Json) -> ModelConfig | None:
    """What `config_json` wrote; None where there is no mapping."""
    if not isinstance(value, dict):
        return None
    name, level = value.get("name"), at(value, "reasoning", "level")
    return ModelConfig(name if isinstance(name, str) else None, level if isinstance(level, int) else None)


def of_json(value: Json) -> ModelSelection:
    """The selection that `to_json` wrote."""
    return select(*(config_of(at(value, "requested_layers", layer)) for layer in LAYERS))
