"""`Setup`: checked-in provider configuration bundle."""

from reconciler.kinds import content, projection
from reconciler.kinds.catalog_kind import CatalogKind
from reconciler.kinds.lazy import schema_of

handler = CatalogKind(
    "Setup", schema=schema_of("setup"), write=content.write, drop=projection.drop, project=projection.write
)
