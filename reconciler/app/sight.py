"""What a screen says, for whoever looks once: the provider's reader, and a digest to know the screen again by."""

from reconciler.ports.provider import Provider
from reconciler.ports.reading import Dialog, DialogKind, Reading, ScreenState, Surface, Tri, digest_of
from reconciler.ports.tmux import Screen


def read(provider: Provider, screen: Screen) -> Reading:
    """One picture, read by its provider; what nobody knows is unknown, never ready."""
    return _by_state(ScreenState(provider.screen(screen).value))


def sight(screen: Screen) -> str:
    """Equal for equal pictures."""
    return digest_of(f"{screen.title}\n{screen.text}")


def _by_state(state: ScreenState) -> Reading:
    """The word of a reader that tells no more than one, as a reading."""
    idle = state is ScreenState.IDLE
    return Reading(
        surface=Surface(
            Tri.YES if idle else Tri.UNKNOWN,
            Tri.UNKNOWN,
            Tri.YES if idle else Tri.UNKNOWN,
            Tri.NO if idle else Tri.UNKNOWN,
        ),
        busy=Tri.YES if state is ScreenState.BUSY else Tri.UNKNOWN,
        asking=Dialog(DialogKind.OTHER, "") if state is ScreenState.ASKING else None,
        crashed=state is ScreenState.CRASHED,
        starting=state is ScreenState.STARTING,
    )
