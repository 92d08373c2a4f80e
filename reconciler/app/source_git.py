"""Declarations in a git repository: fetched into a bare mirror below the overlay, laid out by commit, named by it.

`fetch` is all that a caller needs: from an address to a commit and the directory that holds its files. Two fetches of
one commit give the same directory; one whose files were touched is laid out again.
"""

import posixpath

from reconciler.app.git import Git, SourceUnavailable, said
from reconciler.declare.compile import Compiled
from reconciler.declare.git_address import GitAddress
from reconciler.declare.inputs import Source as Inputs
from reconciler.model.errors import GuardRefused, ReconcilerError
from reconciler.model.json import digest
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Environment, Places
from reconciler.ports.clock import Clock
from reconciler.ports.files import Files, Lock, LockHolder
from reconciler.ports.process import Process

DIRECTORY = "sources"
KEPT = 3
"""How many laid-out commits are kept beside the one that is asked for: a run may still read an older one."""
BUSY_S, POLL_S = 60.0, 0.05
HEADS, TAGS = "refs/heads/", "refs/tags/"


class Fetched(NamedTuple):
    """A commit, and where its files are."""

    address: GitAddress
    """At that commit."""
    revision: str
    tree: str
    """The directory that holds its files, absolute."""
    git: Git

    @property
    def base(self) -> str:
        """What stands before a place in it, where that is recorded."""
        return f"git+{self.address.url}@{self.revision}:"

    def inputs(self, *, recursive: bool) -> Inputs:
        """What is read: places begin at the top of the repository, wherever it is laid out."""
        return Inputs((self.address.path,), recursive, None, None, self.tree)

    def named(self, compiled: Compiled, *, declared_id: bool) -> Compiled:
        """What was compiled, as of this repository and commit; an id that the Project declares stays."""
        if declared_id:
            return compiled._replace(source_revision=self.revision)
        root = self.address.root
        return compiled._replace(
            source_root=root,
            roots=(root,),
            root_of=dict.fromkeys(compiled.root_of, root),
            source_revision=self.revision,
        )


class World(NamedTuple):
    """What fetching takes."""

    places: Places
    process: Process
    files: Files
    clock: Clock
    environ: Environment


def fetch(
    address: GitAddress, world: World, *, signers: str = "", offline: bool = False, keep: frozenset[str] = frozenset()
) -> Fetched:
    """Ask the remote, take what is new, and lay out the commit.

    signers   an allowed-signers file that must vouch for the commit
    offline   take what was fetched last, and ask nobody
    keep      commits whose files are still read, however old they are

    Raises SourceUnavailable where the remote or the ref cannot be had, and GuardRefused where nobody vouches for it.
    """
    home = posixpath.join(world.places.overlay, DIRECTORY, digest(address.url).removeprefix("sha256:")[:16])
    repository = f"{home}/repository.git"
    git = Git(repository, address, world.process, world.environ)
    world.files.make_dir(home)
    held = _alone(f"{home}/lock", world)
    try:
        if world.files.stamp(f"{repository}/HEAD") is None:
            world.files.remove(repository)
            world.files.make_dir(repository)
            git("init", "--quiet", "--bare", "--template=", "--initial-branch=none", repository)
        if offline:
            commit = _last(address, git)
        else:
            commit = _named(address, git) if address.commit else _newest(address, git)
        if signers:
            _verify(commit, address, git, signers)
        tree = _laid_out(commit, home, git, world, keep)
    finally:
        held.release()
    _confined(address, tree, git, commit, world.files)
    return Fetched(address.at(commit), commit, tree, git)


def rewritten(found: Fetched, applied: str) -> str:
    """Why what was applied last does not lead to what was fetched, as a sentence; empty where it does."""
    if not applied or applied == found.revision:
        return ""
    if found.git.run("merge-base", "--is-ancestor", applied, found.revision).code == 0:
        return ""
    return (
        f"the history of the source was rewritten: {found.revision[:12]} does not build on {applied[:12]}, applied last"
    )


def _alone(path: str, world: World) -> Lock:
    """One at a time works on a mirror."""
    until = world.clock.monotonic() + BUSY_S
    while True:
        found = world.files.lock(path)
        if not isinstance(found, LockHolder):
            return found
        if world.clock.monotonic() >= until:
            raise SourceUnavailable(
                f"process {found.pid} is fetching the same source", hint="try again when it is done", code="source.busy"
            )
        world.clock.sleep(POLL_S)


def _last(address: GitAddress, git: Git) -> str:
    """The commit that a branch or tag named when it was fetched last."""
    refs = [address.ref] if address.commit else [_fetched(name) for name in _wanted(address)]
    found = [ran for ref in refs if (ran := git.run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")).code == 0]
    if len(found) != 1:
        raise SourceUnavailable(
            f"nothing of {address.ref!r} of {address.url} is here", hint="it has to be fetched", code="source.not_here"
        )
    return found[0].stdout.decode().strip()


def _wanted(address: GitAddress) -> list[str]:
    return [address.ref] if address.ref.startswith("refs/") else [HEADS + address.ref, TAGS + address.ref]


def _fetched(name: str) -> str:
    """Where a ref of the remote is kept."""
    return f"refs/fetched/{name.removeprefix('refs/')}"


def _newest(address: GitAddress, git: Git) -> str:
    """The commit that a branch or tag names at the remote now."""
    wanted = _wanted(address)
    asked = git.run("ls-remote", "--quiet", "source", *wanted, remote=True)
    if asked.code != 0:
        raise _unavailable(address, said(asked))
    lines = (line.partition("\t") for line in asked.stdout.decode().splitlines())
    names = {name: commit for commit, _, name in lines}
    found = [name for name in wanted if name in names]
    if not found:
        raise SourceUnavailable(
            f"{address.url} has no branch and no tag {address.ref!r}",
            hint="nothing is taken as deleted; correct the ref, or bring it back",
            code="source.ref_missing",
        )
    if len(found) > 1:
        raise SourceUnavailable(
            f"{address.ref!r} is a branch and a tag of {address.url}",
            hint=f"write {HEADS}{address.ref} or {TAGS}{address.ref}",
            code="source.ref_twice",
        )
    mine = _fetched(found[0])
    here = git.run("rev-parse", "--verify", "--quiet", mine)
    if here.code != 0 or here.stdout.decode().strip() != names[found[0]]:
        _take(address, git, f"+{found[0]}:{mine}")
    return git("rev-parse", "--verify", f"{mine}^{{commit}}").strip()


def _named(address: GitAddress, git: Git) -> str:
    """One commit: the remote is asked only where it is not here yet."""
    if git.run("cat-file", "-e", f"{address.ref}^{{commit}}").code != 0:
        _take(address, git, f"+{HEADS}*:refs/fetched/heads/*", f"+{TAGS}*:refs/fetched/tags/*")
        if git.run("cat-file", "-e", f"{address.ref}^{{commit}}").code != 0:
            raise SourceUnavailable(
                f"{address.url} has no commit {address.ref[:12]} on a branch or tag",
                hint="it was rewritten or never pushed; name a branch, or plan again",
                code="source.ref_missing",
            )
    return address.ref


def _take(address: GitAddress, git: Git, *refspecs: str) -> None:
    words = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--force", "source")
    ran = git.run("fetch", *words, *refspecs, remote=True)
    if ran.code != 0:
        raise _unavailable(address, said(ran))


def _unavailable(address: GitAddress, why: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{address.url} cannot be fetched: {why}",
        hint="nothing is taken as deleted; check the address, your access and the network",
    )


def _verify(commit: str, address: GitAddress, git: Git, signers: str) -> None:
    """An SSH signature of somebody in `signers`; keys of any other sort count as none."""
    ran = git.run("verify-commit", commit, settings={"gpg.ssh.allowedSignersFile": signers})
    if ran.code != 0:
        raise GuardRefused(
            f"commit {commit[:12]} of {address.url} is not signed by anybody in {signers}: {said(ran)}",
            hint="sign it (git commit -S with gpg.format=ssh), or add the signer to that file after checking the key",
            code="guard.signature",
        )


def _laid_out(commit: str, home: str, git: Git, world: World, keep: frozenset[str]) -> str:
    """The files of a commit; a directory that is whole or not there."""
    files, tree, index = world.files, f"{home}/trees/{commit}", f"{home}/trees/{commit}.index"
    around = {"GIT_INDEX_FILE": index, "GIT_WORK_TREE": tree}
    if files.stamp(tree) is not None and files.stamp(index) is not None:
        same = git.run("diff-files", "--quiet", env=around, cwd=tree).code == 0
        if same and not git.run("ls-files", "--others", "-z", env=around, cwd=tree).stdout:
            return tree
    new = f"{home}/trees/.new"
    for path in (new, tree, index):
        files.remove(path)
    files.make_dir(new)
    making = {"GIT_INDEX_FILE": index, "GIT_WORK_TREE": new}
    git("read-tree", commit, env=making, cwd=new)
    git("checkout-index", "--all", "--force", "--quiet", env=making, cwd=new)
    files.move(new, tree)
    git("update-index", "-q", "--refresh", env=around, cwd=tree)
    _sweep(f"{home}/trees", keep | {commit}, files)
    return tree


def _sweep(trees: str, keep: frozenset[str], files: Files) -> None:
    """Older commits go, the newest few stay, and those of `keep`."""
    aged = []
    for name in files.names(trees):
        if name.endswith("/") and name.rstrip("/") not in keep:
            stamp = files.stamp(f"{trees}/{name}")
            aged.append((stamp.mtime_ns if stamp else 0, name.rstrip("/")))
    for _, name in sorted(aged, reverse=True)[KEPT:]:
        files.remove(f"{trees}/{name}")
        files.remove(f"{trees}/{name}.index")


def _confined(address: GitAddress, tree: str, git: Git, commit: str, files: Files) -> None:
    """No link of the commit leads out of it, and the path that is declared is in it."""
    top = files.real(tree)
    for line in git("ls-tree", "-r", "-z", "--full-tree", commit).split("\0"):
        mode, _, rest = line.partition(" ")
        if mode != "120000":
            continue
        name = rest.partition("\t")[2]
        if not _below(files.real(posixpath.join(tree, name)), top):
            raise ReconcilerError(
                f"{name} of {address.url} is a link that leads out of the repository",
                hint="nothing of that commit is used; replace the link by what it names",
                code="source.escape",
            )
    where = posixpath.join(tree, address.path)
    if files.stamp(where) is None or not _below(files.real(where), top):
        raise SourceUnavailable(
            f"{address.url} has no {address.path} at {commit[:12]}",
            hint="nothing is taken as deleted; correct the path behind the ref",
            code="source.path_missing",
        )


def _below(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")
