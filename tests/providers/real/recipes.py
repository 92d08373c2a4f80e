"""What each vendor CLI needs to start unattended, as plain data that was tried with the pinned versions.

Nothing here is shared with the product: it is a second opinion the product's own homes and launch lines are checked
against. Placeholders are `${name}`:

    root      the agent's own folder        cwd    the working directory, absolute and resolved
    home      the folder `home_env` names   url    the model server, no path        key   a made-up API key
    key_tail  its last 20 characters        role   the role text

A `.json` file is given as the value it holds, keys included in substitution; any other file as text. In `.toml`
text a placeholder stands inside a basic string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

JsonObject = dict[str, Any]


class Signs(NamedTuple):
    """Regular expressions (multi-line) over the visible screen and the window title; "" means nothing to look for."""

    box: str
    """Screen: the prompt box is drawn."""
    idle_title: str
    busy_screen: str
    busy_title: str
    done: str
    """Screen: the line a finished turn leaves."""
    interrupted: str
    """Screen: what Escape leaves once output has begun."""

    def busy(self, screen: str, title: str) -> bool:
        return _shows(self.busy_screen, screen) or _shows(self.busy_title, title)

    def ready(self, screen: str, title: str) -> bool:
        """The box is drawn, the title (where it tells) says idle, nothing says busy."""
        idle = not self.idle_title or _shows(self.idle_title, title)
        return _shows(self.box, screen) and idle and not self.busy(screen, title)


class Recipe(NamedTuple):
    """One CLI: files of its home, environment, command lines, what its screen says."""

    name: str
    executable: str
    home_env: str
    home: str
    """Where the home folder lies, as a template."""
    files: Mapping[str, JsonObject | str]
    """Path relative to the home -> content."""
    role_file: str
    """Which of the files carries the role text."""
    env: Mapping[str, str]
    argv: tuple[str, ...]
    resume: tuple[str, ...]
    """The whole command line that goes on with the newest conversation of the working directory."""
    signs: Signs
    dialogs: Mapping[str, str]
    """Text of a start dialog -> the setting that avoids it."""
    quit: str
    """Typed at an idle prompt box; ends the program."""
    refuses_substitution: bool = False
    """Its shell tool runs no command with `$( )` or backticks."""
    fetches: tuple[str, ...] = ()
    """`host:port` it tries to reach all the same, and does without when refused."""
    submit_delay_s: float = 0.25
    """From paste to Enter. Only Gemini needs any; one value serves all."""
    root_env: Mapping[str, str] = {}
    """Only where the process is uid 0, and only in a real sandbox."""


COMMON_ENV: Mapping[str, str] = {
    "HOME": "${root}/home",
    "TMPDIR": "${root}/tmp",
    "LANG": "C.UTF-8",
    "COLORTERM": "truecolor",
    "HTTPS_PROXY": "${url}",
    "HTTP_PROXY": "${url}",
    "NO_PROXY": "127.0.0.1,localhost",
}
"""For all three. The proxy variables turn an outside fetch into a refused, logged request on loopback."""

CLAUDE = Recipe(
    name="claude",
    executable="claude",
    home_env="CLAUDE_CONFIG_DIR",
    home="${root}/claude",
    files={
        ".claude.json": {
            "hasCompletedOnboarding": True,
            "hasSeenAutoDefaultNudge": True,
            "customApiKeyResponses": {"approved": ["${key_tail}"], "rejected": []},
            "projects": {"${cwd}": {"hasTrustDialogAccepted": True}},
        },
        "settings.json": {
            "theme": "dark",
            "permissions": {"defaultMode": "bypassPermissions"},
            "skipDangerousModePermissionPrompt": True,
        },
        "CLAUDE.md": "${role}\n",
    },
    role_file="CLAUDE.md",
    env={
        "ANTHROPIC_BASE_URL": "${url}",
        "ANTHROPIC_API_KEY": "${key}",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
        "DISABLE_AUTOUPDATER": "1",
    },
    root_env={"IS_SANDBOX": "1"},
    argv=("claude",),
    resume=("claude", "--continue"),
    signs=Signs(
        box=r"^─{20,}\n❯",
        idle_title="",
        busy_screen=r"esc to interrupt",
        busy_title="",
        done=r"^✻ \w+ for .+ · done ",
        interrupted=r"Interrupted · What should Claude do instead\?",
    ),
    dialogs={
        "Unable to connect to Anthropic services": "hasCompletedOnboarding",
        "trust this folder": "projects.<cwd>.hasTrustDialogAccepted",
        "Detected a custom API key": "customApiKeyResponses.approved",
        "Make auto mode your default": "hasSeenAutoDefaultNudge",
        "running in Bypass Permissions mode": "skipDangerousModePermissionPrompt",
    },
    quit="/exit",
)

CODEX = Recipe(
    name="codex",
    executable="codex",
    home_env="CODEX_HOME",
    home="${root}/codex",
    files={
        "config.toml": """\
model = "loopback-model"
model_provider = "loopback"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[model_providers.loopback]
name = "loopback"
base_url = "${url}/v1"
env_key = "LOOPBACK_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[projects."${cwd}"]
trust_level = "trusted"

[features]
daemon_auto_start = false
plugins = false

[analytics]
enabled = false
""",
        "AGENTS.md": "${role}\n",
    },
    role_file="AGENTS.md",
    env={"LOOPBACK_API_KEY": "${key}"},
    argv=("codex", "--no-alt-screen", "--no-daemon"),
    resume=("codex", "resume", "--last", "--no-alt-screen", "--no-daemon"),
    signs=Signs(
        box=r"^› Ask Codex to do anything",
        idle_title="",
        busy_screen="",
        busy_title=r"^[\u2800-\u28ff] ",
        done=r"^  Worked for \S+ • ",
        interrupted=r"■ Conversation interrupted",
    ),
    dialogs={
        "Choose how you want to use Codex": "model_provider",
        "Trust this folder?": "projects.<cwd>.trust_level",
        "Meet ": "model",
        "Hooks need review": "hooks.json",
    },
    quit="/quit",
    fetches=("raw.githubusercontent.com:443",),
)

GEMINI = Recipe(
    name="gemini",
    executable="gemini",
    home_env="GEMINI_CLI_HOME",
    home="${root}/gemini",
    files={
        ".gemini/settings.json": {
            "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
            "model": {"disableLoopDetection": True},
            "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
            "privacy": {"usageStatisticsEnabled": False},
            "telemetry": {"enabled": False},
            "ui": {"hideTips": True, "hideBanner": True},
        },
        ".gemini/GEMINI.md": "${role}\n",
    },
    role_file=".gemini/GEMINI.md",
    env={"GOOGLE_GEMINI_BASE_URL": "${url}", "GEMINI_API_KEY": "${key}"},
    argv=("gemini", "-m", "gemini-2.5-pro", "--yolo"),
    resume=("gemini", "-m", "gemini-2.5-pro", "--yolo", "-r", "latest"),
    signs=Signs(
        box=r"Type your message",
        idle_title=r"^◇  Ready",
        busy_screen=r"esc to cancel",
        busy_title=r"^✦  Working…",
        done="",
        interrupted=r"Request cancelled\.",
    ),
    dialogs={
        "Do you trust the files in this folder": "security.folderTrust.enabled",
        "How would you like to authenticate": "security.auth.selectedType",
        "A potential loop was detected": "model.disableLoopDetection",
    },
    quit="/quit",
    refuses_substitution=True,
)

RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in (CLAUDE, CODEX, GEMINI)}


def _shows(pattern: str, text: str) -> bool:
    """Whether the sign is there; an empty one never is."""
    return bool(pattern) and re.search(pattern, text, re.MULTILINE) is not None


def substituted(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        template = template.replace("${" + name + "}", value)
    return template


def rendered(recipe: Recipe, values: Mapping[str, str]) -> dict[str, str]:
    """Relative path -> file text, every placeholder replaced."""
    return {path: _text(path, content, values) for path, content in recipe.files.items()}


def _text(path: str, content: JsonObject | str, values: Mapping[str, str]) -> str:
    if isinstance(content, str) and not path.endswith(".toml"):
        return substituted(content, values)
    # A JSON string without its quotes is also what stands inside a TOML basic string.
    quoted = {name: json.dumps(value)[1:-1] for name, value in values.items()}
    return substituted(content if isinstance(content, str) else json.dumps(content, indent=2), quoted)
