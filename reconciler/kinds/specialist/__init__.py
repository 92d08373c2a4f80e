"""`Specialist`: reusable role, provider and skills (easy lane); derives a Role and a Recipe."""

from reconciler.kinds import content, projection
from reconciler.kinds.binary import provider_facts, unmet_binary
from reconciler.kinds.catalog_kind import CatalogKind
from reconciler.kinds.lazy import schema_of

handler = CatalogKind(
    "Specialist",
    schema=schema_of("specialist"),
    write=content.write,
    drop=projection.drop,
    project=projection.write,
    unmet=unmet_binary,
    extra=provider_facts,
)
