"""What libtmux does better than a format string: colours of a screen, and a look at sessions that are not ours.

Never on the way of a plan or an apply: importing libtmux costs seven times a bare start. It has no time-out of its own,
so it is asked only where a person waits at a terminal.
"""

from typing import TYPE_CHECKING

from reconciler.model.errors import Unreachable
from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:
    from libtmux import Server


class Foreign(NamedTuple):
    """A pane of a session that carries no uid: what a person could hand over to be managed."""

    session_id: str
    session_name: str
    pane_id: str
    pid: int
    command: str
    cwd: str


def server(socket_name: str | None, socket_path: str | None) -> "Server":
    """The server as libtmux knows it; nothing is asked yet. `TMUX` of the caller has no say."""
    import libtmux

    return libtmux.Server(socket_name=socket_name, socket_path=socket_path)


def foreign(server: "Server") -> tuple[Foreign, ...]:
    """Panes of sessions without a uid, by session name; raises Unreachable when no server answers.

    libtmux gives an empty list for a dead server, so it is asked whether it lives first (R-OBS-3).
    """
    from libtmux.exc import LibTmuxException

    try:
        if not server.is_alive():
            raise Unreachable("no tmux server answers", hint="start a session, or name its socket with --tmux-socket")
        found = [
            Foreign(
                session.session_id or "",
                session.session_name or "",
                pane.pane_id or "",
                int(pane.pane_pid or 0),
                pane.pane_current_command or "",
                pane.pane_current_path or "",
            )
            for session in server.sessions
            if not session.cmd("show-options", "-v", "-q", "@houmao_uid").stdout
            for pane in session.panes
        ]
    except LibTmuxException as fault:
        raise Unreachable(f"tmux did not answer: {fault}") from fault
    return tuple(sorted(found, key=lambda each: (each.session_name, each.pane_id)))


def screen(server: "Server", pane_id: str) -> str:
    """A pane's screen with its colours as escape sequences, for a person; raises Unreachable when there is none."""
    from libtmux.exc import LibTmuxException

    try:
        pane = server.panes.get(pane_id=pane_id, default=None)
        if pane is None:
            raise Unreachable(f"there is no pane {pane_id}")
        return "\n".join(pane.capture_pane(escape_sequences=True))
    except LibTmuxException as fault:
        raise Unreachable(f"tmux did not answer: {fault}") from fault
