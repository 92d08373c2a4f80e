"""References between resources: edges, what dangles, and cycles (R-MOD-7, R-VAL-3, R-MOD-14a).

Works on canonical specs, where a reference is a name; positions are looked up in the document only for what is wrong.
"""

from collections.abc import Callable, Mapping

from reconciler.declare.node import values_at
from reconciler.declare.schema import Schema
from reconciler.declare.suggest import nearest
from reconciler.model.errors import Problem
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref, name_fault
from reconciler.model.resource import Edge, Path, Position, Resource

LIVE_KINDS = ("Instance", "InstanceSet")
"""What other resources wait for until it is Ready, unless they say otherwise (R-GRA-3)."""


def edges_of(schema: Schema, spec: JsonMap) -> tuple[Edge, ...]:
    """The references of a canonical spec, sorted by path and target."""
    found: list[Edge] = []
    for spot in schema.ref_spots:
        kind, path = spot.member.meta.ref or "", spot.dotted
        for value in values_at(spec, spot.path):
            if not isinstance(value.value, str):
                continue
            if kind != "*":
                found.append(Edge(path, Ref(kind, value.value)))
                continue
            to = Ref.parse(value.value)
            asked = value.holder.get("condition") if isinstance(value.holder, dict) else None
            limit = value.holder.get("timeout") if isinstance(value.holder, dict) else None
            condition = str(asked) if asked else "Ready" if to.kind in LIVE_KINDS else "Applied"
            found.append(Edge(path, to, condition, limit if isinstance(limit, int) else None))
    return tuple(sorted(found))


def loose_edges(schema: Schema, spec: JsonMap) -> tuple[Edge, ...]:
    """The references of a spec that is not valid, as far as they can be read."""
    found: list[Edge] = []
    for spot in schema.ref_spots:
        kind, path = spot.member.meta.ref or "", spot.dotted
        for each in values_at(spec, spot.path):
            name = each.value.get("name") if isinstance(each.value, dict) else each.value
            before, _, bare = name.rpartition("/") if isinstance(name, str) else ("", "", "")
            target = before if kind == "*" else kind
            if target and bare and name_fault(bare) is None:
                found.append(Edge(path, Ref(target, bare)))
    return tuple(found)


def is_default(schema: Schema, edge: Edge) -> bool:
    """True for a reference that equals its field's default, such as the setup `default`: the provider's own stands
    in.
    """
    for spot in schema.ref_spots:
        if spot.dotted == edge.path:
            return not spot.member.required and spot.member.default == edge.to.name
    return False


class Dangling:
    """Makes the problem for a reference that leads nowhere; asks for candidates once."""

    __slots__ = ("_by_kind", "_former")

    def __init__(self, resources: Mapping[Ref, Resource]) -> None:
        self._by_kind: dict[str, list[str]] = {}
        self._former: dict[str, str] = {}
        for ref, resource in resources.items():
            self._by_kind.setdefault(ref.kind, []).append(ref.name)
            if resource.derived and resource.owner is not None:
                self._former[f"{ref.kind}/{resource.owner.name}-"] = ref.name

    def problem(self, source: Resource, edge: Edge, position: Position | None) -> Problem:
        """What is missing, and the name that may be meant."""
        near = nearest(edge.to.name, self._by_kind.get(edge.to.kind, ()))
        # Another setup gives a derived recipe another name: the old one still begins like its specialist.
        renamed = max((start for start in self._former if str(edge.to).startswith(start)), key=len, default=None)
        if renamed is not None:
            hint = f"the {edge.to.kind.lower()} of that specialist is now called {self._former[renamed]!r}"
        elif near is not None:
            hint = f"did you mean {near!r}?"
        else:
            hint = f"declare {edge.to}, or remove the reference"
        return Problem(
            "declare.reference.dangling",
            f"{source.ref} refers to {edge.to}, which is neither declared nor in the catalog",
            hint,
            position,
            path=f"spec.{edge.path}",
            rule="R-MOD-7",
            ref=str(source.ref),
        )


def raw_path(document: Mapping[str, Json], edge: Edge, spec_at: Path) -> Path:
    """Where in the written document a reference stands, `spec_at` being the path of its spec."""
    here: Json = dict(document)
    for step in spec_at:
        here = here.get(str(step)) if isinstance(here, dict) else None
    names = {edge.to.name, str(edge.to)}
    steps = tuple(edge.path.split("."))
    for length in range(len(steps), 0, -1):
        for pattern in _patterns(steps[:length]):
            for found in values_at(here, pattern):
                value = found.value
                name = value.get("name") if isinstance(value, dict) else value
                if isinstance(name, str) and name in names:
                    return (*spec_at, *found.path)
    return spec_at


def _patterns(steps: tuple[str, ...]) -> tuple[tuple[str | None, ...], ...]:
    """A path without indices, with an item step after each of its names in turn."""
    listed = tuple((*steps[:at], None, *steps[at:]) for at in range(1, len(steps) + 1))
    return (steps, *listed)


def cycles(edges: Mapping[Ref, tuple[Ref, ...]]) -> list[tuple[Ref, ...]]:
    """For each group of resources that refer to one another its shortest cycle, smallest ref first; no recursion."""
    return sorted(_shortest(group, edges) for group in _groups(edges))


_WORK = 300_000
"""Steps spent on one group; a ring of ten thousand has ten thousand starts that all find the same."""


def _shortest(group: set[Ref], edges: Mapping[Ref, tuple[Ref, ...]]) -> tuple[Ref, ...]:
    """The shortest cycle of a group; of one that is large and has only long cycles, the shortest that work allows."""
    inner = {ref: tuple(to for to in edges.get(ref, ()) if to in group) for ref in sorted(group)}
    # Short ones first, which are what people write: looking no further than a few steps is cheap from every start.
    for most in (1, 2, 4, 8, 16):
        found = [cycle for start in inner if (cycle := _back(start, inner, most))]
        if found:
            return min(found, key=lambda cycle: (len(cycle), cycle))
    best: tuple[Ref, ...] = ()
    steps = sum(map(len, inner.values()))
    for start in list(inner)[: max(1, _WORK // steps)]:
        cycle = _back(start, inner, len(best) - 1 if best else len(group))
        best = cycle or best
    return best


def _back(start: Ref, edges: Mapping[Ref, tuple[Ref, ...]], most: int) -> tuple[Ref, ...]:
    """The shortest way from a ref back to itself in at most so many steps; empty when there is none."""
    came: dict[Ref, Ref] = {}
    level = [start]
    for _ in range(most):
        following: list[Ref] = []
        for here in level:
            for to in edges[here]:
                if to not in came:
                    came[to] = here
                    following.append(to)
        if start in came:
            cycle = [start]
            while (back := came[cycle[-1]]) != start:
                cycle.append(back)
            return (start, *reversed(cycle[1:]))
        level = following
    return ()


def _groups(edges: Mapping[Ref, tuple[Ref, ...]]) -> list[set[Ref]]:
    """Strongly connected groups that have a cycle (Tarjan, with a stack of our own)."""
    number: dict[Ref, int] = {}
    low: dict[Ref, int] = {}
    stack: list[Ref] = []
    on_stack: set[Ref] = set()
    groups: list[set[Ref]] = []
    for start in sorted(edges):
        if start in number:
            continue
        work: list[tuple[Ref, int]] = [(start, 0)]
        while work:
            here, at = work.pop()
            if here not in number:
                number[here] = low[here] = len(number)
                stack.append(here)
                on_stack.add(here)
            targets = edges.get(here, ())
            for index in range(at, len(targets)):
                to = targets[index]
                if to not in number:
                    work += [(here, index), (to, 0)]
                    break
                if to in on_stack:
                    low[here] = min(low[here], low[to])
            else:
                if low[here] == number[here]:
                    group: set[Ref] = set()
                    while here not in group:
                        group.add(stack.pop())
                    on_stack -= group
                    if len(group) > 1 or here in targets:
                        groups.append(group)
    return groups


Known = Callable[[Ref], bool]
