"""One difference between what is there and what was last applied, and the key that it is known by. Pure."""

from reconciler.model.action import Action, Code
from reconciler.model.json import digest
from reconciler.model.tuples import NamedTuple

GONE = frozenset({Code.SESSION_MISSING, Code.PROVIDER_EXITED})
"""Reasons whose words are evidence: how many sessions there are, which process it was. They differ from day to day."""


class Difference(NamedTuple):
    """What `drift` prints of it, and what a baseline knows."""

    subject: str
    """The resource, or what has none of its own."""
    code: str
    text: str
    known_by: str = ""
    """What is the same as long as it is the same difference, where that is not the text."""

    @property
    def key(self) -> str:
        """What a baseline knows it by."""
        told = self.known_by or self.text
        return digest([self.subject, self.code, told]).removeprefix("sha256:")[:16]


def difference(action: Action) -> Difference:
    """What an action would put right."""
    code = action.reasons[0].code.value if action.reasons else action.verb.value
    text = "; ".join(reason.text for reason in action.reasons)
    known_by = "; ".join(reason.code.value if reason.code in GONE else reason.text for reason in action.reasons)
    return Difference(str(action.ref), code, text, known_by)
