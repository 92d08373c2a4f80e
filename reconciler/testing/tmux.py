"""FakeTmux: the in-memory twin of tmux behind the same port, kept honest by one contract suite for both.

It has the real one's rules (fence, compare-and-create, shadowing of options, a server that ends with its last session),
and switches to lie: say nothing, serve an old listing, fail the n-th request.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from reconciler.model.tuples import NamedTuple
from reconciler.ports.tmux import (
    Adopt,
    Answer,
    Create,
    Created,
    Delivery,
    Done,
    Export,
    Failed,
    Fence,
    Kill,
    Leave,
    Listing,
    Mark,
    OpenWindow,
    Pane,
    Paste,
    Refused,
    Rename,
    Request,
    Screen,
    SendKeys,
    ServerStamp,
    Unanswered,
    Vacant,
    delivery_fault,
    only,
    request_fault,
)

UID, MARK, ROLE = "@houmao_uid", "@houmao_mark", "@houmao_pane"


class Processes(Protocol):
    """The part of a process table that a terminal needs: a pane starts a program, its end hangs it up."""

    def spawn(self, argv: tuple[str, ...], env: Mapping[str, str], cwd: str) -> int:
        """Start a program; its pid."""
        ...

    def hangup(self, pid: int) -> None:
        """The terminal of the program is gone (SIGHUP); what it does then is its own affair."""
        ...

    def alive(self, pid: int) -> bool:
        """Whether the program still runs; a window without one goes, the agent's alone stays."""
        ...


class FakePane:
    """One pane; a test may write to `text`, `title` and `options` as its program would."""

    __slots__ = ("dead", "keys", "options", "pane_id", "pasted", "pid", "status", "text", "title", "window_id")

    def __init__(self, pane_id: str, window_id: str, pid: int) -> None:
        self.pane_id, self.window_id, self.pid = pane_id, window_id, pid
        self.dead, self.status = False, ""
        self.text, self.title = "", ""
        self.options: dict[str, str] = {}
        self.keys: list[tuple[str, bool]] = []
        """Keys received, each with whether it was literal text."""
        self.pasted: list[str] = []
        """Texts pasted."""


class FakeSession:
    """One session with its panes; the first is the active one."""

    __slots__ = ("created", "env", "name", "options", "panes", "request", "session_id")

    def __init__(self, session_id: str, name: str, created: int, env: Mapping[str, str], panes: list[FakePane]) -> None:
        self.session_id, self.name, self.created = session_id, name, created
        self.env = dict(env)
        self.options: dict[str, str] = {}
        self.panes = panes
        self.request: Create | None = None
        """What it was created by, when it was not a person."""


class _Lie(NamedTuple):
    answer: Answer
    carried_out: bool


class FakeTmux:
    """The port `Tmux` in memory. Without `processes` pids are invented and nothing runs behind them."""

    def __init__(self, *, processes: Processes | None = None, now: Callable[[], int] = lambda: 1_700_000_000) -> None:
        self._processes = processes
        self._now = now
        self._servers = 0
        self._next = 0
        self.opened = 0
        """Sessions made since the beginning, whoever made them."""
        self._pids = 40_000
        self._frozen: Listing | None = None
        self._lies: dict[int, _Lie] = {}
        self._acts = 0
        self.server: ServerStamp | None = None
        self.sessions: dict[str, FakeSession] = {}
        self.server_options: dict[str, str] = {}
        self.global_options: dict[str, str] = {}
        self.global_env: dict[str, str] = {}
        self.socket = "/fake/tmux/default"
        self.unanswered = ""
        """While not empty, every question is Unanswered with this text, and every request Failed and unknown."""
        self.round_trips = 0

    # The port

    def listing(self, uid: str = "") -> Listing | Unanswered:
        """Every pane of every session, or the snapshot of `freeze`."""
        self.round_trips += 1
        if self.unanswered:
            return Unanswered(self.unanswered)
        return only(self._frozen if self._frozen is not None else self._snapshot(), uid)

    def environment(self, session_id: str, name: str) -> str | Unanswered | None:
        """One variable of a session's own environment."""
        self.round_trips += 1
        if self.unanswered:
            return Unanswered(self.unanswered)
        session = self.sessions.get(session_id)
        return Unanswered(f"no such session: {session_id}") if session is None else session.env.get(name)

    def capture(self, pane_id: str, lines: int = 0) -> Screen | Unanswered:
        """What a test wrote to the pane; there is no scrollback."""
        self.round_trips += 1
        if self.unanswered:
            return Unanswered(self.unanswered)
        found = self._find(pane_id)
        return Unanswered(f"can't find pane: {pane_id}") if found is None else Screen(found[1].text, found[1].title)

    def captures(self, pane_ids: Sequence[str]) -> Mapping[str, Screen | Unanswered]:
        """Each as `capture` answers it, in one trip."""
        before = self.round_trips
        found = {pane: self.capture(pane) for pane in pane_ids}
        self.round_trips = before + (1 if pane_ids else 0)
        return found

    def glance(
        self, pane_ids: Sequence[str], uid: str = ""
    ) -> tuple[Listing | Unanswered, Mapping[str, Screen | Unanswered]]:
        """Both as asked alone, up to the first pane that is gone, in one trip."""
        before = self.round_trips
        listed, found = self.listing(uid), self.captures(pane_ids)
        self.round_trips = before + 1
        gone = next((at for at, pane in enumerate(found) if isinstance(found[pane], Unanswered)), len(found))
        return listed, dict(list(found.items())[:gone])

    def act(self, fence: Fence, requests: Sequence[Request]) -> tuple[Answer, ...]:
        """Each request in order under the fence, unless a lie was asked for."""
        if requests:
            self.round_trips += 1
        return tuple(self._answer(fence, request) for request in requests)

    def deliver(self, request: Delivery) -> Answer:
        """Text or keys into the pane, when it is as judged; a lie of `fail_act` counts it as one request."""
        self.round_trips += 1
        self._acts += 1
        lie = self._lies.pop(self._acts, None)
        if lie is not None:
            if lie.carried_out:
                self._delivered(request)
            return lie.answer
        wrong = delivery_fault(request)
        if wrong is not None:
            return Failed(wrong)
        return Failed(self.unanswered, unknown=True) if self.unanswered else self._delivered(request)

    def attach_command(self, session_id: str) -> tuple[str, ...]:
        """The argv that attaches a terminal to the session."""
        return ("tmux", "attach-session", "-t", session_id)

    # What people and programs do behind the engine's back

    def foreign(
        self,
        name: str,
        *,
        env: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
        argv: tuple[str, ...] = ("sh",),
        cwd: str = "/",
    ) -> FakeSession:
        """A session that somebody else made."""
        self._start()
        session = self._open(name, argv, dict(env or {}), cwd)
        session.options.update(options or {})
        return session

    def foreign_window(self, session: FakeSession, argv: tuple[str, ...] = ("sh",)) -> FakePane:
        """One more window of a person's."""
        pane = FakePane(f"%{self._next}", f"@{self._next}", self._spawned(argv, session.env, "/"))
        self._next += 1
        session.panes.append(pane)
        return pane

    def kill_session(self, name: str) -> None:
        """`tmux kill-session -t =name`."""
        for session in [each for each in self.sessions.values() if each.name == name]:
            self._close(session)

    def kill_server(self) -> None:
        """The server and all its sessions end."""
        for session in list(self.sessions.values()):
            self._close(session)
        self._stop()

    def exit(self, pane_id: str, status: str = "0") -> None:
        """The program of a pane ended; an agent's pane stays, with its last screen."""
        found = self._find(pane_id)
        if found is None:
            raise LookupError(f"no pane {pane_id}")
        session, pane = found
        pane.dead, pane.status = True, status
        if session.request is None:
            self._close(session)

    def named(self, name: str) -> FakeSession | None:
        """The session of exactly this name."""
        return next((session for session in self.sessions.values() if session.name == name), None)

    # Lies

    def freeze(self) -> None:
        """From now on every listing is the picture of this moment; requests still meet the present."""
        self._frozen = self._snapshot()

    def thaw(self) -> None:
        """Listings are true again."""
        self._frozen = None

    def fail_act(self, nth: int, answer: Answer | None = None, *, carried_out: bool = False) -> None:
        """The n-th request from now (1 is the next) gets `answer`; `carried_out` does its work all the same."""
        lie = _Lie(answer or Failed("tmux did not answer within 5 s", unknown=True), carried_out)
        self._lies[self._acts + nth] = lie

    # Inside

    def _answer(self, fence: Fence, request: Request) -> Answer:
        self._acts += 1
        lie = self._lies.pop(self._acts, None)
        if lie is not None:
            if lie.carried_out:
                self._carry_out(fence, request)
            return lie.answer
        wrong = request_fault(fence, request)
        if wrong is not None:
            return Failed(wrong)
        if self.unanswered:
            return Failed(self.unanswered, unknown=True)
        return self._carry_out(fence, request)

    def _carry_out(self, fence: Fence, request: Request) -> Answer:
        if self.server is None:
            if isinstance(request, Vacant):
                return Done()
            if not isinstance(request, Create):
                return Refused("no tmux server runs")
            self._start()
        try:
            return self._conditional(fence, request)
        finally:
            if not self.sessions:
                self._stop()

    def _conditional(self, fence: Fence, request: Request) -> Answer:
        name = f"@houmao_fence_{fence.overlay_id}"
        held = self.server_options.get(name)
        if held is None or int(held) < fence.token:
            held = self.server_options[name] = str(fence.token)
        if held != str(fence.token):
            return Refused("another writer's token is set in this tmux server")
        match request:
            case Create():
                return self._create(request)
            case SendKeys():
                return self._send(request)
            case Kill() | Leave() | Mark() | Rename():
                return self._on_session(request)
            case OpenWindow() | Export():
                return self._in_session(request)
            case Adopt():
                return self._adopt(request)
            case Vacant():
                return self._taken(request.uid) or Done()

    def _taken(self, uid: str) -> Refused | None:
        for session in self.sessions.values():
            if uid in (self._option(session, session.panes[0], UID), self._variable(session, "HOUMAO_UID")):
                return Refused(f"a session with uid {uid} exists")
        return None

    def _create(self, create: Create) -> Answer:
        taken = self._taken(create.uid)
        if taken is not None:
            return taken
        if self.named(create.name) is not None:
            return Failed(f"duplicate session: {create.name}")
        session = self._open(create.name, create.argv, {**dict(create.env), "HOUMAO_UID": create.uid}, create.cwd)
        session.options.update({UID: create.uid, MARK: create.mark})
        session.request = create
        pane = session.panes[0]
        pane.options[ROLE] = "agent"
        return Created(session.session_id, pane.pane_id, pane.pid, session.created)

    def _adopt(self, adopt: Adopt) -> Answer:
        taken = self._taken(adopt.uid)
        found = self._find(adopt.pane_id)
        if taken is not None:
            return taken
        if found is None or found[0].session_id != adopt.session_id:
            return Refused(f"there is no pane {adopt.pane_id}")
        session, pane = found
        if session.created != adopt.created:
            return Refused(f"session {adopt.session_id} is another one now")
        if self._option(session, pane, UID) or self._variable(session, "HOUMAO_UID"):
            return Refused(f"session {adopt.session_id} carries a uid already")
        session.env["HOUMAO_UID"] = adopt.uid
        session.options.update({UID: adopt.uid, MARK: adopt.mark})
        pane.options[ROLE] = "agent"
        return Done()

    def _on_session(self, request: Kill | Leave | Mark | Rename) -> Answer:
        session = self.sessions.get(request.session_id)
        if session is None:
            return Refused(f"there is no session {request.session_id}")
        refused = self._not_of(session, session.panes[0], request.uid)
        if refused is not None:
            return refused
        if self._option(session, session.panes[0], MARK) != request.mark:
            return Refused(f"session {request.session_id} has another mark")
        if isinstance(request, Mark):
            session.options[MARK] = request.new_mark
            return Done()
        if isinstance(request, Rename):
            if self.named(request.name) is not None:
                return Failed(f"duplicate session: {request.name}")
            session.name = request.name
            return Done()
        if isinstance(request, Leave):
            return self._leave(session, request)
        self._close(session)
        return Done()

    def _leave(self, session: FakeSession, request: Leave) -> Answer:
        found = self._find(request.pane_id) if request.pane_id else None
        if request.pane_id and (found is None or found[0] is not session):
            return Refused(f"there is no session {request.session_id}")
        if found is not None and self._option(session, found[1], ROLE) != "agent":
            return Refused(f"pane {request.pane_id} is not the agent's")
        for name in ("HOUMAO_UID", *request.unset):
            session.env.pop(name, None)
        for name in (UID, MARK):
            session.options.pop(name, None)
        if found is None:
            return Done()
        if session.panes == [found[1]]:
            self._close(session)
            return Done()
        session.panes.remove(found[1])
        if self._processes is not None and not found[1].dead:
            self._processes.hangup(found[1].pid)
        return Done()

    def _in_session(self, request: OpenWindow | Export) -> Answer:
        session = self.sessions.get(request.session_id)
        if session is None:
            return Refused(f"there is no session {request.session_id}")
        refused = self._not_of(session, session.panes[0], request.uid)
        if refused is not None:
            return refused
        if isinstance(request, Export):
            for name, value in request.values:
                if value is None:
                    session.env.pop(name, None)
                else:
                    session.env[name] = value
            return Done()
        pid = self._spawned(request.argv, {**session.env, "HOUMAO_UID": "", **dict(request.env)}, request.cwd)
        number = self._next
        self._next += 1
        pane = FakePane(f"%{number}", f"@{number}", pid)
        pane.options[ROLE] = "gateway"
        session.panes.append(pane)
        return Created(session.session_id, pane.pane_id, pid, session.created)

    def _spawned(self, argv: tuple[str, ...], env: Mapping[str, str], cwd: str) -> int:
        if self._processes is not None:
            return self._processes.spawn(argv, env, cwd)
        self._pids += 1
        return self._pids

    def _send(self, request: SendKeys) -> Answer:
        found = self._find(request.pane_id)
        if found is None:
            return Refused(f"there is no pane {request.pane_id}")
        session, pane = found
        refused = self._not_of(session, pane, request.uid)
        if refused is not None:
            return refused
        if self._option(session, pane, ROLE) != "agent":
            return Refused(f"pane {request.pane_id} is not the agent's")
        if pane.dead:
            return Refused(f"the program in pane {request.pane_id} has ended")
        pane.keys.extend((key, request.literal) for key in request.keys)
        return Done()

    def _delivered(self, request: Delivery) -> Answer:
        if self.server is None:
            return Refused("no tmux server runs")
        at = request.at
        found = self._find(at.pane_id)
        if found is None:
            return Refused(f"there is no pane {at.pane_id}")
        session, pane = found
        refused = self._not_of(session, pane, at.uid)
        if refused is not None:
            return refused
        if self._option(session, pane, ROLE) != "agent":
            return Refused(f"pane {at.pane_id} is not the agent's")
        if pane.dead:
            return Refused(f"the program in pane {at.pane_id} has ended")
        if pane.pid != at.pid:
            return Refused(f"another program runs in pane {at.pane_id} than process {at.pid}")
        if at.screen is not None and (at.screen.text, at.screen.title) != (pane.text, pane.title):
            return Refused("the pane does not show any more what was judged", moved=True)
        if isinstance(request, Paste):
            pane.pasted.append(request.text)
            pane.keys += [("Enter", False)] if request.enter else []
        else:
            pane.keys += [(key.text, key.literal) for key in request.keys]
        self.on_delivery(pane)
        return Done()

    def on_delivery(self, pane: FakePane) -> None:
        """What the program in the pane does with input: nothing here; a world may let it answer."""

    def _not_of(self, session: FakeSession, pane: FakePane, uid: str) -> Refused | None:
        if self._option(session, pane, UID) != uid:
            return Refused(f"it does not carry uid {uid}")
        if self._variable(session, "HOUMAO_UID") != uid:
            return Refused(f"its environment does not carry uid {uid}")
        return None

    def _option(self, session: FakeSession, pane: FakePane, name: str) -> str:
        """As a format sees a user option: the server's hides the pane's, that the session's, that the global one."""
        for scope in (self.server_options, pane.options, session.options, self.global_options):
            if name in scope:
                return scope[name]
        return ""

    def _variable(self, session: FakeSession, name: str) -> str:
        return session.env.get(name, self.global_env.get(name, ""))

    def _snapshot(self) -> Listing:
        if self.server is None:
            return Listing(None, (), "no server running")
        panes = tuple(self._row(session, pane) for session, pane in self._panes())
        return Listing(self.server, panes, f"tmux server {self.server.pid} listed {len(panes)} panes")

    def _row(self, session: FakeSession, pane: FakePane) -> Pane:
        return Pane(
            session_id=session.session_id,
            session_name=session.name,
            session_created=session.created,
            window_id=pane.window_id,
            pane_id=pane.pane_id,
            pid=pane.pid,
            dead=pane.dead,
            uid=self._option(session, pane, UID),
            mark=self._option(session, pane, MARK),
            role=self._option(session, pane, ROLE),
            dead_status=pane.status,
            window_index=str(session.panes.index(pane)),
        )

    def _panes(self) -> Iterable[tuple[FakeSession, FakePane]]:
        """As tmux lists them: by session name."""
        for session in sorted(self.sessions.values(), key=lambda each: each.name):
            first, *others = session.panes
            if self._processes is not None and others:
                session.panes = [first, *(pane for pane in others if self._processes.alive(pane.pid))]
            for pane in session.panes:
                yield session, pane

    def _find(self, pane_id: str) -> tuple[FakeSession, FakePane] | None:
        return next(((session, pane) for session, pane in self._panes() if pane.pane_id == pane_id), None)

    def _start(self) -> None:
        if self.server is None:
            self._servers += 1
            self._next = 0
            self.server = ServerStamp(30_000 + self._servers, self._now())

    def _stop(self) -> None:
        self.server = None
        self.server_options.clear()
        self.global_options.clear()
        self.global_env.clear()

    def _open(self, name: str, argv: tuple[str, ...], env: dict[str, str], cwd: str) -> FakeSession:
        number = self._next
        self._next += 1
        self.opened += 1
        pid = self._spawned(argv, env, cwd)
        session = FakeSession(f"${number}", name, self._now(), env, [FakePane(f"%{number}", f"@{number}", pid)])
        self.sessions[session.session_id] = session
        return session

    def _close(self, session: FakeSession) -> None:
        del self.sessions[session.session_id]
        if self._processes is not None:
            for pane in session.panes:
                if not pane.dead:
                    self._processes.hangup(pane.pid)
        if not self.sessions:
            self._stop()
