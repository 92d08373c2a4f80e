"""Where payloads of a definition lie below `content/`, and writing them there (project-and-build §3.1).

Paths follow from kind and name; bytes come from the source, found by digest and verified by digest, so that a file
edited between plan and apply is a stale observation and never silently the wrong prompt.
"""

from collections.abc import Iterator, Mapping

from reconciler.engine import kept
from reconciler.engine.handler import Context
from reconciler.model.errors import ActionFailed, StaleObservation
from reconciler.model.json import Json, JsonMap, digest_bytes
from reconciler.model.resource import ContentSource, Resource
from reconciler.model.tree import Entry, Tree
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import ContentRef
from reconciler.ports.files import Files, FilesReader


class Slot(NamedTuple):
    """One payload of one resource: its spec path, what it is, and where it lies below `content/`."""

    path: str
    content_kind: str
    relative_path: str
    tree: bool
    digest: str
    size: int


def slots(resource: Resource) -> Iterator[Slot]:
    """The payloads a resource has, by its kind and name."""
    name, spec = resource.ref.name, resource.spec
    match resource.ref.kind:
        case "Role":
            yield from _slot(spec, "prompt", "prompt_blob", role_prompt(name), tree=False)
            yield from _slot(spec, "promptFile", "prompt_blob", role_prompt(name), tree=False)
        case "Skill":
            yield from _slot(spec, "path", "skill_tree", skill_tree(name), tree=True)
        case "Setup":
            yield from _slot(spec, "path", "setup_tree", setup_tree(str(spec.get("provider")), name), tree=True)
        case "LaunchProfile":
            yield from _profile(name, spec)
        case _:
            return


def role_prompt(name: str) -> str:
    """`prompts/<role>.md`."""
    return f"prompts/{name}.md"


def skill_tree(name: str) -> str:
    """`skills/<skill>`."""
    return f"skills/{name}"


def setup_tree(provider: str, name: str) -> str:
    """`setups/<tool>/<setup>`."""
    return f"setups/{provider}/{name}"


def overlay_prompt(profile: str) -> str:
    """`prompts/launch-profiles/<profile>.md`."""
    return f"prompts/launch-profiles/{profile}.md"


def memo_seed(profile: str) -> str:
    """`memo-seeds/launch-profiles/<profile>/seed`: a file or a tree."""
    return f"memo-seeds/launch-profiles/{profile}/seed"


def private_skill(profile: str, name: str) -> str:
    """`skills-private/<profile>/<skill>`."""
    return f"skills-private/{profile}/{name}"


def _profile(name: str, spec: JsonMap) -> Iterator[Slot]:
    overlay, seed, skills = spec.get("promptOverlay"), spec.get("memoSeed"), spec.get("skills")
    if isinstance(overlay, dict):
        for key in ("text", "file"):
            yield from _slot(overlay, key, "prompt_blob", overlay_prompt(name), tree=False, prefix="promptOverlay.")
    if isinstance(seed, dict):
        for key in ("text", "file", "dir"):
            yield from _slot(seed, key, "memo_seed", memo_seed(name), tree=key == "dir", prefix="memoSeed.")
    private = skills.get("private") if isinstance(skills, dict) else None
    for item in private if isinstance(private, list) else ():
        if isinstance(item, dict):
            skill = str(item.get("name"))
            where = private_skill(name, skill)
            yield from _slot(item, "path", "skill_tree", where, tree=True, prefix=f"skills.private[name={skill}].")


def _slot(
    spec: Mapping[str, Json], key: str, content_kind: str, relative: str, *, tree: bool, prefix: str = ""
) -> Iterator[Slot]:
    value = spec.get(key)
    if isinstance(value, dict) and isinstance(found := value.get("digest"), str):
        size = value.get("size")
        yield Slot(f"{prefix}{key}", content_kind, relative, tree, found, size if isinstance(size, int) else 0)


def content_refs(resource: Resource) -> dict[str, ContentRef]:
    """The payload rows of a definition, by spec path."""
    return {
        slot.path: ContentRef(slot.content_kind, slot.relative_path, slot.tree, slot.digest, slot.size)
        for slot in slots(resource)
    }


def write(ports: Ports, context: Context, resource: Resource) -> None:
    """Write the payloads of a resource and of its derived rows into the content store."""
    owners = [resource, *(child for child in context.look.children(resource.ref) if child.derived)]
    for owner in owners:
        for slot in slots(owner):
            _write_slot(ports, context, slot)


def _write_slot(ports: Ports, context: Context, slot: Slot) -> None:
    target = f"{ports.places.content}/{slot.relative_path}"
    source = context.look.content(slot.digest)
    if source is None or source.path == target:
        _verify_stored(ports.files, target, slot)
        return
    if slot.tree:
        tree = source_tree(ports.files, source)
        stored = ports.files.stamp(target)
        if stored is not None and not (stored.is_dir and ports.files.tree_digest(target).digest == slot.digest):
            kept.put_aside(ports.files, ports.places.content, slot.relative_path)
        ports.files.replace_tree(target, tree)
        return
    data = source_bytes(ports.files, source)
    kept.copy_aside(ports.files, ports.places.content, slot.relative_path, data)
    ports.files.write(target, data)


def source_bytes(files: FilesReader, source: ContentSource) -> bytes:
    """The bytes behind a declared digest; raises StaleObservation when they changed since they were digested."""
    data = source.text.encode() if source.text is not None else files.read(source.path or "")
    if digest_bytes(data) != source.digest:
        raise StaleObservation(
            f"{source.path or 'the inline text'} changed while it was being applied", hint="run apply again"
        )
    return data


def source_tree(files: FilesReader, source: ContentSource) -> Tree:
    """A declared directory as a Tree; raises StaleObservation when it changed since it was digested."""
    root = source.path or ""
    if files.tree_digest(root).digest != source.digest:
        raise StaleObservation(f"{root} changed while it was being applied", hint="run apply again")
    return stored_tree(files, root)


def stored_tree(files: FilesReader, root: str, *, mode: int | None = None) -> Tree:
    """A directory as a Tree whose entries are copied when it is written; links are left out."""
    found = files.found(root)
    if found is None:
        raise ActionFailed(
            f"{root} is gone", hint="apply the source that declares it again", code="build.content_missing"
        )
    return Tree(
        {
            entry.path: Entry(
                source=f"{root}/{entry.path}",
                digest=entry.digest,
                mode=mode if mode is not None else 0o600 | (entry.mode & 0o100),
            )
            for entry in found
            if entry.link is None
        }
    )


def _verify_stored(files: FilesReader, target: str, slot: Slot) -> None:
    stored = files.stamp(target)
    if stored is None:
        raise ActionFailed(
            f"the content store has lost {slot.relative_path}",
            hint="apply the source that declares it again",
            code="build.content_missing",
        )


def make_way(files: Files, root: str, tree: Tree) -> None:
    """Remove directories of our own that stand where `tree` has a file or a link: a skill that became a link."""
    for path, _ in tree:
        found = files.stamp(f"{root}/{path}")
        if found is not None and found.is_dir and not files.is_link(f"{root}/{path}"):
            files.remove(f"{root}/{path}")


def drop(ports: Ports, context: Context, resource: Resource) -> None:
    """Take the payloads of a resource and of its derived rows out of the store; they are kept until `houmao gc`."""
    rows = [resource, *context.look.owned(resource.ref)]
    for owner in rows:
        for slot in slots(owner):
            kept.put_aside(ports.files, ports.places.content, slot.relative_path)
