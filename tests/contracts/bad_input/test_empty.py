"""Nothing declared, nothing there, nothing readable: three different answers, and none of them means "delete all"."""

import shutil

import pytest

from tests.contracts.bad_input.case import INSTANCE, SPECIALIST
from tests.contracts.bad_input.machine import Machine, unchanged


def empty(machine: Machine) -> None:
    for path in (machine.project / "applied").iterdir():
        path.unlink()


@pytest.mark.parametrize("verb", ["apply", "plan"])
def test_an_empty_directory_is_an_error_where_nothing_was_applied(verb: str, fresh: Machine) -> None:
    (fresh.project / "fleet").mkdir()
    with unchanged(fresh):
        fresh.run(verb, "-f", "fleet").refuses(1, "error[declare.no_documents]", "R-LOAD-10", "\n  hint: ")


@pytest.mark.tmux
@pytest.mark.parametrize("words", [(), ("--prune",), ("--prune", "--prune-limit=99"), ("-o", "json")], ids=" ".join)
def test_an_emptied_directory_is_a_guard_where_its_set_holds_something(
    words: tuple[str, ...], peopled: Machine
) -> None:
    kept = (peopled.project / "applied" / "applied.yaml").read_bytes()
    empty(peopled)
    try:
        for verb in ("apply", "plan"):
            with unchanged(peopled):
                ran = peopled.run(verb, "-f", "applied", *words)
            ran.refuses(6, "error[guard.empty]", "apply set 'default' still holds", "--allow-empty")
            if words[:1] == ("-o",):
                assert ran.error["code"] == "guard.empty"
    finally:
        peopled.write("applied/applied.yaml", kept)


@pytest.mark.tmux
def test_the_guard_counts_what_a_person_declared(peopled: Machine) -> None:
    """A specialist and an agent are two, whatever rows they derive (R-OWN-8a)."""
    kept = (peopled.project / "applied" / "applied.yaml").read_bytes()
    empty(peopled)
    try:
        peopled.run("plan", "-f", "applied").refuses(6, "still holds 2 resources")
    finally:
        peopled.write("applied/applied.yaml", kept)


@pytest.mark.tmux
def test_an_empty_directory_nobody_ever_applied_is_no_guard_of_another_ones_set(peopled: Machine) -> None:
    """R-LOAD-10: the set is the one named, else the one whose inventory records this root. It records no such root."""
    (peopled.project / "fleet").mkdir()
    try:
        with unchanged(peopled):
            peopled.run("apply", "-f", "fleet").refuses(1, "error[declare.no_documents]")
    finally:
        (peopled.project / "fleet").rmdir()


@pytest.mark.tmux
def test_a_directory_that_vanished_is_never_taken_for_an_empty_one(peopled: Machine) -> None:
    aside = peopled.top / "aside"
    shutil.move(peopled.project / "applied", aside)
    try:
        for words in ((), ("--prune", "--prune-limit=99", "--allow-empty")):
            with unchanged(peopled):
                peopled.run("apply", "-f", "applied", *words).refuses(1, "error[declare.root.missing]")
    finally:
        shutil.move(aside, peopled.project / "applied")


def test_a_file_one_may_not_read_is_unreadable(fresh: Machine) -> None:
    fresh.declare("fleet.yaml", SPECIALIST).chmod(0)
    fresh.write("role.md", "You write code.\n").chmod(0)
    fresh.declare("open.yaml", SPECIALIST.replace("prompt: You write code.", "promptFile: role.md"))
    (fresh.project / "fleet").mkdir(mode=0)
    with unchanged(fresh):
        file = fresh.run("apply", "-f", "fleet.yaml", bound=True)
        directory = fresh.run("apply", "-f", "fleet", bound=True)
        prompt = fresh.run("apply", "-f", "open.yaml", bound=True)
    file.refuses(1, "fleet.yaml:1:1: error[declare.root.unreadable]", "R-LOAD-10", "check its permissions")
    directory.refuses(1, "fleet:1:1: error[declare.root.unreadable]", "R-LOAD-10", "check its permissions")
    prompt.refuses(1, "open.yaml:4:36: error[declare.content.unreadable]", "R-LOAD-8", "role.md")


def test_a_broken_file_of_many_keeps_all_from_being_applied(fresh: Machine) -> None:
    fresh.declare("fleet/good.yaml", SPECIALIST, INSTANCE)
    (fresh.project / "fleet" / "pipe.yaml").symlink_to("nowhere.yaml")
    with unchanged(fresh):
        fresh.run("apply", "-f", "fleet").refuses(1, "fleet/pipe.yaml")
