"""The nearest known word to a mistyped one, for the hints of load errors (R-LOAD-11).

Distance counts insertions, deletions, substitutions and swaps of neighbours. Letter case, `-` and `_` do not count:
`session_name` is `sessionName` in another accent. Written by hand because `difflib` costs more to import than all of
this costs to run.
"""

from collections.abc import Iterable

_LONGEST = 80
"""A longer word was not mistyped; it is something else."""


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate closest to `word`, or None where none is close; ties go to the first in alphabetical order.

    Close is at most one edit in three letters; one edit is always allowed, as long as a letter is left in common.
    """
    plain = _plain(word)
    if not plain or len(plain) > _LONGEST:
        return None
    best: tuple[int, str] | None = None
    for candidate in candidates:
        other = _plain(candidate)
        allowed = max(1, min(len(plain), len(other)) // 3)
        if abs(len(plain) - len(other)) > allowed:
            continue
        distance = _distance(plain, other)
        if distance <= allowed and distance < max(len(plain), len(other)):
            best = min(best, (distance, candidate)) if best else (distance, candidate)
    return best[1] if best else None


def _plain(word: str) -> str:
    return word.replace("-", "").replace("_", "").lower()


def _distance(left: str, right: str) -> int:
    """Optimal string alignment distance; rows of the usual table, three kept."""
    before: list[int] = []
    above = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        line = [row]
        for column, other in enumerate(right, 1):
            cost = min(line[-1] + 1, above[column] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, above = above, line
    return above[-1]
