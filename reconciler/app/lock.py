"""One writer per overlay: the kernel lock, the lease row, the fencing token (R §19).

The lock is held for the run's life; the token is taken when the first action starts, and rises by one each time. Every
step asks `guard` first: a writer that was stopped and replaced changes nothing any more.

Where a watch holds it, it lends both: who asks for a turn writes under the watch's lock and number, and gives them back
(R-LCK-5). A watch that ends meanwhile takes nothing away: the lock is held as long as either of them lives.
"""

from collections.abc import Callable

from reconciler.model.errors import Interrupted, LockHeld, TokenLost
from reconciler.model.json import JsonMap
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import Lease
from reconciler.ports.files import Lock, LockHolder
from reconciler.ports.lending import Loan
from reconciler.ports.process import ProcessFacts

POLL_S = 0.1
LOAN_S = 600.0
"""How long a loan is waited for while the watch that gives it lives and is not stopped."""
PATIENT_S = 2.0
"""A watch that gives the turn sooner is not spoken of."""
Tell = Callable[[str, JsonMap], None]


class Writer:
    """A held lock, and the token once one was needed. With a `loan` both are lent, by who is at its other end."""

    def __init__(
        self, lock: Lock, purpose: str, *, token: int | None = None, loan: Loan | None = None, emit: Tell | None = None
    ) -> None:
        self._lock = lock
        self._purpose = purpose
        self._token = token
        self._loan = loan
        self._emit = emit

    @property
    def lock(self) -> Lock:
        """What is held, to be lent."""
        return self._lock

    @property
    def borrowed(self) -> bool:
        """Whether somebody waits to have it back."""
        return self._loan is not None

    def token(self, ports: Ports, *, above: int = 0) -> int:
        """This writer's number, and one `above`; the lease row is written with it the first time."""
        if self._token is None:
            pid = own_pid()
            facts = ports.process.facts([pid]).get(pid)
            self._token = ports.catalog.acquire(
                Lease(
                    token=0,
                    owner=ports.environ.get("USER") or "unknown",
                    pid=pid,
                    start_ticks=facts.start_ticks if isinstance(facts, ProcessFacts) else 0,
                    boot_id=ports.process.boot_id(),
                    purpose=self._purpose,
                    since=ports.clock.now_utc().isoformat(),
                ),
                above=above,
            )
        return self._token

    def guard(self, ports: Ports) -> None:
        """Raise TokenLost when a newer writer took over, or the lock file is no longer the one that is locked."""
        lease = ports.catalog.lease()
        if lease is None or lease.token != self._token or ports.files.lock_replaced(self._lock):
            raise TokenLost(
                "another writer took over this overlay; nothing more is changed here",
                hint="look at `houmao lock status`",
            )

    def release(self) -> None:
        """Free the lock; give it back where it was lent, and say so if nobody is left to take it."""
        self._lock.release()
        if self._loan is not None:
            if self._loan.gone and self._emit is not None:
                self._emit("lock", {"lender_ended": self._loan.pid})
            self._loan.close()
            self._loan = None

    def let_go(self) -> None:
        """Hold it no longer, but leave it to who borrowed it."""
        self._lock.let_go()


def take(
    ports: Ports,
    *,
    purpose: str,
    wait_s: float,
    emit: Tell,
    stopping: Callable[[], int | None] = lambda: None,
    loan_s: float | None = LOAN_S,
) -> Writer:
    """Take the overlay's lock, or a turn of the watch that holds it, for which `loan_s` are waited; None asks for none.

    Raises LockHeld naming holder, purpose, age and state after `wait_s` where nobody lends it. A stopped watch lends
    nothing. Raises Interrupted when `stopping` answers a signal while it waits.
    """
    begun = ports.clock.monotonic()
    told = False
    loan: Loan | None = None
    try:
        while True:
            found = ports.files.lock(ports.places.lock)
            if not isinstance(found, LockHolder):
                return Writer(found, purpose)
            told_to_stop = stopping()
            if told_to_stop is not None:
                raise Interrupted(told_to_stop)
            if loan is None and loan_s is not None:
                loan = ports.lending.ask(ports.places.lock, purpose)
            if loan is not None:
                said = loan.wait(POLL_S)
                token = said.body.get("token") if said is not None else None
                if said is not None and said.lock is not None and isinstance(token, int):
                    emit("lock", {"lent_by": loan.pid, "token": token})
                    lent, loan = loan, None
                    return Writer(said.lock, purpose, token=token, loan=lent, emit=emit)
                if loan.gone:
                    loan.close()
                    loan = None
                    continue
            led = loan is not None and found.state not in ("T", "t")
            limit = max(wait_s, loan_s or 0.0) if led else wait_s
            waited = ports.clock.monotonic() - begun
            if waited >= limit:
                raise LockHeld(describe(found, ports), hint=remedy(found))
            if not told and (not led or waited >= PATIENT_S):
                emit("lock", {"waiting_for": found.pid, "seconds": limit})
                told = True
            if loan is None:
                ports.clock.sleep(POLL_S)
    finally:
        if loan is not None:
            loan.close()


def describe(holder: LockHolder, ports: Ports) -> str:
    """One sentence about who holds the lock."""
    lease = ports.catalog.lease()
    words = [f"the overlay is locked by process {holder.pid}"]
    if lease is not None and lease.pid == holder.pid and lease.start_ticks == holder.start_ticks:
        words.append(f"for {lease.purpose!r} since {lease.since[:19]}")
    words.append(f"(state {state_word(holder.state)}: {holder.command or 'its command line is not readable'})")
    return " ".join(words)


def state_word(state: str) -> str:
    """What a letter of the process table means."""
    known = {"R": "running", "S": "sleeping", "D": "waiting for the disk", "T": "stopped", "t": "traced", "Z": "ended"}
    return f"{known.get(state, 'unknown')} ({state})"


def remedy(holder: LockHolder) -> str:
    """What to do about it: a stopped holder is continued or killed, never taken over."""
    if holder.state in ("T", "t"):
        return f"stopped (T): kill -CONT {holder.pid} or kill it"
    return "wait for it, or raise --lock-timeout"


def own_pid() -> int:
    """This process."""
    from os import getpid

    return getpid()
