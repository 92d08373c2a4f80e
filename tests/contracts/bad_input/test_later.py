"""What a later release brings is refused today, with its place and a way to do without; it is never ignored."""

from typing import Any

import pytest

from tests.contracts.bad_input import shapes
from tests.contracts.bad_input.machine import Machine, unchanged

FIELDS = [
    (kind, *path) for kind, shape in shapes.kinds().items() for path in shapes.later(shape) if path != ("status",)
]
KINDS = ("Mailbox", "ExternalImport", "Machine", "Fleet", "RemotePermission")
WORDS: dict[str, list[dict[str, Any]]] = {
    "readiness": [{"readiness": [probe]} for probe in ("mailbox", "exec")],
    "condition": [{"dependsOn": [{"ref": "Instance/i0", "condition": "Healthy"}]}],
}


def nested(path: tuple[str, ...]) -> dict[str, Any]:
    """A document body with nothing but that field in it."""
    value: Any = {}
    for name in reversed(path):
        value = [value] if name == shapes.ITEM else {name: value}
    return value  # type: ignore[no-any-return]


def told(machine: Machine, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The complaints about things of a later release; their lines say which document they are about."""
    machine.collect("later.yaml", documents)
    with unchanged(machine):
        ran = machine.run("apply", "-f", "later.yaml", "-o", "json")
    assert ran.code == 1
    causes: Any = ran.error["causes"]
    return [each for each in causes if each["code"] == "declare.not_implemented"]


def test_the_list_is_not_empty() -> None:
    assert {
        ("Instance", "spec", "placement"),
        ("InstanceSet", "spec", "strategy", "maxSurge"),
        ("Skill", "spec", "source"),
    } <= set(FIELDS)
    assert len(FIELDS) > 20


def test_every_field_of_a_later_release(fresh: Machine) -> None:
    documents = [
        {"kind": kind, "metadata": {"name": f"x{i}"}, **nested(tuple(path))} for i, (kind, *path) in enumerate(FIELDS)
    ]
    found = told(fresh, documents)
    at = {each["position"]["line"]: each for each in found}
    assert sorted(at) == [2 * number for number in range(1, len(FIELDS) + 1)]
    for number, (_, *path) in enumerate(FIELDS, 1):
        each = at[2 * number]
        assert each["hint"], path
        assert each["rule"] in ("R-VAL-2", "R-MOD-1"), path
        assert each["path"].split(".")[-1] == path[-1]


def test_every_word_of_a_later_release(fresh: Machine) -> None:
    specs = [(field, spec) for field, each in WORDS.items() for spec in each]
    found = told(
        fresh,
        [{"kind": "Instance", "metadata": {"name": f"i{i}"}, "spec": spec} for i, (_, spec) in enumerate(specs)],
    )
    assert [each["position"]["line"] for each in found] == [2 * number for number in range(1, len(specs) + 1)]
    for (field, _), each in zip(specs, found, strict=True):
        assert field in each["path"]
        assert each["hint"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_a_later_release(kind: str, fresh: Machine) -> None:
    (found,) = told(fresh, [{"kind": kind, "metadata": {"name": "a"}, "spec": {}}, {"kind": "Nothing"}])
    assert kind in found["message"]
    assert (found["position"]["line"], found["rule"]) == (2, "R-MOD-1")


@pytest.mark.parametrize("key", ["houmao/wave"])
def test_annotations_of_a_later_release(key: str, fresh: Machine) -> None:
    spec = {"kind": "Role", "metadata": {"name": "a", "annotations": {key: "1"}}, "spec": {"prompt": ""}}
    (found,) = told(fresh, [spec, {"kind": "Nothing"}])
    assert found["rule"] == "R-MOD-8"
    assert found["hint"]
