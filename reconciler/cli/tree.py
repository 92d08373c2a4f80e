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
    "delete": "delete",
    "export": "export",
    "wait": "wait",
    "logs": "logs",
    "attach": "attach",
    "doctor": "doctor",
    "lock status": "lock",
    "project init": "project",
    "project status": "project",
    "brains build": "brains",
}
"""Command path to the module below `cli.commands`, in the order of the help."""

GROUPS = {
    "lock": "The lock of the overlay.",
    "project": "The overlay: the directory that holds all local state.",
    "brains": "Homes built without an overlay.",
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
        "create",
        "edit",
        "patch",
        "set",
        "label",
        "annotate",
        "undelete",
        "adopt",
        "release",
        "import",
        "rollout",
        "events",
        "top",
        "history",
        "suspend",
        "resume",
        "reconcile",
        "retry",
        "relaunch",
        "stop",
        "verify",
        "watch",
        "gc",
        "agents",
        "mailbox",
    )
)
"""Verbs of later releases; they do not exist yet."""
