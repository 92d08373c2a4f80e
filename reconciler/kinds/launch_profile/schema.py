"""`LaunchProfile`: birth-time defaults over one specialist or one recipe."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from reconciler.declare.node import REQUIRED
from reconciler.declare.rules import ExactlyOne
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.vocabulary import (
    AgentId,
    AuthRef,
    CopyMode,
    EnvName,
    FilePath,
    Flag,
    Level,
    Line,
    Name,
    PromptMode,
    RecipeRef,
    SkillRef,
    SpecialistRef,
    Text,
    choice,
)
from reconciler.kinds.instance.schema import Gateway, HeaderPolicy, HeaderSection, HeaderSwitch, Resume
from reconciler.kinds.recipe.schema import MAILBOX
from reconciler.model.field import Change, ListKind

RECORD, RELAUNCH = Change.RECORD, Change.RELAUNCH


class PrivateSkill(Spec):
    """A skill of this profile alone."""

    name: Name = field(REQUIRED, change=RELAUNCH, doc="Its name in the home; unique in the profile.")
    path: FilePath = field(
        REQUIRED, change=RELAUNCH, content="tree", needs="SKILL.md", doc="Directory of the skill; has a SKILL.md."
    )
    mode: CopyMode = field("copy", change=RELAUNCH, doc="How it gets into a home.")


class ProfileSkills(Spec):
    """Skills beside those of the specialist or recipe."""

    registered: list[SkillRef] = field([], change=RELAUNCH, list_kind=ListKind.SET, ref="Skill", doc="Declared skills.")
    private: list[PrivateSkill] = field(
        [], change=RELAUNCH, list_kind=ListKind.KEYED, merge_key="name", doc="Skills of this profile alone."
    )


class ProfileSystemSkills(Spec):
    """A change to the selection of the program's own skills."""

    mode: Annotated[str, choice("inherit", "extend", "replace", "none")] = field(
        "inherit", change=RELAUNCH, doc="The source's selection, more than it, something else, or none."
    )
    sets: list[Line] = field([], change=RELAUNCH, list_kind=ListKind.SET, doc="Named sets (packs) of skills.")
    skills: list[Line] = field([], change=RELAUNCH, list_kind=ListKind.SET, doc="Single skills.")


class PromptOverlay(Spec):
    """Text added to the role's prompt, or put in its place."""

    rules = (ExactlyOne(("text", "file")),)
    mode: Annotated[str, choice("append", "replace")] = field(
        REQUIRED, change=RELAUNCH, doc="After the prompt, or instead."
    )
    text: Text = field(None, change=RELAUNCH, content="text", doc="The text itself.")
    file: FilePath = field(None, change=RELAUNCH, content="file", doc="File that holds the text.")


class MemoSeed(Spec):
    """What an agent's memory begins with; read at its first launch only."""

    rules = (ExactlyOne(("text", "file", "dir")),)
    text: Text = field(None, change=RECORD, content="text", doc="The memo itself.")
    file: FilePath = field(None, change=RECORD, content="file", doc="File that holds the memo.")
    dir: FilePath = field(None, change=RECORD, content="tree", doc="Directory with houmao-memo.md, pages/, or both.")


class Posture(Spec):
    """How agents of this profile stand in their terminal."""

    headless: Flag = field(None, change=RELAUNCH, doc="Without a terminal program; an instance's own value wins.")


class LaunchProfileSpec(Spec):
    """Defaults that an instance takes at its birth."""

    refused: ClassVar[Mapping[str, str]] = {"mailbox": MAILBOX}
    rules = (ExactlyOne(("specialistRef", "recipeRef")),)
    specialist_ref: SpecialistRef = field(None, change=RELAUNCH, ref="Specialist", doc="The specialist it is over.")
    recipe_ref: RecipeRef = field(None, change=RELAUNCH, ref="Recipe", doc="The recipe it is over.")
    agent_name: Name = field(None, change=RELAUNCH, doc="Name of the agent; else the instance's.")
    agent_id: AgentId = field(None, change=Change.REPLACE, doc="Id of the agent; else the instance's uid.")
    workdir: FilePath = field(None, change=RELAUNCH, doc="Work directory; relative ones begin at the project.")
    auth_ref: AuthRef = field(None, change=RELAUNCH, ref="AuthProfile", doc="The credential, over the source's.")
    model: Line = field(None, change=RELAUNCH, doc="Model name, over the source's.")
    reasoning: Level = field(None, change=RELAUNCH, doc="Reasoning level, over the source's.")
    prompt_mode: PromptMode = field(None, change=RELAUNCH, doc="Prompt mode, over the source's.")
    env: dict[EnvName, Text] = field(
        {}, change=RELAUNCH, doc="Variables, each over the source's of that name; no secrets."
    )
    skills: ProfileSkills = field({}, change=RELAUNCH, doc="Skills beside the source's.")
    system_skills: ProfileSystemSkills = field({}, change=RELAUNCH, doc="A change to the program's own skills.")
    prompt_overlay: PromptOverlay = field(None, change=RELAUNCH, doc="Text added to the prompt, or in its place.")
    managed_header: HeaderPolicy = field("inherit", change=RELAUNCH, doc="Whether the prompt gets the managed header.")
    managed_header_sections: dict[HeaderSection, HeaderSwitch] = field(
        {}, change=RELAUNCH, doc="Single sections of the managed header."
    )
    memo_seed: MemoSeed = field(None, change=RECORD, doc="What the agent's memory begins with.")
    gateway: Gateway = field({}, change=Change.LIVE, doc="The gateway of its agents.")
    posture: Posture = field({}, change=RELAUNCH, doc="How its agents stand in their terminal.")
    resume: Resume = field(None, change=RECORD, doc="Which conversation a relaunch continues.")


SCHEMA = Schema("LaunchProfile", LaunchProfileSpec, doc="Birth-time defaults over one specialist or recipe.")
