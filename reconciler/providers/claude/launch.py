"""Claude Code's command line, and its reasoning ladder."""

import re

from reconciler.build import native
from reconciler.build.model_selection import climb, projected_name
from reconciler.ports.build import LaunchLine, LaunchOrder, ModelProjection, ModelSelection
from reconciler.ports.provider import PromptMode, ResumeMode

LADDER = ("low", "medium", "high")
SKIP = "--dangerously-skip-permissions"
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
    "COLORTERM": "truecolor",
    "DISABLE_AUTOUPDATER": "1",
}


def model_projection(selection: ModelSelection) -> ModelProjection:
    """Name and effort in the program's words."""
    ladder = (*LADDER, "max") if "opus-4-6" in (selection.name or "") else LADDER
    rung = climb("claude", selection, ladder, scale="effort", targets=(("settings.json", "effortLevel"),))
    name = projected_name(selection)
    if rung is None:
        return ModelProjection(name)
    return ModelProjection(name, rung.value, {**rung.record, "cli_args": ["--effort", rung.value]})


def line(order: LaunchOrder) -> LaunchLine:
    """Flags of the posture, the model, then what goes on with a conversation."""
    args = order.args
    env = dict(QUIET)
    if order.mode is PromptMode.UNATTENDED:
        args = (SKIP, *native.dropped(args, {SKIP: False}))
        if order.host.root:
            # Refused as root otherwise: the program wants to be told that this is a sandbox.
            env["IS_SANDBOX"] = "1"
    if order.model.name is not None:
        args = (*native.dropped(args, {"--model": True}), "--model", order.model.name)
    if order.model.effort is not None:
        args = (*native.dropped(args, {"--effort": True}), "--effort", order.model.effort)
    turn = ("--output-format", "stream-json", "--verbose", "-p") if order.headless else ()
    match order.resume.mode:
        case ResumeMode.NEW:
            return LaunchLine((*args, *turn), env=env)
        case ResumeMode.EXACT:
            words = (*args, "--resume", order.resume.id, *turn)
            return LaunchLine(words, words, env=env)
        case ResumeMode.LAST_OR_NEW:
            return LaunchLine((*args, *turn), (*args, "--continue", *turn), conversations(order.host.workdir), env)


def conversations(workdir: str) -> str:
    """Where the program keeps the conversations of one work directory."""
    return f"projects/{re.sub('[^A-Za-z0-9]', '-', workdir)}/*.jsonl"
