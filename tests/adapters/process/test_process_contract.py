"""What anybody may rely on of a process table, asked of the host's and of the fake alike."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.adapters.clock_system import SystemClock
from reconciler.ports.process import Ended, Gone, ProcessFacts
from reconciler.testing.real_world import until
from tests.adapters.process.world import Table

UID, OTHER_UID = SystemClock().new_uid(), SystemClock().new_uid()  # other tests of this host have theirs
NOBODY = 2**31 - 5


def facts(table: Table, pid: int) -> ProcessFacts:
    found = table.process.facts([pid])[pid]
    assert isinstance(found, ProcessFacts)
    return found


def test_a_running_process_has_facts(table: Table) -> None:
    pid = table.start()
    found = facts(table, pid)
    assert (found.pid, found.session, found.exited) == (pid, pid, False)
    assert found.start_ticks > 0


def test_every_pid_that_is_asked_gets_an_answer(table: Table) -> None:
    pid = table.start()
    answers = table.process.facts([pid, NOBODY, 0, -4, 2**40])
    assert list(answers) == [pid, NOBODY, 0, -4, 2**40]
    assert [type(answer) for answer in answers.values()] == [ProcessFacts, Gone, Gone, Gone, Gone]


def test_an_ended_process_is_gone_and_a_zombie_has_exited(table: Table) -> None:
    ended, zombie = table.start(), table.start()
    table.exit(ended)
    table.exit(zombie, reaped=False)
    assert isinstance(table.process.facts([ended])[ended], Gone)
    assert facts(table, zombie).exited


def test_two_processes_are_told_apart_by_when_they_started(table: Table) -> None:
    first, second = table.start(), table.start()
    assert facts(table, first).start_ticks <= facts(table, second).start_ticks


def test_children_are_found_below_their_parent(table: Table) -> None:
    pid, alone = table.start(children=2), table.start()
    children = table.process.children(pid)
    assert [child.ppid for child in children] == [pid, pid]
    assert {child.session for child in children} == {pid}
    assert table.process.children(alone) == ()


def test_what_a_process_runs_is_told_while_it_runs(table: Table) -> None:
    pid, zombie = table.start(), table.start()
    found = table.process.program(pid)
    assert found is not None
    assert found.argv
    assert found.cwd.startswith("/")
    table.exit(zombie, reaped=False)
    assert [table.process.program(one) for one in (zombie, NOBODY)] == [None, None]


def test_survivors_are_found_by_the_uid_they_bear(table: Table) -> None:
    pid = table.start(children=1, env={"HOUMAO_UID": UID})
    table.start(env={"HOUMAO_UID": UID + "f"})
    table.start(env={"X_HOUMAO_UID": UID})
    found = table.process.bearing([UID, OTHER_UID])
    assert list(found) == [UID, OTHER_UID]
    assert {one.pid for one in found[UID]} == {pid, *(child.pid for child in table.process.children(pid))}
    assert found[OTHER_UID] == ()


def test_a_zombie_bears_nothing(table: Table) -> None:
    pid = table.start(env={"HOUMAO_UID": UID})
    table.exit(pid, reaped=False)
    assert table.process.bearing([UID]) == {UID: ()}


def test_waiting_for_the_end_says_whether_it_came(table: Table) -> None:
    pid = table.start()
    ticks = facts(table, pid).start_ticks
    assert not table.process.wait_gone(pid, ticks, 0.05)
    table.exit(pid, reaped=False)
    assert table.process.wait_gone(pid, ticks, 10)


def test_waiting_for_a_process_whose_pid_is_another_ones_is_over(table: Table) -> None:
    pid = table.start()
    assert table.process.wait_gone(pid, facts(table, pid).start_ticks + 1, 10)
    assert table.process.wait_gone(NOBODY, 1, 10)


def test_ending_a_process_ends_it(table: Table) -> None:
    pid = table.start()
    assert table.process.end(pid, facts(table, pid).start_ticks, 10) is Ended.GONE
    assert table.process.bearing([UID]) == {UID: ()}


def test_who_ignores_hup_and_term_is_killed_with_its_whole_session(table: Table) -> None:
    pid = table.start(children=2, ignores="HUP TERM", env={"HOUMAO_UID": UID})
    assert len(table.process.bearing([UID])[UID]) == 3
    assert table.process.end(pid, facts(table, pid).start_ticks, 0.05) is Ended.GONE
    assert table.process.bearing([UID]) == {UID: ()}


def test_a_session_is_ended_though_its_leader_is_gone(table: Table) -> None:
    pid = table.start(children=2, ignores="HUP TERM", env={"HOUMAO_UID": UID})
    ticks = facts(table, pid).start_ticks
    table.exit(pid)
    assert len(table.process.bearing([UID])[UID]) == 2
    assert table.process.end(pid, ticks, 0.05) is Ended.GONE
    assert table.process.bearing([UID]) == {UID: ()}


def test_a_pid_that_another_process_has_now_is_left_alone(table: Table) -> None:
    pid = table.start()
    ticks = facts(table, pid).start_ticks
    assert table.process.end(pid, ticks + 1, 0.05) is Ended.OTHER
    assert facts(table, pid).start_ticks == ticks


def test_ending_one_that_has_ended_already_is_no_error(table: Table) -> None:
    pid = table.start()
    ticks = facts(table, pid).start_ticks
    table.exit(pid, reaped=False)
    assert table.process.end(pid, ticks, 0.05) is Ended.GONE
    assert table.process.end(NOBODY, 5, 0.05) is Ended.GONE


def test_the_first_process_of_all_is_never_ended(table: Table) -> None:
    assert table.process.end(1, 1, 0.05) is Ended.OTHER


def test_the_boot_has_one_name(table: Table) -> None:
    assert table.process.boot_id() == table.process.boot_id() != ""


def test_a_started_program_leads_a_session_of_its_own(table: Table, tmp_path: Path) -> None:
    argv = ("/bin/sh", "-c", "sleep 1000 & wait")
    seen = table.process.start(argv, cwd=str(tmp_path), env={"HOUMAO_UID": UID, "PATH": "/usr/bin:/bin"})
    try:
        assert seen.session == seen.pid
        assert facts(table, seen.pid).start_ticks == seen.start_ticks

        def bears() -> bool:
            found = table.process.bearing([UID])
            assert isinstance(found, Mapping)
            return seen.pid in {one.pid for one in found[UID]}

        until(bears, "it does not carry its uid")  # in the middle of an exec nobody can read what it carries
    finally:
        assert table.process.end(seen.pid, seen.start_ticks, 1.0) is Ended.GONE


def test_a_term_reaches_one_process_alone(table: Table) -> None:
    pid, other = table.start(children=1), table.start()
    (child,) = table.process.children(pid)
    seen = facts(table, child.pid)

    assert not table.process.terminate(child.pid, seen.start_ticks + 1)
    assert table.process.terminate(child.pid, seen.start_ticks)
    assert table.process.wait_gone(child.pid, seen.start_ticks, 30.0)

    assert not table.process.terminate(child.pid, seen.start_ticks)
    assert not facts(table, pid).exited
    assert not facts(table, other).exited
    assert not table.process.terminate(NOBODY, 1)
