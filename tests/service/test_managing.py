"""Installing, looking and removing, by a program that stands for the service manager."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.adapters.process_local import LocalProcess
from reconciler.app.service import manage
from reconciler.app.service.spec import ServiceError
from reconciler.app.service.systemd import Systemd
from tests.service.conftest import Place

ROOT = Path(__file__).parents[2]


def test_it_is_written_enabled_and_started_and_the_second_time_nothing_changes(place: Place) -> None:
    found = manage.install(place.host(), place.wish())
    name = f"{found['name']}.service"
    assert place.asked == [["daemon-reload"], ["enable", name], ["start", name]]
    assert (found["written"], found["active"], found["enabled"], found["pid"]) == (True, "active", True, 4711)
    assert place.unit.read_text() == found["unit"]
    assert place.unit.stat().st_mode & 0o777 == 0o600

    before = place.unit.stat()
    again = manage.install(place.host(), place.wish())
    assert (again["written"], again["unit"]) == (False, found["unit"])
    assert place.unit.stat().st_mtime_ns == before.st_mtime_ns
    assert ["restart", name] not in place.asked


def test_other_options_are_another_unit_and_a_restart(place: Place) -> None:
    manage.install(place.host(), place.wish())
    found = manage.install(place.host(), place.wish(watchdog_s=60.0))
    assert found["written"] is True
    assert place.asked[-1] == ["restart", f"{found['name']}.service"]
    assert "WatchdogSec=60" in place.unit.read_text()


def test_without_a_start_it_waits_for_the_next_login(place: Place) -> None:
    found = manage.install(place.host(), place.wish(start=False))
    assert [words[0] for words in place.asked] == ["daemon-reload", "enable"]
    assert found["active"] == "inactive"


def test_no_secret_of_the_caller_is_in_the_unit(place: Place) -> None:
    manage.install(place.host(), place.wish())
    text = place.unit.read_text()
    assert "not-for-a-file" not in text
    assert f'Environment="PATH={place.bin}:/usr/bin:/bin"' in text or f"Environment=PATH={place.bin}" in text


def test_a_dry_run_asks_nobody_and_writes_nothing(place: Place) -> None:
    place.answers(bus=False)
    found = manage.install(place.host(), place.wish(), dry=True)
    assert "[Service]" in str(found["unit"])
    assert not place.units.exists()
    assert not (place.bin / "asked").exists()


def foreign(place: Place, path: Path) -> None:
    path.write_text("[Service]\nExecStart=/bin/true\n")


def edited(place: Place, path: Path) -> None:
    path.write_text(path.read_text().replace("RestartSec=5", "RestartSec=50"))


def masked(place: Place, path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/null")


def dangling(place: Place, path: Path) -> None:
    path.unlink()
    path.symlink_to(place.home / "nowhere")


def standing(path: Path) -> tuple[object, ...]:
    found = os.lstat(path)
    return found.st_ino, found.st_mode, found.st_mtime_ns, path.read_bytes() if path.exists() else None


@pytest.mark.parametrize("changed", [foreign, edited, masked, dangling])
def test_a_file_that_is_not_as_it_was_written_here_is_left_alone(place: Place, changed: object) -> None:
    manage.install(place.host(), place.wish())
    path = place.unit
    changed(place, path)  # type: ignore[operator]
    before, asked = standing(path), place.asked
    for act in (lambda: manage.install(place.host(), place.wish()), lambda: manage.uninstall(place.host())):
        with pytest.raises(ServiceError) as raised:
            act()
        assert raised.value.code == "service.foreign"
        assert str(path) in raised.value.message
    assert standing(path) == before
    assert place.asked == asked
    found = manage.status(place.host())
    assert (found["installed"], found["ours"], found["edited"]) == (True, changed is edited, changed is edited)


def test_where_no_service_manager_answers_nothing_is_written_and_it_says_what_to_do(place: Place) -> None:
    place.answers(bus=False)
    with pytest.raises(ServiceError) as raised:
        manage.install(place.host(), place.wish())
    assert raised.value.code == "service.unavailable"
    assert "No medium found" in raised.value.message
    assert "in the foreground" in raised.value.hint
    assert "tmux" in raised.value.hint
    assert not place.units.exists()
    found = manage.status(place.host())
    assert (found["installed"], found["active"], found["running"]) == (False, "unknown", False)
    assert found["problem"]["code"] == "service.unavailable"  # type: ignore[index,call-overload]
    missing = Systemd(lambda argv, timeout_s: LocalProcess("/nowhere").run(argv, timeout_s=timeout_s), "/nowhere")
    with pytest.raises(ServiceError, match="systemctl cannot be run"):
        missing.reachable()


def test_a_start_that_fails_says_where_to_look_and_keeps_the_unit(place: Place) -> None:
    place.answers(fails="start", why="Job failed. See the journal.", word="failed", code=5, restarts=3)
    with pytest.raises(ServiceError) as raised:
        manage.install(place.host(), place.wish())
    assert raised.value.code == "service.failed"
    assert "Job failed" in raised.value.message
    assert raised.value.hint.startswith("journalctl --user -u houmao-watch-")
    found = manage.status(place.host())
    assert (found["installed"], found["active"], found["exit_code"], found["restarts"]) == (True, "failed", 5, 3)


def test_what_is_not_there_cannot_be_watched(place: Place) -> None:
    for wish in (place.wish(sources=("/nowhere/at/all",)), place.wish(env_file="/nowhere/at/all")):
        with pytest.raises(ServiceError) as raised:
            manage.install(place.host(), wish)
        assert raised.value.code == "service.source"


def test_removing_stops_it_first_and_twice_is_no_error(place: Place) -> None:
    found = manage.install(place.host(), place.wish())
    name = f"{found['name']}.service"
    status = manage.status(place.host())
    assert (status["running"], status["pid"], status["says"]) == (True, 4711, "keeps 3 resources as declared = all")
    removed = manage.uninstall(place.host())
    assert removed["removed"] is True
    assert place.asked[3:] == [["disable", "--now", name], ["daemon-reload"], ["reset-failed", name]]
    assert [*place.units.iterdir()] == []
    assert manage.uninstall(place.host())["removed"] is False


def test_launchd_loads_anew_what_changed_and_lets_go_of_what_is_removed(place: Place) -> None:
    host = place.host("Darwin")
    found = manage.install(host, place.wish())
    path = place.home / "Library" / "LaunchAgents" / f"{found['name']}.plist"
    assert path.read_text() == found["unit"]
    assert place.asked == [["bootstrap", "gui/501", str(path)]]
    assert (found["active"], found["pid"]) == ("active", 4711)
    manage.install(host, place.wish())
    assert len(place.asked) == 1
    manage.install(host, place.wish(words=("--file=/other",)))
    assert [words[0] for words in place.asked] == ["bootstrap", "bootout", "bootstrap"]
    assert manage.status(host)["restarts"] == 2
    assert manage.uninstall(host)["removed"] is True
    assert not path.exists()
    assert place.asked[-1] == ["bootout", f"gui/501/{found['name']}"]


def test_the_commands_as_they_are_typed(place: Place) -> None:
    def houmao(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "reconciler", *words],
            cwd=place.project,
            env={**place.environ, "PATH": f"{place.bin}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    dry = houmao("watch", "install", "-f", "team.yaml", "-R", "--interval=30s", "--events", "log.jsonl", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    wanted = f'watch "--file={place.project}/team.yaml" --recursive --interval=30s "--events={place.project}/log.jsonl"'
    assert wanted in dry.stdout
    assert not place.units.exists()
    made = houmao("watch", "install", "-f", "team.yaml", "-o", "json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["active"] == "active"
    looked = houmao("watch", "status")
    assert looked.returncode == 0
    assert "keeps 3 resources" in looked.stdout
    assert houmao("watch", "uninstall").returncode == 0
    for refused in (("-f", "-"), ("-f", "team.yaml", "--events=-"), ("-f", "team.yaml", "--once"), ()):
        assert houmao("watch", "install", *refused).returncode == 64
