"""What echo's screen says: the title names the state, and the lowest row, drawn with it, must agree."""

import re
from collections.abc import Sequence

from reconciler.build import screen as shared
from reconciler.ports.reading import DialogKind, Reading, Tri, TurnResult
from reconciler.ports.tmux import Screen

PROMPT = re.compile(r"^echo>(?: (?P<typed>.*))?$")
WORKING = re.compile(r"^… working \(esc to interrupt\)(?P<queued>  \[\d+ queued\])?(?:  (?P<typed>.*))?$")
DIALOGS: tuple[shared.DialogSign, ...] = (
    (DialogKind.TRUST, re.compile(r"^Do you trust this folder\? \(y/N\)", re.MULTILINE)),
)
CRASHED = re.compile(r"^echo-agent: ")
ENDS = (("✓ done", TurnResult.SUCCESS), ("interrupted", TurnResult.INTERRUPTED))
OWN = re.compile(r"^✓ done$")
"""Lines that are no part of an answer."""


def read(screen: Screen) -> Reading:
    """What one capture says."""
    found = _found(screen)
    return shared.reading(found) if found is not None else shared.HEADLESS


def said(screen: Screen) -> Sequence[str]:
    """What was said above the prompt box, the oldest line first, without what the program tells of its own work."""
    return shared.above_the_box(_found(screen), OWN)


def _found(screen: Screen) -> shared.Found | None:
    """What there is to see; None where nothing runs between turns."""
    seen = shared.picture(screen)
    if seen.headless:
        return None
    lines = seen.lines
    lowest = lines[-1] if lines else ""
    prompt = PROMPT.match(lowest) if seen.title == "echo: ready" else None
    working = WORKING.match(lowest) if seen.title == "echo: busy" else None
    row = prompt or working
    if row is None:
        return shared.Found(
            said=lines,
            asking=shared.question(DIALOGS, lines[-1:]) if seen.title == "echo: asking" else None,
            crashed=seen.ended or CRASHED.match(lowest) is not None,
            starting=not lines or seen.title == "echo: starting",
            result=TurnResult.UNKNOWN if lines else TurnResult.NONE,
            anomalies=("title_disagrees",) if seen.title in ("echo: ready", "echo: busy") else (),
        )
    said = lines[:-1]
    return shared.Found(
        said=said,
        box=row["typed"] or "",
        queued=bool(working and working["queued"]),
        busy=Tri.YES if working else Tri.NO,
        result=_newest(said),
    )


def _newest(said: Sequence[str]) -> TurnResult:
    """A turn's last line tells how it ended, whatever was said above."""
    lowest = said[-1] if said else ""
    if lowest.startswith("error: "):
        return TurnResult.KNOWN_FAILURE
    if any(line.startswith("● ") for line in said):
        return next((result for end, result in ENDS if lowest == end), TurnResult.UNKNOWN)
    return TurnResult.NONE
