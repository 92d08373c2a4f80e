"""Nothing is removed by accident: each guard refuses with 6, touches nothing, and names the flag that lifts it.

And what houmao did not start is never touched, whatever its name.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.bad_input.machine import Machine, Ran, machine, unchanged

SPECIALIST = "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: You write code.}\n"
ALICE = "kind: Instance\nmetadata: {name: alice}\nspec: {specialistRef: coder}\n"
BOB = ALICE.replace("alice", "bob")
REST = "kind: Instance\nmetadata: {name: rest}\nspec:\n  specialistRef: coder\n  state: Stopped\n"
GUARDED = REST + "  lifecycle: {preventDestroy: true}\n"
PRUNE = ("--prune", "--yes")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "place") as found:
        yield found


def role(name: str, labels: str = "") -> str:
    return f"kind: Role\nmetadata: {{name: {name}, labels: {{{labels}}}}}\nspec: {{prompt: I am {name}.}}\n"


def roles(count: int) -> list[str]:
    return [role(f"r{number}") for number in range(count)]


def apply(place: Machine, *words: str, folder: str = "fleet") -> Ran:
    return place.run("apply", "-f", folder, *words)


def given(place: Machine, *documents: str) -> None:
    place.declare("fleet/fleet.yaml", *documents)
    apply(place).succeeds()


def now(place: Machine, *documents: str) -> None:
    place.declare("fleet/fleet.yaml", *documents)


def refused(place: Machine, code: str, *said: str, words: tuple[str, ...] = PRUNE, folder: str = "fleet") -> None:
    """Plan, apply and their JSON all say the same, with 6, and the world stays as it is."""
    planning = tuple(word for word in words if word != "--yes")
    with unchanged(place):
        apply(place, *words, folder=folder).refuses(6, f"error[{code}]", "\n  hint: ", *said)
        place.run("plan", "-f", folder, *planning).refuses(6, f"error[{code}]", *said)
        error = apply(place, *words, "-o", "json", folder=folder).error
    assert error["code"] == code
    assert all(word in f"{error['message']} {error['hint']}" for word in said)


def names(place: Machine, kind: str) -> set[str]:
    """Names of that kind in the catalog."""
    return {line.rpartition("/")[2] for line in place.run("get", kind, "-o", "name").succeeds().out.split()}


def test_without_prune_what_left_is_only_told(place: Machine) -> None:
    given(place, *roles(5))
    now(place, *roles(1))
    with unchanged(place):
        ran = apply(place).succeeds()
        place.run("plan", "-f", "fleet", "--detailed-exitcode").succeeds()
    assert ran.out.count("Orphaned") == 4
    assert "--prune removes it" in ran.out


def test_an_emptied_directory(place: Machine) -> None:
    given(place, *roles(5))
    now(place)
    refused(place, "guard.empty", "--allow-empty")
    refused(place, "guard.empty", "--allow-empty", words=())
    refused(place, "guard.prune_limit", "5 of 5", "--prune-limit=5", words=(*PRUNE, "--allow-empty"))
    refused(place, "guard.prune_limit", "--prune-limit=5", words=(*PRUNE, "--allow-empty", "--prune-limit=4"))
    apply(place, *PRUNE, "--allow-empty", "--prune-limit=5").succeeds()
    assert names(place, "roles") == set()


def test_allowing_an_empty_source_removes_nothing_by_itself(place: Machine) -> None:
    given(place, *roles(2))
    now(place)
    with unchanged(place):
        assert "Orphaned" in apply(place, "--allow-empty").succeeds().out


def test_a_kind_that_vanished(place: Machine) -> None:
    given(place, *roles(12), SPECIALIST, SPECIALIST.replace("coder", "writer"))
    now(place, *roles(12))
    refused(place, "guard.kind_vanished", "every Specialist", "--allow-kind-removal=Specialist")
    refused(
        place, "guard.kind_vanished", "--allow-kind-removal=Specialist", words=(*PRUNE, "--allow-kind-removal=Role")
    )
    apply(place, *PRUNE, "--allow-kind-removal=Specialist").succeeds()
    assert len(names(place, "roles")) == 12
    assert names(place, "specialists") == set()


@pytest.mark.parametrize(("before", "free"), [(5, 3), (10, 3), (20, 4), (30, 6)])
def test_more_than_a_fifth_and_more_than_three(before: int, free: int, place: Machine) -> None:
    given(place, *roles(before))
    now(place, *roles(before - free - 1))
    lift = f"--prune-limit={free + 1}"
    refused(place, "guard.prune_limit", f"{free + 1} of {before}", lift)
    refused(place, "guard.prune_limit", lift, words=(*PRUNE, f"--prune-limit={free}"))
    now(place, *roles(before - free))
    apply(place, *PRUNE).succeeds()
    assert len(names(place, "roles")) == before - free


def test_the_limit_is_a_number_and_a_later_larger_plan_is_refused_again(place: Machine) -> None:
    given(place, *roles(12))
    now(place, *roles(7))
    apply(place, *PRUNE, "--prune-limit=5").succeeds()
    now(place, *roles(1))
    refused(place, "guard.prune_limit", "--prune-limit=6", words=(*PRUNE, "--prune-limit=5"))


def test_what_a_specialist_derives_is_not_counted(place: Machine) -> None:
    """Three specialists are three, not nine (R-OWN-8a)."""
    given(place, *(SPECIALIST.replace("coder", f"s{number}") for number in range(4)))
    now(place, SPECIALIST.replace("coder", "s0"))
    apply(place, *PRUNE).succeeds()
    assert len(names(place, "specialists")) == 1


def test_another_source_root(place: Machine) -> None:
    given(place, *roles(3))
    place.declare("elsewhere/fleet.yaml", *roles(2))
    refused(place, "guard.source_root", "another source root", "--allow-source-change", folder="elsewhere")
    with unchanged(place):
        assert "Orphaned" in place.run("plan", "-f", "elsewhere").succeeds().out
    apply(place, *PRUNE, "--allow-source-change", folder="elsewhere").succeeds()
    assert len(names(place, "roles")) == 2


def test_another_apply_sets_resource_is_neither_taken_nor_pruned(place: Machine) -> None:
    given(place, *roles(2))
    place.declare("theirs/fleet.yaml", role("r0"), role("t0"))
    refused(
        place, "ownership.conflict", "Role/r0", "'default'", words=("--applyset", "theirs", *PRUNE), folder="theirs"
    )
    place.declare("theirs/fleet.yaml", role("t0"), role("t1"))
    apply(place, "--applyset", "theirs", folder="theirs").succeeds()
    place.declare("theirs/fleet.yaml", role("t0"))
    apply(place, "--applyset", "theirs", *PRUNE, folder="theirs").succeeds()
    assert names(place, "roles") == {"r0", "r1", "t0"}


def test_a_set_that_is_not_the_projects(place: Machine) -> None:
    project = "kind: Project\nmetadata: {name: mine}\nspec: {}\n"
    given(place, project, *roles(3))
    now(place, project, *roles(2))
    apply(place, "--applyset", "other").refuses(6, "error[ownership.conflict]")
    words = ("--applyset", "other")
    place.declare("other/fleet.yaml", role("x0"), role("x1"), role("x2"))
    apply(place, *words, folder="other").succeeds()
    place.declare("other/fleet.yaml", "kind: Project\nmetadata: {name: third}\nspec: {}\n", role("x0"), role("x1"))
    refused(place, "guard.set_name", "'third'", "--allow-set-mismatch", words=(*words, *PRUNE), folder="other")
    apply(place, *words, *PRUNE, "--allow-set-mismatch", folder="other").succeeds()
    assert names(place, "roles") == {"r0", "r1", "r2", "x0", "x1"}


def test_a_selector_that_leaves_candidates_out(place: Machine) -> None:
    given(place, role("a", "team: core"), role("b", "team: core"), role("c", "team: side"), role("d"))
    now(place, role("a", "team: core"))
    words = ("-l", "team=core", *PRUNE)
    refused(place, "guard.selector", "Role/c", "Role/d", "--allow-prune-outside-selector", words=words)
    now(place, role("a", "team: core"), role("c", "team: side"), role("d"))
    apply(place, *words).succeeds()
    assert names(place, "roles") == {"a", "c", "d"}
    now(place, role("a", "team: core"))
    apply(place, *words, "--allow-prune-outside-selector").succeeds()
    assert names(place, "roles") == {"a"}


@pytest.mark.tmux
def test_prevent_destroy_outlives_its_text(place: Machine) -> None:
    given(place, SPECIALIST, GUARDED)
    now(place, SPECIALIST)
    refused(place, "guard.prevent_destroy", "Instance/rest", "preventDestroy: false", "--force-destroy Instance/rest")
    refused(
        place,
        "guard.prevent_destroy",
        "Instance/rest",
        words=(*PRUNE, "--prune-limit=99", "--allow-kind-removal=Instance"),
    )
    with unchanged(place):
        place.run("delete", "instance/rest", "--yes").refuses(
            6, "error[guard.prevent_destroy]", "--force-destroy Instance/rest"
        )
        place.run("delete", "specialist/coder", "--cascade", "--yes").refuses(6, "error[guard.prevent_destroy]")
    place.run("delete", "instance/rest", "--yes", "--force-destroy", "instance/rest").succeeds()
    assert names(place, "instances") == set()


@pytest.mark.tmux
def test_prevent_destroy_is_lifted_by_an_apply_that_still_has_it(place: Machine) -> None:
    given(place, SPECIALIST, GUARDED)
    now(place, SPECIALIST, REST)
    apply(place).succeeds()
    now(place, SPECIALIST)
    apply(place, *PRUNE, "--allow-kind-removal=Instance").succeeds()
    assert names(place, "instances") == set()


@pytest.mark.tmux
def test_what_runs_is_not_removed_without_consent(place: Machine) -> None:
    given(place, SPECIALIST, ALICE, BOB)
    now(place, SPECIALIST, ALICE)
    with unchanged(place):
        apply(place, "--prune").refuses(6, "error[guard.not_confirmed]", "--yes")
        place.run("delete", "instance/bob", "--override").refuses(6, "error[guard.not_confirmed]", "--yes")
    (alice,) = (line for line in place.sessions() if "HOUMAO-alice-" in line)
    apply(place, *PRUNE).succeeds()
    assert place.sessions() == [alice]


@pytest.mark.tmux
def test_what_is_used_is_not_deleted_from_under_its_users(place: Machine) -> None:
    given(place, SPECIALIST, ALICE)
    with unchanged(place):
        ran = place.run("delete", "specialist/coder", "--yes")
    ran.refuses(6, "error[guard.dependents]", "Instance/alice", "--cascade", "--cascade=orphan")
    place.run("delete", "specialist/coder", "--yes", "--cascade").refuses(6, "error[guard.declared]", "--override")
    place.run("delete", "specialist/coder", "--yes", "--cascade", "--override").succeeds()
    assert place.sessions() == []


def test_a_broken_source_prunes_nothing(place: Machine) -> None:
    given(place, *roles(3))
    place.declare("fleet/fleet.yaml", role("r0"))
    place.declare("fleet/broken.yaml", role("r1").replace("prompt", "promt"))
    with unchanged(place):
        apply(place, *PRUNE).refuses(1, "error[declare.schema.unknown_field]")


def test_a_role_that_says_what_a_derived_one_says(place: Machine) -> None:
    """Two rows of one content are two rows: the specialist goes whole, the role stays."""
    given(place, SPECIALIST, "kind: Role\nmetadata: {name: other}\nspec: {prompt: You write code.}\n")
    ran = place.run("delete", "specialist/coder", "--yes", "--override").succeeds()
    assert "Role/coder" not in ran.out
    assert names(place, "roles") == {"other"}


# What is not ours


def foreigners(place: Machine, *sessions: str) -> list[str]:
    """Sessions made by hand; each holds a process that would be missed."""
    for name in sessions:
        place.ask_tmux("new-session", "-d", "-s", name, "sleep 1000")
    return place.ask_tmux("list-panes", "-a", "-F", "#{session_name} #{session_id} #{pane_pid}")


def still(place: Machine, before: list[str]) -> None:
    panes = place.ask_tmux("list-panes", "-a", "-F", "#{session_name} #{session_id} #{pane_pid}")
    assert set(before) <= set(panes)


@pytest.mark.tmux
def test_sessions_with_our_names_are_not_ours(place: Machine) -> None:
    before = foreigners(place, "HOUMAO-alice-123", "HOUMAO-alice", "houmao-coder", "alice", "HOUMAO-gone-1795231752723")
    given(place, SPECIALIST, ALICE, BOB)
    still(place, before)
    now(place, SPECIALIST.replace("write code", "write worse code"), ALICE, BOB)
    apply(place, "--yes").succeeds()
    still(place, before)
    now(place, SPECIALIST, ALICE)
    apply(place, *PRUNE).succeeds()
    still(place, before)
    place.run("delete", "-f", "fleet", "--cascade", "--yes").succeeds()
    still(place, before)
    assert len(place.sessions()) == len(before)


@pytest.mark.tmux
def test_a_session_of_another_overlay_is_not_ours(place: Machine, tmp_path: Path) -> None:
    given(place, SPECIALIST, ALICE)
    before = place.ask_tmux("list-panes", "-a", "-F", "#{session_name} #{session_id} #{pane_pid}")
    other = place.top / "other"
    other.mkdir()
    text = (place.project / "fleet" / "fleet.yaml").read_text()
    (other / "fleet.yaml").write_text(text)
    place.run("apply", "-f", "fleet.yaml", cwd=other).succeeds()
    still(place, before)
    place.run("delete", "-f", "fleet.yaml", "--cascade", "--yes", cwd=other).succeeds()
    still(place, before)
    assert len(place.sessions()) == 1


@pytest.mark.tmux
def test_a_declared_session_name_that_is_taken_blocks_with_a_remedy(place: Machine) -> None:
    before = foreigners(place, "desk")
    now(place, SPECIALIST, ALICE.replace("coder}", "coder, sessionName: desk}"))
    planned = place.run("plan", "-f", "fleet").succeeds()
    ran = apply(place)
    assert ran.code == 1
    for text in (planned.out, ran.out):
        assert "blocked(create) Instance/alice" in text
        assert "desk" in text
    assert "tmux" in ran.out
    assert any(word in ran.out for word in ("rename", "another sessionName", "kill-session")), ran.out
    still(place, before)
    assert len(place.sessions()) == 1
    place.ask_tmux("rename-session", "-t", "desk", "chair")
    apply(place).succeeds()
    assert len(place.sessions()) == 2
