"""Every verb on every kind, as scenes to be played again: what was there before, and the run that is disturbed."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from reconciler.app import verbs
from reconciler.app.ask import Ask, Way
from reconciler.declare.dump import document
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed, Fault, Kind
from reconciler.testing.told import Applied

EVERYTHING = """
kind: Project
metadata: {name: fleet}
spec: {limits: {instances: 20}}
---
kind: AuthProfile
metadata: {name: work}
spec: {provider: echo, source: {env: {ECHO_API_KEY: {file: key.txt}}}}
---
kind: Setup
metadata: {name: plain}
spec: {provider: echo, path: setups/plain}
---
kind: Skill
metadata: {name: review}
spec: {path: skills/review}
---
kind: Role
metadata: {name: tester}
spec: {prompt: You test.}
---
kind: Recipe
metadata: {name: tester-echo}
spec: {roleRef: tester, provider: echo, setupRef: plain, skillRefs: [review], authRef: work}
---
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, promptFile: prompts/coder.md, setupRef: plain, skillRefs: [review], authRef: work}
---
kind: LaunchProfile
metadata: {name: day}
spec: {specialistRef: coder, promptOverlay: {mode: append, text: Be brief.}}
---
kind: Instance
metadata: {name: alice}
spec: {profileRef: day}
---
kind: Instance
metadata: {name: bob}
spec: {recipeRef: tester-echo}
---
kind: InstanceSet
metadata: {name: crew}
spec: {replicas: 2, template: {specialistRef: coder}}
"""

ONE = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, promptFile: prompts/coder.md}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
"""

KINDS = tuple(sorted(set(re.findall(r"kind: (\w+)", EVERYTHING))))

ONLY_PROJECT = """
kind: Project
metadata: {name: fleet}
spec: {limits: {instances: 20}}
"""


def files(world: FakeWorld) -> None:
    """What the declarations point at."""
    world.given_file("prompts/coder.md", "You write code.\n")
    world.given_file("setups/plain/greeting.txt", "hello\n")
    world.given_file("skills/review/SKILL.md", "---\nname: review\ndescription: Looks twice.\n---\nLook twice.\n")
    (world.root / "key.txt").write_text("not-a-real-key\n")


def everything(world: FakeWorld) -> None:
    files(world)
    world.given(EVERYTHING)


def one(world: FakeWorld) -> None:
    files(world)
    world.given(ONE)
    world.when_applied()


class Scenario(NamedTuple):
    """`arrange` ends just before the run; `flags` are the run's.

    With `delete` it is `houmao delete` of those refs, with `ask` an imperative verb.
    """

    name: str
    arrange: Callable[[FakeWorld], None]
    flags: Mapping[str, object]
    delete: tuple[str, ...]
    ask: Ask | None = None

    def run(
        self, world: FakeWorld, fault: Fault | None = None, write_fault: tuple[int, str, Kind] | None = None
    ) -> Applied:
        """The run itself; one action at a time, so that points come in one order."""
        if self.ask is not None:
            return world.when_asked(self.ask, fault=fault, write_fault=write_fault, parallelism=1).applied
        if self.delete:
            return world.when_deleted(*self.delete, fault=fault, parallelism=1)
        return world.when_applied(fault=fault, write_fault=write_fault, parallelism=1, **self.flags)


Arrange = Callable[[FakeWorld], None]
SCENARIOS: list[Scenario] = []


def scenario(
    flags: dict[str, object] | None = None, delete: tuple[str, ...] = (), ask: Ask | None = None
) -> Callable[[Arrange], Arrange]:
    def add(arrange: Arrange) -> Arrange:
        SCENARIOS.append(Scenario(arrange.__name__, arrange, flags or {}, delete, ask))
        return arrange

    return add


@scenario()
def create_every_kind(world: FakeWorld) -> None:
    world.initialised()
    everything(world)


@scenario()
def create_with_a_new_overlay(world: FakeWorld) -> None:
    files(world)
    world.given(ONE)


@scenario()
def update_every_kind(world: FakeWorld) -> None:
    everything(world)
    world.when_applied()
    text = EVERYTHING
    for old, new in (
        ("instances: 20", "instances: 21"),
        ("{ECHO_API_KEY: {file: key.txt}}}}", "{ECHO_API_KEY: {file: key.txt}}}, rotation: second}"),
        ("You test.", "You test twice."),
        ("Be brief.", "Be very brief."),
        ("spec: {recipeRef: tester-echo}", "spec: {recipeRef: tester-echo, retry: {limit: 1}}"),
        ("replicas: 2", "replicas: 3"),
    ):
        assert old in text
        text = text.replace(old, new)
    world.given(text)
    world.given_file("prompts/coder.md", "You write good code.\n")
    world.given_file("setups/plain/greeting.txt", "good morning\n")
    world.given_file("setups/plain/second.txt", "new\n")
    world.given_file("skills/review/SKILL.md", "---\nname: review\ndescription: Looks thrice.\n---\nThree.\n")


@scenario({"prune": True, "prune_limit": 20, "allow_kind_removal": KINDS})
def remove_every_kind(world: FakeWorld) -> None:
    everything(world)
    world.when_applied()
    world.given(ONLY_PROJECT)


@scenario()
def heal_a_killed_session(world: FakeWorld) -> None:
    one(world)
    world.kill_session_of("alice")


@scenario()
def heal_beside_a_survivor(world: FakeWorld) -> None:
    world.stubborn = {"alice"}
    one(world)
    world.kill_session_of("alice")
    assert len(world.processes_of("alice")) == 1


@scenario()
def relaunch_an_exited_provider(world: FakeWorld) -> None:
    one(world)
    world.kill_process_of("alice")


@scenario()
def relaunch_for_a_prompt(world: FakeWorld) -> None:
    one(world)
    world.given_file("prompts/coder.md", "You write better code.\n")


@scenario()
def relaunch_a_stubborn_one(world: FakeWorld) -> None:
    world.stubborn = {"alice"}
    one(world)
    world.given_file("prompts/coder.md", "You write better code.\n")


@scenario()
def replace_for_another_agent_id(world: FakeWorld) -> None:
    files(world)
    world.given(ONE.replace("{specialistRef: coder}", "{specialistRef: coder, agentId: first}"))
    world.when_applied()
    world.given(ONE.replace("{specialistRef: coder}", "{specialistRef: coder, agentId: second}"))


def crashed(world: FakeWorld, point: str) -> None:
    """An apply that dies just after a step."""
    with suppress(Crashed):
        world.when_applied(fault=Fault(point, "after", Kind.CRASH), parallelism=1)
        raise AssertionError(f"{point} was not passed")


def named(agent_id: str, more: str = "") -> str:
    """Alice under an agent id of her own."""
    return ONE.replace("{specialistRef: coder}", f"{{specialistRef: coder, agentId: {agent_id}{more}}}")


@scenario()
def start_under_another_agent_id(world: FakeWorld) -> None:
    files(world)
    for text in (named("first"), named("first", ", state: Stopped"), named("second", ", state: Stopped")):
        world.given(text)
        world.when_applied()
    world.given(named("second"))


@scenario()
def finish_a_replace_that_was_interrupted(world: FakeWorld) -> None:
    replace_for_another_agent_id(world)
    crashed(world, "replace/Instance:start-session")


@scenario()
def relaunch_what_died_while_it_was_started(world: FakeWorld) -> None:
    start_under_another_agent_id(world)
    crashed(world, "create/Instance:start-session")
    world.kill_process_of("alice")


@scenario()
def stop_what_is_declared_stopped(world: FakeWorld) -> None:
    one(world)
    world.given(ONE.replace("{specialistRef: coder}", "{specialistRef: coder, state: Stopped}"))


@scenario()
def stop_a_stubborn_one(world: FakeWorld) -> None:
    world.stubborn = {"alice"}
    one(world)
    world.given(ONE.replace("{specialistRef: coder}", "{specialistRef: coder, state: Stopped}"))


@scenario()
def start_again_what_was_stopped(world: FakeWorld) -> None:
    stop_what_was_running(world)
    world.given(ONE)


@scenario()
def record_that_a_stopped_one_is_gone(world: FakeWorld) -> None:
    one(world)
    world.kill_session_of("alice")
    world.given(ONE.replace("{specialistRef: coder}", "{specialistRef: coder, state: Stopped}"))


@scenario()
def publish_a_record_again(world: FakeWorld) -> None:
    one(world)
    world.remove_record_of("alice")


@scenario({"prune": True, "allow_kind_removal": KINDS})
def remove_one_instance(world: FakeWorld) -> None:
    one(world)
    world.given(ONE.split("---")[0])


@scenario(delete=("instance/alice",))
def delete_one_instance(world: FakeWorld) -> None:
    one(world)
    world.given(ONE.split("---")[0])


@scenario(delete=("instance/alice",))
def delete_what_a_file_declares(world: FakeWorld) -> None:
    one(world)


@scenario()
def scale_a_set_down(world: FakeWorld) -> None:
    files(world)
    crew = ONE.split("---")[0] + "---\nkind: InstanceSet\nmetadata: {name: crew}\n"
    world.given(crew + "spec: {replicas: 3, template: {specialistRef: coder}}")
    world.when_applied()
    world.given(crew + "spec: {replicas: 1, template: {specialistRef: coder}}")


@scenario()
def come_back_after_a_reboot(world: FakeWorld) -> None:
    one(world)
    world.reboot()


ALICE = Ref("Instance", "alice")
CODER = Ref("Specialist", "coder")


@scenario(ask=verbs.stop([ALICE]))
def hold_one_stopped(world: FakeWorld) -> None:
    one(world)


@scenario(ask=verbs.release([ALICE]))
def release_what_was_held_stopped(world: FakeWorld) -> None:
    one(world)
    world.when_asked(verbs.stop([ALICE]))


@scenario()
def go_back_when_the_time_is_over(world: FakeWorld) -> None:
    one(world)
    world.when_asked(verbs.stop([ALICE], Way(override=True, ttl_s=1.0)))
    world.clock.advance(1)


@scenario(ask=verbs.settings("set", [CODER], {"model": "opus"}, Way(override=True)))
def hold_a_model_and_relaunch_what_uses_it(world: FakeWorld) -> None:
    one(world)


@scenario(ask=verbs.notes("label", [CODER], "labels", {"team": "core"}, Way(override=True)))
def hold_a_label(world: FakeWorld) -> None:
    one(world)


@scenario(ask=verbs.relaunch([ALICE], "q-1"))
def relaunch_on_request(world: FakeWorld) -> None:
    one(world)


@scenario(ask=verbs.settings("set", [ALICE], {"model": "opus"}))
def change_what_was_made_by_hand(world: FakeWorld) -> None:
    by_hand(world)
    world.when_applied()


@scenario()
def take_over_what_was_made_by_hand(world: FakeWorld) -> None:
    by_hand(world)
    world.given(ONE.replace("promptFile: prompts/coder.md", "prompt: You write code."))


@scenario()
def adopt_a_session(world: FakeWorld) -> None:
    files(world)
    world.foreign_session("work")
    world.given(
        ONE.replace("{name: alice}", "{name: alice, annotations: {houmao/adopt: IfUnowned}}").replace(
            "{specialistRef: coder}", "{specialistRef: coder, sessionName: work}"
        )
    )


@scenario()
def rename_one_instance(world: FakeWorld) -> None:
    one(world)
    renamed = ONE.replace("{name: alice}", "{name: bea}")
    world.given(renamed + "---\nkind: Moved\nspec: {from: Instance/alice, to: Instance/bea}\n")


@scenario()
def rename_a_specialist(world: FakeWorld) -> None:
    one(world)
    renamed = ONE.replace("{name: coder}", "{name: writer}").replace("specialistRef: coder", "specialistRef: writer")
    world.given(renamed + "---\nkind: Moved\nspec: {from: Specialist/coder, to: Specialist/writer}\n")


def by_hand(world: FakeWorld) -> None:
    """Coder and alice without a manifest."""
    files(world)
    world.initialised()
    coder = document("Specialist", "coder", {"provider": "echo", "prompt": "You write code."})
    world.given(ONLY_PROJECT)
    world.when_asked(verbs.create([coder, document("Instance", "alice", {"specialistRef": "coder"})]))


def stop_what_was_running(world: FakeWorld) -> None:
    one(world)
    world.given(ONE.replace("{specialistRef: coder}", "{specialistRef: coder, state: Stopped}"))
    world.when_applied()
