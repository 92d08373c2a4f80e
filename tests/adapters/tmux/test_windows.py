"""A window more for a program that serves an agent, and variables for the session: the fake and a real server alike."""

import os

import pytest

from reconciler.ports.tmux import Answer, Created, Done, Export, Failed, Leave, OpenWindow, Pane, Refused, Request
from tests.adapters.tmux.driver import FENCE, Terminal, agent, created, panes, uid, until

SLEEP = ("/bin/sh", "-c", "exec sleep 1000")


def window(pane: Pane, number: int = 1, **changes: object) -> OpenWindow:
    made = OpenWindow(pane.session_id, uid(number), "gateway", "/", (("SHIFT", "day; #(x)"),), SLEEP)
    return made._replace(**changes)  # type: ignore[arg-type]


def act(terminal: Terminal, request: Request, token: int = FENCE.token) -> Answer:
    return terminal.port.act(FENCE._replace(token=token), [request])[0]


def test_a_window_is_never_the_first_and_never_the_agents(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))

    made = act(terminal, window(pane))

    assert isinstance(made, Created)
    assert made.session_id == pane.session_id
    found = {each.pane_id: each for each in panes(terminal.port)}
    assert found[pane.pane_id].role == "agent"
    assert (found[made.pane_id].role, found[made.pane_id].pid) == ("gateway", made.pid)
    assert found[made.pane_id].window_index not in ("", "0", found[pane.pane_id].window_index)


@pytest.mark.tmux
def test_its_program_is_not_taken_for_the_agents(real: Terminal) -> None:
    pane = created(real.port, agent(1))
    made = act(real, window(pane))
    assert isinstance(made, Created)

    def told() -> dict[str, str]:
        with open(f"/proc/{made.pid}/environ") as stream:
            return dict(entry.partition("=")[::2] for entry in stream.read().split("\0") if entry)

    until(lambda: "SHIFT" in told())
    assert told()["HOUMAO_UID"] == ""
    assert told()["SHIFT"] == "day; #(x)"


@pytest.mark.tmux
def test_it_goes_when_its_program_ends_and_the_agent_stays(real: Terminal) -> None:
    pane = created(real.port, agent(1))
    made = act(real, window(pane))
    assert isinstance(made, Created)

    os.kill(made.pid, 9)

    until(lambda: [each.pane_id for each in panes(real.port)] == [pane.pane_id])


def test_a_session_of_somebody_else_gets_none(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))

    assert isinstance(act(terminal, window(pane, 2)), Refused)
    assert isinstance(act(terminal, window(pane, session_id="$99")), Refused)
    assert isinstance(act(terminal, window(pane), FENCE.token - 1), Refused)
    assert isinstance(act(terminal, window(pane, argv=())), Failed)
    assert isinstance(act(terminal, window(pane, session_id="agent")), Failed)
    assert len(panes(terminal.port)) == 1


def test_variables_of_a_session_come_and_go(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    value = "a b; #(touch x) $HOME 'q' \"d\" }"

    assert act(terminal, Export(pane.session_id, uid(1), (("PORT", "1"), ("ODD", value)))) == Done()
    assert terminal.port.environment(pane.session_id, "PORT") == "1"
    assert terminal.port.environment(pane.session_id, "ODD") == value
    assert act(terminal, Export(pane.session_id, uid(1), (("PORT", None), ("NEVER", None)))) == Done()
    assert terminal.port.environment(pane.session_id, "PORT") is None


@pytest.mark.parametrize("name", ["", "A=B", "-g"])
def test_a_name_that_is_none_is_refused(terminal: Terminal, name: str) -> None:
    pane = created(terminal.port, agent(1))

    assert isinstance(act(terminal, Export(pane.session_id, uid(1), ((name, "x"),))), Failed)
    assert isinstance(act(terminal, Export(pane.session_id, uid(2), (("A", "x"),))), Refused)


def leave(pane: Pane, **changes: object) -> Leave:
    return Leave(pane.session_id, uid(1), pane.mark, pane.pane_id)._replace(**changes)  # type: ignore[arg-type]


def test_a_session_that_is_left_keeps_what_is_not_the_agents_and_no_mark(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    created(terminal.port, agent(2))
    (opened,) = terminal.port.act(FENCE, [window(pane)])
    assert isinstance(opened, Created)

    act(terminal, Export(pane.session_id, uid(1), (("OURS", "1"), ("THEIRS", "2"))))

    assert terminal.port.act(FENCE, [leave(pane, unset=("OURS", "NEVER_SET"))]) == (Done(),)

    assert [terminal.port.environment(pane.session_id, name) for name in ("OURS", "THEIRS")] == [None, "2"]
    left = [each for each in panes(terminal.port) if each.session_id == pane.session_id]
    assert [(each.pane_id, each.pid, each.uid, each.mark) for each in left] == [(opened.pane_id, opened.pid, "", "")]
    assert terminal.port.environment(pane.session_id, "HOUMAO_UID") is None
    assert len(panes(terminal.port)) == 2


def test_a_session_with_the_agents_pane_alone_goes_when_it_is_left(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    other = created(terminal.port, agent(2))
    assert terminal.port.act(FENCE, [leave(pane)]) == (Done(),)
    assert [each.pane_id for each in panes(terminal.port)] == [other.pane_id]


def test_a_session_whose_agent_has_no_pane_only_loses_its_marks(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    assert terminal.port.act(FENCE, [leave(pane, pane_id="")]) == (Done(),)
    (left,) = panes(terminal.port)
    assert (left.pid, left.uid, left.mark) == (pane.pid, "", "")


@pytest.mark.parametrize("wrong", ["session", "uid", "mark", "pane"])
def test_a_leave_that_does_not_match_is_refused_and_ends_nothing(terminal: Terminal, wrong: str) -> None:
    pane = created(terminal.port, agent(1))
    (opened,) = terminal.port.act(FENCE, [window(pane)])
    assert isinstance(opened, Created)
    changes = {
        "session": {"session_id": "$77"},
        "uid": {"uid": uid(2)},
        "mark": {"mark": "2 digest-1 overlay-1 3"},
        "pane": {"pane_id": opened.pane_id},
    }[wrong]

    (answer,) = terminal.port.act(FENCE, [leave(pane, **changes)])

    assert isinstance(answer, Refused)
    assert len(panes(terminal.port)) == 2
    assert {each.uid for each in panes(terminal.port)} == {uid(1)}


def test_a_leave_of_what_is_no_id_fails(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    for request in (leave(pane, session_id="name"), leave(pane, pane_id="name")):
        (answer,) = terminal.port.act(FENCE, [request])
        assert isinstance(answer, Failed)
    assert len(panes(terminal.port)) == 1
