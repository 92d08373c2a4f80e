"""The one table that says how an agent is, from its parts (runtime-and-fleet-api §12.3). Pure.

    class      reason            session  process  record   home      what it means
    unknown    Unobserved           ?        ?        ·       ·       tmux or the process table gave no answer
    unknown    Ambiguous            2        ·        ·       ·       two sessions, or two records, claim its uid
    stale      Survivor             no      yes       ·       ·       its session is gone, its process is not
    stale      SessionMissing       no       no       ·       ·       recorded as running
    retired    Retired              no       no    retired    ·       its session root was cleaned up
    stopped    Stopped              no       no       ·       ·       recorded as stopped
    absent     NeverStarted         no       no       ·      none     nothing of it was ever started
    degraded   MissingPrimary      yes       no       ·       ·       no pane of its session is the agent's
    degraded   StaleHandles        yes       no       ·       ·       the agent's pane is not the one that was started
    degraded   ProviderExited      yes       no       ·       ·       its program ended, or another one runs in its pane
    degraded   RecordMissing       yes      yes       no      ·       the registry does not know it
    degraded   RecordCorrupt       yes      yes    unreadable ·       nor can anybody read what it says
    degraded   HomeMissing         yes      yes      yes      no      its home or its manifest is gone
    healthy    Running             yes      yes      yes     yes

The first row that fits counts. An agent whose session and process are there can be talked to, whatever else is missing:
`reachable` says so.
"""

from reconciler.engine.handler import Absent, Part, Seen, Unknown
from reconciler.model.health import Health

_NONE = Part(None, {})


def health_of(seen: Seen, *, recorded_running: bool, retired: bool = False, started: bool = True) -> tuple[Health, str]:
    """The class and its reason word; `started` is False where nothing of it was ever started."""
    if isinstance(seen, Unknown):
        return Health.UNKNOWN, "Ambiguous" if seen.ambiguous else "Unobserved"
    session, process = seen.parts.get("session"), seen.parts.get("process")
    if isinstance(seen, Absent) or session is None or session.present is False:
        if process is not None and process.present:
            return Health.STALE, "Survivor"
        if recorded_running:
            return Health.STALE, "SessionMissing"
        if retired:
            return Health.RETIRED, "Retired"
        return (Health.STOPPED, "Stopped") if started else (Health.ABSENT, "NeverStarted")
    if process is not None and process.present is False:
        return Health.DEGRADED, str(process.facts.get("reason", "ProviderExited"))
    record, home = seen.parts.get("record", _NONE), seen.parts.get("home", _NONE)
    if record.present is False:
        return Health.DEGRADED, "RecordMissing"
    if record.facts.get("corrupt"):
        return Health.DEGRADED, "RecordCorrupt"
    if home.present is False:
        return Health.DEGRADED, "HomeMissing"
    return Health.HEALTHY, "Running"


def reachable(seen: Seen) -> bool:
    """Its session and its program are there: it can be talked to."""
    if isinstance(seen, Unknown):
        return False
    return all((part := seen.parts.get(name)) is not None and bool(part.present) for name in ("session", "process"))
