"""tmux through its own client program: one listing, one batch of conditional requests (R §10a).

One or two requests go as one `;` line each in argv. More of them go together, as a file on standard input. None goes
through a control client: one that is being let in while a session begins or ends takes the server with it, and all
sessions (docs/decisions/0013-no-control-client.md). Nothing here imports more than the standard library's `os`,
`select`, `signal` and `time`.
"""

import os
import time
from collections.abc import Mapping, Sequence

from reconciler.adapters import tmux_delivery as delivery
from reconciler.adapters import tmux_listing as listing
from reconciler.adapters import tmux_process as process
from reconciler.adapters import tmux_requests as requests_
from reconciler.model.errors import Unreachable
from reconciler.ports.tmux import (
    Answer,
    Create,
    Delivery,
    Done,
    Failed,
    Fence,
    Listing,
    Paste,
    Refused,
    Request,
    Screen,
    Unanswered,
    Vacant,
    delivery_fault,
    is_pane_id,
    is_session_id,
    only,
    request_fault,
)

ARGV_LIMIT = 15_000
"""Bytes of one command line; tmux takes about 16 KB and then says `command too long`."""

_BY_ARGV = 2
_CAPTURES = 100
"""Screens asked for in one command line: about 10 KB of words."""
_MISSING = "tmux.missing: no tmux on PATH; install it (on Debian: apt-get install tmux)"
_LEAVING = ("server exited unexpectedly", "lost server")


class TmuxClient:
    """The port `Tmux`. Safe to use from several threads; holds no connection between calls.

    `socket_name` is tmux's -L, `socket_path` its -S, neither is the default server (honouring TMUX_TMPDIR). `config`
    None lets a server we start read the user's own. `timeout_s` is how long tmux may be silent, or its server be on its
    way out, in one call; not how long a batch may take that goes on.
    """

    def __init__(
        self,
        *,
        socket_name: str | None = None,
        socket_path: str | None = None,
        config: str | None = None,
        timeout_s: float = 5.0,
        spawn: process.Spawn = process.spawn,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        if socket_name is not None and socket_path is not None:
            raise Unreachable("a tmux socket has a name or a path, not both", hint="give one of them")
        self._env = process.allowed(os.environ if environ is None else environ)
        self._where = ("-L", socket_name) if socket_name is not None else ("-S", socket_path) if socket_path else ()
        self._config = ("-f", config) if config is not None else ()
        self._timeout_s = timeout_s
        self._spawn = spawn
        self.socket = listing.socket_path(socket_name, socket_path, self._env.get("TMUX_TMPDIR"))
        """Absolute path of the server's socket."""
        self.round_trips = 0
        """Times tmux was asked something and answered for: one per process run."""
        self.processes = 0
        """tmux programs started."""

    # Looking

    def listing(self, uid: str = "") -> Listing | Unanswered:
        """Every pane of every session, or only those that carry a uid, in one round trip; never raises."""
        if not _plain(uid):
            return only(self.listing(), uid)
        nonce = _nonce()
        patience = _Patience(self._timeout_s)
        while True:
            ran = self._run(listing.words(nonce, uid))
            if isinstance(ran, Unanswered):
                return ran
            text, err = _text(ran)
            # Its last session has just ended: in a moment it is certain that no server runs.
            if not (err.startswith(_LEAVING) and patience.wait()):
                break
        if ran.timed_out:
            return Unanswered(self._silent())
        if ran.code != 0:
            proof = listing.no_server(err, self.socket) or listing.no_session(text, err, nonce)
            return proof if proof is not None else Unanswered(self._shut(err) or f"tmux left with status {ran.code}")
        return listing.parse(text, nonce, uid)

    def environment(self, session_id: str, name: str) -> str | Unanswered | None:
        """One variable of a session's environment; None when it is not set there (R-TMX-5)."""
        if not is_session_id(session_id):
            return Unanswered(f"no session id: {session_id!r}")
        if not name or "=" in name or name.startswith("-"):
            return Unanswered(f"no valid variable name: {name!r}")
        ran = self._run(("show-environment", "-t", session_id, name))
        if isinstance(ran, Unanswered):
            return ran
        text, err = _text(ran)
        if ran.timed_out:
            return Unanswered(self._silent())
        if ran.code != 0:
            return None if err.startswith("unknown variable") else Unanswered(_first(err) or "tmux gave no answer")
        if text == f"-{name}\n":
            return None
        prefix = f"{name}="
        if not (text.startswith(prefix) and text.endswith("\n")):
            return Unanswered("the answer of tmux is cut short or garbled")
        return text[len(prefix) : -1]

    def capture(self, pane_id: str, lines: int = 0) -> Screen | Unanswered:
        """What a pane shows now, with its title; `lines` of scrollback above it. Empty last lines are left out."""
        if not is_pane_id(pane_id):
            return Unanswered(f"no pane id: {pane_id!r}")
        nonce = _nonce()
        shown = f"{delivery.STAMP}\t#{{pane_title}}"
        ran = self._run(
            (
                *("display-message", "-p", "-t", pane_id, f"{nonce}#{{pane_id}} {shown}{nonce}", ";"),
                *("capture-pane", "-p", "-t", pane_id, "-S", str(-max(0, lines)), ";"),
                *("display-message", "-p", nonce),
            )
        )
        if isinstance(ran, Unanswered):
            return ran
        text, err = _text(ran)
        if ran.timed_out:
            return Unanswered(self._silent())
        pieces = text.split(nonce)
        if ran.code != 0 or len(pieces) != 4 or pieces[3] != "\n" or not pieces[1].startswith(f"{pane_id} "):
            return Unanswered(_first(err) or f"there is no pane {pane_id}")
        stamp, _, title = pieces[1][len(pane_id) + 1 :].partition("\t")
        return Screen(pieces[2][1:].rstrip("\n"), title, "" if lines > 0 else stamp)

    def captures(self, pane_ids: Sequence[str]) -> Mapping[str, Screen | Unanswered]:
        """What many panes show now. A pane that is gone cancels the rest of its line, which then is asked again."""
        found: dict[str, Screen | Unanswered] = {
            pane: Unanswered(f"no pane id: {pane!r}") for pane in pane_ids if not is_pane_id(pane)
        }
        left = [pane for pane in dict.fromkeys(pane_ids) if pane not in found]
        while left:
            asked = left[:_CAPTURES]
            answered, why, silent = self._captured(asked)
            found |= answered
            rest = asked[len(answered) :]
            if silent:  # asked again, it would be silent for as long again, once per pane
                return found | {pane: Unanswered(why) for pane in left if pane not in found}
            if rest:
                found[rest[0]] = Unanswered(why or f"there is no pane {rest[0]}")
                rest = rest[1:]
            left = rest + left[_CAPTURES:]
        return found

    def _captured(self, panes: Sequence[str]) -> tuple[dict[str, Screen | Unanswered], str, bool]:
        """The screens of the first panes that answer, why the next one did not, and whether none will."""
        nonce = _nonce()
        ran = self._run(_capturing(panes, nonce))
        if isinstance(ran, Unanswered):
            return {}, ran.why, True
        text, err = _text(ran)
        if ran.timed_out:
            return {}, self._silent(), True
        return _captured(text, panes, nonce), _first(err), False

    def glance(
        self, pane_ids: Sequence[str], uid: str = ""
    ) -> tuple[Listing | Unanswered, Mapping[str, Screen | Unanswered]]:
        """The listing, and screens of the first hundred of `pane_ids` up to one that is gone; one trip for both."""
        panes = [pane for pane in dict.fromkeys(pane_ids) if is_pane_id(pane)][:_CAPTURES]
        if not panes or not _plain(uid):
            return self.listing(uid), {}
        nonce, mark = _nonce(), _nonce()
        ran = self._run((*listing.words(nonce, uid), ";", *_capturing(panes, mark)))
        if isinstance(ran, Unanswered):
            return ran, {}
        if ran.timed_out:
            return Unanswered(self._silent()), {}
        text, _ = _text(ran)
        found = listing.parse(text.partition(mark)[0], nonce, uid)
        if isinstance(found, Unanswered):  # there is no server, or no session: asked alone, it says which
            return self.listing(uid), {}
        return found, _captured(text, panes, mark)

    # Acting

    def deliver(self, request: Delivery) -> Answer:
        """Hand text or keys over, if the pane still is as judged: text, condition and paste are one trip."""
        wrong = delivery_fault(request)
        if wrong is not None:
            return Failed(wrong)
        line = delivery.Line(request, f"{_nonce()} 0")
        if _size(line.words) > ARGV_LIMIT:
            return Failed("the keys are longer than one tmux command line may be")
        feed = request.text.encode("utf-8", "replace") if isinstance(request, Paste) else b""
        ran = self._run(line.words, feed=feed)
        if isinstance(ran, Unanswered):
            return Failed(ran.why)
        text, err = _text(ran)
        found = requests_.answer(line.tag, requests_.complete(text), [*line.whys, ""])
        if isinstance(found, Refused) and not found.why:
            return Refused("the pane does not show any more what was judged", moved=True)
        if found is not None:
            return found if ran.code == 0 else Failed(f"only in part: {_first(err)}", unknown=True)
        if ran.timed_out:
            return Failed(f"tmux did not answer within {self._timeout_s:g} s", unknown=True)
        if listing.says_no_server(err.strip()):
            return Refused(f"no tmux server runs: {_first(err)}")
        return Failed(_first(err) or "tmux gave no answer", unknown=not err.strip() or _leaving(err))

    def attach_command(self, session_id: str) -> tuple[str, ...]:
        """The argv that attaches a terminal to the session."""
        return ("tmux", *self._where, "attach-session", "-t", session_id)

    def act(self, fence: Fence, requests: Sequence[Request]) -> tuple[Answer, ...]:
        """Carry out each request under the fence, in order, with one answer each; never raises for one of them.

        A refused fence, a missing session and an ended server are answers, not errors. `Failed(unknown=True)` is given
        where tmux was told and did not answer: the request may be carried out later still. What comes after a silence,
        or after a server that stays on its way out, is not sent: each request would wait as long again.
        """
        call = _Call(fence, _nonce(), _Patience(self._timeout_s))
        batch: list[_Asked] = []
        for number, request in enumerate(requests):
            wrong = request_fault(fence, request)
            if wrong is not None:
                call.answers[number] = Failed(wrong)
                continue
            tag = f"{call.nonce} {number}"
            batch.append(_Asked(number, request, tag, requests_.line(fence, request, tag)))
        while batch and not call.patience.lost:
            batch = batch[self._some(call, batch) :]
        for asked in batch:
            call.answers[asked.number] = Failed(f"it was not sent: {call.patience.lost}")
        return tuple(call.answers[number] for number in range(len(requests)))

    def _some(self, call: "_Call", batch: "list[_Asked]") -> int:
        """Answer some of the batch from its beginning; how many."""
        wide = _size(batch[0].line.words()) > ARGV_LIMIT
        if wide or (len(batch) > _BY_ARGV and not call.singly):
            asked = batch[:1] if call.singly else batch
            done = self._by_source(call, asked)
            if done is not None:
                call.take(asked, done)
                return len(asked)
            if call.singly:
                return 0  # one of them cannot be read: each has to show whether it is the one
        call.take(batch[:1], (self._by_argv(call, batch[0]),))
        return 1

    def _by_argv(self, call: "_Call", asked: "_Asked") -> Answer:
        """One request as one `;` line."""
        creating = isinstance(asked.request, Create)
        words = [*(("start-server", ";") if creating else ()), *requests_.claim(call.fence), ";", *asked.line.words()]
        call.patience.begin()
        while True:
            ran = self._run(words)
            if isinstance(ran, Unanswered):
                return Failed(ran.why)
            text, err = _text(ran)
            found = requests_.answer(asked.tag, requests_.complete(text), asked.line.whys)
            if isinstance(found, Failed):
                found = Failed(f"{found.why}: {_first(err)}", unknown=True)
            if ran.timed_out:
                call.patience.lost = self._silent()
                return found or Failed(call.patience.lost, unknown=True)
            if found is not None:
                return found
            nobody = None if creating else listing.no_server(err, self.socket)
            if nobody is not None:
                return _of_nobody(asked.request, nobody, err)
            if not (isinstance(asked.request, Create | Vacant) and _leaving(err)):
                break
            # A server whose last session has just ended was still leaving. What died with it cannot hold the session.
            if not call.patience.wait():
                call.patience.lost = self._shut(err)
                return Failed(call.patience.lost, unknown=True)
        if err.strip():
            return Failed(_first(err), unknown=_leaving(err))
        return Failed("tmux gave no answer", unknown=True)

    def _by_source(self, call: "_Call", batch: "Sequence[_Asked]") -> tuple[Answer, ...] | None:
        """All of `batch` as one file; None where nothing of it was carried out, and the first has to find out more."""
        creating = any(isinstance(asked.request, Create) for asked in batch)
        rows = [requests_.claim_text(call.fence), *(asked.line.text() for asked in batch)]
        ran = self._run(
            (*(("start-server", ";") if creating else ()), "source-file", "-"),
            feed=os.fsencode("\n".join(rows) + "\n"),
            beat=call.nonce.encode(),
        )
        if isinstance(ran, Unanswered):
            return tuple(Failed(ran.why) for _ in batch)
        text, err = _text(ran)
        unread = requests_.unread(text)
        if unread and call.singly:
            return (Failed(f"tmux cannot read it: {unread}"),)
        nobody = None if creating or ran.timed_out else listing.no_server(err, self.socket)
        if nobody is not None:
            return tuple(_of_nobody(asked.request, nobody, err) for asked in batch)
        none = call.nonce not in text
        if unread or (none and not ran.timed_out and _leaving(err) and isinstance(batch[0].request, Create | Vacant)):
            call.singly = bool(unread)
            return None
        if ran.timed_out:
            call.patience.lost = self._silent()
        lost = call.patience.lost or ("the tmux server ended meanwhile" if _leaving(err) or ran.code == 0 else "")
        tags = [asked.tag for asked in batch]
        return requests_.answers(text, err, tags, [asked.line.whys for asked in batch], lost=lost)

    def _silent(self) -> str:
        return f"tmux did not answer within {self._timeout_s:g} s"

    def _shut(self, err: str) -> str:
        """What a client complained of. A server that was told to end, and was then given one more session by a hook or
        by a batch under way, lives on for that session and lets nobody in: nothing but a signal ends it."""
        said = _first(err)
        if not said.startswith(_LEAVING):
            return said
        return f"{said}: the tmux server on {self.socket} lets nobody in; if its process stays, end it"

    def _run(self, words: Sequence[str], *, feed: bytes = b"", beat: bytes = b"") -> process.Output | Unanswered:
        """One tmux process. -u: without it tmux writes an underscore for each tab and each letter beyond ASCII."""
        path = process.find("tmux", self._env.get("PATH", os.defpath))
        if path is None:
            return Unanswered(_MISSING)
        argv = ("tmux", "-u", *self._where, *self._config, *words)
        try:
            ran = process.run(self._spawn, path, argv, self._env, timeout_s=self._timeout_s, feed=feed, beat=beat)
        except OSError as fault:
            return Unanswered(f"tmux.missing: {path} could not be started: {fault.strerror}")
        self.processes += 1
        self.round_trips += 1
        return ran


class _Patience:
    """How long one call waits for a server on its way out, over all that it asks; a pause per request adds up."""

    __slots__ = ("_left_s", "_pause_s", "lost")

    def __init__(self, limit_s: float) -> None:
        self._left_s = limit_s
        self.lost = ""
        """Why nothing more is to be asked, or empty."""
        self.begin()

    def begin(self) -> None:
        """Another question: it starts with short pauses, and shares what is left of the time."""
        self._pause_s = 0.002

    def wait(self) -> bool:
        """Pause, each time for longer, before the question is asked again; False when the time is used up."""
        if self._left_s <= 0:
            return False
        pause_s = min(self._pause_s, self._left_s)
        time.sleep(pause_s)
        self._left_s -= pause_s
        self._pause_s *= 2
        return True


class _Call:
    """What one call of `act` has found out so far."""

    __slots__ = ("answers", "fence", "nonce", "patience", "singly")

    def __init__(self, fence: Fence, nonce: str, patience: _Patience) -> None:
        self.fence, self.nonce, self.patience = fence, nonce, patience
        self.singly = False
        """Whether each request is told to tmux by itself, for one of them makes a file that it cannot read."""
        self.answers: dict[int, Answer] = {}

    def take(self, batch: "Sequence[_Asked]", answers: Sequence[Answer]) -> None:
        """Keep the answers to `batch`."""
        self.answers |= {asked.number: answer for asked, answer in zip(batch, answers, strict=True)}


class _Asked:
    """A request on its way: its number in the batch, its tag, and its line."""

    __slots__ = ("line", "number", "request", "tag")

    def __init__(self, number: int, request: Request, tag: str, line: requests_.Line) -> None:
        self.number, self.request, self.tag, self.line = number, request, tag, line


def _of_nobody(request: Request, nobody: Listing | Unanswered, err: str) -> Answer:
    """The answer where no server was there to ask."""
    if isinstance(request, Vacant):
        return Done() if isinstance(nobody, Listing) else Failed(nobody.why)
    return Refused(f"no tmux server runs: {_first(err)}")


def _capturing(panes: Sequence[str], nonce: str) -> tuple[str, ...]:
    """The tmux command that prints title and screen of each pane in turn, and an end."""
    words: list[str] = []
    for pane in panes:
        words += ["display-message", "-p", "-t", pane, f"{nonce}#{{pane_id}} #{{pane_title}}{nonce}", ";"]
        words += ["capture-pane", "-p", "-t", pane, ";"]
    return (*words, "display-message", "-p", f"{nonce}E{nonce}")


def _captured(text: str, panes: Sequence[str], nonce: str) -> dict[str, Screen | Unanswered]:
    """The screens that are whole in what it printed: something follows each of them."""
    pieces = text.split(nonce)[1:]
    found: dict[str, Screen | Unanswered] = {}
    for at, pane in enumerate(panes):
        title, shown = pieces[2 * at : 2 * at + 1], pieces[2 * at + 1 : 2 * at + 2]
        if not title or not title[0].startswith(f"{pane} ") or len(pieces) <= 2 * at + 2:
            break
        found[pane] = Screen(shown[0][1:].rstrip("\n"), title[0][len(pane) + 1 :])
    return found


def _leaving(err: str) -> bool:
    """Whether a client met a server on its way out."""
    said = err.strip()
    return said.startswith(_LEAVING) or listing.says_no_server(said)


def _plain(uid: str) -> bool:
    """Whether it may stand in a format of tmux; a uid of ours always may."""
    return not uid or (uid.isascii() and uid.isalnum())


def _nonce() -> str:
    return "n" + os.urandom(8).hex()


def _size(words: Sequence[str]) -> int:
    return sum(len(os.fsencode(word)) + 1 for word in words)


def _text(ran: process.Output) -> tuple[str, str]:
    return ran.out.decode("utf-8", "surrogateescape"), ran.err.decode("utf-8", "replace")


def _first(err: str) -> str:
    return err.strip().partition("\n")[0]
