"""`Role`: the prompt of one role (low-level lane)."""

from reconciler.kinds import content, projection
from reconciler.kinds.catalog_kind import CatalogKind
from reconciler.kinds.lazy import schema_of

handler = CatalogKind(
    "Role", schema=schema_of("role"), write=content.write, drop=projection.drop, project=projection.write
)
