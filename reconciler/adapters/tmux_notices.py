"""tmux telling by itself that a session came or went: a control client that asks nothing (R-TMX-6, R-TMX-9).

It attaches to an agent's session, never to a person's, reads only, and leaves the size alone. tmux is silent on the
death of a pane under `remain-on-exit`: that a program ended is told by its pidfd.
"""

import os
import signal
from collections.abc import Mapping, Sequence

from reconciler.adapters import tmux_process as process

_TELLS = (b"%sessions-changed", b"%session-changed", b"%unlinked-window-close", b"%window-close", b"%exit")
_FLAGS = "no-output,ignore-size,read-only"


class Notices:
    """At most one client; `descriptor` is where it talks, or None where there is nobody to listen to."""

    def __init__(
        self,
        where: Sequence[str],
        environ: Mapping[str, str],
        spawn: process.Spawn = process.spawn,
    ) -> None:
        self._where = tuple(where)
        self._env = process.allowed(environ)
        self._spawn = spawn
        self._pid = 0
        self._keep = -1
        self._rest = b""
        self._session = ""
        self.descriptor: int | None = None

    @property
    def closed(self) -> bool:
        """Whether nobody listens."""
        return self.descriptor is None

    def attach(self, sessions: Sequence[str]) -> None:
        """Listen through one of these; a client that listens already stays."""
        if self.descriptor is not None and self._session in sessions:
            return
        self.close()
        path = process.find("tmux", self._env.get("PATH", os.defpath))
        if not sessions or path is None:
            return
        self._start(path, sessions[0])

    def _start(self, path: str, session: str) -> None:
        ends: list[int] = []
        try:
            ends += os.pipe()
            ends += os.pipe()
            nobody = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            ends.append(nobody)
            stdin, keep, out, write = ends[:4]
            argv = ("tmux", "-u", *self._where, "-C", "attach-session", "-E", "-f", _FLAGS, "-t", session)
            actions = [(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in enumerate((stdin, write, nobody))]
            self._pid = self._spawn(path, argv, self._env, actions)
        except OSError:
            for end in ends:
                os.close(end)
            return
        for end in (stdin, write, nobody):
            os.close(end)
        os.set_blocking(out, False)
        # Its standard input stays open: a control client whose input ends leaves.
        self._keep, self.descriptor, self._session = keep, out, session

    def read(self) -> bool:
        """Whether what it said means that a session may have ended; where it left, there is no descriptor any more."""
        assert self.descriptor is not None
        told = False
        while True:
            try:
                chunk = os.read(self.descriptor, 1 << 16)
            except BlockingIOError:
                break
            if not chunk:
                self.close()
                return True
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            told = told or any(line.startswith(_TELLS) for line in lines)
        return told

    def close(self) -> None:
        """End the client, if there is one."""
        for end in (self._keep, self.descriptor):
            if end is not None and end >= 0:
                os.close(end)
        self._keep, self.descriptor, self._rest, self._session = -1, None, b"", ""
        if self._pid:
            try:
                os.kill(self._pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            os.waitpid(self._pid, 0)
            self._pid = 0
