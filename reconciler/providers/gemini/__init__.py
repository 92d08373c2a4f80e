"""Gemini CLI: facts and functions; what was tried with which version is in the tests' recipe of the same name."""

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
    tool="gemini",
    home_env_var="GEMINI_CLI_HOME",
    executable="gemini",
    setup_destination=".gemini",
    skills_destination=".gemini/skills",
    file_mappings=(FileMapping("oauth_creds.json", ".gemini/oauth_creds.json", "symlink", required=False),),
    env_allowlist=(
        "GOOGLE_API_KEY",
        "GEMINI_API_KEY",
        "GOOGLE_GEMINI_BASE_URL",
        "GOOGLE_GENAI_USE_VERTEXAI",
        "GOOGLE_GENAI_USE_GCA",
    ),
)

README = b"""\
Files in this folder are copied into the `.gemini` folder of every agent that uses this setup.
Put a `settings.json` here to set what the program itself does not own. No secrets.
"""


class Gemini:
    """The `gemini` provider."""

    __slots__ = ()

    name = "gemini"
    aliases: tuple[str, ...] = ("gemini_cli",)
    layout_version = 1
    interactive = True
    headless = True
    can_resume = True
    adapter = ADAPTER
    role_injection = "native_home_system_prompt"
    merged_files = frozenset({".gemini/settings.json", ".gemini/GEMINI.md"})
    reserved_args = frozenset({"-p", "--output-format", "--resume"})
    strategies: tuple[Strategy, ...] = (Strategy("gemini-unattended-0.36.0", (0, 36, 0)),)
    lookup: str | None = "gemini"
    stop_keys: tuple[tuple[str, ...], ...] = (("Escape",), ("C-u",), ("/quit",), ("Enter",))
    submit_pause_s = 0.25
    asks_login = True
    # It has no command for it: it asks at its start, and is left when it has been answered.
    login: LoginWay | None = LoginWay((), "oauth_creds.json")
    resume_settles_s = 2.0
    prompt_mark = " > "
    reset_command = "/clear"
    setups: Mapping[str, Tree] = {"default": Tree({"README.md": Entry(data=README)})}

    @property
    def credential_names(self) -> frozenset[str]:
        return frozenset(self.adapter.env_allowlist)

    def executable(self, found: str) -> tuple[str, ...]:
        return (found,)

    def baseline_model(self, materials: Materials) -> ModelConfig:
        from reconciler.providers.gemini import home

        return home.baseline_model(materials)

    def model_projection(self, selection: ModelSelection) -> ModelProjection:
        from reconciler.providers.gemini import launch

        return launch.model_projection(selection)

    def home(self, order: HomeOrder) -> HomeFiles:
        from reconciler.providers.gemini import home

        return home.files(order)

    def launch(self, order: LaunchOrder) -> LaunchLine:
        from reconciler.providers.gemini import launch

        return launch.line(order)

    def unready(self, materials: Materials) -> str | None:
        from reconciler.providers.gemini import home

        return home.unready(materials)

    def derived_env(self, credentials: frozenset[str]) -> Mapping[str, str]:
        """A login file means Google's own sign-in, unless something else was chosen."""
        others = {"GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA"}
        if "oauth_creds.json" in credentials and not others & credentials:
            return {"GOOGLE_GENAI_USE_GCA": "true"}
        return {}

    def reading(self, screen: Screen) -> "Reading":
        from reconciler.providers.gemini.screen import read

        return read(screen)

    def said(self, screen: Screen) -> Sequence[str]:
        from reconciler.providers.gemini.screen import said

        return said(screen)

    def heard(self, line: JsonMap) -> tuple[Heard, ...]:
        from reconciler.providers.gemini.turn import heard

        return heard(line)


provider = Gemini()
