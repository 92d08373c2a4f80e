"""A world in which nobody leads: there is nobody to ask for a turn, and no desk to ask at."""

from reconciler.ports.lending import Desk, Loan


class NoLending:
    """`ports.lending.Lending` of a story with one writer at a time."""

    def desk(self, lock: str) -> Desk | None:
        """No desk."""
        return None

    def ask(self, lock: str, verb: str) -> Loan | None:
        """Nobody there."""
        return None
