"""One agent's runtime home as a value: setup, skills, the provider's own files, credentials.

Three trees come out, for they are treated differently afterwards. `tree` is what the home's digest covers and what an
observer compares; `rewritten` are files the program itself changes while it runs, written before each start and never
compared; `secrets` holds credential bytes, mode 0600, in no digest (R-SEC-6).
"""

from collections.abc import Mapping

from reconciler.build.adapter import checked, relative
from reconciler.build.fault import refuse
from reconciler.model.errors import MissingCredential
from reconciler.model.secret import Secret
from reconciler.model.tree import Entry, Tree
from reconciler.model.tuples import NamedTuple
from reconciler.ports.build import (
    Adapter,
    AuthFile,
    AuthMaterial,
    BuildRequest,
    HomeOrder,
    Host,
    Materials,
    ModelProjection,
)
from reconciler.ports.provider import Provider

READ_ONLY = 0o600
RUNNABLE = 0o700


class Home(NamedTuple):
    """A home laid out. `keep` are paths in `secrets` that stay as they are on disk while the auth version stays: logins
    that the program refreshes itself."""

    tree: Tree
    rewritten: Tree
    secrets: Tree
    keep: frozenset[str]


def home_tree(
    request: BuildRequest,
    materials: Materials,
    provider: Provider,
    *,
    host: Host,
    prompt: str,
    model: ModelProjection,
) -> Home:
    """Lay out one agent's runtime home without touching the disk.

    Shape:   relative POSIX path -> Entry (bytes, source or link target, permission bits); no timestamps, so equal
             input gives equal digests. `launch.sh` and `launch.env` are not in it: `assemble` adds them.
    Raises:  ActionFailed (`build.*`), MissingCredential (`build.auth_missing`); never retried.
    """
    adapter = checked(materials.adapter)
    check(request, materials, provider)
    files = provider.home(HomeOrder(materials, request.mode, prompt, model, host))
    own = {path for part in files for path, _ in part}
    tree = _setup(materials, adapter, own)
    tree = _skills(request, materials, adapter, tree).merged(files.tree)
    secrets, keep = _auth_files(materials.auth, adapter, own)
    return Home(tree, files.rewritten, secrets.merged(files.secrets), keep)


def check(request: BuildRequest, materials: Materials, provider: Provider) -> None:
    """Everything that can be refused before a byte is laid out."""
    adapter = materials.adapter
    if not (request.tool == provider.name == adapter.tool):
        raise refuse("tool", f"the build is for {request.tool!r}, the adapter for {adapter.tool!r}")
    if request.reuse_home and request.existing_home_mode == "clean":
        raise refuse("home_mode", "a home cannot be reused and cleaned at once", "choose one of the two")
    if request.home_id is not None and (not request.home_id or "/" in request.home_id or "\\" in request.home_id):
        raise refuse("home_id", f"{request.home_id!r} is no home id", "leave out separators")
    names = [*request.skills, *(skill.name for skill in request.private_skills)]
    for name in names:
        if names.count(name) > 1:
            raise refuse("skill_twice", f"skill {name!r} is asked for twice", "private skills need names of their own")
        tree = materials.skills.get(name)
        if tree is None or "SKILL.md" not in tree.entries:
            raise refuse("skill_missing", f"unknown skill {name!r}: it has no SKILL.md", "register the skill first")
    if request.auth is not None and materials.auth is None:
        raise MissingCredential(f"credential {request.auth!r} is not there", hint="create it, or choose another")
    check_env(request.persistent_env_records, adapter)


def check_env(records: Mapping[str, str], adapter: Adapter) -> None:
    """Durable variables may be neither ours nor the credentials'."""
    for name in records:
        if name.startswith("HOUMAO_"):
            raise refuse("env_reserved", f"{name} is reserved", "names that start with HOUMAO_ are set by the program")
        if name in adapter.env_allowlist:
            raise refuse("env_credential", f"{name} belongs to credentials", "put it into an AuthProfile")


def selected_env(auth: AuthMaterial | None, adapter: Adapter) -> dict[str, Secret]:
    """The variables that leave the bundle, in the adapter's order."""
    if auth is None:
        return {}
    return {name: auth.env[name] for name in adapter.env_allowlist if name in auth.env}


def credentials(auth: AuthMaterial | None, adapter: Adapter) -> frozenset[str]:
    """Names of the credential variables that are not empty, and of the login files that are there."""
    names = {name for name, value in selected_env(auth, adapter).items() if value.reveal()}
    files = set(auth.files) if auth is not None else set()
    return frozenset(names | {mapping.source for mapping in adapter.file_mappings if mapping.source in files})


def below(directory: str, path: str) -> str:
    """`path` below a directory of the home, where `.` is the home itself."""
    base = relative(directory, "destination")
    return path if base == "." else f"{base}/{path}"


def _setup(materials: Materials, adapter: Adapter, own: set[str]) -> Tree:
    """The setup's files, but for those the provider merged into its own."""
    entries: dict[str, Entry] = {}
    for path, entry in materials.setup:
        place = below(adapter.setup_destination, relative(path, f"setup {path!r}"))
        if place not in own:
            entries[place] = entry._replace(mode=RUNNABLE if entry.mode & 0o100 else READ_ONLY)
    return Tree(entries)


def _skills(request: BuildRequest, materials: Materials, adapter: Adapter, tree: Tree) -> Tree:
    modes = dict.fromkeys(request.skills, adapter.skills_mode)
    modes |= {skill.name: skill.mode for skill in request.private_skills}
    for name, mode in sorted(modes.items()):
        place = below(adapter.skills_destination, relative(name, "skill"))
        target = materials.skill_paths.get(name)
        if mode == "symlink" and target is not None:
            tree = tree.merged(Tree({place: Entry(link=target)}))
        else:
            tree = tree.merged(materials.skills[name], place)
    return tree


def _auth_files(auth: AuthMaterial | None, adapter: Adapter, own: set[str]) -> tuple[Tree, frozenset[str]]:
    """The login files an adapter names; what the provider merged itself is left to it."""
    entries: dict[str, Entry] = {}
    keep: set[str] = set()
    if auth is None:
        return Tree(), frozenset()
    for mapping in adapter.file_mappings:
        found = auth.files.get(mapping.source)
        if found is None:
            if mapping.required:
                raise MissingCredential(
                    f"credential {auth.name!r} lacks the file {mapping.source}", hint="add the file to the credential"
                )
            continue
        if mapping.destination in own:
            continue
        match found:
            case AuthFile(path, _) if mapping.mode == "symlink":
                entries[mapping.destination] = Entry(link=path)
            case AuthFile(path, digest):
                entries[mapping.destination] = Entry(source=path, digest=digest)
                keep.add(mapping.destination)
            case Secret():
                entries[mapping.destination] = Entry(data=found.reveal().encode())
                keep.add(mapping.destination)
    return Tree(entries), frozenset(keep)
