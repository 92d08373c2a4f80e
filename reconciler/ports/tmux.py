"""tmux: one listing for the whole fleet, one batch of conditional requests with an answer each (R §10a).

An empty listing and no listing are different values: only the first is evidence that something is absent.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from reconciler.model.ref import Uid, session_name_fault
from reconciler.model.tuples import NamedTuple


class ServerStamp(NamedTuple):
    """Which server answered."""

    pid: int
    started: int


class Pane(NamedTuple):
    """One pane of the listing. `uid`, `mark` and `role` are its user options as tmux resolves them for the pane."""

    session_id: str
    session_name: str
    session_created: int
    window_id: str
    pane_id: str
    pid: int
    dead: bool
    uid: str
    mark: str
    role: str
    """`agent` on the primary pane (R-OBS-9a), else empty."""
    dead_status: str = ""


class Listing(NamedTuple):
    """A full answer. `server` is None when it is certain that no server runs; `evidence` says how that is known."""

    server: ServerStamp | None
    panes: tuple[Pane, ...]
    evidence: str


class Unanswered(NamedTuple):
    """tmux could not be asked, or did not answer in time: ignorance, never absence (R-TMX-8)."""

    why: str


class Fence(NamedTuple):
    """The writer's right to act on the server (R-LCK-2)."""

    overlay_id: str
    token: int


class Create(NamedTuple):
    """Compare-and-create of one detached session (R-TMX-4). `env` may hold no secret."""

    uid: Uid
    mark: str
    name: str
    cwd: str
    env: tuple[tuple[str, str], ...]
    argv: tuple[str, ...]
    width: int = 200
    height: int = 50


class Kill(NamedTuple):
    """Compare-and-kill of one session (R-TMX-3)."""

    session_id: str
    uid: Uid
    mark: str


class Mark(NamedTuple):
    """Compare-and-mark: give a session a new mark when it still has the old one."""

    session_id: str
    uid: Uid
    mark: str
    new_mark: str


class SendKeys(NamedTuple):
    """Keys to the agent pane, conditional on its uid and role; `literal` text or tmux key names."""

    pane_id: str
    uid: Uid
    keys: tuple[str, ...]
    literal: bool = False


class Vacant(NamedTuple):
    """Is there really no session of this uid? Asked of the server itself before its absence has consequences."""

    uid: Uid


Request = Create | Kill | Mark | SendKeys | Vacant


def is_session_id(text: str) -> bool:
    """Whether it is an id as `$3`: nothing else is ever a target (R-TMX-2)."""
    return _is_id("$", text)


def is_pane_id(text: str) -> bool:
    """Whether it is an id as `%7`."""
    return _is_id("%", text)


def request_fault(fence: Fence, request: Request) -> str | None:
    """Why a request cannot be put to tmux at all, or None when it can; every implementation answers Failed with it."""
    if not fence.overlay_id or not _PLAIN.issuperset(fence.overlay_id) or fence.token < 0:
        return f"no valid fence: {fence.overlay_id!r}, {fence.token}"
    if not request.uid or not _PLAIN.issuperset(request.uid):
        return f"no valid uid: {request.uid!r}"
    match request:
        case Create():
            wrong = _create_fault(request)
            texts = (request.mark, request.cwd, *request.argv, *(text for pair in request.env for text in pair))
        case Kill():
            wrong = None if is_session_id(request.session_id) else f"no session id: {request.session_id!r}"
            texts = (request.mark,)
        case Mark():
            wrong = None if is_session_id(request.session_id) else f"no session id: {request.session_id!r}"
            texts = (request.mark, request.new_mark)
        case SendKeys():
            wrong = None if request.keys else "there are no keys to send"
            wrong = wrong if is_pane_id(request.pane_id) else f"no pane id: {request.pane_id!r}"
            texts = request.keys
        case Vacant():
            wrong, texts = None, ()
    if wrong is None and any("\0" in text for text in texts):
        return "a NUL character cannot be handed to tmux"
    return wrong


def _create_fault(create: Create) -> str | None:
    wrong = session_name_fault(create.name)
    if wrong is not None:
        return f"session name {create.name!r} {wrong}"
    if not create.argv or not create.argv[0]:
        return "there is no program to start"
    for name, _ in create.env:
        if not name or "=" in name:
            return f"no valid variable name: {name!r}"
    if not create.cwd.startswith("/"):
        return f"the directory {create.cwd!r} is not absolute"
    return None


_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")


def _is_id(sigil: str, text: str) -> bool:
    return text[:1] == sigil and text[1:].isascii() and text[1:].isdecimal()


class Created(NamedTuple):
    """The session runs."""

    session_id: str
    pane_id: str
    pid: int
    created: int


class Done(NamedTuple):
    """The request was carried out."""


class Refused(NamedTuple):
    """The condition did not hold; nothing was done."""

    why: str


class Failed(NamedTuple):
    """tmux answered with an error; nothing of this request was done, or `unknown` is set and that is not certain."""

    why: str
    unknown: bool = False


Answer = Created | Done | Refused | Failed


class TmuxReader(Protocol):
    """The half that only looks."""

    socket: str
    """Absolute path of the server's socket: which server an answer is about."""

    def listing(self) -> Listing | Unanswered:
        """Every pane of every session, in one round trip; never raises."""
        ...

    def environment(self, session_id: str, name: str) -> str | Unanswered | None:
        """One variable of a session's environment; None when it is not set (R-TMX-5). No such session is Unanswered."""
        ...

    def capture(self, pane_id: str, lines: int = 0) -> "Screen | Unanswered":
        """What a pane shows now, with its title; `lines` of scrollback above it."""
        ...

    def captures(self, pane_ids: Sequence[str]) -> Mapping[str, "Screen | Unanswered"]:
        """What many panes show now: one trip for a hundred of them, and one more for each that is gone."""
        ...

    def attach_command(self, session_id: str) -> tuple[str, ...]:
        """The argv that attaches a terminal to the session."""
        ...


class Screen(NamedTuple):
    """What a pane shows: text without escape sequences, and its title."""

    text: str
    title: str


class Tmux(TmuxReader, Protocol):
    """Acting on the server."""

    def act(self, fence: Fence, requests: Sequence[Request]) -> tuple[Answer, ...]:
        """Carry out each request under the fence, in order, with one answer each; one trip for all.

        Starts the server where none runs and there is something to create. Never raises for one request.
        """
        ...
