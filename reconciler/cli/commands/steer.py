"""`houmao stop`, `relaunch` and `release`: agents, one or many, in one run."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option, Usage
from reconciler.cli.options import DRY, OUTPUT_PLAN, RUN_CODES, RUNNING, SELECTOR, WAY, output

AGENTS = Argument("what", "[NAME… | KIND/NAME…]", "the agents; with -l none need be named", least=0, most=None)
SHARED = (SELECTOR, DRY, *RUNNING, output(*OUTPUT_PLAN))


def stop(args: Args) -> int:
    """A patch to desired state."""
    from reconciler.app import verbs
    from reconciler.cli import verb

    way = verb.way(args)
    refs = verb.agents(args)
    return verb.carry_out(args, verbs.stop(refs, way)) if refs else verb.nothing_matches(args)


def relaunch(args: Args) -> int:
    """An action request."""
    from reconciler.app import verbs
    from reconciler.app.session import open_session
    from reconciler.cli import places, verb
    from reconciler.model.json import JsonMap

    mode, conversation = args.maybe("resume"), args.maybe("resume_id")
    if (conversation is not None) != (mode == "exact"):
        raise Usage("--resume exact and --resume-id belong together", "write --resume exact --resume-id ID")
    resume: JsonMap | None = {"mode": mode, **({"id": conversation} if conversation else {})} if mode else None
    refs = verb.agents(args)
    if not refs:
        return verb.nothing_matches(args)
    request = args.maybe("request_id") or f"q-{open_session(places.flags(args)).reader.clock.new_uid()}"
    return verb.carry_out(args, verbs.relaunch(refs, request, resume))


def release(args: Args) -> int:
    """A patch to desired state: back to what is declared."""
    from reconciler.app import kind_names, read, verbs
    from reconciler.app.session import open_session
    from reconciler.cli import places, verb

    words, selector = args.many("what"), args.text("selector")
    named = [word for word in words if "/" in word]
    if named and len(named) == len(words):
        refs = kind_names.named(words, open_session(places.flags(args)).handlers).refs
    elif selector and words:
        refs = read.refs(open_session(places.flags(args)), words, selector)
    else:
        refs = verb.agents(args)
    return verb.carry_out(args, verbs.release(refs, args.many("path"))) if refs else verb.nothing_matches(args)


COMMANDS = (
    Command(
        "stop",
        "Stop agents; identity, home and record stay.",
        stop,
        arguments=(AGENTS,),
        options=(*WAY, *SHARED),
        examples=(
            Example("houmao stop alice", "held Stopped for an hour, whatever its manifest declares"),
            Example("houmao stop alice --override=30m", "for half an hour"),
            Example("houmao stop -l team=core --dry-run=server", "what stopping all of a team would do"),
        ),
        notes=(
            "A patch to desired state: spec.state Stopped. Where a manifest declares the agent Running this is an "
            "override: apply leaves it stopped until the time is over or `houmao release`. --write-back declares it."
        ),
        own=RUN_CODES,
    ),
    Command(
        "relaunch",
        "Start agents anew, on the same identity and home.",
        relaunch,
        arguments=(AGENTS,),
        options=(
            Option(
                ("--resume",),
                "Which conversation goes on, this once; else as declared.",
                "MODE",
                kind="choice",
                choices=("new", "tool_last_or_new", "exact"),
            ),
            Option(("--resume-id",), "The conversation, with --resume exact.", "ID"),
            Option(("--request-id",), "Ask once: the same id never relaunches an agent twice.", "ID"),
            *SHARED,
        ),
        examples=(
            Example("houmao relaunch alice", "its program starts anew and goes on with its conversation"),
            Example("houmao relaunch -l team=core --resume new --yes", "a team, each with a new conversation"),
            Example("houmao relaunch alice --request-id deploy-7", "from a script that may be run twice"),
        ),
        notes=(
            "An action request: nothing declared changes. A request that was interrupted is run again under the same "
            "--request-id, and finishes what is left of it."
        ),
        own=RUN_CODES,
    ),
    Command(
        "release",
        "End overrides, and go back to what is declared.",
        release,
        arguments=(AGENTS,),
        options=(Option(("--path",), "Only the override of this path; may be repeated.", "PATH", many=True), *SHARED),
        examples=(
            Example("houmao release alice", "what was held of alice is as declared again"),
            Example("houmao release specialist/coder --path spec.model", "one path of a specialist"),
        ),
        notes="A patch to desired state. A bare name is an instance's.",
        own=RUN_CODES,
    ),
)
