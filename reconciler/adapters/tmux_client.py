"""tmux through its own client program: one listing, one batch of conditional requests (R §10a).

One or two requests go as one `;` line each in argv. More of them need two processes: the first request starts the
server where none runs and tells a session to attach to, the others are pipelined through a control client, which reads
up to a nonce per request. Nothing here imports more than the standard library's `os`, `select`, `signal` and `time`.
"""

import os
import time
from collections.abc import Mapping, Sequence

from reconciler.adapters import tmux_delivery as delivery
from reconciler.adapters import tmux_listing as listing
from reconciler.adapters import tmux_process as process
from reconciler.adapters import tmux_requests as requests_
from reconciler.model.errors import Unreachable
from reconciler.model.tuples import NamedTuple
from reconciler.ports.tmux import (
    Answer,
    Create,
    Created,
    Delivery,
    Done,
    Failed,
    Fence,
    Kill,
    Leave,
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
        self._created: tuple[str, ...] = ()
        """The session created last, as a target: the next batch goes through it without asking for one.

        By its name, for an id would be somebody else's session in a server that was started anew.
        """
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
        # A batch that kills could kill the session it went through, which is known by its name alone.
        known = (
            {} if any(isinstance(request, Kill | Leave) for request in requests) else dict.fromkeys(self._created, True)
        )
        call = _Call(fence, _nonce(), _Patience(self._timeout_s), known, {})
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
        for number, request in enumerate(requests):
            if isinstance(request, Create) and isinstance(call.answers[number], Created):
                self._created = (f"={request.name}",)
        return tuple(call.answers[number] for number in range(len(requests)))

    def _some(self, call: "_Call", batch: "list[_Asked]") -> int:
        """Answer some of the batch from its beginning; how many."""
        wide = _size(batch[0].line.words()) > ARGV_LIMIT
        sessions = call.sessions
        if len(batch) > _BY_ARGV or wide:
            if wide and not any(sessions.values()):
                seen = self.listing()
                for pane in seen.panes if isinstance(seen, Listing) else ():
                    sessions.setdefault(pane.session_id, bool(pane.uid))
            target, count = _attach_to(batch, [session_id for session_id, usable in sessions.items() if usable])
            if target and (count > _BY_ARGV or wide):
                done = self._by_control(call, batch[:count], target)
                if done is not None:
                    call.take(batch[:count], done)
                    return count
                sessions[target] = False  # it ended meanwhile, or its server did before anything was sent
                return 0
        if wide:
            why = "it is longer than one tmux command line may be, and no agent runs yet"
            call.answers[batch[0].number] = Failed(why)
            return 1
        call.take(batch[:1], (self._by_argv(call, batch[0], len(batch) > _BY_ARGV),))
        return 1

    def _by_argv(self, call: "_Call", asked: "_Asked", more: bool) -> Answer:
        """One request as one `;` line; `more` asks for the sessions there are, too."""
        creating = isinstance(asked.request, Create)
        words = [*(("start-server", ";") if creating else ()), *requests_.claim(call.fence), ";", *asked.line.words()]
        if more:
            words += [";", "list-sessions", "-f", "#{@houmao_uid}", "-F", f"{call.nonce} at #{{session_id}}"]
        call.patience.begin()
        while True:
            ran = self._run(words)
            if isinstance(ran, Unanswered):
                return Failed(ran.why)
            text, err = _text(ran)
            rows = requests_.complete(text)
            prefix = f"{call.nonce} at "
            call.sessions.update((row[len(prefix) :], True) for row in rows if row.startswith(prefix))
            found = requests_.answer(asked.tag, rows, asked.line.whys)
            if isinstance(found, Created):
                call.sessions[found.session_id] = True
            if ran.timed_out:
                call.patience.lost = self._silent()
                return found or Failed(call.patience.lost, unknown=True)
            if found is not None:
                return found if ran.code == 0 else Failed(f"only in part: {_first(err)}", unknown=True)
            nobody = None if creating else listing.no_server(err, self.socket)
            if nobody is not None and isinstance(asked.request, Vacant):
                return Done() if isinstance(nobody, Listing) else Failed(nobody.why)
            if nobody is not None:
                return Refused(f"no tmux server runs: {_first(err)}")
            if not (isinstance(asked.request, Create | Vacant) and _leaving(err)):
                break
            # A server whose last session has just ended was still leaving. What died with it cannot hold the session.
            if not call.patience.wait():
                call.patience.lost = self._shut(err)
                return Failed(call.patience.lost, unknown=True)
        if err.strip():
            return Failed(_first(err), unknown=_leaving(err))
        return Failed("tmux gave no answer", unknown=True)

    def _by_control(self, call: "_Call", batch: "Sequence[_Asked]", target: str) -> tuple[Answer, ...] | None:
        """All of `batch` through one control client; None when it could not attach, and nothing was sent."""
        rows = [requests_.claim_text(call.fence), f'display-message -p "{batch[0].tag} begin"']
        for asked in batch:
            rows += [asked.line.text(), f'display-message -p "{asked.tag} end"']
        ran = self._run(
            ("attach-session", "-E", "-f", "no-output,ignore-size", "-t", target),
            control=True,
            feed=os.fsencode("\n".join(rows) + "\n"),
            last=f"{batch[-1].tag} end".encode(),
            beat=call.nonce.encode(),
        )
        if isinstance(ran, Unanswered):
            return tuple(Failed(ran.why) for _ in batch)
        text, err = _text(ran)
        found = requests_.control_answers(text, [asked.tag for asked in batch], [asked.line.whys for asked in batch])
        if not ran.timed_out and (requests_.not_attached(text) or listing.says_no_server(err.strip())):
            return None
        if ran.timed_out:
            call.patience.lost = self._silent()
        why = call.patience.lost or "the tmux server ended meanwhile"
        lost = Failed(f"{why}{f': {_first(err)}' if err else ''}", unknown=True)
        return tuple(lost if each is None else each for each in found)

    def _silent(self) -> str:
        return f"tmux did not answer within {self._timeout_s:g} s"

    def _shut(self, err: str) -> str:
        """What a client complained of. A server that was told to end, and was then given one more session by a hook or
        by a batch under way, lives on for that session and lets nobody in: nothing but a signal ends it."""
        said = _first(err)
        if not said.startswith(_LEAVING):
            return said
        return f"{said}: the tmux server on {self.socket} lets nobody in; if its process stays, end it"

    def _run(
        self, words: Sequence[str], *, control: bool = False, feed: bytes = b"", last: bytes = b"", beat: bytes = b""
    ) -> process.Output | Unanswered:
        """One tmux process. -u: without it tmux writes an underscore for each tab and each letter beyond ASCII."""
        path = process.find("tmux", self._env.get("PATH", os.defpath))
        if path is None:
            return Unanswered(_MISSING)
        argv = ("tmux", "-u", *self._where, *self._config, *(("-C",) if control else ()), *words)
        try:
            ran = process.run(
                self._spawn, path, argv, self._env, timeout_s=self._timeout_s, feed=feed, last=last, beat=beat
            )
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


class _Call(NamedTuple):
    """What one call of `act` has found out so far."""

    fence: Fence
    nonce: str
    patience: _Patience
    sessions: dict[str, bool]
    """Targets, and whether a control client may attach there."""
    answers: dict[int, Answer]

    def take(self, batch: "Sequence[_Asked]", answers: Sequence[Answer]) -> None:
        """Keep the answers to `batch`. Nothing goes through a session that was to be killed."""
        for asked, answer in zip(batch, answers, strict=True):
            self.answers[asked.number] = answer
            if isinstance(asked.request, Kill | Leave):
                self.sessions[asked.request.session_id] = False


class _Asked:
    """A request on its way: its number in the batch, its tag, and its line."""

    __slots__ = ("line", "number", "request", "tag")

    def __init__(self, number: int, request: Request, tag: str, line: requests_.Line) -> None:
        self.number, self.request, self.tag, self.line = number, request, tag, line


def _attach_to(batch: "Sequence[_Asked]", sessions: Sequence[str]) -> tuple[str, int]:
    """The session a control client may attach to, and for how many requests.

    `sessions` are agents' alone: attaching to a person's session would run their hooks. The death of its session ends
    the client, so it is one that the batch leaves alone, else the one it kills last; then the run ends with that kill.
    """
    killed = {asked.request.session_id: at for at, asked in enumerate(batch) if isinstance(asked.request, Kill | Leave)}
    for session_id in sessions:
        if session_id not in killed:
            return session_id, len(batch)
    known = [(killed[session_id], session_id) for session_id in sessions]
    if not known:
        return "", 0
    at, session_id = max(known)
    return session_id, at + 1


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
