"""Which agents are in the middle of something: by their screens, and of headless ones by their turns."""

from collections.abc import Iterable

from reconciler.app.sight import read as read_screen
from reconciler.engine.handler import Case, Present
from reconciler.model.errors import ReconcilerError
from reconciler.model.ref import Ref
from reconciler.ports.bundle import Reader
from reconciler.ports.process import NoAnswer, ProcessFacts
from reconciler.ports.reading import ScreenState
from reconciler.ports.tmux import Unanswered

WORDS = {ScreenState.BUSY: "it is in the middle of a turn", ScreenState.ASKING: "it waits for an answer"}


def busy(cases: Iterable[Case], reader: Reader) -> dict[Ref, str]:
    """What each of them is busy with; one of which that cannot be told counts as busy."""
    found: dict[Ref, str] = {}
    terminals: dict[Ref, tuple[str, str]] = {}
    for case in cases:
        if case.row is None:
            continue
        if case.row.live.get("backend", "").endswith("_headless"):
            doing = _turn(case.row.live.get("session_manifest", "").rpartition("/")[0], reader)
            if doing:
                found[case.ref] = doing
        elif isinstance(case.seen, Present):
            pane = case.seen.parts["session"].facts.get("pane")
            if isinstance(pane, str):
                terminals[case.ref] = pane, case.row.live.get("provider", "")
    screens = reader.tmux.captures(sorted({pane for pane, _ in terminals.values()})) if terminals else {}
    for ref, (pane, name) in terminals.items():
        screen, provider = screens.get(pane), reader.providers.get(name)
        if provider is None or screen is None or isinstance(screen, Unanswered):
            found[ref] = "its screen cannot be read"
            continue
        state = read_screen(provider, screen).state
        if state not in (ScreenState.IDLE, ScreenState.CRASHED, ScreenState.STARTING):
            found[ref] = WORDS.get(state, f"its screen is {state.value}")
    return found


def _turn(session_root: str, reader: Reader) -> str:
    """What a headless agent does now. The process of its newest turn tells, which writes the turn's end last."""
    if not session_root:
        return ""
    try:
        log = reader.requests.log(session_root, create=False)
        if log is None:
            return ""
        try:
            rows = log.turns()
        finally:
            log.close()
        if not rows or not rows[-1].pid:
            return ""
        facts = reader.process.facts([rows[-1].pid]).get(rows[-1].pid)
    except ReconcilerError as fault:
        return f"whether it is in the middle of a turn cannot be told ({fault.message})"
    if isinstance(facts, NoAnswer):
        return f"whether it is in the middle of a turn cannot be told ({facts.why})"
    runs = isinstance(facts, ProcessFacts) and not facts.exited and facts.start_ticks == rows[-1].ticks
    return f"it is in the middle of {rows[-1].id}" if runs else ""
