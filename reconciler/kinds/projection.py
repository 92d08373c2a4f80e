"""The part of the `agents/` view that one definition owns: written last in its update, removed with it.

The engine never reads this view; `doctor` compares it and says how to regenerate it.
"""

from reconciler.engine.handler import Context
from reconciler.kinds import content
from reconciler.model.resource import Resource
from reconciler.model.tree import Tree
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import Definition
from reconciler.ports.provider import Provider


def write(ports: Ports, context: Context, resource: Resource) -> None:
    """Write what `resource` and its derived rows look like in the view."""
    owners = [resource, *(child for child in context.look.children(resource.ref) if child.derived)]
    ports.files.make_dir(ports.places.agents)
    view = view_of(ports, owners)
    before = view_of(ports, list(context.look.owned(resource.ref)), written=False)
    content.make_way(ports.files, ports.places.agents, view)
    ports.files.replace_entries(ports.places.agents, view, drop=sorted(before.entries.keys() - view.entries.keys()))


def drop(ports: Ports, context: Context, resource: Resource) -> None:
    """Remove it from the view, and its payloads from the content store."""
    gone = view_of(ports, [resource, *context.look.owned(resource.ref)], written=False)
    if ports.files.stamp(ports.places.agents) is not None:
        ports.files.replace_entries(ports.places.agents, Tree(), drop=sorted(gone.entries))
    content.drop(ports, context, resource)


def view_of(ports: Ports, owners: list[Resource], *, written: bool = True) -> Tree:
    """The entries of some definitions, with the adapters of their providers; `written` false for paths alone."""
    from reconciler.build.projection import agents_view  # for a plan does without

    found: dict[str, dict[str, Definition]] = {}
    texts: dict[str, str] = {}
    tools: dict[str, Provider] = {}
    for owner in owners:
        definition = Definition(owner.ref, owner.spec, content.content_refs(owner))
        found.setdefault(owner.ref.kind, {})[owner.ref.name] = definition
        tool = owner.spec.get("provider")
        if written and isinstance(tool, str) and tool in ports.providers:
            tools[tool] = ports.providers[tool]
        if owner.ref.kind == "LaunchProfile" and written:
            texts |= _texts(ports, owner)
    return agents_view(
        found,
        [tools[name] for name in sorted(tools)],
        agents_root=ports.places.agents,
        content_root=ports.places.content,
        texts=texts,
    )


def _texts(ports: Ports, profile: Resource) -> dict[str, str]:
    """Prompt overlays by digest: the profile's file in the view holds the text itself."""
    return {
        slot.digest: ports.files.read(f"{ports.places.content}/{slot.relative_path}").decode("utf-8", "replace")
        for slot in content.slots(profile)
        if slot.content_kind == "prompt_blob"
    }
