"""A fleet too large to start: what the project keeps of it is real, tmux and the agents' processes are simulated.

Declarations, catalog, registry, homes and the record of the no-op gate are written by an apply of the project, with the
in-memory twin of tmux. Afterwards a small program on PATH answers for tmux what that twin would: both the project and
the floors ask it. One process that sleeps stands for all agents, and is looked at once for each of them.
"""

import os
import subprocess
import sys
from collections.abc import Mapping

from bench.fleet import Fleet
from bench.measure import Wrong

LIMIT = 1000
"""Up to here fleets are real."""
BRING_UP_S = 3600
TMUX = """\
#!/bin/sh
# The answer of a tmux server that this file stands for; its one listing, in the form that is asked for.
for word; do
  case $word in
    *P"\t#{session_id}"*) nonce=${word%%P"\t"*}; exec sed "s/@N@/$nonce/g" "$0.full" ;;
    "#{@houmao_uid}\t#{session_id}\t#{pane_pid}\t#{pane_dead}\t"*) exec cat "$0.gate" ;;
    "#{@houmao_uid}\t#{session_id}\t#{pane_pid}\t#{pane_dead}") exec cat "$0.floor" ;;
    "#{@houmao_uid}\t#{session_id}\t#{pane_pid}") exec cut -f 1-3 "$0.floor" ;;
  esac
done
echo "this tmux only lists" >&2
exit 1
"""


class SimulatedFleet(Fleet):
    """A `Fleet` of which nothing runs but one process."""

    def __init__(self, n: int = 0) -> None:
        super().__init__(n)
        self._sleeper: subprocess.Popen[bytes] | None = None

    def bring_up(self) -> None:
        """Apply with the twin, in a process with the environment that is measured in; then put the program in place."""
        self._sleeper = subprocess.Popen(("sleep", "1000000"))
        words = (sys.executable, "-m", "bench.simulated", self.source, self.socket, str(self._sleeper.pid))
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        done = subprocess.run(
            (*words, f"{self.root}/bin/tmux"),
            cwd=self.project,
            env={**self.env, "PYTHONPATH": here},
            capture_output=True,
            text=True,
            timeout=BRING_UP_S,
        )
        if done.returncode:
            raise Wrong(f"the simulated fleet was not made: {done.stderr[-400:]}")
        self._record()

    def must_run(self) -> None:
        """Nothing does."""

    def end_server(self) -> None:
        """There is none; the process that stood for all agents ends."""
        if self._sleeper is not None:
            self._sleeper.kill()
            self._sleeper.wait()

    def _bodies(self) -> dict[str, str]:
        """Nothing is listed here: there are no screens to look at."""
        return {}


def main(words: list[str]) -> int:
    """In a process of its own: apply what is declared, and write what tmux would answer."""
    from reconciler.app import apply, overlay
    from reconciler.app import settings as settings_
    from reconciler.app.request import PlanFlags, RunFlags, Source
    from reconciler.app.session import Flags
    from reconciler.app.wiring import System
    from reconciler.ports.bundle import Ports, Reader
    from reconciler.ports.tmux import Listing
    from reconciler.testing.tmux import FakeTmux

    source, socket, pid, program = words

    class One:
        """Every program is the one process."""

        def spawn(self, argv: tuple[str, ...], env: Mapping[str, str], cwd: str) -> int:
            del argv, env, cwd
            return int(pid)

        def hangup(self, pid: int) -> None:
            del pid

        def alive(self, pid: int) -> bool:
            del pid
            return True

    tmux = FakeTmux(processes=One())
    tmux.socket = socket  # type: ignore[attr-defined]

    class Twin(System):
        """The real world with another tmux."""

        def reader(self, settings: settings_.Settings) -> Reader:
            return super().reader(settings)._replace(tmux=tmux)

        def ports(self, settings: settings_.Settings) -> Ports:
            return super().ports(settings)._replace(tmux=tmux)

        def bare(self, settings: settings_.Settings) -> Ports:
            return super().bare(settings)._replace(tmux=tmux)

    world = Twin()
    overlay.create(settings_.find(), world)
    report = apply.apply(
        Flags(world=world),
        Source((source,)),
        PlanFlags(),
        RunFlags(yes=True, timeout_s=BRING_UP_S, parallelism=64),
        confirm=lambda plan: True,
        shown=lambda plan: None,
        emit=lambda kind, fields: None,
    )
    listing = tmux.listing()
    if report.exit_code or not isinstance(listing, Listing) or listing.server is None:
        print(f"the apply left with {report.exit_code}", file=sys.stderr)
        return 1
    nonce, rows = "@N@", listing.panes
    full = [f"{nonce}S {listing.server.pid} {listing.server.started}\n"]
    for pane in rows:
        fixed = (pane.session_id, pane.session_name, pane.session_created, pane.window_id, pane.pane_id, pane.pid)
        row = "\t".join(["P", *map(str, fixed), "0", pane.dead_status, "", pane.window_index or "0"])
        full.append(nonce + nonce.join((row, pane.uid, pane.mark, pane.role, "\n")))
    texts = {
        "full": "".join([*full, f"{nonce}E\n"]),
        "gate": "".join(f"{p.uid}\t{p.session_id}\t{p.pid}\t0\t{p.role}\t{p.mark}\n" for p in rows),
        "floor": "".join(f"{p.uid}\t{p.session_id}\t{p.pid}\t0\n" for p in rows),
    }
    for name, text in texts.items():
        with open(f"{program}.{name}", "w") as stream:
            stream.write(text)
    with open(program, "w") as stream:
        stream.write(TMUX)
    os.chmod(program, 0o755)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
