"""A watch over a world's source, as tests and measurements start it: confirmed, with nothing shown."""

from collections.abc import Callable

from reconciler.app.request import Emit, PlanFlags, RunFlags, Source
from reconciler.app.watch.lead import Ended, MakeWakers, WatchFlags, watch
from reconciler.engine.orders import Probe, no_probe
from reconciler.testing.world import World


def watched(
    world: World,
    wakers: MakeWakers,
    stopping: Callable[[], int | None],
    emit: Emit,
    *,
    probe: Probe = no_probe,
    watching: WatchFlags | None = None,
) -> Ended:
    """Watch until `stopping` says so."""
    return watch(
        world.flags,
        Source((str(world.source),), recursive=True),
        PlanFlags(),
        RunFlags(yes=True, stopping=stopping, probe=probe),
        watching or WatchFlags(),
        wakers=wakers,
        shown=lambda plan: None,
        emit=emit,
    )
