"""State after a verb equals state after applying the manifest edit that says the same (R-IMP-7).

One table: each verb by each way, beside the edit. Two worlds live through the same beginning; in one the verb is given,
in the other the manifest is edited and applied. What runs, what is declared, what is in catalog, homes and registry
must then be the same, but for who manages it.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import pytest

from reconciler.app import adopt, edit, verbs
from reconciler.app.ask import Ask, Way
from reconciler.app.export import export
from reconciler.declare.dump import document
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld

ALICE, CODER, CREW, DAY = (
    Ref("Instance", "alice"), Ref("Specialist", "coder"), Ref("InstanceSet", "crew"), Ref("LaunchProfile", "day"),
)  # fmt: skip
FLEET = """\
apiVersion: houmao/v1alpha1
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, promptFile: prompts/coder.md}
---
apiVersion: houmao/v1alpha1
kind: LaunchProfile
metadata: {name: day}
spec: {specialistRef: coder}
---
apiVersion: houmao/v1alpha1
kind: Instance
metadata: {name: alice}
spec: {profileRef: day, state: Running}
---
apiVersion: houmao/v1alpha1
kind: InstanceSet
metadata: {name: crew}
spec: {replicas: 2, template: {specialistRef: coder}}
"""
HOLD, BACK, PLAIN = Way(override=True), Way(write_back=True), Way()


class Row(NamedTuple):
    """A verb, and the edit of the manifest's text that says the same."""

    name: str
    ask: Callable[[Way], Ask]
    old: str
    new: str


ROWS = (
    Row("stop", lambda way: verbs.stop([ALICE], way), "state: Running", "state: Stopped"),
    Row("set", lambda way: verbs.settings("set", [CODER], {"model": "opus"}, way),
        "promptFile: prompts/coder.md", "promptFile: prompts/coder.md, model: opus"),
    Row("set a profile", lambda way: verbs.settings("set", [DAY], {"env.LEVEL": "2"}, way),
        "spec: {specialistRef: coder}", "spec: {specialistRef: coder, env: {LEVEL: \"2\"}}"),
    Row("scale", lambda way: verbs.settings("set", [CREW], {"replicas": 1}, way), "replicas: 2", "replicas: 1"),
    Row("patch", lambda way: verbs.patch("patch", [ALICE], {"spec": {"model": "haiku", "retry": {"limit": 1}}}, way),
        "state: Running", "state: Running, model: haiku, retry: {limit: 1}"),
    Row("label", lambda way: verbs.notes("label", [ALICE], "labels", {"team": "core"}, way),
        "{name: alice}", "{name: alice, labels: {team: core}}"),
    Row("annotate", lambda way: verbs.notes("annotate", [CODER], "annotations", {"note": "x y"}, way),
        "{name: coder}", "{name: coder, annotations: {note: x y}}"),
)  # fmt: skip


def state(world: FakeWorld) -> dict[str, Json]:
    """What is there, without what differs between any two worlds or says who manages it."""
    rows: dict[str, Json] = {}
    for ref, row in world.rows.items():
        bundle = world.look().catalog.bundles([row.digest])[row.digest]
        rows[ref] = {
            "spec": bundle["spec"],
            "labels": dict(row.labels),
            "annotations": dict(row.annotations),
            "generation": row.generation,
            "launch": row.launch_digest,
            "state": row.live.get("state"),
        }
    kinds = ("Role", "Recipe", "Specialist", "LaunchProfile", "InstanceSet")
    definitions: dict[str, Json] = {
        f"{kind}/{name}": found.facts
        for kind in kinds
        for name, found in world.look().catalog.definitions(kind).items()
    }
    marks: list[Json] = sorted(
        f"{world.sessions[pane.session_name]} {' '.join(pane.mark.split(' ')[:2])}" for pane in world.panes if pane.uid
    )
    running: list[Json] = sorted(world.running)
    homes: dict[str, Json] = {
        ref: sorted(str(path.relative_to(world.home_of(ref.partition("/")[2]))) for path in home.rglob("*"))
        for ref, row in world.rows.items()
        if ref.startswith("Instance/") and (home := world.home_of(ref.partition("/")[2])).is_dir()
    }
    return {"rows": rows, "definitions": definitions, "marks": marks, "running": running, "homes": homes}


def begun(world: FakeWorld, by_hand: bool = False) -> None:
    world.given_file("prompts/coder.md", "You write code.\n")
    world.given_file("fleet.yaml", FLEET)
    world.when_applied(**({"applyset": "imperative"} if by_hand else {}))


@cache
def edited(row: Row) -> Mapping[str, Json]:
    """The other world, where the manifest is edited and applied; the same for every way to the same end."""
    with FakeWorld() as world:
        begun(world)
        assert FLEET.count(row.old) == 1
        world.given_file("fleet.yaml", FLEET.replace(row.old, row.new))
        assert world.when_applied().settled
        return state(world)


@pytest.mark.parametrize("way", [HOLD, BACK, PLAIN], ids=["held", "written back", "by hand"])
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_verb_ends_where_the_edit_of_the_manifest_ends(fake_world: FakeWorld, row: Row, way: Way) -> None:
    begun(fake_world, by_hand=way == PLAIN)
    assert fake_world.when_asked(row.ask(way)).settled
    assert state(fake_world) == edited(row)
    assert fake_world.when_asked(row.ask(way)).told == []
    if way != PLAIN:
        assert fake_world.when_planned().in_sync


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_writing_back_changes_the_line_it_must_and_no_comment(fake_world: FakeWorld, row: Row) -> None:
    commented = "".join(f"{line}   # {number}: kept\n" for number, line in enumerate(FLEET.splitlines()))
    fake_world.given_file("prompts/coder.md", "You write code.\n")
    fake_world.given_file("fleet.yaml", commented)
    fake_world.when_applied()
    assert fake_world.when_asked(row.ask(BACK)).settled
    assert (fake_world.source / "fleet.yaml").read_text() == commented.replace(row.old, row.new)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_an_editor_ends_where_the_edit_of_the_manifest_ends(fake_world: FakeWorld, row: Row) -> None:
    """`edit`: the copy that the editor is given is changed in one place, whichever resource was named."""
    begun(fake_world)
    text = edit.text_of(fake_world.flags, ALICE)
    asked = edit.asked(text, text.data.replace(row.old.encode(), row.new.encode()))
    assert asked is not None
    assert fake_world.when_asked(asked).settled
    assert state(fake_world) == edited(row)
    assert (fake_world.source / "fleet.yaml").read_text() == FLEET.replace(row.old, row.new)
    assert fake_world.when_planned().in_sync


BY_HAND = (
    (ALICE, "profileRef: day", "profileRef: day\n  state: Stopped"),
    (CODER, "promptFile", "model: opus\n  promptFile"),
    (CREW, "replicas: 2", "replicas: 1"),
)
"""What is edited, and the edit, in the text that `export` would print."""


@pytest.mark.parametrize(("ref", "old", "new"), BY_HAND, ids=[str(ref) for ref, _, _ in BY_HAND])
def test_an_editor_on_what_was_made_by_hand_ends_there_too(fake_world: FakeWorld, ref: Ref, old: str, new: str) -> None:
    (row,) = (row for row in ROWS if row.name == {ALICE: "stop", CODER: "set", CREW: "scale"}[ref])
    begun(fake_world, by_hand=True)
    text = edit.text_of(fake_world.flags, ref)
    assert text.data.count(old.encode()) == 1, text.data
    asked = edit.asked(text, text.data.replace(old.encode(), new.encode()))
    assert asked is not None
    assert fake_world.when_asked(asked).settled
    assert state(fake_world) == edited(row)


def test_adopt_ends_where_a_manifest_that_adopts_would(fake_world: FakeWorld) -> None:
    begun(fake_world)
    fake_world.foreign_session("work")
    bob = Ref("Instance", "bob")
    assert fake_world.when_asked(adopt.one(fake_world.flags, bob, "work", CODER)).settled
    with FakeWorld() as other:
        begun(other)
        other.foreign_session("work")
        other.given(
            "kind: Instance\nmetadata: {name: bob, annotations: {houmao/adopt: IfUnowned}}\n"
            "spec: {specialistRef: coder, sessionName: work}\n",
            "bob.yaml",
        )
        assert other.when_applied().settled
        assert "bob" in other.running
        assert state(fake_world) == state(other)


def test_release_ends_where_the_manifest_is(fake_world: FakeWorld) -> None:
    begun(fake_world)
    before = state(fake_world)
    fake_world.when_asked(verbs.notes("label", [ALICE], "labels", {"a": "b"}, HOLD))
    assert fake_world.when_asked(verbs.release([ALICE])).settled
    assert state(fake_world) == before


def test_create_ends_where_a_manifest_would(fake_world: FakeWorld) -> None:
    bob: JsonMap = document("Instance", "bob", {"specialistRef": "coder", "model": "opus"}, {"team": "core"})
    begun(fake_world)
    assert fake_world.when_asked(verbs.create([bob])).settled
    with FakeWorld() as other:
        begun(other)
        text = (
            "kind: Instance\nmetadata: {name: bob, labels: {team: core}}\nspec: {specialistRef: coder, model: opus}\n"
        )
        other.given(text, "bob.yaml")
        assert other.when_applied().settled
        assert state(fake_world) == state(other)


def test_relaunch_changes_nothing_that_is_declared(fake_world: FakeWorld) -> None:
    begun(fake_world)
    before = state(fake_world)
    assert fake_world.when_asked(verbs.relaunch([ALICE], "q-1")).settled
    assert state(fake_world) == before


def test_an_export_behind_every_verb_plans_nothing(fake_world: FakeWorld) -> None:
    begun(fake_world)
    for row in ROWS:
        fake_world.when_asked(row.ask(HOLD))
    export(fake_world.flags, [], directory=str(fake_world.root / "out"))
    foreseen = fake_world.when_planned(source=fake_world.root / "out")
    assert foreseen.in_sync
