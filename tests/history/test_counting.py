"""`--metrics`: what a run and a watch count, in a file or at a socket of this host alone."""

import socket
import stat
import threading
from pathlib import Path

import pytest

from reconciler.app import wiring
from reconciler.app.metrics import Meters
from reconciler.app.watch.lead import WatchFlags
from reconciler.cli import metering
from reconciler.cli.metering import Metering
from reconciler.model.errors import UsageFault
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.watching import watched
from tests.history.conftest import Houmao
from tests.stories.fleets import ALICE, PROMPT, TEXT
from tests.watch.conftest import Story


def values(text: str) -> dict[str, float]:
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[:1] != "#"}


def scraped(family: int, address: object, path: str = "/metrics") -> tuple[str, str]:
    with socket.socket(family) as client:
        client.settimeout(30)
        client.connect(address)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        whole = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    head, _, body = whole.partition("\r\n\r\n")
    return head.split("\r\n")[0], body


def test_an_apply_counts_its_actions_and_says_when_all_was_well(
    fake_world: FakeWorld, houmao: Houmao, tmp_path: Path
) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    file = tmp_path / "houmao.prom"

    assert houmao("apply", "-f", str(fake_world.source), "--yes", "--metrics", str(file)).code == 0

    found = values(file.read_text())
    assert found['houmao_actions_total{kind="Instance",outcome="settled",verb="create"}'] == 1
    assert found['houmao_action_duration_seconds_count{kind="Specialist",outcome="settled",verb="create"}'] == 1
    assert found["houmao_plan_actions"] == 2
    assert found["houmao_last_success_timestamp_seconds"] > 1_500_000_000
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    for line in file.read_text().splitlines():
        assert line.startswith(("# HELP houmao_", "# TYPE houmao_", "houmao_"))


def test_a_failure_counts_and_is_no_success(fake_world: FakeWorld, houmao: Houmao, tmp_path: Path) -> None:
    file = tmp_path / "houmao.prom"
    fake_world.given("kind: Specialist\nmetadata: {name: coder}\nspec: {provider: nobody}")

    assert houmao("apply", "-f", str(fake_world.source), "--metrics", str(file)).code == 1

    assert "houmao_last_success" not in file.read_text()
    missing = houmao("apply", "-f", str(fake_world.source), "--metrics", str(tmp_path / "no" / "such" / "\0"))
    assert missing.code != 0


def test_a_watch_counts_what_woke_it_and_what_it_reports(
    fake_world: FakeWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(metering.wiring, "clock", lambda: fake_world.clock)
    story = Story(fake_world)
    story.script.at(10, lambda: fake_world.kill_process_of("alice"), Woken(Waker.PROCESS))
    story.script.at(100, lambda: fake_world.given_file("bad.yaml", "kind: ["), story.saved("bad.yaml"))
    counting = Metering(str(tmp_path / "houmao.prom"))
    story.script.over_at = 300
    wakers, queued = counting.over(lambda ports: story.script), WatchFlags(queued=counting.meters.queued)
    watched(fake_world, wakers, story.script.stopping, counting.event, watching=queued)
    counting.ended(143)

    found = values((tmp_path / "houmao.prom").read_text())

    assert found['houmao_watch_wakeups_total{waker="process"}'] == 1
    assert found['houmao_watch_wakeups_total{waker="none"}'] >= 3
    assert found['houmao_actions_total{kind="Instance",outcome="settled",verb="relaunch"}'] == 1
    assert found['houmao_source_faults_total{event="SourceInvalid"}'] == 1
    assert found["houmao_resources"] == 3
    assert found["houmao_watch_queue_depth"] >= 1
    assert found["houmao_watch_queue_latency_seconds_count"] >= 4
    assert found["houmao_watch_queue_latency_seconds_sum"] >= 0
    assert found["houmao_resources_failing"] == 0
    assert found["houmao_watch_backoff_seconds"] == 0
    assert found["houmao_watch_look_seconds_count"] >= 4
    assert found["houmao_last_success_timestamp_seconds"] <= fake_world.clock.now_utc().timestamp()


def test_what_waited_what_fails_and_how_long_is_paused(fake_world: FakeWorld) -> None:
    meters = Meters(fake_world.clock)
    meters.queued((0.5, 0.25))
    meters.event("action_end", {"ref": "Instance/a", "verb": "create", "outcome": "failed", "duration_ms": 1500})
    meters.event("diagnostic", {"code": "tmux.unanswered", "again_s": 4.0})
    found = values(meters.text())
    assert found["houmao_watch_queue_depth"] == 2
    assert found["houmao_watch_queue_latency_seconds_sum"] == 0.75
    assert found["houmao_resources_failing"] == 1
    assert found["houmao_watch_backoff_seconds"] == 4
    assert found['houmao_action_duration_seconds_sum{kind="Instance",outcome="failed",verb="create"}'] == 1.5

    meters.woken(())
    meters.event("action_end", {"ref": "Instance/a", "verb": "create", "outcome": "settled", "duration_ms": 0})
    meters.resting()
    found = values(meters.text())
    assert (found["houmao_resources_failing"], found["houmao_watch_backoff_seconds"]) == (0, 0)


def test_a_port_of_this_host_is_answered_and_no_other(tmp_path: Path) -> None:
    server = wiring.metrics_socket("127.0.0.1:0", lambda: "houmao_x 1\n")
    try:
        host, _, port = server.address.rpartition(":")
        assert scraped(socket.AF_INET, (host, int(port))) == ("HTTP/1.0 200 OK", "houmao_x 1\n")
        assert scraped(socket.AF_INET, (host, int(port)), "/other")[0].startswith("HTTP/1.0 404")
        with pytest.raises(UsageFault, match="cannot listen"):
            wiring.metrics_socket(f"127.0.0.1:{port}0000", lambda: "")
    finally:
        server.close()
    for where in ("0.0.0.0:9464", "example.org:80", "127.0.0.1:70000"):
        with pytest.raises(UsageFault, match="cannot listen"):
            wiring.metrics_socket(where, lambda: "")


def test_a_path_is_this_users_alone_is_removed_and_is_taken_over_from_the_dead(tmp_path: Path) -> None:
    path = tmp_path / "metrics.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    first = wiring.metrics_socket(f"unix:{path}", lambda: "houmao_x 1\n")
    try:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert scraped(socket.AF_UNIX, str(path)) == ("HTTP/1.0 200 OK", "houmao_x 1\n")
        with pytest.raises(UsageFault, match="in use"):
            wiring.metrics_socket(f"unix:{path}", lambda: "")
    finally:
        first.close()
    assert not path.exists()
    assert not [each for each in threading.enumerate() if "serve_forever" in str(each)]
    mine = tmp_path / "file"
    mine.write_text("mine")
    with pytest.raises(UsageFault, match="in use"):
        wiring.metrics_socket(f"unix:{mine}", lambda: "")
    assert mine.read_text() == "mine"
