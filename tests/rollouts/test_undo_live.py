"""`undo` from another shell while a watch runs: real tmux, real processes, and it stays undone."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import program
from tests.rollouts.test_real import declared

pytest.importorskip("reconciler.adapters.lending_socket", reason="the watch has to lend its lock")
pytestmark = pytest.mark.tmux
ROOT = Path(__file__).parents[2]
OTHER = """---
apiVersion: houmao/v1alpha1
kind: Role
metadata: {name: other}
spec: {prompt: You do something else.}
"""


def test_what_is_undone_under_a_running_watch_stays_undone(tmp_path: Path, wait_until: Callable[..., object]) -> None:
    with program(tmp_path, wait_until) as houmao:
        houmao.given(declared("one"))
        log = houmao.work / "events.jsonl"
        watch = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "watch", "-f", "team.yaml", "--events", str(log)],
            cwd=houmao.work,
            env={**houmao.env, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def events(kind: str) -> list[dict[str, Any]]:
            lines = log.read_text().splitlines(keepends=True) if log.exists() else []
            found = [json.loads(line) for line in lines if line.endswith("\n")]
            return [each for each in found if each["type"] == kind]

        def settled(verb: str, ref: str = "") -> int:
            ended = [each for each in events("action_end") if each["outcome"] == "settled"]
            return sum(1 for each in ended if each["verb"] == verb and each["ref"].startswith(ref))

        try:
            wait_until(lambda: events("observe"), what="the first look")
            houmao.write("team.yaml", declared("two"))
            wait_until(lambda: settled("relaunch") == 3, what="the change, one after the other")
            waited = houmao("rollout", "status", "crew", "--wait", "--timeout", "30s", "-o", "json")
            assert (waited.code, waited.data["revision"]) == (0, 2)

            undone = houmao("rollout", "undo", "crew")
            assert undone.code == 0, undone
            # Something else is declared: the watch compiles, looks and acts, and leaves the set as it is.
            houmao.write("team.yaml", declared("two") + OTHER)
            wait_until(lambda: settled("create", "Role/other") == 1, what="what is declared beside it")
            assert settled("relaunch") == 3
            status = houmao("rollout", "status", "crew", "-o", "json").data
            assert (status["revision"], status["updated"], status["undone"]["revision"]) == (3, 3, 1)

            houmao.write("team.yaml", declared("three") + OTHER)
            wait_until(lambda: settled("relaunch") == 6, what="what the source says next")
        finally:
            watch.terminate()
            watch.wait(30)
