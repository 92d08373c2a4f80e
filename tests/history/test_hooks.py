"""Hooks of a Project: run around what does something, told why, and their failure means what is declared."""

import json
import os
from pathlib import Path

import pytest

from reconciler.app.hooks import HookFailed
from reconciler.ports.process import Finished
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Fault, Kind
from reconciler.testing.world import World
from tests.history.conftest import Houmao
from tests.stories.fleets import ALICE, PROMPT, TEXT, instance


def project(hooks: str) -> str:
    return f"---\nkind: Project\nmetadata: {{name: default}}\nspec: {{hooks: {hooks}}}\n"


class Ran:
    """What the fake process table was asked to run as a hook."""

    def __init__(self, world: FakeWorld, *codes: int) -> None:
        self.world = world
        self.left = list(codes)
        for name in ("before", "after", "failed", "one", "two", "three"):
            world.process.answers[name] = self.answer

    def answer(self, argv: tuple[str, ...]) -> Finished:
        del argv
        code = self.left.pop(0) if self.left else 0
        return Finished(code, b"said it sk-ant-api03-" + b"a" * 95 + b"\n", b"")

    @property
    def argv(self) -> list[tuple[str, ...]]:
        return [argv for argv, env in self.world.process.ran if "HOUMAO_HOOK" in env]

    @property
    def told(self) -> list[dict[str, str]]:
        return [env for _, env in self.world.process.ran if "HOUMAO_HOOK" in env]

    @property
    def names(self) -> list[str]:
        return [each["HOUMAO_HOOK"] for each in self.told]


ALL = "{preApply: [{command: [before]}], postApply: [{command: [after, x]}], onFailure: [{command: [failed]}]}"


def test_they_run_around_what_does_something_and_not_around_nothing(fake_world: FakeWorld, houmao: Houmao) -> None:
    ran = Ran(fake_world)
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE + project(ALL))

    fake_world.when_planned()
    assert ran.argv == []
    assert fake_world.when_applied().settled
    fake_world.when_applied()

    assert ran.names == ["preApply", "postApply"]
    before, after = ran.told
    assert (before["HOUMAO_OUTCOME"], after["HOUMAO_OUTCOME"]) == ("", "settled")
    assert before["HOUMAO_ACTIONS"] == "3"
    assert before["HOUMAO_RUN"] == after["HOUMAO_RUN"]
    assert ran.argv == [("before",), ("after", "x")]
    assert before["PATH"] == os.environ["PATH"], "it has what whoever applies has"
    actions = houmao("history", "-o", "json").data["items"][0]["actions"]
    told = [each for each in actions if each["verb"] == "postApply"]
    assert told[0]["note"].startswith("said it")
    assert "sk-ant" not in json.dumps(actions)


def test_a_failure_before_means_that_nothing_is_done_and_the_key_is_the_same_again(fake_world: FakeWorld) -> None:
    ran = Ran(fake_world, 3)
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE + project(ALL))

    with pytest.raises(HookFailed, match=r"preApply `before` failed, nothing was done: it ended with 3"):
        fake_world.when_applied()
    assert fake_world.running == set()
    assert fake_world.rows == {}
    assert fake_world.when_applied().settled

    assert ran.names == ["preApply", "preApply", "postApply"]
    assert ran.told[0]["HOUMAO_HOOK_KEY"] == ran.told[1]["HOUMAO_HOOK_KEY"]
    assert ran.told[0]["HOUMAO_RUN"] != ran.told[1]["HOUMAO_RUN"]


def test_what_is_only_warned_of_or_ignored_lets_the_run_go_on(fake_world: FakeWorld) -> None:
    ran = Ran(fake_world, 1, 1, 0)
    fake_world.given_file(PROMPT, TEXT)
    hooks = "{preApply: [{command: [one], onError: Warn}, {command: [two], onError: Ignore}, {command: [three]}]}"
    fake_world.given(ALICE + project(hooks))

    report = fake_world.when_applied()

    assert report.settled
    assert [argv[-1] for argv in ran.argv] == ["one", "two", "three"]
    assert [fields["code"] for kind, fields in report.events if kind == "diagnostic"] == ["hook.failed"]


def test_a_failure_after_is_one_of_the_run_and_all_is_recorded(fake_world: FakeWorld, houmao: Houmao) -> None:
    Ran(fake_world, 0, 7)
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE + project(ALL))

    with pytest.raises(HookFailed, match="what was planned is done and recorded"):
        fake_world.when_applied()

    assert fake_world.running == {"alice"}
    assert "hook.failed" in houmao("history", "show", "1").out
    assert fake_world.when_planned().in_sync


def test_what_did_not_settle_calls_the_other_one(fake_world: FakeWorld) -> None:
    ran = Ran(fake_world)
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE + project(ALL))

    fake_world.when_applied(fault=Fault("create/Specialist:write-content", "before", Kind.ERROR))

    assert ran.names == ["preApply", "onFailure"]
    assert ran.told[1]["HOUMAO_OUTCOME"] == "failed"


def test_a_real_command_runs_in_the_project_without_a_shell_and_is_ended_in_time(real_world: World) -> None:
    real_world.given_file(PROMPT, TEXT)
    script = 'printf \'%s %s\' "$HOUMAO_HOOK" "$1" > hook.txt; pwd >> hook.txt'
    here = Path(real_world.root) / "here.sh"
    here.write_text("#!/bin/sh\necho here > here.txt\n")
    here.chmod(0o755)
    hooks = json.dumps(
        {
            "preApply": [{"command": ["sh", "-c", script, "sh", "$(not run)"]}, {"command": ["./here.sh"]}],
            "postApply": [{"command": ["sleep", "60"], "timeout": "300ms", "onError": "Warn"}],
        }
    )
    real_world.given(ALICE + instance("bob") + project(hooks))

    report = real_world.when_applied()

    assert report.settled
    text = (Path(real_world.root) / "hook.txt").read_text()
    assert text.startswith("preApply $(not run)")
    assert (Path(real_world.root) / "here.txt").read_text() == "here\n", "a path begins at the project"
    assert text.rstrip().endswith(str(real_world.root))
    (said,) = [fields for kind, fields in report.events if kind == "diagnostic"]
    assert "postApply `sleep` failed" in str(said["message"])
