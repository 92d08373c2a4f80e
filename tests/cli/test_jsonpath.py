"""kubectl's jsonpath, the part that people use."""

import pytest

from reconciler.cli.grammar import Usage
from reconciler.cli.jsonpath import columns, expand, texts
from reconciler.model.json import Json

FLEET: Json = {
    "items": [
        {"metadata": {"name": "alice", "labels": {"team.io/x": "core"}}, "status": {"pid": 7, "ready": True}},
        {"metadata": {"name": "bob", "labels": {}}, "status": {"pid": None, "ready": False}},
    ]
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.items[*].metadata.name}", "alice bob"),
        (".items[*].metadata.name", "alice bob"),
        ("{$.items[0].metadata.name}", "alice"),
        ("{.items[-1].metadata.name}", "bob"),
        ("{.items[0:1].metadata.name}", "alice"),
        ("{.items[9].metadata.name}", ""),
        ("{.items[0].metadata.labels['team.io/x']}", "core"),
        ("{..name}", "alice bob"),
        ('{.items[?(@.metadata.name=="bob")].status.ready}', "false"),
        ("{.items[?(@.status.pid!=7)].metadata.name}", "bob"),
        ("{.items[?(@.status.ready)].metadata.name}", "alice bob"),
        ("first: {.items[0].metadata.name}!", "first: alice!"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.status.pid}{"\\n"}{end}', "alice\t7\nbob\tnull\n"),
        ("{range .nothing[*]}{.x}{end}", ""),
        ("{.items[0].status}", '{"pid":7,"ready":true}'),
        ("{.items[0].nothing.below}", ""),
    ],
)
def test_templates(template: str, text: str) -> None:
    assert expand(template, FLEET) == text


@pytest.mark.parametrize(
    "template", ["{.items[}", "{.items", "{range .items[*]}{.x}", "{end}", "{.a[?(@.b==c)]}", "{.a b}"]
)
def test_what_cannot_be_read_is_a_usage_error(template: str) -> None:
    with pytest.raises(Usage):
        expand(template, FLEET)


def test_custom_columns_show_none_where_nothing_is_found() -> None:
    assert isinstance(FLEET, dict)
    items = FLEET["items"]
    assert isinstance(items, list)
    headers, rows = columns("NAME:.metadata.name,TEAM:.metadata.labels['team.io/x'],PID:{.status.pid}", items)
    assert headers == ["NAME", "TEAM", "PID"]
    assert rows == [["alice", "core", "7"], ["bob", "<none>", "null"]]


@pytest.mark.parametrize("text", ["NAME", "NAME:", ":.x", "A:.x,,B:.y"])
def test_columns_that_cannot_be_read_are_a_usage_error(text: str) -> None:
    with pytest.raises(Usage):
        columns(text, [])


def test_a_comparison_sees_texts() -> None:
    assert texts("{.items[0].status.pid}", FLEET) == ("7",)
