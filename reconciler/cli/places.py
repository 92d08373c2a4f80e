"""Where a command looks: the global options."""

from reconciler.app.session import Flags
from reconciler.cli.grammar import Args


def flags(args: Args) -> Flags:
    """`--project-dir`, `--tmux-socket`, `--agent-def-dir` as the use cases take them."""
    return Flags(args.maybe("project_dir"), args.maybe("tmux_socket"), args.maybe("agent_def_dir"))
