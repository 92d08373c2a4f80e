"""`Specialist`: role, provider and skills in one (easy lane); it derives a Role and a Recipe (R-MOD-14)."""

from collections.abc import Mapping
from typing import ClassVar

from reconciler.declare.node import REQUIRED
from reconciler.declare.rules import AtMostOne
from reconciler.declare.schema import Child, Schema, Spec, field
from reconciler.declare.vocabulary import (
    AuthRef,
    EnvName,
    FilePath,
    Level,
    Line,
    PromptMode,
    Provider,
    SetupRef,
    SkillRef,
    Text,
)
from reconciler.kinds.recipe.schema import MAILBOX, SystemSkills
from reconciler.kinds.recipe.schema import SCHEMA as RECIPE
from reconciler.kinds.role.schema import SCHEMA as ROLE
from reconciler.model.field import Change, ListKind
from reconciler.model.json import JsonMap
from reconciler.model.resource import Resource

RELAUNCH = Change.RELAUNCH
LAUNCH_FIELDS = ("env", "model", "promptMode", "reasoning", "systemSkills")


class SpecialistSpec(Spec):
    """A reusable agent: what it is told, what runs it, what it can do."""

    refused: ClassVar[Mapping[str, str]] = {"mailbox": MAILBOX}
    rules = (AtMostOne(("prompt", "promptFile")),)
    provider: Provider = field(
        REQUIRED, change=Change.REPLACE, doc="The program that runs: codex, claude, gemini, echo."
    )
    prompt: Text = field(None, change=RELAUNCH, content="text", doc="The prompt itself; without one it is empty.")
    prompt_file: FilePath = field(None, change=RELAUNCH, content="file", doc="File that holds the prompt.")
    setup_ref: SetupRef = field(
        "default",
        change=RELAUNCH,
        ref="Setup",
        doc="The setup; `default` is the provider's own unless one is declared.",
    )
    auth_ref: AuthRef = field(None, change=RELAUNCH, ref="AuthProfile", doc="The credential.")
    skill_refs: list[SkillRef] = field([], change=RELAUNCH, list_kind=ListKind.SET, ref="Skill", doc="Skills it gets.")
    model: Line = field(None, change=RELAUNCH, doc="Model name.")
    reasoning: Level = field(None, change=RELAUNCH, doc="Reasoning level, from 0; the provider's ladder is its top.")
    env: dict[EnvName, Text] = field(
        {}, change=RELAUNCH, doc="Variables of the agent, kept over relaunches; no secrets."
    )
    prompt_mode: PromptMode = field(
        "unattended", change=RELAUNCH, doc="Whether dialogs are answered beforehand or left to the operator."
    )
    system_skills: SystemSkills = field({}, change=RELAUNCH, doc="Which of the program's own skills it gets.")


def recipe_name(specialist: str, provider: str, setup: str) -> str:
    """The name of the recipe a specialist derives."""
    return f"{specialist}-{provider}-{setup}"


def derived(resource: Resource) -> tuple[Child, ...]:
    """The Role and the Recipe of a specialist, canonical."""
    spec, name = resource.spec, resource.ref.name
    empty: JsonMap = {"prompt": "", "promptFile": None}
    prompt: JsonMap = {key: spec[key] for key in ("prompt", "promptFile") if spec.get(key) is not None} or empty
    recipe: JsonMap = {
        "roleRef": name,
        "launch": {key: spec[key] for key in LAUNCH_FIELDS if key in spec},
        **{key: spec[key] for key in ("authRef", "provider", "setupRef", "skillRefs")},
    }
    moved = (*((f"launch.{key}", key) for key in LAUNCH_FIELDS), ("roleRef", ""))
    full = recipe_name(name, str(spec["provider"]), str(spec["setupRef"]))
    return (
        Child("Role", name, ROLE.canonical(prompt), ()),
        Child("Recipe", full, RECIPE.canonical(recipe), moved),
    )


SCHEMA = Schema(
    "Specialist", SpecialistSpec, doc="A reusable role, provider and skills in one (easy lane).", children=derived
)
