"""`Recipe`: a role and a provider with all that a build needs (low-level lane)."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from reconciler.declare.node import REQUIRED
from reconciler.declare.rules import AtLeastOne
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.vocabulary import (
    AnyJson,
    AuthRef,
    EnvName,
    Level,
    Line,
    PromptMode,
    Provider,
    RoleRef,
    SetupRef,
    SkillRef,
    Text,
    choice,
)
from reconciler.model.field import Change, ListKind

RELAUNCH = Change.RELAUNCH
MAILBOX = "mailboxes come in a later release; leave it out"


class SystemSkills(Spec):
    """Which of the program's own skills an agent gets."""

    mode: Annotated[str, choice("default", "extend", "replace", "none")] = field(
        "default", change=RELAUNCH, doc="The default selection, more than it, something else, or none."
    )
    sets: list[Line] = field([], change=RELAUNCH, list_kind=ListKind.SET, doc="Named sets (packs) of skills.")
    skills: list[Line] = field([], change=RELAUNCH, list_kind=ListKind.SET, doc="Single skills.")


class LaunchArgs(Spec):
    """Arguments of the provider's program."""

    mode: Annotated[str, choice("append", "replace")] = field(
        "append", change=RELAUNCH, doc="After the provider's own arguments, or in place of them."
    )
    values: list[Text] = field(REQUIRED, change=RELAUNCH, list_kind=ListKind.SEQUENCE, doc="The arguments, in order.")


class Overrides(Spec):
    """Changes to the launch line."""

    rules = (AtLeastOne(("args", "toolParams")),)
    args: LaunchArgs = field(None, change=RELAUNCH, doc="Arguments of the provider's program.")
    tool_params: dict[Line, AnyJson] = field({}, change=RELAUNCH, doc="Typed parameters the provider's adapter knows.")


class Launch(Spec):
    """How agents of this recipe are launched."""

    prompt_mode: PromptMode = field(
        "unattended", change=RELAUNCH, doc="Whether dialogs are answered beforehand or left to the operator."
    )
    model: Line = field(None, change=RELAUNCH, doc="Model name.")
    reasoning: Level = field(None, change=RELAUNCH, doc="Reasoning level, from 0; the provider's ladder is its top.")
    overrides: Overrides = field(None, change=RELAUNCH, doc="Changes to the launch line.")
    env: dict[EnvName, Text] = field(
        {}, change=RELAUNCH, doc="Variables of the agent, kept over relaunches; no secrets."
    )
    system_skills: SystemSkills = field({}, change=RELAUNCH, doc="Which of the program's own skills it gets.")


class RecipeSpec(Spec):
    """A role, a provider, and what a build needs beside them."""

    refused: ClassVar[Mapping[str, str]] = {"mailbox": MAILBOX}
    role_ref: RoleRef = field(REQUIRED, change=RELAUNCH, ref="Role", doc="The role.")
    provider: Provider = field(
        REQUIRED, change=Change.REPLACE, doc="The program that runs: codex, claude, gemini, echo."
    )
    setup_ref: SetupRef = field(
        "default",
        change=RELAUNCH,
        ref="Setup",
        doc="The setup; `default` is the provider's own unless one is declared.",
    )
    skill_refs: list[SkillRef] = field([], change=RELAUNCH, list_kind=ListKind.SET, ref="Skill", doc="Skills it gets.")
    auth_ref: AuthRef = field(None, change=RELAUNCH, ref="AuthProfile", doc="The credential.")
    launch: Launch = field({}, change=RELAUNCH, doc="How its agents are launched.")
    extra: dict[Line, AnyJson] = field({}, change=Change.RECORD, doc="Data of your own, kept in the manifest.")


SCHEMA = Schema("Recipe", RecipeSpec, doc="A role bound to a provider (low-level lane).")
