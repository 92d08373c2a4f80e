"""What was said on a screen that scrolls, put together from looks: nothing twice, nothing lost between two of them."""

from collections.abc import Sequence

UNSETTLED = 12
"""Lines at the lower end that may still change: one that is being written, a table that is drawn anew."""


class Transcript:
    """All lines since the first look; each look is a window on its lower end."""

    __slots__ = ("_before", "_lines")

    def __init__(self, before: Sequence[str]) -> None:
        self._before = _trimmed(before)
        self._lines: Sequence[str] = self._before

    def see(self, window: Sequence[str]) -> None:
        """Lay a look over what is known, where most of its beginning agrees; where nothing does, all was drawn anew."""
        if window := _trimmed(window):
            known = self._lines
            at = max(range(len(known) + 1), key=lambda at: (_agreeing(known, at, window), -at))
            self._lines = [*known[:at], *window]

    def answer(self, prompt: str, mark: str, *, over: bool) -> Sequence[str]:
        """The lines below the prompt as it was drawn; while it is not over, those that do not change any more."""
        fresh = self._fresh(self._lines if over else self._lines[: _settled(self._lines)])
        below = _echo(fresh, prompt, mark)
        if below is None and over:
            # A long prompt is repeated in short: by a word on how long it is.
            below = max((at + 1 for at, line in enumerate(fresh) if line.startswith(mark)), default=0)
        return _trimmed(fresh[below:]) if below is not None else ()

    def begun(self, prompt: str, mark: str) -> bool:
        """Whether the program has taken the prompt up: it repeats it."""
        return _echo(self._fresh(self._lines), prompt, mark) is not None

    def _fresh(self, lines: Sequence[str]) -> Sequence[str]:
        """What was not there before."""
        pairs = enumerate(zip(self._before, lines, strict=False))
        start = next((at for at, (old, new) in pairs if old != new), min(len(self._before), len(lines)))
        return lines[start:]


def _settled(lines: Sequence[str]) -> int:
    """How many lines have enough below them; blank ones hold nobody's place."""
    said = [at for at, line in enumerate(lines) if line]
    return said[-UNSETTLED] if len(said) >= UNSETTLED else 0


def _agreeing(known: Sequence[str], at: int, window: Sequence[str]) -> int:
    """How many lines that say something are the same, from `at` on."""
    count = 0
    for line, other in zip(known[at:], window, strict=False):
        if line != other:
            break
        count += bool(line)
    return count


def _trimmed(lines: Sequence[str]) -> Sequence[str]:
    """Without blank lines at either end."""
    said = [at for at, line in enumerate(lines) if line]
    return lines[said[0] : said[-1] + 1] if said else ()


def _echo(lines: Sequence[str], prompt: str, mark: str) -> int | None:
    """Below the newest place where a program repeats the prompt; None where it does not."""
    wanted = "".join(prompt.split())
    for at in range(len(lines) - 1, -1, -1):
        if not lines[at].startswith(mark):
            continue
        told, end = "".join(lines[at].removeprefix(mark).split()), at + 1
        while end < len(lines) and wanted.startswith(told) and len(told) < len(wanted):
            told += "".join(lines[end].split())
            end += 1
        if told == wanted:
            return end
    return None
