"""One agent more: of a recipe that a role means, or of a launch profile."""

import pytest

from reconciler.app import launching, verbs
from reconciler.app.authoring.edits import Given
from reconciler.app.authoring.instances import Old
from reconciler.app.launching import Launch, NoRecipe
from reconciler.app.lifecycle import Telling
from reconciler.app.request import RunFlags
from reconciler.cli import main, places
from reconciler.model.errors import DeclarationError, GuardRefused, UsageFault
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from tests.requests.conftest import FLEET

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
GATEWAY = """---
kind: LaunchProfile
metadata: {name: guarded}
spec: {recipeRef: coder-echo-default, agentName: guarded, gateway: {enabled: true}}
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
    ("words", "shown"),
    [
        ("--headless --headless-display-style fancy", {"style": "fancy", "detail": "concise"}),
        ("--headless --headless-display-detail detail", {"style": "plain", "detail": "detail"}),
        (
            "--headless --headless-display-style=json --headless-display-detail=detail",
            {"style": "json", "detail": "detail"},
        ),
        ("--headless", None),
    ],
)
def test_how_a_headless_agent_shows_its_turns_is_said_at_its_launch(
    declared: FakeWorld, monkeypatch: pytest.MonkeyPatch, words: str, shown: object
) -> None:
    monkeypatch.setattr(places, "flags", lambda args: declared.flags)
    monkeypatch.chdir(declared.root)

    assert main.main(["agents", "launch", "--agents", "coder", "--provider", "echo", *words.split()]) == 0

    row = declared.rows["Instance/echo-coder"]
    spec = declared.look().catalog.bundles([row.digest])[row.digest]["spec"]
    assert spec.get("headlessDisplay") == shown  # type: ignore[union-attr]
    assert ("reconciler.cli.display" in (declared.home_of("echo-coder") / "launch.sh").read_text()) == bool(shown)


@pytest.mark.parametrize("option", ["style", "detail"])
def test_one_with_a_terminal_shows_none_and_the_option_is_refused(declared: FakeWorld, option: str) -> None:
    for wanted in (
        Launch("coder", "echo"),
        Launch(profile="nightly"),
        Launch("coder", "echo", spec={"headless": False}),
    ):
        asked = wanted._replace(spec={**wanted.spec, "headlessDisplay": {option: "x"}})
        with pytest.raises(UsageFault, match="for a headless agent") as refused:
            launching.launch(declared.flags, asked, TELLING)
        assert refused.value.code == "usage.launch"
    assert declared.running == {"alice"}


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


def test_the_gateway_that_came_up_is_told(declared: FakeWorld) -> None:
    given: dict[str, tuple[str, ...] | bool] = {"gateway_port": ("4711",), "gateway_background": True}
    declared.given(FLEET + PROFILES + GATEWAY)
    assert declared.when_applied().settled
    _, answer = launching.launch(declared.flags, Launch(profile="guarded", given=given), TELLING)
    assert (answer["gateway_host"], answer["gateway_port"]) == ("127.0.0.1", 4711)
    assert answer["gateway_execution_mode"] == "detached_process"


def test_a_stopped_one_goes_on_in_its_home_and_one_that_runs_is_replaced_only_when_told(declared: FakeWorld) -> None:
    bob = Launch("coder", "echo", name="bob")
    launching.launch(declared.flags, bob, TELLING)
    home, first = declared.home_of("bob"), declared.session_of("bob").pid
    with pytest.raises(GuardRefused, match="exists already, running"):
        launching.launch(declared.flags, bob, TELLING)
    with pytest.raises(GuardRefused, match="cannot be used again: it is not stopped"):
        launching.launch(declared.flags, bob._replace(old=Old(reuse_home=True)), TELLING)

    launching.launch(declared.flags, bob._replace(old=Old(force="keep-stale")), TELLING)
    assert declared.session_of("bob").pid != first
    assert declared.home_of("bob") == home

    assert declared.when_asked(verbs.stop([Ref("Instance", "bob")])).settled
    launching.launch(declared.flags, bob._replace(old=Old(reuse_home=True)), TELLING)
    assert declared.running == {"alice", "bob"}
    assert declared.home_of("bob") == home

    launching.launch(declared.flags, bob._replace(old=Old(force="clean")), TELLING)
    assert declared.running == {"alice", "bob"}
    assert declared.home_of("bob") != home
    with pytest.raises(GuardRefused, match="declared by a manifest"):
        launching.launch(declared.flags, bob._replace(name="alice", old=Old(force="clean")), TELLING)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mail_transport": ("stalwart",)}, "--mail-transport: "),
        ({"mail_transport": ("filesystem",), "mail_root": ("/mail",)}, "later release"),
    ],
)
def test_mail_is_refused_by_the_name_of_its_option(declared: FakeWorld, given: Given, told: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        launching.launch(declared.flags, Launch("coder", "echo", given=given), TELLING)
    (problem,) = refused.value.problems
    assert told in f"{problem.message} {problem.hint}"
    assert problem.code == "declare.not_implemented"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Launch("coder", "echo", old=Old(reuse_home=True, force="clean")), "exclude each other"),
        (Launch("coder", "echo", given={"mail_transport": ("filesystem",)}), "needs --mail-root"),
        (Launch("coder", "echo", given={"mail_root": ("/mail",)}), "go with --mail-transport filesystem"),
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
