"""The launch plan: from a manifest and a role to the words, variables and prompt injection of one start.

Everything but facts of the machine comes from the manifest, so a plan made at build and one made at a later relaunch
from the same manifest agree.
"""

from collections.abc import Mapping

from reconciler.build import model_selection
from reconciler.build.fault import refuse
from reconciler.build.merge import at
from reconciler.model.json import Json, JsonMap
from reconciler.ports.build import (
    Adapter,
    ArgsOverride,
    Host,
    LaunchOrder,
    LaunchOverrides,
    LaunchPlan,
    LaunchPlanRequest,
    RoleInjection,
    Strategy,
)
from reconciler.ports.provider import LOCAL_INTERACTIVE, PromptMode, Provider, Resume, backend_of

STRATEGY_VARIABLE = "HOUMAO_LAUNCH_POLICY_OVERRIDE_STRATEGY"


def launch_plan(
    request: LaunchPlanRequest,
    provider: Provider,
    *,
    host: Host,
    resume: Resume | None = None,
    pointers: Mapping[str, str] | None = None,
) -> LaunchPlan:
    """The plan of one start. `pointers` are variables that lead the agent to its own files.

    Raises ActionFailed: `build.backend`, `build.reserved_arg`, `build.tool_param`, `build.strategy`.
    """
    manifest = request.brain_manifest
    headless = check_backend(request.backend, provider)
    contract = at(manifest, "runtime", "launch_contract")
    mode = PromptMode(text(at(manifest, "launch_policy", "operator_prompt_mode")))
    preset = overrides_of(at(contract, "requested_overrides", "preset"))
    direct = overrides_of(at(contract, "requested_overrides", "direct"))
    args, translated = merged_args(provider.adapter, preset, direct, request.backend)
    if headless:
        check_reserved(args, provider, request.backend)
    model = provider.model_projection(model_selection.of_json(at(contract, "model_selection")))
    selected = names(at(manifest, "credentials", "env_contract", "selected_env_vars"))
    files = [text(at(item, "source")) for item in items(at(manifest, "credentials", "projected_files"))]
    credentials = frozenset([*names(at(manifest, "credentials", "env_contract", "usable_env_vars")), *files])
    home_path = text(at(manifest, "runtime", "home_path"))
    line = provider.launch(LaunchOrder(headless, mode, resume or Resume(), args, model, host, home_path, credentials))
    records = {name: text(value) for name, value in mapping(at(contract, "env_records")).items()}
    env = {provider.adapter.home_env_var: home_path, **line.env, **provider.derived_env(credentials), **records}
    env |= pointers or {}
    return LaunchPlan(
        backend=request.backend,
        tool=provider.name,
        executable=host.executable[0],
        args=(*host.executable[1:], *line.args),
        working_directory=request.working_directory,
        home_env_var=provider.adapter.home_env_var,
        home_path=home_path,
        env=env,
        env_var_names=tuple(sorted({*env, *selected})),
        role_injection=RoleInjection(
            provider.role_injection, request.role_package.role_name, request.role_package.system_prompt
        ),
        metadata={
            "env_source_file": at(manifest, "credentials", "env_contract", "source_file"),
            "selected_env_vars": [*selected],
            "launch_overrides": {
                "adapter_defaults": at(contract, "adapter_defaults"),
                "requested_overrides": {"recipe": preset.to_json() or None, "direct": direct.to_json() or None},
                "merged_request": {"args": [*args], "tool_params": {**tool_params(provider.adapter, preset, direct)}},
                "backend_resolution": {
                    "backend": request.backend,
                    "translated_args": [*translated],
                    "args_before_launch_policy": [*args],
                    "args_after_launch_policy": [*line.args],
                    "protocol_reserved_args": [*sorted(provider.reserved_args)] if headless else [],
                },
                "construction_provenance": at(contract, "construction_provenance"),
            },
            "launch_policy_request": {"operator_prompt_mode": mode.value},
        },
        mailbox=request.mailbox,
        launch_policy_provenance=provenance(provider, mode, host),
        line=line,
    )


def check_backend(backend: str, provider: Provider) -> bool:
    """Whether the backend is headless; raises where the provider does not have it."""
    if backend == LOCAL_INTERACTIVE and provider.interactive:
        return False
    if backend == backend_of(provider.name, headless=True) and provider.headless:
        return True
    raise refuse("backend", f"{provider.name} cannot be started as {backend!r}", "choose another provider or backend")


def merged_args(
    adapter: Adapter, preset: LaunchOverrides, direct: LaunchOverrides, backend: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(all words, those that typed parameters became). Direct's whole section wins; sections do not stack."""
    section = direct.args or preset.args
    args = adapter.args
    if section is not None:
        args = section.values if section.mode == "replace" else (*args, *section.values)
    translated = _translated(adapter, tool_params(adapter, preset, direct), backend)
    return (*args, *translated), translated


def tool_params(adapter: Adapter, preset: LaunchOverrides, direct: LaunchOverrides) -> dict[str, Json]:
    """Typed parameters, merged key by key; raises for an unknown key or a wrong type."""
    given = {**preset.tool_params, **direct.tool_params}
    for name, value in {**adapter.default_tool_params, **given}.items():
        param = adapter.tool_params.get(name)
        if param is None:
            known = ", ".join(sorted(adapter.tool_params)) or "none"
            raise refuse("tool_param", f"{adapter.tool} has no parameter {name!r}", f"known parameters: {known}")
        if not isinstance(value, bool):
            raise refuse("tool_param", f"parameter {name!r} of {adapter.tool} must be true or false")
    return {**adapter.default_tool_params, **given}


def _translated(adapter: Adapter, params: Mapping[str, Json], backend: str) -> tuple[str, ...]:
    words: list[str] = []
    for name, value in sorted(params.items()):
        pair = adapter.tool_params[name].backends.get("raw_launch" if backend == LOCAL_INTERACTIVE else backend)
        if pair is not None:
            words += pair[0] if value else pair[1]
        elif name not in adapter.default_tool_params:
            raise refuse("tool_param", f"parameter {name!r} of {adapter.tool} means nothing to {backend}")
    return tuple(words)


def check_reserved(args: tuple[str, ...], provider: Provider, backend: str) -> None:
    """Raise for a word the protocol of a headless turn needs for itself."""
    for word in args:
        if word.partition("=")[0] in provider.reserved_args:
            raise refuse("reserved_arg", f"{word!r} may not be overridden for {backend}", "remove it")


def provenance(provider: Provider, mode: PromptMode, host: Host) -> JsonMap | None:
    """Which unattended strategy was chosen; raises where none holds for the detected version. None when as_is."""
    if mode is PromptMode.AS_IS or not provider.strategies:
        return None
    strategy = _strategy(provider, host)
    return {
        "requested_operator_prompt_mode": mode.value,
        "detected_tool_version": host.tool_version,
        "selected_strategy_id": strategy.id,
        "selection_source": "env_override" if host.strategy else "registry",
        "override_env_var_name": STRATEGY_VARIABLE if host.strategy else None,
    }


def _strategy(provider: Provider, host: Host) -> Strategy:
    ids = ", ".join(strategy.id for strategy in provider.strategies)
    if host.strategy:
        for strategy in provider.strategies:
            if strategy.id == host.strategy:
                return strategy
        raise refuse("strategy", f"{provider.name} has no unattended strategy {host.strategy!r}", f"known: {ids}")
    if host.tool_version is None:
        return provider.strategies[0]
    version = version_of(host.tool_version)
    for strategy in provider.strategies:
        if version >= strategy.minimum:
            return strategy
    raise refuse(
        "strategy",
        f"no unattended strategy for {provider.name} {host.tool_version}",
        f"install a newer {provider.name}, or set promptMode: as_is",
    )


def version_of(text: str) -> tuple[int, ...]:
    """The first dotted number in what `--version` printed; () when there is none."""
    import re

    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(map(int, found.group().split("."))) if found else ()


def overrides_of(value: Json) -> LaunchOverrides:
    """Overrides as `to_json` wrote them; None is none."""
    section = at(value, "args")
    args = None
    if section is not None:
        args = ArgsOverride(text(at(section, "mode")), tuple(names(at(section, "values"))))
    return LaunchOverrides(args, dict(mapping(at(value, "tool_params"))))


def text(value: Json) -> str:
    """Text that a manifest must have."""
    if not isinstance(value, str):
        raise refuse("manifest", f"the manifest lacks a text where one is needed, got {value!r}", "build again")
    return value


def mapping(value: Json) -> Mapping[str, Json]:
    """A mapping; None is empty."""
    return value if isinstance(value, dict) else {}


def items(value: Json) -> list[Json]:
    """A list; None is empty."""
    return value if isinstance(value, list) else []


def names(value: Json) -> list[str]:
    """A list of text; None is empty."""
    return [item for item in items(value) if isinstance(item, str)]
