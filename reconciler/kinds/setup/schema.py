"""`Setup`: a checked-in bundle of a provider's own configuration."""

from reconciler.declare.node import REQUIRED
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.vocabulary import FilePath, Provider
from reconciler.model.field import Change


class SetupSpec(Spec):
    """Files laid into a provider's home; free of secrets."""

    provider: Provider = field(REQUIRED, change=Change.IMMUTABLE, doc="Whose configuration it is.")
    path: FilePath = field(
        REQUIRED, change=Change.RELAUNCH, content="tree", doc="Directory whose content is laid into the home."
    )


SCHEMA = Schema("Setup", SetupSpec, doc="A checked-in bundle of a provider's own configuration.")
