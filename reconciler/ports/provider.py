"""What a provider (one CLI agent product) tells the rest: home layout, launch line, screen reading.

A provider is data and pure functions: it touches no disk and starts nothing. `build` turns a request, the bytes it
needs and a provider into a Tree, a manifest and a launch plan; the instance kind writes and runs them.

    BuildRequest + Materials ── build ──► home (Tree), manifest, LaunchPlan
                                  │
                                  └─ asks the Provider: model_projection, home, launch, reading

The words of a build are in `ports.build`; whoever only observes or plans needs none of them, and making them takes
milliseconds. They can be asked for by this module's name too, and are loaded then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:
    from reconciler.model.json import JsonMap
    from reconciler.model.tree import Tree
    from reconciler.ports.build import Adapter as Adapter
    from reconciler.ports.build import ArgsOverride as ArgsOverride
    from reconciler.ports.build import AuthFile as AuthFile
    from reconciler.ports.build import AuthMaterial as AuthMaterial
    from reconciler.ports.build import BuildRequest as BuildRequest
    from reconciler.ports.build import BuildResult as BuildResult
    from reconciler.ports.build import FileMapping as FileMapping
    from reconciler.ports.build import HomeFiles as HomeFiles
    from reconciler.ports.build import HomeOrder as HomeOrder
    from reconciler.ports.build import Host as Host
    from reconciler.ports.build import LaunchLine as LaunchLine
    from reconciler.ports.build import LaunchOrder as LaunchOrder
    from reconciler.ports.build import LaunchOverrides as LaunchOverrides
    from reconciler.ports.build import LaunchPlan as LaunchPlan
    from reconciler.ports.build import LaunchPlanRequest as LaunchPlanRequest
    from reconciler.ports.build import Materials as Materials
    from reconciler.ports.build import ModelConfig as ModelConfig
    from reconciler.ports.build import ModelProjection as ModelProjection
    from reconciler.ports.build import ModelSelection as ModelSelection
    from reconciler.ports.build import PrivateSkill as PrivateSkill
    from reconciler.ports.build import RoleInjection as RoleInjection
    from reconciler.ports.build import RolePackage as RolePackage
    from reconciler.ports.build import Strategy as Strategy
    from reconciler.ports.build import ToolParam as ToolParam
    from reconciler.ports.reading import Reading
    from reconciler.ports.tmux import Screen
    from reconciler.ports.turn import Heard


def __getattr__(name: str) -> object:
    from reconciler.ports import build

    if name.startswith("_") or not hasattr(build, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(build, name)


class PromptMode(StrEnum):
    """Who answers the provider's own start dialogs: nobody is asked, or the operator is."""

    UNATTENDED = "unattended"
    AS_IS = "as_is"


class ResumeMode(StrEnum):
    """Which conversation a start goes on with (R-MOD-13)."""

    NEW = "new"
    LAST_OR_NEW = "tool_last_or_new"
    EXACT = "exact"


class Resume(NamedTuple):
    """The chat-session mode; `id` only with `exact`."""

    mode: ResumeMode = ResumeMode.LAST_OR_NEW
    id: str = ""


LOCAL_INTERACTIVE = "local_interactive"


def backend_of(tool: str, headless: bool) -> str:
    """`local_interactive`, or `<tool>_headless`."""
    return f"{tool}_headless" if headless else LOCAL_INTERACTIVE


class LoginWay(NamedTuple):
    """How a tool logs in by itself: words after its program's name, and the login file it leaves."""

    words: tuple[str, ...]
    file: str
    """The source of one of the adapter's file mappings: the login leaves it where that goes in a home."""


class Provider(Protocol):
    """One CLI agent product. Attributes are data; methods are pure."""

    name: str
    aliases: tuple[str, ...]
    """Longer names people may write (`claude_code`)."""
    layout_version: int
    """Raised by hand when the home would differ (R-CAN-5)."""
    interactive: bool
    headless: bool
    can_resume: bool
    adapter: Adapter
    role_injection: str
    """The method name of the role injection."""
    merged_files: frozenset[str]
    """Paths in the home that are merged: setup and credential must bring them as bytes, not by reference."""
    reserved_args: frozenset[str]
    """Words that launch overrides may not contain where headless."""
    strategies: tuple[Strategy, ...]
    """Newest first; empty where any version will do."""
    lookup: str | None
    """The program's name as a search path finds it; None where the provider ships its own."""
    stop_keys: tuple[tuple[str, ...], ...]
    """Batches of tmux keys for a polite quit, in order."""
    submit_pause_s: float
    """Seconds a pasted prompt needs to settle before Enter submits it; 0 where both may come at once."""
    asks_login: bool
    """Whether an unattended start may end at a login screen; where not, `unready` has nothing to say."""
    login: LoginWay | None
    """None where the tool has no login of its own."""
    resume_settles_s: float
    """Seconds for which an empty conversation must stand still before it is believed, where a program that resumes one
    draws its prompt box first and loads what was said later; 0 where the box comes last."""
    prompt_mark: str
    """How a line begins on which the program repeats a prompt that it was given."""
    reset_command: str
    """What is typed at its terminal to begin a new conversation; empty where it has no such command."""
    setups: Mapping[str, Tree]
    """Starter setups shipped with the provider; nothing secret."""

    @property
    def credential_names(self) -> frozenset[str]:
        """Variables that belong to credentials and never to `env`."""
        ...

    def executable(self, found: str) -> tuple[str, ...]:
        """The words to start, given the absolute path found for `lookup` (empty where that is None)."""
        ...

    def baseline_model(self, materials: Materials) -> ModelConfig:
        """What setup and credentials choose by themselves."""
        ...

    def model_projection(self, selection: ModelSelection) -> ModelProjection:
        """The selection in native words; raises ActionFailed (`build.reasoning_off`) where level 0 means nothing."""
        ...

    def home(self, order: HomeOrder) -> HomeFiles:
        """The provider's own files; raises ActionFailed (`build.*`) for a setup it cannot merge."""
        ...

    def launch(self, order: LaunchOrder) -> LaunchLine:
        """The words of the command line."""
        ...

    def unready(self, materials: Materials) -> str | None:
        """Why an unattended start would stop at a login screen, or None; never the value of a credential."""
        ...

    def derived_env(self, credentials: frozenset[str]) -> Mapping[str, str]:
        """Variables that follow from which credentials are there."""
        ...

    def reading(self, screen: Screen) -> Reading:
        """What one captured screen says; unknown when it shows nothing known. Never raises."""
        ...

    def said(self, screen: Screen) -> Sequence[str]:
        """What was said on it, the oldest line first: without prompt box, spinner and what a program tells of its own
        work. Never raises."""
        ...

    def heard(self, line: JsonMap) -> tuple[Heard, ...]:
        """What one line of a headless turn's output means; empty where it means nothing to anybody."""
        ...
