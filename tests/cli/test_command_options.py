"""The whole table of options: what each command of the table is told with, by the names it has always had."""

import pytest

from reconciler.cli import help_text
from tests.cli.test_command_table import table

COMMANDS = {command.path: command for command in help_text.commands()}
TUI_CLOCKS = " ".join(
    f"--gateway-tui-{name}-seconds"
    for name in (
        "watch-poll-interval",
        "stability-threshold",
        "completion-stability",
        "unknown-to-stalled-timeout",
        "stale-active-recovery",
        "final-stable-active-recovery",
    )
)
REMINDING = (
    "--title --mode --prompt --sequence --no-ensure-enter --ranking --before-all --after-all --paused "
    "--start-after-seconds --deliver-at-utc --interval-seconds"
)
ABOUT_ONE = {
    "prompt": "--prompt --model --reasoning-level",
    "relaunch": "--chat-session-mode --chat-session-id",
    "gateway attach": f"--background {TUI_CLOCKS}",
    "gateway prompt": "--prompt --admission-policy --model --reasoning-level --chat-session-mode --chat-session-id",
    "gateway send-keys": "--sequence --escape-special-keys",
    "gateway tui watch": "--interval-seconds",
    "gateway tui note-prompt": "--prompt",
    "gateway reminders get": "--reminder-id",
    "gateway reminders create": REMINDING,
    "gateway reminders set": f"--reminder-id {REMINDING}",
    "gateway reminders remove": "--reminder-id",
    "memory memo set": "--content --content-file",
    "memory memo append": "--content --content-file",
    "memory resolve": "--path",
    "memory read": "--path",
    "memory write": "--path --content --content-file",
    "memory append": "--path --content --content-file",
    "memory delete": "--path",
    "turn submit": "--prompt --model --reasoning-level",
    "turn events": "--detail",
}
"""Of both families."""
PROMPT = "--system-prompt --system-prompt-file"
SYSTEM_SKILLS = "--system-skills-mode --system-skill-set --system-skill-pack --system-skill --no-system-skills"
PROFILE_DEFAULTS = (
    "--name --agent-name --agent-id --workdir --auth --model --reasoning-level --prompt-mode --headless --no-gateway "
    "--gateway-port --env-set --add-registered-skill --remove-registered-skill --add-private-skill "
    f"--add-private-skill-symlink --remove-private-skill {SYSTEM_SKILLS} --mail-transport --mail-principal-id "
    "--mail-address --mail-root --mail-base-url --mail-jmap-url --mail-management-url --managed-header "
    "--no-managed-header --managed-header-section --prompt-overlay-mode --prompt-overlay-text --prompt-overlay-file "
    "--gateway-mail-notifier-appendix-text --memo-seed-text --memo-seed-file --memo-seed-dir "
    "--relaunch-chat-session-mode --relaunch-chat-session-id"
)
PROFILE_CLEARS = " ".join(
    f"--clear-{name}"
    for name in (
        "agent-name",
        "agent-id",
        "workdir",
        "auth",
        "model",
        "reasoning-level",
        "prompt-mode",
        "headless",
        "env",
        "system-skills",
        "mailbox",
        "managed-header",
        "managed-header-section",
        "managed-header-sections",
        "prompt-overlay",
        "gateway-mail-notifier-appendix",
        "memo-seed",
        "relaunch-chat-session",
    )
)
KEYS = "--api-key --api-key-file --api-key-env --base-url"
LAUNCHING = (
    "--auth --model --reasoning-level --workdir --headless --no-headless --session-name --no-gateway --gateway-port "
    f"--gateway-background {TUI_CLOCKS} --env-set --mail-transport --mail-root --mail-account-dir --managed-header "
    "--no-managed-header --managed-header-section --reuse-home --force"
)
SKILLS_OF = "--add-skill --remove-skill --clear-skills"
FLAGS = {
    **{f"agents {family} {verb}": flags for family in ("single", "self") for verb, flags in ABOUT_ONE.items()},
    "agents global list": "--state",
    **{
        f"agents single cleanup {what}": "--dry-run --manifest-path --session-root"
        for what in ("session", "logs", "mailbox")
    },
    "agents single cleanup session": "--dry-run --purge-registry --manifest-path --session-root",
    **{f"agents single {verb}": "--agent-id --agent-name" for verb in ("state", "interrupt", "stop")},
    "agents self join": (
        "--agent-name --agent-id --headless --provider --launch-args --launch-env --workdir --resume-id "
        "--no-install-houmao-skills"
    ),
    "agents launch": (
        f"--agents --launch-profile --provider --agent-name --agent-id {LAUNCHING} --headless-display-style "
        "--headless-display-detail"
    ),
    "brains build": (
        "--agent-def-dir --tool --skill --setup --auth --preset --runtime-root --home-id --reuse-home "
        "--launch-overrides --agent-name --agent-id"
    ),
    "project migrate": "--apply",
    "project easy specialist create": (
        f"--name --tool {PROMPT} --setup --credential {KEYS} --claude-auth-token --claude-oauth-token "
        "--claude-config-dir --claude-state-template-file --codex-org-id --codex-auth-json --google-api-key "
        "--use-vertex-ai --gemini-oauth-creds --model --claude-model --reasoning-level --skill --with-skill --env-set "
        f"{SYSTEM_SKILLS} --no-unattended --yes"
    ),
    "project easy specialist set": (
        f"--name {PROMPT} --clear-system-prompt --setup --credential --prompt-mode --clear-prompt-mode --model "
        f"--clear-model --reasoning-level --clear-reasoning-level --env-set --clear-env {SYSTEM_SKILLS} "
        f"--clear-system-skills --with-skill {SKILLS_OF}"
    ),
    "project easy profile create": f"{PROFILE_DEFAULTS} --specialist --yes",
    "project easy profile set": f"{PROFILE_DEFAULTS} {PROFILE_CLEARS}",
    "project agents launch-profiles add": f"{PROFILE_DEFAULTS} --recipe --yes",
    "project agents launch-profiles set": f"{PROFILE_DEFAULTS} {PROFILE_CLEARS}",
    "project easy instance launch": f"--specialist --profile --name {LAUNCHING}",
    "project agents roles init": f"--name {PROMPT}",
    "project agents roles set": f"--name {PROMPT} --clear-system-prompt",
    "project agents recipes add": (
        "--name --role --tool --setup --skill --auth --prompt-mode --model --reasoning-level --env-set --launch-arg "
        "--tool-param"
    ),
    "project agents recipes set": (
        f"--name --role --tool --setup --auth --clear-auth {SKILLS_OF} --prompt-mode --clear-prompt-mode --model "
        "--clear-model --reasoning-level --clear-reasoning-level"
    ),
    "project agents recipes list": "--role --tool",
    "project agents tools setups add": "--name --from",
    "project skills add": "--name --source --mode",
    "project skills set": "--name --source --mode",
    **{
        f"project credentials {verb}": (
            f"--name {KEYS} --auth-token --oauth-token --model --small-fast-model --subagent-model "
            "--default-opus-model --default-sonnet-model --default-haiku-model --state-template-file --config-dir"
        )
        for verb in ("add", "set")
    },
    "project credentials rename": "--name --to",
    **{
        f"project {family} {verb}": "--name"
        for family in (
            "easy specialist",
            "easy profile",
            "easy instance",
            "agents roles",
            "agents recipes",
            "agents launch-profiles",
            "agents tools setups",
            "credentials",
            "skills",
        )
        for verb in (("get", "stop") if family == "easy instance" else ("get", "remove"))
    },
    "project credentials login": "--name",
}
"""What the table says that each command is told with; words that follow a name in it are the command's arguments."""
TOLD_NOTHING = {
    *(
        f"agents {family} {verb}"
        for family in ("single", "self")
        for verb in (
            "gateway detach",
            "gateway status",
            "gateway interrupt",
            "gateway tui state",
            "gateway tui history",
            "gateway reminders list",
            "memory status",
            "memory path",
            "memory memo show",
            "memory tree",
            "turn status",
            "turn stdout",
            "turn stderr",
        )
    ),
    *(f"agents self {verb}" for verb in ("identity", "state", "interrupt")),
    "project init",
    "project status",
    "project agents tools get",
    *(
        f"project {family} list"
        for family in (
            "easy specialist",
            "easy profile",
            "easy instance",
            "agents roles",
            "agents launch-profiles",
            "agents tools setups",
            "credentials",
            "skills",
        )
    ),
    *(
        f"project {family} rename"
        for family in (
            "easy specialist",
            "easy profile",
            "easy instance",
            "agents roles",
            "agents recipes",
            "agents launch-profiles",
            "skills",
        )
    ),
}
"""Rows without an option of their own, and renames, which the table leaves to us."""


def test_every_command_of_the_table_has_its_options_looked_at() -> None:
    assert FLAGS.keys() | TOLD_NOTHING == table()
    assert FLAGS.keys() & TOLD_NOTHING == set()


@pytest.mark.parametrize("path", FLAGS)
def test_the_options_that_the_table_names_are_there(path: str) -> None:
    every = {name for option in COMMANDS[path].every() for name in (*option.names, *option.off, *option.other)}
    assert set(FLAGS[path].split()) - every == set()
