"""The mark on a session: what was started, by whom (R-OWN-4). `<generation> <launch digest> <overlay id> <token>`."""

from reconciler.model.tuples import NamedTuple


class SessionMark(NamedTuple):
    """One option value on the tmux session."""

    generation: int
    launch_digest: str
    overlay_id: str
    token: int

    def __str__(self) -> str:
        return f"{self.generation} {self.launch_digest} {self.overlay_id} {self.token}"


def parse(text: object) -> SessionMark | None:
    """The mark, or None when somebody wrote something else there."""
    parts = str(text).split(" ") if isinstance(text, str) else []
    if len(parts) != 4 or not parts[0].isdigit() or not parts[3].isdigit():
        return None
    return SessionMark(int(parts[0]), parts[1], parts[2], int(parts[3]))
