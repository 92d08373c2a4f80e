"""What is recorded, as the documents that would declare it: the half of an edit that reads.

Text stands in the document; files and directories lie in the content store and are named by their path there, so an
edit of one field carries all others on without a source.
"""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.app.export import Unreadable, spell_out
from reconciler.app.read import NotFound
from reconciler.app.session import Session
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.dump import document
from reconciler.model.errors import GuardRefused
from reconciler.model.json import JsonMap
from reconciler.model.names import IMPERATIVE
from reconciler.model.ref import Ref
from reconciler.ports.catalog import ContentRef, Definition, InventoryRow

COMMANDS = {
    "Specialist": "project easy specialist",
    "LaunchProfile": "project easy profile",
    "Instance": "project easy instance",
    "AuthProfile": "project credentials",
    "Role": "project agents roles",
    "Recipe": "project agents recipes",
    "Setup": "project agents tools",
    "Skill": "project skills",
}
"""The family that speaks of a kind, for hints."""


class Recorded:
    """The inventory and definitions of one session, read once."""

    __slots__ = ("_bundles", "_definitions", "_users", "kinds", "rows", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.kinds = Catalogue()
        self.rows: Mapping[Ref, InventoryRow] = {row.ref: row for row in session.reader.catalog.inventory()}
        self._bundles: Mapping[str, JsonMap] | None = None
        self._definitions: dict[str, Mapping[str, Definition]] = {}
        self._users: dict[Ref, tuple[Ref, ...]] | None = None

    def of(self, kind: str) -> tuple[Ref, ...]:
        """Every recorded resource of a kind, sorted."""
        return tuple(sorted(ref for ref in self.rows if ref.kind == kind))

    def row(self, ref: Ref) -> InventoryRow:
        """Its row; raises NotFound with the nearest name."""
        found = self.rows.get(ref)
        if found is None:
            raise self.missing(ref)
        return found

    def missing(self, ref: Ref, what: str = "") -> NotFound:
        """The complaint about a name that is not there, with the nearest one."""
        from reconciler.declare.suggest import nearest

        word = what or ref.kind.lower()
        names = [one.name for one in self.of(ref.kind)]
        near = nearest(ref.name, names)
        listed = f"there is {', '.join(names[:12])}" if names else f"there is none yet; {self._first(ref.kind)}"
        if not self.session.overlay_exists:
            listed = f"there is no overlay at {self.session.settings.overlay.root} yet; `houmao project init` makes it"
        return NotFound(
            f"there is no {word} {ref.name!r}", hint=f"did you mean {near}?" if near else listed, ref=str(ref)
        )

    @staticmethod
    def _first(kind: str) -> str:
        family = COMMANDS.get(kind)
        return f"`houmao {family} --help` says how to make one" if family else "declare one"

    def spec(self, ref: Ref) -> JsonMap:
        """The last-applied spec, canonical."""
        row = self.row(ref)
        body = self.bundles().get(row.digest)
        schema = self.kinds.schema(ref.kind)
        spec = body.get("spec") if body else None
        if schema is None or not isinstance(spec, dict):
            raise Unreadable(f"{ref} has no last-applied spec", hint="apply what declares it, then try again")
        return schema.filled(spec)

    def bundles(self) -> Mapping[str, JsonMap]:
        """Every last-applied document by digest."""
        if self._bundles is None:
            self._bundles = self.session.reader.catalog.bundles({row.digest for row in self.rows.values()})
        return self._bundles

    def contents(self, ref: Ref) -> Mapping[str, ContentRef]:
        """The payloads of a definition by spec path."""
        if ref.kind not in self._definitions:
            found = self.session.reader.catalog.definitions(ref.kind)
            self._definitions[ref.kind] = {each.ref.name: each for each in found.values()}
        definition = self._definitions[ref.kind].get(ref.name)
        return definition.contents if definition else {}

    def written(self, ref: Ref) -> JsonMap:
        """The spec as a document would write it, defaults left out."""
        schema = self.kinds.schema(ref.kind)
        spec = self.spec(ref)
        assert schema is not None
        out = schema.sparse(spec)
        spell_out(out, self.contents(ref), schema, self.session.reader, self.session.reader.places.content)
        return out

    def document(self, ref: Ref, spec: JsonMap | None = None) -> JsonMap:
        """The document that declares it, with another spec where one is given."""
        row = self.rows.get(ref)
        labels, annotations = (row.labels, row.annotations) if row else ({}, {})
        return document(ref.kind, ref.name, self.written(ref) if spec is None else spec, labels, annotations)

    # -- who uses what

    def users(self, ref: Ref) -> tuple[Ref, ...]:
        """Who refers to it, derived rows left out, sorted."""
        if self._users is None:
            found: dict[Ref, set[Ref]] = {}
            owners = {row.uid: row.ref for row in self.rows.values()}
            for row in self.rows.values():
                derived = row.live.get("derived") == "1"
                user = owners.get(row.owner) if derived and row.owner else row.ref
                for to in _targets(self.bundles().get(row.digest)):
                    if user is not None and user != to:
                        found.setdefault(to, set()).add(user)
            self._users = {to: tuple(sorted(who)) for to, who in found.items()}
        return self._users.get(ref, ())

    def every_user(self, refs: Iterable[Ref]) -> tuple[Ref, ...]:
        """Who refers to any of them or to what they derive, directly or through others; sorted."""
        own = set(refs)
        stack, found = list(own), set(own)
        while stack:
            here = stack.pop()
            row = self.rows.get(here)
            derived = [one.ref for one in self.rows.values() if row is not None and one.owner == row.uid]
            for user in (each for one in (here, *derived) for each in self.users(one)):
                if user not in found:
                    found.add(user)
                    stack.append(user)
        return tuple(sorted(found - own))

    # -- who may change it

    def refuse_derived(self, ref: Ref) -> None:
        """Its owner implies it: exit 6, and where to change it (R-MOD-14)."""
        row = self.rows.get(ref)
        if row is None:
            return
        owner = next((one.ref for one in self.rows.values() if row.owner and one.uid == row.owner), None)
        if owner is not None:
            family = COMMANDS.get(owner.kind, "edit")
            raise GuardRefused(
                f"{ref} belongs to {owner}, which implies it",
                hint=f"`houmao {family} set --name {owner.name}` changes both",
                code="ownership.derived",
                ref=str(ref),
            )

    def refuse_foreign(self, ref: Ref, words: str) -> None:
        """A manifest declares it, or its owner implies it: exit 6, and what to do instead (R-IMP-2)."""
        self.refuse_derived(ref)
        row = self.rows.get(ref)
        if row is None or row.apply_set == IMPERATIVE:
            return
        where = f" at {row.position}" if row.position else ""
        name = f"{ref.kind.lower()}/{ref.name}"
        raise GuardRefused(
            f"{ref} is declared by a manifest{where} (apply set {row.apply_set!r}): it is not {words} from here",
            hint=(
                f"edit that file and apply it; or `houmao set {name} PATH=VALUE --write-back` edits it for you; or "
                f"--override holds a value for a while"
            ),
            code="guard.managed",
            ref=str(ref),
        )


def _targets(body: JsonMap | None) -> Sequence[Ref]:
    edges = body.get("edges") if body else None
    return [Ref.parse(str(edge[1])) for edge in edges if isinstance(edge, list)] if isinstance(edges, list) else []
