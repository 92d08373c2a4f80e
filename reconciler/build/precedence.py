"""Which value of each launch setting wins: one table, one function for every caller.

    adapter defaults < recipe (or specialist) < launch profile < instance < direct

A layer speaks in the canonical fields of its kind; what it leaves out falls through. Nothing here reads or writes: the
layers come in as plain values, and no stored one is ever changed by a direct one.
"""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.build import prompt
from reconciler.build.fault import refuse
from reconciler.build.merge import at
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.build import ArgsOverride, BuildRequest, LaunchOverrides, ModelConfig, PrivateSkill
from reconciler.ports.provider import PromptMode, Resume, ResumeMode

DEFAULT_SETUP = "default"


class Overlay(NamedTuple):
    """A prompt overlay: its mode, and the digest of its text."""

    mode: str
    digest: str


class Closure(NamedTuple):
    """Digests of what the settings name, from the canonical specs they refer to (R-CAN-1a)."""

    prompt: str
    """Digest of the role's text."""
    setup: str
    skills: Mapping[str, str] = {}
    """By name: every registered skill of `Resolved.skills`."""
    auth_version: str = ""


class Resolved(NamedTuple):
    """Every setting of one launch, decided. None means that nobody said anything and there is no default."""

    provider: str
    setup: str
    skills: tuple[str, ...]
    private_skills: tuple[PrivateSkill, ...]
    private_digests: Mapping[str, str]
    """Digest of each private skill, where its layer knows it."""
    auth: str | None
    source_model: ModelConfig | None
    profile_model: ModelConfig | None
    direct_model: ModelConfig | None
    env: Mapping[str, str]
    """Durable variables: recipe under profile."""
    transient_env: Mapping[str, str]
    """One-off variables: never stored, never in the launch digest."""
    prompt_mode: PromptMode
    preset_overrides: LaunchOverrides | None
    direct_overrides: LaunchOverrides | None
    agent_name: str | None
    agent_id: str | None
    workdir: str | None
    headless: bool
    display: tuple[str, str] | None
    """Style and detail of the turns in the pane of a headless agent; None where none are shown."""
    overlay: Overlay | None
    header: prompt.HeaderPolicy
    system_skills: tuple[str, ...]
    source_system_skills: JsonMap | None
    profile_system_skills: JsonMap | None
    memo_seed: JsonMap | None
    mailbox: JsonMap | None
    gateway: JsonMap | None
    resume: Resume
    extra: JsonMap | None

    def intent(self, closure: Closure) -> JsonMap:
        """What the launch digest is taken over (R-CAN-5): what is meant to run, and nothing of how or where.

        No path of a host, no version, no time, no secret; fields equal to their default are left out (R-CAN-6), so a
        release that adds one changes no digest.
        """
        skills = {name: closure.skills.get(name, "") for name in self.skills} | dict(self.private_digests)
        out: JsonMap = {"provider": self.provider, "prompt": closure.prompt, "setup": closure.setup}
        optional: dict[str, Json] = {
            "skills": {**skills},
            "env": {**self.env},
            "model": _winner(self._models(), "name"),
            "reasoning": _winner(self._models(), "reasoning_level"),
            "args": self._args(),
            "toolParams": self._tool_params(),
            "workdir": self.workdir,
            "promptMode": None if self.prompt_mode is PromptMode.UNATTENDED else self.prompt_mode.value,
            "headless": self.headless or None,
            "headlessDisplay": [*self.display] if self.display else None,
            "overlay": {**self.overlay._asdict()} if self.overlay else None,
            "header": self._header(),
            "agentName": self.agent_name,
            "agentId": self.agent_id,
            "systemSkills": [*self.system_skills],
            "authVersion": closure.auth_version or None,
        }
        return out | {name: value for name, value in optional.items() if value is not None and value not in ({}, [])}

    def _models(self) -> tuple[ModelConfig | None, ...]:
        return (self.source_model, self.profile_model, self.direct_model)

    def _args(self) -> Json:
        section = (self.direct_overrides and self.direct_overrides.args) or (
            self.preset_overrides and self.preset_overrides.args
        )
        return {"mode": section.mode, "values": [*section.values]} if section else None

    def _tool_params(self) -> JsonMap:
        layers = [layer for layer in (self.preset_overrides, self.direct_overrides) if layer is not None]
        return {name: value for layer in layers for name, value in layer.tool_params.items()}

    def _header(self) -> JsonMap:
        enabled = self.header.launch if self.header.launch is not None else self.header.profile
        sections = {**self.header.profile_sections, **self.header.launch_sections}
        defaults = {section.name: section.default for section in prompt.SECTIONS}
        out: JsonMap = {name: on for name, on in sorted(sections.items()) if on != defaults.get(name)}
        if enabled is False:
            return {"enabled": False}
        return out


def resolve(
    recipe: Mapping[str, Json],
    profile: Mapping[str, Json] | None = None,
    instance: Mapping[str, Json] | None = None,
    direct: Mapping[str, Json] | None = None,
) -> Resolved:
    """Decide every setting from its layers.

    `recipe` is the canonical spec of a Recipe or a Specialist, `profile` that of a LaunchProfile, `instance` that of an
    Instance; `direct` has the instance's fields and, for a launch by hand, `env`, `promptMode` and `overrides`.
    """
    source = _flat(recipe)
    profile, instance, direct = dict(profile or {}), dict(instance or {}), dict(direct or {})
    layers: tuple[Mapping[str, Json], ...] = (direct, instance, profile, source)
    skills, private, private_digests = _skills(source, profile)
    return Resolved(
        provider=_text(source.get("provider")) or "",
        setup=_first_text(layers, "setupRef") or DEFAULT_SETUP,
        skills=skills,
        private_skills=private,
        private_digests=private_digests,
        auth=_first_text(layers, "authRef"),
        source_model=_model(source),
        profile_model=_model(profile),
        direct_model=_model(instance, direct),
        env={**_texts(source.get("env")), **_texts(profile.get("env"))},
        transient_env=_texts(direct.get("env")),
        prompt_mode=PromptMode(_first_text(layers, "promptMode") or PromptMode.UNATTENDED),
        preset_overrides=_overrides(source, profile),
        direct_overrides=_overrides(instance, direct),
        agent_name=_first_text(layers, "agentName"),
        agent_id=_first_text(layers, "agentId"),
        workdir=_first_text(layers, "workdir"),
        headless=_headless(layers),
        display=_display(layers) if _headless(layers) else None,
        overlay=_overlay(layers),
        header=_header(profile, instance, direct),
        system_skills=_system_skills(source, profile),
        source_system_skills=_map(source.get("systemSkills")) or None,
        profile_system_skills=_map(profile.get("systemSkills")) or None,
        memo_seed=_map(profile.get("memoSeed")) or None,
        mailbox=_first_map(layers, "mailbox"),
        gateway=_gateway(layers),
        resume=_resume(layers),
        extra=_map(source.get("extra")) or None,
    )


def request(
    resolved: Resolved,
    *,
    agent_def_dir: str,
    agent_name: str,
    agent_id: str,
    composed: prompt.Composed,
    home_id: str | None = None,
    preset_path: str | None = None,
    runtime_root: str | None = None,
    profile: JsonMap | None = None,
) -> BuildRequest:
    """The build request of resolved settings: the one way from a recipe to a build, for every caller.

    `profile` is the provenance of a launch profile, where there is one. Raises ActionFailed (`build.system_skill`) for
    one of the program's own skills that does not exist: this release ships none.
    """
    if resolved.system_skills:
        names = ", ".join(resolved.system_skills)
        raise refuse("system_skill", f"there are no system skills of these names: {names}", "leave them out")
    return BuildRequest(
        agent_def_dir=agent_def_dir,
        tool=resolved.provider,
        skills=resolved.skills,
        setup=resolved.setup,
        auth=resolved.auth,
        preset_path=preset_path,
        runtime_root=runtime_root,
        mailbox=resolved.mailbox,
        agent_name=agent_name,
        agent_id=agent_id,
        home_id=home_id,
        private_skills=resolved.private_skills,
        preset_launch_overrides=resolved.preset_overrides,
        launch_overrides=resolved.direct_overrides,
        preset_model_config=resolved.source_model,
        launch_profile_model_config=resolved.profile_model,
        direct_model_config=resolved.direct_model,
        operator_prompt_mode=resolved.prompt_mode,
        persistent_env_records=resolved.env,
        source_system_skill_policy=resolved.source_system_skills,
        launch_profile_system_skill_policy=resolved.profile_system_skills,
        role_prompt_override=composed.text,
        managed_prompt_header=composed.header,
        houmao_system_prompt_layout=composed.layout,
        launch_profile_provenance=profile,
        extra=resolved.extra,
    )


def compose(
    resolved: Resolved, *, role: str, overlay: str = "", appendix: str = "", identity: prompt.Identity
) -> prompt.Composed:
    """The prompt of resolved settings, from the texts they name."""
    mode = resolved.overlay.mode if resolved.overlay else ""
    return prompt.compose(prompt.Fragments(role, mode, overlay, appendix), resolved.header, identity)


def _flat(recipe: Mapping[str, Json]) -> dict[str, Json]:
    """A recipe keeps its launch settings in `launch`, a specialist at its top: one shape for both."""
    out = {name: value for name, value in recipe.items() if name != "launch"}
    for name, value in _map(recipe.get("launch")).items():
        out.setdefault(name, value)
    return out


def _first_text(layers: Iterable[Mapping[str, Json]], name: str) -> str | None:
    return next((found for layer in layers if (found := _text(layer.get(name))) is not None), None)


def _first_map(layers: Iterable[Mapping[str, Json]], name: str) -> JsonMap | None:
    return next((found for layer in layers if (found := _map(layer.get(name)))), None)


def _gateway(layers: Sequence[Mapping[str, Json]]) -> JsonMap | None:
    """Field by field: what an instance leaves out is its profile's; a recipe's `extra.gateway` has host and port."""
    found: JsonMap = {}
    tui: JsonMap = {}
    for layer in reversed(layers):
        extra = _map(at(layer.get("extra"), "gateway"))
        found |= {name: extra[name] for name in ("host", "port") if extra.get(name) is not None}
        said = _map(layer.get("gateway"))
        tui |= {name: value for name, value in _map(said.get("tui")).items() if value is not None}
        found |= {name: value for name, value in said.items() if name != "tui" and value is not None}
    return {**found, **({"tui": tui} if tui else {})} or None


def _text(value: Json) -> str | None:
    """Text that is not empty, or the name of a `{name}` reference."""
    if isinstance(value, dict):
        value = value.get("name")
    return value if isinstance(value, str) and value else None


def _map(value: Json) -> JsonMap:
    return value if isinstance(value, dict) else {}


def _texts(value: Json) -> dict[str, str]:
    return {name: item for name, item in sorted(_map(value).items()) if isinstance(item, str)}


def _list(value: Json) -> list[str]:
    return [found for item in value if (found := _text(item)) is not None] if isinstance(value, list) else []


def _model(*layers: Mapping[str, Json]) -> ModelConfig | None:
    """The later layers' halves win."""
    name, level = None, None
    for layer in layers:
        name = _text(layer.get("model")) or name
        found = layer.get("reasoning")
        level = found if isinstance(found, int) and not isinstance(found, bool) else level
    return None if name is None and level is None else ModelConfig(name, level)


def _winner(models: tuple[ModelConfig | None, ...], half: str) -> Json:
    values = [getattr(model, half) for model in models if model is not None]
    found: Json = next((value for value in reversed(values) if value is not None), None)
    return found


def _skills(
    source: Mapping[str, Json], profile: Mapping[str, Json]
) -> tuple[tuple[str, ...], tuple[PrivateSkill, ...], dict[str, str]]:
    registered = [*_list(source.get("skillRefs")), *_list(at(profile.get("skills"), "registered"))]
    private: list[PrivateSkill] = []
    digests: dict[str, str] = {}
    found = at(profile.get("skills"), "private")
    for item in found if isinstance(found, list) else []:
        name = _text(at(item, "name")) or ""
        path = at(item, "path")
        private.append(PrivateSkill(name, path if isinstance(path, str) else "", _text(at(item, "mode")) or "copy"))
        digest = at(path, "digest")
        if isinstance(digest, str):
            digests[name] = digest
    private.sort()
    return tuple(dict.fromkeys(registered)), tuple(private), digests


def _overrides(*layers: Mapping[str, Json]) -> LaunchOverrides | None:
    """The last layer's `args` section wins as a whole; parameters are merged key by key."""
    args: ArgsOverride | None = None
    params: JsonMap = {}
    for layer in layers:
        section = at(layer.get("overrides"), "args")
        if isinstance(section, dict):
            values = section.get("values")
            words = [item for item in values if isinstance(item, str)] if isinstance(values, list) else []
            args = ArgsOverride(_text(section.get("mode")) or "append", tuple(words))
        params |= _map(at(layer.get("overrides"), "toolParams"))
    return LaunchOverrides(args, params) if args or params else None


def _headless(layers: Iterable[Mapping[str, Json]]) -> bool:
    for layer in layers:
        for value in (layer.get("headless"), at(layer.get("posture"), "headless")):
            if isinstance(value, bool):
                return value
    return False


def _display(layers: Iterable[Mapping[str, Json]]) -> tuple[str, str] | None:
    for layer in layers:
        found = _map(layer.get("headlessDisplay"))
        if found:
            return _text(found.get("style")) or "plain", _text(found.get("detail")) or "concise"
    return None


def _overlay(layers: Iterable[Mapping[str, Json]]) -> Overlay | None:
    for layer in layers:
        found = layer.get("promptOverlay")
        mode = _text(at(found, "mode"))
        if mode is None:
            continue
        for name in ("text", "file"):
            digest = at(found, name, "digest")
            if isinstance(digest, str):
                return Overlay(mode, digest)
        raise refuse("overlay", "a prompt overlay has a mode and no text", "add text, or leave the overlay out")
    return None


def _header(
    profile: Mapping[str, Json], instance: Mapping[str, Json], direct: Mapping[str, Json]
) -> prompt.HeaderPolicy:
    launch = _switch(direct.get("managedHeader"))
    if launch is None:
        launch = _switch(instance.get("managedHeader"))
    sections = {**_switches(instance.get("managedHeaderSections")), **_switches(direct.get("managedHeaderSections"))}
    stored = _switches(profile.get("managedHeaderSections"))
    prompt.check_sections([*sections, *stored])
    return prompt.HeaderPolicy(launch, _switch(profile.get("managedHeader")), sections, stored)


def _switch(value: Json) -> bool | None:
    """`enabled`, `disabled` and booleans; `inherit` and silence are None."""
    if isinstance(value, bool):
        return value
    return {"enabled": True, "disabled": False}.get(value) if isinstance(value, str) else None


def _switches(value: Json) -> dict[str, bool]:
    return {name: on for name, item in sorted(_map(value).items()) if (on := _switch(item)) is not None}


def _system_skills(source: Mapping[str, Json], profile: Mapping[str, Json]) -> tuple[str, ...]:
    """The source's mode on nothing (no skill is ours by default), then the profile's mode on that."""
    chosen: list[str] = []
    for layer in (source, profile):
        policy = _map(layer.get("systemSkills"))
        named = [*_list(policy.get("sets")), *_list(policy.get("skills"))]
        match policy.get("mode"):
            case "none":
                chosen = []
            case "replace":
                chosen = named
            case "extend":
                chosen = [*chosen, *named]
    return tuple(dict.fromkeys(chosen))


def _resume(layers: Iterable[Mapping[str, Json]]) -> Resume:
    for layer in layers:
        mode = _text(at(layer.get("resume"), "mode"))
        if mode is not None:
            return Resume(ResumeMode(mode), _text(at(layer.get("resume"), "id")) or "")
    return Resume()
