"""One agent more: of a recipe that a role means, of a launch profile, or of the session one stands in."""

import pytest

from reconciler.app import launching, messages
from reconciler.app.agents import NoSelf
from reconciler.app.launching import Launch, NoRecipe
from reconciler.app.lifecycle import Telling
from reconciler.app.request import RunFlags
from reconciler.model.errors import UsageFault
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import RealWorld, until
from tests.requests.conftest import FLEET, named

TELLING = Telling(RunFlags(yes=True), lambda plan: True, lambda plan: None, lambda kind, fields: None, [])
PROFILES = """---
kind: LaunchProfile
metadata: {name: nightly}
spec: {recipeRef: coder-echo-default, agentName: owl}
---
kind: LaunchProfile
metadata: {name: easy}
spec: {specialistRef: coder}
"""
KEYS = [
    "status", "agent_name", "agent_id", "tmux_session_name", "manifest_path", "runtime_root", "runtime_root_detail",
    "mailbox_root", "mailbox_root_detail", "memory_root", "memo_file", "pages_dir", "overlay_root",
    "overlay_root_detail", "project_overlay_bootstrapped", "overlay_bootstrap_detail",
]  # fmt: skip


@pytest.fixture
def declared(fake_world: FakeWorld) -> FakeWorld:
    fake_world.given(FLEET + PROFILES)
    assert fake_world.when_applied().settled
    return fake_world


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (Launch("coder", "echo"), "echo-coder"),
        (Launch("role:coder", "echo", name="bob"), "bob"),
        (Launch("recipe:coder-echo-default", "echo"), "echo-coder"),
        (Launch("presets/coder-echo-default.yaml", "echo"), "echo-coder"),
        (Launch(profile="nightly"), "owl"),
        (Launch(profile="nightly", provider="echo", name="bob", spec={"model": "big"}), "bob"),
    ],
)
def test_an_agent_is_launched(declared: FakeWorld, wanted: Launch, name: str) -> None:
    agent, answer = launching.launch(declared.flags, wanted, TELLING)

    assert list(answer) == KEYS
    assert (answer["agent_name"], answer["status"]) == (name, "Managed agent launch complete")
    assert agent.reachable
    assert declared.running == {"alice", name}
    assert declared.when_planned().in_sync


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Launch(), "exactly one"),
        (Launch("coder", profile="nightly"), "exactly one"),
        (Launch("coder", "nobody"), "no provider 'nobody'"),
        (Launch(" ", "echo"), "empty selector"),
        (Launch("coder", "echo", name="HOUMAO-x"), "agent name"),
        (Launch(profile="nightly", provider="codex"), "conflicts with launch profile"),
        (Launch("coder"), "no recipe has role 'coder' with tool claude"),
        (Launch("nobody", "echo"), "no recipe has role 'nobody'"),
        (Launch("recipe:coder-echo-default", "codex"), "targets tool echo, not codex"),
        (Launch("./presets/none.yaml", "echo"), "could not resolve"),
        (Launch("coder-echo-default", "echo"), "no recipe has role"),
        (Launch(profile="none"), "no launch profile 'none'"),
        (Launch(profile="easy"), "one over a specialist"),
    ],
)
def test_what_cannot_be_launched_is_said_and_nothing_is_started(declared: FakeWorld, wanted: Launch, why: str) -> None:
    with pytest.raises((UsageFault, NoRecipe)) as refused:
        launching.launch(declared.flags, wanted, TELLING)
    assert why in refused.value.message
    assert declared.running == {"alice"}


@pytest.mark.tmux
def test_the_session_one_stands_in_becomes_an_agent(real_world: RealWorld) -> None:
    real_world.given(FLEET.partition("---")[0])
    real_world.when_applied()
    home = real_world.root / "elsewhere"
    home.mkdir()
    (home / "config.json").write_text(
        f'{{"version": 1, "approval": "never", "trusted_workdirs": ["{real_world.root}"]}}'
    )
    from reconciler.providers.echo.launch import executable

    program = " ".join(executable(""))
    real_world.tmux("new-session", "-d", "-s", "mine", "-e", f"ECHO_HOME={home}", f"exec {program}")
    (pane,) = [one for one in real_world.panes if one.session_name == "mine"]
    real_world.environ.values |= {"TMUX": f"{real_world.tmux_socket},1,0", "TMUX_PANE": pane.pane_id}

    agent, answer = launching.join(real_world.flags, "joined", Ref("Specialist", "coder"), TELLING)

    assert answer["status"] == "Managed agent join complete"
    assert (answer["provider"], answer["backend"]) == ("echo", "local_interactive")
    assert (agent.pid, agent.pane) == (pane.pid, pane.pane_id)
    assert messages.prompt(named(real_world, "joined"), "hello", within_s=30.0).success
    until(lambda: "hello" in (home / "history.jsonl").read_text(), "it did not arrive")
    with pytest.raises(NoSelf, match="is an agent's already"):
        launching.join(real_world.flags, "again", Ref("Specialist", "coder"), TELLING)


@pytest.mark.tmux
def test_outside_of_tmux_there_is_nothing_to_join(real_world: RealWorld) -> None:
    real_world.given(FLEET)
    real_world.when_applied()
    with pytest.raises(NoSelf, match="not inside tmux"):
        launching.join(real_world.flags, "joined", Ref("Specialist", "coder"), TELLING)


def test_what_a_launch_is_told_beside_its_recipe_is_declared(declared: FakeWorld) -> None:
    given: dict[str, tuple[str, ...] | bool] = {
        "no_gateway": True,
        "no_managed_header": True,
        "managed_header_section": ("task-reminder=disabled",),
    }
    launching.launch(declared.flags, Launch("coder", "echo", name="bob", given=given, once=("A=1",)), TELLING)
    row = declared.rows["Instance/bob"]
    spec = declared.look().catalog.bundles([row.digest])[row.digest]["spec"]
    assert (spec["recipeRef"], spec["agentName"], spec["gateway"]["enabled"]) == ("coder-echo-default", "bob", False)
    assert (spec["managedHeader"], spec["managedHeaderSections"]) == ("disabled", {"task-reminder": "disabled"})


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Launch("coder", "echo", given={"no_gateway": True, "gateway_port": ("9",)}), "exclude each other"),
        (Launch("coder", "echo", given={"managed_header": True, "no_managed_header": True}), "exclude"),
        (Launch("coder", "echo", once=("HOUMAO_X=1",)), "HOUMAO_X"),
        (Launch("coder", "echo", once=("ECHO_API_KEY=1",)), "ECHO_API_KEY"),
    ],
)
def test_what_contradicts_or_is_reserved_is_refused(declared: FakeWorld, wanted: Launch, told: str) -> None:
    with pytest.raises(UsageFault, match=told):
        launching.launch(declared.flags, wanted, TELLING)
    assert "Instance/echo-coder" not in declared.rows
