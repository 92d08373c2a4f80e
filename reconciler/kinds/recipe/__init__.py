"""`Recipe`: role + tool (low-level lane)."""

from reconciler.kinds import content, projection
from reconciler.kinds.binary import provider_facts, unmet_binary
from reconciler.kinds.catalog_kind import CatalogKind
from reconciler.kinds.lazy import schema_of

handler = CatalogKind(
    "Recipe",
    schema=schema_of("recipe"),
    write=content.write,
    drop=projection.drop,
    project=projection.write,
    unmet=unmet_binary,
    extra=provider_facts,
)
