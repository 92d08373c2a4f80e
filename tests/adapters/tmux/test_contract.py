"""The contract of the tmux port: every story is told to the fake and to a real server."""

import pytest

from reconciler.ports.tmux import (
    Adopt,
    Answer,
    Create,
    Created,
    Done,
    Failed,
    Fence,
    Kill,
    Listing,
    Mark,
    Pane,
    Refused,
    Rename,
    Request,
    SendKeys,
    Unanswered,
)
from tests.adapters.tmux.driver import FENCE, Terminal, agent, created, names, panes, uid, until


def kill(pane: Pane) -> Kill:
    return Kill(pane.session_id, uid(int(pane.uid, 16)), pane.mark)


def refused(answer: Answer, why: str) -> bool:
    return isinstance(answer, Refused) and why in answer.why


def test_without_a_server_the_listing_is_empty_and_says_how_that_is_known(terminal: Terminal) -> None:
    seen = terminal.port.listing()

    assert isinstance(seen, Listing)
    assert seen.server is None
    assert seen.panes == ()
    assert seen.evidence


def test_a_created_session_carries_its_ownership_everywhere(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1, env=(("HOUMAO_TOOL", "echo"), ("EMPTY", ""))))

    assert pane.session_name == "HOUMAO-agent-1"
    assert (pane.uid, pane.mark, pane.role) == (uid(1), "1 digest-1 overlay-1 3", "agent")
    assert (pane.dead, pane.dead_status) == (False, "")
    assert pane.pid > 0
    assert pane.session_created > 0
    assert terminal.port.environment(pane.session_id, "HOUMAO_UID") == uid(1)
    assert terminal.port.environment(pane.session_id, "HOUMAO_TOOL") == "echo"
    assert terminal.port.environment(pane.session_id, "EMPTY") == ""
    assert terminal.port.environment(pane.session_id, "ABSENT") is None
    assert terminal.port.attach_command(pane.session_id)[-2:] == ("-t", pane.session_id)


def test_a_glance_is_the_listing_and_the_screens_in_one_trip(terminal: Terminal) -> None:
    panes = [created(terminal.port, agent(number)).pane_id for number in range(1, 4)]
    before = terminal.port.round_trips

    listed, screens = terminal.port.glance(panes)

    assert terminal.port.round_trips == before + 1
    assert listed == terminal.port.listing()
    assert screens == terminal.port.captures(panes)
    assert list(screens) == panes


def test_a_look_at_one_uid_has_its_panes_alone(terminal: Terminal) -> None:
    first, second = (created(terminal.port, agent(number)).pane_id for number in (1, 2))
    every = terminal.port.listing()
    assert isinstance(every, Listing)
    # The last ones are no uid, and might mean something to tmux.
    for wanted, found in ((uid(2), [second]), (uid(9), []), ("", [first, second]), ("},1}", []), ("#{pid}", [])):
        before = terminal.port.round_trips
        listed, screens = terminal.port.glance([second], wanted)

        assert terminal.port.round_trips == before + 1
        assert isinstance(listed, Listing)
        assert listed == terminal.port.listing(wanted)
        assert listed.server == every.server
        assert [pane.pane_id for pane in listed.panes] == found
        assert set(listed.panes) <= set(every.panes)
        assert screens == terminal.port.captures([second]) or not wanted.isalnum()


def test_a_glance_at_a_pane_that_is_gone_keeps_the_listing(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1)).pane_id

    listed, screens = terminal.port.glance([pane, "%999", "rubbish"])

    assert listed == terminal.port.listing()
    assert screens == terminal.port.captures([pane])


def test_a_glance_without_a_server_proves_that_none_runs(terminal: Terminal) -> None:
    listed, screens = terminal.port.glance(["%1"])

    assert isinstance(listed, Listing)
    assert listed.server is None
    assert screens == {}


def test_the_environment_of_no_session_is_ignorance_not_absence(terminal: Terminal) -> None:
    created(terminal.port, agent(1))

    assert isinstance(terminal.port.environment("$99", "HOUMAO_UID"), Unanswered)


def test_every_pane_names_the_server_that_answered(terminal: Terminal) -> None:
    created(terminal.port, agent(1))
    first = terminal.port.listing()
    second = terminal.port.listing()

    assert isinstance(first, Listing)
    assert isinstance(second, Listing)
    assert first.server is not None
    assert first.server == second.server


def test_a_uid_lives_once(terminal: Terminal) -> None:
    created(terminal.port, agent(1))

    (answer,) = terminal.port.act(FENCE, [agent(1, name="HOUMAO-another")])

    assert refused(answer, "exists")
    assert names(terminal.port) == ["HOUMAO-agent-1"]


def test_a_taken_name_fails_and_changes_nothing(terminal: Terminal) -> None:
    terminal.foreign("HOUMAO-agent-1", {}, {})

    (answer,) = terminal.port.act(FENCE, [agent(1)])

    assert answer == Failed("duplicate session: HOUMAO-agent-1")
    (pane,) = panes(terminal.port)
    assert (pane.uid, pane.mark, pane.role) == ("", "", "")


def test_a_kill_takes_the_session_it_names_and_no_other(terminal: Terminal) -> None:
    short = created(terminal.port, agent(1, name="HOUMAO-a"))
    created(terminal.port, agent(2, name="HOUMAO-a-1"))
    created(terminal.port, agent(3, name="HOUMAO-ab"))

    assert terminal.port.act(FENCE, [kill(short)]) == (Done(),)
    assert names(terminal.port) == ["HOUMAO-a-1", "HOUMAO-ab"]


def test_a_name_that_begins_like_another_can_be_created(terminal: Terminal) -> None:
    created(terminal.port, agent(1, name="HOUMAO-agent-long"))
    pane = created(terminal.port, agent(2, name="HOUMAO-agent"))

    assert (pane.uid, pane.role) == (uid(2), "agent")
    assert [pane.uid for pane in panes(terminal.port) if pane.session_name == "HOUMAO-agent-long"] == [uid(1)]


@pytest.mark.parametrize("wrong", ["session", "uid", "mark"])
def test_a_kill_that_does_not_match_is_refused_and_kills_nothing(terminal: Terminal, wrong: str) -> None:
    pane = created(terminal.port, agent(1))
    created(terminal.port, agent(2))
    request = {
        "session": kill(pane)._replace(session_id="$77"),
        "uid": kill(pane)._replace(uid=uid(2)),
        "mark": kill(pane)._replace(mark="2 digest-1 overlay-1 3"),
    }[wrong]

    (answer,) = terminal.port.act(FENCE, [request])

    assert isinstance(answer, Refused)
    assert len(panes(terminal.port)) == 2


def test_a_mark_is_changed_only_from_what_it_was(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    change = Mark(pane.session_id, uid(1), pane.mark, "2 digest-2 overlay-1 3")

    first, second = terminal.port.act(FENCE, [change, change])

    assert first == Done()
    assert refused(second, "mark")
    assert panes(terminal.port)[0].mark == "2 digest-2 overlay-1 3"


def test_a_session_is_renamed_only_with_its_uid_and_mark(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    other = created(terminal.port, agent(2))
    wanted = Rename(pane.session_id, uid(1), pane.mark, "another")

    wrong, done, taken = terminal.port.act(
        FENCE, [wanted._replace(mark="else"), wanted, wanted._replace(name=other.session_name)]
    )

    assert refused(wrong, "mark")
    assert done == Done()
    assert isinstance(taken, Failed)
    names = {seen.session_id: seen.session_name for seen in panes(terminal.port)}
    assert names == {pane.session_id: "another", other.session_id: other.session_name}


def test_a_session_that_nobody_owns_is_marked_whole_and_only_once(terminal: Terminal) -> None:
    created(terminal.port, agent(1))
    terminal.foreign("work", {}, {})
    theirs = next(pane for pane in panes(terminal.port) if pane.session_name == "work")
    wanted = Adopt(theirs.session_id, theirs.pane_id, theirs.session_created, uid(2), "1 digest overlay-1 3")

    answers = terminal.port.act(
        FENCE,
        [
            wanted._replace(session_id="$77"),
            wanted._replace(created=theirs.session_created + 1),
            wanted._replace(uid=uid(1)),
            wanted,
            wanted._replace(uid=uid(3)),
        ],
    )

    assert [type(answer) for answer in answers] == [Refused, Refused, Refused, Done, Refused]
    marked = next(pane for pane in panes(terminal.port) if pane.session_name == "work")
    assert (marked.uid, marked.mark, marked.role, marked.pid) == (uid(2), "1 digest overlay-1 3", "agent", theirs.pid)
    assert terminal.port.environment(theirs.session_id, "HOUMAO_UID") == uid(2)
    assert terminal.port.act(FENCE, [Kill(theirs.session_id, uid(2), "1 digest overlay-1 3")]) == (Done(),)


def test_the_last_session_takes_the_server_with_it(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))

    def no_server() -> bool:
        seen = terminal.port.listing()
        return isinstance(seen, Listing) and seen.server is None

    assert terminal.port.act(FENCE, [kill(pane)]) == (Done(),)
    until(no_server)
    assert refused(terminal.port.act(FENCE, [kill(pane)])[0], "no tmux server")


def test_a_new_server_starts_where_the_last_session_just_ended(terminal: Terminal) -> None:
    for _ in range(10):
        pane = created(terminal.port, agent(1))
        assert terminal.port.act(FENCE, [kill(pane)]) == (Done(),)


def test_a_server_gone_between_listing_and_act_refuses_the_kill(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    terminal.kill_server()

    (answer,) = terminal.port.act(FENCE, [kill(pane)])

    assert refused(answer, "no tmux server")


def test_the_first_line_of_a_writer_sets_its_token(terminal: Terminal) -> None:
    terminal.foreign("mine", {}, {})
    assert terminal.option("@houmao_fence_overlay-1") == ""

    terminal.port.act(FENCE, [Kill("$77", uid(1), "")])

    assert terminal.option("@houmao_fence_overlay-1") == "3"


def test_the_line_that_starts_a_server_sets_the_token(terminal: Terminal) -> None:
    created(terminal.port, agent(1))

    assert terminal.option("@houmao_fence_overlay-1") == "3"


def test_a_newer_writer_shuts_the_older_one_out(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    newer = Fence("overlay-1", 10)
    created(terminal.port, agent(2), newer)
    everything: list[Request] = [
        agent(3),
        kill(pane),
        Mark(pane.session_id, uid(1), pane.mark, "other"),
        SendKeys(pane.pane_id, uid(1), ("x",)),
    ]

    answers = terminal.port.act(FENCE, everything)

    assert all(refused(answer, "token") for answer in answers), answers
    assert terminal.option("@houmao_fence_overlay-1") == "10"
    assert {pane.mark for pane in panes(terminal.port)} == {agent(1).mark, agent(2).mark}
    assert terminal.port.act(newer, [kill(pane)]) == (Done(),)


def test_tokens_are_compared_as_numbers(terminal: Terminal) -> None:
    created(terminal.port, agent(1), Fence("overlay-1", 9))

    created(terminal.port, agent(2), Fence("overlay-1", 10))

    assert refused(terminal.port.act(Fence("overlay-1", 9), [agent(3)])[0], "token")


def test_overlays_have_fences_of_their_own(terminal: Terminal) -> None:
    created(terminal.port, agent(1), Fence("overlay-1", 9))

    created(terminal.port, agent(2), Fence("overlay-2", 1))

    assert terminal.option("@houmao_fence_overlay-1") == "9"


def test_two_sessions_with_one_uid_are_both_listed_and_no_third_is_made(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    terminal.foreign("copy", {"HOUMAO_UID": uid(1)}, {"@houmao_uid": uid(1), "@houmao_mark": pane.mark})

    assert [(each.session_name, each.uid) for each in panes(terminal.port)] == [
        ("HOUMAO-agent-1", uid(1)),
        ("copy", uid(1)),
    ]
    assert refused(terminal.port.act(FENCE, [agent(1, name="HOUMAO-third")])[0], "exists")


def test_a_global_uid_only_causes_refusal(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    mine = terminal.foreign("mine", {}, {})
    terminal.set_option("-g", "@houmao_uid", uid(2))
    terminal.set_option("-g", "@houmao_mark", "m")

    assert [each.uid for each in panes(terminal.port)] == [uid(1), uid(2)]
    answers = terminal.port.act(FENCE, [agent(2), Kill(mine, uid(2), "m"), kill(pane)])
    assert refused(answers[0], "exists")
    assert refused(answers[1], "environment")
    assert answers[2] == Done()


def test_a_uid_on_the_server_hides_all_others_and_only_causes_refusal(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    terminal.set_option("-s", "@houmao_uid", uid(2))

    answers = terminal.port.act(FENCE, [kill(pane), kill(pane)._replace(uid=uid(2)), agent(1), agent(2)])

    assert all(isinstance(answer, Refused) for answer in answers), answers
    assert [each.uid for each in panes(terminal.port)] == [uid(2)]


def test_a_pane_that_shadows_its_uid_only_causes_refusal(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    terminal.set_option(pane.pane_id, "@houmao_uid", uid(9))
    (shadowed,) = panes(terminal.port)

    assert shadowed.uid == uid(9)
    kills = [kill(pane), Kill(pane.session_id, uid(9), pane.mark)]
    answers = terminal.port.act(FENCE, [*kills, agent(1, name="HOUMAO-second")])
    assert all(isinstance(answer, Refused) for answer in answers), answers
    assert len(panes(terminal.port)) == 1


def test_a_session_whose_environment_disagrees_is_not_touched(terminal: Terminal) -> None:
    session_id = terminal.foreign("mine", {}, {"@houmao_uid": uid(1), "@houmao_mark": "m"})

    answers = terminal.port.act(FENCE, [Kill(session_id, uid(1), "m"), Mark(session_id, uid(1), "m", "n")])

    assert all(refused(answer, "environment") for answer in answers), answers
    assert names(terminal.port) == ["mine"]


def test_an_ended_program_leaves_its_pane_to_look_at(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    created(terminal.port, agent(2))

    terminal.end_program(pane)

    ended = next(each for each in panes(terminal.port) if each.pane_id == pane.pane_id)
    assert ended.dead
    assert (ended.uid, ended.mark, ended.role, ended.pid) == (pane.uid, pane.mark, "agent", pane.pid)
    assert refused(terminal.port.act(FENCE, [SendKeys(pane.pane_id, uid(1), ("x",))])[0], "ended")
    assert terminal.port.act(FENCE, [kill(ended)]) == (Done(),)


def test_keys_go_to_the_agents_pane_of_the_right_uid_alone(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    other = created(terminal.port, agent(2))
    terminal.set_option(other.pane_id, "@houmao_pane", "gateway")

    answers = terminal.port.act(
        FENCE,
        [
            SendKeys(pane.pane_id, uid(1), ("Up", "Enter")),
            SendKeys(pane.pane_id, uid(1), ("say; 'it' #{pid}", ""), literal=True),
            SendKeys(pane.pane_id, uid(2), ("x",)),
            SendKeys(other.pane_id, uid(2), ("x",)),
            SendKeys("%77", uid(1), ("x",)),
        ],
    )

    assert answers[:2] == (Done(), Done())
    assert refused(answers[2], "uid")
    assert refused(answers[3], "not the agent's")
    assert refused(answers[4], "no pane")


def test_a_batch_has_one_answer_each_in_order(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))
    terminal.foreign("HOUMAO-taken", {}, {})

    answers = terminal.port.act(
        FENCE,
        [
            agent(1, name="HOUMAO-again"),
            agent(2, name="HOUMAO-taken"),
            agent(3),
            Mark(pane.session_id, uid(1), "wrong", "x"),
            agent(4, name="not:a:name"),
            kill(pane),
            agent(1, name="HOUMAO-back"),
        ],
    )

    kinds = [type(answer) for answer in answers]
    assert kinds == [Refused, Failed, Created, Refused, Failed, Done, Created]
    assert names(terminal.port) == ["HOUMAO-agent-3", "HOUMAO-back", "HOUMAO-taken"]


def test_a_hundred_agents_are_created_and_killed_in_one_batch_each(terminal: Terminal) -> None:
    terminal.foreign("mine", {}, {})
    answers = terminal.port.act(FENCE, [agent(number) for number in range(100)])

    assert all(isinstance(answer, Created) for answer in answers)
    ours = [pane for pane in panes(terminal.port) if pane.uid]
    assert {(pane.uid, pane.session_name) for pane in ours} == {(uid(n), f"HOUMAO-agent-{n}") for n in range(100)}

    assert set(terminal.port.act(FENCE, [kill(pane) for pane in ours])) == {Done()}
    assert names(terminal.port) == ["mine"]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_all_agents_of_a_server_are_replaced_in_one_batch(terminal: Terminal, count: int) -> None:
    terminal.port.act(FENCE, [agent(number) for number in range(count)])
    old = panes(terminal.port)

    answers = terminal.port.act(FENCE, [*map(kill, old), *(agent(number) for number in range(count))])

    assert [type(answer) for answer in answers] == [Done] * count + [Created] * count, answers
    assert names(terminal.port) == [f"HOUMAO-agent-{number}" for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 30])
def test_a_server_with_nothing_but_agents_is_emptied_in_one_batch(terminal: Terminal, count: int) -> None:
    terminal.port.act(FENCE, [agent(number) for number in range(count)])

    answers = terminal.port.act(FENCE, [kill(pane) for pane in panes(terminal.port)])

    assert answers == (Done(),) * count


def test_nothing_to_do_asks_nothing(terminal: Terminal) -> None:
    assert terminal.port.act(FENCE, []) == ()
    seen = terminal.port.listing()
    assert isinstance(seen, Listing)
    assert seen.server is None


@pytest.mark.parametrize(
    "create",
    [
        agent(1, name=""),
        agent(1, name="a.b"),
        agent(1, name="a:b"),
        agent(1, name="#(touch X)"),
        agent(1, name="x" * 129),
        agent(1, uid="not a uid"),
        agent(1, uid=""),
        agent(1, argv=()),
        agent(1, argv=("",)),
        agent(1, argv=("sleep", "1\0")),
        agent(1, env=(("", "x"),)),
        agent(1, env=(("A=B", "x"),)),
        agent(1, mark="\0"),
        agent(1, cwd="relative"),
    ],
)
def test_what_tmux_cannot_be_told_fails_before_it_is_asked(terminal: Terminal, create: Create) -> None:
    (answer,) = terminal.port.act(FENCE, [create])

    assert isinstance(answer, Failed)
    assert not answer.unknown
    seen = terminal.port.listing()
    assert isinstance(seen, Listing)
    assert seen.server is None


@pytest.mark.parametrize(
    "request_",
    [
        Kill("HOUMAO-agent-1", uid(1), "m"),
        Kill("=x", uid(1), "m"),
        Mark("$", uid(1), "m", "n"),
        SendKeys("$0", uid(1), ()),
    ],
)
def test_a_name_is_never_a_target(terminal: Terminal, request_: Request) -> None:
    created(terminal.port, agent(1))

    (answer,) = terminal.port.act(FENCE, [request_])

    assert isinstance(answer, Failed)
    assert "id" in answer.why


def test_keys_that_are_none_fail(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1))

    assert terminal.port.act(FENCE, [SendKeys(pane.pane_id, uid(1), ())]) == (Failed("there are no keys to send"),)


def test_a_fence_must_be_one(terminal: Terminal) -> None:
    answers = terminal.port.act(Fence("a b", 1), [agent(1)]) + terminal.port.act(Fence("a", -1), [agent(1)])

    assert all(isinstance(answer, Failed) for answer in answers)


def test_a_foreign_session_is_listed_without_ownership(terminal: Terminal) -> None:
    terminal.foreign("mine", {}, {})
    created(terminal.port, agent(1))

    (pane,) = [each for each in panes(terminal.port) if each.session_name == "mine"]

    assert (pane.uid, pane.mark, pane.role) == ("", "", "")
    terminal.kill("mine")
    assert names(terminal.port) == ["HOUMAO-agent-1"]


HOSTILE = "#(touch X) '\"\\ $HOME ~ ; { } , #{pid} #[x] %H \t\n\x01 é漢🎈"


def test_any_mark_can_be_written_compared_and_listed(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1, mark=HOSTILE))

    assert pane.mark == HOSTILE
    assert refused(terminal.port.act(FENCE, [kill(pane)._replace(mark=HOSTILE + ",")])[0], "mark")
    assert terminal.port.act(FENCE, [Mark(pane.session_id, uid(1), HOSTILE, HOSTILE * 2)]) == (Done(),)
    (marked,) = panes(terminal.port)
    assert marked.mark == HOSTILE * 2
    assert terminal.port.act(FENCE, [kill(marked)]) == (Done(),)


def test_any_value_can_be_in_the_environment(terminal: Terminal) -> None:
    pane = created(terminal.port, agent(1, env=(("HOSTILE", HOSTILE), ("HOUMAO_UID", "forged"))))

    assert terminal.port.environment(pane.session_id, "HOSTILE") == HOSTILE
    assert terminal.port.environment(pane.session_id, "HOUMAO_UID") == uid(1)
