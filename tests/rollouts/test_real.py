"""Rollouts as a person makes them: real tmux, real echo agents, real commands."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import program

pytestmark = pytest.mark.tmux

STATUS = {
    "ref", "status", "message", "strategy", "revision", "total", "updated", "ready", "paused", "failed", "undone",
    "members",
}  # fmt: skip
REVISION = {"revision", "run", "started", "actor", "outcome", "sourceRevision", "changed", "resources"}


def declared(model: str) -> str:
    return f"""\
apiVersion: houmao/v1alpha1
kind: Specialist
metadata: {{name: coder}}
spec: {{provider: echo, prompt: You write code.}}
---
apiVersion: houmao/v1alpha1
kind: InstanceSet
metadata: {{name: crew}}
spec:
  replicas: 3
  strategy: {{type: Rolling, maxUnavailable: 1}}
  template: {{specialistRef: coder, model: {model}}}
"""


def test_a_set_is_changed_one_at_a_time_and_brought_back(tmp_path: Path, wait_until: Callable[..., object]) -> None:
    with program(tmp_path, wait_until) as houmao:
        houmao.given(declared("one"))
        first = houmao("rollout", "status", "crew", "-o", "json").data
        assert set(first) == STATUS
        assert (first["status"], first["revision"], first["total"]) == ("Complete", 1, 3)

        houmao.write("team.yaml", declared("two"))
        paused = houmao("rollout", "pause", "crew")
        assert "Paused" in paused.out
        held = houmao("apply", "-f", "team.yaml")
        assert held.out.count("is paused") >= 3, held
        assert houmao("rollout", "undo", "crew").code == 6

        resumed = houmao("rollout", "resume", "crew", "--events", "events.jsonl", "-o", "json")
        assert resumed.code == 0, resumed
        done = [each["ref"] for each in resumed.data["outcomes"] if each["verb"] == "relaunch"]
        assert sorted(done) == ["Instance/crew-0", "Instance/crew-1", "Instance/crew-2"]
        assert overlapping(houmao.work / "events.jsonl") == 1, "one was begun before the one before it was Ready"
        waited = houmao("rollout", "status", "crew", "--wait", "--timeout", "30s", "-o", "json")
        assert (waited.code, waited.data["status"], waited.data["revision"]) == (0, "Complete", 2)

        back = houmao("rollout", "undo", "crew", "-o", "json", "--wait")
        assert back.code == 0, back
        found = houmao("rollout", "history", "instanceset/crew", "-o", "json").data
        assert set(found["revisions"][0]) == REVISION
        assert (found["current"], len(found["revisions"])) == (3, 3)
        assert found["revisions"][0]["resources"] == found["revisions"][2]["resources"]
        status = houmao("rollout", "status", "crew", "-o", "json").data
        assert (status["status"], status["undone"]["revision"]) == ("Complete", 1)
        looked = houmao("watch", "-f", "team.yaml", "--once")
        assert looked.code == 0, looked
        assert houmao("rollout", "status", "crew", "-o", "json").data["revision"] == 3, "the watch left it undone"


def overlapping(events: Path) -> int:
    """How many relaunches were under way at once, at most."""
    under_way, most = 0, 0
    for line in events.read_text().splitlines():
        each = json.loads(line)
        if each["type"] in ("action_start", "action_end") and each["verb"] == "relaunch":
            under_way += 1 if each["type"] == "action_start" else -1
            most = max(most, under_way)
    return most
