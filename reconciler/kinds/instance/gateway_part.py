"""The gateway of an instance as desired state: what is wanted, what is seen, and what follows. Pure but for the look.

A part of the instance, seen and compared on its own (R-OBS-9): nothing that is wrong with a gateway is a reason to
touch its agent.
"""

from collections.abc import Mapping, Sequence

from reconciler.engine.handler import Case, Part, Present, Target, Unknown
from reconciler.model.action import Code, Reason
from reconciler.model.json import Json, canonical, parse_map
from reconciler.ports.bundle import Reader
from reconciler.ports.gateway import (
    HOSTS,
    TIMINGS,
    Down,
    ExecutionMode,
    GatewayOrder,
    GatewaySeen,
    Running,
    Silent,
    running_of,
)

NONE = Part(False, {}, "it has none")
_TIMINGS = dict(
    zip(
        (
            "watchPollInterval",
            "stabilityThreshold",
            "completionStability",
            "unknownToStalledTimeout",
            "staleActiveRecovery",
            "finalStableActiveRecovery",
        ),
        TIMINGS,
        strict=True,
    )
)


# --- what is wanted ---------------------------------------------------------------------------------------------------


def order_of(declared: Mapping[str, Json] | None) -> GatewayOrder | None:
    """The gateway of resolved settings; None where none is wanted."""
    if not declared or declared.get("enabled") is not True:
        return None
    host, port, said = declared.get("host"), declared.get("port"), declared.get("tui")
    timings: list[tuple[str, float]] = []
    for name, word in _TIMINGS.items():
        value = said.get(name) if isinstance(said, dict) else None
        if isinstance(value, int) and value > 0:
            timings.append((word, value / 1000))
    return GatewayOrder(
        host if isinstance(host, str) else HOSTS[0],
        port if isinstance(port, int) else 0,
        ExecutionMode.DETACHED if declared.get("background") is True else ExecutionMode.AUXILIARY,
        tuple(timings),
        isinstance(port, int),
    )


def text_of(order: GatewayOrder) -> str:
    """An order as one comparable line."""
    return canonical(order.to_json())


# --- what is seen -----------------------------------------------------------------------------------------------------


def roots(targets: Sequence[Target], ports: Reader) -> dict[str, str]:
    """Uid to session root, of those whose gateway has to be looked at: one was started, or may have been."""
    found: dict[str, str] = {}
    for target in targets:
        live = target.row.live if target.row else {}
        if target.uid and (live.get("gateway") or target.intent is not None) and (root := _root(target, ports)):
            found[target.uid] = root
    return found


def _root(target: Target, ports: Reader) -> str:
    manifest = target.row.live.get("session_manifest", "") if target.row else ""
    if manifest:
        return manifest.rpartition("/")[0]
    session_id = target.intent.handle.get("session_id") if target.intent else None
    if not isinstance(session_id, str) or "-" not in session_id:
        return ""
    return f"{ports.places.runtime}/sessions/{session_id.partition('-')[0]}/{session_id}"


def part_of(seen: GatewaySeen | None) -> Part:
    """What was found at one root."""
    match seen:
        case Running():
            return Part(True, seen.to_json())
        case Silent(why, running):
            return Part(None, running.to_json() if running else {}, why)
        case Down(why):
            return Part(False, {}, why)
        case None:
            return NONE


def running(part: Part) -> Running | None:
    """The gateway of a part that was seen, whether or not it answered."""
    return running_of(part.facts) if part.facts else None


# --- what follows -----------------------------------------------------------------------------------------------------


def reasons(this: Case, seen: Present, order: GatewayOrder | None) -> tuple[Reason, ...]:
    """Why the gateway must be started, started anew or ended; ignorance is no reason."""
    part = seen.parts.get("gateway", NONE)
    recorded = this.row.live.get("gateway", "") if this.row is not None else ""
    if order is None:
        if part.present:
            return (Reason(Code.GATEWAY_UNWANTED, "its gateway runs, and none is declared"),)
        if recorded and part.present is False:
            return (Reason(Code.GATEWAY_UNWANTED, "a gateway is recorded, and none is declared"),)
        return ()
    if part.present is False:
        why = f"its gateway does not run: {part.why}" if recorded else "a gateway is declared, and none runs"
        return (Reason(Code.GATEWAY_MISSING, why),)
    if part.present and recorded != text_of(order):
        return (Reason(Code.GATEWAY_CHANGED, f"its gateway runs otherwise than declared{_how(recorded, order)}"),)
    live = this.row.live if this.row is not None else {}
    if part.present and (live.get("gateway_pid"), live.get("gateway_ticks")) != handles(part):
        return (Reason(Code.INTERRUPTED, "its gateway was started, and that was not recorded"),)
    return ()


def handles(part: Part) -> tuple[str, str]:
    """Pid and start ticks as they are recorded."""
    found = running(part)
    return (str(found.pid), str(found.ticks)) if found is not None else ("", "")


def _how(recorded: str, order: GatewayOrder) -> str:
    try:
        before = parse_map(recorded)
    except ValueError:
        return ""
    after = order.to_json()
    names = sorted(key for key in after if before.get(key) != after[key])
    said = [f"{name.removeprefix('desired_')} is {before.get(name)!r}, declared {after[name]!r}" for name in names]
    return f": {'; '.join(said[:2])}" if said and not any("timings" in name for name in names) else ""


def has_one(case: Case) -> bool:
    """Whether there is, or is recorded to be, a gateway to end."""
    part = case.seen.parts.get("gateway", NONE) if not isinstance(case.seen, Unknown) else NONE
    return part.present is not False or bool(case.row is not None and case.row.live.get("gateway"))
