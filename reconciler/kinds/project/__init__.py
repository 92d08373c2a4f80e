"""`Project`: overlay-wide defaults and policies."""

from reconciler.kinds.catalog_kind import CatalogKind
from reconciler.kinds.lazy import schema_of

handler = CatalogKind("Project", schema=schema_of("project"))
