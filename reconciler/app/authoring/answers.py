"""What the authoring commands answer: the JSON shapes of project-and-build §5 and §6, from what is recorded."""

from reconciler.app.authoring.recorded import Recorded
from reconciler.build.selector import provider_of
from reconciler.kinds import content
from reconciler.kinds.auth_profile.bundle import place
from reconciler.kinds.specialist.schema import LAUNCH_FIELDS, recipe_name
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import at_path

EASY, EXPLICIT = "easy-profile", "launch-profile"


class Answers:
    """Payloads of one session."""

    __slots__ = ("_at", "recorded")

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded
        self._at = recorded.session.reader.places

    @property
    def project(self) -> str:
        """The directory that holds the overlay."""
        return self._at.project

    @property
    def catalog(self) -> str:
        """Where every definition is kept: the metadata path of all of them."""
        return self._at.catalog

    # -- places in the view

    def role_file(self, name: str) -> str:
        """`roles/<role>/system-prompt.md`."""
        return f"{self._at.agents}/roles/{name}/system-prompt.md"

    def recipe_file(self, name: str) -> str:
        """`presets/<recipe>.yaml`."""
        return f"{self._at.agents}/presets/{name}.yaml"

    def skill_path(self, name: str) -> str:
        """`skills/<skill>`."""
        return f"{self._at.agents}/skills/{name}"

    def auth_path(self, name: str | None) -> str | None:
        """`tools/<tool>/auth/<bundle>`, for a credential the overlay keeps."""
        ref = Ref("AuthProfile", name or "")
        row = self.recorded.rows.get(ref)
        if row is None or not self.recorded.contents(ref):
            return None
        tool = str(self.recorded.spec(ref)["provider"])
        return f"{self._at.agents}/tools/{tool}/auth/{row.uid}"

    # -- specialists

    def specialist(self, name: str) -> JsonMap:
        """The payload of `specialist get`."""
        ref = Ref("Specialist", name)
        spec = self.recorded.spec(ref)
        tool, setup = str(spec["provider"]), str(spec["setupRef"])
        recipe = recipe_name(name, tool, setup)
        skills = _names(spec.get("skillRefs"))
        auth = _text(spec.get("authRef"))
        return {
            "name": name,
            "tool": tool,
            "provider": provider_of(tool),
            "setup": setup,
            "credential": auth,
            "role_name": name,
            "preset_name": recipe,
            "skills": [*skills],
            "skill_bindings": [self.skill(skill) for skill in skills],
            "launch": launch(spec),
            "generated": {
                "role_prompt": self.role_file(name),
                "preset": self.recipe_file(recipe),
                "auth": self.auth_path(auth),
                "skills": [self.skill_path(skill) for skill in skills],
            },
            "metadata_path": self.catalog,
        }

    # -- profiles

    def profile(self, name: str) -> JsonMap:
        """The payload of `profile get` and `launch-profiles get`."""
        ref = Ref("LaunchProfile", name)
        spec = self.recorded.spec(ref)
        lane, word, source = source_of(spec)
        told = self._source(word, source)
        path = f"{self._at.agents}/launch-profiles/{name}.yaml"
        body: JsonMap = {"name": name, "profile_lane": lane, word: source}
        if told.get("exists"):
            body["tool"] = told["tool"]
        body |= {"source": told, "defaults": self._defaults(spec)}
        resume = self.recorded.kinds.schema("LaunchProfile")
        written = resume.sparse(spec).get("resume") if resume else None
        if isinstance(written, dict) and written:
            body["relaunch"] = {"chat_session": _resume(spec)}
        return body | {"path": path, "metadata_path": self.catalog}

    def _source(self, word: str, name: str) -> JsonMap:
        kind = "Specialist" if word == "specialist" else "Recipe"
        if Ref(kind, name) not in self.recorded.rows:
            return {"kind": word, "name": name, "exists": False}
        spec = self.recorded.spec(Ref(kind, name))
        tool, setup = str(spec["provider"]), str(spec["setupRef"])
        recipe = recipe_name(name, tool, setup) if kind == "Specialist" else name
        role = name if kind == "Specialist" else str(spec["roleRef"])
        return {
            "kind": word,
            "name": name,
            "exists": True,
            "path": self.catalog if kind == "Specialist" else self.recipe_file(name),
            "recipe": recipe,
            "recipe_path": self.recipe_file(recipe),
            "tool": tool,
            "provider": provider_of(tool),
            "role_name": role,
        }

    def _defaults(self, spec: JsonMap) -> JsonMap:
        """The stored defaults in the words of the profile's file; texts are said to be there, not repeated."""
        overlay, seed = spec.get("promptOverlay"), spec.get("memoSeed")
        skills = spec.get("skills")
        private = at_path(skills, "private")
        gateway = at_path(spec.get("gateway"), "enabled")
        listed: list[Json] = [
            {"name": item.get("name"), "mode": item.get("mode")}
            for item in (private if isinstance(private, list) else [])
            if isinstance(item, dict)
        ]
        found: JsonMap = {
            "agent_name": spec.get("agentName"),
            "agent_id": spec.get("agentId"),
            "workdir": spec.get("workdir"),
            "auth": spec.get("authRef"),
            "model": _model(spec),
            "prompt_mode": spec.get("promptMode"),
            "env": spec.get("env"),
            "posture": _said(
                {
                    "headless": at_path(spec, "posture.headless"),
                    "gateway_auto_attach": gateway
                    if isinstance(gateway, bool) and "gateway" in self._written(spec)
                    else None,
                }
            ),
            "system_skills": self._written(spec).get("systemSkills"),
            "managed_header": spec.get("managedHeader"),
            "managed_header_sections": spec.get("managedHeaderSections"),
            "skills": _said({"registered": at_path(skills, "registered"), "private": listed}),
            "prompt_overlay": {"mode": at_path(overlay, "mode"), "present": True} if overlay else None,
            "memo_seed": {"present": True, "source_kind": "tree" if at_path(seed, "dir") else "memo"} if seed else None,
        }
        return _said(found)

    def _written(self, spec: JsonMap) -> JsonMap:
        schema = self.recorded.kinds.schema("LaunchProfile")
        return schema.sparse(spec) if schema else {}

    def lane(self, name: str) -> str:
        """`easy-profile` over a specialist, `launch-profile` over a recipe."""
        return source_of(self.recorded.spec(Ref("LaunchProfile", name)))[0]

    # -- low level

    def role(self, name: str) -> JsonMap:
        """The payload of `roles get`."""
        ref = Ref("Role", name)
        self.recorded.row(ref)
        users = [user for user in self._recipes() if user["role"] == name]
        return {
            "name": name,
            "role_path": f"{self._at.agents}/roles/{name}",
            "system_prompt_path": self.role_file(name),
            "system_prompt_exists": self.recorded.session.reader.files.stamp(self.role_file(name)) is not None,
            "recipes": [str(user["name"]) for user in users],
        }

    def _recipes(self) -> list[JsonMap]:
        return [self.recipe(ref.name) for ref in self.recorded.of("Recipe")]

    def recipe(self, name: str) -> JsonMap:
        """The payload of `recipes get`."""
        spec = self.recorded.spec(Ref("Recipe", name))
        inner = spec.get("launch")
        return {
            "name": name,
            "role": spec.get("roleRef"),
            "tool": spec.get("provider"),
            "setup": spec.get("setupRef"),
            "skills": [*_names(spec.get("skillRefs"))],
            "auth": spec.get("authRef"),
            "launch": launch(inner if isinstance(inner, dict) else {}),
            "mailbox": spec.get("mailbox"),
            "extra": spec.get("extra") or {},
            "path": self.recipe_file(name),
        }

    def skill(self, name: str) -> JsonMap:
        """The payload of `skills get`, and of a binding."""
        ref = Ref("Skill", name)
        spec = self.recorded.spec(ref)
        return {
            "name": name,
            "mode": spec.get("mode"),
            "source_path": None,  # the store holds a copy, whatever the mode; where it came from is nobody's business
            "canonical_path": f"{self._at.content}/{content.skill_tree(name)}",
            "projection_path": self.skill_path(name),
            "metadata_path": self.catalog,
        }

    def setups(self, tool: str) -> list[str]:
        """Names of the setups of a tool: its own, and those declared."""
        provider = self.recorded.session.reader.providers[tool]
        declared = [ref.name for ref in self.recorded.of("Setup") if self.recorded.spec(ref).get("provider") == tool]
        return sorted({*provider.setups, *declared})

    def setup_path(self, tool: str, name: str) -> str:
        """Its place in the view."""
        return f"{self._at.agents}/tools/{tool}/setups/{name}"

    def tool(self, tool: str) -> JsonMap:
        """The payload of `tools get`."""
        root = f"{self._at.agents}/tools/{tool}"
        adapter = f"{root}/adapter.yaml"
        return {
            "tool": tool,
            "tool_root": root,
            "adapter_path": adapter,
            "adapter_present": self.recorded.session.reader.files.stamp(adapter) is not None,
            "setups": [*self.setups(tool)],
            "auth_bundles": [*self.credentials(tool)],
            "project_root": self.project,
        }

    def credentials(self, tool: str) -> list[str]:
        """Display names of the credentials of a tool."""
        found = self.recorded.of("AuthProfile")
        return [ref.name for ref in found if self.recorded.spec(ref).get("provider") == tool]

    def bundle_path(self, name: str, tool: str) -> str:
        """Where the bytes of a credential that the overlay keeps lie."""
        return f"{self._at.content}/{place(tool, self.recorded.row(Ref('AuthProfile', name)).uid)}"


def source_of(spec: JsonMap) -> tuple[str, str, str]:
    """Lane, word and name of what a profile is over."""
    name = spec.get("specialistRef")
    if isinstance(name, str):
        return EASY, "specialist", name
    return EXPLICIT, "recipe", str(spec.get("recipeRef"))


def launch(spec: JsonMap) -> JsonMap:
    """Launch settings in the words of a recipe file."""
    values = {key: spec.get(key) for key in (*LAUNCH_FIELDS, "overrides")}
    overrides = values["overrides"]
    system = values["systemSkills"]
    found: JsonMap = {
        "prompt_mode": values["promptMode"],
        "model": _model(spec),
        "env_records": values["env"],
        "overrides": _said({"args": at_path(overrides, "args"), "tool_params": at_path(overrides, "toolParams")}),
        "system_skills": system if at_path(system, "mode") != "default" else None,
    }
    return _said(found)


def _model(spec: JsonMap) -> JsonMap:
    level = spec.get("reasoning")
    return _said({"name": spec.get("model"), "reasoning": None if level is None else {"level": level}})


def _resume(spec: JsonMap) -> JsonMap:
    resume = spec.get("resume")
    return _said({"mode": at_path(resume, "mode"), "id": at_path(resume, "id")})


def _said(value: JsonMap) -> JsonMap:
    """Without what is absent or empty."""
    return {key: item for key, item in value.items() if item is not None and item not in ({}, [], "")}


def _names(value: Json) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
