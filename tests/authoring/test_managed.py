"""What a manifest declares is changed there (R-IMP-2): refused with the ways there are, or by one of them."""

import pytest

from tests.authoring.conftest import Hand

FLEET = """\
# The team.
kind: Specialist
metadata: {name: coder}
spec:
  provider: echo
  model: small  # enough for now
---
kind: LaunchProfile
metadata: {name: p}
spec: {specialistRef: coder}
---
kind: Skill
metadata: {name: lint}
spec: {path: lint}
"""


def declared(hand: Hand) -> None:
    hand.world.given_file("lint/SKILL.md", "# How to\n")
    hand.world.given(FLEET)
    assert hand.world.when_applied().settled


@pytest.mark.parametrize(
    "line",
    [
        "project easy specialist set --name coder --model big",
        "project easy profile set --name p --headless",
        "project skills set --name lint --mode symlink",
        "project easy specialist remove --name coder --cascade",
        "project easy profile remove --name p",
        "project easy specialist create --name coder --tool echo --yes",
    ],
)
def test_it_is_refused_and_the_ways_are_named(hand: Hand, line: str) -> None:
    declared(hand)
    before = hand.world.bytes()
    refused = hand.refuses(line)
    assert (refused["exit"], refused["code"]) == (6, "guard.managed")
    assert "fleet.yaml" in refused["message"]
    assert all(word in refused["hint"] for word in ("--write-back", "--override", "edit"))
    assert hand.world.bytes() == before


def test_write_back_edits_the_line_and_nothing_else(hand: Hand) -> None:
    declared(hand)
    path = hand.world.source / "fleet.yaml"
    before = path.read_text().splitlines()
    assert hand.does("project easy specialist set --name coder --model big --write-back")["launch"]["model"] == {
        "name": "big"
    }
    after = path.read_text().splitlines()
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        ("  model: small  # enough for now", "  model: big  # enough for now")
    ]
    assert hand.world.when_planned().in_sync


def test_an_override_holds_against_apply(hand: Hand) -> None:
    declared(hand)
    hand.does("project easy specialist set --name coder --model big --override=30m")
    assert hand.does("project easy specialist get --name coder")["launch"]["model"] == {"name": "big"}
    assert hand.world.when_applied().told == []
    assert hand.does("project easy specialist get --name coder")["launch"]["model"] == {"name": "big"}


def test_what_was_made_by_hand_may_be_made_of_what_a_manifest_declares(hand: Hand) -> None:
    """And follows it: one catalog."""
    declared(hand)
    hand.does("project easy profile create --name q --specialist coder --add-registered-skill lint")
    rows = hand.world.rows
    assert rows["LaunchProfile/q"].apply_set == "imperative"
    assert rows["Specialist/coder"].apply_set == "default"
    hand.does("project easy profile remove --name q")
    assert hand.world.when_planned().in_sync
