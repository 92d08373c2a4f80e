"""Codex's command line, and its reasoning ladder.

What decides about approvals and the model is said twice, in the home's configuration and as `-c` words: a trusted
project may bring a configuration of its own, and words win over both.
"""

from collections.abc import Iterator, Mapping

from reconciler.build import native, toml_text
from reconciler.build.model_selection import climb, projected_name
from reconciler.ports.build import LaunchLine, LaunchOrder, ModelProjection, ModelSelection
from reconciler.ports.provider import PromptMode, ResumeMode

LADDER = ("low", "medium", "high", "xhigh")
POSTURE: Mapping[str, str | bool] = {
    "approval_policy": "never",
    "sandbox_mode": "danger-full-access",
    "notice.hide_full_access_warning": True,
    "tui.show_tooltips": False,
}
STRIPPED = {
    "--full-auto": False,
    "--yolo": False,
    "--dangerously-bypass-approvals-and-sandbox": False,
    "-a": True,
    "--ask-for-approval": True,
    "-s": True,
    "--sandbox": True,
}
CONVERSATIONS = "sessions/*/*/*/*.jsonl"


def model_projection(selection: ModelSelection) -> ModelProjection:
    """Name and effort in the program's words."""
    targets = (("config.toml", "model_reasoning_effort"),)
    rung = climb("codex", selection, LADDER, scale="model_reasoning_effort", targets=targets)
    name = projected_name(selection)
    if rung is None:
        return ModelProjection(name)
    words = ["-c", f"model_reasoning_effort={toml_text.literal(rung.value)}"]
    return ModelProjection(name, rung.value, {**rung.record, "cli_args": [*words]})


def line(order: LaunchOrder) -> LaunchLine:
    """Flags of the posture, the model, then what goes on with a conversation."""
    said: dict[str, str | bool] = {}
    args = order.args
    if order.mode is PromptMode.UNATTENDED:
        args = native.dropped(args, STRIPPED)
        said.update(POSTURE)
    if order.model.name is not None:
        said["model"] = order.model.name
    if order.model.effort is not None:
        said["model_reasoning_effort"] = order.model.effort
    args = tuple(_without_keys(args, frozenset(said)))
    for key, value in said.items():
        args = (*args, "-c", f"{key}={toml_text.literal(value)}")
    env = {"COLORTERM": "truecolor"}
    if order.headless:
        return _headless(order, args, env)
    face = ("--no-alt-screen", "--no-daemon") if order.mode is PromptMode.UNATTENDED else ()
    args = (*native.dropped(args, dict.fromkeys(face, False)), *face)
    match order.resume.mode:
        case ResumeMode.NEW:
            return LaunchLine(args, env=env)
        case ResumeMode.EXACT:
            words = ("resume", order.resume.id, *args)
            return LaunchLine(words, words, env=env)
        case ResumeMode.LAST_OR_NEW:
            return LaunchLine(args, ("resume", "--last", *args), CONVERSATIONS, env)


def _headless(order: LaunchOrder, args: tuple[str, ...], env: dict[str, str]) -> LaunchLine:
    turn = ("exec", "--json", "--skip-git-repo-check")
    match order.resume.mode:
        case ResumeMode.NEW:
            return LaunchLine((*args, *turn), env=env)
        case ResumeMode.EXACT:
            words = (*args, *turn, "resume", order.resume.id)
            return LaunchLine(words, words, env=env)
        case ResumeMode.LAST_OR_NEW:
            return LaunchLine((*args, *turn), (*args, *turn, "resume", "--last"), CONVERSATIONS, env)


def _without_keys(args: tuple[str, ...], keys: frozenset[str]) -> Iterator[str]:
    """The words without `-c key=...` for keys that are said by us."""
    rest = iter(args)
    for word in rest:
        flag, equals, value = word.partition("=")
        if flag not in ("-c", "--config"):
            yield word
            continue
        setting = value if equals else next(rest, "")
        if setting.partition("=")[0].strip() not in keys:
            yield from ("-c", setting)
