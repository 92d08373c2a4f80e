"""What a plan says: actions, notices, and the plan as one value.

Nothing here can be called: a plan can be printed, compared in a test, saved, and applied later (D1).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from reconciler.model.change import FieldChange
from reconciler.model.errors import position_json
from reconciler.model.json import Json, JsonMap, digest
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Position
from reconciler.model.tuples import NamedTuple

PLAN_FORMAT = 1


class Verb(StrEnum):
    """The closed vocabulary of R §8.1."""

    CREATE = "create"
    UPDATE = "update"
    RELAUNCH = "relaunch"
    REPLACE = "replace"
    VERIFY = "verify"
    ADOPT = "adopt"
    RENAME = "rename"
    STOP = "stop"
    REMOVE = "remove"
    FORGET = "forget"
    NOOP = "noop"
    WAIT = "wait"
    BLOCKED = "blocked"


class Disruption(StrEnum):
    """What an action costs whoever uses the thing, lightest first."""

    NONE = "none"
    RECORD = "record"
    RESTART = "restart"
    LOSES_CONVERSATION = "loses-conversation"
    LOSES_DATA = "loses-data"

    @property
    def weight(self) -> int:
        """Position in the order of the definition."""
        return list(Disruption).index(self)


class Code(StrEnum):
    """Why an action is planned; closed (R-ACT-1)."""

    NEW = "New"
    MISSING = "Missing"
    INTERRUPTED = "Interrupted"
    SESSION_MISSING = "SessionMissing"
    PROVIDER_EXITED = "ProviderExited"
    REBOOTED = "Rebooted"
    SURVIVOR = "Survivor"
    RECORD_MISSING = "RecordMissing"
    RECORD_EDITED = "RecordEdited"
    RECORD_CORRUPT = "RecordCorrupt"
    HOME_MISSING = "HomeMissing"
    GATEWAY_MISSING = "GatewayMissing"
    GATEWAY_CHANGED = "GatewayChanged"
    GATEWAY_UNWANTED = "GatewayUnwanted"
    SPEC_CHANGED = "SpecChanged"
    CONVERGED = "Converged"
    DRIFTED = "Drifted"
    SPEC_CHANGED_DRIFTED = "SpecChanged+Drifted"
    FIELD_REMOVED = "FieldRemoved"
    METADATA_CHANGED = "MetadataChanged"
    LAUNCH_DIGEST_CHANGED = "LaunchDigestChanged"
    AUTH_ROTATED = "AuthRotated"
    STOP_DECLARED = "StopDeclared"
    START_DECLARED = "StartDeclared"
    NOT_DECLARED = "NotDeclared"
    OWNER_SHRANK = "OwnerShrank"
    DELETE_ASKED = "DeleteAsked"
    ALREADY_GONE = "AlreadyGone"
    DEPENDENCY = "Dependency"
    DEPENDENCY_FAILED = "DependencyFailed"
    NOT_TARGETED = "NotTargeted"
    IMMUTABLE = "Immutable"
    CONFLICT = "Conflict"
    UNMANAGED = "Unmanaged"
    AMBIGUOUS = "Ambiguous"
    UNKNOWN = "Unknown"
    OWNERSHIP_CONFLICT = "OwnershipConflict"
    BINARY_MISSING = "BinaryMissing"
    CREDENTIAL_MISSING = "CredentialMissing"
    PROCESS_SURVIVES = "ProcessSurvives"
    PREVENT_DESTROY = "PreventDestroy"
    LIMIT = "Limit"
    BACK_OFF = "BackOff"
    HELD = "Held"
    OVERRIDE_EXPIRED = "OverrideExpired"
    OVERRIDE_RELEASED = "OverrideReleased"
    DECLARED_BENEATH = "DeclaredBeneath"
    TAKEN_OVER = "TakenOver"
    REQUESTED = "Requested"
    RENAMED = "Renamed"
    ADOPTED = "Adopted"
    LAUNCH_DIGEST_UNKNOWN = "LaunchDigestUnknown"
    ORPHANED = "Orphaned"
    AGENT_BUSY = "AgentBusy"
    DRIFT_FIGHT = "DriftFight"
    SUSPENDED = "Suspended"
    WINDOW_CLOSED = "WindowClosed"
    ROLLOUT = "Rollout"


class Reason(NamedTuple):
    """A code, one sentence, and the paths that forced it, each with the position that set it."""

    code: Code
    text: str
    paths: tuple[str, ...] = ()
    positions: tuple[Position | None, ...] = ()

    def to_json(self) -> JsonMap:
        """`{code, text, paths, positions}`."""
        return {
            "code": self.code.value,
            "text": self.text,
            "paths": list(self.paths),
            "positions": [position_json(p) for p in self.positions],
        }


class Action(NamedTuple):
    """One verb on one ref, phrased so that an operator can agree to it before it runs.

    `uid` is null on a first `create`. `held` is the verb that a `wait` or `blocked` row holds back. `needs` are refs
    whose actions come first. `pre` holds the version stamps that must still be true, `post` what will be.
    """

    verb: Verb
    ref: Ref
    uid: Uid | None
    reasons: tuple[Reason, ...]
    needs: tuple[Ref, ...] = ()
    ready: tuple[Ref, ...] = ()
    """Those of `needs` that must be Ready, not only Applied, before this action starts."""
    ready_timeout_ms: int | None = None
    disruption: Disruption = Disruption.NONE
    changes: tuple[FieldChange, ...] = ()
    pre: Mapping[str, Json] = {}
    post: Mapping[str, Json] = {}
    timeout_ms: int = 90_000
    held: Verb | None = None

    def __str__(self) -> str:
        why = "; ".join(reason.text for reason in self.reasons)
        return f"{self.verb:<8} {self.ref}  ({why})"

    @property
    def runs(self) -> bool:
        """False for rows that only explain: `noop`, `wait`, `blocked`."""
        return self.verb not in (Verb.NOOP, Verb.WAIT, Verb.BLOCKED)

    def key(self) -> tuple[object, ...]:
        """What must be equal for "what was shown is what runs" (R-EXE-12)."""
        return (self.verb, self.ref, self.uid, tuple((r.code, r.paths) for r in self.reasons), self.disruption)

    def to_json(self) -> JsonMap:
        """The shape of R §29, plus `changes` and `held` where there are any."""
        out: JsonMap = {
            "verb": self.verb.value,
            "ref": str(self.ref),
            "uid": self.uid,
            "reasons": [reason.to_json() for reason in self.reasons],
            "preconditions": dict(self.pre),
            "post": dict(self.post),
            "disruption": self.disruption.value,
            "needs": [str(ref) for ref in self.needs],
            "timeout_ms": self.timeout_ms,
        }
        if self.held is not None:
            out["held"] = self.held.value
        if self.changes:
            out["changes"] = [change.to_json() for change in self.changes]
        return out


class Notice(NamedTuple):
    """Something worth saying that is no change, such as an orphan."""

    code: Code
    ref: Ref
    text: str

    def to_json(self) -> JsonMap:
        """`{code, ref, text}`."""
        return {"code": self.code.value, "ref": str(self.ref), "text": self.text}


class Plan(NamedTuple):
    """Actions in dependency order, notices, and what the plan was made from."""

    overlay_id: str
    apply_set: str
    source_revision: str
    inputs_digest: str
    engine_version: str
    actions: tuple[Action, ...]
    notices: tuple[Notice, ...] = ()
    guards: tuple[str, ...] = ()
    """Guards acknowledged by flags."""
    created_at: str = ""
    declared: int = 0
    """How many resources are declared, derived rows left out."""

    @property
    def empty(self) -> bool:
        """True when nothing would change; notices and `noop` rows do not count (D-settled: orphans are notices)."""
        return all(action.verb is Verb.NOOP for action in self.actions)

    @property
    def running(self) -> tuple[Action, ...]:
        """The actions that do something."""
        return tuple(action for action in self.actions if action.runs)

    def counts(self) -> dict[str, int]:
        """Verb to number, in vocabulary order, zero ones left out."""
        return tally(action.verb for action in self.actions)

    def disruptions(self) -> dict[str, int]:
        """Disruption to number of actions that run, lightest first."""
        return tally(action.disruption for action in self.actions if action.runs)

    def digest(self) -> str:
        """`planDigest`: everything but `createdAt` and itself (R-PLN-1)."""
        body = self.to_json()
        del body["createdAt"], body["planDigest"]
        return digest(body)

    def to_json(self) -> JsonMap:
        """The shape of R-PLN-1."""
        body: JsonMap = {
            "formatVersion": PLAN_FORMAT,
            "engineVersion": self.engine_version,
            "overlayId": self.overlay_id,
            "applySet": self.apply_set,
            "createdAt": self.created_at,
            "sourceRevision": self.source_revision,
            "inputsDigest": self.inputs_digest,
            "summary": {
                "declared": self.declared,
                "verbs": dict(self.counts()),
                "disruption": dict(self.disruptions()),
            },
            "actions": [action.to_json() for action in self.actions],
            "notices": [notice.to_json() for notice in self.notices],
            "preconditions": [
                {"ref": str(action.ref), **action.pre} for action in self.actions if action.runs and action.pre
            ],
            "guardsAcknowledged": list(self.guards),
        }
        body["planDigest"] = digest({k: v for k, v in body.items() if k != "createdAt"})
        return body


def tally(words: Iterable[StrEnum]) -> dict[str, int]:
    """Count words, keeping the order of their enumeration."""
    found: dict[StrEnum, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return {str(word.value): found[word] for word in sorted(found, key=_rank)}


def _rank(word: StrEnum) -> int:
    members: list[StrEnum] = list(type(word).__members__.values())
    return members.index(word)
