"""Asking the program that leads an overlay, and being given the turn to write (R-LCK-5).

A watch holds the lock for days. Whoever else has something to do asks at its desk: it is lent the lock itself, and the
number that writes are marked with, in the order of asking. What the leader alone can do it does, and answers.

Nothing is carried out on somebody's behalf, so nothing can be carried out twice: who asked does its own work, with its
own files, environment and terminal, once. The kernel frees the lock when the last of those who hold it has ended.
"""

from typing import Protocol

from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.files import Lock


class Asked(NamedTuple):
    """Somebody waits at the desk: for the lock, or for an answer."""

    number: int
    verb: str
    """What they want it for, as the lock's purpose says it."""
    pid: int


class Desk(Protocol):
    """The leader's side; used by one thread."""

    @property
    def descriptor(self) -> int:
        """Readable when somebody came, said something or left."""
        ...

    def asked(self) -> tuple[Asked, ...]:
        """Who waits, first come first; takes in what was said since. Who left is no longer among them."""
        ...

    def lend(self, asked: Asked, lock: Lock, token: int) -> bool:
        """Give them the lock to hold as well; False when they are gone. They leave when they are done."""
        ...

    def tell(self, asked: Asked, body: JsonMap) -> bool:
        """Say something to them; False when they are gone."""
        ...

    def dismiss(self, asked: Asked) -> None:
        """They were answered."""
        ...

    def close(self) -> None: ...


class Told(NamedTuple):
    """Something the leader said; `lock` where it lends it."""

    body: JsonMap
    lock: Lock | None = None


class Loan(Protocol):
    """The side of who asks."""

    @property
    def pid(self) -> int:
        """Of the leader."""
        ...

    def wait(self, seconds: float) -> Told | None:
        """The next thing it says; None when nothing came in time, or it is gone."""
        ...

    @property
    def gone(self) -> bool:
        """Whether the leader ended."""
        ...

    def close(self) -> None: ...


class Lending(Protocol):
    """Where leaders are found: by the lock they hold."""

    def desk(self, lock: str) -> Desk | None:
        """The desk of who holds the lock at this path; None where this system has none."""
        ...

    def ask(self, lock: str, verb: str) -> Loan | None:
        """Ask who leads; None where nobody does."""
        ...
