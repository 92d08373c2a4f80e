"""Registry records: identity and address of agents, shared by every overlay of a user."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from reconciler.model import record
from reconciler.model.errors import GuardRefused, ReconcilerError
from reconciler.model.json import JsonMap, parse_map
from reconciler.ports.clock import Clock
from reconciler.ports.files import Stamp


class OwnershipConflict(GuardRefused):
    """The record belongs to a live agent of somebody else."""

    code = "ownership.record"


class RecordRefused(ReconcilerError):
    """What should be published is no record: `registry.invalid`, `registry.bad_id`."""

    code = "registry.invalid"


NO_STAMP = Stamp(0, 0, 0)


class Record(NamedTuple):
    """One readable record with the stamp it was read at."""

    agent_id: str
    body: JsonMap
    stamp: Stamp

    @property
    def owner(self) -> JsonMap:
        """The ownership object (`uid`, `overlay_id`, `generation`, `launch_digest`, `fencing_token`), or {}."""
        owner = self.body.get("owner")
        return owner if isinstance(owner, dict) else {}


class BadRecord(NamedTuple):
    """A record that is there and cannot be read; it harms nobody but itself."""

    agent_id: str
    why: str
    stamp: Stamp | None
    body: JsonMap | None = None
    """What could still be parsed: a newer schema may name an owner who is to be left alone."""


class Scan(NamedTuple):
    """Every record of the registry; `root_unreadable` is set when the directory itself could not be listed."""

    records: Mapping[str, Record | BadRecord]
    root_unreadable: str = ""


class RegistryReader(Protocol):
    """The half that only looks."""

    root: str

    def scan(self) -> Scan:
        """One directory scan; never raises."""
        ...


class Registry(RegistryReader, Protocol):
    """Publishing."""

    def publish(self, agent_id: str, body: JsonMap) -> None:
        """Atomic replace with fsync; raises OwnershipConflict where a live record has another owner, RecordRefused."""
        ...

    def remove(self, agent_id: str, uid: str) -> bool:
        """Delete the record when `uid` owns it or nobody can read it; False when there is none or it is another's."""
        ...


def judged(agent_id: str, text: bytes, stamp: Stamp | None) -> Record | BadRecord:
    """What was read, as a record of `agent_id` or as the reason why it is none; version 2 is lifted to version 3."""
    try:
        body = record.upgraded(parse_map(text.decode()))
    except (ValueError, RecursionError) as fault:
        return BadRecord(agent_id, f"it is no JSON object: {fault}", stamp)
    fault_found = record.component_fault(agent_id) or record.fault(agent_id, body)
    return BadRecord(agent_id, fault_found, stamp, body) if fault_found else Record(agent_id, body, stamp or NO_STAMP)


def may_remove(found: Record | BadRecord, uid: str) -> bool:
    """Whether `uid` may delete what is there: its own record, or a broken one that names nobody else."""
    owner = record.owner_uid(found.body or {})
    return owner in ("", uid) if isinstance(found, BadRecord) else owner == uid != ""


def refuse_bad_id(agent_id: str) -> None:
    """Raise RecordRefused for an id that is no plain directory name."""
    fault = record.component_fault(agent_id)
    if fault is not None:
        raise RecordRefused(f"agent id {agent_id!r} {fault}", code="registry.bad_id")


def refuse_unpublishable(agent_id: str, body: JsonMap, clock: Clock) -> None:
    """Raise RecordRefused for what other readers would choke on, and for a running agent whose lease is over."""
    fault = record.fault(agent_id, body)
    if fault is None and not record.owner_uid(body):
        fault = "owner is missing"
    if fault is None and record.running(body) and not record.fresh(body, clock.now_utc()):
        fault = "liveness.lease_expires_at has passed"
    if fault is not None:
        raise RecordRefused(f"the record of agent {agent_id!r} cannot be published: {fault}", code="registry.invalid")


def refuse_foreign(found: Record | BadRecord | None, uid: str, clock: Clock) -> None:
    """Raise OwnershipConflict when what is there speaks of a live agent that `uid` does not own."""
    if found is not None and found.body and record.guards(found.body, uid, clock.now_utc()):
        owner = record.owner_uid(found.body)
        if not owner and found.agent_id == uid:
            return  # an id that is the uid itself is nobody else's: somebody took the owner out of our record
        whose = f"of another owner (uid {owner})" if owner else "that nobody manages"
        raise OwnershipConflict(
            f"the registry has a live agent {found.agent_id!r} {whose}",
            hint=f"stop that agent, or declare another agentId in place of {found.agent_id!r}",
        )
