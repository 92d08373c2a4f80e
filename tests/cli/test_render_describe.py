"""A description as text."""

from io import StringIO

from reconciler.app.describe import Link, describe
from reconciler.cli import render_describe
from reconciler.cli.screen import Screen
from reconciler.ports.catalog import Attempt
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world
from tests.cli.conftest import TEAM

__all__ = ["fake_world"]


def test_a_failed_try_is_shown_with_how_often_and_when_next(fake_world: FakeWorld) -> None:
    fake_world.given(TEAM.removeprefix("apiVersion: houmao/v1alpha1\n"))
    fake_world.when_applied()
    found = describe(fake_world.flags, ("instance/alice",))
    assert found.item.uid is not None
    attempt = Attempt(found.item.uid, "transient", 3, "2026-01-02T03:04:05.678+00:00", "d", "tmux.silent", "no answer")
    found = found._replace(
        item=found.item._replace(attempt=attempt), chain=(Link(found.item.ref, "the last try failed"),)
    )
    out = StringIO()

    render_describe.show(found, Screen(out))

    assert "  last error: [transient] tmux.silent: no answer\n" in out.getvalue()
    assert "  tried 3 times; not before 2026-01-02T03:04:05Z again\n" in out.getvalue()
