"""Echo's command line: this interpreter on the program beside this file, without the packages around it."""

import sys
from pathlib import PurePath

from reconciler.build import native
from reconciler.build.model_selection import climb, projected_name
from reconciler.ports.build import LaunchLine, LaunchOrder, ModelProjection, ModelSelection
from reconciler.ports.provider import ResumeMode

LADDER = ("low", "medium", "high")
CONVERSATION = "conversations/latest"


def executable(found: str) -> tuple[str, ...]:
    """The words to start it. `found` is another interpreter, or empty for the one that runs now."""
    return (found or sys.executable, "-S", "-E", str(PurePath(__file__).with_name("program.py")))


def model_projection(selection: ModelSelection) -> ModelProjection:
    """Name and reasoning as the program shows them."""
    rung = climb("echo", selection, LADDER, scale="reasoning", targets=(("config.json", "reasoning"),), off="off")
    name = projected_name(selection)
    return ModelProjection(name) if rung is None else ModelProjection(name, rung.value, rung.record)


def line(order: LaunchOrder) -> LaunchLine:
    """The model, then what goes on with a conversation."""
    args = order.args
    if order.model.name is not None:
        args = (*native.dropped(args, {"--model": True}), "--model", order.model.name)
    turn = ("--headless",) if order.headless else ()
    match order.resume.mode:
        case ResumeMode.NEW:
            return LaunchLine((*args, *turn))
        case ResumeMode.EXACT:
            words = (*args, "--resume", order.resume.id, *turn)
            return LaunchLine(words, words)
        case ResumeMode.LAST_OR_NEW:
            return LaunchLine((*args, *turn), (*args, "--resume", "latest", *turn), CONVERSATION)
