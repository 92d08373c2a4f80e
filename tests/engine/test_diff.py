"""The three-way table has one row for each combination (R-DIF-1); a diff shows only owned paths (R-DIF-2)."""

from itertools import product

import pytest

from reconciler.engine import diff
from reconciler.model.change import ABSENT, UNKNOWN, Classification, Side
from reconciler.model.field import Change, Field, ListKind, Shape
from reconciler.model.json import JsonMap, digest
from reconciler.model.ref import Ref
from reconciler.model.resource import Position, Resource

C = Classification
SIDES: dict[str, Side] = {"absent": ABSENT, "v1": "v1", "v2": "v2", "v3": "v3", "unknown": UNKNOWN}
NOTHING_DECLARED = {("absent", "absent")}

SHAPE: Shape = {
    "model": Field("model", Change.RELAUNCH, None),
    "mode": Field("mode", Change.RECORD, "quiet"),
    "env": Field("env", Change.RELAUNCH, {}, open_map=True),
    "tags": Field("tags", Change.RECORD, [], list_kind=ListKind.SET),
    "args": Field("args", Change.RELAUNCH, [], list_kind=ListKind.SEQUENCE),
    "parts": Field("parts", Change.RECORD, [], list_kind=ListKind.KEYED, merge_key="name"),
    "key": Field("key", Change.RELAUNCH, None, sensitive=True),
    "prompt": Field("prompt", Change.RELAUNCH, None, content="text"),
}


def expected(declared: str, last: str, observed: str) -> Classification:
    """The table of R §7, written once more by hand."""
    if observed == "unknown":
        return C.UNDECIDABLE
    if declared == last:
        return C.IN_SYNC if observed == declared or declared == "absent" else C.DRIFTED
    if observed == declared:
        return C.CONVERGED
    if declared == "absent":
        return C.FIELD_REMOVED if observed == last else C.REMOVED_OVER_DRIFT
    return C.SPEC_CHANGED if observed == last else C.SPEC_CHANGED_DRIFTED


@pytest.mark.parametrize(
    ("declared", "last", "observed"),
    [combination for combination in product(SIDES, repeat=3) if "unknown" not in combination[:2]],
)
def test_every_combination_has_exactly_one_row(declared: str, last: str, observed: str) -> None:
    assert diff.classify(SIDES[declared], SIDES[last], SIDES[observed]) is expected(declared, last, observed)


def test_all_rows_are_reached() -> None:
    known = [name for name in SIDES if name != "unknown"]
    found = {
        diff.classify(SIDES[one], SIDES[two], SIDES[three]) for one, two in product(known, repeat=2) for three in SIDES
    }
    assert found == set(Classification)


def test_true_and_one_differ_as_they_do_in_json() -> None:
    assert diff.classify(True, 1, 1) is C.SPEC_CHANGED


def wanted(spec: JsonMap, **positions: Position) -> Resource:
    return Resource(Ref("Toy", "x"), spec, digest(spec), positions=positions)


def paths(want: JsonMap | None, last: JsonMap | None, facts: JsonMap | None, complete: bool = True) -> dict[str, str]:
    found = diff.changes(wanted(want) if want is not None else None, last, facts, SHAPE, complete=complete)
    return {change.path: change.classification.value for change in found}


def test_what_nobody_declared_never_shows_up() -> None:
    assert paths({"model": "a"}, {"model": "a"}, {"model": "a", "somebody": "else", "tags": ["x"]}) == {}


def test_a_value_that_equals_the_default_and_none_at_all_are_the_same() -> None:
    assert paths({"mode": "quiet"}, {}, {}) == {}
    assert paths({}, {"mode": "quiet"}, {"mode": "quiet"}) == {}
    assert paths({}, {"mode": "loud"}, {"mode": "loud"}) == {"mode": "SpecChanged"}


def test_sequences_care_for_order_and_keyed_lists_do_not() -> None:
    assert paths({"args": ["a", "b"]}, {"args": ["b", "a"]}, None) == {"args": "SpecChanged"}
    one: JsonMap = {"parts": [{"name": "a", "n": 1}, {"name": "b", "n": 2}]}
    two: JsonMap = {"parts": [{"name": "b", "n": 2}, {"name": "a", "n": 1}]}
    assert paths(one, two, two) == {}
    changed: JsonMap = {"parts": [{"name": "b", "n": 3}, {"name": "a", "n": 1}]}
    assert paths(changed, two, two) == {"parts[name=b]": "SpecChanged"}


def test_each_key_of_an_open_map_is_a_path_of_its_own() -> None:
    assert paths({"env": {"A": "1", "B": "2"}}, {"env": {"A": "1", "B": "3"}}, None) == {"env.B": "SpecChanged"}


def test_a_path_that_was_not_looked_at_counts_as_it_was_applied() -> None:
    assert paths({"model": "b"}, {"model": "a"}, {}, complete=False) == {"model": "SpecChanged"}
    assert paths({"model": "a"}, {"model": "a"}, {}, complete=False) == {}


def test_a_path_missing_from_complete_facts_is_drift() -> None:
    assert paths({"model": "a"}, {"model": "a"}, {}) == {"model": "Drifted"}


def test_both_old_values_are_kept_where_a_change_meets_drift() -> None:
    (change,) = diff.changes(wanted({"model": "c"}), {"model": "a"}, {"model": "b"}, SHAPE, complete=True)
    assert (change.declared, change.last, change.observed) == ("c", "a", "b")
    assert change.classification is C.SPEC_CHANGED_DRIFTED
    assert change.change is Change.RELAUNCH


def test_sensitive_values_are_masked_and_content_is_labelled() -> None:
    found = {
        change.path: change
        for change in diff.changes(
            wanted({"key": "new", "prompt": {"digest": "sha256:b"}}),
            {"key": "old", "prompt": {"digest": "sha256:a"}},
            None,
            SHAPE,
            complete=False,
        )
    }
    assert found["key"].to_json()["declared"] == "(sensitive)"
    assert found["prompt"].label == "spec.prompt#content"


def test_the_position_that_set_a_value_comes_along() -> None:
    where = Position("fleet.yaml", 7, 3)
    want = Resource(Ref("Toy", "x"), {"model": "b"}, "d", positions={"spec.model": where})
    (change,) = diff.changes(want, {"model": "a"}, None, SHAPE, complete=False)
    assert change.position == where


def test_ignored_paths_are_left_out_with_all_below_them() -> None:
    found = diff.changes(
        wanted({"env": {"A": "2"}, "model": "b"}),
        {"env": {"A": "1"}, "model": "a"},
        None,
        SHAPE,
        complete=False,
        ignore=("env",),
    )
    assert [change.path for change in found] == ["model"]
