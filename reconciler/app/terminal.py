"""An agent's own terminal: what it shows, what it showed, and how to enter it."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import cast

from reconciler.app import read
from reconciler.app.session import Flags, Session, open_session
from reconciler.app.settings import environment
from reconciler.app.status import Status
from reconciler.engine.handler import Present
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.tuples import NamedTuple
from reconciler.ports.tmux import Listing, Tmux, Unanswered

POLL_S = 0.25


class NotRunning(ReconcilerError):
    """There is no terminal to look at."""

    code = "instance.not_running"


class Terminal(NamedTuple):
    """The pane of one running agent."""

    session: Session
    item: Status
    session_id: str
    pane: str


class Attach(NamedTuple):
    """What to run in place of this program, and the variables to take away first."""

    argv: tuple[str, ...]
    without: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """What it is run with."""
        return {name: value for name, value in environment().items() if name not in self.without}


def terminal(flags: Flags, words: Sequence[str]) -> Terminal:
    """The terminal of the instance named (`alice`, `instance/alice`); raises NotRunning, NotFound, UsageFault."""
    session = open_session(flags)
    item = read.one(session, words, kind="Instance")
    if item.ref.kind != "Instance":
        raise UsageFault(f"{item.ref} has no terminal", hint="name an instance")
    part = item.seen.parts.get("session") if isinstance(item.seen, Present) else None
    session_id, pane = (part.facts.get("id"), part.facts.get("pane")) if part else (None, None)
    if not isinstance(session_id, str) or not isinstance(pane, str):
        ready = item.condition("Ready")
        why = ready.message if ready and ready.message else "it does not run"
        raise NotRunning(
            f"{item.ref} has no terminal: {why}", hint="apply what declares it, then try again", ref=str(item.ref)
        )
    return Terminal(session, item, session_id, pane)


def screen(found: Terminal, lines: int) -> tuple[str, ...]:
    """What the pane shows, with `lines` of scrollback above; raises NotRunning when tmux cannot say."""
    shown = found.session.reader.tmux.capture(found.pane, lines)
    if isinstance(shown, Unanswered):
        raise NotRunning(f"the terminal of {found.item.ref} cannot be read: {shown.why}", ref=str(found.item.ref))
    return tuple(line.rstrip() for line in shown.text.rstrip().split("\n"))


def follow(found: Terminal, lines: int) -> Iterator[tuple[str, ...]]:
    """New lines as they appear, until the pane is gone or its program has ended."""
    before: tuple[str, ...] = ()
    while True:
        try:
            now = screen(found, lines)
        except NotRunning:
            return
        if fresh := added(before, now):
            yield fresh
        before = now
        if _ended(found):
            return
        found.session.reader.clock.sleep(POLL_S)


def added(before: Sequence[str], now: Sequence[str]) -> tuple[str, ...]:
    """Lines of `now` that were not there: written below, or over others."""
    if before == now:
        return ()
    changes = SequenceMatcher(None, before, now, autojunk=False).get_opcodes()
    return tuple(line for tag, _, _, start, end in changes if tag in ("insert", "replace") for line in now[start:end])


def _ended(found: Terminal) -> bool:
    listing = found.session.reader.tmux.listing()
    if not isinstance(listing, Listing):
        return False
    return not any(pane.pane_id == found.pane and not pane.dead for pane in listing.panes)


def attach(found: Terminal) -> Attach:
    """The command that enters the session: switches the client where it already runs inside the same server."""
    tmux = cast("Tmux", found.session.reader.tmux)
    argv = tmux.attach_command(found.session_id)
    inside = (found.session.reader.environ.get("TMUX") or "").partition(",")[0]
    if inside and inside == found.item.live("socket"):
        return Attach(("tmux", "-S", inside, "switch-client", "-t", found.session_id), ())
    return Attach(argv, ("TMUX", "TMUX_PANE"))
