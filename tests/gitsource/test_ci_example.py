"""The example workflow, step by step: a bare remote, an author's clone and a runner's, and real tmux."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.gitsource.conftest import Author

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "examples/houmao/ci/.github/workflows/fleet.yml"
GOOD = """\
apiVersion: houmao/v1alpha1
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
---
apiVersion: houmao/v1alpha1
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
"""
BOB = GOOD.split("---\n")[1].replace("alice", "bob")


class Step(NamedTuple):
    code: int
    out: str
    err: str


class Runner:
    """Does what a workflow says, in a checkout that is wiped before each job."""

    def __init__(self, here: Path, remote: Path, socket: Path) -> None:
        self.checkout, self.remote, self.posted = here / "checkout", remote, here / "posted.md"
        self.jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
        programs = here / "bin"
        programs.mkdir()
        self._program(programs / "houmao", f'exec "{sys.executable}" -m reconciler "$@"')
        self._program(programs / "gh", f'[ "$1 $2 $3 $4" = "pr comment 7 --body-file" ] && cp "$5" "{self.posted}"')
        self.env = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(here),
            "CI": "true",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "HOUMAO_PROJECT_OVERLAY_DIR": str(here / "agents" / ".houmao"),
            "HOUMAO_GLOBAL_REGISTRY_DIR": str(here / "registry"),
            "HOUMAO_TMUX_SOCKET": str(socket),
            "GH_TOKEN": "a-token",
            "PULL_REQUEST": "7",
        }

    def _program(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def checks_out(self, branch: str) -> None:
        shutil.rmtree(self.checkout, ignore_errors=True)
        words = ["git", "clone", "--quiet", "--branch", branch, f"file://{self.remote}", str(self.checkout)]
        subprocess.run(words, env=self.env, check=True, timeout=60)

    def runs(self, job: str, branch: str, until: str | None = None) -> dict[str, Step]:
        """The `run` steps of a job, up to the first that fails or the one named `until`; by name."""
        self.checks_out(branch)
        return self.goes_on(job, until=until)

    def goes_on(self, job: str, *, after: str | None = None, until: str | None = None) -> dict[str, Step]:
        """Steps of a job in the checkout as it is."""
        found: dict[str, Step] = {}
        steps = [step for step in self.jobs[job]["steps"] if "run" in step and step["name"] != "install"]
        names = [step["name"] for step in steps]
        for step in steps[names.index(after) + 1 if after else 0 :]:
            assert "${{" not in step["run"], "what others wrote is given to a shell by variables alone"
            ran = subprocess.run(
                ["/bin/sh", "-e", "-c", step["run"]],
                cwd=self.checkout,
                env=self.env,
                capture_output=True,
                text=True,
                timeout=120,
            )
            found[step["name"]] = Step(ran.returncode, ran.stdout, ran.stderr)
            if ran.returncode or step["name"] == until:
                break
        return found

    def says(self, *words: str) -> str:
        return subprocess.run(
            ["houmao", *words], cwd=self.checkout, env=self.env, capture_output=True, text=True, timeout=60
        ).stdout


@pytest.fixture
def runner(tmp_path: Path, author: Author) -> Iterator[Runner]:
    with tempfile.TemporaryDirectory(prefix="tmux-") as directory:
        socket = Path(directory) / "socket"
        try:
            yield Runner(tmp_path, author.remote, socket)
        finally:
            subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, timeout=10)


@pytest.mark.tmux
@pytest.mark.slow
def test_from_a_bad_pull_request_to_agents_that_run(author: Author, runner: Runner) -> None:
    author.pushes({"README": "x"})
    bad = GOOD.replace("specialistRef: coder", "specialistRef: codr")
    author.pushes({"fleet/team.yaml": bad}, branch="change")
    ran = runner.runs("validate", "change")["validate"]
    assert ran.code == 1
    assert ran.out.startswith("::error file=fleet/team.yaml,line=9,col=")
    assert "codr" in ran.out

    author.pushes({"fleet/team.yaml": GOOD}, branch="change")
    assert runner.runs("validate", "change")["validate"] == (0, "2 documents are valid.\n", "")
    planned = runner.runs("plan", "change")
    assert {name: step.code for name, step in planned.items()} == {"plan": 0, "comment": 0}
    posted = runner.posted.read_text()
    assert posted.startswith("### Plan for apply set 'default': 2 to create\n")
    assert "| Instance/alice | New" in posted
    assert "fleet/team.yaml&#58;8&#58;18" in posted
    assert runner.says("get", "instances", "-o", "name") == ""

    author.pushes({}, branch="main")
    applied = runner.runs("apply", "main")
    assert {name: step.code for name, step in applied.items()} == {"plan": 0, "apply": 0}, applied
    assert (
        runner.says("get", "instances", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}") != ""
    )
    assert runner.says("plan", "-f", "fleet", "-R", "--prune").startswith("No changes.")
    assert "summary" in (runner.checkout / "events.jsonl").read_text().splitlines()[-1]
    again = runner.runs("apply", "main")
    assert {name: step.code for name, step in again.items()} == {"plan": 0, "apply": 0}

    # What moves between the two steps of a job stops it: exit 4.
    author.pushes({"fleet/team.yaml": GOOD.replace("You write", "You review")}, branch="main")
    assert runner.runs("apply", "main", until="plan")["plan"].code == 0
    team = runner.checkout / "fleet" / "team.yaml"
    team.write_text(team.read_text().replace("You review", "You break"))
    stale = runner.goes_on("apply", after="plan")["apply"]
    assert (stale.code, "error[plan.stale]" in stale.err) == (4, True)
    assert runner.runs("apply", "main")["apply"].code == 0

    # Declarations that all but vanished are refused before the merge, and after it: exit 6.
    author.pushes(
        {"fleet/team.yaml": BOB.replace("specialistRef: coder", "specialistRef: coder, state: Stopped")}, branch="gone"
    )
    author.pushes({"fleet/team.yaml": "# nothing\n"}, branch="gone")
    refused = runner.runs("plan", "gone")["plan"]
    assert (refused.code, "error[guard." in refused.err) == (6, True)
    assert runner.says("get", "instances", "-o", "name") == "instance/alice\n"


def test_the_workflow_is_what_its_words_say() -> None:
    """It gives as few rights as it needs, and what it applies on is a merge to main."""
    found = yaml.safe_load(WORKFLOW.read_text())
    on = found[True]  # YAML 1.1 reads `on` as a truth
    assert on["push"]["branches"] == ["main"]
    assert found["permissions"] == {"contents": "read"}
    assert found["jobs"]["plan"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "head.repo.full_name == github.repository" in found["jobs"]["plan"]["if"]
    assert "permissions" not in found["jobs"]["apply"]
    assert found["jobs"]["apply"]["concurrency"]["cancel-in-progress"] is False
