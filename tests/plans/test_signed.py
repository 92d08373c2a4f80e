"""A plan that somebody vouches for: the real ssh-keygen, a key of the test."""

import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.adapters.process_local import LocalProcess
from reconciler.app import apply_file
from reconciler.app.request import RunFlags
from reconciler.model.errors import PlanFileError
from reconciler.model.outcome import Report
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world

__all__ = ["fake_world"]
pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on PATH")


class Signer:
    """A key, and a file that allows it."""

    def __init__(self, root: Path, name: str) -> None:
        self.key = root / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.key], check=True)
        self.allowed = root / f"{name}.allowed"
        self.allowed.write_text(f"{name}@example.org {self.key.with_suffix('.pub').read_text()}")

    def signs(self, path: Path, namespace: str = "houmao-plan") -> None:
        path.with_suffix(".json.sig").unlink(missing_ok=True)
        words = ["ssh-keygen", "-Y", "sign", "-f", self.key, "-n", namespace, path]
        subprocess.run(words, check=True, capture_output=True)


def applied(world: FakeWorld, plan: Path, signers: Path) -> tuple[Report, list[object]]:
    told: list[object] = []
    report = apply_file.apply_file(
        world.flags,
        str(plan),
        None,
        RunFlags(yes=True),
        confirm=lambda plan: False,
        shown=lambda plan: None,
        emit=lambda kind, fields: told.append(fields.get("by")) if kind == "source" else None,
        signers=str(signers),
    )
    return report, told


@pytest.fixture
def plan(fake_world: FakeWorld) -> Path:
    real = LocalProcess()
    for program in ("ssh-keygen", "sh"):
        fake_world.process.answers[program] = lambda argv: real.run(argv, timeout_s=30)
    fake_world.initialised()
    fake_world.given("kind: Role\nmetadata: {name: r}\nspec: {prompt: You review.}")
    path = fake_world.root / "a plan $x.json"
    fake_world.when_saved(path)
    return path


def test_what_an_allowed_signer_signed_is_run_and_said_to_be_so(fake_world: FakeWorld, plan: Path) -> None:
    alice = Signer(fake_world.root, "alice")
    alice.signs(plan)
    report, told = applied(fake_world, plan, alice.allowed)
    assert report.exit_code == 0
    assert told == ["alice@example.org"]
    assert "Role/r" in fake_world.rows


def test_nothing_of_any_other_is_run(fake_world: FakeWorld, plan: Path) -> None:
    alice, mallory = Signer(fake_world.root, "alice"), Signer(fake_world.root, "mallory")

    def refused(signers: Path, code: str) -> None:
        with pytest.raises(PlanFileError) as raised:
            applied(fake_world, plan, signers)
        assert raised.value.code == code
        assert fake_world.rows == {}

    refused(alice.allowed, "plan.unsigned")
    mallory.signs(plan)
    refused(alice.allowed, "plan.signature")
    alice.signs(plan, "another-purpose")
    refused(alice.allowed, "plan.signature")
    alice.signs(plan)
    refused(fake_world.root / "nowhere", "plan.unsigned")
    plan.write_bytes(plan.read_bytes() + b" ")
    refused(alice.allowed, "plan.signature")
