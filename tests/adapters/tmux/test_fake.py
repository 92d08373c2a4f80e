"""The fake's own switches: it is silent, serves an old picture, fails the n-th request; its panes run programs."""

from collections.abc import Mapping

from reconciler.ports.tmux import Created, Done, Failed, Kill, Listing, Refused, Screen, SendKeys, Unanswered
from reconciler.testing.tmux import FakeTmux
from tests.adapters.tmux.driver import FENCE, agent, created, names, panes, uid


class Table:
    """A process table of the smallest kind."""

    def __init__(self) -> None:
        self.started: list[tuple[tuple[str, ...], dict[str, str], str]] = []
        self.hung_up: list[int] = []

    def spawn(self, argv: tuple[str, ...], env: Mapping[str, str], cwd: str) -> int:
        self.started.append((argv, dict(env), cwd))
        return 100 + len(self.started)

    def hangup(self, pid: int) -> None:
        self.hung_up.append(pid)


def test_a_pane_runs_its_program_and_hangs_it_up() -> None:
    table = Table()
    tmux = FakeTmux(processes=table)
    pane = created(tmux, agent(1, env=(("A", "b"),), cwd="/work"))

    assert table.started == [(("sleep", "1000"), {"A": "b", "HOUMAO_UID": uid(1)}, "/work")]
    assert pane.pid == 101
    tmux.act(FENCE, [Kill(pane.session_id, uid(1), pane.mark)])
    assert table.hung_up == [101]


def test_an_ended_program_is_not_hung_up_again() -> None:
    table = Table()
    tmux = FakeTmux(processes=table)
    pane = created(tmux, agent(1))

    tmux.exit(pane.pane_id, "1")
    tmux.kill_server()

    assert table.hung_up == []


def test_silence_is_no_absence_and_tells_nothing_of_a_request() -> None:
    tmux = FakeTmux()
    pane = created(tmux, agent(1))
    tmux.unanswered = "tmux did not answer within 5 s"

    answers = [tmux.listing(), tmux.environment(pane.session_id, "A"), tmux.capture(pane.pane_id)]
    assert answers == [Unanswered("tmux did not answer within 5 s")] * 3
    assert tmux.act(FENCE, [agent(2)]) == (Failed("tmux did not answer within 5 s", unknown=True),)

    tmux.unanswered = ""
    assert names(tmux) == ["HOUMAO-agent-1"]


def test_an_old_picture_is_shown_while_requests_meet_the_present() -> None:
    tmux = FakeTmux()
    pane = created(tmux, agent(1))
    tmux.freeze()
    tmux.kill_session("HOUMAO-agent-1")

    assert names(tmux) == ["HOUMAO-agent-1"]
    assert isinstance(tmux.act(FENCE, [Kill(pane.session_id, uid(1), pane.mark)])[0], Refused)

    tmux.thaw()
    assert tmux.listing() == Listing(None, (), "no server running")


def test_the_nth_request_fails_carried_out_or_not() -> None:
    tmux = FakeTmux()
    tmux.fail_act(2)
    tmux.fail_act(3, Refused("no"), carried_out=True)

    first, second, third, fourth = tmux.act(FENCE, [agent(number) for number in range(4)])

    assert isinstance(first, Created)
    assert second == Failed("tmux did not answer within 5 s", unknown=True)
    assert third == Refused("no")
    assert isinstance(fourth, Created)
    assert names(tmux) == ["HOUMAO-agent-0", "HOUMAO-agent-2", "HOUMAO-agent-3"]


def test_a_test_writes_the_screen_and_reads_the_keys() -> None:
    tmux = FakeTmux()
    pane = created(tmux, agent(1))
    session = tmux.named("HOUMAO-agent-1")
    assert session is not None
    session.panes[0].text, session.panes[0].title = "echo> ", "echo: ready"

    assert tmux.capture(pane.pane_id) == Screen("echo> ", "echo: ready")
    assert tmux.act(FENCE, [SendKeys(pane.pane_id, uid(1), ("C-c",))]) == (Done(),)
    assert session.panes[0].keys == [("C-c", False)]


def test_a_trip_is_counted_per_call() -> None:
    tmux = FakeTmux()
    tmux.act(FENCE, [agent(number) for number in range(100)])
    panes(tmux)
    tmux.act(FENCE, [])

    assert tmux.round_trips == 2


def test_a_restarted_server_knows_no_fence_and_is_another_one() -> None:
    tmux = FakeTmux()
    created(tmux, agent(1))
    first = tmux.listing()
    tmux.kill_server()
    created(tmux, agent(1), FENCE._replace(token=1))

    second = tmux.listing()
    assert isinstance(first, Listing)
    assert isinstance(second, Listing)
    assert first.server != second.server
