"""Which commands there are, and the module each one lives in; nothing is imported to answer that."""

PATHS = {
    "apply": "apply",
    "plan": "plan",
    "diff": "diff",
    "validate": "validate",
    "get": "get",
    "describe": "describe",
    "explain": "explain",
    "api-resources": "api_resources",
    "create": "create",
    "set": "alter",
    "patch": "alter",
    "label": "alter",
    "annotate": "alter",
    "delete": "delete",
    "stop": "steer",
    "relaunch": "steer",
    "release": "steer",
    "verify": "verify",
    "export": "export",
    "wait": "wait",
    "logs": "logs",
    "attach": "attach",
    "doctor": "doctor",
    "lock status": "lock",
    "project init": "project",
    "project status": "project",
    "brains build": "brains",
    "agents global list": "agents",
    "agents single state": "agent",
    "agents single prompt": "agent",
    "agents single interrupt": "agent",
    "agents single stop": "agent",
    "agents single relaunch": "agent",
    "agents single cleanup session": "agent_cleanup",
    "agents single cleanup logs": "agent_cleanup",
    "agents single turn submit": "agent_turn",
    "agents single turn status": "agent_turn",
    "agents single turn events": "agent_turn",
    "agents single turn stdout": "agent_turn",
    "agents single turn stderr": "agent_turn",
    "agents single memory status": "agent_memory",
    "agents single memory path": "agent_memory",
    "agents single memory memo show": "agent_memory",
    "agents single memory memo set": "agent_memory",
    "agents single memory memo append": "agent_memory",
    "agents single memory tree": "agent_memory",
    "agents single memory resolve": "agent_memory",
    "agents single memory read": "agent_memory",
    "agents single memory write": "agent_memory",
    "agents single memory append": "agent_memory",
    "agents single memory delete": "agent_memory",
    "agents self identity": "agents",
    "agents self state": "agent",
    "agents self prompt": "agent",
    "agents self interrupt": "agent",
    "agents self relaunch": "agent",
    "agents self turn submit": "agent_turn",
    "agents self turn status": "agent_turn",
    "agents self turn events": "agent_turn",
    "agents self turn stdout": "agent_turn",
    "agents self turn stderr": "agent_turn",
    "agents self memory status": "agent_memory",
    "agents self memory path": "agent_memory",
    "agents self memory memo show": "agent_memory",
    "agents self memory memo set": "agent_memory",
    "agents self memory memo append": "agent_memory",
    "agents self memory tree": "agent_memory",
    "agents self memory resolve": "agent_memory",
    "agents self memory read": "agent_memory",
    "agents self memory write": "agent_memory",
    "agents self memory append": "agent_memory",
    "agents self memory delete": "agent_memory",
}
"""Command path to the module below `cli.commands`, in the order of the help."""

GROUPS = {
    "lock": "The lock of the overlay.",
    "project": "The overlay: the directory that holds all local state.",
    "brains": "Homes built without an overlay.",
    "agents": "Agents that live: talk to them, look at them, stop and start them.",
    "agents global": "All agents of this user.",
    "agents single": "One agent: say which with --agent-id or --agent-name before the verb.",
    "agents single cleanup": "What a stopped agent left behind.",
    "agents single turn": "The turns of a headless agent.",
    "agents single memory": "An agent's memo and pages.",
    "agents single memory memo": "An agent's memo.",
    "agents self": "The agent in whose terminal this is typed.",
    "agents self turn": "The turns of a headless agent.",
    "agents self memory": "Its memo and pages.",
    "agents self memory memo": "Its memo.",
}

VALUED = ("--project-dir", "--tmux-socket", "--agent-def-dir")
"""Options of every command whose next word is their value."""

SELECTORS = {"agents single": ("--agent-id", "--agent-name")}
"""Groups whose commands are told what they are about before their own name, and the options that say it."""

EARLY = frozenset((*VALUED, *(name for names in SELECTORS.values() for name in names)))
"""Options with a value that may stand before the last word of a command's name."""


def longest(words: "list[str]") -> str:
    """The longest beginning of `words` that is a command or a group; empty when there is none."""
    for count in range(min(len(words), 5), 0, -1):
        path = " ".join(words[:count])
        if path in PATHS or path in GROUPS:
            return path
    return ""


LATER = frozenset(
    (
        "show",
        "drift",
        "edit",
        "undelete",
        "adopt",
        "import",
        "rollout",
        "events",
        "top",
        "history",
        "suspend",
        "resume",
        "reconcile",
        "retry",
        "watch",
        "gc",
        "mailbox",
    )
)
"""Verbs of later releases; they do not exist yet."""
