"""`Skill`: packaged skill content."""

from reconciler.kinds import content, projection
from reconciler.kinds.catalog_kind import CatalogKind
from reconciler.kinds.lazy import schema_of

handler = CatalogKind(
    "Skill", schema=schema_of("skill"), write=content.write, drop=projection.drop, project=projection.write
)
