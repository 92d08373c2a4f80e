"""Claude Code: facts and functions; what was tried with which version is in the tests' recipe of the same name."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.model.json import JsonMap
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import (
    Adapter,
    FileMapping,
    HomeFiles,
    HomeOrder,
    LaunchLine,
    LaunchOrder,
    Materials,
    ModelConfig,
    ModelProjection,
    ModelSelection,
    Strategy,
    ToolParam,
)
from reconciler.ports.provider import LoginWay
from reconciler.ports.tmux import Screen
from reconciler.ports.turn import Heard

if TYPE_CHECKING:
    from reconciler.ports.reading import Reading

ADAPTER = Adapter(
    tool="claude",
    home_env_var="CLAUDE_CONFIG_DIR",
    executable="claude",
    default_tool_params={"include_partial_messages": True},
    tool_params={
        "include_partial_messages": ToolParam("boolean", {"claude_headless": (("--include-partial-messages",), ())})
    },
    file_mappings=(
        FileMapping(".credentials.json", ".credentials.json", "copy", required=False),
        FileMapping(".claude.json", ".claude.json", "copy", required=False),
        FileMapping("claude_state.template.json", "claude_state.template.json", "copy", required=False),
    ),
    env_allowlist=(
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL",
        "ANTHROPIC_SMALL_FAST_MODEL",
        "CLAUDE_CODE_SUBAGENT_MODEL",
        "ANTHROPIC_DEFAULT_OPUS_MODEL",
        "ANTHROPIC_DEFAULT_SONNET_MODEL",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    ),
)


class Claude:
    """The `claude` provider."""

    __slots__ = ()

    name = "claude"
    aliases: tuple[str, ...] = ("claude_code",)
    layout_version = 1
    interactive = True
    headless = True
    can_resume = True
    adapter = ADAPTER
    role_injection = "native_home_system_prompt"
    merged_files = frozenset({"settings.json", ".claude.json", "CLAUDE.md", "claude_state.template.json"})
    reserved_args = frozenset({"-p", "--append-system-prompt", "--output-format", "--resume"})
    strategies: tuple[Strategy, ...] = (Strategy("claude-unattended-2.1.81", (2, 1, 81)),)
    lookup: str | None = "claude"
    stop_keys: tuple[tuple[str, ...], ...] = (("Escape",), ("C-u",), ("/exit",), ("Enter",))
    submit_pause_s = 0.25
    asks_login = False
    login: LoginWay | None = LoginWay(("auth", "login"), ".credentials.json")
    resume_settles_s = 0.0
    prompt_mark = "❯ "
    reset_command = "/clear"
    setups: Mapping[str, Tree] = {
        "default": Tree({"settings.json": Entry(data=b'{\n  "skipDangerousModePermissionPrompt": true\n}\n')})
    }

    @property
    def credential_names(self) -> frozenset[str]:
        return frozenset(self.adapter.env_allowlist)

    def executable(self, found: str) -> tuple[str, ...]:
        return (found,)

    def baseline_model(self, materials: Materials) -> ModelConfig:
        from reconciler.providers.claude import home

        return home.baseline_model(materials)

    def model_projection(self, selection: ModelSelection) -> ModelProjection:
        from reconciler.providers.claude import launch

        return launch.model_projection(selection)

    def home(self, order: HomeOrder) -> HomeFiles:
        from reconciler.providers.claude import home

        return home.files(order)

    def launch(self, order: LaunchOrder) -> LaunchLine:
        from reconciler.providers.claude import launch

        return launch.line(order)

    def unready(self, materials: Materials) -> str | None:
        """Logins come in more shapes than a build can see (cloud vendors through the setup): nothing is refused."""
        del materials
        return None

    def derived_env(self, credentials: frozenset[str]) -> Mapping[str, str]:
        del credentials
        return {}

    def reading(self, screen: Screen) -> "Reading":
        from reconciler.providers.claude.screen import read

        return read(screen)

    def said(self, screen: Screen) -> Sequence[str]:
        from reconciler.providers.claude.screen import said

        return said(screen)

    def heard(self, line: JsonMap) -> tuple[Heard, ...]:
        from reconciler.providers.claude.turn import heard

        return heard(line)


provider = Claude()
