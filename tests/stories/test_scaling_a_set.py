"""An InstanceSet grows and shrinks at its end; who stays, stays the same."""

from reconciler.testing.world import World
from tests.stories.fleets import CODER, PROMPT, TEXT


def crew(replicas: int) -> str:
    spec = f"{{replicas: {replicas}, template: {{specialistRef: coder}}}}"
    return CODER + f"---\nkind: InstanceSet\nmetadata: {{name: crew}}\nspec: {spec}\n"


def test_a_set_grows_and_shrinks_and_keeps_who_stays(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(crew(2))
    world.when_applied()
    first = world.uids
    assert world.running == {"crew-0", "crew-1"}

    world.given(crew(3))
    grown = world.when_applied()
    assert grown.told == ["update InstanceSet/crew SpecChanged", "create Instance/crew-2 New"]
    assert {ref: uid for ref, uid in world.uids.items() if ref in first} == first

    panes = {name: world.session_of(name) for name in ("crew-0",)}
    world.given(crew(1))
    shrunk = world.when_applied()
    assert sorted(shrunk.told) == [
        "remove Instance/crew-1 OwnerShrank",
        "remove Instance/crew-2 OwnerShrank",
        "update InstanceSet/crew SpecChanged",
    ]
    assert shrunk.settled
    assert world.running == {"crew-0"}
    assert world.session_of("crew-0") == panes["crew-0"]
    assert world.uids["Instance/crew-0"] == first["Instance/crew-0"]
    assert world.when_planned().in_sync


def test_a_member_that_comes_again_is_another_one(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(crew(2))
    fake_world.when_applied()
    gone = fake_world.uids["Instance/crew-1"]
    fake_world.given(crew(1))
    fake_world.when_applied()

    fake_world.given(crew(2))
    fake_world.when_applied()

    assert fake_world.running == {"crew-0", "crew-1"}
    assert fake_world.uids["Instance/crew-1"] != gone
    assert fake_world.when_planned().in_sync
