"""What `houmao top` says, as text: cells, headline, preview. Nothing of it knows a terminal.

All text of agents goes through `table.on_one_line`: no escape sequence, no control of direction, no line break is left,
and none is longer than any terminal is wide.
"""

from collections.abc import Sequence
from datetime import datetime

from reconciler.app import status
from reconciler.app.top import Board, Event, Row
from reconciler.cli.table import on_one_line

HEADERS = ("NAME", "PROVIDER", "STATE", "SYNCED", "READY", "PHASE", "EVENT")
LONGEST = 500
"""Characters of any one line; of them a terminal shows what fits."""
WIDEST_NAME = 24
KEYS = "p prompt  i interrupt  r relaunch  a attach  / filter  ? help  q quit"
NOBODY = "No agent is recorded; `houmao apply` starts some."
HELP = """\
↑ ↓ PgUp PgDn   choose an agent; below the table is what its terminal shows
p               give it a prompt; refused while it is busy
i               interrupt its turn
r               relaunch it, after one question
a               attach to its terminal; Ctrl-b d comes back
/               show only agents whose row holds each word; empty shows all
?               this help; any key closes it
q, Ctrl-c       quit; the agents go on

The keys do what `houmao agents single … prompt, interrupt, relaunch`
and `houmao attach` do, with the same checks.

SYNCED  False where an apply of the same declarations would do something
READY   True where every declared probe holds
PHASE   ready: waits for a prompt   active: a turn runs
        blocked: it asks something  unknown: nobody can tell from its screen
EVENT   the newest request, or what was seen to change"""


def clean(text: str) -> str:
    """One line that may be shown."""
    return on_one_line(text[:LONGEST])


def cells(row: Row, now: datetime) -> tuple[str, ...]:
    """What its line of the table says, in the order of HEADERS."""
    values = (row.name, row.provider, row.state, row.synced, row.ready, row.phase or "-", happened(row.event, now))
    return tuple(clean(value) for value in values)


def happened(event: Event | None, now: datetime) -> str:
    """`turn ended 12s ago`."""
    if event is None:
        return ""
    return event.text if event.at is None else f"{event.text} {status.age(event.at, now)} ago"


def headline(board: Board, shown: Sequence[Row], width: int) -> str:
    """Which fleet it is, how many agents there are and how they are, and when that was; the time is never cut off."""
    count = len(board.rows)
    words = [f"{count} agent{'' if count == 1 else 's'}" if len(shown) == count else f"{len(shown)} of {count} agents"]
    for phase in ("active", "blocked"):
        if found := sum(1 for row in board.rows if row.phase == phase):
            words.append(f"{found} {phase}")
    if off := sum(1 for row in board.rows if row.synced != "True"):
        words.append(f"{off} not in sync")
    if broken := sum(1 for row in board.rows if row.health.partition(" ")[0] not in ("healthy", "stopped", "absent")):
        words.append(f"{broken} broken")
    left = f"houmao top  {clean(board.project.rpartition('/')[2])}: {', '.join(words)}"
    right = f"{board.at:%H:%M:%S}Z"
    room = max(0, width - len(right) - 1)
    return f"{left[:room]:<{room}} {right}"


def title(row: Row) -> str:
    """The line above the preview: whose terminal it is, and why it is not in order."""
    where = f" in {row.session}" if row.session and row.screen is not None else ""
    return clean(f"{row.name}: {row.health}{where}{f'; {row.why}' if row.why else ''}")


def preview(row: Row, height: int) -> list[str]:
    """The lower end of its screen."""
    if row.screen is None:
        return ["(nothing is known of its terminal)" if row.state.startswith("Running") else "(it does not run)"]
    return [clean(line) for line in row.lower(height)]


def chosen(board: Board, text: str) -> tuple[Row, ...]:
    """Rows that hold every word of `text`, whatever the letter case; a word `key=value` is a label."""
    words = text.lower().split()
    return tuple(row for row in board.rows if all(_holds(row, word) for word in words))


def _holds(row: Row, word: str) -> bool:
    labels = [f"{key}={value}" for key, value in row.labels.items()]
    event = [row.event.text] if row.event else []
    said = [row.name, row.provider, row.state, row.health, row.phase, *labels, *event]
    return any(word in text.lower() for text in said)


def widths(rows: Sequence[Sequence[str]], room: int) -> tuple[int, ...]:
    """Of each column, the last one taking what is left of `room`; a gap of two stands behind each."""
    found = [max(map(len, column)) for column in zip(HEADERS, *rows, strict=True)]
    found[0] = min(found[0], WIDEST_NAME)
    found[2] = min(found[2], WIDEST_NAME)
    left = room - sum(found[:-1]) - 2 * len(found)
    return (*found[:-1], max(len(HEADERS[-1]), left))
