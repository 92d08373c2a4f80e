"""Which column holds which path of a spec: one table per kind, read and written by the same two functions.

A value that fits its column lives there and nowhere else, so an edit by another program shows in the facts. What has no
column, or does not fit it, lives in `spec_payload`. Where a column holds nothing, `spec_payload` speaks.
"""

from reconciler.model.tuples import NamedTuple


class Column(NamedTuple):
    """The value at `path`, in `column` or below `key` of the JSON object in it.

    `absent` means the same as no value, and is what a `required` (NOT NULL) column then holds; `choices` is what its
    constraint allows. `of` names another table that the definition's row refers to.
    """

    path: str
    column: str
    form: str = "text"
    key: str = ""
    absent: str = ""
    choices: tuple[str, ...] = ()
    of: str = ""
    required: bool = False


class Link(NamedTuple):
    """A reference: the name at `path`, the id of the row of kind `target` in `column`.

    `built_in` is a name that needs no row; the column is then null.
    """

    path: str
    column: str
    target: str
    of: str = ""
    built_in: str = ""


class Members(NamedTuple):
    """A list of skill names at `path`: rows of a junction table, in order."""

    path: str
    table: str
    owner: str
    of: str = ""


class Private(NamedTuple):
    """A list of `{name, path, mode}` at `path`: skills of this definition alone, rows of a table of their own.

    Their payloads are known by `<path>[name=<name>].path`; `source_path` says where each lies.
    """

    path: str
    table: str
    owner: str

    def payload(self, name: str) -> str:
        """The path under which the payload of one of them goes."""
        return f"{self.path}[name={name}].path"


class Slot(NamedTuple):
    """A payload: the row of `content_refs` in `column`; the spec says digest and size at one of `paths`.

    `shown` is False where the spec says something else there, such as the source of a credential. `word` names a column
    that says which path it is, with the word for each.
    """

    paths: tuple[str, ...]
    column: str
    of: str = ""
    shown: bool = True
    word: str = ""
    words: tuple[str, ...] = ()


class Choice(NamedTuple):
    """The name at one of several paths; which one it is stands in two fixed columns."""

    column: str
    lane: str
    kind: str
    paths: tuple[tuple[str, str, str], ...]
    """Path, its value in `lane`, its value in `kind`."""


class Joined(NamedTuple):
    """Another table whose row this definition owns: `column` holds its id."""

    table: str
    column: str
    kind: str


class Mapped(NamedTuple):
    """Everything about one kind's table."""

    kind: str
    table: str
    columns: tuple[Column, ...] = ()
    links: tuple[Link, ...] = ()
    members: tuple[Members, ...] = ()
    private: tuple[Private, ...] = ()
    slots: tuple[Slot, ...] = ()
    choice: Choice | None = None
    joined: tuple[Joined, ...] = ()
    name: str = "name"
    tool: str = ""
    """Column of the provider, where a name is unique per provider only."""
    stamps: tuple[str, ...] = ()


DEFAULT_SETUP = "default"
"""The provider's own setup, unless one of this name is declared."""

_STAMPS = ("created_at", "updated_at")
_LAUNCH = "launch_payload"

_AUTH = Mapped(
    "AuthProfile",
    "auth_profiles",
    columns=(Column("provider", "tool", required=True),),
    slots=(Slot(("source",), "content_ref_id", shown=False),),
    name="display_name",
    tool="tool",
    stamps=_STAMPS,
)
_SETUP = Mapped(
    "Setup",
    "setup_profiles",
    columns=(Column("provider", "tool", required=True),),
    slots=(Slot(("path",), "content_ref_id"),),
    tool="tool",
)
_SKILL = Mapped(
    "Skill",
    "skill_packages",
    columns=(
        Column("mode", "mode", absent="copy", choices=("copy", "symlink"), required=True),
        Column("source", "source_path"),
    ),
    slots=(Slot(("path", "source"), "content_ref_id"),),
)
_ROLE = Mapped("Role", "roles", slots=(Slot(("prompt", "promptFile"), "prompt_content_ref_id"),))
_RECIPE = Mapped(
    "Recipe",
    "presets",
    columns=(
        Column("provider", "tool", required=True),
        Column("launch.promptMode", _LAUNCH, key="prompt_mode"),
        Column("launch.model", _LAUNCH, key="model.name"),
        Column("launch.reasoning", _LAUNCH, "int", key="model.reasoning.level"),
        Column("launch.env", _LAUNCH, "object", key="env_records"),
        Column("launch.overrides.args", _LAUNCH, "object", key="overrides.args"),
        Column("launch.overrides.toolParams", _LAUNCH, "object", key="overrides.tool_params"),
        Column("launch.systemSkills", _LAUNCH, "object", key="system_skills"),
        Column("mailbox", "mailbox_payload", "object"),
        Column("extra", "extra_payload", "object"),
    ),
    links=(
        Link("roleRef", "role_id", "Role"),
        Link("setupRef", "setup_profile_id", "Setup", built_in=DEFAULT_SETUP),
        Link("authRef", "auth_profile_id", "AuthProfile"),
    ),
    members=(Members("skillRefs", "preset_skill_packages", "preset_id"),),
)
_SPECIALIST = Mapped(
    "Specialist",
    "specialists",
    columns=(
        Column("provider", "tool", required=True),
        Column("provider", "provider", "provider", required=True),
        Column("provider", "tool", of="presets", required=True),
        Column("promptMode", _LAUNCH, key="prompt_mode", of="presets"),
        Column("model", _LAUNCH, key="model.name", of="presets"),
        Column("reasoning", _LAUNCH, "int", key="model.reasoning.level", of="presets"),
        Column("env", _LAUNCH, "object", key="env_records", of="presets"),
        Column("systemSkills", _LAUNCH, "object", key="system_skills", of="presets"),
    ),
    links=(
        Link("setupRef", "setup_profile_id", "Setup", of="presets", built_in=DEFAULT_SETUP),
        Link("authRef", "auth_profile_id", "AuthProfile", of="presets"),
    ),
    members=(Members("skillRefs", "preset_skill_packages", "preset_id", of="presets"),),
    slots=(Slot(("prompt", "promptFile"), "prompt_content_ref_id", of="roles"),),
    joined=(Joined("roles", "role_id", "Role"), Joined("presets", "preset_id", "Recipe")),
    stamps=_STAMPS,
)
_LAUNCH_PROFILE = Mapped(
    "LaunchProfile",
    "launch_profiles",
    columns=(
        Column("agentName", "managed_agent_name"),
        Column("agentId", "managed_agent_id"),
        Column("workdir", "workdir"),
        Column("model", "model_name"),
        Column("reasoning", "reasoning_level", "int"),
        Column("promptMode", "operator_prompt_mode"),
        Column("env", "env_payload", "object"),
        Column("mailbox", "mailbox_payload", "object"),
        Column("posture.headless", "posture_payload", "flag", key="headless"),
        Column("posture.gatewayAutoAttach", "posture_payload", "flag", key="gateway_auto_attach"),
        Column("posture.gatewayHost", "posture_payload", key="gateway_host"),
        Column("posture.gatewayPort", "posture_payload", "int", key="gateway_port"),
        Column("resume.mode", "relaunch_chat_session_payload", key="mode"),
        Column("resume.id", "relaunch_chat_session_payload", key="id"),
        Column("systemSkills", "system_skills_payload", "object"),
        Column("managedHeader", "managed_header_policy"),
        Column("managedHeaderSections", "managed_header_section_policy", "object"),
        Column("promptOverlay.mode", "prompt_overlay_mode"),
    ),
    links=(Link("authRef", "auth_profile_id", "AuthProfile"),),
    members=(Members("skills.registered", "launch_profile_registered_skill_packages", "launch_profile_id"),),
    private=(Private("skills.private", "launch_profile_private_skill_packages", "launch_profile_id"),),
    slots=(
        Slot(("promptOverlay.text", "promptOverlay.file"), "prompt_overlay_content_ref_id"),
        Slot(("gateway.mailNotifierAppendix",), "gateway_mail_notifier_appendix_content_ref_id"),
        Slot(
            ("memoSeed.text", "memoSeed.file", "memoSeed.dir"),
            "memo_seed_content_ref_id",
            word="memo_seed_source_kind",
            words=("memo", "memo", "tree"),
        ),
    ),
    choice=Choice(
        "source_name",
        "profile_lane",
        "source_kind",
        (("specialistRef", "easy_profile", "specialist"), ("recipeRef", "launch_profile", "recipe")),
    ),
    stamps=_STAMPS,
)

TABLES = {mapped.kind: mapped for mapped in (_AUTH, _SETUP, _SKILL, _ROLE, _RECIPE, _SPECIALIST, _LAUNCH_PROFILE)}

SOURCE_KINDS = {"Specialist": "specialist", "Recipe": "recipe"}
"""Kind to the word in `launch_profiles.source_kind`."""

REFERRERS: dict[str, tuple[tuple[str, str], ...]] = {
    "Role": (
        ("Recipe", "SELECT name FROM presets WHERE role_id = ?"),
        ("Specialist", "SELECT name FROM specialists WHERE role_id = ?"),
    ),
    "Recipe": (("Specialist", "SELECT name FROM specialists WHERE preset_id = ?"),),
    "Setup": (("Recipe", "SELECT name FROM presets WHERE setup_profile_id = ?"),),
    "AuthProfile": (
        ("Recipe", "SELECT name FROM presets WHERE auth_profile_id = ?"),
        ("LaunchProfile", "SELECT name FROM launch_profiles WHERE auth_profile_id = ?"),
    ),
    "Skill": (
        (
            "Recipe",
            "SELECT name FROM presets JOIN preset_skill_packages ON preset_id = id WHERE skill_package_id = ?",
        ),
        (
            "LaunchProfile",
            "SELECT name FROM launch_profiles JOIN launch_profile_registered_skill_packages"
            " ON launch_profile_id = id WHERE skill_package_id = ?",
        ),
    ),
}
"""Who holds a row of a kind by foreign key: kind and a query for names by id."""

CONTENT_USES = (
    ("roles", "prompt_content_ref_id"),
    ("setup_profiles", "content_ref_id"),
    ("auth_profiles", "content_ref_id"),
    ("skill_packages", "content_ref_id"),
    ("launch_profiles", "prompt_overlay_content_ref_id"),
    ("launch_profiles", "gateway_mail_notifier_appendix_content_ref_id"),
    ("launch_profiles", "memo_seed_content_ref_id"),
    ("definition_content", "content_ref_id"),
)
"""Every column that keeps a payload alive."""


def recipe_name(name: str, provider: str, setup: str) -> str:
    """The recipe a specialist derives: `<specialist>-<tool>-<setup>`."""
    return f"{name}-{provider}-{setup}"
