"""How an agent is, in a word; `kinds.instance.health` has the table that finds it (runtime-and-fleet-api §12.3)."""

from enum import StrEnum


class Health(StrEnum):
    """Health classes; an active agent is healthy, degraded or stale."""

    ABSENT = "absent"
    STOPPED = "stopped"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    STALE = "stale"
    UNKNOWN = "unknown"
