"""The session one stands in becomes an agent: its program is seen or told, what it is made of named or declared."""

from typing import Any

import pytest

from reconciler.app import joining, messages, turns, verbs
from reconciler.app.agents import NoSelf
from reconciler.app.joining import Join
from reconciler.app.lifecycle import Telling
from reconciler.app.request import RunFlags
from reconciler.model.errors import GuardRefused, UsageFault
from reconciler.model.ref import Ref
from reconciler.providers.echo.launch import executable
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import RealWorld, until
from reconciler.testing.tmux import FakePane
from reconciler.testing.world import World
from tests.authoring.test_commands import LAUNCH_KEYS
from tests.requests.conftest import FLEET, named

TELLING = Telling(RunFlags(yes=True), lambda plan: True, lambda plan: None, lambda kind, fields: None, [])
CODER = Ref("Specialist", "coder")


@pytest.fixture
def declared(fake_world: FakeWorld) -> FakeWorld:
    fake_world.given(FLEET)
    assert fake_world.when_applied().settled
    return fake_world


def standing(world: FakeWorld, argv: tuple[str, ...] = executable(""), cwd: str = "/") -> FakePane:
    """A session of a person's with that program in its first window; we stand in its second."""
    session = world.tmux.foreign("mine", argv=argv, cwd=cwd)
    own = world.tmux.foreign_window(session)
    world.environ.values |= {"TMUX": f"{world.tmux.socket},1,0", "TMUX_PANE": own.pane_id}
    return session.panes[0]


def spec_of(world: World, ref: str) -> dict[str, Any]:
    digest = world.rows[ref].digest
    found = world.look().catalog.bundles([digest])[digest]["spec"]
    assert isinstance(found, dict)
    return found


def test_what_runs_in_the_first_window_is_the_agent_and_gets_a_recipe_of_its_own(declared: FakeWorld) -> None:
    place = declared.root / "sub"
    place.mkdir()
    pane = standing(declared, cwd=str(place))

    agent, answer = joining.join(declared.flags, Join("joined"), TELLING)

    assert (agent.pid, agent.pane) == (pane.pid, pane.pane_id)
    assert (answer["status"], answer["provider"]) == ("Managed agent join complete", "echo")
    assert {*LAUNCH_KEYS.split(), "provider", "backend"} <= answer.keys()
    assert spec_of(declared, "Instance/joined")["workdir"] == "sub"
    assert spec_of(declared, "Recipe/joined")["provider"] == "echo"
    assert {declared.rows[f"{kind}/joined"].apply_set for kind in ("Instance", "Recipe", "Role")} == {"imperative"}
    assert declared.when_planned().in_sync
    with pytest.raises(NoSelf, match="is an agent's already"):
        joining.join(declared.flags, Join("again", CODER), TELLING)


def test_what_it_is_told_is_declared(declared: FakeWorld) -> None:
    standing(declared)
    declared.environ.values["ECHO_API_KEY"] = "nobody's"
    wanted = Join(
        "joined",
        agent_id="number-5",
        launch_args=("--loud", "--twice"),
        launch_env=("LEVEL=2", "ECHO_API_KEY"),
        workdir="/tmp",
        resume_id="c-7",
        skills=False,
    )
    agent, _ = joining.join(declared.flags, wanted, TELLING)

    assert agent.agent_id == "number-5"
    own = spec_of(declared, "Instance/joined")
    assert (own["workdir"], own["resume"]) == ("/tmp", {"mode": "exact", "id": "c-7"})
    launch = spec_of(declared, "Recipe/joined")["launch"]
    assert launch["overrides"]["args"]["values"] == ["--loud", "--twice"]
    assert (launch["env"], launch["systemSkills"]["mode"]) == ({"LEVEL": "2"}, "none")
    assert spec_of(declared, "AuthProfile/joined")["source"]["env"] == {
        "ECHO_API_KEY": {"env": "ECHO_API_KEY", "exec": [], "file": None}
    }
    assert "nobody's" not in declared.overlay.joinpath("catalog.sqlite").read_bytes().decode(errors="replace")


def test_the_last_conversation_is_named_by_a_word(declared: FakeWorld) -> None:
    standing(declared)
    joining.join(declared.flags, Join("joined", CODER, resume_id="last"), TELLING)
    assert spec_of(declared, "Instance/joined")["resume"]["mode"] == "tool_last_or_new"
    assert spec_of(declared, "Instance/joined")["specialistRef"] == "coder"
    assert "Recipe/joined" not in declared.rows


def test_a_headless_one_gets_its_home_and_takes_turns(declared: FakeWorld) -> None:
    pane = standing(declared, ("bash",))
    agent, answer = joining.join(declared.flags, Join("joined", CODER, headless=True), TELLING)
    assert (agent.pid, answer["backend"]) == (pane.pid, "echo_headless")
    assert declared.home_of("joined").is_dir()
    assert declared.when_planned().in_sync
    assert turns.submit(named(declared, "joined"), "hello", wait=False).status == "active"


@pytest.mark.parametrize(
    ("wanted", "argv", "told"),
    [
        (Join("joined"), ("vim",), "no known program runs in the first window: vim"),
        (Join("joined", provider="nobody"), executable(""), "no provider 'nobody'"),
        (Join("joined", provider="codex"), executable(""), "echo runs in the first window, not codex"),
        (Join("joined", CODER), ("/usr/bin/codex", "-x"), "codex runs in the first window, not echo"),
        (Join("joined", CODER), ("node", "/opt/bin/gemini"), "gemini runs in the first window"),
        (Join("joined", CODER, provider="codex"), ("vim",), "conflicts with Specialist/coder"),
        (Join("joined", launch_env=("LEVEL",)), executable(""), "only a credential's variable"),
        (Join("joined", launch_env=("ECHO_API_KEY=x",)), executable(""), "belongs to a credential"),
        (Join("joined", CODER, launch_args=("-x",)), executable(""), "--launch-args is a matter of what"),
        (Join("joined", CODER, skills=False), executable(""), "--no-install-houmao-skills is a matter"),
        (Join("alice"), executable(""), "is recorded already"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_marked(
    declared: FakeWorld, wanted: Join, argv: tuple[str, ...], told: str
) -> None:
    standing(declared, argv)
    with pytest.raises(UsageFault, match=told):
        joining.join(declared.flags, wanted, TELLING)
    assert [pane.uid for pane in declared.panes if pane.session_name == "mine"] == ["", ""]
    assert "Recipe/joined" not in declared.rows


def test_a_first_window_of_several_panes_cannot_be_told_apart(declared: FakeWorld) -> None:
    standing(declared)
    session = declared.tmux.named("mine")
    assert session is not None
    session.panes[1].window_id = session.panes[0].window_id
    with pytest.raises(GuardRefused, match="its first window has several panes"):
        joining.join(declared.flags, Join("joined", CODER), TELLING)


def test_stopping_it_leaves_the_window_one_stands_in(declared: FakeWorld) -> None:
    standing(declared)
    joining.join(declared.flags, Join("joined"), TELLING)
    assert declared.when_asked(verbs.stop([Ref("Instance", "joined")])).settled
    (left,) = [pane for pane in declared.panes if pane.session_name == "mine"]
    assert (left.pane_id, left.uid) == (declared.environ.get("TMUX_PANE"), "")


@pytest.mark.tmux
def test_a_real_session_becomes_an_agent_and_is_talked_to(real_world: RealWorld) -> None:
    real_world.given(FLEET.partition("---")[0])
    real_world.when_applied()
    home = real_world.root / "elsewhere"
    home.mkdir()
    (home / "config.json").write_text(
        f'{{"version": 1, "approval": "never", "trusted_workdirs": ["{real_world.root}"]}}'
    )
    program = " ".join(executable(""))
    place = ["-c", str(real_world.root)]
    real_world.tmux("new-session", "-d", "-s", "mine", *place, "-e", f"ECHO_HOME={home}", f"exec {program}")
    (pane,) = [one for one in real_world.panes if one.session_name == "mine"]
    own = real_world.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", "mine:", "sleep 1000").strip()
    real_world.environ.values |= {"TMUX": f"{real_world.tmux_socket},1,0", "TMUX_PANE": own}

    agent, answer = joining.join(real_world.flags, Join("joined"), TELLING)

    assert answer["status"] == "Managed agent join complete"
    assert (answer["provider"], answer["backend"]) == ("echo", "local_interactive")
    assert (agent.pid, agent.pane) == (pane.pid, pane.pane_id)
    assert messages.prompt(named(real_world, "joined"), "hello", within_s=30.0).success
    until(lambda: "hello" in (home / "history.jsonl").read_text(), "it did not arrive")


@pytest.mark.tmux
def test_outside_of_tmux_there_is_nothing_to_join(real_world: RealWorld) -> None:
    real_world.given(FLEET)
    real_world.when_applied()
    with pytest.raises(NoSelf, match="not inside tmux"):
        joining.join(real_world.flags, Join("joined", CODER), TELLING)
