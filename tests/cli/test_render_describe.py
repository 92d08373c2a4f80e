"""A description as text."""

from io import StringIO

import pytest

from reconciler.app.describe import Description, Link, describe
from reconciler.cli import render_describe
from reconciler.cli.screen import Screen
from reconciler.model.ref import Ref
from reconciler.ports.catalog import Attempt
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world
from tests.cli.conftest import TEAM

__all__ = ["fake_world"]


def test_a_failed_try_is_shown_with_how_often_and_when_next(fake_world: FakeWorld) -> None:
    fake_world.given(TEAM.removeprefix("apiVersion: houmao/v1alpha1\n"))
    fake_world.when_applied()
    found = describe(fake_world.flags, ("instance/alice",))
    assert found.item.uid is not None
    attempt = Attempt(found.item.uid, "transient", 3, "2026-01-02T03:04:05.678+00:00", "d", "tmux.silent", "no answer")
    found = found._replace(
        item=found.item._replace(attempt=attempt), chain=(Link(found.item.ref, "the last try failed"),)
    )
    out = StringIO()

    render_describe.show(found, Screen(out))

    assert "  last error: [transient] tmux.silent: no answer\n" in out.getvalue()
    assert "  tried 3 times; not before 2026-01-02T03:04:05Z again\n" in out.getvalue()


def shown(world: FakeWorld, name: str, *, full: bool = False) -> str:
    out = StringIO()
    render_describe.show(describe(world.flags, (name,)), Screen(out), full=full)
    return out.getvalue()


def test_what_a_provider_brings_along_holds_nobody_back(fake_world: FakeWorld) -> None:
    fake_world.given(TEAM.removeprefix("apiVersion: houmao/v1alpha1\n"))
    fake_world.when_applied()
    fake_world.kill_session_of("alice")
    text = shown(fake_world, "instance/alice") + shown(fake_world, "specialist/coder", full=True)
    assert "Setup/default" not in text
    assert text.startswith("Instance/alice  InProgress  stale (SessionMissing)\n\nWhy it is not converged\n")


def test_conditions_that_are_as_they_should_be_are_counted_and_full_shows_them(fake_world: FakeWorld) -> None:
    fake_world.given(
        TEAM.removeprefix("apiVersion: houmao/v1alpha1\n").replace("Ref: coder", "Ref: coder, state: Stopped")
    )
    fake_world.when_applied()
    short, full = (shown(fake_world, "instance/alice", full=full) for full in (False, True))
    assert "Ready" in short
    assert "Accepted" not in short
    assert "7 more are as they should be; --full shows them" in short
    assert full.count("True") + full.count("False") >= 9
    assert "more are" not in full


ROOM = 23
"""Lines of a small terminal above the prompt."""


def in_a_terminal(found: Description, height: int = 24, *, full: bool = False) -> list[str]:
    out = StringIO()
    render_describe.show(found, Screen(out, terminal=True, width=80, height=height), full=full)
    assert max(map(len, out.getvalue().split("\n"))) <= 80
    return out.getvalue().splitlines()


@pytest.mark.parametrize("broken", ["process", "session", "server", "gone", "reboot", "silent"])
def test_what_is_broken_fits_a_small_terminal_and_begins_with_why(fake_world: FakeWorld, broken: str) -> None:
    fake_world.given(TEAM.removeprefix("apiVersion: houmao/v1alpha1\n"))
    fake_world.when_applied()
    fake_world.pane_of("alice").text = "\n".join(f"line {number}" for number in range(40)) + "\necho> "
    match broken:
        case "process":
            fake_world.kill_process_of("alice")
        case "session":
            fake_world.kill_session_of("alice")
        case "server":
            fake_world.kill_server()
        case "gone":
            (fake_world.home_of("alice") / "launch.sh").unlink()
            fake_world.kill_process_of("alice")
        case "reboot":
            fake_world.reboot()
        case _:
            fake_world.tmux.unanswered = "tmux did not answer within 5 s"
    found = describe(fake_world.flags, ("instance/alice",))
    short, tall, full = in_a_terminal(found), in_a_terminal(found, 50), in_a_terminal(found, full=True)

    assert len(short) <= ROOM
    assert len(tall) < 50
    assert short[0].startswith("Instance/alice  ")
    assert short[2] == "Why it is not converged"
    assert short[-1].startswith("--full shows the rest")
    if broken in ("process", "gone"):
        assert short[-2] == "  | echo>"
        assert "  | line 39" in short
        assert "  | line 25" in tall
    assert "Declared" in full
    assert len(full) > len(short)


def test_however_much_is_wrong_it_fits(fake_world: FakeWorld) -> None:
    fake_world.given(TEAM.removeprefix("apiVersion: houmao/v1alpha1\n"))
    fake_world.when_applied()
    found = describe(fake_world.flags, ("instance/alice",))
    assert found.item.uid is not None
    many = tuple((Ref("Skill", f"skill-{number:03}"), "Failed") for number in range(500))
    attempt = Attempt(
        found.item.uid, "transient", 3, "2026-01-02T03:04:05+00:00", "d", "tmux.silent", "no answer " * 99
    )
    found = found._replace(
        item=found.item._replace(attempt=attempt),
        chain=tuple(Link(ref, "it is not there " * 20) for ref, _ in many),
        needs=many,
        users=many,
        parts=tuple((name, "absent " * 40) for name in ("session", "process", "record", "home", "gateway")),
        strange=("session", "process", "record", "home", "gateway"),
        screen=tuple("x" * 2000 for _ in range(20)),
    )

    shown = in_a_terminal(found)
    assert len(shown) <= ROOM
    assert sum(line.startswith("  | x") for line in shown) == 3
    assert "skill-499" not in "\n".join(shown)
    well = in_a_terminal(found._replace(chain=(), strange=(), screen=()))
    assert "and 494 more" in " ".join("\n".join(well).split())
    assert "skill-499" in "\n".join(in_a_terminal(found, full=True))


def test_a_long_declaration_and_its_contents_are_shortened(fake_world: FakeWorld) -> None:
    env = ", ".join(f'V{number}: "{number}"' for number in range(20))
    fake_world.given(
        f"kind: Specialist\nmetadata: {{name: coder}}\nspec: {{provider: echo, prompt: Hi., env: {{{env}}}}}\n"
    )
    fake_world.when_applied()
    short, full = (shown(fake_world, "specialist/coder", full=full) for full in (False, True))
    assert "more lines; --full shows them" in short
    assert "V19" not in short
    assert "V19" in full
    assert "Declared at:    fleet.yaml" not in short
    assert "source/fleet.yaml:" in short
    assert str(fake_world.root) not in short
    assert str(fake_world.root) in full
