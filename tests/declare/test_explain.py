"""`explain` tells of a kind or a field what loading knows of it."""

import pytest

from reconciler.declare.catalogue import Catalogue
from reconciler.declare.explain import explain
from reconciler.declare.schema import Schema
from reconciler.model.errors import UsageFault

KINDS = Catalogue()


def schema(kind: str) -> Schema:
    found = KINDS.schema(kind)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", KINDS.built_in())
def test_every_kind_and_every_field_can_be_explained(kind: str) -> None:
    whole = "\n".join(explain(schema(kind)))
    for path in schema(kind).shape:
        assert path.rpartition(".")[2] in whole
        assert explain(schema(kind), path) == explain(schema(kind), f"spec.{path}")


def test_a_field_tells_its_default_its_cost_and_its_words() -> None:
    text = "\n".join(explain(schema("Instance"), "spec.readiness"))
    assert 'default:    ["process","prompt"]' in text
    assert "a change:   record" in text
    assert "one of:     session, process, prompt" in text


def test_what_is_not_there_yet_is_listed_as_such() -> None:
    assert any("mailbox -not in this release-" in line for line in explain(schema("Instance")))


def test_a_mistyped_field_comes_with_the_nearest() -> None:
    with pytest.raises(UsageFault) as raised:
        explain(schema("Instance"), "spec.retry.bse")
    assert raised.value.hint == "did you mean 'base'?"
