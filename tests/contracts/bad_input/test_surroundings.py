"""The declaration is right and the machine is not: programs, credentials, overlay, catalog and disk that do not play.

Each says what is, what to do, and with which exit code; agents that run are left alone.
"""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts.bad_input.case import INSTANCE, SPECIALIST
from tests.contracts.bad_input.machine import Machine, unchanged

AUTH = "kind: AuthProfile\nmetadata: {name: work}\nspec:\n  provider: echo\n  source:\n    env:\n"
KEYED = SPECIALIST.replace("echo,", "echo, authRef: work,")
WORSE = SPECIALIST.replace("write code", "write worse code")
READERS = (
    ("plan", "-f", "fleet.yaml"),
    ("get", "all"),
    ("describe", "instance/alice"),
    ("export",),
    ("lock", "status"),
)
WRITERS = (("apply", "-f", "fleet.yaml"), ("delete", "instance/alice", "--yes", "--override"))


@pytest.fixture
def applied(fresh: Machine) -> Machine:
    """An agent runs, and the declaration was edited since: there is something to do."""
    fresh.declare("fleet.yaml", SPECIALIST, INSTANCE)
    fresh.run("apply", "-f", "fleet.yaml", "--wait").succeeds()
    fresh.declare("fleet.yaml", WORSE, INSTANCE)
    return fresh


# Programs and credentials


def bare(machine: Machine) -> dict[str, str]:
    """A PATH with tmux and no provider's program."""
    folder = machine.top / "bin"
    folder.mkdir()
    for name in ("tmux", "sh", "env"):
        (folder / name).symlink_to(shutil.which(name) or "/bin/false")
    return {"PATH": str(folder)}


@pytest.mark.tmux
@pytest.mark.parametrize("provider", ["codex", "claude", "gemini"])
def test_a_missing_provider_program_blocks_the_start_and_nothing_else(provider: str, fresh: Machine) -> None:
    fresh.declare("fleet.yaml", SPECIALIST.replace("echo", provider), INSTANCE)
    path = bare(fresh)
    with unchanged(fresh):
        planned = fresh.run("plan", "-f", "fleet.yaml", environment=path).succeeds()
    ran = fresh.run("apply", "-f", "fleet.yaml", environment=path)
    assert ran.code == 1
    for text in (planned.out, ran.out):
        assert "blocked(create) Instance/alice" in text
        assert (
            f"BinaryMissing: Specialist/coder needs the program {provider!r}, which is not on PATH; install it" in text
        )
    assert fresh.sessions() == []
    assert not list(fresh.registry.rglob("*.json"))
    assert "1 blocked" in fresh.run("plan", "-f", "fleet.yaml", environment=path).out


def keyed(machine: Machine, source: str) -> None:
    """One agent whose credential comes from there."""
    machine.declare("fleet.yaml", AUTH + f"      ECHO_API_KEY: {source}\n", KEYED, INSTANCE)


@pytest.mark.tmux
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{env: NOT_SET_ANYWHERE}", "the variable NOT_SET_ANYWHERE is not set"),
        ("{file: ~/nowhere}", "/home/nowhere is not there"),
        ("{file: secrets/nowhere}", "/project/secrets/nowhere is not there"),
    ],
)
def test_a_missing_credential_blocks_the_start_and_nothing_else(text: str, said: str, fresh: Machine) -> None:
    keyed(fresh, text)
    with unchanged(fresh):
        planned = fresh.run("plan", "-f", "fleet.yaml").succeeds()
    ran = fresh.run("apply", "-f", "fleet.yaml")
    assert ran.code == 1
    for shown in (planned.out, ran.out):
        assert "blocked(create) Instance/alice" in shown
        assert "CredentialMissing: " in shown
        assert said in shown
    assert fresh.sessions() == []


@pytest.mark.tmux
def test_what_blocks_a_start_has_a_place_and_a_remedy(fresh: Machine) -> None:
    keyed(fresh, "{env: NOT_SET_ANYWHERE}")
    plan = json.loads(fresh.run("plan", "-f", "fleet.yaml", "-o", "json").succeeds().out)
    (blocked,) = (action for action in plan["actions"] if action["verb"] == "blocked")
    (why,) = (reason for reason in blocked["reasons"] if reason["code"] == "CredentialMissing")
    assert "AuthProfile/work" in why["text"]
    assert why["positions"]


@pytest.mark.tmux
@pytest.mark.parametrize("command", ["['false']", "[no-such-program-anywhere]"])
def test_a_credential_command_that_fails_is_told_once_and_starts_nothing(command: str, fresh: Machine) -> None:
    keyed(fresh, f"{{exec: {command}}}")
    fresh.run("plan", "-f", "fleet.yaml").succeeds()
    ran = fresh.run("apply", "-f", "fleet.yaml")
    assert ran.code == 1
    assert "error[build.auth_missing]" in ran.text
    assert "AuthProfile/work" in ran.text
    assert "hint: " in ran.text
    assert fresh.sessions() == []
    assert not list(fresh.registry.rglob("*.json"))


@pytest.mark.tmux
def test_a_credential_that_went_away_is_no_reason_to_stop_an_agent(fresh: Machine) -> None:
    fresh.write("key", "made-up-key-0001")
    keyed(fresh, "{file: key}")
    fresh.run("apply", "-f", "fleet.yaml").succeeds()
    (fresh.project / "key").unlink()
    with unchanged(fresh):
        fresh.run("plan", "-f", "fleet.yaml", "--detailed-exitcode").succeeds()
        fresh.run("apply", "-f", "fleet.yaml").succeeds()


@pytest.mark.tmux
def test_a_credential_that_cannot_be_got_ends_no_agent_that_has_one(fresh: Machine) -> None:
    """It is asked for before the old process is stopped."""
    keyed(fresh, "{exec: [echo, made-up-0001]}")
    fresh.run("apply", "-f", "fleet.yaml").succeeds()
    before = fresh.sessions(), fresh.agents()
    keyed(fresh, "{exec: ['false']}\n  rotation: again")
    ran = fresh.run("apply", "-f", "fleet.yaml", "--yes")
    assert ran.code == 1
    assert "relaunch" in ran.out
    assert "error[build.auth_missing]" in ran.text
    assert (fresh.sessions(), fresh.agents()) == before


@pytest.mark.tmux
def test_without_tmux_nothing_is_taken_for_stopped(applied: Machine) -> None:
    before = applied.untouched()
    ran = applied.run("apply", "-f", "fleet.yaml", environment={"PATH": str(applied.top)})
    assert ran.code in (1, 3), ran.text
    assert "no tmux on PATH; install it" in ran.text
    after = applied.untouched()
    assert (after["tmux"], after["agents"]) == (before["tmux"], before["agents"])


# The overlay


def test_a_file_where_the_overlay_belongs(fresh: Machine) -> None:
    fresh.declare("fleet.yaml", SPECIALIST)
    fresh.write(".houmao", "mine\n")
    with unchanged(fresh):
        fresh.run("apply", "-f", "fleet.yaml").refuses(1, "error[overlay.wrong_kind]", "/.houmao", "hint: move it away")
        fresh.run("project", "init").refuses(1, "error[overlay.wrong_kind]")
        ran = fresh.run("apply", "-f", "fleet.yaml", "-o", "json")
    assert ran.error["code"] == "overlay.wrong_kind"


def test_a_project_nobody_may_write_to(fresh: Machine) -> None:
    fresh.declare("fleet.yaml", SPECIALIST)
    fresh.project.chmod(0o555)
    with unchanged(fresh):
        ran = fresh.run("apply", "-f", "fleet.yaml", bound=True)
        fresh.run("plan", "-f", "fleet.yaml", bound=True).succeeds()
    ran.refuses(1, "error[overlay.unwritable]", "Permission denied", "HOUMAO_PROJECT_OVERLAY_DIR")
    fresh.project.chmod(0o755)


@pytest.mark.tmux
def test_an_overlay_one_may_not_write_cannot_even_be_read(applied: Machine) -> None:
    applied.overlay.chmod(0o555)
    with unchanged(applied):
        for words in (*READERS[:2], WRITERS[0]):
            applied.run(*words, bound=True).refuses(1, "error[catalog.unwritable]", "write permission")
    applied.overlay.chmod(0o755)
    applied.run("apply", "-f", "fleet.yaml").succeeds()


@pytest.mark.parametrize(
    ("variable", "code"),
    [("HOUMAO_PROJECT_OVERLAY_DIR", "overlay.environment"), ("HOUMAO_GLOBAL_REGISTRY_DIR", "overlay.relative_path")],
)
def test_a_relative_path_in_the_environment(variable: str, code: str, fresh: Machine) -> None:
    fresh.declare("fleet.yaml", SPECIALIST)
    with unchanged(fresh):
        fresh.run("apply", "-f", "fleet.yaml", environment={variable: "here"}).refuses(1, f"error[{code}]", variable)


# The catalog


def newer(catalog: Path) -> None:
    db = sqlite3.connect(catalog)
    # Out of the log first, so that the file alone holds all and the sidecars can be compared by their absence.
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("PRAGMA user_version = 99")
    db.close()


def garbage(catalog: Path) -> None:
    alone(catalog)
    catalog.write_bytes(b"this is no database " * 400)


def torn(catalog: Path) -> None:
    """The first page is whole, all others are not."""
    alone(catalog)
    data = catalog.read_bytes()
    catalog.write_bytes(data[:4096] + b"\xa5" * (len(data) - 4096))


def cut(catalog: Path) -> None:
    alone(catalog)
    catalog.write_bytes(catalog.read_bytes()[:10_000])


def foreign(catalog: Path) -> None:
    alone(catalog)
    catalog.unlink()
    db = sqlite3.connect(catalog)
    db.execute("CREATE TABLE photos (name TEXT)")
    db.close()


def alone(catalog: Path) -> None:
    """Everything in one file."""
    db = sqlite3.connect(catalog)
    db.execute("PRAGMA journal_mode = DELETE")
    db.close()


@pytest.mark.tmux
@pytest.mark.parametrize(
    ("spoil", "code", "hint"),
    [
        (newer, "catalog.newer", "newer release"),
        (garbage, "catalog.corrupt", "restore a backup"),
        (torn, "catalog.corrupt", "restore a backup"),
        (cut, "catalog.corrupt", "restore a backup"),
        (foreign, "catalog.foreign", "move it aside"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_catalog_that_is_not_ours_to_read_is_left_as_it_is(
    spoil: Callable[[Path], None], code: str, hint: str, applied: Machine
) -> None:
    spoil(applied.overlay / "catalog.sqlite")
    with unchanged(applied):
        for words in (*READERS, *WRITERS, ("project", "init")):
            ran = applied.run(*words)
            assert ran.code == 1, (words, ran.text)
            assert f"error[{code}]" in ran.err, (words, ran.text)
            assert hint in ran.err, (words, ran.text)
        assert applied.run(*WRITERS[0], "-o", "json").error["code"] == code
        assert code in applied.run("doctor").text


# The disk


@pytest.fixture
def small_disk(fresh: Machine) -> Iterator[Machine]:
    """The overlay is a file system of its own, which `resize` makes larger."""
    fresh.overlay.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", fresh.overlay], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield fresh
    finally:
        fresh.ask_tmux("kill-server")
        subprocess.run(["umount", "--lazy", fresh.overlay], check=True)


def resize(machine: Machine, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", machine.overlay], check=True)


@pytest.mark.tmux
@pytest.mark.parametrize("size", ["64k", "300k", "600k", "700k"])
def test_a_disk_that_fills_up_starts_nothing_and_the_next_apply_goes_on(size: str, small_disk: Machine) -> None:
    small_disk.declare("fleet.yaml", SPECIALIST, INSTANCE)
    resize(small_disk, size)
    ran = small_disk.run("apply", "-f", "fleet.yaml").refuses(1, "disk_full]", "hint: free some space")
    assert "Traceback" not in ran.text
    assert small_disk.sessions() == []
    assert small_disk.agents() == []
    assert not list(small_disk.registry.rglob("record.json"))
    assert not list(small_disk.overlay.rglob("*.tmp"))
    resize(small_disk, "64m")
    small_disk.run("apply", "-f", "fleet.yaml", "--wait").succeeds()
    assert len(small_disk.sessions()) == 1
    assert "No changes." in small_disk.run("plan", "-f", "fleet.yaml").succeeds().out


@pytest.mark.tmux
def test_a_disk_that_is_full_later_leaves_the_agents_alone(small_disk: Machine) -> None:
    resize(small_disk, "64m")
    small_disk.declare("fleet.yaml", SPECIALIST, INSTANCE)
    small_disk.run("apply", "-f", "fleet.yaml", "--wait").succeeds()
    small_disk.declare("fleet.yaml", SPECIALIST.replace("You", f"You {'write and ' * 20_000}"), INSTANCE)
    before = small_disk.untouched()
    fill(small_disk.overlay / "ballast")
    small_disk.run("apply", "-f", "fleet.yaml").refuses(1, "disk_full]", "hint: free some space")
    after = small_disk.untouched()
    assert (after["tmux"], after["agents"]) == (before["tmux"], before["agents"])
    (small_disk.overlay / "ballast").unlink()
    small_disk.run("apply", "-f", "fleet.yaml", "--wait").succeeds()
    assert "No changes." in small_disk.run("plan", "-f", "fleet.yaml").succeeds().out
    assert len(small_disk.sessions()) == 1


def fill(path: Path) -> None:
    """To the last block."""
    with path.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while stream.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
