"""The whole way: a vendor agent declared in YAML, applied, asked, edited and deleted through the command alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import WaitUntil
from tests.loopback.install import bin_dir, cache_prefix, lacking
from tests.loopback.server import LoopbackServer
from tests.providers.real.fleet import KEY, LEAVE_S, START_S, VENDORS, Fleet, ask
from tests.providers.real.recipes import RECIPES

NOBODY = "http://127.0.0.1:9"
EVERY = pytest.mark.parametrize("name", sorted(VENDORS))


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the pinned executables; nothing is downloaded here."""
    reason = lacking(cache_prefix())
    if reason is not None:
        pytest.skip(reason)
    return bin_dir(cache_prefix())


@pytest.mark.providers
@pytest.mark.tmux
@pytest.mark.timeout(600)
@EVERY
def test_a_declared_agent_comes_up_hears_its_role_goes_on_after_an_edit_and_leaves_nothing(
    name: str, tmp_path: Path, programs: Path, loopback: LoopbackServer, wait_until: WaitUntil
) -> None:
    with Fleet(VENDORS[name], tmp_path, loopback.url, programs) as fleet:
        fleet.declare("You review. role-mark:alpha-7")
        applied = fleet.apply()
        assert applied.returncode == 0, applied.stdout + applied.stderr
        before = fleet.instance()
        assert ready(before) == ("True", "PromptSeen")
        assert quiet(fleet)

        terminal = fleet.terminal()
        terminal.wait_still(START_S)
        screen = terminal.screen()
        assert not [text for text in RECIPES[name].dialogs if text in screen], screen
        assert not [word for word in ("warning", "error", "deprecated", "update") if word in screen.lower()], screen
        assert KEY not in fleet.tmux("show-environment", "-g") + fleet.tmux("show-environment")

        first = ask(terminal, loopback, "role")
        terminal.wait_screen(r"role: alpha-7", START_S)
        assert any("You review. role-mark:alpha-7" in text for text in first["role"])
        wait_until(lambda: ready(fleet.instance())[0] == "True", within_s=START_S)
        assert quiet(fleet), "a turn changed something that is compared"

        fleet.declare("You review with care. role-mark:beta-8")
        assert [(verb, ref) for verb, ref, _ in fleet.planned()] == [
            ("update", "Specialist/reviewer"),
            ("relaunch", "Instance/alice"),
        ]
        old = terminal.group()
        applied = fleet.apply()
        assert applied.returncode == 0, applied.stdout + applied.stderr
        after = fleet.instance()
        assert ready(after) == ("True", "PromptSeen")
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert after["status"]["pid"] != before["status"]["pid"]
        assert terminal.group() == [], f"of {old}, the agent before the edit"

        terminal = fleet.terminal()
        second = ask(terminal, loopback, "echo go on")
        assert second["earlier"] == ["role"], "the conversation was not gone on with"
        assert any("You review with care. role-mark:beta-8" in text for text in second["role"])
        assert set(loopback.outside()) <= set(RECIPES[name].fetches)

        assert terminal.group()
        deleted = fleet.houmao("delete", "-f", fleet.source.name, "--yes")
        assert deleted.returncode == 0, deleted.stdout + deleted.stderr
        assert terminal.group() == []
        assert fleet.tmux("list-sessions") == ""
        # The tmux server itself, and helpers it was the parent of, go a moment after its last session.
        wait_until(lambda: fleet.processes() == [], within_s=LEAVE_S, what="no process of the project")
        assert "instance" not in fleet.houmao("get", "instances", "-o", "name").stdout.lower()


@pytest.mark.tmux
@EVERY
def test_a_program_that_is_not_installed_holds_the_start_back(name: str, tmp_path: Path) -> None:
    with Fleet(VENDORS[name], tmp_path, NOBODY, None) as fleet:
        fleet.declare("You review.")
        assert held_back(fleet) == {"Instance/alice": "BinaryMissing"}
        applied = fleet.apply()
        assert applied.returncode == 1, applied.stdout + applied.stderr
        assert f"{name!r}, which is not on PATH" in " ".join(applied.stdout.split())
        assert fleet.tmux("list-sessions") == ""


@pytest.mark.tmux
@EVERY
def test_a_variable_that_is_not_set_holds_the_start_back(name: str, tmp_path: Path) -> None:
    pretended = tmp_path / "programs"
    pretended.mkdir()
    program = pretended / name
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o700)
    with Fleet(VENDORS[name], tmp_path / "fleet", NOBODY, pretended) as fleet:
        fleet.declare("You review.")
        del fleet.environment["MADE_UP_KEY"]
        assert held_back(fleet) == {"Instance/alice": "CredentialMissing"}
        applied = fleet.apply()
        assert applied.returncode == 1, applied.stdout + applied.stderr
        assert "MADE_UP_KEY is not set" in " ".join(applied.stdout.split())
        assert fleet.tmux("list-sessions") == ""


def held_back(fleet: Fleet) -> dict[str, str]:
    """What a plan blocks -> the first reason it gives."""
    return {ref: codes[0] for verb, ref, codes in fleet.planned() if verb == "blocked"}


def ready(instance: dict[str, object]) -> tuple[str, str]:
    """(status, reason) of the condition Ready."""
    status = instance["status"]
    assert isinstance(status, dict)
    (condition,) = [found for found in status["conditions"] if found["type"] == "Ready"]
    return condition["status"], condition["reason"]


def quiet(fleet: Fleet) -> bool:
    """Whether another apply has nothing to do, and a plan in full agrees with it."""
    again = fleet.houmao("apply", "-f", fleet.source.name)
    full = fleet.houmao("plan", "-f", fleet.source.name, "--detailed-exitcode")
    return again.returncode == 0 and again.stdout.startswith("No changes.") and full.returncode == 0
