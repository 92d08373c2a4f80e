"""Order follows references, never depth of recursion, hash seeds or the order of files."""

import random

import pytest

from reconciler.engine import order
from reconciler.model.action import Action, Code, Reason, Verb
from reconciler.model.ref import Ref
from tests.engine.toy import ToyKind, planned, toys


def action(name: str, *needs: str) -> Action:
    return Action(Verb.CREATE, Ref("Toy", name), None, (Reason(Code.NEW, "new"),), tuple(Ref("Toy", n) for n in needs))


def names(actions: tuple[Action, ...]) -> list[str]:
    return [each.ref.name for each in actions]


def test_each_action_follows_what_it_needs_and_equals_go_by_name() -> None:
    given = [action("d", "b", "c"), action("c", "a"), action("b", "a"), action("a"), action("z"), action("y", "gone")]

    assert names(order.in_dependency_order(given)) == ["a", "b", "c", "d", "y", "z"]


def test_any_permutation_gives_the_same_order() -> None:
    given = [action(f"n{number}", *(f"n{needed}" for needed in range(number % 3, number, 7))) for number in range(60)]
    first = order.in_dependency_order(given)
    for seed in range(20):
        random.Random(seed).shuffle(given)
        assert order.in_dependency_order(given) == first


def test_a_circle_is_named() -> None:
    with pytest.raises(ValueError, match="Toy/a, Toy/b"):
        order.in_dependency_order([action("a", "b"), action("b", "a"), action("c")])


def test_a_chain_of_a_thousand_plans_from_its_end() -> None:
    chain = {f"t{number:04d}": [f"t{number + 1:04d}"] if number < 999 else [] for number in range(1000)}

    made = planned(toys(chain), {"Toy": ToyKind()})

    assert names(made.plan.actions) == sorted(chain, reverse=True)
    assert len(order.reached(Ref("Toy", "t0000"), made.view._edges)) == 1000


def test_a_need_that_is_not_in_the_plan_still_orders_what_it_needs_itself() -> None:
    declared = toys({"agent": ["recipe"], "recipe": ["role"], "role": []})

    class OnlySome(ToyKind):
        def plan(self, case: object, look: object) -> tuple[Action, ...]:
            ref: Ref = case.ref  # type: ignore[attr-defined]
            return () if ref.name == "recipe" else (action(ref.name),)

    made = planned(declared, {"Toy": OnlySome()})

    assert names(made.plan.actions) == ["role", "agent"]
