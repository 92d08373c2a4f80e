"""Agents that run on another tmux server than the one a run looks at: left alone, and how to look there is said."""

from reconciler.testing.fake_world import FakeWorld
from tests.stories.fleets import ALICE, PROMPT, TEXT


def test_a_deletion_says_which_variable_has_it_look_at_the_other_server(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    here = fake_world.tmux.socket
    fake_world.kill_session_of("alice")  # the other server lists none of ours
    fake_world.tmux.socket = "/elsewhere/tmux-1000/default"

    deleted = fake_world.when_deleted("instance/alice")

    assert deleted.report.exit_code == 1
    (notice,) = deleted.report.plan.notices
    assert notice.text == (
        f"not deleted: it was started on the tmux server at {here}, and this run looks at "
        "/elsewhere/tmux-1000/default; to have it look there, set HOUMAO_TMUX_SOCKET to the first path"
    )
