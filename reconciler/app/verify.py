"""`verify`: look at the world anew and say whether it is as recorded; nothing is repaired (R-ACT-7)."""

from collections.abc import Sequence

from reconciler.app import look, read
from reconciler.app.session import Flags, opened
from reconciler.app.status import Status
from reconciler.engine.handler import Unknown
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple


class Verified(NamedTuple):
    """One resource as it was found."""

    item: Status

    @property
    def word(self) -> str:
        """`verified`, `differs`, or `unknown` where it could not be looked at."""
        if isinstance(self.item.seen, Unknown):
            return "unknown"
        return "differs" if self.why else "verified"

    @property
    def why(self) -> str:
        """What is not as it was last applied, in one sentence."""
        if isinstance(self.item.seen, Unknown):
            return self.item.seen.why
        if self.item.row is None:
            return "an apply began to make it and did not finish"
        return "; ".join(reason.text for action in self.item.actions for reason in action.reasons)

    def to_json(self) -> JsonMap:
        """`{ref, result, why, health, ready}`."""
        ready = self.item.condition("Ready")
        state: Json = None if ready is None else ready.status.value
        health = self.item.health
        return {
            "ref": str(self.item.ref),
            "result": self.word,
            "why": self.why or None,
            "health": health.value if health is not None else None,
            "ready": state,
        }


class Result(NamedTuple):
    """Everything that was verified."""

    items: tuple[Verified, ...]

    @property
    def exit_code(self) -> int:
        """1 unless everything was verified."""
        return 0 if all(one.word == "verified" for one in self.items) else 1

    def to_json(self) -> JsonMap:
        """`{kind, items}`."""
        found: list[Json] = [one.to_json() for one in self.items]
        return {"kind": "action", "items": found}


def verify(flags: Flags, words: Sequence[str], selector: str = "") -> Result:
    """Look once at what is named; a bare name is an instance's."""
    with opened(flags) as session:
        refs = read.meant(session, words, selector)
        found = look.at(session, refs=refs)
        read.must_be_there(session, refs, found)
        return Result(tuple(Verified(item) for item in found))
