"""Every verb on an instance that has, had, or gets a gateway; `SCENARIOS` are those of `scenarios` and these."""

from reconciler.testing.fake_world import FakeWorld
from tests.crash.scenarios import KINDS, ONE, SCENARIOS, files, one, scenario

__all__ = ["SCENARIOS"]

GATEWAY = "{specialistRef: coder, gateway: {enabled: true}}"
DETACHED = "{specialistRef: coder, gateway: {enabled: true, background: true, port: 42002}}"


def with_gateway(gateway: str) -> str:
    """Alice with a gateway."""
    return ONE.replace("{specialistRef: coder}", gateway)


def guarded(world: FakeWorld, gateway: str = GATEWAY) -> None:
    files(world)
    world.given(with_gateway(gateway))
    world.when_applied()


@scenario()
def create_with_gateways(world: FakeWorld) -> None:
    files(world)
    bob = with_gateway(DETACHED).split("---")[1].replace("alice", "bob")
    world.given(f"{with_gateway(GATEWAY)}---{bob}")


@scenario()
def heal_a_dead_gateway(world: FakeWorld) -> None:
    guarded(world)
    world.kill_gateway_of("alice")


@scenario()
def heal_a_dead_detached_gateway(world: FakeWorld) -> None:
    guarded(world, DETACHED)
    world.kill_gateway_of("alice")


@scenario()
def move_a_gateway_out_of_its_window(world: FakeWorld) -> None:
    guarded(world)
    world.given(with_gateway(DETACHED))


@scenario()
def end_a_gateway_that_is_not_declared_any_more(world: FakeWorld) -> None:
    guarded(world, DETACHED)
    world.given(ONE)


@scenario()
def give_a_running_agent_a_gateway(world: FakeWorld) -> None:
    one(world)
    world.given(with_gateway(GATEWAY))


@scenario()
def relaunch_with_a_gateway(world: FakeWorld) -> None:
    guarded(world, DETACHED)
    world.given_file("prompts/coder.md", "You write better code.\n")


@scenario()
def come_back_with_a_gateway(world: FakeWorld) -> None:
    guarded(world)
    world.kill_session_of("alice")


@scenario()
def come_back_beside_a_gateway_that_stayed(world: FakeWorld) -> None:
    guarded(world, DETACHED)
    world.kill_session_of("alice")


@scenario()
def stop_with_a_gateway(world: FakeWorld) -> None:
    guarded(world, DETACHED)
    world.given(with_gateway(DETACHED.replace("coder,", "coder, state: Stopped,")))


@scenario()
def stop_what_only_left_its_gateway(world: FakeWorld) -> None:
    stop_with_a_gateway(world)
    world.kill_session_of("alice")


@scenario({"prune": True, "allow_kind_removal": KINDS})
def remove_with_a_gateway(world: FakeWorld) -> None:
    guarded(world, DETACHED)
    world.given(ONE.split("---")[0])
