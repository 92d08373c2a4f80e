"""Cycles: found without recursion, the shortest of each group, told from its smallest member."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.declare.refs import cycles
from reconciler.model.ref import Ref

Graph = dict[Ref, tuple[Ref, ...]]


def ref(number: int) -> Ref:
    return Ref("Instance", f"a{number:05}")


def graph(edges: dict[int, list[int]]) -> Graph:
    return {ref(start): tuple(ref(to) for to in ends) for start, ends in edges.items()}


def test_none_where_there_is_none() -> None:
    assert cycles(graph({0: [1, 2], 1: [3], 2: [3], 3: []})) == []


def test_one_that_names_itself() -> None:
    assert cycles(graph({0: [0]})) == [(ref(0),)]


def test_the_shortest_of_a_group_and_one_of_each_group() -> None:
    assert cycles(graph({0: [1], 1: [2], 2: [0, 1], 5: [6], 6: [5], 9: [0]})) == [(ref(1), ref(2)), (ref(5), ref(6))]


def test_ten_thousand_in_a_chain_and_in_a_ring() -> None:
    chain = {number: [number + 1] for number in range(9_999)}
    assert cycles(graph(chain)) == []
    assert len(cycles(graph({**chain, 9_999: [9_000]}))[0]) == 1_000


GRAPHS = st.dictionaries(st.integers(0, 7), st.lists(st.integers(0, 7), max_size=4), max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(GRAPHS)
def test_what_is_told_is_a_cycle_and_what_is_not_told_is_none(edges: dict[int, list[int]]) -> None:
    known = graph(edges)
    found = cycles(known)
    for cycle in found:
        for here, to in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
            assert to in known[here]
    in_cycles = {start for start in known if start in reach(known, start)}
    assert bool(found) == bool(in_cycles)
    assert len(found) == len(
        {
            frozenset(each for each in in_cycles if each in reach(known, start) and start in reach(known, each))
            for start in in_cycles
        }
    )
    for cycle in found:
        assert len(cycle) == min(
            distance(known, start)
            for start in in_cycles
            if start in reach(known, cycle[0]) and cycle[0] in reach(known, start)
        )


def reach(known: Graph, start: Ref) -> set[Ref]:
    seen: set[Ref] = set()
    waiting = list(known.get(start, ()))
    while waiting:
        here = waiting.pop()
        if here not in seen:
            seen.add(here)
            waiting += known.get(here, ())
    return seen


def distance(known: Graph, start: Ref) -> int:
    """Steps from a node back to itself."""
    level, steps = {start}, 0
    while True:
        level, steps = {to for here in level for to in known.get(here, ())}, steps + 1
        if start in level:
            return steps
