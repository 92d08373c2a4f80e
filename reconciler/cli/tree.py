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
    "agents self identity": "agents",
    "agents self state": "agent",
    "agents self prompt": "agent",
    "agents self interrupt": "agent",
    "agents self relaunch": "agent",
}
"""Command path to the module below `cli.commands`, in the order of the help."""

GROUPS = {
    "lock": "The lock of the overlay.",
    "project": "The overlay: the directory that holds all local state.",
    "brains": "Homes built without an overlay.",
    "agents": "Agents that live: talk to them, look at them, stop and start them.",
    "agents global": "All agents of this user.",
    "agents single": "One agent: say which with --agent-id or --agent-name before the verb.",
    "agents self": "The agent in whose terminal this is typed.",
}

VALUED = ("--project-dir", "--tmux-socket", "--agent-def-dir")
"""Options of every command whose next word is their value."""

SELECTORS = {"agents single": ("--agent-id", "--agent-name")}
"""Groups whose commands are told what they are about before their own name, and the options that say it."""

EARLY = frozenset((*VALUED, *(name for names in SELECTORS.values() for name in names)))
"""Options with a value that may stand before the last word of a command's name."""


def longest(words: "list[str]") -> str:
    """The longest beginning of `words` that is a command or a group; empty when there is none."""
    for count in range(min(len(words), 4), 0, -1):
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
