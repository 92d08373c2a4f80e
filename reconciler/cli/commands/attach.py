"""`houmao attach`: enter an agent's terminal."""

from reconciler.cli.grammar import Args, Argument, Command, Example


def attach(args: Args) -> int:
    """Become tmux; what comes back is tmux's own exit code."""
    import os
    import sys

    from reconciler.app import terminal
    from reconciler.cli import places

    found = terminal.attach(terminal.terminal(places.flags(args), args.many("what")))
    if found.without and not sys.stdin.isatty():
        raise terminal.NotRunning(
            "there is no terminal to attach",
            hint="`houmao logs` prints what the agent shows",
            code="attach.no_terminal",
        )
    sys.stdout.flush()
    os.execvpe(found.argv[0], found.argv, found.environment())


COMMANDS = (
    Command(
        "attach",
        "Enter an agent's terminal; Ctrl-b d leaves it running.",
        attach,
        arguments=(Argument("what", "NAME | instance/NAME", "the agent", least=1, most=2),),
        examples=(Example("houmao attach alice", "talk to it; leave with Ctrl-b d"),),
        notes="Inside the same tmux server it switches to the agent's session instead.",
    ),
)
