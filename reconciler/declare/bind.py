"""Binding: references looked up, dependencies on sets spread over their members, cycles found (R-MOD-7, R-VAL-3)."""

from collections.abc import Callable, Mapping

from reconciler.declare import refs
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.judge import Judge, Report
from reconciler.declare.places import Written
from reconciler.model.errors import Problem
from reconciler.model.ref import Ref
from reconciler.model.resource import Edge, Path, Position, Resource, dotted
from reconciler.model.tuples import NamedTuple

MEMBER = (("", "template"),)
"""How the paths of a set's member differ from the set's."""


class Place(NamedTuple):
    """The document that wrote a resource, and how the paths of a child differ from its owner's."""

    written: Written
    moved: tuple[tuple[str, str], ...]

    @property
    def spec(self) -> Path:
        """Where in the document the spec of the resource stands."""
        return ("spec", "template") if self.moved == MEMBER else ("spec",)


class Binder:
    """Binds the resources of one compilation."""

    __slots__ = (
        "_dangling",
        "_judge",
        "_kinds",
        "_known",
        "_places",
        "_report",
        "_resources",
        "_sets",
        "_told",
        "from_catalog",
    )

    def __init__(
        self,
        resources: Mapping[Ref, Resource],
        places: Mapping[Ref, Place],
        judge: Judge,
        report: Report,
        kinds: Catalogue,
        known: Callable[[Ref], bool],
    ) -> None:
        self._resources = resources
        self._places = places
        self._judge = judge
        self._report = report
        self._kinds = kinds
        self._known = known
        self._dangling = refs.Dangling(resources)
        self._told: set[Position] = set()
        self._sets: dict[Ref, list[Ref]] = {}
        for resource in resources.values():
            if resource.owner is not None and not resource.derived:
                self._sets.setdefault(resource.owner, []).append(resource.ref)
        self.from_catalog: set[tuple[Ref, Ref]] = set()

    def bind(self) -> None:
        """Give every resource its final edges; what is wrong is reported."""
        for resource in self._resources.values():
            if resource.edges:
                resource.edges = self._edges(resource)
        for resource, written in self._judge.loose:
            schema = self._kinds.schema(resource.ref.kind)
            for edge in resource.edges:
                there = edge.to in self._resources or edge.to in self._judge.broken or self._known(edge.to)
                if not there and schema is not None and not refs.is_default(schema, edge):
                    self._dangles(resource, edge, Place(written, ()))
        graph = {ref: tuple(edge.to for edge in resource.edges) for ref, resource in self._resources.items()}
        for cycle in refs.cycles(graph):
            self._report.problems.append(self._cycle(cycle))

    def _edges(self, resource: Resource) -> tuple[Edge, ...]:
        kept: list[Edge] = []
        schema = self._kinds.schema(resource.ref.kind)
        assert schema is not None
        for edge in resource.edges:
            target = self._resources.get(edge.to)
            default = refs.is_default(schema, edge)
            if target is not None:
                # A declared setup `default` of another provider is not the one that is meant.
                if default and target.spec.get("provider") != resource.spec.get("provider"):
                    continue
                # Whoever waits for a set waits for its members.
                ready = edge.condition == "Ready" and edge.to in self._sets
                kept += [edge._replace(to=member) for member in self._sets.get(edge.to, ()) if ready]
                kept.append(edge._replace(condition="Applied") if ready else edge)
            elif edge.to in self._judge.broken:
                kept.append(edge)
            elif self._known(edge.to):
                self.from_catalog.add((resource.ref, edge.to))
                kept.append(edge)
            elif not default and not resource.derived:
                self._dangles(resource, edge, self._places[resource.ref])
        return tuple(kept)

    def _dangles(self, resource: Resource, edge: Edge, place: Place) -> None:
        path = refs.raw_path(place.written.value, edge, place.spec)
        position = place.written.position(path)
        # A set and its members have one text between them.
        if position not in self._told:
            self._told.add(position)
            problem = self._dangling.problem(resource, edge, position)
            self._report.problems.append(problem._replace(path=dotted(path)))

    def _cycle(self, cycle: tuple[Ref, ...]) -> Problem:
        steps = []
        first: Position | None = None
        for here, to in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
            where = self._where(here, to)
            first = first or where
            steps.append(f"{here} ({where})")
        shown = steps if len(steps) <= 12 else [*steps[:6], f"… {len(steps) - 12} more …", *steps[-6:]]
        message = "these refer to one another: " + " → ".join([*shown, str(cycle[0])])
        hint = "remove one of the references"
        return Problem("declare.reference.cycle", message, hint, first, "spec", "R-VAL-3", str(cycle[0]))

    def _where(self, here: Ref, to: Ref) -> Position:
        """Where the reference from one resource to another is written, if need be as one to its set."""
        place = self._places[here]
        edge = next(edge for edge in self._resources[here].edges if edge.to == to)
        owner = self._resources[to].owner
        for target in (to, owner):
            path = refs.raw_path(place.written.value, edge._replace(to=target), place.spec) if target else place.spec
            if path != place.spec:
                return place.written.position(path)
        return place.written.position(place.spec)
