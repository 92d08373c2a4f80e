"""Tools as they are named on the command line, and whether they can be started as asked."""

from collections.abc import Mapping

from reconciler.build.selector import tool_of
from reconciler.model.errors import UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import at_path
from reconciler.ports.provider import Provider, backend_of


def check_tool(providers: Mapping[str, Provider], word: str) -> str:
    """The tool a word means; raises UsageFault with the nearest one."""
    tool = tool_of(word)
    if tool in providers:
        return tool
    if not word:
        raise UsageFault("a specialist or recipe needs --tool", hint=f"it is one of {', '.join(providers)}")
    from reconciler.declare.suggest import nearest

    near = nearest(word, providers)
    hint = f"did you mean {near}?" if near else f"it is one of {', '.join(providers)}"
    raise UsageFault(f"there is no tool {word!r}", hint=hint)


def check_mode(providers: Mapping[str, Provider], tool: str, headless: bool | None) -> None:
    """Refuse a terminal for a tool without one, and the other way round, before anything is made (§11 row 6)."""
    provider = providers.get(tool)
    if provider is None:
        return
    wanted = bool(headless)
    if provider.headless if wanted else provider.interactive:
        return
    how = "without a terminal program" if wanted else "in a terminal"
    other = "leave --headless out" if wanted else "give --headless"
    raise UsageFault(f"{tool} cannot be started {how} ({backend_of(tool, wanted)})", hint=other, code="usage.backend")


def headless_of(*layers: JsonMap | None) -> bool:
    """What the first layer that says so says; false where none does."""
    for layer in layers:
        for path in ("headless", "posture.headless"):
            value: Json = at_path(layer, path)
            if isinstance(value, bool):
                return value
    return False


def ref_of_source(spec: JsonMap) -> Ref:
    """What a profile or instance is over."""
    for field, kind in (("profileRef", "LaunchProfile"), ("specialistRef", "Specialist"), ("recipeRef", "Recipe")):
        name = spec.get(field)
        if isinstance(name, str):
            return Ref(kind, name)
    return Ref("Specialist", "")
