"""R-IMP-7: what a command leaves behind is what applying the document it stands for leaves behind.

And what was made by hand, exported and applied, plans nothing (R-CLI-9) and then belongs to that manifest (R-IMP-6).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from reconciler.testing.end_state import difference, end_state
from reconciler.testing.world import World
from tests.authoring.conftest import Hand

SKILL = "kind: Skill\nmetadata: {name: lint}\nspec: {path: ../lint}\n"
CODER = "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: You write code.}\n"
ROLE = "kind: Role\nmetadata: {name: reviewer}\nspec: {prompt: You review.}\n"
RECIPE = "kind: Recipe\nmetadata: {name: rev}\nspec: {roleRef: reviewer, provider: echo}\n"
MAKE_CODER = "project easy specialist create --name coder --tool echo --system-prompt 'You write code.'"
MAKE_ROLE = "project agents roles init --name reviewer --system-prompt 'You review.'"
MAKE_RECIPE = "project agents recipes add --name rev --role reviewer --tool echo"
MAKE_SKILL = "project skills add --name lint --source lint"

CASES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "specialist create": ((MAKE_CODER,), (CODER,)),
    "specialist create with everything": (
        (
            "project easy specialist create --name coder --tool echo --system-prompt-file prompt.md --with-skill lint "
            "--model m --reasoning-level 2 --env-set A=1 --env-set B= --no-unattended --no-system-skills",
        ),
        (
            SKILL,
            "kind: Specialist\nmetadata: {name: coder}\nspec:\n  provider: echo\n  promptFile: ../prompt.md\n"
            "  skillRefs: [lint]\n  model: m\n  reasoning: 2\n  env: {A: '1', B: ''}\n  promptMode: as_is\n"
            "  systemSkills: {mode: none}\n",
        ),
    ),
    "specialist set": (
        (
            MAKE_CODER,
            "project easy specialist set --name coder --model m --env-set A=1 --with-skill lint",
            "project easy specialist set --name coder --clear-model --reasoning-level 1",
        ),
        (
            SKILL,
            "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: You write code., "
            "env: {A: '1'}, skillRefs: [lint], reasoning: 1}\n",
        ),
    ),
    "specialist set of another setup": (
        (
            "project agents tools echo setups add --name loud",
            MAKE_CODER,
            "project easy specialist set --name coder --setup loud",
        ),
        (
            "kind: Setup\nmetadata: {name: loud}\nspec: {provider: echo, path: ../starter}\n",
            CODER.replace("}\n", ", setupRef: loud}\n").replace("name: coder, setupRef: loud}", "name: coder}"),
        ),
    ),
    "specialist remove": ((MAKE_CODER, MAKE_SKILL, "project easy specialist remove --name coder"), (SKILL,)),
    "profile create": (
        (
            MAKE_CODER,
            MAKE_SKILL,
            "project easy profile create --name p --specialist coder --agent-name bob --agent-id b-1 --workdir source "
            "--model m --reasoning-level 3 --prompt-mode as_is --headless --no-gateway --env-set A=1 "
            "--add-registered-skill lint --add-private-skill mine --system-skills-mode none --managed-header "
            "--managed-header-section mail-ack=enabled --prompt-overlay-mode append --prompt-overlay-text 'Be brief.' "
            "--memo-seed-text 'Remember.' --relaunch-chat-session-mode exact --relaunch-chat-session-id c1",
        ),
        (
            CODER,
            SKILL,
            "kind: LaunchProfile\nmetadata: {name: p}\nspec:\n  specialistRef: coder\n  agentName: bob\n"
            "  agentId: b-1\n"
            "  workdir: source\n  model: m\n  reasoning: 3\n  promptMode: as_is\n  posture: {headless: true}\n"
            "  gateway: {enabled: false}\n  env: {A: '1'}\n"
            "  skills: {registered: [lint], private: [{name: mine, path: ../mine}]}\n  systemSkills: {mode: none}\n"
            "  managedHeader: enabled\n  managedHeaderSections: {mail-ack: enabled}\n"
            "  promptOverlay: {mode: append, text: Be brief.}\n  memoSeed: {text: Remember.}\n"
            "  resume: {mode: exact, id: c1}\n",
        ),
    ),
    "profile set": (
        (
            MAKE_CODER,
            MAKE_SKILL,
            "project easy profile create --name p --specialist coder --model m --add-private-skill mine --headless "
            "--managed-header-section mail-ack=enabled --managed-header-section identity=disabled "
            "--prompt-overlay-mode append --prompt-overlay-text 'Be brief.'",
            "project easy profile set --name p --clear-model --remove-private-skill mine --add-registered-skill lint "
            "--clear-headless --clear-managed-header-section identity --memo-seed-file prompt.md "
            "--prompt-overlay-text 'Be long.'",
        ),
        (
            CODER,
            SKILL,
            "kind: LaunchProfile\nmetadata: {name: p}\nspec: {specialistRef: coder, skills: {registered: [lint]}, "
            "managedHeaderSections: {mail-ack: enabled}, memoSeed: {file: ../prompt.md}, "
            "promptOverlay: {mode: append, text: Be long.}}\n",
        ),
    ),
    "roles and recipes": (
        (
            MAKE_ROLE,
            MAKE_SKILL,
            f"{MAKE_RECIPE} --skill lint --model m --env-set A=1 --launch-arg=--fast --launch-arg=x",
            "project agents recipes set --name rev --clear-model --remove-skill lint --prompt-mode as_is --env-set B=2",
            "project agents roles set --name reviewer --system-prompt-file prompt.md",
        ),
        (
            SKILL,
            "kind: Role\nmetadata: {name: reviewer}\nspec: {promptFile: ../prompt.md}\n",
            "kind: Recipe\nmetadata: {name: rev}\nspec: {roleRef: reviewer, provider: echo, "
            "launch: {promptMode: as_is, env: {B: '2'}, overrides: {args: {values: [--fast, x]}}}}\n",
        ),
    ),
    "launch profiles": (
        (MAKE_ROLE, MAKE_RECIPE, "project agents launch-profiles add --name lp --recipe rev --workdir source"),
        (ROLE, RECIPE, "kind: LaunchProfile\nmetadata: {name: lp}\nspec: {recipeRef: rev, workdir: source}\n"),
    ),
    "recipes remove": ((MAKE_ROLE, MAKE_RECIPE, "project agents recipes remove --name rev"), (ROLE,)),
    "roles remove with a cascade": (
        (MAKE_ROLE, MAKE_RECIPE, MAKE_SKILL, "project agents roles remove --name reviewer --cascade"),
        (SKILL,),
    ),
    "skills set": (
        (MAKE_SKILL, "project skills set --name lint --source mine --mode symlink"),
        ("kind: Skill\nmetadata: {name: lint}\nspec: {path: ../mine, mode: symlink}\n",),
    ),
}


def furnished(hand: Hand) -> None:
    """What the commands and the manifests speak of, at the same places."""
    hand.skill("lint")
    hand.skill("mine", "# Mine\n")
    (hand.world.root / "prompt.md").write_text("You write prose.\n")
    starter = hand.world.overlay / "content" / "setups" / "echo" / "default"
    target = hand.world.root / "starter"
    target.mkdir()
    for path in starter.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


def state(world: World) -> dict[str, Any]:
    """The end, without what says by whom it was declared, and how often something was changed on the way."""
    found: dict[str, Any] = dict(end_state(world))
    rows: Mapping[str, dict[str, Any]] = found["inventory"]
    told = ("apply_set", "source_root", "position", "generation")
    found["inventory"] = {ref: {k: v for k, v in row.items() if k not in told} for ref, row in rows.items()}
    # What every tool has in the view stays when the last specialist of it goes.
    files = {name: text for name, text in found["files"].items() if not SHARED.fullmatch(name)}
    # The session of a stopped agent is gone, and its name was made of the time.
    found["files"] = {name: SESSION.sub("<session>", text) for name, text in files.items()}
    return found


SHARED = re.compile(r"\.houmao/agents/tools/[a-z]+/(adapter\.yaml|setups/default)")
SESSION = re.compile(r"HOUMAO-([a-z]+)-[0-9]{13}")


def applied(world: World, documents: Sequence[str]) -> None:
    """The manifest the commands stand for, below the root so that it can name what lies there."""
    header = "apiVersion: houmao/v1alpha1\n"
    (world.root / "manifests").mkdir()
    text = "---\n".join(header + each.replace("../", "") for each in documents)
    path = world.root / "fleet.yaml"
    path.write_text(text)
    assert world.when_applied(source=path).settled


@pytest.mark.parametrize("case", CASES)
def test_a_command_leaves_what_its_document_leaves(hand: Hand, other: Hand, case: str) -> None:
    commands, documents = CASES[case]
    furnished(hand)
    furnished(other)
    for line in commands:
        hand.does(line)
    applied(other.world, documents)
    assert difference(state(hand.world), state(other.world)) == []


@pytest.mark.parametrize("case", CASES)
def test_what_was_made_by_hand_is_exported_and_plans_nothing(hand: Hand, case: str) -> None:
    furnished(hand)
    for line in CASES[case][0]:
        hand.does(line)
    uids = hand.world.uids
    assert hand("export --to out").code == 0
    assert hand("plan -f out --applyset=imperative --detailed-exitcode").code == 0
    # And under a manifest of its own: it is taken over without an action on anything that lives.
    assert hand("apply -f out --yes").code == 0
    assert hand.world.uids == uids
    assert {row.apply_set for row in hand.world.rows.values()} == {"default"}
    assert hand("plan -f out --detailed-exitcode").code == 0


@pytest.mark.tmux
def test_an_agent_launched_by_hand_is_the_one_its_document_declares(hand: Hand, other: Hand) -> None:
    hand.does(MAKE_CODER)
    hand.does("project easy profile create --name p --specialist coder --headless --agent-name bob")
    hand.does("project easy instance launch --profile p --model m --session-name s1 --no-gateway")
    hand.does("project easy instance launch --specialist coder --name alice --no-gateway --managed-header")
    hand.does("project easy instance stop --name alice")
    applied(
        other.world,
        (
            CODER,
            "kind: LaunchProfile\nmetadata: {name: p}\n"
            "spec: {specialistRef: coder, posture: {headless: true}, agentName: bob}\n",
            "kind: Instance\nmetadata: {name: bob}\n"
            "spec: {profileRef: p, model: m, sessionName: s1, gateway: {enabled: false}}\n",
            "kind: Instance\nmetadata: {name: alice}\n"
            "spec: {specialistRef: coder, managedHeader: enabled, gateway: {enabled: false}}\n",
        ),
    )
    path = other.world.root / "fleet.yaml"
    path.write_text(path.read_text().replace("managedHeader: enabled", "managedHeader: enabled, state: Stopped"))
    other.world.when_applied(source=path)
    assert difference(state(hand.world), state(other.world)) == []
    assert hand("export --to out").code == 0
    assert hand("plan -f out --applyset=imperative --detailed-exitcode").code == 0
