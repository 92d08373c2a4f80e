"""The text of `launch.sh`, which starts one agent, and of the secret file it reads (R-SEC-6).

`launch.sh` holds no secret and runs in any POSIX shell, not a login shell, whose profile could undo the environment. It
clears the credential variables that a tmux server may have inherited from whoever started it, sets the agent's own,
reads `launch.env` (0600), decides whether there is a conversation to go on with, and becomes the program: the pid that
tmux answers is the provider's.

Where headless nothing runs between turns: started without a prompt it says so and waits, or becomes the program that
shows the turns; started with one as its only argument it becomes the program for that turn.
"""

from collections.abc import Mapping

from reconciler.build import shell
from reconciler.model.secret import Secret
from reconciler.model.tuples import NamedTuple
from reconciler.ports.build import LaunchLine

HELPER = "launch.sh"
SECRETS = "launch.env"
HEADLESS_READY = "headless agent: waiting for a turn"


class Start(NamedTuple):
    """What one launch helper is written from."""

    home_path: str
    executable: tuple[str, ...]
    """Absolute path first."""
    line: LaunchLine
    headless: bool
    env: Mapping[str, str]
    """Variables to set, none of them secret."""
    unset: tuple[str, ...]
    """Credential variables that may not come from outside."""
    directories: tuple[str, ...]
    """Absolute paths that must be there before the program starts."""
    viewer: tuple[str, ...] = ()
    """What shows the turns of a headless agent in its pane; nothing does where it is empty."""


def launch_sh(start: Start) -> str:
    """The whole script; mode 0700."""
    secrets = shell.word(f"{start.home_path}/{SECRETS}")
    lines = [
        "#!/bin/sh",
        "# Starts the agent of this home. Written by the build: edits are lost.",
        "# Nothing in single quotes is meant to expand.",
        "# shellcheck disable=SC2016",
        "set -eu",
    ]
    if start.unset:
        lines.append("unset " + " ".join(sorted(start.unset)))
    lines += [f"export {shell.assignment(name, value)}" for name, value in start.env.items()]
    if start.directories:
        tests = " && ".join(f"[ -d {shell.word(path)} ]" for path in start.directories)
        lines.append(f"{{ {tests}; }} || (umask 077 && mkdir -p {shell.words(start.directories)})")
    lines += [
        f"if [ ! -r {secrets} ]; then",
        f"    printf '%s\\n' 'launch.sh: {SECRETS} is missing or unreadable; apply again to write it' >&2",
        "    exit 78",
        "fi",
        "# shellcheck source=/dev/null",
        f". {secrets}",
    ]
    if start.headless:
        lines += [
            "if [ $# -eq 0 ]; then",
            f"    printf '%s\\n' '{HEADLESS_READY}'",
            f"    exec {_waiting(start.viewer)}",
            "fi",
        ]
    lines += _exec(start)
    return "\n".join(lines) + "\n"


def _waiting(viewer: tuple[str, ...]) -> str:
    """What a pane does between turns. A viewer is told when it began: it takes a while to look for the first time."""
    return f'{shell.words(viewer)} --since "$(date +%s)"' if viewer else "tail -f /dev/null"


def _exec(start: Start) -> list[str]:
    """The last lines: become the program, with the words that suit."""
    program, line = start.executable, start.line
    fresh = f'exec {shell.words((*program, *line.args))} "$@"'
    if line.resumed is None:
        return [fresh]
    resumed = f'exec {shell.words((*program, *line.resumed))} "$@"'
    if not line.conversation:
        return [resumed]
    return [
        f"for found in {shell.glob(start.home_path, line.conversation)}; do",
        '    if [ -e "$found" ]; then',
        "        unset found",
        f"        {resumed}",
        "    fi",
        "done",
        "unset found",
        fresh,
    ]


def launch_env(env: Mapping[str, Secret]) -> str:
    """The secret file: one export per line, in the order given. Mode 0600, in no digest."""
    lines = ["# Credentials of this agent; read by launch.sh alone."]
    lines += [f"export {shell.assignment(name, value.reveal())}" for name, value in env.items()]
    return "\n".join(lines) + "\n"
