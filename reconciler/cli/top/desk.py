"""What the keys of `houmao top` do: each is the use case of a command, with one sentence about what became of it.

Every member may be called from a thread of its own; they raise what the use cases raise.
"""

from collections.abc import Callable, Collection

from reconciler.app import top
from reconciler.app.agents import Agent, Selector, resolve
from reconciler.app.session import Flags
from reconciler.app.top import Board, Row


class Desk:
    """One fleet, looked at and steered."""

    __slots__ = ("_flags", "_selector")

    def __init__(self, flags: Flags, selector: str = "") -> None:
        self._flags, self._selector = flags, selector

    def look(self, near: Collection[str] = ()) -> Board:
        """The fleet now."""
        return top.look(self._flags, selector=self._selector, near=near)

    def prompt(self, row: Row, text: str) -> str:
        """`agents single … prompt`."""
        from reconciler.app import messages

        sent = messages.prompt(self._agent(row), text)
        return f"{sent.outcome.value}: {sent.detail}"

    def interrupt(self, row: Row) -> str:
        """`agents single … interrupt`."""
        from reconciler.app import messages

        sent = messages.interrupt(self._agent(row))
        return f"{sent.outcome.value}: {sent.detail}"

    def relaunch(self, row: Row, stopping: Callable[[], int | None] = lambda: None) -> str:
        """`agents single … relaunch`; the question was asked before."""
        from reconciler.app import lifecycle
        from reconciler.app.request import RunFlags

        telling = lifecycle.Telling(
            RunFlags(yes=True, stopping=stopping), lambda plan: True, lambda plan: None, lambda kind, fields: None, []
        )
        done = lifecycle.relaunch(self._agent(row), telling)
        return done.detail if done.success else f"failed: {done.detail}"

    def attach(self, row: Row) -> "Attach":
        """`attach`: what is to be run."""
        from reconciler.app import terminal

        return terminal.attach(terminal.terminal(self._flags, (f"instance/{row.name}",)))

    def _agent(self, row: Row) -> Agent:
        return resolve(self._flags, Selector(agent_id=row.agent_id))


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.terminal import Attach
