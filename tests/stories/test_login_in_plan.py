"""Whether a start could only end at a login screen is told by the plan, not found out by the start."""

import pytest

from reconciler.ports.process import Finished
from reconciler.testing.fake_world import FakeWorld

CODEX = """
kind: Specialist
metadata: {{name: coder}}
spec: {{provider: codex, prompt: You write code.{more}}}
---
kind: Instance
metadata: {{name: alice}}
spec: {{specialistRef: coder}}
"""
AUTH = """---
kind: AuthProfile
metadata: {{name: key}}
spec: {{provider: codex, source: {source}}}
"""
SETUP = """---
kind: Setup
metadata: {name: own}
spec: {provider: codex, path: own}
"""


@pytest.fixture
def codex(fake_world: FakeWorld) -> FakeWorld:
    fake_world.process.executables["codex"] = "/bin/codex"
    fake_world.process.answers["codex"] = Finished(0, b"codex-cli 0.200.0\n", b"")
    return fake_world


def held_back(world: FakeWorld) -> str:
    """Why alice is not to be started; empty when she is."""
    found = world.when_planned().actions["Instance/alice"]
    codes = [reason.code.value for reason in found.reasons]
    if found.verb.value != "blocked":
        assert "CredentialMissing" not in codes
        return ""
    assert codes[0] == "CredentialMissing"
    return found.reasons[0].text


def test_without_a_credential_the_plan_says_so_and_nothing_is_made(codex: FakeWorld) -> None:
    codex.given(CODEX.format(more=""))
    assert "codex could not start unattended: there is neither a login file nor an API key" in held_back(codex)
    report = codex.when_applied()
    assert (report.exit_code, codex.panes) == (1, ())
    assert not (codex.overlay / "runtime" / "homes").exists()
    codex.given(CODEX.format(more=", promptMode: as_is"))
    assert held_back(codex) == ""


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{env: {OPENAI_API_KEY: {env: THE_KEY}}}", ""),
        ("{files: {auth.json: login.json}}", ""),
        ("{env: {OPENAI_BASE_URL: {env: THE_KEY}}}", "could not start unattended"),
        ("{env: {OPENAI_API_KEY: {env: NO_KEY}}}", "the variable NO_KEY is not set"),
        ("{env: {OPENAI_API_KEY: {env: EMPTY}}}", "the variable EMPTY is not set"),
        ("{env: {OPENAI_API_KEY: {file: no-such-file}}}", "no-such-file is not there"),
        ("{files: {auth.json: no-such-file}}", "no-such-file is not there"),
        ("{existing: key}", "the overlay keeps no credential 'key'"),
        ("{existing: another}", "the catalog holds no credential 'another'"),
    ],
)
def test_a_credential_is_enough_or_the_plan_says_what_it_lacks(codex: FakeWorld, source: str, why: str) -> None:
    codex.environ.values |= {"THE_KEY": "nobody's", "EMPTY": ""}
    (codex.root / "login.json").write_text("{}")
    codex.given(CODEX.format(more=", authRef: key") + AUTH.format(source=source))
    found = held_back(codex)
    assert why in found
    assert bool(found) == bool(why)
    assert "nobody's" not in found


@pytest.mark.parametrize(
    ("config", "enough"),
    [
        ('model_provider = "mine"\n[model_providers.mine]\nname = "mine"\n', True),
        ('model_provider = "mine"\n', False),
        ('model = "big"\n', False),
    ],
)
def test_a_setup_may_bring_a_sign_in_of_its_own(codex: FakeWorld, config: str, enough: bool) -> None:
    codex.given_file("own/config.toml", config)
    codex.given(CODEX.format(more=", setupRef: own") + SETUP)
    assert (held_back(codex) == "") is enough


def test_a_setup_that_loses_its_sign_in_holds_the_relaunch_back(codex: FakeWorld) -> None:
    codex.given_file("own/config.toml", 'model_provider = "mine"\n[model_providers.mine]\nname = "mine"\n')
    codex.given(CODEX.format(more=", setupRef: own") + SETUP)
    assert codex.when_applied().settled
    pid = codex.session_of("alice").pid
    codex.given_file("own/config.toml", 'model = "big"\n')
    assert "could not start unattended" in held_back(codex)
    codex.when_applied()
    assert codex.session_of("alice").pid == pid
