"""The words of a build: what it is asked for, the bytes it needs, what it answers. Values only."""

from collections.abc import Mapping

from reconciler.model.json import Json, JsonMap
from reconciler.model.secret import Secret
from reconciler.model.tree import Tree
from reconciler.model.tuples import NamedTuple
from reconciler.ports.provider import PromptMode, Resume

# ---- the adapter: what a tool needs, as data (the schema of `tools/<tool>/adapter.yaml`)


class FileMapping(NamedTuple):
    """One vendor login file: where it lies in the auth bundle, where it goes in the home."""

    source: str
    destination: str
    mode: str
    """`symlink` or `copy`; bytes that have no file of their own are always copied."""
    required: bool = True


class ToolParam(NamedTuple):
    """A typed launch parameter and the words it becomes, by backend: (when true, when false)."""

    type: str
    backends: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]


class Adapter(NamedTuple):
    """How one tool is given a home, credentials and arguments."""

    tool: str
    home_env_var: str
    executable: str
    args: tuple[str, ...] = ()
    default_tool_params: Mapping[str, Json] = {}
    tool_params: Mapping[str, ToolParam] = {}
    env_injection: str = "export_from_env_file"
    """`home_dotenv` or `export_from_env_file`."""
    env_file_in_home: str = ".env"
    setup_destination: str = "."
    skills_destination: str = "skills"
    skills_mode: str = "symlink"
    files_dir: str = "files"
    file_mappings: tuple[FileMapping, ...] = ()
    env_source: str = "env/vars.env"
    env_allowlist: tuple[str, ...] = ()


# ---- what a build is asked for


class ModelConfig(NamedTuple):
    """One layer's choice of a model; either half may be left to the layers below."""

    name: str | None = None
    reasoning_level: int | None = None


class ModelSelection(NamedTuple):
    """The layers merged half by half, and which layer each half came from."""

    layers: Mapping[str, ModelConfig]
    """`baseline_native`, `source_launch`, `launch_profile`, `direct_launch`, lowest first."""
    name: str | None
    reasoning_level: int | None
    name_source: str | None
    reasoning_source: str | None


class ModelProjection(NamedTuple):
    """A selection in the provider's own words. `name` is None where nothing above the native baseline chose one."""

    name: str | None = None
    effort: str | None = None
    """The native reasoning value (`medium`, `LOW`, `4096`)."""
    record: Mapping[str, Json] = {}
    """The reasoning projection as the manifest keeps it; empty when no level was asked for."""


class ArgsOverride(NamedTuple):
    """`append` to the adapter's arguments, or `replace` them."""

    mode: str
    values: tuple[str, ...]


class LaunchOverrides(NamedTuple):
    """Launch arguments and typed parameters of one layer."""

    args: ArgsOverride | None = None
    tool_params: Mapping[str, Json] = {}

    def to_json(self) -> JsonMap:
        """`{args: {mode, values}, tool_params}`, each only when there is one."""
        out: JsonMap = {}
        if self.args is not None:
            out["args"] = {"mode": self.args.mode, "values": list(self.args.values)}
        if self.tool_params:
            out["tool_params"] = dict(self.tool_params)
        return out


class PrivateSkill(NamedTuple):
    """A skill that one launch profile brings along."""

    name: str
    source_path: str
    mode: str = "copy"


class BuildRequest(NamedTuple):
    """Everything one build is asked for, names and values only; the bytes are in `Materials`."""

    agent_def_dir: str
    tool: str
    skills: tuple[str, ...]
    setup: str
    auth: str | None = None
    preset_path: str | None = None
    runtime_root: str | None = None
    mailbox: JsonMap | None = None
    agent_name: str | None = None
    agent_id: str | None = None
    home_id: str | None = None
    private_skills: tuple[PrivateSkill, ...] = ()
    preset_launch_overrides: LaunchOverrides | None = None
    launch_overrides: LaunchOverrides | None = None
    preset_model_config: ModelConfig | None = None
    launch_profile_model_config: ModelConfig | None = None
    direct_model_config: ModelConfig | None = None
    operator_prompt_mode: PromptMode | None = None
    """None means unattended."""
    persistent_env_records: Mapping[str, str] = {}
    source_system_skill_policy: JsonMap | None = None
    launch_profile_system_skill_policy: JsonMap | None = None
    role_prompt_override: str | None = None
    """The composed prompt; without it the role's own text is used."""
    managed_prompt_header: JsonMap | None = None
    houmao_system_prompt_layout: JsonMap | None = None
    launch_profile_provenance: JsonMap | None = None
    extra: JsonMap | None = None
    reuse_home: bool = False
    existing_home_mode: str | None = None
    """`keep-stale`, `clean`, or None: an existing home is refused."""

    @property
    def mode(self) -> PromptMode:
        """The prompt mode with its default."""
        return self.operator_prompt_mode or PromptMode.UNATTENDED


class AuthFile(NamedTuple):
    """A login file on disk, by absolute path; its digest is verified when it is copied."""

    path: str
    digest: str = ""


class AuthMaterial(NamedTuple):
    """Resolved credentials. Values are Secrets and never enter a digest."""

    name: str
    ref: str
    """The opaque bundle reference; what stays when the display name changes."""
    env: Mapping[str, Secret]
    files: Mapping[str, Secret | AuthFile] = {}
    """By the adapter's `source` name. Where its destination is in `Provider.merged_files` it must be a Secret."""
    path: str = ""
    """Where the bundle lies; empty when the values come from elsewhere."""
    version: str = ""
    """`authVersion` (R-CAN-5a): a keyed fingerprint, never derived from here."""


class Materials(NamedTuple):
    """The bytes a build needs, read beforehand."""

    role_name: str
    role_prompt: str
    setup: Tree
    skills: Mapping[str, Tree]
    auth: AuthMaterial | None
    adapter: Adapter
    skill_paths: Mapping[str, str] = {}
    """Absolute directories of skills that may be linked instead of copied."""
    adapter_path: str = ""


class Host(NamedTuple):
    """Facts of the machine the agent starts on; none of them enters a launch digest."""

    executable: tuple[str, ...]
    """Absolute path of the program, and words that belong to it (an interpreter's script)."""
    workdir: str
    """Absolute."""
    search_path: str = ""
    """PATH for the agent; empty leaves the terminal's own."""
    root: bool = False
    """The agent will run as uid 0."""
    trusted: tuple[str, ...] = ()
    """Directories beside the work directory that the operator's folder trust covers, such as the repository root."""
    tool_version: str | None = None
    strategy: str | None = None
    """Forces one unattended strategy by id."""


class HomeOrder(NamedTuple):
    """What a provider lays a home out from."""

    materials: Materials
    mode: PromptMode
    prompt: str
    """The composed prompt; empty when there is none."""
    model: ModelProjection
    host: Host


class HomeFiles(NamedTuple):
    """A provider's own files, by path in the home. They replace the setup's files of the same path."""

    tree: Tree
    """Nothing secret; part of the home's digest."""
    rewritten: Tree
    """Files that the program itself rewrites at run time: written before each start, compared never."""
    secrets: Tree
    """Files with bytes out of a credential: mode 0600, in no digest."""


class LaunchOrder(NamedTuple):
    """What a provider makes a launch line from."""

    headless: bool
    mode: PromptMode
    resume: Resume
    args: tuple[str, ...]
    """Arguments merged from adapter, recipe and direct overrides, typed parameters translated."""
    model: ModelProjection
    host: Host
    home_path: str
    credentials: frozenset[str]
    """Names of the credential variables and files that are there."""


class LaunchLine(NamedTuple):
    """Words after the executable. Where headless, the prompt of a turn follows as one more word."""

    args: tuple[str, ...]
    resumed: tuple[str, ...] | None = None
    """The words that go on with a conversation, where the start may do so."""
    conversation: str = ""
    """A glob below the home: `resumed` is used when something matches. Empty means always."""
    env: Mapping[str, str] = {}
    """Variables the program needs, none of them secret."""


class RoleInjection(NamedTuple):
    """How the role text reaches the model."""

    method: str
    role_name: str
    prompt: str
    bootstrap_message: str | None = None

    def to_json(self) -> JsonMap:
        """What is persisted: method and role name."""
        return {"method": self.method, "role_name": self.role_name}


class RolePackage(NamedTuple):
    """A role as the launch plan receives it."""

    role_name: str
    system_prompt: str
    path: str = ""


class LaunchPlanRequest(NamedTuple):
    """What a launch plan is made from."""

    brain_manifest: JsonMap
    role_package: RolePackage
    backend: str
    working_directory: str
    mailbox: JsonMap | None = None
    intent: str = "provider_start"
    """`provider_start` or `resume_control`."""


class LaunchPlan(NamedTuple):
    """How one agent is started. `env` holds no secret: credential values are in the home's launch file alone."""

    backend: str
    tool: str
    executable: str
    args: tuple[str, ...]
    working_directory: str
    home_env_var: str
    home_path: str
    env: Mapping[str, str]
    env_var_names: tuple[str, ...]
    role_injection: RoleInjection
    metadata: JsonMap
    mailbox: JsonMap | None = None
    launch_policy_provenance: JsonMap | None = None
    transient_env_var_names: tuple[str, ...] = ()
    line: LaunchLine = LaunchLine(())
    """Both lines, with and without a conversation to go on with; `args` are those without."""

    def to_json(self) -> JsonMap:
        """The persisted form: names of variables, never values."""
        transient = frozenset(self.transient_env_var_names)
        return {
            "backend": self.backend,
            "tool": self.tool,
            "executable": self.executable,
            "args": list(self.args),
            "working_directory": self.working_directory,
            "home_selector": {"env_var": self.home_env_var, "home_path": self.home_path},
            "env_var_names": [name for name in self.env_var_names if name not in transient],
            "role_injection": self.role_injection.to_json(),
            "metadata": self.metadata,
            "mailbox": self.mailbox,
            "launch_policy_provenance": self.launch_policy_provenance,
        }


class BuildResult(NamedTuple):
    """What a build answers."""

    home_id: str
    home_path: str
    manifest_path: str
    launch_helper_path: str
    launch_preview: str
    manifest: JsonMap

    def to_json(self) -> JsonMap:
        """All members by their names."""
        return dict(self._asdict())


class Strategy(NamedTuple):
    """One tried way to start a tool unattended, and the versions it was tried with."""

    id: str
    minimum: tuple[int, ...]
    """Lowest version it holds for: (2, 1, 81)."""
