"""The source under a watch: compiled when it settled; while it is broken or gone, the last good one stays in force."""

import posixpath
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from reconciler.app import settings as settings_
from reconciler.app.desired import Desired, fetched_of, load
from reconciler.app.request import Emit, PlanFlags, Source
from reconciler.app.session import Session
from reconciler.declare import origin
from reconciler.declare.inputs import EXTENSIONS, skipped
from reconciler.declare.memo import Memo
from reconciler.engine.loop import Settling
from reconciler.model.errors import DeclarationError, GuardRefused, ReconcilerError
from reconciler.model.json import Json
from reconciler.ports.files import FilesReader, Stamp
from reconciler.ports.wakers import Woken

if TYPE_CHECKING:
    from reconciler.app.source_git import Fetched
    from reconciler.app.watch.remote import Remote

GONE = frozenset({"declare.root.missing", "declare.root.unreadable", "guard.empty", "declare.no_documents"})
"""What says that the source is not there, which is not the same as declaring nothing (R-WAT-5)."""


class Sources:
    """What is declared, as last read well. `compiles` counts compiles that came to their end; `memo` is what they
    have in common.

    A source in a git repository has a `remote`: nothing of it is followed, it is asked for now and then.
    """

    def __init__(
        self, session: Session, source: Source, wanted: PlanFlags, emit: Emit, *, poll_s: float = 60.0
    ) -> None:
        self._session = session
        self._source = source
        self._wanted = wanted
        self._emit = emit
        self._files: FilesReader = session.reader.files
        self.settling = Settling(session.reader.clock)
        self.desired: Desired | None = None
        self.remote: Remote | None = None
        if source.git:
            from reconciler.app.watch.remote import Remote as GitRemote
            from reconciler.declare.git_address import parse

            parse(source.git)  # what is no address now will be none later
            clock, seed = session.reader.clock, session.reader.overlay_id
            self.remote = GitRemote(self._fetched, clock, seed=seed, period_s=poll_s)
        self._fault: ReconcilerError | None = None
        self.compiles = 0
        self.abandoned = 0
        self.memo = Memo()
        self._roots = tuple(self._root(path) for path in (*source.paths, source.composition) if path not in (None, "-"))
        self._trees: dict[str, origin.WorkTree | None] = {}
        self._listed: dict[str, Stamp | None] = {}

    @property
    def fault(self) -> ReconcilerError | None:
        """Why the source as it is now is not in force."""
        return self._fault or (self.remote.fault if self.remote is not None else None)

    def _root(self, given: str | None) -> str:
        return posixpath.normpath(posixpath.join(settings_.cwd(), given or ""))

    # What is followed

    def directories(self) -> frozenset[str]:
        """Directories whose changes matter: of files that were read, listed ones, and those above the roots."""
        if self.remote is not None:
            return frozenset()
        found = set(self._walked())
        compiled = self.desired.compiled if self.desired else None
        if compiled is not None:
            found |= {posixpath.dirname(path) for path, _ in compiled.inputs}
            found |= {path for path, _ in compiled.directories}
        found |= {posixpath.dirname(root) for root in self._roots}
        found |= {tree.git for root in self._roots if (tree := self._tree(root)) is not None}
        return frozenset(found)

    def _walked(self) -> Iterable[str]:
        """Directories below the roots as they are now, whatever was wrong with them when they were read."""
        waiting = [root for root in self._roots if (stamp := self._stamp(root)) is not None and stamp.is_dir]
        while waiting:
            directory = waiting.pop()
            yield directory
            if not self._source.recursive:
                continue
            try:
                names = self._files.names(directory)
            except ReconcilerError:
                continue
            waiting += [f"{directory}/{name[:-1]}" for name in names if name.endswith("/") and not skipped(name)]

    def _tree(self, root: str) -> origin.WorkTree | None:
        if root not in self._trees:
            stamp = self._stamp(root)
            directory = root if stamp is not None and stamp.is_dir else posixpath.dirname(root)
            self._trees[root] = origin.work_tree(directory, self._files)
        return self._trees[root]

    def heard(self, woken: Woken) -> bool:
        """Take notice of a change below the roots; whether it can matter."""
        path = woken.name
        name = posixpath.basename(path)
        if any(tree is not None and posixpath.dirname(path) == tree.git for tree in self._trees.values()):
            return self.settling.pending and name == "index.lock"
        if not self._matters(path, name):
            return False
        stamp = self._stamp(path)
        # An emptied file is about to be written, most likely.
        whole = woken.whole and (stamp is None or stamp.is_dir or stamp.size > 0)
        self.settling.heard(path, whole=whole)
        return True

    def _matters(self, path: str, name: str) -> bool:
        if path in self._roots:
            return True
        if any(root.startswith(f"{path}/") for root in self._roots):
            return True
        above = posixpath.dirname(path)
        inside = any(above == root or above.startswith(f"{root}/") for root in self._roots)
        compiled = self.desired.compiled if self.desired else None
        if compiled is not None and not (inside and name.endswith(EXTENSIONS)):
            if any(path == read for read, _ in compiled.inputs):
                return True
            # Something came or went in a directory whose whole content counts, such as a skill's.
            return above in {listed for listed, _ in compiled.directories} and not inside
        if not inside or skipped(name):
            return False
        stamp = self._stamp(path)
        return name.endswith(EXTENSIONS) or stamp is None or stamp.is_dir or compiled is None

    @property
    def locked(self) -> bool:
        """Whether git is changing files: its index is locked."""
        return any(
            tree is not None and self._stamp(f"{tree.git}/index.lock") is not None for tree in self._trees.values()
        )

    def moved(self) -> bool:
        """Whether anything that was read is another file now: for the timer, which trusts no waker."""
        if self.remote is not None:
            return False
        if self.desired is None or self._fault is not None or self.desired.compiled is None:
            return True
        compiled = self.desired.compiled
        return any(self._stamp(path) != stamp for path, stamp in (*compiled.inputs, *compiled.directories))

    def _stamp(self, path: str) -> Stamp | None:
        try:
            return self._files.stamp(path)
        except ReconcilerError:
            return None

    # Fetching

    def fetch(self, *, wait: bool = False) -> bool:
        """Go on with asking the remote, if there is one, or `wait` for its answer; whether another commit came."""
        remote = self.remote
        if remote is None:
            return False
        before = remote.fault
        came = remote.at_once() if wait else remote.step()
        fault = remote.fault
        if fault is not None and (before is None or before.to_json() != fault.to_json()):
            kept = remote.fetched is not None
            self._emit("source", {"event": "SourceUnavailable", "kept": kept, "problems": [fault.to_json()]})
        if remote.fetched is not None and (came or (before is not None and fault is None)):
            self._emit("source", {"event": "Fetched", "revision": remote.fetched.revision})
        return came

    def _fetched(self, *, offline: bool) -> "Fetched":
        """In a thread of its own. What is in force stays laid out: it may be old, where newer commits are bad."""
        desired = self.desired
        keep = frozenset({desired.fetched.revision} if desired is not None and desired.fetched is not None else ())
        return fetched_of(self._session, self._source, offline=offline, keep=keep)

    # Compiling

    def compile(self, overtaken: Callable[[], bool] = lambda: False) -> bool:
        """Read it all; whether what is declared is another now. Nothing is taken over once `overtaken`."""
        self.settling.begun()
        fetched = self.remote.fetched if self.remote is not None else None
        if self.remote is not None and fetched is None:
            return False
        try:
            found = load(self._session, self._source, self._wanted, fetched, self.memo)
        except (DeclarationError, GuardRefused) as fault:
            if overtaken():
                self.abandoned += 1
                return False
            self._broken(fault)
            return False
        if overtaken():
            self.abandoned += 1
            return False
        self.compiles += 1
        before, self.desired = self.desired, found
        recovered, self._fault = self._fault is not None, None
        changed = before is None or _differs(before, found)
        if changed or recovered:
            count = sum(1 for resource in found.declared.values() if not resource.derived)
            event = "Recovered" if recovered else "Compiled"
            self._emit("source", {"event": event, "declared": count, "revision": found.revision or None})
        return changed or recovered

    def _broken(self, fault: ReconcilerError) -> None:
        """What was good stays in force; nothing is derived from this (R-WAT-4)."""
        self.compiles += 1
        before, self._fault = self._fault, fault
        if before is not None and before.to_json() == fault.to_json():
            return
        problems = fault.problems if isinstance(fault, DeclarationError) else []
        codes = {problem.code for problem in problems} or {fault.code}
        event = "SourceUnavailable" if codes & GONE else "SourceInvalid"
        listed: list[Json] = [problem.to_json() for problem in problems] or [fault.to_json()]
        self._emit("source", {"event": event, "kept": self.desired is not None, "problems": listed})


def _differs(before: Desired, after: Desired) -> bool:
    """Whether a plan could come out differently: other resources, another set, other names, another root."""
    old, new = before.compiled, after.compiled
    if old is None or new is None or before.apply_set != after.apply_set:
        return True
    if (old.source_root, old.moves, old.inputs_digest) != (new.source_root, new.moves, new.inputs_digest):
        return True
    return {ref: (one.digest, one.labels, one.annotations) for ref, one in before.declared.items()} != {
        ref: (one.digest, one.labels, one.annotations) for ref, one in after.declared.items()
    }
