"""Properties of difference and order, for values nobody thought of."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine import diff, order
from reconciler.model.action import Action, Code, Reason, Verb
from reconciler.model.change import ABSENT, UNKNOWN, Classification
from reconciler.model.field import Change, Field, ListKind, Shape
from reconciler.model.json import Json, JsonMap, digest
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource

SHAPE: Shape = {
    "a": Field("a", Change.RECORD, None),
    "b": Field("b", Change.RELAUNCH, "x"),
    "m": Field("m", Change.RELAUNCH, {}, open_map=True),
    "k": Field("k", Change.RECORD, [], list_kind=ListKind.KEYED, merge_key="name"),
}

leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", "y", ""])
names = st.sampled_from("pqr")
keyed = st.lists(names, unique=True, max_size=3).flatmap(
    lambda found: st.tuples(*(st.fixed_dictionaries({"name": st.just(name), "v": leaves}) for name in found)).map(list)
)
specs: st.SearchStrategy[JsonMap] = st.fixed_dictionaries(
    {}, optional={"a": leaves, "b": leaves, "m": st.dictionaries(names, leaves, max_size=3), "k": keyed}
)
sides = leaves.map(lambda value: ABSENT if value is None else value) | st.sampled_from([ABSENT, UNKNOWN])
known = leaves.map(lambda value: ABSENT if value is None else value)


def found(want: JsonMap, last: JsonMap, facts: JsonMap | None) -> dict[str, Classification]:
    resource = Resource(Ref("Toy", "x"), want, digest(want))
    return {c.path: c.classification for c in diff.changes(resource, last, facts, SHAPE, complete=True)}


@given(known, known, sides)
def test_each_triple_has_one_row_and_only_equal_ones_are_in_sync(declared: Json, last: Json, observed: Json) -> None:
    row = diff.classify(declared, last, observed)

    assert (row is Classification.UNDECIDABLE) == (observed is UNKNOWN)
    if observed is not UNKNOWN and diff.same(declared, last) and diff.same(declared, observed):
        assert row is Classification.IN_SYNC
    if row is Classification.DRIFTED:
        assert diff.same(declared, last)
        assert not diff.same(declared, observed)


@given(specs)
def test_a_spec_does_not_differ_from_itself(spec: JsonMap) -> None:
    assert found(spec, spec, spec) == {}


@given(specs, specs)
def test_applying_what_differs_leaves_no_difference(want: JsonMap, last: JsonMap) -> None:
    assert found(want, want, want) == {}
    assert found(want, last, want).keys() == found(want, last, None).keys()
    assert set(found(want, last, want).values()) <= {Classification.CONVERGED}


@given(specs, specs, specs)
def test_only_paths_that_somebody_declared_appear(want: JsonMap, last: JsonMap, facts: JsonMap) -> None:
    owned = dict(diff.leaves(want, SHAPE)).keys() | dict(diff.leaves(last, SHAPE)).keys()

    assert found(want, last, facts).keys() <= owned


@given(specs, specs, st.randoms())
def test_the_order_of_a_keyed_list_and_of_a_map_means_nothing(want: JsonMap, last: JsonMap, chance: object) -> None:
    def shuffled(spec: JsonMap) -> JsonMap:
        items = list(spec.items())
        chance.shuffle(items)  # type: ignore[attr-defined]
        made: JsonMap = {}
        for key, value in items:
            if key == "k" and isinstance(value, list):
                value = list(value)
                chance.shuffle(value)  # type: ignore[attr-defined]
            made[key] = value
        return made

    assert found(shuffled(want), shuffled(last), None) == found(want, last, None)


@given(st.lists(st.tuples(st.integers(0, 30), st.lists(st.integers(0, 29), max_size=4)), max_size=30), st.randoms())
def test_order_keeps_every_need_and_does_not_care_how_it_was_given(
    nodes: list[tuple[int, list[int]]], chance: object
) -> None:
    # Needs point at smaller numbers alone, so that there is no circle.
    graph = {number: {need for need in needs if need < number} for number, needs in nodes}
    actions = [
        Action(Verb.CREATE, _ref(number), None, (Reason(Code.NEW, "new"),), tuple(_ref(need) for need in sorted(needs)))
        for number, needs in graph.items()
    ]

    ordered = order.in_dependency_order(actions)
    chance.shuffle(actions)  # type: ignore[attr-defined]

    assert order.in_dependency_order(actions) == ordered
    place = {action.ref: index for index, action in enumerate(ordered)}
    assert all(place[need] < place[action.ref] for action in ordered for need in action.needs if need in place)


def _ref(number: int) -> Ref:
    return Ref("Toy", f"n{number:02d}")
