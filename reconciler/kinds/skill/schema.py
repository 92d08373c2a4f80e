"""`Skill`: a directory with a `SKILL.md`, given to agents."""

from collections.abc import Mapping
from typing import ClassVar

from reconciler.declare.node import REQUIRED
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.vocabulary import CopyMode, FilePath
from reconciler.model.field import Change


class SkillSpec(Spec):
    """Packaged instructions."""

    refused: ClassVar[Mapping[str, str]] = {
        "source": "a source outside the root comes later; put the directory below the root and name it with path"
    }
    path: FilePath = field(
        REQUIRED,
        change=Change.RELAUNCH,
        content="tree",
        needs="SKILL.md",
        doc="Directory of the skill; has a SKILL.md.",
    )
    mode: CopyMode = field("copy", change=Change.RELAUNCH, doc="How the skill gets into a home.")


SCHEMA = Schema("Skill", SkillSpec, doc="Packaged skill content.")
