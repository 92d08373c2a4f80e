"""Gemini's command line, and its two reasoning ladders."""

from reconciler.build import native
from reconciler.build.model_selection import climb, projected_name
from reconciler.ports.build import LaunchLine, LaunchOrder, ModelProjection, ModelSelection
from reconciler.ports.provider import PromptMode, ResumeMode

LEVELS = ("LOW", "MEDIUM", "HIGH")
BUDGETS = ("512", "2048", "4096", "8192", "16384")
STRIPPED = {"-y": False, "--yolo": False, "--approval-mode": True, "--sandbox": False, "-s": False}
CONVERSATIONS = ".gemini/tmp/*/chats/*"


def model_projection(selection: ModelSelection) -> ModelProjection:
    """Name and thinking setting in the program's words; models of the third generation take levels, others budgets."""
    third = (selection.name or "").startswith("gemini-3")
    rung = climb(
        "gemini",
        selection,
        LEVELS if third else BUDGETS,
        scale="thinkingLevel" if third else "thinkingBudget",
        targets=(
            (
                ".gemini/settings.json",
                "modelConfigs.customOverrides[0].modelConfig.generateContentConfig.thinkingConfig",
            ),
        ),
        off=None if third else "0",
    )
    name = projected_name(selection)
    return ModelProjection(name) if rung is None else ModelProjection(name, rung.value, rung.record)


def line(order: LaunchOrder) -> LaunchLine:
    """Flags of the posture, the model, then what goes on with a conversation."""
    args = order.args
    if order.mode is PromptMode.UNATTENDED:
        args = (*native.dropped(args, STRIPPED), "--approval-mode=yolo", "--sandbox=false")
    if order.model.name is not None:
        args = (*native.dropped(args, {"-m": True, "--model": True}), "-m", order.model.name)
    env = {"COLORTERM": "truecolor"}
    turn = ("-o", "stream-json", "-p") if order.headless else ()
    match order.resume.mode:
        case ResumeMode.NEW:
            return LaunchLine((*args, *turn), env=env)
        case ResumeMode.EXACT:
            words = (*args, "-r", order.resume.id, *turn)
            return LaunchLine(words, words, env=env)
        case ResumeMode.LAST_OR_NEW:
            return LaunchLine((*args, *turn), (*args, "-r", "latest", *turn), CONVERSATIONS, env)
