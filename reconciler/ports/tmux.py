"""tmux: one listing for the whole fleet, one batch of conditional requests with an answer each (R §10a).

An empty listing and no listing are different values: only the first is evidence that something is absent.
"""

from collections.abc import Iterable, Mapping, Sequence
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
    window_index: str = ""


def alone_in_front(panes: "Iterable[Pane]") -> "Pane | None":
    """The pane of a session's first window where it is the only one there: what can be taken for an agent's. Further
    windows are a person's own."""
    every = sorted(panes, key=lambda pane: int(pane.window_index or 0))
    front = [pane for pane in every if pane.window_id == every[0].window_id]
    return front[0] if len(front) == 1 else None


class Listing(NamedTuple):
    """A full answer. `server` is None when it is certain that no server runs; `evidence` says how that is known."""

    server: ServerStamp | None
    panes: tuple[Pane, ...]
    evidence: str


class Unanswered(NamedTuple):
    """tmux could not be asked, or did not answer in time: ignorance, never absence (R-TMX-8)."""

    why: str


def only(listing: Listing | Unanswered, uid: str) -> Listing | Unanswered:
    """The same with the panes that carry a uid alone; all of them where it is empty."""
    if isinstance(listing, Unanswered) or not uid:
        return listing
    return listing._replace(panes=tuple(pane for pane in listing.panes if pane.uid == uid))


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


class Leave(NamedTuple):
    """Compare-and-leave of a session that was adopted: the agent's pane ends, every mark goes, and what else a person
    has in it stays. The last pane of a session takes the session with it."""

    session_id: str
    uid: Uid
    mark: str
    pane_id: str = ""
    """Empty where the agent's pane is gone already."""
    unset: tuple[str, ...] = ()
    """Variables of the session that spoke of the agent."""


class Mark(NamedTuple):
    """Compare-and-mark: give a session a new mark when it still has the old one."""

    session_id: str
    uid: Uid
    mark: str
    new_mark: str


class Adopt(NamedTuple):
    """Compare-and-mark of a session that nobody owns: still this one, and still without a uid (R-ADO-1)."""

    session_id: str
    pane_id: str
    created: int
    uid: Uid
    mark: str


class Rename(NamedTuple):
    """Compare-and-rename of one session."""

    session_id: str
    uid: Uid
    mark: str
    name: str


class SendKeys(NamedTuple):
    """Keys to the agent pane, conditional on its uid and role; `literal` text or tmux key names."""

    pane_id: str
    uid: Uid
    keys: tuple[str, ...]
    literal: bool = False


class Judged(NamedTuple):
    """The pane as it was judged fit for input. What is sent goes in only while all of this still holds, which tmux
    itself tests in the step that sends it."""

    pane_id: str
    uid: Uid
    pid: int
    """The program the pane was started with: another one there is not the agent."""
    screen: "Screen | None" = None
    """As it was judged; None where it does not matter what the pane shows."""


class Paste(NamedTuple):
    """A text for the program in the pane, as one bracketed paste; it reaches tmux on standard input, never in argv."""

    at: Judged
    label: str
    """Tells this paste's buffer from that of any other sender to the same agent."""
    text: str
    enter: bool = False
    """Submit it in the same step."""


class Stroke(NamedTuple):
    """Literal text, or the name of one key."""

    text: str
    literal: bool = False


class Strokes(NamedTuple):
    """Keys for the program in the pane, in order."""

    at: Judged
    keys: tuple[Stroke, ...]


Delivery = Paste | Strokes


class OpenWindow(NamedTuple):
    """One more window in an agent's session, never its first, for a program that serves the agent: its pane has the
    role `gateway` and goes when the program ends. It does not inherit `HOUMAO_UID`, for it is not the agent."""

    session_id: str
    uid: Uid
    name: str
    cwd: str
    env: tuple[tuple[str, str], ...]
    argv: tuple[str, ...]


class Export(NamedTuple):
    """Variables of a session's environment, for whoever asks it from now on; None takes one away. No secret."""

    session_id: str
    uid: Uid
    values: tuple[tuple[str, str | None], ...]


class Vacant(NamedTuple):
    """Is there really no session of this uid? Asked of the server itself before its absence has consequences."""

    uid: Uid


Request = Create | Kill | Leave | Mark | Adopt | Rename | SendKeys | OpenWindow | Export | Vacant


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
        case Leave():
            there = is_session_id(request.session_id) and (not request.pane_id or is_pane_id(request.pane_id))
            wrong = None if there else f"no session and pane: {request.session_id!r}, {request.pane_id!r}"
            wrong = wrong or variables_fault(request.unset)
            texts = (request.mark, *request.unset)
        case Mark():
            wrong = None if is_session_id(request.session_id) else f"no session id: {request.session_id!r}"
            texts = (request.mark, request.new_mark)
        case Adopt():
            there = is_session_id(request.session_id) and is_pane_id(request.pane_id)
            wrong = None if there else f"no session and pane: {request.session_id!r}, {request.pane_id!r}"
            texts = (request.mark,)
        case Rename():
            wrong = None if is_session_id(request.session_id) else f"no session id: {request.session_id!r}"
            named = session_name_fault(request.name)
            wrong = wrong or (f"session name {request.name!r} {named}" if named else None)
            texts = (request.mark,)
        case SendKeys():
            wrong = None if request.keys else "there are no keys to send"
            wrong = wrong if is_pane_id(request.pane_id) else f"no pane id: {request.pane_id!r}"
            texts = request.keys
        case OpenWindow():
            wrong = None if is_session_id(request.session_id) else f"no session id: {request.session_id!r}"
            wrong = wrong or program_fault(request.argv, request.env, request.cwd)
            texts = (request.name, request.cwd, *request.argv, *(text for pair in request.env for text in pair))
        case Export():
            wrong = None if is_session_id(request.session_id) else f"no session id: {request.session_id!r}"
            wrong = wrong or (None if request.values else "there are no variables to set")
            wrong = wrong or variables_fault(name for name, _ in request.values)
            texts = tuple(text for pair in request.values for text in pair if text is not None)
        case Vacant():
            wrong, texts = None, ()
    if wrong is None and any("\0" in text for text in texts):
        return "a NUL character cannot be handed to tmux"
    return wrong


def delivery_fault(request: Delivery) -> str | None:
    """Why a delivery cannot be put to tmux at all, or None when it can; every implementation answers Failed with it."""
    at = request.at
    if not at.uid or not _PLAIN.issuperset(at.uid):
        return f"no valid uid: {at.uid!r}"
    if not is_pane_id(at.pane_id):
        return f"no pane id: {at.pane_id!r}"
    if at.pid <= 0:
        return f"no process id: {at.pid}"
    if isinstance(request, Strokes):
        if not request.keys or not all(key.text for key in request.keys):
            return "there are no keys to send"
        return "a NUL character cannot be handed to tmux" if any("\0" in key.text for key in request.keys) else None
    if not request.label or not _PLAIN.issuperset(request.label):
        return f"no valid label: {request.label!r}"
    if not request.text:
        return "there is nothing to paste"
    if any((char < " " and char not in "\n\t") or "\x7f" <= char <= "\x9f" for char in request.text):
        return "a paste holds a control character, which could end it early"
    return None


def _create_fault(create: Create) -> str | None:
    wrong = session_name_fault(create.name)
    if wrong is not None:
        return f"session name {create.name!r} {wrong}"
    return program_fault(create.argv, create.env, create.cwd)


def program_fault(argv: Sequence[str], env: Iterable[tuple[str, str]], cwd: str) -> str | None:
    """Why a program cannot be started so."""
    if not argv or not argv[0]:
        return "there is no program to start"
    wrong = variables_fault(name for name, _ in env)
    if wrong is not None:
        return wrong
    return None if cwd.startswith("/") else f"the directory {cwd!r} is not absolute"


def variables_fault(names: Iterable[str]) -> str | None:
    """Why one of the names is no variable's."""
    for name in names:
        if not name or "=" in name or name.startswith("-"):
            return f"no valid variable name: {name!r}"
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
    moved: bool = False
    """Only what the pane shows has changed since it was judged: it may be judged again."""


class Failed(NamedTuple):
    """tmux answered with an error; nothing of this request was done, or `unknown` is set and that is not certain."""

    why: str
    unknown: bool = False


Answer = Created | Done | Refused | Failed


class TmuxReader(Protocol):
    """The half that only looks."""

    socket: str
    """Absolute path of the server's socket: which server an answer is about."""

    def listing(self, uid: str = "") -> Listing | Unanswered:
        """Every pane of every session, or only those that carry a uid, in one round trip; never raises."""
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

    def glance(
        self, pane_ids: Sequence[str], uid: str = ""
    ) -> "tuple[Listing | Unanswered, Mapping[str, Screen | Unanswered]]":
        """The listing, `uid` as there, and what many panes show, in one trip.

        Screens may be missing: `captures` says why they are.
        """
        ...

    def attach_command(self, session_id: str) -> tuple[str, ...]:
        """The argv that attaches a terminal to the session."""
        ...


class Screen(NamedTuple):
    """What a pane shows: text without escape sequences, and its title.

    `stamp` is what tmux counts of the pane (cursor, size, history, the second of the last output): with text and title
    it tells whether a pane still shows what it showed. Empty where that was not asked.
    """

    text: str
    title: str
    stamp: str = ""


class Tmux(TmuxReader, Protocol):
    """Acting on the server."""

    def deliver(self, request: Delivery) -> Answer:
        """Hand text or keys to an agent's program if the pane still is as it was judged; never raises.

        Done, Refused (nothing was sent), Failed (nothing was sent), or Failed with `unknown`. It needs no fence: it
        changes nothing that a writer of the overlay owns.
        """
        ...

    def act(self, fence: Fence, requests: Sequence[Request]) -> tuple[Answer, ...]:
        """Carry out each request under the fence, in order, with one answer each; one trip for all.

        Starts the server where none runs and there is something to create. Never raises for one request.
        """
        ...
