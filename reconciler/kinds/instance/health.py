"""The one table that says how an agent is, from its parts (runtime-and-fleet-api §12.3). Pure."""

from reconciler.engine.handler import Absent, Seen, Unknown
from reconciler.model.health import Health


def health_of(seen: Seen, *, recorded_running: bool) -> tuple[Health, str]:
    """The class and its reason word (`ProviderExited`, `MissingPrimary`, `SessionMissing`, …)."""
    if isinstance(seen, Unknown):
        return Health.UNKNOWN, "Ambiguous" if seen.ambiguous else "Unobserved"
    session, process = seen.parts.get("session"), seen.parts.get("process")
    if isinstance(seen, Absent) or session is None or session.present is False:
        if process is not None and process.present:
            return Health.STALE, "Survivor"
        return (Health.STALE, "SessionMissing") if recorded_running else (Health.STOPPED, "Stopped")
    if process is not None and process.present is False:
        return Health.DEGRADED, str(process.facts.get("reason", "ProviderExited"))
    record = seen.parts.get("record")
    if record is not None and record.present is False:
        return Health.DEGRADED, "RecordMissing"
    return Health.HEALTHY, "Running"
