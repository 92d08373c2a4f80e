"""Whether the calendar of the Project lets anybody disturb agents now, and when it does again (R-WAT-7)."""

from datetime import datetime

from reconciler.app.desired import Desired
from reconciler.model.resource import at_path
from reconciler.ports.clock import Clock


def closed(desired: Desired, clock: Clock, now: datetime) -> tuple[str, datetime | None]:
    """Why nobody may be disturbed, empty where somebody may; and when that is over by itself."""
    project = desired.compiled.project if desired.compiled else None
    if desired.restored:
        project = next((found for ref, found in desired.declared.items() if ref.kind == "Project"), None)
    declared = at_path(project.spec, "windows") if project is not None else None
    if not declared:
        return "", None
    from reconciler.engine import windows  # most projects have no calendar

    zones = {name: clock.zone(name) for name in windows.names(declared)}
    unknown = sorted(name for name, zone in zones.items() if zone is None)
    if unknown:
        return f"this host knows no time zone {unknown[0]!r}, so no window can be told; nobody is disturbed", None
    opens = windows.opening(windows.declared(declared, {name: zone for name, zone in zones.items() if zone}), now)
    if opens == now:
        return "", None
    if opens is None:
        return "the windows of the Project never allow it", None
    text = opens.isoformat(timespec="minutes").replace("+00:00", "Z")
    return f"outside of the windows of the Project, which open at {text}", opens
