"""What the inventory says of the parts of an instance, beside what is seen of them."""

from collections.abc import Iterator

from reconciler.engine.handler import Part, Seen, Unknown
from reconciler.kinds.instance.gateway_part import handles
from reconciler.model.json import Json
from reconciler.ports.catalog import InventoryRow

NONE = Part(False, {}, "")


def differences(row: InventoryRow, seen: Seen) -> Iterator[tuple[str, Json, Json, str]]:
    """Name, recorded, seen and why, of every part that is not as recorded."""
    if isinstance(seen, Unknown):
        return
    live, parts = row.live, seen.parts
    runs = live.get("state") == "running"
    session, process = parts.get("session", NONE), parts.get("process", NONE)
    rows: list[tuple[str, Json, Part, Json]] = [
        ("session", live.get("session") if runs else None, session, session.facts.get("id")),
        ("process", _handle(live.get("pid"), live.get("ticks")) if runs else None, process, _running(process)),
        ("record", live.get("record") or None, parts.get("record", NONE), _record(parts.get("record", NONE))),
        ("home", live.get("home") or None, parts.get("home", NONE), parts.get("home", NONE).facts.get("path")),
        (
            "gateway",
            _handle(live.get("gateway_pid"), live.get("gateway_ticks")) if live.get("gateway") else None,
            parts.get("gateway", NONE),
            _handle(*handles(parts.get("gateway", NONE))),
        ),
    ]
    for name, recorded, part, found in rows:
        if part.present is None:
            continue
        now = found if part.present else None
        if recorded != now:
            yield name, recorded, now, "" if part.present else part.why
    mark = session.facts.get("mark")
    if runs and session.present and live.get("mark") and mark != live["mark"]:
        yield "session.mark", live["mark"], mark, ""


def _handle(pid: Json, ticks: Json) -> Json:
    return f"{pid} started at {ticks}" if pid else None


def _running(part: Part) -> Json:
    return _handle(part.facts.get("pid"), part.facts.get("ticks"))


def _record(part: Part) -> Json:
    return part.facts.get("digest") or part.facts.get("corrupt")
