"""Order: what comes before what, cycles, and why something is held back. Linear in nodes and edges (R-GRA-7)."""

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush

from reconciler.model.action import Action
from reconciler.model.ref import Ref


def in_dependency_order(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Actions sorted so that each follows its `needs`; among equals, by ref. Ignores needs outside the plan.

    Raises ValueError naming the refs of a cycle; loading has already refused cycles of declarations.
    """
    by_ref = {action.ref: action for action in actions}
    waiting: dict[Ref, int] = {}
    dependents: dict[Ref, list[Ref]] = {}
    for ref, action in by_ref.items():
        needs = [need for need in action.needs if need in by_ref and need != ref]
        waiting[ref] = len(needs)
        for need in needs:
            dependents.setdefault(need, []).append(ref)
    ready = [ref for ref, count in waiting.items() if count == 0]
    heapify(ready)
    done: list[Action] = []
    while ready:
        ref = heappop(ready)
        done.append(by_ref[ref])
        for dependent in dependents.get(ref, ()):
            waiting[dependent] -= 1
            if waiting[dependent] == 0:
                heappush(ready, dependent)
    if len(done) != len(by_ref):
        stuck = sorted(str(ref) for ref, count in waiting.items() if count)
        raise ValueError("actions need one another in a circle: " + ", ".join(stuck))
    return tuple(done)


def reached(start: Ref, edges: Mapping[Ref, tuple[Ref, ...]]) -> tuple[Ref, ...]:
    """`start` and everything reached from it, each once, sorted; no recursion."""
    seen = {start}
    stack = [start]
    while stack:
        for ref in edges.get(stack.pop(), ()):
            if ref not in seen:
                seen.add(ref)
                stack.append(ref)
    return tuple(sorted(seen))


def reversed_edges(edges: Mapping[Ref, tuple[Ref, ...]]) -> dict[Ref, tuple[Ref, ...]]:
    """Who points at each ref."""
    found: dict[Ref, list[Ref]] = {}
    for ref in sorted(edges):
        for to in edges[ref]:
            found.setdefault(to, []).append(ref)
    return {ref: tuple(who) for ref, who in found.items()}
