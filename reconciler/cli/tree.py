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
    "edit": "edit",
    "delete": "delete",
    "stop": "steer",
    "relaunch": "steer",
    "release": "steer",
    "verify": "verify",
    "adopt": "adopt",
    "import": "adopt",
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

LATER = frozenset(
    (
        "show",
        "drift",
        "undelete",
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
        "agents",
        "mailbox",
    )
)
"""Verbs of later releases; they do not exist yet."""
