"""The bundle of a credential that the overlay itself keeps: `content/auth/<tool>/<uid>/{env/vars.env,files/…}`.

A profile whose `source.existing` is its own name has one. Its bytes come from whoever ran `credentials add` or `set`,
staged beside their place, and are moved there by the step of the action that takes them up; `rotation` is their keyed
fingerprint, so equal bytes change nothing. The place is named by the uid: a rename moves nothing.
"""

from reconciler.engine.handler import Context
from reconciler.kinds import content
from reconciler.model.action import Verb
from reconciler.model.resource import Resource, at_path
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import ContentRef, Definition

ENV_FILE = "env/vars.env"
FILES_DIR = "files"
SLOT = "source"
"""The spec path under which the catalog holds the payload."""


def place(tool: str, uid: str) -> str:
    """Where the bundle lies below `content/`."""
    return f"auth/{tool}/{uid}"


def is_own(resource: Resource) -> bool:
    """Whether the overlay keeps the credential's bytes for this very profile."""
    return at_path(resource.spec, "source.existing") == resource.ref.name


def definition(resource: Resource, context: Context) -> Definition:
    """The row of a profile, with its bundle where it has one; the fingerprint stands for the bytes."""
    if not is_own(resource):
        return Definition(resource.ref, resource.spec, {}, context.uid)
    rotation = resource.spec.get("rotation")
    where = place(str(resource.spec["provider"]), context.uid)
    held = ContentRef("auth_tree", where, True, rotation if isinstance(rotation, str) else "", 0)
    return Definition(resource.ref, resource.spec, {SLOT: held}, context.uid)


def write(ports: Ports, context: Context, resource: Resource) -> None:
    """Take staged bytes up, and link the bundle into the view for other programs."""
    if not is_own(resource):
        return
    tool = str(resource.spec["provider"])
    relative = place(tool, context.uid)
    target = f"{ports.places.content}/{relative}"
    staged = context.look.content(str(resource.spec.get("rotation")))
    if staged is not None and staged.path is not None and ports.files.stamp(staged.path) is not None:
        ports.files.replace_tree(target, content.stored_tree(ports.files, staged.path, mode=0o600))
    if ports.files.stamp(target) is not None:
        ports.files.make_dir(f"{ports.places.agents}/tools/{tool}/auth")
        ports.files.link(_link(ports, tool, context.uid), f"{_up(ports)}/content/{relative}")


def drop(ports: Ports, context: Context, resource: Resource) -> None:
    """Remove bundle and link; another name changes neither, for the uid stays."""
    if context.action.verb is not Verb.REMOVE:
        return
    tool = str(resource.spec.get("provider"))
    ports.files.remove(_link(ports, tool, context.uid))
    ports.files.remove(f"{ports.places.content}/{place(tool, context.uid)}")


def _link(ports: Ports, tool: str, uid: str) -> str:
    return f"{ports.places.agents}/tools/{tool}/auth/{uid}"


def _up(ports: Ports) -> str:
    """From the directory of the links to that of the overlay: relative where the view is in it."""
    below = f"{ports.places.overlay}/"
    if not ports.places.agents.startswith(below):
        return ports.places.overlay
    inner = ports.places.agents.removeprefix(below)
    return "/".join([".."] * (len(inner.split("/")) + 2))
