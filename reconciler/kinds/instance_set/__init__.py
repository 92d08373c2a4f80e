"""`InstanceSet`: N ordinal instances from one template. Its members are Instances with actions of their own."""

from reconciler.kinds.catalog_kind import CatalogKind
from reconciler.kinds.lazy import schema_of

handler = CatalogKind("InstanceSet", schema=schema_of("instance_set"))
