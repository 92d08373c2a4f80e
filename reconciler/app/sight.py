"""What a screen says, for whoever looks once: the provider's reading, and a digest to know the screen again by."""

from reconciler.ports.provider import Provider
from reconciler.ports.reading import Reading, digest_of
from reconciler.ports.tmux import Screen


def read(provider: Provider, screen: Screen) -> Reading:
    """One picture, read by its provider; what nobody knows is unknown, never ready."""
    return provider.reading(screen)


def sight(screen: Screen) -> str:
    """Equal for equal pictures."""
    return digest_of(f"{screen.title}\n{screen.text}")
