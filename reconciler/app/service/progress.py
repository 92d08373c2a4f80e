"""What the runs of an overlay came to, for who asks how its watch is: the last run, its revision, and what fails."""

from reconciler.app.session import Flags, open_session
from reconciler.model.json import JsonMap


def progress(flags: Flags) -> JsonMap:
    """As the catalog has it, watch or none; all empty where there is no overlay yet. Writes nothing.

    `failing` counts what is recorded; one whose first create failed shows in `last_outcome` alone.
    """
    session = open_session(flags)
    body: JsonMap = dict.fromkeys(
        (
            "last_run",
            "last_outcome",
            "last_ended",
            "revision",
            "source_revision",
            "failing",
            "last_error",
            "next_attempt",
        )
    )
    if not session.overlay_exists:
        return body
    catalog = session.reader.catalog
    rows = {row.uid: row.ref for row in catalog.inventory()}
    failing = sorted((each for each in catalog.attempts().values() if each.uid in rows), key=lambda one: one.next_at)
    body["failing"] = len(failing)
    if failing:
        first = failing[0]
        body["last_error"] = f"{rows[first.uid]}: {first.message} [{first.code}]"
        body["next_attempt"] = first.next_at or None
    for run in catalog.runs(1):
        body["last_run"], body["last_outcome"], body["last_ended"] = run.id, run.outcome, run.ended or None
        body["revision"], body["source_revision"] = run.revision or None, run.source_revision or None
    return body
