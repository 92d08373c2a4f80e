"""What the fake adds: ways to be unlucky that no kernel shows on demand."""

from reconciler.model.ref import Uid
from reconciler.ports.process import Ended, NoAnswer, ProcessFacts
from reconciler.testing.process import Behaviour, FakeProcess

UID = Uid("a" * 32)


def test_a_process_in_the_kernel_survives_everything() -> None:
    process = FakeProcess()
    pid = process.spawn(("agent",), behaviour=Behaviour(survive=True))
    found = process.facts([pid])[pid]
    assert isinstance(found, ProcessFacts)
    assert process.end(pid, found.start_ticks, 7) is Ended.SURVIVES
    assert process.signals == [(pid, "TERM"), (pid, "KILL")]
    assert process.clock.slept == [7]


def test_silence_is_no_absence() -> None:
    process = FakeProcess()
    pid = process.spawn(("agent",), {"HOUMAO_UID": UID})
    process.silent = "the table is locked"
    assert process.facts([pid]) == {pid: NoAnswer("the table is locked")}
    assert process.bearing([UID]) == NoAnswer("the table is locked")
    assert process.end(pid, 1, 1) is Ended.SURVIVES
    assert process.alive(pid)


def test_a_closed_terminal_ends_who_does_not_ignore_it() -> None:
    process = FakeProcess()
    tame, stubborn = process.spawn(("a",)), process.spawn(("b",), behaviour=Behaviour(ignore_hup=True))
    child = process.spawn(("c",), parent=tame, behaviour=Behaviour(ignore_hup=True))
    process.hangup(tame)
    process.hangup(stubborn)
    assert [process.alive(pid) for pid in (tame, child, stubborn)] == [False, True, True]


def test_a_reboot_ends_all_and_renames_the_boot() -> None:
    process = FakeProcess()
    pid, before = process.spawn(("a",)), process.boot_id()
    process.reboot()
    assert process.boot_id() != before
    assert not process.alive(pid)


def test_a_pid_can_be_given_out_again() -> None:
    process = FakeProcess()
    pid = process.spawn(("a",))
    first = process.facts([pid])[pid]
    process.exit(pid)
    process.spawn(("b",), pid=pid)
    assert isinstance(first, ProcessFacts)
    assert process.end(pid, first.start_ticks, 1) is Ended.OTHER
    assert process.started(pid).argv == ("b",)
