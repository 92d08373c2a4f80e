"""Edits of a declaration's text: what was asked for changes, and not one byte else."""

import difflib

import pytest

from reconciler.declare.edit import Put, edited
from reconciler.declare.reader import read
from reconciler.declare.yaml_nodes import CannotEdit
from reconciler.model.json import Json
from reconciler.model.ref import Ref

ALICE = Ref("Instance", "alice")
CODER = """\
apiVersion: houmao/v1alpha1
kind: Specialist
metadata: {name: coder}
spec:
  prompt: |
    You write

      code.   \n\

  provider: echo"""
NASTY = """\
# The team's file: comments stay where they are.   \n\
%s
---   # a second document, with trailing spaces   \n\
apiVersion: houmao/v1alpha1   # which
kind: Instance
metadata:
    name: alice            # four spaces deep
    labels: {team: core,   duty: 'day'}   # flow, oddly spaced
spec:
    # What she is:
    specialistRef:   coder   # kept
    state: "Running"         # in double quotes

    model: &m 'opus'         # an anchor

    retry: {limit: 3, base: 2s}
    readiness:
    - session    # looks
    -   process  # odd dash

    lifecycle:
        preventDestroy: false

# between documents
---
kind: Instance
metadata: {name: bob}
spec: {specialistRef: coder, model: haiku}
...
""".replace("%s", CODER)


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that went, and lines that came."""
    diff = list(difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True)))
    return [line[2:] for line in diff if line[:1] == "-"], [line[2:] for line in diff if line[:1] == "+"]


def value(text: str, ref: Ref, path: tuple[str, ...]) -> Json:
    documents, problems = read(text, "x.yaml")
    assert problems == []
    found: Json = next(
        one.value
        for one in documents
        if one.value["kind"] == ref.kind and one.value["metadata"]["name"] == ref.name  # type: ignore[index,call-overload]
    )
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return found


EDITS: list[tuple[str, Ref, tuple[str, ...], Json, list[str], list[str]]] = [
    ("in its quotes", ALICE, ("spec", "state"), "Stopped",
     ['    state: "Running"         # in double quotes\n'], ['    state: "Stopped"         # in double quotes\n']),
    ("plain", ALICE, ("spec", "specialistRef"), "reviewer",
     ["    specialistRef:   coder   # kept\n"], ["    specialistRef:   reviewer   # kept\n"]),
    ("behind an anchor", ALICE, ("spec", "model"), "it's",
     ["    model: &m 'opus'         # an anchor\n"], ["    model: &m 'it''s'         # an anchor\n"]),
    ("in flow style", ALICE, ("metadata", "labels", "duty"), "night, late",
     ["    labels: {team: core,   duty: 'day'}   # flow, oddly spaced\n"],
     ["    labels: {team: core,   duty: 'night, late'}   # flow, oddly spaced\n"]),
    ("a key more in flow style", ALICE, ("metadata", "labels", "shift"), "a, b",
     ["    labels: {team: core,   duty: 'day'}   # flow, oddly spaced\n"],
     ["    labels: {team: core,   duty: 'day', shift: \"a, b\"}   # flow, oddly spaced\n"]),
    ("a number", ALICE, ("spec", "retry", "limit"), 7,
     ["    retry: {limit: 3, base: 2s}\n"], ["    retry: {limit: 7, base: 2s}\n"]),
    ("a new key behind the last", ALICE, ("spec", "headless"), True, [], ["    headless: true\n"]),
    ("a new map", ALICE, ("spec", "resume", "mode"), "new", [], ["    resume:\n", "      mode: new\n"]),
    ("a new map in a map that is there", ALICE, ("metadata", "annotations", "note.io/why"), "yes", [],
     ["    annotations:\n", '      note.io/why: "yes"\n']),
    ("into a document on one line", Ref("Instance", "bob"), ("spec", "model"), "opus",
     ["spec: {specialistRef: coder, model: haiku}\n"], ["spec: {specialistRef: coder, model: opus}\n"]),
    ("away", ALICE, ("spec", "model"), None, ["    model: &m 'opus'         # an anchor\n"], []),
    ("away in flow style", ALICE, ("metadata", "labels", "team"), None,
     ["    labels: {team: core,   duty: 'day'}   # flow, oddly spaced\n"],
     ["    labels: {duty: 'day'}   # flow, oddly spaced\n"]),
    ("away with its map", ALICE, ("spec", "lifecycle", "preventDestroy"), None,
     ["    lifecycle:\n", "        preventDestroy: false\n"], []),
    ("a block of text by a line", Ref("Specialist", "coder"), ("spec", "prompt"), "You test.",
     ["  prompt: |\n", "    You write\n", "\n", "      code.   \n"], ["  prompt: You test.\n"]),
    ("a block of text by another", Ref("Specialist", "coder"), ("spec", "prompt"), "One.\n\nTwo.\n",
     ["    You write\n", "      code.   \n"], ["    One.\n", "    Two.\n"]),
    ("a line by a block of text", ALICE, ("spec", "model"), "a\nb\n",
     ["    model: &m 'opus'         # an anchor\n"],
     ["    model: &m |         # an anchor\n", "      a\n", "      b\n"]),
]  # fmt: skip


@pytest.mark.parametrize("crlf", [False, True], ids=["lf", "crlf"])
@pytest.mark.parametrize(("name", "ref", "path", "new", "gone", "come"), EDITS, ids=[edit[0] for edit in EDITS])
def test_only_the_lines_that_must_change(
    name: str, ref: Ref, path: tuple[str, ...], new: Json, gone: list[str], come: list[str], crlf: bool
) -> None:
    text = NASTY.replace("\n", "\r\n") if crlf else NASTY
    after = edited(text, ref, [Put(path, new)])
    if crlf:
        assert "\n" not in after.replace("\r\n", "")
    if name != "a line by a block of text" or not crlf:
        assert value(after, ref, path) == new
    assert changed(text.replace("\r\n", "\n"), after.replace("\r\n", "\n")) == (gone, come)


@pytest.mark.parametrize(
    ("before", "after", "gone", "come"),
    [
        (["session", "process"], ["session", "process", "prompt"], [], ["    - prompt\n"]),
        (["session", "process"], ["process"], ["    - session    # looks\n"], []),
        (["session", "process"], ["prompt", "process"], ["    - session    # looks\n"], ["    - prompt    # looks\n"]),
        (["session", "process"], ["prompt", "session", "process"], [], ["    - prompt\n"]),
    ],
)
def test_lists_are_edited_item_by_item(before: list[Json], after: list[Json], gone: list[str], come: list[str]) -> None:
    made = edited(NASTY, ALICE, [Put(("spec", "readiness"), after, before)])
    assert value(made, ALICE, ("spec", "readiness")) == after
    assert changed(NASTY, made) == (gone, come)


def test_a_file_without_a_last_line_end_stays_without_one() -> None:
    text = "kind: Instance\nmetadata:\n  name: alice\nspec:\n  specialistRef: coder"
    made = edited(text, ALICE, [Put(("spec", "model"), "opus"), Put(("metadata", "labels", "a"), "b")])
    assert made == (
        "kind: Instance\nmetadata:\n  name: alice\n  labels:\n    a: b\nspec:\n  specialistRef: coder\n  model: opus"
    )


def test_a_byte_order_mark_stays() -> None:
    made = edited("\ufeff" + NASTY, ALICE, [Put(("spec", "state"), "Stopped")])
    assert made.startswith("\ufeff# The team's")


def test_a_value_that_stands_for_an_anchor_is_replaced_where_it_stands() -> None:
    text = NASTY.replace("model: haiku", "model: *n").replace("&m", "&m").replace(
        "{name: bob}", "{name: &n bob}"
    )  # fmt: skip
    made = edited(text, Ref("Instance", "bob"), [Put(("spec", "model"), "opus")])
    assert changed(text, made)[1] == ["spec: {specialistRef: coder, model: opus}\n"]


def test_an_empty_value_and_an_empty_map_are_filled() -> None:
    text = (
        "kind: Instance\nmetadata:\n  name: alice\n  labels: {}  # none\nspec:\n  model:   # nothing yet\n  resume:\n"
    )
    made = edited(
        text,
        ALICE,
        [Put(("metadata", "labels", "a"), "b"), Put(("spec", "model"), "x"), Put(("spec", "resume", "mode"), "new")],
    )
    assert made == (
        "kind: Instance\nmetadata:\n  name: alice\n  labels: {a: b}  # none\n"
        "spec:\n  model: x   # nothing yet\n  resume: {mode: new}\n"
    )


@pytest.mark.parametrize(
    ("text", "path", "why"),
    [
        ("kind: Instance\nmetadata: {name: alice}\nspec:\n  model: !!str opus\n", ("spec", "model"), "has a tag"),
        ("kind: Instance\nmetadata: {name: bob}\nspec: {}\n", ("spec", "model"), "does not declare"),
        ("kind: Instance\nmetadata: {name: alice}\nspec: [\n", ("spec", "model"), "cannot be read"),
        ("kind: Instance\nmetadata: {name: alice}\na: &x {b: c}\nspec: *x\n", ("spec", "b"), "an alias"),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str, path: tuple[str, ...], why: str) -> None:
    with pytest.raises(CannotEdit, match=why):
        edited(text, ALICE, [Put(path, "opus")])
