"""A session is known by the uid it carries: its name may be another's by now."""

from reconciler.testing.fake_world import FakeWorld
from tests.stories.fleets import ALICE, CODER, PROMPT, TEXT


def test_who_took_its_name_is_left_alone_when_it_is_relaunched_and_removed(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    mine = fake_world.tmux.named(fake_world.session_of("alice").session_name)
    assert mine is not None
    name, mine.name = mine.name, "renamed-by-hand"
    theirs = fake_world.tmux.foreign(name)

    fake_world.given_file(PROMPT, "Something else.\n")
    report = fake_world.when_applied()

    assert report.told[-1].startswith("relaunch Instance/alice")
    assert fake_world.tmux.named(name) is theirs
    assert "renamed-by-hand" not in fake_world.sessions, "the one that carries its uid was to be ended"
    fake_world.when_applied()
    fake_world.given(CODER)
    fake_world.when_applied(prune=True, allow_kind_removal=("Instance",))
    assert list(fake_world.sessions) == [name]
