"""Codex CLI: facts and functions; what was tried with which version is in the tests' recipe of the same name."""

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
)
from reconciler.ports.provider import LoginWay
from reconciler.ports.tmux import Screen
from reconciler.ports.turn import Heard

if TYPE_CHECKING:
    from reconciler.ports.reading import Reading

ADAPTER = Adapter(
    tool="codex",
    home_env_var="CODEX_HOME",
    executable="codex",
    env_injection="home_dotenv",
    file_mappings=(FileMapping("auth.json", "auth.json", "symlink", required=False),),
    env_allowlist=("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID"),
)

DEFAULT_SETUP = b"""\
model_reasoning_effort = "medium"
personality = "friendly"

[tui]
show_tooltips = false
"""


class Codex:
    """The `codex` provider."""

    __slots__ = ()

    name = "codex"
    aliases: tuple[str, ...] = ()
    layout_version = 1
    interactive = True
    headless = True
    can_resume = True
    adapter = ADAPTER
    role_injection = "native_home_system_prompt"
    merged_files = frozenset({"config.toml", "AGENTS.md", "AGENTS.override.md"})
    reserved_args = frozenset({"-c", "app-server", "exec", "resume", "--json"})
    strategies: tuple[Strategy, ...] = (Strategy("codex-unattended-0.116.x", (0, 116, 0)),)
    lookup: str | None = "codex"
    stop_keys: tuple[tuple[str, ...], ...] = (("Escape",), ("C-u",), ("/quit",), ("Enter",))
    submit_pause_s = 0.25
    asks_login = True
    login: LoginWay | None = LoginWay(("login",), "auth.json")
    resume_settles_s = 0.0
    prompt_mark = "› "
    reset_command = "/new"
    setups: Mapping[str, Tree] = {"default": Tree({"config.toml": Entry(data=DEFAULT_SETUP)})}

    @property
    def credential_names(self) -> frozenset[str]:
        return frozenset(self.adapter.env_allowlist)

    def executable(self, found: str) -> tuple[str, ...]:
        return (found,)

    def baseline_model(self, materials: Materials) -> ModelConfig:
        from reconciler.providers.codex import home

        return home.baseline_model(materials)

    def model_projection(self, selection: ModelSelection) -> ModelProjection:
        from reconciler.providers.codex import launch

        return launch.model_projection(selection)

    def home(self, order: HomeOrder) -> HomeFiles:
        from reconciler.providers.codex import home

        return home.files(order)

    def launch(self, order: LaunchOrder) -> LaunchLine:
        from reconciler.providers.codex import launch

        return launch.line(order)

    def unready(self, materials: Materials) -> str | None:
        from reconciler.providers.codex import home

        return home.unready(materials)

    def derived_env(self, credentials: frozenset[str]) -> Mapping[str, str]:
        del credentials
        return {}

    def reading(self, screen: Screen) -> "Reading":
        from reconciler.providers.codex.screen import read

        return read(screen)

    def said(self, screen: Screen) -> Sequence[str]:
        from reconciler.providers.codex.screen import said

        return said(screen)

    def heard(self, line: JsonMap) -> tuple[Heard, ...]:
        from reconciler.providers.codex.turn import heard

        return heard(line)


provider = Codex()
