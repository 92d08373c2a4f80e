"""`AuthProfile`: where a credential is; never the credential (R-SEC-1)."""

from typing import Annotated

from reconciler.declare.node import REQUIRED
from reconciler.declare.rules import AtLeastOne, AtMostOne, ExactlyOne
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.vocabulary import END, FilePath, Line, Provider, Text, pattern
from reconciler.model.field import Change, ListKind

RELAUNCH = Change.RELAUNCH
Variable = Annotated[
    str, pattern(r"^[A-Za-z_][A-Za-z0-9_]{0,254}" + END, "the name of a variable, not its value", "write only the name")
]
FileName = Annotated[
    str,
    pattern(
        r"^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}" + END,
        "the name of a login file, such as auth.json",
        "write a bare file name",
    ),
]


class SecretSource(Spec):
    """Where one value is."""

    rules = (ExactlyOne(("env", "file", "exec")),)
    env: Variable = field(None, change=RELAUNCH, doc="A variable of the environment that apply runs in.")
    file: FilePath = field(None, change=RELAUNCH, doc="A file whose whole content, stripped, is the value.")
    exec: list[Text] = field(
        [],
        change=RELAUNCH,
        list_kind=ListKind.SEQUENCE,
        shortest=1,
        doc="A command and its arguments that print the value; run at a launch only, never by planning.",
    )


class AuthSource(Spec):
    """The whole credential: variables and login files, or one that the catalog has already."""

    rules = (
        AtLeastOne(("env", "files", "existing")),
        AtMostOne(("existing", "env")),
        AtMostOne(("existing", "files")),
    )
    env: dict[Variable, SecretSource] = field(
        {}, change=RELAUNCH, sensitive=True, doc="Variables the provider reads, each with the place of its value."
    )
    files: dict[FileName, FilePath] = field(
        {},
        change=RELAUNCH,
        doc="Login files by the name the provider knows; a path, `~` allowed, or below the project.",
    )
    existing: Line = field(None, change=RELAUNCH, doc="Display name of a credential in the catalog.")


class AuthProfileSpec(Spec):
    """A named reference to a credential."""

    provider: Provider = field(REQUIRED, change=Change.IMMUTABLE, doc="Whose credential it is.")
    source: AuthSource = field(REQUIRED, change=RELAUNCH, doc="Where the credential is.")
    rotation: Line = field(None, change=RELAUNCH, doc="Any text; change it to have the credential taken up anew.")


SCHEMA = Schema("AuthProfile", AuthProfileSpec, doc="A named reference to a credential; never its value.")
