"""A tmux that is missing, stopped, dying or talking rubbish: ignorance is said, absence is proved, nothing hangs."""

import errno
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.adapters import tmux_listing as listing
from reconciler.adapters import tmux_process, tmux_requests
from reconciler.adapters.tmux_client import TmuxClient
from reconciler.ports.tmux import Answer, Created, Done, Failed, Kill, Listing, Refused, Request, Unanswered, Vacant
from tests.adapters.tmux.driver import FENCE, RealTerminal, agent, created, panes, program, uid, until

GARBAGE = [
    "echo hello",
    "true",
    "printf '\\377\\000x'",
    "echo 'n S 1 1'",
    "i=0; while [ $i -lt 20000 ]; do echo yes; i=$((i+1)); done",
]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Spy:
    """Starts programs and remembers their pids."""

    def __init__(self) -> None:
        self.pids: list[int] = []

    def __call__(
        self, path: str, argv: Sequence[str], env: Mapping[str, str], files: Sequence[tuple[int, int, int]]
    ) -> int:
        self.pids.append(tmux_process.spawn(path, argv, env, files))
        return self.pids[-1]

    def all_reaped(self) -> bool:
        return all(not Path(f"/proc/{pid}").exists() for pid in self.pids)


@pytest.mark.tmux
def test_a_stopped_server_is_ignorance_and_its_client_is_put_away(real: RealTerminal) -> None:
    pane = created(real.port, agent(1))
    spy = Spy()
    hasty = real.client(timeout_s=0.2, spawn=spy)

    with stopped(real.server_pid()):
        seen = hasty.listing()
        variable = hasty.environment(pane.session_id, "HOUMAO_UID")
        screen = hasty.capture(pane.pane_id)

    for answer in (seen, variable, screen):
        assert isinstance(answer, Unanswered)
        assert "did not answer within 0.2 s" in answer.why
    assert len(spy.pids) == 3
    assert spy.all_reaped()
    assert [each.uid for each in panes(real.port)] == [uid(1)]


@pytest.mark.tmux
@pytest.mark.parametrize("count", [1, 2, 5])
def test_what_a_stopped_server_was_told_is_unknown(real: RealTerminal, count: int) -> None:
    pane = created(real.port, agent(1))
    spy = Spy()
    hasty = real.client(timeout_s=0.2, spawn=spy)

    with stopped(real.server_pid()):
        answers = hasty.act(FENCE, [agent(number) for number in range(2, 2 + count)])
    (killed,) = real.port.act(FENCE, [Kill(pane.session_id, uid(1), pane.mark)])

    told = count if count > 2 else 1  # more than two go together
    assert [_certainty(answer) for answer in answers] == ["unknown"] * told + ["not sent"] * (count - told)
    assert len(spy.pids) == 1
    assert killed == Done()
    assert spy.all_reaped()


@pytest.mark.tmux
def test_a_stopped_server_is_waited_for_once_for_all_screens(real: RealTerminal) -> None:
    shown = [created(real.port, agent(number)).pane_id for number in range(1, 4)]
    hasty = real.client(timeout_s=0.2)

    with stopped(real.server_pid()):
        screens = hasty.captures(["rubbish", *shown])
        asked = hasty.processes
        listed, none = hasty.glance(shown)

    whys = {pane: screen.why for pane, screen in screens.items() if isinstance(screen, Unanswered)}
    assert whys == {"rubbish": "no pane id: 'rubbish'"} | dict.fromkeys(shown, "tmux did not answer within 0.2 s")
    assert asked == 1
    assert (listed, none) == (Unanswered("tmux did not answer within 0.2 s"), {})
    assert hasty.processes == asked + 1


@pytest.mark.tmux
def test_a_server_that_cannot_end_is_waited_for_once_per_batch(real: RealTerminal) -> None:
    """Told to end, a server drops its sessions; one that a hook opens then keeps it, and it lets nobody in any more."""
    created(real.port, agent(1))
    real.tmux("set-hook", "-g", "session-closed", "new-session -d sleep 1000")
    real.tmux("kill-server")
    hasty = real.client(timeout_s=1.0)

    answers = hasty.act(FENCE, [agent(number) for number in range(2, 42)])
    asked = hasty.processes
    seen = hasty.listing()

    assert [_certainty(answer) for answer in answers] == ["unknown", *["not sent"] * 39]
    assert asked < 12  # the pauses double from 2 ms
    assert isinstance(seen, Unanswered)
    assert seen.why.endswith(f": the tmux server on {real.socket} lets nobody in; if its process stays, end it")


def test_a_server_that_ends_late_is_waited_for(tmp_path: Path) -> None:
    left = tmp_path / "left"
    script = (
        f"echo >>{left}; [ $(wc -l <{left}) -gt 3 ] && echo 'no server running on /s' >&2 || echo 'lost server' >&2"
    )
    port = TmuxClient(socket_path="/s", environ=program(tmp_path, f"{script}; exit 1"))

    assert port.act(FENCE, [Vacant(uid(1))]) == (Done(),)
    left.unlink()
    assert port.listing() == Listing(None, (), "no server running on /s")


@pytest.mark.tmux
def test_a_server_that_stops_in_mid_batch_leaves_the_rest_unknown(real: RealTerminal) -> None:
    created(real.port, agent(1))
    server = real.server_pid()

    answers = _cut(real, f"kill -STOP {server}", timeout_s=1.0)
    os.kill(server, signal.SIGCONT)

    assert _consistent(answers), answers


@pytest.mark.tmux
@pytest.mark.parametrize("cut", [1, 700, 3_000, 9_000, 20_000])
def test_a_server_that_dies_in_mid_batch_leaves_no_wrong_answer(real: RealTerminal, cut: int) -> None:
    """What was told to the dead server is unknown."""
    created(real.port, agent(1))

    answers = _cut(real, f"tmux -S {real.socket} kill-server", after=cut)

    assert _consistent(answers), answers


def test_a_batch_whose_answers_died_with_the_server_is_unknown(tmp_path: Path) -> None:
    """A server that was told to end while it read a batch opens the sessions, says nothing of them, and may stay."""
    told = r's/.* "\(n[0-9a-f]* 0\) created .*/\1 created $1 %1 7 7\n\1 made/p'
    port = TmuxClient(socket_path="/s", environ=program(tmp_path, f"sed -n '{told}'; echo 'lost server' >&2; exit 1"))

    answers = port.act(FENCE, [agent(number) for number in range(1, 5)])

    lost = Failed("the tmux server ended meanwhile: lost server", unknown=True)
    assert answers == (Created("$1", "%1", 7, 7), *[lost] * 3)


@pytest.mark.tmux
def test_a_client_that_dies_in_mid_batch_leaves_no_session_half_marked(real: RealTerminal) -> None:
    created(real.port, agent(0, uid=uid(99), name="HOUMAO-first"))

    answers = _cut(real, "kill -9 $$", after=20_000)

    assert _consistent(answers), answers
    assert isinstance(answers[-1], Failed)
    for pane in panes(real.port):
        assert (pane.role, pane.mark != "", pane.uid != "") == ("agent", True, True)
        assert real.port.environment(pane.session_id, "HOUMAO_UID") == pane.uid


def _cut(real: RealTerminal, trouble: str, *, after: int = 3_000, timeout_s: float = 20.0) -> tuple[Answer, ...]:
    """Create forty agents by a file whose input stops after some bytes, when `trouble` is run, once."""
    troubled: list[bool] = []

    def start(path: str, argv: Sequence[str], env: Mapping[str, str], files: Sequence[tuple[int, int, int]]) -> int:
        if "source-file" not in argv or troubled:
            return tmux_process.spawn(path, argv, env, files)
        troubled.append(True)
        # The client is the started process itself; its input comes through a pipe that trouble sits on.
        script = (
            f'exec 3<&0; mkfifo "$0"; {{ head -c {after}; {trouble}; exec cat >/dev/null; }} <&3 >"$0" 2>/dev/null & '
            'exec "$@" 3<&- <"$0"'
        )
        return tmux_process.spawn("/bin/sh", ("sh", "-c", script, f"{real.socket}.in", path, *argv[1:]), env, files)

    return real.client(timeout_s=timeout_s, spawn=start).act(FENCE, [agent(number) for number in range(2, 42)])


def _certainty(answer: Answer) -> str:
    if not isinstance(answer, Failed):
        return "answered"
    if answer.unknown:
        return "unknown"
    return "not sent" if answer.why.startswith("it was not sent: ") else "failed"


def _consistent(answers: Sequence[Answer]) -> bool:
    """Answers come in order: first those that were given, then those that nobody knows, then what was kept back."""
    certainties = [_certainty(answer) for answer in answers]
    order = ["answered", "unknown", "not sent"]
    return certainties == sorted(certainties, key=order.index) and all(
        isinstance(answer, Created | Failed) for answer in answers
    )


@pytest.mark.tmux
def test_a_removed_socket_file_does_not_prove_that_the_server_is_gone(real: RealTerminal) -> None:
    created(real.port, agent(1))
    pid = real.server_pid()
    Path(real.socket).unlink()

    seen = real.port.listing()

    assert isinstance(seen, Unanswered)
    assert "SIGUSR1" in seen.why
    os.kill(pid, signal.SIGUSR1)
    until(lambda: Path(real.socket).exists())
    assert [each.uid for each in panes(real.port)] == [uid(1)]


@pytest.mark.tmux
def test_a_socket_that_nobody_serves_proves_it(real: RealTerminal) -> None:
    import socket

    left = socket.socket(socket.AF_UNIX)
    left.bind(real.socket)
    left.close()

    seen = real.port.listing()

    assert isinstance(seen, Listing)
    assert seen.server is None
    assert seen.evidence == f"no server running on {real.socket}"
    Path(real.socket).unlink()


@pytest.mark.tmux
def test_a_running_server_without_sessions_is_told_from_none(real: RealTerminal) -> None:
    real.tmux("start-server", ";", "set-option", "-s", "exit-empty", "off")

    seen = real.port.listing()

    assert isinstance(seen, Listing)
    assert seen.server is not None
    assert seen.server.pid == real.server_pid()
    assert seen.panes == ()


def test_without_tmux_everything_says_so() -> None:
    port = TmuxClient(socket_path="/nowhere/socket", environ={"PATH": "/nowhere"})
    requests: list[Request] = [agent(1), Kill("$1", uid(1), "m"), agent(2), agent(3)]

    seen = [port.listing(), port.environment("$1", "X"), port.capture("%1"), *port.act(FENCE, requests)]

    for answer in seen:
        assert isinstance(answer, Unanswered | Failed)
        assert answer.why.startswith("tmux.missing: no tmux on PATH")
        assert not (isinstance(answer, Failed) and answer.unknown)
    assert (port.processes, port.round_trips) == (0, 0)


def test_a_tmux_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.ENOEXEC, "Exec format error")

    port = TmuxClient(socket_path="/nowhere/socket", environ=program(tmp_path, ""), spawn=fail)

    before = len(os.listdir("/proc/self/fd"))
    seen = port.listing()

    assert isinstance(seen, Unanswered)
    assert seen.why.endswith("could not be started: Exec format error")
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("script", GARBAGE)
def test_rubbish_is_no_answer(tmp_path: Path, script: str) -> None:
    port = TmuxClient(socket_path="/nowhere/socket", environ=program(tmp_path, script))

    assert isinstance(port.listing(), Unanswered)
    assert isinstance(port.environment("$1", "X"), Unanswered)
    assert isinstance(port.capture("%1"), Unanswered)
    (answer,) = port.act(FENCE, [agent(1)])
    assert isinstance(answer, Failed)
    assert answer.unknown


@pytest.mark.parametrize(
    "said",
    [
        "error connecting to /nowhere/socket (Permission denied)",
        "directory /tmp/tmux-0 has unsafe permissions",
        "server exited unexpectedly",
        "lost server",
        "protocol version mismatch (client 8, server 7)",
        "",
    ],
)
def test_other_errors_prove_nothing(tmp_path: Path, said: str) -> None:
    port = TmuxClient(
        socket_path="/nowhere/socket", environ=program(tmp_path, f"echo '{said}' >&2; exit 1"), timeout_s=1.0
    )

    seen = port.listing()

    assert isinstance(seen, Unanswered)
    assert said in seen.why
    assert all(isinstance(answer, Failed) for answer in port.act(FENCE, [Kill("$1", uid(1), "m"), agent(1)]))


@pytest.mark.parametrize("said", ["no server running on /s", "error connecting to /s (No such file or directory)"])
def test_a_server_that_is_not_there_is_absence(tmp_path: Path, said: str) -> None:
    port = TmuxClient(socket_path="/s", environ=program(tmp_path, f"echo '{said}' >&2; exit 1"))

    assert port.listing() == Listing(None, (), said)
    assert isinstance(port.act(FENCE, [Kill("$1", uid(1), "m")])[0], Refused)


def test_a_tmux_that_hangs_does_not_hang_us(tmp_path: Path) -> None:
    spy = Spy()
    script = "trap '' TERM HUP INT; while :; do sleep 1000; done"
    port = TmuxClient(
        socket_path="/s", environ=program(tmp_path, f"exec >/dev/null 2>&1; {script}"), timeout_s=0.2, spawn=spy
    )

    seen = port.listing()

    assert isinstance(seen, Unanswered)
    assert "did not answer" in seen.why
    assert spy.all_reaped()


def _transcript(real: RealTerminal) -> str:
    kept: list[bytes] = []

    class Keeping(TmuxClient):
        def _run(self, *args: object, **kwargs: object) -> "tmux_process.Output | Unanswered":
            ran = super()._run(*args, **kwargs)  # type: ignore[arg-type]
            assert isinstance(ran, tmux_process.Output)
            kept.append(ran.out)
            return ran

    port = Keeping(socket_path=real.socket, config="/dev/null", timeout_s=20)
    port.act(FENCE, [agent(9, mark="a\tb\nc"), agent(1), agent(1), agent(3), agent(4, name="HOUMAO-agent-3")])
    port.listing()
    return "\0".join(text.decode() for text in kept)


@pytest.mark.tmux
def test_a_listing_cut_anywhere_is_no_listing(real: RealTerminal) -> None:
    text = _transcript(real).split("\0")[-1]
    nonce = text[:17]
    whole = listing.parse(text, nonce)
    assert isinstance(whole, Listing)
    assert [pane.mark for pane in whole.panes if pane.uid == uid(9)] == ["a\tb\nc"]

    for end in range(len(text)):
        assert isinstance(listing.parse(text[:end], nonce), Unanswered), text[:end]


@pytest.mark.tmux
def test_a_batch_cut_anywhere_has_right_answers_or_none(real: RealTerminal) -> None:
    text, _ = _transcript(real).split("\0")
    nonce = text.split(" ")[0]
    tags = [f"{nonce} {number}" for number in range(5)]
    whys = [("fence", "exists")] * 5
    said = "duplicate session: HOUMAO-agent-3"
    whole = tmux_requests.answers(text, said, tags, whys, lost="")
    assert [type(answer) for answer in whole] == [Created, Created, Refused, Created, Failed]
    assert whole[-1] == Failed(said)

    for end in range(len(text)):
        cut = tmux_requests.answers(text[:end], "lost server", tags, whys, lost="it ended")
        for given, right in zip(cut, whole, strict=True):
            assert given == right or (isinstance(given, Failed) and given.unknown), (given, right, text[:end])


def test_a_complaint_is_given_to_the_request_it_is_of() -> None:
    tags, whys = ["n 0", "n 1", "n 2"], [("",)] * 3
    half, whole = "n 0 created $1 %1 7 7\nn 1 created $2 %2 8 8\n", "n 1 made\n"

    told = tmux_requests.answers(half + whole, "no room\nduplicate\n", tags, whys, lost="")
    doubtful = tmux_requests.answers(half + whole, "no room\n", tags, whys, lost="")

    made = Created("$2", "%2", 8, 8)
    assert told == (Failed("only in part: no room", unknown=True), made, Failed("duplicate"))
    assert doubtful == (Failed("only in part: no room", unknown=True), made, Failed("no room"))
    assert tmux_requests.answers("", "", ["n 0"], [("",)], lost="") == (Failed("tmux gave no answer", unknown=True),)


@pytest.mark.tmux
def test_a_file_that_ends_anywhere_is_carried_out_up_to_a_request_or_not_at_all(real: RealTerminal) -> None:
    """A program that is killed leaves tmux the beginning of its file: a line that is cut is no command of its own."""
    keep = created(real.port, agent(0))
    rows = [requests_line(Kill(keep.session_id, uid(0), "another mark")), requests_line(agent(1, mark="m" * 40))]
    text = "\n".join(rows) + "\n"
    for end in range(len(rows[0]) - 40, len(text)):
        ran = subprocess.run(
            ["tmux", "-S", real.socket, "source-file", "-"], input=text[:end].encode(), capture_output=True, timeout=20
        )
        assert b"unknown command" not in ran.stdout + ran.stderr, text[:end]
        seen = {each.uid: each for each in panes(real.port)}
        assert seen[uid(0)] == keep
        if uid(1) in seen:
            found = seen[uid(1)]
            assert (found.role, found.mark) == ("agent", "m" * 40), text[:end]
            real.kill(found.session_name)


@pytest.mark.tmux
def test_one_request_that_tmux_cannot_read_leaves_the_others_alone(real: RealTerminal) -> None:
    class Crooked(TmuxClient):
        """Puts a line into each file that no tmux can read, unless it is about the one who can."""

        def _run(
            self, words: Sequence[str], *, feed: bytes = b"", beat: bytes = b""
        ) -> "tmux_process.Output | Unanswered":
            return super()._run(words, feed=feed + b"no-such-command\n" if feed else b"", beat=beat)

    port = Crooked(socket_path=real.socket, config="/dev/null", timeout_s=20)

    answers = port.act(FENCE, [agent(1), agent(2), agent(3, env=(("LONG", "x" * 20_000),)), agent(4)])

    assert [type(answer) for answer in answers] == [Created, Created, Failed, Created]
    assert answers[2].why.startswith("tmux cannot read it: ")  # type: ignore[union-attr]
    assert sorted(each.uid for each in panes(real.port)) == [uid(1), uid(2), uid(4)]


def requests_line(request: Request) -> str:
    return tmux_requests.line(FENCE, request, "n 0").text()
