"""Control intents that stand beside each other in the queue become one. Pure.

Interrupts collapse into one; of exact prompts `/compact` < `/clear` < `/new` the strongest stays. Only neighbours of
one epoch: a real prompt between two of them keeps its place.
"""

from collections.abc import Sequence

from reconciler.ports.gateway import Kind, Row

STRENGTH = {"/compact": 1, "/clear": 2, "/new": 3}


def superseded(rows: Sequence[Row]) -> dict[str, str]:
    """Id of each row that another takes over, to the id of that other; `rows` are those in line, oldest first."""
    gone: dict[str, str] = {}
    kept: Row | None = None
    for row in rows:
        if kept is not None and row.epoch == kept.epoch and (family := _family(row)) and family == _family(kept):
            weaker, stronger = (kept, row) if _strength(row) >= _strength(kept) else (row, kept)
            if family == "interrupt":
                weaker, stronger = row, kept
            gone[weaker.id] = stronger.id
            kept = stronger
            continue
        kept = row
    return {row_id: _final(gone, taken) for row_id, taken in gone.items()}


def _final(gone: dict[str, str], row_id: str) -> str:
    while row_id in gone:
        row_id = gone[row_id]
    return row_id


def _family(row: Row) -> str:
    if row.kind is Kind.INTERRUPT:
        return "interrupt"
    return "chat" if _strength(row) else ""


def _strength(row: Row) -> int:
    prompt = row.payload.get("prompt")
    # More than a text is no command of the program: a choice of conversation or model goes with it.
    if row.kind is not Kind.SUBMIT_PROMPT or not isinstance(prompt, str) or len(row.payload) > 1:
        return 0
    return STRENGTH.get(prompt.strip(), 0)
