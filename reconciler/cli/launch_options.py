"""Options that steer one launch and are no state of the agent: the same in each lane."""

from reconciler.cli.grammar import Option

ONCE = (
    Option(
        ("--env-set",),
        "NAME=value for this start alone, or NAME for the value it has here; may be repeated.",
        "NAME[=VALUE]",
        many=True,
    ),
    Option(("--reuse-home",), "Go on in the home of a stopped agent of this name."),
    Option(
        ("--force",),
        "Replace an agent of this name: go on in its home, or begin in a new one.",
        "HOW",
        kind="choice",
        choices=("keep-stale", "clean"),
        alone="keep-stale",
    ),
)
"""One-off variables, and what may happen to an agent of that name that is there."""
