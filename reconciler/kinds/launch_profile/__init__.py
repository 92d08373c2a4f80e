"""`LaunchProfile`: birth-time defaults over one specialist or recipe."""

from reconciler.kinds import content, projection
from reconciler.kinds.catalog_kind import CatalogKind
from reconciler.kinds.lazy import schema_of

handler = CatalogKind(
    "LaunchProfile",
    schema=schema_of("launch_profile"),
    write=content.write,
    drop=projection.drop,
    project=projection.write,
)
