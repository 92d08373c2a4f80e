"""The same as `test_equivalence.py`, for what takes away and what gives another name; and for credentials."""

from collections.abc import Sequence

import pytest

from reconciler.testing.end_state import difference
from tests.authoring.conftest import Hand
from tests.authoring.test_equivalence import (
    CODER,
    MAKE_CODER,
    MAKE_RECIPE,
    MAKE_ROLE,
    MAKE_SKILL,
    RECIPE,
    ROLE,
    SKILL,
    applied,
    furnished,
    state,
)

MAKE_PROFILE = "project easy profile create --name p --specialist coder"
PROFILE = "kind: LaunchProfile\nmetadata: {name: p}\nspec: {specialistRef: coder}\n"
MAKE_LAUNCH = "project agents launch-profiles add --name lp --recipe rev"
LAUNCH = "kind: LaunchProfile\nmetadata: {name: lp}\nspec: {recipeRef: rev}\n"
SETUP = "kind: Setup\nmetadata: {name: loud}\nspec: {provider: echo, path: ../starter}\n"
MAKE_SETUP = "project agents tools echo setups add --name loud"

CASES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "specialist rename": (
        (MAKE_CODER, MAKE_PROFILE, "project easy specialist rename --name coder --to writer"),
        (CODER.replace("name: coder", "name: writer"), PROFILE.replace("coder", "writer")),
    ),
    "profile rename": (
        (MAKE_CODER, MAKE_PROFILE, "project easy profile rename --name p --to q"),
        (CODER, PROFILE.replace("name: p", "name: q")),
    ),
    "profile remove": ((MAKE_CODER, MAKE_PROFILE, "project easy profile remove --name p"), (CODER,)),
    "roles rename": (
        (MAKE_ROLE, MAKE_RECIPE, "project agents roles rename --name reviewer --to judge"),
        (ROLE.replace("reviewer", "judge"), RECIPE.replace("reviewer", "judge")),
    ),
    "recipes rename": (
        (MAKE_ROLE, MAKE_RECIPE, MAKE_LAUNCH, "project agents recipes rename --name rev --to rev2"),
        (ROLE, RECIPE.replace("name: rev}", "name: rev2}"), LAUNCH.replace("rev", "rev2")),
    ),
    "launch profiles set": (
        (MAKE_ROLE, MAKE_RECIPE, MAKE_LAUNCH, "project agents launch-profiles set --name lp --model m --headless"),
        (ROLE, RECIPE, LAUNCH.replace("rev}", "rev, model: m, posture: {headless: true}}")),
    ),
    "launch profiles rename": (
        (MAKE_ROLE, MAKE_RECIPE, MAKE_LAUNCH, "project agents launch-profiles rename --name lp --to lq"),
        (ROLE, RECIPE, LAUNCH.replace("lp", "lq")),
    ),
    "launch profiles remove": (
        (MAKE_ROLE, MAKE_RECIPE, MAKE_LAUNCH, "project agents launch-profiles remove --name lp"),
        (ROLE, RECIPE),
    ),
    "setups add": ((MAKE_CODER, MAKE_SETUP), (CODER, SETUP)),
    "setups remove": ((MAKE_CODER, MAKE_SETUP, "project agents tools echo setups remove --name loud"), (CODER,)),
    "skills add": ((MAKE_SKILL,), (SKILL,)),
    "skills rename": (
        (MAKE_SKILL, "project skills rename --name lint --to tidy"),
        (SKILL.replace("name: lint", "name: tidy"),),
    ),
    "skills remove": ((MAKE_CODER, MAKE_SKILL, "project skills remove --name lint"), (CODER,)),
    "delete": ((MAKE_CODER, MAKE_SKILL, "delete skill/lint"), (CODER,)),
    "credentials remove": (
        (
            MAKE_CODER,
            "project credentials echo add --name k --api-key-file key",
            "project credentials echo remove --name k",
        ),
        (CODER,),
    ),
}
YES = (" rename ", " remove ", "delete ")


@pytest.mark.parametrize("case", CASES)
def test_a_command_leaves_what_its_document_leaves(hand: Hand, other: Hand, case: str) -> None:
    commands, documents = CASES[case]
    for each in (hand, other):
        furnished(each)
        (each.world.root / "key").write_text("made-up\n")
    for line in commands:
        hand.does(line + (" --yes" if any(word in line for word in YES) else ""))
    applied(other.world, documents)
    assert difference(state(hand.world), state(other.world)) == []
    assert hand("export --to out").code == 0
    assert hand("plan -f out --applyset=imperative --detailed-exitcode").code == 0


ADD = "project credentials echo add --name k --api-key-file key"
DECLARED = """\
kind: AuthProfile
metadata: {name: k}
spec: {provider: echo, source: {env: {ECHO_API_KEY: {file: next}}}}
"""
CREDENTIALS: dict[str, Sequence[str]] = {
    "credentials add": ("project credentials echo add --name k --api-key-file next",),
    "credentials set": (ADD, "project credentials echo set --name k --api-key-file next"),
    "credentials rename": (
        "project credentials echo add --name old --api-key-file next",
        "project credentials echo rename --name old --to k --yes",
    ),
}


@pytest.mark.tmux
@pytest.mark.parametrize("case", CREDENTIALS)
def test_a_credential_given_by_hand_gives_an_agent_what_a_declared_one_does(hand: Hand, other: Hand, case: str) -> None:
    """A manifest names where a key is, and never says it: what is compared is what the agent gets of it."""
    for each in (hand, other):
        (each.world.root / "key").write_text("made-up\n")
        (each.world.root / "next").write_text("another\n")
    for line in CREDENTIALS[case]:
        hand.does(line)
    hand.does(
        "project easy specialist create --name coder --tool echo --credential k --system-prompt 'You write code.'"
    )
    hand.does("project easy instance launch --specialist coder --name alice --no-gateway")
    applied(
        other.world,
        (
            DECLARED,
            CODER.replace("}\n", ", authRef: k}\n").replace("name: coder, authRef: k}", "name: coder}"),
            "kind: Instance\nmetadata: {name: alice}\nspec: {specialistRef: coder, gateway: {enabled: false}}\n",
        ),
    )
    mine, theirs = ((each.world.home_of("alice") / "launch.env").read_bytes() for each in (hand, other))
    assert mine == theirs
    assert b"another" in mine
    assert hand("export --to out").code == 0
    assert hand("plan -f out --applyset=imperative --detailed-exitcode").code == 0
