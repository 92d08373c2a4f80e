"""What an imperative verb asks for, as a value; and what it is told to be (R-IMP-1)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import ContentSource
from reconciler.model.tuples import NamedTuple

DEFAULT_TTL_S = 3600.0
"""How long an override lasts unless it is told (R-IMP-2)."""


class Way(NamedTuple):
    """The way past the manager of a field that a manifest declares; without one a patch of it is refused."""

    override: bool = False
    ttl_s: float | None = None
    """How long, where it was told."""
    write_back: bool = False
    declared: bool = False
    """The declaration says it by the time this runs: its text was edited."""
    implied: bool = False
    """Of `stop`: an override unless another way was chosen (R-IMP-4)."""


class Edit(NamedTuple):
    """A change of one resource: a merge patch (RFC 7386) over its `metadata` (labels, annotations) and `spec`."""

    ref: Ref
    patch: JsonMap


class Relaunch(NamedTuple):
    """An action request: the same id never relaunches a resource twice (R-IMP-5)."""

    id: str
    refs: tuple[Ref, ...]
    resume: JsonMap | None = None
    rolling: bool = False
    """Of whole sets: as their strategies say, and not all at once."""


class Restore(NamedTuple):
    """Go back to a revision of a set; None for the last one that is another than what is recorded now."""

    ref: Ref
    revision: int | None = None


class Release(NamedTuple):
    """End overrides: of all paths, or of some."""

    refs: tuple[Ref, ...]
    paths: tuple[str, ...] = ()
    ended: frozenset[Ref] = frozenset()
    """Of `refs`: held absent when this run began, so that being nowhere is no fault of theirs."""


class Ask(NamedTuple):
    """Everything one run of a verb asks for."""

    verb: str
    edits: tuple[Edit, ...] = ()
    documents: tuple[JsonMap, ...] = ()
    """Whole declarations: new resources, for the apply set `imperative`, or what an existing one shall be."""
    base: str = ""
    """The directory where relative paths of `documents` begin, and that they may not leave; else the current one."""
    contents: Mapping[Ref, ContentSource] = {}
    """Bytes of a document that it does not name: those of a credential."""
    transient: Mapping[Ref, Mapping[str, str]] = {}
    """One-off variables of what is started; gone with that start."""
    fresh: bool = False
    """Refuse a document of something that is there already."""
    release: Release | None = None
    relaunch: Relaunch | None = None
    restore: Restore | None = None
    again: tuple[Ref, ...] = ()
    """Sets of which what is recorded is carried out to its end: nothing about them changes."""
    way: Way = Way()
    files: Mapping[str, tuple[bytes, bytes]] = {}
    """Files that are replaced before anything runs: what they were, and what they shall be."""
    until: datetime | None = None
    """When an override of this run ends; set by `at`."""

    def at(self, now: datetime) -> "Ask":
        """The same with the end of its overrides: one instant for the whole run, however often it is planned."""
        ttl = self.way.ttl_s if self.way.ttl_s is not None else DEFAULT_TTL_S
        return self._replace(until=now + timedelta(seconds=ttl))


class Said(NamedTuple):
    """What a verb is, for whoever runs it: `patch` or `action`, and a line for each thing it changes or asks for."""

    kind: str
    lines: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The sentence that every verb prints."""
        return {"patch": "Patch to desired state", "action": "Action request"}[self.kind]

    def to_json(self) -> JsonMap:
        """`{kind, lines}`."""
        return {"kind": self.kind, "lines": list(self.lines)}
