"""A writer that was replaced just before a step takes it no more: told on the twin, at every step of a relaunch.

`test_a_writer_that_was_replaced` has real programs that are really stopped; this is every moment, in milliseconds.
"""

from contextlib import suppress

import pytest

from reconciler.app.apply import apply
from reconciler.app.request import PlanFlags, RunFlags, Source
from reconciler.model.errors import TokenLost
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.invariants import check_invariants

ONE = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, promptFile: prompts/coder.md}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
"""
STEPS = ("ask-quit", "wait-quit", "kill-session", "end-process", "write-home", "write-manifest", "start-session",
         "publish-record", "settled")  # fmt: skip


def state(world: FakeWorld) -> dict[str, object]:
    """All that a writer could change. What is committed counts, not which bytes of the file hold it."""
    files = {name: found for name, found in world.bytes().items() if not name.endswith(("catalog.sqlite", "/lock"))}
    reader = world.look()
    return {**files, "rows": world.rows, "panes": world.panes, "runs": reader.catalog.runs(9),
            "intents": reader.catalog.intents(), "signals": list(world.process.signals)}  # fmt: skip


def another_apply(world: FakeWorld) -> bool:
    """Of a second program: nobody watches it, so that it waits for none of the first one's threads."""
    watch, world.watch = world.watch, None
    try:
        report = apply(world.flags, Source((str(world.source),)), PlanFlags(), RunFlags(yes=True),
                       confirm=lambda plan: True, shown=lambda plan: None, emit=lambda kind, fields: None)  # fmt: skip
    finally:
        world.watch = watch
    return report.exit_code == 0


@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_written_killed_or_published_any_more(fake_world: FakeWorld, step: str) -> None:
    world = fake_world
    world.given_file("prompts/coder.md", "You write code.\n")
    world.given(ONE)
    world.when_applied()
    world.given_file("prompts/coder.md", "You write better code.\n")
    then: dict[str, object] = {}

    def on_point(point: str, phase: str, ref: Ref) -> None:
        if (point, phase) != (f"relaunch/Instance:{step}", "before") or then:
            return
        lock = world.overlay / "lock"
        lock.rename(lock.with_name("lock.old"))  # only so can there be a second writer beside it
        assert another_apply(world)
        lock.with_name("lock.old").unlink()
        then.update(state(world))

    with suppress(TokenLost):  # or its step is stale, and only the end of the run is refused
        world.when_applied(on_point=on_point)
    assert then, "it never came there"
    now = state(world)
    assert [key for key in then if then[key] != now.get(key)] == []
    assert now.keys() == then.keys()
    assert check_invariants(world) == []
    world.when_applied()
    assert world.running == {"alice"}
    assert world.when_planned().in_sync
