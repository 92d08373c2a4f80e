"""The one listing: its format, its parser, and what a refusal to answer proves (R-OBS-3, R-OBS-5).

The text is framed by a nonce and ends with a line of its own. A user option may hold tabs and newlines and still be
read exactly; an answer cut short, or anything else in it, is no listing.
"""

import os
from collections.abc import Sequence

from reconciler.ports.tmux import Listing, Pane, ServerStamp, Unanswered

_FIXED = (
    "session_id",
    "session_name",
    "session_created",
    "window_id",
    "pane_id",
    "pane_pid",
    "pane_dead",
    "pane_dead_status",
    "pane_dead_signal",
    "window_index",
)
_OWN = ("@houmao_uid", "@houmao_mark", "@houmao_pane")
# What a client says when it found no server; the second is followed by the reason in brackets.
_REFUSED = "no server running on "
_NO_SOCKET = "error connecting to "
_NO_SOCKET_REASONS = ("(No such file or directory)", "(Connection refused)")


def words(nonce: str, uid: str = "") -> tuple[str, ...]:
    """The tmux command: stamp of the server, a row per pane, an end. Nothing is asked that makes tmux read /proc.

    With `uid` only the panes that carry it: of a thousand that saves the server and the reader most of their work.
    """
    fixed = "\t".join(f"#{{{name}}}" for name in _FIXED)
    own = nonce.join(f"#{{{name}}}" for name in _OWN)
    which = ("-f", f"#{{==:#{{{_OWN[0]}}},{uid}}}") if uid else ()
    return (
        *("display-message", "-p", f"{nonce}S #{{pid}} #{{start_time}}", ";"),
        *("list-panes", "-a", *which, "-F", f"{nonce}P\t{fixed}{nonce}{own}{nonce}", ";"),
        *("display-message", "-p", f"{nonce}E"),
    )


def parse(text: str, nonce: str, uid: str = "") -> Listing | Unanswered:
    """The listing in what tmux printed, or Unanswered when it is not one from its first to its last line."""
    pieces = text.split(nonce)
    step = 2 + len(_OWN)
    try:
        if pieces[0] or len(pieces) < 3 or pieces[-1] != "E\n" or (len(pieces) - 3) % step:
            return Unanswered("the listing of tmux is cut short or garbled")
        server = _stamp(pieces[1])
        panes = tuple(_pane(pieces[at : at + step]) for at in range(2, len(pieces) - 1, step))
    except (ValueError, IndexError):
        return Unanswered("the listing of tmux is garbled")
    return Listing(server, panes, f"tmux server {server.pid} listed {len(panes)} panes{f' of {uid}' if uid else ''}")


def no_session(text: str, err: str, nonce: str) -> Listing | None:
    """The listing of a server without sessions, which answers its stamp and then lacks a target; else None."""
    pieces = text.split(nonce)
    if len(pieces) != 2 or pieces[0] or err.strip() != "no current target":
        return None
    try:
        server = _stamp(pieces[1])
    except (ValueError, IndexError):
        return None
    return Listing(server, (), f"tmux server {server.pid} has no session")


def _stamp(row: str) -> ServerStamp:
    kind, pid, started = row.split(" ")
    if kind != "S" or not started.endswith("\n"):
        raise ValueError(row)
    return ServerStamp(int(pid), int(started))


def _pane(pieces: Sequence[str]) -> Pane:
    row, uid, mark, role, end = pieces
    kind, session_id, name, created, window_id, pane_id, pid, dead, status, signalled, index = row.split("\t")
    if kind != "P" or end != "\n" or dead not in ("0", "1", ""):
        raise ValueError(row)
    return Pane(
        session_id=session_id,
        session_name=name,
        session_created=int(created),
        window_id=window_id,
        pane_id=pane_id,
        pid=int(pid),
        dead=dead == "1",
        uid=uid,
        mark=mark,
        role=role,
        dead_status=status or (f"signal {signalled}" if signalled else ""),
        window_index=index,
    )


def no_server(err: str, socket: str) -> Listing | Unanswered | None:
    """What a client's error proves: that no server runs, that one runs unreachably, or (None) neither."""
    said = err.strip()
    if not says_no_server(said):
        return None
    if _listens(socket):
        return Unanswered(
            f"a tmux server listens on {socket}, but that file was removed; a SIGUSR1 to the server makes it again"
        )
    return Listing(None, (), said)


def says_no_server(said: str) -> bool:
    """Whether a client's error is that there is no socket, or nobody behind it."""
    return said.startswith(_REFUSED) or (said.startswith(_NO_SOCKET) and said.endswith(_NO_SOCKET_REASONS))


def _listens(socket: str) -> bool:
    """Whether the kernel knows a listener of that path: a socket outlives the removal of its file."""
    try:
        with open("/proc/net/unix", "rb") as table:
            rows = table.read().split(b"\n")
    except OSError:
        return False  # no such table on this system: tmux's own word is the evidence
    ending = b" " + os.fsencode(socket)
    listening = b"00010000"  # the flag of a socket that accepts connections
    return any(row.endswith(ending) and row.split(b" ")[3] == listening for row in rows)


def socket_path(name: str | None, path: str | None, tmpdir: str | None) -> str:
    """Where tmux puts its socket: as given, or `<TMUX_TMPDIR or /tmp>/tmux-<uid>/<name>` with links resolved."""
    if path is not None:
        return path
    base = tmpdir if tmpdir and os.path.isdir(tmpdir) else "/tmp"
    return os.path.join(os.path.realpath(base), f"tmux-{os.getuid()}", name or "default")
