"""`Role`: the prompt of one role (low-level lane)."""

from reconciler.declare.rules import ExactlyOne
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.vocabulary import FilePath, Text
from reconciler.model.field import Change


class RoleSpec(Spec):
    """A prompt, in place or in a file; it may be empty."""

    rules = (ExactlyOne(("prompt", "promptFile")),)
    prompt: Text = field(None, change=Change.RELAUNCH, content="text", doc="The prompt itself.")
    prompt_file: FilePath = field(None, change=Change.RELAUNCH, content="file", doc="File that holds the prompt.")


SCHEMA = Schema("Role", RoleSpec, doc="The prompt of one role (low-level lane).")
