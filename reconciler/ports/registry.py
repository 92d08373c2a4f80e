"""Registry records: identity and address of agents, shared by every overlay of a user.

A scan reads every file and judges none: most of a thousand records are what was published here last, and the digest of
their bytes says so. Only a record that somebody asks for is parsed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from reconciler.model import record
from reconciler.model.errors import GuardRefused, ReconcilerError
from reconciler.model.json import JsonMap, digest_bytes, parse_map
from reconciler.model.tuples import NamedTuple
from reconciler.ports.clock import Clock
from reconciler.ports.files import Stamp


class OwnershipConflict(GuardRefused):
    """The record belongs to a live agent of somebody else."""

    code = "ownership.record"


class RecordRefused(ReconcilerError):
    """What should be published is no record: `registry.invalid`, `registry.bad_id`."""

    code = "registry.invalid"


NO_STAMP = Stamp(0, 0, 0)
_one_line = json.JSONEncoder(sort_keys=True).encode


class Record(NamedTuple):
    """One readable record with the stamp it was read at, and the digest of its file's bytes."""

    agent_id: str
    body: JsonMap
    stamp: Stamp
    digest: str

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


class RecordText:
    """The file of one record as it was read; judged once, when somebody asks."""

    __slots__ = ("_held", "agent_id", "digest", "stamp")

    def __init__(self, agent_id: str, text: bytes, stamp: Stamp | None) -> None:
        self.agent_id = agent_id
        self.stamp = stamp
        self.digest = digest_bytes(text)
        self._held: bytes | Record | BadRecord = text

    def judged(self) -> Record | BadRecord:
        """The record, or the reason why it is none; version 2 is lifted to version 3."""
        held = self._held
        if isinstance(held, bytes):
            held = self._held = self._judge(held)
        return held

    def may_name(self, words: Sequence[bytes]) -> bool:
        """False where the file holds none of these ASCII words, in whatever way JSON writes them; nothing is parsed."""
        held = self._held
        return not isinstance(held, bytes) or b"\\u" in held or any(word in held for word in words)

    def _judge(self, text: bytes) -> Record | BadRecord:
        try:
            body = record.upgraded(parse_map(text.decode()))
        except (ValueError, RecursionError) as fault:
            return BadRecord(self.agent_id, f"it is no JSON object: {fault}", self.stamp)
        found = record.component_fault(self.agent_id) or record.fault(self.agent_id, body)
        if found:
            return BadRecord(self.agent_id, found, self.stamp, body)
        return Record(self.agent_id, body, self.stamp or NO_STAMP, self.digest)


class Records(Mapping[str, Record | BadRecord]):
    """Agent id to record, in order of ids; each is parsed when it is first looked up, and once."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[str, RecordText | BadRecord] | None = None) -> None:
        self._found = found or {}

    def __getitem__(self, agent_id: str) -> Record | BadRecord:
        return judged(self._found[agent_id])

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, agent_id: object) -> bool:
        return agent_id in self._found  # the inherited one would parse it

    def may_name(self, agent_id: str, words: Sequence[bytes]) -> bool:
        """Whether a look at this record, parsed, could find one of these words."""
        found = self._found[agent_id]
        return not isinstance(found, RecordText) or found.may_name(words)

    def digests(self) -> dict[str, str]:
        """Agent id to `sha256:<hex>` of the bytes of its file, nothing parsed; files that could not be read left out.

        The digest that `publish` answered, under the same agent id, is that of a valid record of the same owner.
        """
        return {agent_id: found.digest for agent_id, found in self._found.items() if isinstance(found, RecordText)}


class Scan(NamedTuple):
    """Every record of the registry; `root_unreadable` is set when the directory itself could not be listed."""

    records: Records = Records()
    root_unreadable: str = ""


class RegistryReader(Protocol):
    """The half that only looks."""

    root: str

    def scan(self) -> Scan:
        """One directory scan; never raises."""
        ...


class Registry(RegistryReader, Protocol):
    """Publishing."""

    def publish(self, agent_id: str, body: JsonMap) -> str:
        """Atomic replace with fsync; the digest of the bytes written, as `Records.digests` tells it.

        Raises OwnershipConflict where a live record has another owner, RecordRefused.
        """
        ...

    def remove(self, agent_id: str, uid: str) -> bool:
        """Delete the record when `uid` owns it or nobody can read it; False when there is none or it is another's."""
        ...


def judged(found: RecordText | BadRecord) -> Record | BadRecord:
    """What was found, parsed; what could not even be read stays bad."""
    return found.judged() if isinstance(found, RecordText) else found


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


def published_text(body: JsonMap) -> bytes:
    """The bytes of a record's file, in ASCII since a path may hold bytes that are no text.

    A line for each field, for people and diffs: indenting all of it takes the encoder that is written in Python.
    """
    fields = (f'  "{name}": {_one_line(body[name])}' for name in sorted(body))  # names are those of the schema
    return ("{\n" + ",\n".join(fields) + "\n}\n").encode()


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
