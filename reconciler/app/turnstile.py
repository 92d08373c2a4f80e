"""One sender at a time per agent: the lock file in its session root, freed by the kernel when its holder dies.

Whoever types at an agent, from whichever process, holds it from the look that admits until the screen has moved on:
else two senders would both see a ready prompt, and the second text would land in the middle of the first one's turn.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.model.errors import ReconcilerError
from reconciler.ports.clock import Clock
from reconciler.ports.files import Files, LockHolder

FILE = "requests.lock"
POLL_S = 0.02


class AgentTaken(ReconcilerError):
    """Somebody else is typing at the agent, and has been for long."""

    code = "prompt.agent_taken"


@contextmanager
def turnstile(files: Files, clock: Clock, session_root: str, wait_s: float) -> Iterator[None]:
    """Hold the agent's lock; raises AgentTaken naming the holder when it is not free within `wait_s`."""
    path = f"{session_root}/{FILE}"
    deadline = clock.monotonic() + wait_s
    while isinstance(found := files.lock(path), LockHolder):
        if clock.monotonic() >= deadline:
            raise AgentTaken(
                f"process {found.pid} is handing something over to this agent ({found.command or 'no command line'})",
                hint="try again in a moment; `--ready-within 30s` waits longer",
            )
        clock.sleep(POLL_S)
    try:
        yield
    finally:
        found.release()
