"""A world in which nobody leads: there is nobody to ask for a turn, and no desk to ask at."""

from reconciler.ports.turns import Desk, Turn


class NoTurns:
    """`ports.turns.Turns` of a story with one writer at a time."""

    def desk(self, lock: str) -> Desk | None:
        """No desk."""
        return None

    def ask(self, lock: str, verb: str) -> Turn | None:
        """Nobody there."""
        return None
