"""Echo: the agent that ships with the package; it needs nothing installed and no account."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.model.json import JsonMap
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import (
    Adapter,
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

ADAPTER = Adapter(tool="echo", home_env_var="ECHO_HOME", executable="echo-agent", env_allowlist=("ECHO_API_KEY",))

README = b"""\
Files in this folder are copied into the home of every agent that uses this setup.
Put a `behaviour.json` here to script how the agent starts, answers, hangs or crashes.
"""


class Echo:
    """The `echo` provider."""

    __slots__ = ()

    name = "echo"
    aliases: tuple[str, ...] = ()
    layout_version = 1
    interactive = True
    headless = True
    can_resume = True
    adapter = ADAPTER
    role_injection = "native_home_system_prompt"
    merged_files = frozenset({"config.json", "ROLE.md"})
    reserved_args = frozenset({"--headless", "--resume"})
    strategies: tuple[Strategy, ...] = ()
    lookup: str | None = None
    stop_keys: tuple[tuple[str, ...], ...] = (("C-c", "C-u", "C-d"),)
    submit_pause_s = 0.0
    asks_login = False
    login: LoginWay | None = None
    resume_settles_s = 0.0
    prompt_mark = "● "
    reset_command = "/new"
    setups: Mapping[str, Tree] = {"default": Tree({"README.md": Entry(data=README)})}

    @property
    def credential_names(self) -> frozenset[str]:
        return frozenset(self.adapter.env_allowlist)

    def executable(self, found: str) -> tuple[str, ...]:
        from reconciler.providers.echo import launch

        return launch.executable(found)

    def baseline_model(self, materials: Materials) -> ModelConfig:
        from reconciler.providers.echo import home

        return home.baseline_model(materials)

    def model_projection(self, selection: ModelSelection) -> ModelProjection:
        from reconciler.providers.echo import launch

        return launch.model_projection(selection)

    def home(self, order: HomeOrder) -> HomeFiles:
        from reconciler.providers.echo import home

        return home.files(order)

    def launch(self, order: LaunchOrder) -> LaunchLine:
        from reconciler.providers.echo import launch

        return launch.line(order)

    def unready(self, materials: Materials) -> str | None:
        del materials
        return None

    def derived_env(self, credentials: frozenset[str]) -> Mapping[str, str]:
        del credentials
        return {}

    def reading(self, screen: Screen) -> "Reading":
        from reconciler.providers.echo.screen import read

        return read(screen)

    def said(self, screen: Screen) -> Sequence[str]:
        from reconciler.providers.echo.screen import said

        return said(screen)

    def heard(self, line: JsonMap) -> tuple[Heard, ...]:
        from reconciler.providers.echo.turn import heard

        return heard(line)


provider = Echo()
