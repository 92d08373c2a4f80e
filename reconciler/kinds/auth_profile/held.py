"""Which values and login files a credential has, by name; what is missing of one that the overlay keeps."""

from collections.abc import Collection

from reconciler.engine.handler import Target
from reconciler.kinds import readiness
from reconciler.kinds.auth_profile import bundle
from reconciler.model.json import JsonMap
from reconciler.model.resource import at_path
from reconciler.model.tree import Tree
from reconciler.ports.bundle import Reader


def fact(target: Target, spec: JsonMap, ports: Reader) -> JsonMap:
    """Whether it is enough to start unattended with; nothing where that is not known."""
    provider = readiness.provider_of(spec, ports)
    names = _names(target, spec, ports) if provider is not None else None
    return {} if provider is None or names is None else readiness.fact(provider, Tree({}), names)


def missing(target: Target, spec: JsonMap, ports: Reader) -> str:
    """Why bytes that the overlay is said to keep are not there; empty where they are, or lie elsewhere."""
    name = at_path(spec, "source.existing")
    if not isinstance(name, str):
        return ""
    if name == target.ref.name:
        there = _place(target, spec, ports) is not None
        return "" if there else f"the overlay keeps no credential {name!r}"
    # One more query, for the few that speak of another one.
    held = ports.catalog.definitions("AuthProfile").get(name)
    there = held is not None and any(one.kind == "auth_tree" for one in held.contents.values())
    return "" if there else f"the catalog holds no credential {name!r}"


def _place(target: Target, spec: JsonMap, ports: Reader) -> str | None:
    """Where the bytes of its own are: staged for this run, or where an earlier one put them."""
    rotation = spec.get("rotation")
    staged = [one.path for one in (target.want.contents if target.want else ()) if one.digest == rotation]
    kept = f"{ports.places.content}/{bundle.place(str(spec.get('provider')), target.uid)}" if target.uid else None
    return next((path for path in (*staged, kept) if path and ports.files.stamp(path) is not None), None)


def _names(target: Target, spec: JsonMap, ports: Reader) -> Collection[str] | None:
    name = at_path(spec, "source.existing")
    if name is None:
        env, files = at_path(spec, "source.env"), at_path(spec, "source.files")
        return [*(env if isinstance(env, dict) else {}), *(files if isinstance(files, dict) else {})]
    place = _place(target, spec, ports) if name == target.ref.name else None
    if place is None:
        return None
    variables = f"{place}/{bundle.ENV_FILE}"
    lines = ports.files.read(variables).decode(errors="replace") if ports.files.stamp(variables) is not None else ""
    found = [name for name, equals, value in (line.partition("=") for line in lines.splitlines()) if equals and value]
    below = f"{bundle.FILES_DIR}/"
    found += [one.path.removeprefix(below) for one in ports.files.found(place) or () if one.path.startswith(below)]
    return found
