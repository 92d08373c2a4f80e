"""Rules between the fields of one mapping, each said twice from one source: as a check and as JSON Schema.

They are judged on the value as it was written, beside the types and whether these hold or not, so that one run tells
all.
"""

from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple


class ExactlyOne(NamedTuple):
    """One of the fields must be given, and only one."""

    names: tuple[str, ...]

    def broken(self, value: JsonMap) -> str | None:
        """What is wrong with `value`, or None."""
        given = [name for name in self.names if name in value]
        if len(given) == 1:
            return None
        return f"needs exactly one of {_listed(self.names)}" + (f", has {_listed(given)}" if given else "")

    @property
    def hint(self) -> str:
        """What to do about it."""
        return "keep one of them"

    def schema(self) -> JsonMap:
        """As a fragment of JSON Schema."""
        return {"oneOf": [{"required": [name]} for name in self.names]}


class AtMostOne(NamedTuple):
    """The fields exclude one another; none need be given."""

    names: tuple[str, ...]

    def broken(self, value: JsonMap) -> str | None:
        """What is wrong with `value`, or None."""
        given = [name for name in self.names if name in value]
        return f"has {_listed(given)}, of which only one is possible" if len(given) > 1 else None

    @property
    def hint(self) -> str:
        """What to do about it."""
        return "keep one of them"

    def schema(self) -> JsonMap:
        """As a fragment of JSON Schema."""
        pairs: list[Json] = [
            {"required": [left, right]} for at, left in enumerate(self.names) for right in self.names[at + 1 :]
        ]
        return {"not": {"anyOf": pairs}}


class AtLeastOne(NamedTuple):
    """A mapping that says nothing without one of these."""

    names: tuple[str, ...]

    def broken(self, value: JsonMap) -> str | None:
        """What is wrong with `value`, or None."""
        return None if any(name in value for name in self.names) else f"needs one of {_listed(self.names)}"

    @property
    def hint(self) -> str:
        """What to do about it."""
        return "give one of them, or leave the whole mapping out"

    def schema(self) -> JsonMap:
        """As a fragment of JSON Schema."""
        return {"anyOf": [{"required": [name]} for name in self.names]}


class GoesWith(NamedTuple):
    """`name` is given exactly when `field` has the value `value`."""

    name: str
    field: str
    value: str

    def broken(self, value: JsonMap) -> str | None:
        """What is wrong with `value`, or None."""
        asked, given = value.get(self.field) == self.value, self.name in value
        if asked == given:
            return None
        if asked:
            return f"needs {self.name!r}, because {self.field!r} is {self.value!r}"
        return f"has {self.name!r}, which means something only where {self.field!r} is {self.value!r}"

    @property
    def hint(self) -> str:
        """What to do about it."""
        return f"give {self.name} together with {self.field}: {self.value}"

    def schema(self) -> JsonMap:
        """As a fragment of JSON Schema."""
        return {
            "if": {"properties": {self.field: {"const": self.value}}, "required": [self.field]},
            "then": {"required": [self.name]},
            "else": {"properties": {self.name: False}},
        }


class OnlyWith(NamedTuple):
    """The fields mean something only where `field` has the value `value`; none need be given."""

    names: tuple[str, ...]
    field: str
    value: str

    def broken(self, value: JsonMap) -> str | None:
        """What is wrong with `value`, or None."""
        given = [name for name in self.names if name in value]
        if not given or value.get(self.field) == self.value:
            return None
        means = "means" if len(given) == 1 else "mean"
        return f"has {_listed(given)}, which {means} something only where {self.field!r} is {self.value!r}"

    @property
    def hint(self) -> str:
        """What to do about it."""
        return f"write {self.field}: {self.value}, or leave {'it' if len(self.names) == 1 else 'them'} out"

    def schema(self) -> JsonMap:
        """As a fragment of JSON Schema."""
        return {
            "if": {"properties": {self.field: {"const": self.value}}, "required": [self.field]},
            "else": {"properties": dict.fromkeys(self.names, False)},
        }


class NeverWith(NamedTuple):
    """The fields mean nothing where `field` has the value `value`."""

    names: tuple[str, ...]
    field: str
    value: str

    def broken(self, value: JsonMap) -> str | None:
        """What is wrong with `value`, or None."""
        given = [name for name in self.names if name in value]
        if not given or value.get(self.field) != self.value:
            return None
        means = "means" if len(given) == 1 else "mean"
        return f"has {_listed(given)}, which {means} nothing where {self.field!r} is {self.value!r}"

    @property
    def hint(self) -> str:
        """What to do about it."""
        return f"leave {'it' if len(self.names) == 1 else 'them'} out, or write another {self.field}"

    def schema(self) -> JsonMap:
        """As a fragment of JSON Schema."""
        return {
            "if": {"properties": {self.field: {"const": self.value}}, "required": [self.field]},
            "then": {"properties": dict.fromkeys(self.names, False)},
        }


Rule = ExactlyOne | AtMostOne | AtLeastOne | GoesWith | OnlyWith | NeverWith


def _listed(names: "list[str] | tuple[str, ...]") -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
