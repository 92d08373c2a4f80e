"""Hooks of one agent: before its program is ended, and once it is Ready; of its own, and of its Project."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.app import agent_hooks
from reconciler.app.hooks import HookFailed
from reconciler.model.outcome import Result
from reconciler.ports.process import Finished
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Fault, Kind
from reconciler.testing.world import World
from tests.history.conftest import Houmao
from tests.stories.fleets import PROMPT, TEXT
from tests.watch.conftest import Story

CODER = "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, promptFile: prompts/coder.md}\n"
BOTH = "{preStop: [{command: [leave, now]}], postReady: [{command: [hello]}]}"


def agent(name: str, hooks: str = "", more: str = "") -> str:
    said = f", hooks: {hooks}" if hooks else ""
    return f"---\nkind: Instance\nmetadata: {{name: {name}}}\nspec: {{specialistRef: coder{said}{more}}}\n"


def project(hooks: str) -> str:
    return f"---\nkind: Project\nmetadata: {{name: default}}\nspec: {{hooks: {hooks}}}\n"


class Ran:
    """The hooks that were run, and what the world looked like then."""

    def __init__(self, world: FakeWorld) -> None:
        self.world = world
        self.codes: dict[str, list[int]] = {}
        self.pids: list[int | None] = []
        """Of alice, whenever a hook was run."""
        for name in ("leave", "hello", "theirs"):
            world.process.answers[name] = self.answer

    def answer(self, argv: tuple[str, ...]) -> Finished:
        self.pids.append(self.world.session_of("alice").pid if "alice" in self.world.running else None)
        codes = self.codes.get(argv[0], [])
        return Finished(codes.pop(0) if codes else 0, b"said it sk-ant-api03-" + b"a" * 95 + b"\n", b"")

    @property
    def told(self) -> list[dict[str, str]]:
        return [env for _, env in self.world.process.ran if "HOUMAO_INSTANCE" in env]

    @property
    def names(self) -> list[str]:
        """`preStop alice leave` for each."""
        return [
            f"{env['HOUMAO_HOOK']} {env['HOUMAO_INSTANCE']} {argv[0]}"
            for argv, env in self.world.process.ran
            if "HOUMAO_INSTANCE" in env
        ]


@pytest.fixture
def ran(fake_world: FakeWorld) -> Ran:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.ready_after = 3.0
    return Ran(fake_world)


def edited(world: FakeWorld, text: str = "You write better code.\n") -> None:
    world.given_file(PROMPT, text)


def owed(world: FakeWorld) -> set[str]:
    return {ref.name for ref in agent_hooks.read(world.look().catalog)}


def test_one_is_told_when_it_is_ready_and_before_it_is_ended(fake_world: FakeWorld, ran: Ran, houmao: Houmao) -> None:
    fake_world.given(CODER + agent("alice", BOTH) + agent("bob"))
    begun = fake_world.clock.monotonic()
    assert fake_world.when_applied().settled
    assert ran.names == ["postReady alice hello"]
    assert fake_world.clock.monotonic() - begun >= 3, "it was not Ready before"
    first = fake_world.session_of("alice").pid
    assert ran.pids == [first]
    assert ran.told[0]["HOUMAO_VERB"] == "create"
    assert owed(fake_world) == set()
    before = fake_world.bytes()
    fake_world.when_applied()
    assert fake_world.bytes() == before, "nothing is owed, nothing is written"

    edited(fake_world)
    assert fake_world.when_applied().settled
    assert ran.names[1:] == ["preStop alice leave", "postReady alice hello"]
    assert ran.pids[1] == first, "it still ran"
    assert ran.pids[2] not in (None, first)
    keys = [each["HOUMAO_HOOK_KEY"] for each in ran.told]
    assert len(set(keys)) == 3
    assert ran.told[1]["HOUMAO_SESSION_NAME"]
    actions = houmao("history", "-o", "json").data["items"][0]["actions"]
    (stop,) = [each for each in actions if each["verb"] == "preStop"]
    assert (stop["ref"], stop["outcome"]) == ("Instance/alice", "settled")
    assert stop["note"].startswith("said it")
    events = houmao("events", "instance/alice").out
    assert "hook postReady `hello` ran" in events
    assert "sk-ant" not in json.dumps(actions) + events


def test_those_of_the_project_are_of_every_agent_after_its_own(fake_world: FakeWorld, ran: Ran) -> None:
    theirs = "{preStop: [{command: [theirs]}], postReady: [{command: [theirs]}]}"
    fake_world.given(CODER + agent("alice", BOTH) + agent("bob") + project(theirs))
    assert fake_world.when_applied().settled
    assert ran.names == ["postReady alice hello", "postReady alice theirs", "postReady bob theirs"]
    edited(fake_world)
    assert fake_world.when_applied(parallelism=1).settled
    assert [each for each in ran.names[3:] if each.startswith("preStop")] == [
        "preStop alice leave",
        "preStop alice theirs",
        "preStop bob theirs",
    ]


def test_members_of_a_set_have_those_of_the_template(fake_world: FakeWorld, ran: Ran) -> None:
    members = f"replicas: 2, template: {{specialistRef: coder, hooks: {BOTH}}}"
    crew = f"---\nkind: InstanceSet\nmetadata: {{name: crew}}\nspec: {{{members}}}\n"
    fake_world.given(CODER + crew)
    assert fake_world.when_applied().settled
    assert sorted(ran.names) == ["postReady crew-0 hello", "postReady crew-1 hello"]


def test_a_refusal_to_be_ended_is_a_failure_of_that_action_alone(fake_world: FakeWorld, ran: Ran) -> None:
    fake_world.given(CODER + agent("alice", BOTH) + agent("bob"))
    fake_world.when_applied()
    first = fake_world.session_of("alice").pid
    edited(fake_world)
    ran.codes["leave"] = [1]
    applied = fake_world.when_applied()
    assert applied.exit_code == 1
    outcomes = {each.action.ref.name: each for each in applied.report.outcomes}
    assert outcomes["bob"].result is Result.SETTLED
    fault = outcomes["alice"].fault
    assert fault is not None
    assert (fault.code, outcomes["alice"].attempt) == ("hook.failed", 1)
    assert fake_world.session_of("alice").pid == first

    assert fake_world.when_applied().settled
    stops = [each for each in ran.told if each["HOUMAO_HOOK"] == "preStop"]
    assert len({each["HOUMAO_HOOK_KEY"] for each in stops}) == 1, "it is the same end that was asked for"


@pytest.mark.parametrize(("effect", "said"), [("Warn", ["hook.failed"]), ("Ignore", [])])
def test_what_is_warned_of_or_ignored_ends_it_all_the_same(
    fake_world: FakeWorld, ran: Ran, effect: str, said: list[str]
) -> None:
    hooks = (
        f"{{preStop: [{{command: [leave], onError: {effect}}}], postReady: [{{command: [hello], onError: {effect}}}]}}"
    )
    fake_world.given(CODER + agent("alice", hooks))
    fake_world.when_applied()
    edited(fake_world)
    ran.codes = {"leave": [9], "hello": [9]}
    applied = fake_world.when_applied()
    assert applied.settled
    assert [fields["code"] for kind, fields in applied.events if kind == "diagnostic"] == said * 2


def test_a_failure_once_it_is_ready_is_one_of_the_apply_and_is_not_repeated(fake_world: FakeWorld, ran: Ran) -> None:
    fake_world.given(CODER + agent("alice", BOTH))
    ran.codes["hello"] = [4]
    with pytest.raises(HookFailed, match="it runs and is Ready: it ended with 4"):
        fake_world.when_applied()
    assert fake_world.running == {"alice"}
    assert fake_world.when_applied().settled
    assert ran.names == ["postReady alice hello"]


def test_verbs_are_no_way_around_it(fake_world: FakeWorld, ran: Ran, houmao: Houmao) -> None:
    fake_world.given(CODER + agent("alice") + project(BOTH))
    fake_world.when_applied()
    assert houmao("stop", "alice", "--override=1h").code == 0
    assert ran.names[1:] == ["preStop alice leave"]
    assert ran.told[-1]["HOUMAO_VERB"] == "stop"
    assert houmao("delete", "instance/alice", "--override").code == 0
    assert ran.names[2:] == [], "nothing of it ran any more"


def test_what_is_not_waited_for_is_owed_to_whoever_comes_next(fake_world: FakeWorld, ran: Ran) -> None:
    fake_world.given(CODER + agent("alice", BOTH))
    assert fake_world.when_applied(wait=False).settled
    assert ran.names == []
    assert owed(fake_world) == {"alice"}
    assert fake_world.when_applied().report.outcomes == ()
    assert ran.names == ["postReady alice hello"]
    assert owed(fake_world) == set()


def test_one_that_never_is_ready_costs_the_time_of_the_apply_and_no_more(fake_world: FakeWorld, ran: Ran) -> None:
    fake_world.given(CODER + agent("alice", BOTH))
    fake_world.ready_after = None
    applied = fake_world.when_applied(timeout_s=20.0)
    assert applied.exit_code == 3
    assert applied.report.not_ready == ("Instance/alice",)
    fake_world.pass_time(600)
    told = fake_world.when_applied()
    assert "did not become Ready" in str([fields for kind, fields in told.events if kind == "diagnostic"])
    assert (ran.names, owed(fake_world)) == ([], set())


def test_a_watch_runs_them_and_looks_again_until_it_has(fake_world: FakeWorld, ran: Ran) -> None:
    story = Story(fake_world)
    fake_world.given(CODER + agent("alice", BOTH))
    at: list[float] = []
    fake_world.process.answers["hello"] = lambda argv: (at.append(fake_world.clock.monotonic()), Finished(0, b"", b""))[
        1
    ]
    told = story.told(300)
    assert told.done == ["create Specialist/coder", "create Instance/alice"]
    assert len(at) == 1
    assert at[0] < 10, "it is not left to the timer"
    fake_world.kill_process_of("alice")
    story.told(400)
    assert ran.names == ["postReady alice hello"] * 2, "one that ended by itself is not asked to leave"


def test_a_watch_asks_again_later_where_it_was_refused(fake_world: FakeWorld, ran: Ran) -> None:
    story = Story(fake_world)
    fake_world.given(CODER + agent("alice", BOTH))
    fake_world.when_applied()
    edited(fake_world)
    ran.codes["leave"] = [1, 1]
    told = story.told(120)
    assert told.done == ["update Specialist/coder", "relaunch Instance/alice"]
    assert ran.names.count("preStop alice leave") == 3


POINTS = ["pre-stop", "owe-post-ready", "start-session", "settled"]


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("step", POINTS)
def test_a_crash_anywhere_costs_at_most_a_second_time_with_the_same_key(
    fake_world: FakeWorld, ran: Ran, step: str, phase: str
) -> None:
    fake_world.given(CODER + agent("alice", BOTH))
    fake_world.when_applied()
    edited(fake_world)
    with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever ends a writer
        fake_world.when_applied(fault=Fault(f"relaunch/Instance:{step}", phase, Kind.CRASH))
    assert fake_world.when_applied().exit_code == 0
    fake_world.pass_time(10)
    fake_world.when_applied()
    assert owed(fake_world) == set()
    hellos = [each["HOUMAO_HOOK_KEY"] for each in ran.told if each["HOUMAO_HOOK"] == "postReady"]
    assert f"-{fake_world.rows['Instance/alice'].live['ticks']}/" in hellos[-1], "of the one that runs"
    assert len(set(hellos)) == len(hellos)
    stops = {each["HOUMAO_HOOK_KEY"] for each in ran.told if each["HOUMAO_HOOK"] == "preStop"}
    assert len(stops) >= 1


def test_real_agents_are_told(real_world: World, wait_until: Callable[..., None]) -> None:
    del wait_until
    real_world.given_file(PROMPT, TEXT)
    told = 'printf "%s %s %s\\n" "$HOUMAO_HOOK" "$HOUMAO_INSTANCE" "$HOUMAO_VERB" >> told.txt'
    hooks = json.dumps({name: [{"command": ["sh", "-c", told]}] for name in ("preStop", "postReady")})
    real_world.given(CODER + agent("alice", hooks))
    assert real_world.when_applied().settled
    real_world.given_file(PROMPT, "You write better code.\n")
    assert real_world.when_applied().settled
    lines = (Path(real_world.root) / "told.txt").read_text().splitlines()
    assert lines == ["postReady alice create", "preStop alice relaunch", "postReady alice relaunch"]
