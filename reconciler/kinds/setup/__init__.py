"""`Setup`: checked-in provider configuration bundle."""

from reconciler.engine.handler import Target
from reconciler.kinds import content, projection, readiness
from reconciler.kinds.catalog_kind import CatalogKind
from reconciler.kinds.lazy import schema_of
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import JsonMap
from reconciler.ports.bundle import Reader


def _facts(target: Target, spec: JsonMap, ports: Reader) -> JsonMap:
    """Whether an agent of it could start without a credential; the files that are declared, else those applied."""
    provider = readiness.provider_of(spec, ports)
    if provider is None:
        return {}
    from reconciler.build.trees import tree_at

    declared = [one.path for one in (target.want.contents if target.want else ()) if one.tree]
    stored = f"{ports.places.content}/{content.setup_tree(provider.name, target.ref.name)}"
    for path in (*declared, stored):
        try:
            tree = tree_at(ports.files, path, hold=provider.merged_files.__contains__) if path else None
        except ReconcilerError:
            return {}
        if tree is not None:
            return readiness.fact(provider, tree)
    return {}


handler = CatalogKind(
    "Setup",
    schema=schema_of("setup"),
    write=content.write,
    drop=projection.drop,
    project=projection.write,
    extra=_facts,
)
