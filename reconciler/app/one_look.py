"""Ports for one look: what was asked once is not asked again, so that all of an answer speaks of the same moment."""

from collections.abc import Mapping, Sequence

from reconciler.ports.registry import RegistryReader, Scan
from reconciler.ports.tmux import Listing, Screen, TmuxReader, Unanswered, only


class OneScan:
    """The registry for one look: a thousand files are read once."""

    __slots__ = ("_registry", "_scan", "root")

    def __init__(self, registry: RegistryReader) -> None:
        self._registry, self.root = registry, registry.root
        self._scan: Scan | None = None

    def scan(self) -> Scan:
        """As the port says; remembered."""
        if self._scan is None:
            self._scan = self._registry.scan()
        return self._scan


class OneTrip:
    """tmux for one look: the listing and the screens of `panes` come in one trip, and are remembered for the look.

    With `uid` it is a look at one agent alone: the listing holds its panes and no others.
    """

    __slots__ = ("_listing", "_panes", "_screens", "_tmux", "_uid", "socket")

    def __init__(self, tmux: TmuxReader, panes: Sequence[str], uid: str = "") -> None:
        self._tmux, self._panes, self._uid = tmux, tuple(panes), uid
        self._listing: Listing | Unanswered | None = None
        self._screens: dict[str, Screen | Unanswered] = {}
        self.socket = tmux.socket

    def listing(self, uid: str = "") -> Listing | Unanswered:
        """As the port says, of what this look is at; the first question brings the screens along."""
        if self._listing is None:
            self._listing, found = self._tmux.glance(self._panes, self._uid)
            self._screens |= found
        return only(self._listing, uid)

    def known(self, pane_id: str) -> Screen | Unanswered | None:
        """What the look brought along of a pane; None where it did not."""
        return self._screens.get(pane_id)

    def capture(self, pane_id: str, lines: int = 0) -> Screen | Unanswered:
        """As the port says; remembered without scrollback."""
        return self._tmux.capture(pane_id, lines) if lines else self.captures((pane_id,))[pane_id]

    def captures(self, pane_ids: Sequence[str]) -> Mapping[str, Screen | Unanswered]:
        """As the port says; only what is not known yet is asked for."""
        self.listing()
        left = [pane for pane in dict.fromkeys(pane_ids) if pane not in self._screens]
        if left:
            self._screens |= self._tmux.captures(left)
        return {pane: self._screens[pane] for pane in pane_ids}

    def glance(
        self, pane_ids: Sequence[str], uid: str = ""
    ) -> tuple[Listing | Unanswered, Mapping[str, Screen | Unanswered]]:
        """As the port says."""
        listed = self.listing(uid)
        return listed, self.captures(pane_ids)

    def environment(self, session_id: str, name: str) -> str | Unanswered | None:
        """As the port says."""
        return self._tmux.environment(session_id, name)

    def attach_command(self, session_id: str) -> tuple[str, ...]:
        """As the port says."""
        return self._tmux.attach_command(session_id)
