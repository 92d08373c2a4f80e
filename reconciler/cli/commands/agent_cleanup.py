"""`houmao agents single cleanup …`: what a stopped agent left behind."""

from reconciler.cli.agent import SINGLE, pair, show
from reconciler.cli.grammar import Args, Option

WHERE = (
    Option(("--manifest-path",), "The agent with this session manifest.", "FILE"),
    Option(("--session-root",), "The agent with this session root.", "DIR"),
    Option(
        ("--dry-run",),
        "Only say what would be done.",
        "WHERE",
        kind="choice",
        choices=("none", "client", "server"),
    ),
    Option(
        ("--lock-timeout",),
        "How long to wait for another writer: 30s by default.",
        "TIME",
        kind="seconds",
    ),
)


def cleanup(args: Args) -> int:
    """Plan and do it; 0 also where something is held back, which the answer says."""
    from reconciler.app import cleanup as use_case
    from reconciler.app.agents import Selector
    from reconciler.cli import places

    agent, value = use_case.target(
        places.flags(args),
        Selector(args.maybe("agent_id"), args.maybe("agent_name")),
        args.maybe("manifest_path"),
        args.maybe("session_root"),
    )
    lock_s = args.seconds("lock_timeout")
    found = use_case.cleanup(
        agent,
        args.command.path.rpartition(" ")[2],
        value,
        dry_run=args.text("dry_run", "none") != "none",
        purge=args.flag("purge_registry"),
        lock_s=30.0 if lock_s is None else lock_s,
    )
    show(args, found.to_json())
    return 0


COMMANDS = (
    *pair(
        "cleanup session",
        "Remove the session root of a stopped agent, and retire it.",
        cleanup,
        options=(*WHERE, Option(("--purge-registry",), "Delete its registry record instead of retiring it.")),
        examples=(("--dry-run", "what it would remove"), ("", "its home and its memory stay")),
        notes="An agent that runs, or is recorded as running, is left alone: the answer says so under blocked_actions.",
        families=(SINGLE,),
    ),
    *pair(
        "cleanup logs",
        "Remove the artifacts of turns that are over, and logs.",
        cleanup,
        options=WHERE,
        examples=(("", "also while the agent runs"),),
        families=(SINGLE,),
    ),
    *pair(
        "cleanup mailbox",
        "Remove what an agent keeps of its mailbox.",
        cleanup,
        options=WHERE,
        examples=(("--dry-run", "what it would remove"),),
        notes=(
            "Agents of this release have no mailbox, so nothing is removed. One that another program registered for "
            "the agent is left alone: the answer says so under blocked_actions."
        ),
        families=(SINGLE,),
    ),
)
